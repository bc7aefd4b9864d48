//! Who looks at which case (谁在看): so that two reviewers of one office are not both shown the oldest.
//!
//! Kept in memory and forgotten after a while: it spares people double work and decides nothing. If it is wrong, or
//! another process serves the colleague, the version in each form still lets only one decision through.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use xunge_client_core::model::{CaseId, Millis};

/// How long a case is spared after its reader was last heard of. The queue's script is heard of every 20 s; without
/// script this is about how long one looks at a pair of photos.
const SPARED_MS: i64 = 120_000;

/// Somebody looking at a case.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reader {
    user: String,
    name: String,
    at: Millis,
}

/// Who looks at which case.
#[derive(Debug, Default)]
pub(crate) struct Desks(Mutex<BTreeMap<CaseId, Reader>>);

impl Desks {
    /// Name of somebody else who looks at a case now.
    pub(crate) fn other(&self, case: CaseId, user: &str, now: Millis) -> Option<String> {
        let desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = desks.get(&case).filter(|it| it.user != user && it.is_fresh(now));
        reader.map(|it| it.name.clone())
    }

    /// Notes that somebody looks at a case, and at no other. Whoever came first keeps it.
    pub(crate) fn look(&self, case: CaseId, user: &str, name: &str, now: Millis) {
        let mut desks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        desks.retain(|_, it| it.user != user && it.is_fresh(now));
        let reader = Reader { user: user.to_owned(), name: name.to_owned(), at: now };
        desks.entry(case).or_insert(reader);
    }

    /// Notes that somebody left the queue.
    pub(crate) fn leave(&self, user: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, it| it.user != user);
    }
}

impl Reader {
    fn is_fresh(&self, now: Millis) -> bool {
        now.0.saturating_sub(self.at.0) < SPARED_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_spared_until_its_reader_goes_on_or_is_not_heard_of() {
        let desks = Desks::default();
        let [one, two] = [CaseId::from_bytes([1; 16]), CaseId::from_bytes([2; 16])];
        desks.look(one, "a", "甲", Millis(0));
        assert_eq!(desks.other(one, "a", Millis(1)), None, "one's own desk is free");
        assert_eq!(desks.other(one, "b", Millis(1)), Some("甲".to_owned()));
        desks.look(one, "b", "乙", Millis(1));
        assert_eq!(desks.other(one, "a", Millis(2)), None, "whoever came first keeps it");
        desks.look(two, "a", "甲", Millis(3));
        assert_eq!(desks.other(one, "b", Millis(4)), None, "gone on to the next");
        assert_eq!(desks.other(two, "b", Millis(3 + SPARED_MS)), None, "not heard of");
        desks.look(two, "a", "甲", Millis(5));
        desks.leave("a");
        assert_eq!(desks.other(two, "b", Millis(6)), None);
    }
}
