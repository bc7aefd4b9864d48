//! What can go wrong between the phone and its database.

use thiserror::Error;

/// Why the store did not do what it was asked. Whatever it is, the transaction was rolled back.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The database was written by a newer version of the app.
    #[error("the database has version {found}, this app knows versions up to {known}")]
    TooNew {
        /// Version of the database.
        found: u32,
        /// Newest version this build knows.
        known: u32,
    },
    /// A migration in the database is not the one this app has under that number.
    #[error("migration {number} of the database differs from the app's")]
    ForeignMigration {
        /// Its number.
        number: u32,
    },
    /// Reports of somebody else are on this phone.
    #[error("reports of {known} are on this phone")]
    OtherUser {
        /// Whose.
        known: String,
    },
    /// There is no room left on the phone.
    #[error("the phone's storage is full")]
    Full,
    /// Another process holds the database longer than we wait.
    #[error("the database is busy")]
    Busy,
    /// Someone else changed what this write was computed from; collect again.
    #[error("the case changed meanwhile")]
    Moved,
    /// A row or the file is damaged.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// Anything else SQLite said.
    #[error("the database failed: {0}")]
    Sqlite(#[source] rusqlite::Error),
}

impl StoreError {
    /// A value in a column that its own writer would not have put there.
    pub(crate) fn damaged(what: impl ToString) -> Self {
        Self::Damaged(what.to_string())
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{Error, ErrorCode as Code};
        if matches!(error, Error::FromSqlConversionFailure(..) | Error::InvalidColumnType(..) | Error::Utf8Error(..)) {
            return Self::Damaged(error.to_string());
        }
        match error.sqlite_error_code() {
            Some(Code::DiskFull) => Self::Full,
            Some(Code::DatabaseBusy | Code::DatabaseLocked) => Self::Busy,
            Some(Code::DatabaseCorrupt | Code::NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Sqlite(error),
        }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::damaged(error)
    }
}
