//! The daily count (清点): does a phone hold what the server thinks it holds?
//!
//! Cursors say what was sent, not what is still there. A database can lose a page, a program can have a mistake, a right
//! can be given or taken without an event. So once a day both sides digest everything in view and compare 16 bytes. Only
//! if these differ does the phone send 4 bytes for each of 256 buckets of case ids, and the server answers with all of
//! the cases in the buckets that differ. What comes is added to what is there: neither side is chosen over the other.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use sha2::Digest;

use super::digest::{self, BYTES};
use super::{WireError, limits};
use crate::model::{CaseId, ChangeHash, LocalDay, Millis};

/// Buckets of case ids.
pub const BUCKETS: usize = 256;
/// Bytes of each bucket's digest on the wire.
const SHORT: usize = 4;
/// Ended cases are counted for so many days: two less than a new phone is sent, so that every phone holds them.
const DAYS: i64 = 60;

/// What a phone says it holds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Census {
    /// The business day the phone last heard of, in days since 1970; decides which ended cases are counted.
    #[n(0)]
    pub day: i32,
    /// [`Count::root`].
    #[cbor(n(1), with = "minicbor::bytes")]
    pub root: [u8; BYTES],
    /// [`Count::buckets`], once the root was found to differ.
    #[n(2)]
    pub buckets: Option<ByteVec>,
    /// The first bucket to answer for; none for 0.
    #[n(3)]
    pub from: Option<u8>,
    /// Cases with unsent work, left out on both sides.
    #[n(4)]
    pub except: Option<Vec<CaseId>>,
}

/// What the server says to that. Nothing at all if there was news, so that the two could not be compared.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct CensusReply {
    /// The bucket to go on with: 0 asks for the buckets of a root that differs; none when all is equal or told.
    #[n(0)]
    pub next: Option<u8>,
    /// Buckets that differed. The feed holds all cases in them, and all of each: what else the phone holds there is not
    /// in its view.
    #[n(1)]
    pub told: Option<ByteVec>,
}

impl Census {
    /// Refuses what the protocol does not allow.
    pub(super) fn check(&self) -> Result<(), WireError> {
        let except = self.except.as_ref().map_or(0, Vec::len);
        if except > limits::CENSUS_EXCEPT {
            return Err(WireError::TooMany { what: "cases left out", allowed: limits::CENSUS_EXCEPT, found: except });
        }
        match self.buckets.as_ref().map(|buckets| buckets.len()) {
            Some(found) if found != BUCKETS * SHORT => {
                Err(WireError::TooMany { what: "bytes of buckets", allowed: BUCKETS * SHORT, found })
            }
            _ => Ok(()),
        }
    }

    /// True if the case is left out.
    pub fn leaves_out(&self, case: &CaseId) -> bool {
        self.except.as_ref().is_some_and(|except| except.contains(case))
    }
}

impl CensusReply {
    /// True if all cases of the case's bucket were told.
    pub fn tells(&self, case: &CaseId) -> bool {
        self.told.as_ref().is_some_and(|told| told.contains(&bucket_of(case)))
    }
}

/// The bucket a case is in: the last byte of its id, which is random.
pub fn bucket_of(case: &CaseId) -> u8 {
    case.as_bytes()[15]
}

/// From when on ended cases are counted on this day: the time of their newest ledger event.
pub fn since(day: i32) -> Millis {
    LocalDay::from_number(day).start().plus_ms(-DAYS * 86_400_000)
}

/// A case as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The case.
    pub case: CaseId,
    /// Ledger version; 0 on a phone that found what it holds to be damaged.
    pub version: u32,
    /// Sorted heads of its facts.
    pub heads: Vec<ChangeHash>,
}

/// Digests over everything in view, by bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count(Vec<[u8; BYTES]>);

impl Count {
    /// Digests `cases` in any order. The day goes into every digest: two that are equal by accident differ tomorrow.
    pub fn of(day: i32, mut cases: Vec<Counted>) -> Self {
        cases.sort_by_key(|entry| entry.case);
        let mut hashers = vec![sha2::Sha256::new_with_prefix(day.to_be_bytes()); BUCKETS];
        for entry in &cases {
            let hasher = &mut hashers[usize::from(bucket_of(&entry.case))];
            hasher.update(entry.case.as_bytes());
            hasher.update(entry.version.to_be_bytes());
            hasher.update((entry.heads.len() as u32).to_be_bytes());
            entry.heads.iter().for_each(|head| hasher.update(head.as_bytes()));
        }
        Self(hashers.into_iter().map(digest::shorten).collect())
    }

    /// One digest over all buckets.
    pub fn root(&self) -> [u8; BYTES] {
        digest::of_page(&self.0.concat())
    }

    /// The short digests of all buckets, as they travel.
    pub fn buckets(&self) -> ByteVec {
        self.0.iter().flat_map(|full| full[..SHORT].to_vec()).collect::<Vec<u8>>().into()
    }

    /// Buckets from `from` on whose short digests differ, ascending.
    pub fn differing<'a>(&'a self, theirs: &'a [u8], from: u8) -> impl Iterator<Item = u8> + 'a {
        let pairs = self.0.iter().zip(theirs.chunks(SHORT)).enumerate().skip(usize::from(from));
        pairs.filter(|(_, (ours, theirs))| ours[..SHORT] != **theirs).map(|(bucket, _)| bucket as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(byte: u8, version: u32) -> Counted {
        Counted { case: CaseId::from_bytes([byte; 16]), version, heads: vec![ChangeHash::from_bytes([byte; 32])] }
    }

    #[test]
    fn order_does_not_matter_and_every_part_of_a_case_does() {
        let base = Count::of(7, vec![counted(1, 1), counted(2, 1)]);
        assert_eq!(base, Count::of(7, vec![counted(2, 1), counted(1, 1)]));
        let mut other_heads = counted(2, 1);
        other_heads.heads.clear();
        for changed in [vec![counted(1, 1)], vec![counted(1, 2), counted(2, 1)], vec![counted(1, 1), other_heads]] {
            assert_ne!(base.root(), Count::of(7, changed).root());
        }
        assert_ne!(base.root(), Count::of(8, vec![counted(1, 1), counted(2, 1)]).root());
    }

    #[test]
    fn only_the_bucket_of_the_case_differs() {
        let (ours, theirs) = (Count::of(7, vec![counted(1, 1), counted(9, 1)]), Count::of(7, vec![counted(1, 1)]));
        let buckets = theirs.buckets();
        assert_eq!(buckets.len(), 1_024);
        assert_eq!(ours.differing(&buckets, 0).collect::<Vec<_>>(), [9]);
        assert_eq!(ours.differing(&buckets, 10).count(), 0);
    }
}
