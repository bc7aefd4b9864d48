//! The review queue of an office: what is overdue first, then the oldest.
//!
//! Most cases have the same limit, so that is the order of their receipt; a category or an urgent case with a shorter
//! limit comes forward once it is late.

use std::collections::BTreeSet;

use xunge_client_core::model::{CaseId, CategoryRef, Millis, OrgCode};
use xunge_client_core::workflow::Level;
use xunge_client_core::workflow::deadline::Clock;

use super::cases::{self, CaseItem, Cursor, Filter};
use super::directory::Directory;
use super::scope::Scope;
use crate::params;
use crate::reference::timetable::Timetable;
use crate::store::{StoreError, Tx};

/// Oldest cases that are put in order. A longer queue goes on behind them by receipt.
pub const ORDERED: usize = 200;

/// A case that waits for its review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The case.
    pub item: CaseItem,
    /// When its review is due; none where no rule says anything.
    pub due_at: Option<Millis>,
    /// That time has passed.
    pub overdue: bool,
}

/// The queue as far as it is put in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queue {
    /// In the order they should be reviewed.
    pub cases: Vec<Waiting>,
    /// Everything that waits, beyond the oldest [`ORDERED`] too.
    pub total: usize,
}

/// What the queue is read by.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Whose queue.
    pub scope: &'a Scope,
    /// Their district.
    pub district: &'a str,
    /// Which of its cases, oldest first; its limit and place do not count.
    pub filter: &'a Filter,
    /// Cases that do not wait any more, as far as the queue is concerned.
    pub out: &'a BTreeSet<CaseId>,
    /// Limits and working time.
    pub timetable: &'a Timetable,
    /// Category trees.
    pub directory: &'a Directory,
    /// Business time.
    pub now: Millis,
}

/// Reads the queue.
pub async fn queue(tx: &mut dyn Tx, ask: &Ask<'_>) -> Result<Queue, StoreError> {
    let filter = Filter { after: None, limit: ORDERED, ..ask.filter.clone() };
    let page = cases::list(tx, ask.scope, ask.district, &filter).await?;
    let total = match page.next {
        Some(_) => cases::ids(tx, ask.scope, ask.district, &filter).await?.difference(ask.out).count(),
        None => page.items.iter().filter(|it| !ask.out.contains(&it.id)).count(),
    };
    let mut waiting = Vec::with_capacity(page.items.len());
    for item in page.items.into_iter().filter(|it| !ask.out.contains(&it.id)) {
        let sql = "SELECT level FROM case_row WHERE id = ?1";
        let row = tx.query_one(sql, params![item.id.as_bytes()]).await?;
        let level = row.opt_text(0)?.and_then(Level::from_code).unwrap_or(Level::Normal);
        let due_at = due(ask, &item, level);
        waiting.push(Waiting { overdue: due_at.is_some_and(|due| due < ask.now), due_at, item });
    }
    waiting.sort_by_key(|it| (!it.overdue, it.due_at.filter(|_| it.overdue), it.item.cursor()));
    Ok(Queue { cases: waiting, total })
}

fn due(ask: &Ask<'_>, item: &CaseItem, level: Level) -> Option<Millis> {
    let category: Option<CategoryRef> = item.category.as_deref().and_then(|key| key.parse().ok());
    let keys = category.map(|key| ask.directory.keys(&key)).unwrap_or_default();
    let office: Option<OrgCode> = item.office.as_deref().and_then(|code| code.parse().ok());
    ask.timetable.timing(&keys).due(Clock::Review, Millis(item.received_at), level, office.as_ref())
}

impl Queue {
    /// The cases behind a place. Where the case of that place is gone, those received after it.
    pub fn behind(&self, place: Option<Cursor>) -> &[Waiting] {
        let Some(place) = place else { return &self.cases };
        match self.cases.iter().position(|it| it.item.cursor() == place) {
            Some(index) => &self.cases[index + 1..],
            None => {
                let late = self.cases.iter().take_while(|it| it.overdue).count();
                let first = |part: &[Waiting]| part.iter().position(|it| it.item.cursor() > place);
                match (first(&self.cases[..late]), first(&self.cases[late..])) {
                    (Some(index), _) => &self.cases[index..],
                    (None, Some(index)) => &self.cases[late + index..],
                    (None, None) => &[],
                }
            }
        }
    }

    /// There are more than were put in order.
    pub fn more(&self) -> bool {
        self.total > self.cases.len()
    }

    /// How many are overdue of those that were put in order.
    pub fn overdue(&self) -> usize {
        self.cases.iter().filter(|it| it.overdue).count()
    }

    /// When the oldest was received.
    pub fn oldest(&self) -> Option<Millis> {
        self.cases.iter().map(|it| Millis(it.item.received_at)).min()
    }
}

#[cfg(test)]
#[path = "tests/waiting.rs"]
mod tests;
