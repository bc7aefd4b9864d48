//! Whom a feed row concerns.
//!
//! An inspector's phone shows: what its user reported, holds or has a task on, and the open cases of its grids. Each
//! of these is a key; a row names the keys that could see the case before or can after, so that who just lost it is
//! told as well. The phone's own keys are looked up in an index: silence costs a phone nothing.

use std::collections::BTreeSet;

use xunge_client_core::workflow::Ledger;

use crate::domain::people::Viewer;

/// Keys before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    before: BTreeSet<String>,
    after: BTreeSet<String>,
    /// The case had ended before, so a phone that is newer than its end may never have got it.
    ended: bool,
}

impl Audience {
    /// Whom a step from one ledger to the next concerns; none before: a new case.
    pub fn of(before: Option<&Ledger>, after: &Ledger) -> Self {
        let ended = before.is_some_and(Ledger::is_final);
        Self { before: before.map(keys).unwrap_or_default(), after: keys(after), ended }
    }

    /// The rows to write: key, and whether its phones need all of the case: it could not see the case before, or it
    /// could but a new phone is not sent cases that ended long ago.
    pub fn rows(&self) -> impl Iterator<Item = (&str, bool)> {
        let joins = |key: &&String| self.after.contains(*key) && (self.ended || !self.before.contains(*key));
        self.before.union(&self.after).map(move |key| (key.as_str(), joins(&key)))
    }

    /// The rows as one text, for the hash of the feed row.
    pub fn to_text(&self) -> String {
        text_of(self.rows())
    }
}

/// Rows of an audience as one text: each key with whether it joins, in the order of the keys.
pub fn text_of<'a>(rows: impl Iterator<Item = (&'a str, bool)>) -> String {
    rows.map(|(key, joins)| format!("{key}{}\n", if joins { "+" } else { "" })).collect()
}

/// Every key that can see a case.
pub fn keys(ledger: &Ledger) -> BTreeSet<String> {
    let people = [Some(&ledger.reporter), ledger.holder.as_ref(), ledger.task.as_ref().map(|task| &task.assignee)];
    let grid = ledger.grid.as_ref().filter(|_| !ledger.is_final());
    let people = people.into_iter().flatten().map(|user| format!("u:{user}"));
    people.chain(grid.map(|grid| format!("g:{grid}"))).collect()
}

/// The keys of a person: whatever names one of them is for their phone.
pub fn keys_of(viewer: &Viewer) -> Vec<String> {
    let own = std::iter::once(format!("u:{}", viewer.user));
    own.chain(viewer.grids.iter().map(|grid| format!("g:{grid}"))).collect()
}

/// True if a person with these keys can see the case.
pub fn sees(own: &[String], ledger: &Ledger) -> bool {
    let keys = keys(ledger);
    own.iter().any(|key| keys.contains(key))
}
