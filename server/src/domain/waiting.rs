//! The review queue of an office: what is overdue first, then the oldest.
//!
//! Most cases have the same limit, so that is the order of their receipt; a category or an urgent case with a shorter
//! limit comes forward once it is late.

use std::collections::{BTreeMap, BTreeSet};

use xunge_client_core::model::{CaseId, CategoryRef, Millis, OrgCode};
use xunge_client_core::workflow::Level;
use xunge_client_core::workflow::deadline::Clock;

use super::cases::{self, Brief, CaseItem, Cursor, Filter};
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
    /// How many of all that waits are overdue.
    pub overdue: usize,
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
    let whole = match page.next {
        Some(_) => Some(cases::every(tx, ask.scope, ask.district, &filter).await?),
        None => None,
    };
    let mut waiting = Vec::with_capacity(page.items.len());
    for item in page.items.into_iter().filter(|it| !ask.out.contains(&it.id)) {
        let sql = "SELECT level FROM case_row WHERE id = ?1";
        let row = tx.query_one(sql, params![item.id.as_bytes()]).await?;
        let level = row.opt_text(0)?.and_then(Level::from_code).unwrap_or(Level::Normal);
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let due_at = due(ask, item.received_at, level, &text(&item.category), &text(&item.office));
        waiting.push(Waiting { overdue: due_at.is_some_and(|due| due < ask.now), due_at, item });
    }
    waiting.sort_by_key(|it| (!it.overdue, it.due_at.filter(|_| it.overdue), it.item.cursor()));
    let (total, overdue) = match whole {
        Some(mut whole) => {
            whole.retain(|id, _| !ask.out.contains(id));
            (whole.len(), overdue(ask, whole.into_values()))
        }
        None => (waiting.len(), waiting.iter().filter(|it| it.overdue).count()),
    };
    Ok(Queue { cases: waiting, total, overdue })
}

/// How many of these are overdue. What came later is due no earlier under the same limit, so of each limit only a few
/// instants are reckoned, however many wait.
fn overdue(ask: &Ask<'_>, cases: impl Iterator<Item = Brief>) -> usize {
    let mut received: BTreeMap<(String, String, String), Vec<i64>> = BTreeMap::new();
    for case in cases {
        received.entry((case.level, case.category, case.office)).or_default().push(case.received_at);
    }
    let late = received.into_iter().map(|((level, category, office), mut received)| {
        received.sort_unstable();
        let level = Level::from_code(&level).unwrap_or(Level::Normal);
        received.partition_point(|at| due(ask, *at, level, &category, &office).is_some_and(|due| due < ask.now))
    });
    late.sum()
}

/// When the review of a case is due; none where no rule says anything.
fn due(ask: &Ask<'_>, received_at: i64, level: Level, category: &str, office: &str) -> Option<Millis> {
    let category: Option<CategoryRef> = category.parse().ok();
    let keys = category.map(|key| ask.directory.keys(&key)).unwrap_or_default();
    let office: Option<OrgCode> = office.parse().ok();
    ask.timetable.timing(&keys).due(Clock::Review, Millis(received_at), level, office.as_ref())
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

    /// When the oldest was received.
    pub fn oldest(&self) -> Option<Millis> {
        self.cases.iter().map(|it| Millis(it.item.received_at)).min()
    }
}

#[cfg(test)]
#[path = "tests/waiting.rs"]
mod tests;
