//! Whose an upload is, and what it is called.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};
use xunge_client_core::model::{DeviceId, IdError, PhotoHash, Ulid};

use crate::blobs::staging::PartId;

/// Who sends a photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// A phone, with its user.
    Device {
        /// The phone.
        device: DeviceId,
        /// Whose phone.
        user: String,
    },
    /// A person of an office, from whatever program.
    User(String),
}

impl Owner {
    /// The user behind it.
    pub fn user(&self) -> &str {
        match self {
            Self::Device { user, .. } | Self::User(user) => user,
        }
    }

    /// What the columns `upload.device` and `blob_owner.device` hold: 16 bytes of a phone, 32 for a person.
    pub fn key(&self) -> Vec<u8> {
        match self {
            Self::Device { device, .. } => device.as_bytes().to_vec(),
            Self::User(user) => Sha256::new_with_prefix(b"xunge upload owner\0").chain_update(user).finalize().to_vec(),
        }
    }

    /// Names an upload on disk and in its table: of (owner, target), so that two owners never meet in one.
    pub(super) fn part(&self, target: Target) -> PartId {
        let key = self.key();
        let kind_and_owner = [u8::from(target.hash().is_some()), u8::try_from(key.len()).expect("16 or 32")];
        let hasher = Sha256::new_with_prefix(b"xunge upload part\0").chain_update(kind_and_owner).chain_update(key);
        let digest = match target {
            Target::Photo(hash) => hasher.chain_update(hash.as_bytes()),
            Target::Nameless(id) => hasher.chain_update(id.as_bytes()),
        }
        .finalize();
        PartId(*digest.first_chunk().expect("a digest has 32 bytes"))
    }
}

/// Which upload of an owner; written as the last part of its location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A photo whose SHA-256 is known: 64 hex digits.
    Photo(PhotoHash),
    /// A photo whose hash the client did not tell: a ULID.
    Nameless(Ulid),
}

impl Target {
    /// The hash the photo must have.
    pub fn hash(self) -> Option<PhotoHash> {
        match self {
            Self::Photo(hash) => Some(hash),
            Self::Nameless(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Photo(hash) => hash.fmt(out),
            Self::Nameless(id) => id.fmt(out),
        }
    }
}

impl FromStr for Target {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() == 64 { text.parse().map(Self::Photo) } else { text.parse().map(Self::Nameless) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_survives_its_text_form() {
        for target in [Target::Photo(PhotoHash::of(b"x")), Target::Nameless(Ulid::from_bytes([9; 16]))] {
            assert_eq!(target.to_string().parse(), Ok(target));
        }
        assert!("..".parse::<Target>().is_err());
    }

    #[test]
    fn owners_never_share_a_part() {
        let photo = Target::Photo(PhotoHash::of(b"x"));
        let phone = |byte| Owner::Device { device: DeviceId::from_bytes([byte; 16]), user: "li".into() };
        let parts =
            [phone(1), phone(2), Owner::User("li".into()), Owner::User("wang".into())].map(|owner| owner.part(photo));
        let distinct: std::collections::BTreeSet<_> = parts.iter().collect();
        assert_eq!(distinct.len(), parts.len());
    }
}
