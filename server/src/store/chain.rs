//! Hash chains: append-only rows that cannot be changed, dropped or reordered without being noticed.
//!
//! Each row stores the hash of the row before it and its own hash over that and its fields. Changing a row breaks its
//! own hash, dropping or swapping rows breaks the link of the next one. What a chain cannot see is a missing tail:
//! whoever needs that keeps the newest hash elsewhere (`feed_head`, an edition, the phone that was told it).
//!
//! Encoding, fixed for ever: SHA-256 over `"xunge-chain-v1"`, the chain's name, the previous hash and every field,
//! each as one type letter, its length in bytes as u64 big-endian, and its bytes. Lengths and types make the encoding
//! injective: no two different rows give the same input ("ab","c" and "a","bc" differ, 1 and "1" differ).

use sha2::{Digest, Sha256};

use super::Value;

/// A SHA-256.
pub type Hash = [u8; 32];

/// What the first row of a chain names as the row before it.
pub const GENESIS: Hash = [0; 32];

/// Gives the hash of a row of the chain `name` that follows `previous` and holds `fields`.
pub fn link(name: &str, previous: &Hash, fields: &[Value]) -> Hash {
    let mut hash = Sha256::new();
    put(&mut hash, b'v', b"xunge-chain-v1");
    put(&mut hash, b'c', name.as_bytes());
    put(&mut hash, b'p', previous);
    for field in fields {
        match field {
            Value::Null => put(&mut hash, b'n', &[]),
            Value::Int(n) => put(&mut hash, b'i', &n.to_be_bytes()),
            Value::Real(n) => put(&mut hash, b'r', &n.to_bits().to_be_bytes()),
            Value::Text(text) => put(&mut hash, b't', text.as_bytes()),
            Value::Blob(bytes) => put(&mut hash, b'b', bytes),
        }
    }
    hash.finalize().into()
}

fn put(hash: &mut Sha256, kind: u8, bytes: &[u8]) {
    hash.update([kind]);
    hash.update((bytes.len() as u64).to_be_bytes());
    hash.update(bytes);
}

/// Where a chain is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The row does not follow the row before it: one was dropped, added or moved here.
    #[error("the row does not follow the one before it")]
    Link {
        /// Hash of the row before.
        expected: Hash,
        /// What the row names instead.
        found: Hash,
    },
    /// The row's fields are not the ones that were hashed.
    #[error("the row was changed after it was written")]
    Content {
        /// Hash of the fields as they are now.
        expected: Hash,
        /// The hash stored with the row.
        found: Hash,
    },
}

/// Walks a chain from its beginning, row by row.
#[derive(Clone, Debug)]
pub struct Walk {
    name: &'static str,
    head: Hash,
}

impl Walk {
    /// Starts at the beginning of the chain `name`.
    pub fn new(name: &'static str) -> Self {
        Self { name, head: GENESIS }
    }

    /// Starts after a row whose hash is already trusted.
    pub fn after(name: &'static str, head: Hash) -> Self {
        Self { name, head }
    }

    /// Checks the next row and goes on from its stored hash, so that one bad row is told once.
    pub fn step(&mut self, previous: &Hash, fields: &[Value], stored: &Hash) -> Result<(), Broken> {
        let expected = std::mem::replace(&mut self.head, *stored);
        if *previous != expected {
            return Err(Broken::Link { expected, found: *previous });
        }
        let computed = link(self.name, previous, fields);
        if computed != *stored {
            return Err(Broken::Content { expected: computed, found: *stored });
        }
        Ok(())
    }

    /// Hash of the last row seen, to be compared with the head kept elsewhere.
    pub fn head(&self) -> Hash {
        self.head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<(Hash, Vec<Value>, Hash)> {
        let mut head = GENESIS;
        let row = |n: i64| {
            let fields = vec![Value::from(n), Value::from("立案"), Value::Null];
            let previous = head;
            head = link("case_event", &previous, &fields);
            (previous, fields, head)
        };
        (1..=4).map(row).collect()
    }

    fn walk(rows: &[(Hash, Vec<Value>, Hash)]) -> Vec<Result<(), Broken>> {
        let mut walk = Walk::new("case_event");
        rows.iter().map(|(previous, fields, hash)| walk.step(previous, fields, hash)).collect()
    }

    #[test]
    fn the_encoding_never_changes() {
        let fields = [Value::from(7), Value::from("立案"), Value::Null, Value::from(vec![1, 2]), Value::from(0.5)];
        // Computed from the module's description by another program.
        let expected = "2ee359eb8045bec25f208fd30a014446b4b8929bcb9022de06ad32e714e527a4";
        assert_eq!(hex::encode(link("feed", &GENESIS, &fields)), expected);
    }

    #[test]
    fn an_honest_chain_holds() {
        assert_eq!(walk(&rows()), vec![Ok(()); 4]);
    }

    #[test]
    fn a_changed_field_is_found_at_its_own_row() {
        let mut rows = rows();
        rows[1].1[1] = Value::from("作废");
        let found = walk(&rows);
        assert!(matches!(found[1], Err(Broken::Content { .. })));
        assert_eq!((found[0], found[2], found[3]), (Ok(()), Ok(()), Ok(())));
    }

    #[test]
    fn a_dropped_row_is_found_at_the_next_one() {
        let mut rows = rows();
        rows.remove(1);
        assert!(matches!(walk(&rows)[1], Err(Broken::Link { .. })));
    }

    #[test]
    fn a_forger_who_rehashes_one_row_is_found_at_the_next_one() {
        let mut rows = rows();
        rows[1].1[1] = Value::from("作废");
        rows[1].2 = link("case_event", &rows[1].0, &rows[1].1);
        let found = walk(&rows);
        assert_eq!(found[1], Ok(()));
        assert!(matches!(found[2], Err(Broken::Link { .. })));
    }

    #[test]
    fn fields_cannot_flow_into_each_other() {
        let hash = |fields: &[Value]| link("x", &GENESIS, fields);
        assert_ne!(hash(&["ab".into(), "c".into()]), hash(&["a".into(), "bc".into()]));
        assert_ne!(hash(&[Value::from(1)]), hash(&["1".into()]));
        assert_ne!(hash(&[Value::Null]), hash(&["".into()]));
        assert_ne!(hash(&["".into()]), hash(&[]));
        assert_ne!(link("x", &GENESIS, &[]), link("y", &GENESIS, &[]));
    }
}
