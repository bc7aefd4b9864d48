//! Identifiers. Each has its own type: a function with two plain strings invites a swap.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// Why a text is not the identifier it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdError {
    /// The text has the wrong number of characters.
    #[error("an identifier of {expected} characters was expected, `{text}` has {found}")]
    Length {
        /// The text as given.
        text: String,
        /// Characters expected.
        expected: usize,
        /// Characters found.
        found: usize,
    },
    /// The text has a character outside its alphabet.
    #[error("`{text}` has a character that identifiers do not use")]
    Alphabet {
        /// The text as given.
        text: String,
    },
}

/// A 128-bit ULID: 48 bits of Unix milliseconds, 80 random bits; sorts by time of creation.
///
/// Written as 26 characters of Crockford's base 32. Made on the phone, so that a case has its
/// final name before any network is in reach.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ulid([u8; 16]);

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl Ulid {
    /// Length of the binary form in bytes.
    pub const BYTES: usize = 16;

    /// Builds an id from a time and ten random bytes; both are arguments so that pure code stays pure.
    pub fn from_parts(now: super::Millis, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        let millis = now.0.clamp(0, (1 << 48) - 1) as u64;
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        Self(bytes)
    }

    /// Wraps the 16 bytes of an id.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes of the id.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Ulid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = u128::from_be_bytes(self.0);
        let text: String = (0..26).rev().map(|group| CROCKFORD[(bits >> (group * 5)) as usize & 31] as char).collect();
        out.write_str(&text)
    }
}

impl fmt::Debug for Ulid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Ulid {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() != 26 {
            return Err(IdError::Length { text: text.to_owned(), expected: 26, found: text.chars().count() });
        }
        let alphabet = || IdError::Alphabet { text: text.to_owned() };
        let mut bits: u128 = 0;
        for (index, byte) in text.bytes().enumerate() {
            let byte = byte.to_ascii_uppercase();
            let value = CROCKFORD.iter().position(|known| *known == byte).ok_or_else(alphabet)?;
            // 26 groups of 5 bits are 130: the first group holds only 3.
            if index == 0 && value > 7 {
                return Err(alphabet());
            }
            bits = bits << 5 | value as u128;
        }
        Ok(Self(bits.to_be_bytes()))
    }
}

fn parse_hex<const N: usize>(text: &str) -> Result<[u8; N], IdError> {
    if text.len() != N * 2 {
        return Err(IdError::Length { text: text.to_owned(), expected: N * 2, found: text.chars().count() });
    }
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| IdError::Alphabet { text: text.to_owned() })?;
    Ok(bytes)
}

/// Text, serde and CBOR forms of a newtype around fixed bytes.
macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $parse:expr, $show:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Length of the binary form in bytes.
            pub const BYTES: usize = $bytes;

            /// Wraps the raw bytes.
            pub const fn from_bytes(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The raw bytes.
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }

            /// The id in a slice of exactly the right length, as databases hand them out.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&($show)(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, out)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                ($parse)(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                out: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                out.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(from: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                let bytes = from.bytes()?;
                bytes.try_into().map(Self).map_err(|_| {
                    minicbor::decode::Error::message(concat!(stringify!($name), " of the wrong length"))
                })
            }
        }
    };
}

macro_rules! ulid_id {
    ($(#[$doc:meta])* $name:ident) => {
        identifier!($(#[$doc])* $name, 16,
            |text: &str| text.parse::<Ulid>().map(|id| id.0),
            |bytes: &[u8; 16]| Ulid(*bytes).to_string());

        impl $name {
            /// Builds an id from a time and ten random bytes.
            pub fn from_parts(now: super::Millis, random: [u8; 10]) -> Self {
                Self(Ulid::from_parts(now, random).0)
            }
        }
    };
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        identifier!($(#[$doc])* $name, $bytes, parse_hex::<$bytes>, |bytes: &[u8; $bytes]| hex::encode(bytes));
    };
}

ulid_id!(
    /// A case (案件), from its first draft on the phone to the archive.
    CaseId
);
ulid_id!(
    /// One action of an inspector; a request is idempotent by it for ever.
    IntentId
);
ulid_id!(
    /// An enrolled phone.
    DeviceId
);
hex_id!(
    /// Who wrote an Automerge change: exactly 8 random bytes per opened store and signed-in user.
    ///
    /// Never reused across process starts, restores or clones: a reused actor means two changes with
    /// one sequence number, which Automerge can not heal.
    ActorId, 8
);
hex_id!(
    /// SHA-256 of an Automerge change chunk; the change's name everywhere.
    ChangeHash, 32
);
hex_id!(
    /// SHA-256 of a photo's bytes; the photo's name everywhere.
    PhotoHash, 32
);
hex_id!(
    /// Any other SHA-256: event and feed chains, bodies, snapshots.
    Sha256, 32
);

impl ChangeHash {
    /// The heads of a document as stored in one column: sorted hashes, end to end.
    pub fn concat(heads: &[ChangeHash]) -> Vec<u8> {
        let mut sorted = heads.to_vec();
        sorted.sort_unstable();
        sorted.iter().flat_map(|hash| hash.0).collect()
    }

    /// Reads what [`ChangeHash::concat`] wrote; `None` if the length is not a multiple of 32.
    pub fn split(bytes: &[u8]) -> Option<Vec<ChangeHash>> {
        let (chunks, rest) = bytes.as_chunks::<32>();
        rest.is_empty().then(|| chunks.iter().map(|chunk| Self(*chunk)).collect())
    }
}

impl PhotoHash {
    /// The name of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(*Sha256::of(bytes).as_bytes())
    }
}

impl Sha256 {
    /// Hashes `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Millis;

    #[test]
    fn an_id_survives_its_text_form() {
        let id = CaseId::from_parts(Millis(1_700_000_000_000), [7; 10]);
        assert_eq!(id.to_string().len(), 26);
        assert_eq!(id.to_string().parse::<CaseId>(), Ok(id));
        assert_eq!(id.to_string().to_lowercase().parse::<CaseId>(), Ok(id));
    }

    #[test]
    fn ids_sort_by_time_in_both_forms() {
        let early = CaseId::from_parts(Millis(1_000), [255; 10]);
        let late = CaseId::from_parts(Millis(1_001), [0; 10]);
        assert!(early < late && early.to_string() < late.to_string());
    }

    #[test]
    fn a_text_that_is_no_id_is_named_in_the_error() {
        assert!(matches!("abc".parse::<CaseId>(), Err(IdError::Length { found: 3, .. })));
        assert!(matches!("8ZZZZZZZZZZZZZZZZZZZZZZZZZ".parse::<CaseId>(), Err(IdError::Alphabet { .. })));
        assert!(matches!("01HFU000000000000000000000".parse::<CaseId>(), Err(IdError::Alphabet { .. })));
    }

    #[test]
    fn heads_are_stored_sorted_and_read_back() {
        let (a, b) = (ChangeHash::from_bytes([1; 32]), ChangeHash::from_bytes([2; 32]));
        assert_eq!(ChangeHash::split(&ChangeHash::concat(&[b, a])), Some(vec![a, b]));
        assert_eq!(ChangeHash::split(&[0; 33]), None);
    }
}
