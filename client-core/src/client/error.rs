//! What an app shows when something can not be done: a stable code, Chinese and English words, a way out.

use thiserror::Error;

use crate::model::CaseId;
use crate::photo::PhotoError;
use crate::platform::FileError;
use crate::store::{ActError, OnlyHere, StoreError};
use crate::transport::TransportError;

/// Why a call did not do what it was asked. Whatever it is, nothing that was saved before is lost.
#[derive(Debug, Error)]
pub enum PhoneError {
    /// The phone has no server yet.
    #[error("this phone is not enrolled")]
    NotEnrolled,
    /// A key was given, but this build can not encrypt its database.
    #[error("this build can not encrypt its database")]
    NotEncrypted,
    /// The text is no case id.
    #[error("`{0}` is no case id")]
    BadId(String),
    /// The phone does not know the case.
    #[error("case {0} is not on this phone")]
    UnknownCase(CaseId),
    /// A value that can not be.
    #[error("{field}: {why}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The district no longer reports in this category.
    #[error("the category {0} is retired")]
    RetiredCategory(String),
    /// The photo is part of the case in another role.
    #[error("this photo is part of the case already")]
    PhotoTwice,
    /// Something that may not be done to the case.
    #[error(transparent)]
    Act(ActError),
    /// A photo that can not be taken in.
    #[error(transparent)]
    Photo(#[from] PhotoError),
    /// A file that can not be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The server can not be reached.
    #[error(transparent)]
    Network(#[from] TransportError),
    /// The server said no.
    #[error("the server answered {status} {code}: {detail}")]
    Server {
        /// HTTP status.
        status: u16,
        /// Its code.
        code: String,
        /// Its words.
        detail: String,
        /// How long it asks to wait before the next try, if it does.
        retry_after_ms: Option<u64>,
    },
    /// Something would go with it.
    #[error("only on this phone: {0}")]
    Unsent(OnlyHere),
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
    /// The background loop died; the next call starts a new one.
    #[error("the background loop ended")]
    Ended,
}

impl From<ActError> for PhoneError {
    fn from(error: ActError) -> Self {
        match error {
            ActError::UnknownCase(case) => Self::UnknownCase(case),
            ActError::NotEnrolled => Self::NotEnrolled,
            ActError::Store(error) => error.into(),
            other => Self::Act(other),
        }
    }
}

impl From<StoreError> for PhoneError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::File(FileError::Full),
            other => Self::Store(other),
        }
    }
}

impl PhoneError {
    /// Stable, for programs.
    pub fn code(&self) -> &str {
        match self {
            Self::Photo(error) => error.code(),
            Self::Server { code, .. } => code,
            Self::Act(ActError::Refused(refusal)) => refusal.code(),
            Self::Act(ActError::BadValue { code, .. }) => code.code(),
            _ => self.words().0,
        }
    }

    /// What happened, in Chinese.
    pub fn zh(&self) -> String {
        self.words().1
    }

    /// What happened, in English.
    pub fn en(&self) -> String {
        self.words().2
    }

    /// What to do, in Chinese.
    pub fn hint_zh(&self) -> &'static str {
        self.words().3
    }

    /// What to do, in English.
    pub fn hint_en(&self) -> &'static str {
        self.words().4
    }

    /// What it is about, if a case, field, file or user can be named.
    pub fn subject(&self) -> Option<String> {
        match self {
            Self::UnknownCase(case) => Some(case.to_string()),
            Self::BadId(text) | Self::RetiredCategory(text) => Some(text.clone()),
            Self::Invalid { field, .. } => Some((*field).to_owned()),
            Self::File(FileError::Missing(path) | FileError::Other { path, .. }) => Some(path.clone()),
            Self::Act(ActError::BadValue { field, .. }) => Some(field.clone()),
            Self::Act(ActError::Incomplete(fields)) => Some(fields.join(",")),
            Self::Act(ActError::Refused(refusal)) => refusal.field().map(|field| field.code().to_owned()),
            Self::Store(StoreError::OtherUser { known }) => Some(known.clone()),
            _ => None,
        }
    }
}
