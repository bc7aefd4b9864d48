//! The wire form of a change: the body of an uncompressed change chunk.
//!
//! A chunk is `magic(4) checksum(4) type(1) length(LEB128) body`. The receiver can rebuild everything
//! before the body, so only bodies travel: that saves about eleven bytes a change, four of them (the
//! checksum) incompressible. Integrity comes from the signed envelope and from the change hash.

use sha2::{Digest, Sha256};

use crate::model::ChangeHash;

const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
const CHECKSUM_BYTES: usize = 4;
/// Type of an uncompressed change chunk. Documents (0), compressed changes (2) and bundles (3) never travel.
const CHANGE: u8 = 1;

/// The body inside an uncompressed change chunk; `None` if these bytes are something else.
///
/// Only the frame is looked at. What the body holds is the gate's business.
pub fn to_body(chunk: &[u8]) -> Option<&[u8]> {
    let after_magic = chunk.strip_prefix(&MAGIC)?;
    let (kind, rest) = after_magic.get(CHECKSUM_BYTES..)?.split_first()?;
    let length_bytes = rest.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let body = &rest[length_bytes..];
    (*kind == CHANGE && rest[..length_bytes] == *length_prefix(body.len()).as_slice()).then_some(body)
}

/// The whole chunk around `body`, as Automerge writes it.
pub fn from_body(body: &[u8]) -> Vec<u8> {
    let length = length_prefix(body.len());
    let hash = hash_of_body(body);
    let mut chunk = Vec::with_capacity(MAGIC.len() + CHECKSUM_BYTES + 1 + length.as_slice().len() + body.len());
    chunk.extend_from_slice(&MAGIC);
    chunk.extend_from_slice(&hash.as_bytes()[..CHECKSUM_BYTES]);
    chunk.push(CHANGE);
    chunk.extend_from_slice(length.as_slice());
    chunk.extend_from_slice(body);
    chunk
}

/// The change's name: SHA-256 over type, length and body.
pub fn hash_of_body(body: &[u8]) -> ChangeHash {
    let mut hasher = Sha256::new();
    hasher.update([CHANGE]);
    hasher.update(length_prefix(body.len()).as_slice());
    hasher.update(body);
    ChangeHash::from_bytes(hasher.finalize().into())
}

/// An unsigned LEB128 number; ten bytes hold any `u64`.
struct LengthPrefix {
    bytes: [u8; 10],
    used: usize,
}

impl LengthPrefix {
    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.used]
    }
}

fn length_prefix(length: usize) -> LengthPrefix {
    let mut prefix = LengthPrefix { bytes: [0; 10], used: 0 };
    let mut rest = length;
    loop {
        let low = (rest & 0x7f) as u8;
        rest >>= 7;
        prefix.bytes[prefix.used] = if rest == 0 { low } else { low | 0x80 };
        prefix.used += 1;
        if rest == 0 {
            return prefix;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_survives_its_chunk() {
        for length in [0, 1, 127, 128, 16_383, 16_384, 70_000] {
            let body = vec![7; length];
            assert_eq!(to_body(&from_body(&body)), Some(body.as_slice()));
        }
    }

    #[test]
    fn bytes_that_are_no_change_chunk_have_no_body() {
        let chunk = from_body(b"body");
        let mut document = chunk.clone();
        document[8] = 0;
        let mut padded_length = chunk.clone();
        padded_length.splice(9..10, [0x84, 0x00]);
        for wrong in [&b""[..], &chunk[..9], &chunk[1..], &document, &padded_length, &[chunk.as_slice(), b"x"].concat()]
        {
            assert_eq!(to_body(wrong), None, "{wrong:?}");
        }
    }
}
