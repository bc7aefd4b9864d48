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
        let kind = match target {
            Target::Nameless(_) => 0,
            Target::Photo(_) => 1,
            Target::Preview(_) => 2,
        };
        let kind_and_owner = [kind, u8::try_from(key.len()).expect("16 or 32")];
        let hasher = Sha256::new_with_prefix(b"xunge upload part\0").chain_update(kind_and_owner).chain_update(key);
        let digest = match target {
            Target::Photo(hash) | Target::Preview(hash) => hasher.chain_update(hash.as_bytes()),
            Target::Nameless(id) => hasher.chain_update(id.as_bytes()),
        }
        .finalize();
        PartId(*digest.first_chunk().expect("a digest has 32 bytes"))
    }
}

/// Begins the name of a preview's upload.
const PREVIEW: &str = "preview-";

/// Which upload of an owner; written as the last part of its location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A photo whose SHA-256 is known: 64 hex digits.
    Photo(PhotoHash),
    /// A photo whose hash the client did not tell: a ULID.
    Nameless(Ulid),
    /// The preview of the photo with this SHA-256: `preview-` and 64 hex digits.
    Preview(PhotoHash),
}

impl Target {
    /// The hash the photo must have.
    pub fn hash(self) -> Option<PhotoHash> {
        match self {
            Self::Photo(hash) => Some(hash),
            Self::Nameless(_) | Self::Preview(_) => None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Photo(hash) => hash.fmt(out),
            Self::Nameless(id) => id.fmt(out),
            Self::Preview(hash) => write!(out, "{PREVIEW}{hash}"),
        }
    }
}

impl FromStr for Target {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        match text.strip_prefix(PREVIEW) {
            Some(photo) => photo.parse().map(Self::Preview),
            None if text.len() == 64 => text.parse().map(Self::Photo),
            None => text.parse().map(Self::Nameless),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_survives_its_text_form() {
        let photo = PhotoHash::of(b"x");
        for target in [Target::Photo(photo), Target::Nameless(Ulid::from_bytes([9; 16])), Target::Preview(photo)] {
            assert_eq!(target.to_string().parse(), Ok(target));
        }
        assert!("..".parse::<Target>().is_err());
    }

    #[test]
    fn owners_never_share_a_part() {
        let photo = Target::Photo(PhotoHash::of(b"x"));
        let phone = |byte| Owner::Device { device: DeviceId::from_bytes([byte; 16]), user: "li".into() };
        let mut parts = [phone(1), phone(2), Owner::User("li".into()), Owner::User("wang".into())]
            .map(|owner| owner.part(photo))
            .to_vec();
        parts.push(phone(1).part(Target::Preview(PhotoHash::of(b"x"))));
        let distinct: std::collections::BTreeSet<_> = parts.iter().collect();
        assert_eq!(distinct.len(), parts.len());
    }
}
