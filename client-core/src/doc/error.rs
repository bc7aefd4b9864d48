//! Why our own side cannot make, read or edit a field document.

use thiserror::Error;

use super::gate::GateCode;

/// Why a document operation of our own side failed; the document is as it was before.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DocError {
    /// The stored snapshot does not load: bit-rot, or not a snapshot at all.
    #[error("the stored document cannot be read: {0}")]
    Unreadable(String),
    /// An edit the gate would refuse, found before it is written.
    #[error("`{field}` cannot be set: {code}")]
    Refused {
        /// Register, or `photos`, `remarks`, `supplements`.
        field: String,
        /// The code the gate would answer.
        code: GateCode,
    },
    /// The edits do not fit into one change; commit them in smaller groups.
    #[error("these edits do not fit into one change")]
    TooLarge,
    /// The Automerge library failed; nothing was changed.
    #[error("the document library failed: {0}")]
    Library(String),
}
