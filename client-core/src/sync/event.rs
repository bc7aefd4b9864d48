//! What can happen to an engine.

use super::data::{Batch, Outcome};
use crate::platform::FileError;
use crate::wire::PhotoItem;

/// Why the engine should look again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Someone asked for it now: waiting times end, parked items are tried again, the run ends with a summary.
    Asked,
    /// The background loop begins or goes on.
    Background,
    /// Something was saved on the phone.
    Changed,
    /// The network or the app came back: what was waiting for time may try now.
    Awake,
}

/// An HTTP answer, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    /// The server's `Retry-After` in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why the store did not do what an effect asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreFailure {
    /// Another process was faster; collect again.
    Moved,
    /// No room left on the phone.
    Full,
    /// Anything else, in words for the log.
    Other(String),
}

/// How an upload ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UploadEnd {
    /// The server answered; `offset` is its `Upload-Offset`, if it told one.
    Answered {
        /// The answer.
        response: Response,
        /// Bytes the server holds.
        offset: Option<u64>,
    },
    /// No answer.
    Unanswered,
    /// The phone has no such bytes: the file is gone, or shorter than it was.
    NoBytes,
    /// The phone could not read them now.
    Unreadable,
    /// The store failed before it could begin.
    NeverLeft,
}

impl UploadEnd {
    /// The end of an upload whose file could not be read.
    pub fn unread(error: &FileError) -> Self {
        if matches!(error, FileError::Missing(_)) { Self::NoBytes } else { Self::Unreadable }
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Look whether there is something to do.
    Wake(Reason),
    /// The time of the last [`super::Effect::Sleep`] has come.
    Tick,
    /// What [`super::Effect::Collect`] found.
    Collected(Box<Batch>),
    /// An answer was applied.
    Applied(Box<Outcome>),
    /// The store failed on the last effect; the effects behind it were dropped, the uploads among them ended as
    /// [`UploadEnd::NeverLeft`] before this, and a [`super::Effect::Finish`] was told all the same.
    StoreFailed(StoreFailure),
    /// A request was answered.
    Answered {
        /// Which.
        exchange: u64,
        /// With what.
        response: Response,
    },
    /// A request was not answered, as far as the phone knows.
    Unanswered {
        /// Which.
        exchange: u64,
    },
    /// An upload ended.
    Uploaded {
        /// Of what.
        item: PhotoItem,
        /// How.
        end: UploadEnd,
    },
    /// Stop: the background loop ends, a run that was asked for is given up.
    Halt,
}
