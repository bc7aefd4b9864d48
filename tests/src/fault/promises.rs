//! What somebody was told, and when.

use std::collections::BTreeSet;
use std::path::PathBuf;

use xunge_client_core::model::{CaseId, PhotoHash};

/// Where something runs. Their power fails one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Machine {
    Phone,
    Centre,
}

impl Machine {
    pub(super) const ALL: [Self; 2] = [Self::Phone, Self::Centre];

    /// The folder of its disk.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Centre => "centre",
        }
    }
}

/// Something that has to be true from now on.
#[derive(Clone, Debug)]
pub(super) enum Promise {
    /// The phone belongs to somebody.
    Enrolled,
    /// The screen said "saved".
    Saved { case: CaseId, words: String, photos: BTreeSet<PhotoHash> },
    /// The phone said that nothing is left on it.
    Wiped,
    /// Somebody was answered while the centre held these rows.
    Held(BTreeSet<String>),
    /// There is a copy of the database with these rows.
    BackedUp { copy: PathBuf, rows: BTreeSet<String> },
}

impl Promise {
    /// Who gave it.
    pub(super) fn machine(&self) -> Machine {
        match self {
            Self::Enrolled | Self::Saved { .. } | Self::Wiped => Machine::Phone,
            Self::Held(_) | Self::BackedUp { .. } => Machine::Centre,
        }
    }
}

/// Promises in the order they were given, each with the changes the disk had seen by then.
#[derive(Clone, Debug, Default)]
pub(super) struct Promises(Vec<(usize, Promise)>);

impl Promises {
    pub(super) fn add(&mut self, position: usize, promise: Promise) {
        self.0.push((position, promise));
    }

    /// Those given before a crash at `position`.
    pub(super) fn until(&self, position: usize) -> Self {
        Self(self.0.iter().filter(|(at, _)| *at <= position).cloned().collect())
    }

    /// How many were given.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Those in force: the newest of each kind.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Promise> {
        let newest = |at: usize, promise: &Promise| {
            !self.0[at + 1..].iter().any(|(_, later)| match (promise, later) {
                (Promise::Saved { case, .. }, Promise::Saved { case: other, .. }) => case == other,
                (Promise::Saved { .. } | Promise::Enrolled, Promise::Wiped) => true,
                (Promise::Held(_), Promise::Held(_)) => true,
                _ => false,
            })
        };
        self.0
            .iter()
            .enumerate()
            .filter(move |(at, (_, promise))| newest(*at, promise))
            .map(|(_, (_, promise))| promise)
    }
}
