//! Who looks at which case (谁在看): a lease of five minutes that keeps two reviewers of one office apart.
//!
//! Kept in memory and forgotten after a while: it spares people double work and decides nothing. If it is wrong, or
//! another process serves the colleague, the version in each form still lets only one decision through.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use xunge_client_core::model::{CaseId, Millis};

/// How long a case stays with its reader after they were last heard of. The queue's script is heard of every 20 s;
/// without script it is what one takes to look at a pair of photos, telephone included.
pub(super) const LEASE_MS: i64 = 300_000;

/// Somebody looking at a case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reader {
    user: String,
    name: String,
    at: Millis,
}

/// Somebody else who looks at a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Colleague {
    /// Their name.
    pub(crate) name: String,
    /// Minutes until the case is free again, rounded up.
    pub(crate) minutes_left: i64,
}

/// Who looks at which case.
#[derive(Debug, Default)]
pub(crate) struct Desks(Mutex<BTreeMap<CaseId, Reader>>);

impl Desks {
    /// Somebody else who looks at a case now.
    pub(crate) fn other(&self, case: CaseId, user: &str, now: Millis) -> Option<Colleague> {
        let desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = desks.get(&case).filter(|it| it.user != user && it.left_ms(now) > 0)?;
        let minutes_left = (reader.left_ms(now) + 59_999) / 60_000;
        Some(Colleague { name: reader.name.clone(), minutes_left })
    }

    /// Notes that somebody looks at a case, and at no other. Whoever came first keeps it.
    pub(crate) fn look(&self, case: CaseId, user: &str, name: &str, now: Millis) {
        let mut desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        desks.retain(|_, it| it.user != user && it.left_ms(now) > 0);
        let reader = Reader { user: user.to_owned(), name: name.to_owned(), at: now };
        desks.entry(case).or_insert(reader);
    }

    /// Notes that somebody has decided, or left the queue.
    pub(crate) fn leave(&self, user: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, it| it.user != user);
    }
}

impl Reader {
    /// A clock that was set back does not make a lease longer.
    fn left_ms(&self, now: Millis) -> i64 {
        LEASE_MS - now.0.saturating_sub(self.at.0).max(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_spared_until_its_reader_goes_on_or_is_not_heard_of() {
        let desks = Desks::default();
        let [one, two] = [CaseId::from_bytes([1; 16]), CaseId::from_bytes([2; 16])];
        let other = |case, user, now| desks.other(case, user, Millis(now)).map(|it| (it.name, it.minutes_left));
        desks.look(one, "a", "甲", Millis(0));
        assert_eq!(other(one, "a", 1), None, "one's own desk is free");
        assert_eq!(other(one, "b", 1), Some(("甲".to_owned(), 5)));
        desks.look(one, "b", "乙", Millis(1));
        assert_eq!(other(one, "a", 2), None, "whoever came first keeps it");
        desks.look(two, "a", "甲", Millis(3));
        assert_eq!(other(one, "b", 4), None, "gone on to the next");
        assert_eq!(other(two, "b", 2 + LEASE_MS), Some(("甲".to_owned(), 1)), "a minute that has begun counts");
        assert_eq!(other(two, "b", 3 + LEASE_MS), None, "not heard of");
        desks.look(two, "a", "甲", Millis(5));
        assert_eq!(other(two, "b", 3 + LEASE_MS), Some(("甲".to_owned(), 1)), "heard of again");
        desks.leave("a");
        assert_eq!(other(two, "b", 6), None);
    }
}
