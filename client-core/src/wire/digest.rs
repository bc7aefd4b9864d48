//! Short digests that stand for long lists.

use sha2::Digest;

use super::sync::CaseHeads;
use crate::model::ChangeHash;

/// Length of a digest on the wire: 128 bits, against accidents, inside a signed and encrypted exchange.
pub const BYTES: usize = 16;

/// Digest over (case, heads) of every case in a push; equal on both sides if and only if both hold the same heads.
///
/// One hash instead of a list: 100 heads are 3.2 KB that no compressor shrinks.
pub fn of_heads(cases: &[CaseHeads]) -> [u8; BYTES] {
    let mut sorted: Vec<&CaseHeads> = cases.iter().collect();
    sorted.sort_by_key(|entry| entry.case);
    let mut hasher = sha2::Sha256::new();
    for entry in sorted {
        let heads = ChangeHash::concat(&entry.heads);
        hasher.update(entry.case.as_bytes());
        hasher.update((heads.len() as u32).to_be_bytes());
        hasher.update(heads);
    }
    shorten(hasher)
}

/// Digest over a feed page as encoded, so that a page damaged on the way is fetched again.
pub fn of_page(encoded: &[u8]) -> [u8; BYTES] {
    let mut hasher = sha2::Sha256::new();
    hasher.update(encoded);
    shorten(hasher)
}

pub(super) fn shorten(hasher: sha2::Sha256) -> [u8; BYTES] {
    let full: [u8; 32] = hasher.finalize().into();
    full.first_chunk().copied().expect("32 bytes hold 16")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CaseId;

    fn entry(case: u8, head: u8) -> CaseHeads {
        CaseHeads { case: CaseId::from_bytes([case; 16]), heads: vec![ChangeHash::from_bytes([head; 32])] }
    }

    #[test]
    fn order_does_not_matter_and_content_does() {
        assert_eq!(of_heads(&[entry(1, 1), entry(2, 2)]), of_heads(&[entry(2, 2), entry(1, 1)]));
        assert_ne!(of_heads(&[entry(1, 1), entry(2, 2)]), of_heads(&[entry(1, 2), entry(2, 1)]));
    }
}
