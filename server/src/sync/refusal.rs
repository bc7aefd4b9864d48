//! Why a sync request as a whole is refused. What is wrong with one case or request is in the answer instead.

use std::collections::BTreeSet;

use xunge_client_core::model::ActorId;
use xunge_client_core::wire::WireError;

use crate::auth::proof::ProofError;
use crate::domain::intake::IntakeError;
use crate::store::StoreError;

/// A refused request; the phone keeps everything it has.
#[derive(Debug, thiserror::Error)]
pub enum SyncRefusal {
    /// The bytes are not a request of this protocol, or too many.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The protocol version is not spoken here.
    #[error("protocol version {found} is not spoken here")]
    Version {
        /// The version of the envelope.
        found: u16,
    },
    /// The proof does not hold, or the phone may not speak any more.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The phone used up a quota.
    #[error("the phone's {what} is used up")]
    Quota {
        /// Which.
        what: &'static str,
        /// When to try again, in seconds.
        retry_after_s: u32,
    },
    /// Others kept writing to the same cases.
    #[error("the cases are busy; try again")]
    Busy,
    /// Somebody wrote to one of the cases meanwhile. Never leaves this module.
    #[error("the cases changed meanwhile")]
    Conflict {
        /// Actors that belong to others.
        taken: BTreeSet<ActorId>,
    },
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl SyncRefusal {
    /// The stable code of the problem.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Wire(WireError::TooLarge { .. }) => "too_large",
            Self::Wire(_) => "malformed",
            Self::Version { .. } => "version_unsupported",
            Self::Proof(refused) => refused.code(),
            Self::Quota { what, .. } => what,
            Self::Busy | Self::Conflict { .. } => "busy",
            Self::Store(StoreError::Full) => "disk_full",
            Self::Store(_) => "internal",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::Wire(WireError::TooLarge { .. }) => 413,
            Self::Wire(_) => 400,
            Self::Version { .. } => 426,
            Self::Proof(ProofError::Revoked | ProofError::UserDisabled) => 403,
            Self::Proof(_) => 401,
            Self::Quota { .. } => 429,
            Self::Busy | Self::Conflict { .. } => 503,
            Self::Store(StoreError::Full) => 507,
            Self::Store(_) => 500,
        }
    }

    /// Seconds after which trying again may help, where the server knows.
    pub fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::Quota { retry_after_s, .. } => Some(*retry_after_s),
            Self::Busy | Self::Conflict { .. } => Some(1),
            _ => None,
        }
    }
}

impl From<StoreError> for SyncRefusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy | StoreError::Serialization => Self::Busy,
            other => Self::Store(other),
        }
    }
}

impl From<IntakeError> for SyncRefusal {
    fn from(error: IntakeError) -> Self {
        match error {
            IntakeError::Conflict { taken } => Self::Conflict { taken },
            IntakeError::Quota { what, retry_after_s } => Self::Quota { what, retry_after_s },
            IntakeError::Store(failed) => failed.into(),
        }
    }
}
