//! What can go wrong with stored bytes.

use std::io;

use thiserror::Error;

/// A failure below the photos; `Clone`, because one failed flush is reported to every photo that shared it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BlobError {
    /// Nothing is stored under this hash.
    #[error("no bytes are stored under this hash")]
    Missing,
    /// The disk is full.
    #[error("the disk is full")]
    NoSpace,
    /// The disk, the folder or the object store failed.
    #[error("{what}: {message}")]
    Failed {
        /// What was tried.
        what: &'static str,
        /// What the system said, for the log.
        message: String,
    },
    /// The blob store is closed.
    #[error("the blob store is closed")]
    Closed,
}

impl BlobError {
    /// Makes a mapping for `Result::map_err` that names what was tried.
    pub(crate) fn io(what: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            _ => Self::Failed { what, message: error.to_string() },
        }
    }

    /// The same for the object store's errors.
    pub(crate) fn object(what: &'static str) -> impl Fn(object_store::Error) -> Self {
        move |error| match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            other => Self::Failed { what, message: other.to_string() },
        }
    }
}
