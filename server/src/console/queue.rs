//! The review queue as a page asks for it: whose, which part of it, from where on.

use std::collections::BTreeSet;

use xunge_client_core::model::{CaseId, Mode};
use xunge_client_core::workflow::{State, Verb};

use super::choices;
use super::fault::Fault;
use super::held::{self, Waiting};
use super::link;
use super::sent::Sent;
use super::visit::Visit;
use crate::domain::cases::{self, CaseItem, Cursor, Filter, Order};
use crate::domain::held::Held;
use crate::domain::own_day;
use crate::domain::scope::Scope;
use crate::domain::{self, waiting};

/// Cases looked through for one that no colleague looks at: more than an office has reviewers.
const NEXT: usize = 12;

/// Where in the queue somebody is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Place {
    /// Only this mode.
    pub(crate) mode: Option<Mode>,
    /// Only this category, with its minors; empty for all.
    pub(crate) category: String,
    /// Behind this case.
    pub(crate) after: Option<Cursor>,
}

impl Place {
    /// What an address says.
    pub(crate) fn read(query: &Sent) -> Self {
        Self {
            mode: Mode::from_code(query.get("mode")),
            category: query.get("category").to_owned(),
            after: query.parsed("after").ok().flatten(),
        }
    }

    /// Code of the mode; empty for all.
    pub(crate) fn mode(&self) -> &'static str {
        self.mode.map_or("", Mode::code)
    }

    /// Address of the same queue from another place on.
    pub(crate) fn link(&self, after: Option<Cursor>) -> String {
        let after = after.map(|cursor| cursor.to_string()).unwrap_or_default();
        link::with("/review", [("mode", self.mode()), ("category", &self.category), ("after", &after)])
    }

    /// Not all of it is shown.
    pub(crate) fn is_filtered(&self) -> bool {
        self.mode.is_some() || !self.category.is_empty()
    }
}

/// The queue as it is now.
pub(crate) struct Queue {
    /// What waits, as far as it is put in order; held voids are not in it.
    pub(crate) whole: waiting::Queue,
    /// The next few behind the place.
    pub(crate) next: Vec<CaseItem>,
    /// What its reader decided today, held voids included.
    pub(crate) own_day: Vec<(Verb, i64)>,
    /// Voids that wait.
    pub(crate) held: Waiting,
    /// Those of them that are colleagues', of cases of this queue, the first to take effect first.
    pub(crate) colleagues: Vec<Held>,
}

/// Reads the queue of whoever asks.
pub(crate) async fn read(visit: &Visit, place: &Place) -> Result<Queue, Fault> {
    let held = held::waiting(visit).await?;
    let key = place.category.parse().ok();
    let filter = Filter {
        states: vec![State::Reported],
        mode: place.mode,
        categories: key.map(|key| choices::with_minors(&visit.directory, &key)).unwrap_or_default(),
        sent_back: Some(false),
        order: Order::OldestFirst,
        ..Filter::default()
    };
    // An office works off what it has to review; whoever looks over its shoulder sees all of their part of the tree.
    let own = visit.viewer.unit.as_ref().filter(|_| visit.reviews());
    let scope = own.map_or_else(|| visit.scope.clone(), Scope::office);
    let (district, after, now) = (visit.district(), place.after, visit.now);
    let services = &visit.app.services;
    let (timetable, directory) = (services.timetable.now(), visit.directory.clone());
    let (user, morning) = (visit.viewer.user.clone(), now.local_day().start());
    let out: BTreeSet<CaseId> = held.cases.keys().copied().collect();
    let others: Vec<Held> = held.cases.values().filter(|it| it.user != user).cloned().collect();
    let read = services.store.read::<_, Fault, _>(move |tx| {
        Box::pin(async move {
            let (timetable, directory) = (&timetable.timetable, &*directory);
            let (filter, out) = (&filter, &out);
            let ask = waiting::Ask { scope: &scope, district: &district, filter, out, timetable, directory, now };
            let whole = waiting::queue(tx, &ask).await?;
            let mut next: Vec<CaseItem> = whole.behind(after).iter().map(|it| it.item.clone()).take(NEXT).collect();
            if next.is_empty() && whole.more() {
                let rest = Filter { after, limit: NEXT + out.len(), ..filter.clone() };
                next = cases::list(tx, &scope, &district, &rest).await?.items;
                next.retain(|it| !out.contains(&it.id));
            }
            let colleagues = domain::held::within(tx, &scope, others).await?;
            Ok((whole, next, own_day::decided(tx, &user, morning).await?, colleagues))
        })
    });
    let (whole, next, mut own_day, colleagues) = read.await?;
    add_held(&mut own_day, held.own(&visit.viewer.user));
    Ok(Queue { whole, next, own_day, held, colleagues })
}

/// A void that waits is work done; if it is taken back it was none.
fn add_held(own_day: &mut Vec<(Verb, i64)>, held: i64) {
    match own_day.iter_mut().find(|(verb, _)| *verb == Verb::Void) {
        Some((_, n)) => *n += held,
        None if held > 0 => own_day.push((Verb::Void, held)),
        None => {}
    }
}
