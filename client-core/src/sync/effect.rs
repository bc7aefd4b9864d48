//! What an engine wants done, in order.

use super::data::{Answer, Refused, Room, Sent, Tally};
use super::event::StoreFailure;
use super::policy::Leave;
use crate::model::{CaseId, PhotoHash};
use crate::wire::PhotoItem;

/// One thing to do. Later effects of the same answer rely on earlier ones having completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read what waits and answer with [`super::Event::Collected`].
    Collect(Room),
    /// Write; on failure drop the rest as [`super::Event::StoreFailed`] says and answer with that.
    Persist(Write),
    /// Send a request; its end comes as [`super::Event::Answered`] or [`super::Event::Unanswered`].
    Send(Outbound),
    /// Upload a photo or a preview; its end comes as [`super::Event::Uploaded`].
    Upload(Upload),
    /// Answer with [`super::Event::Tick`] at this monotonic time; replaces an earlier one.
    Sleep {
        /// Milliseconds of the monotonic clock.
        until_ms: u64,
    },
    /// Tell listeners.
    Notify(Notice),
    /// A run that was asked for is over.
    Finish(Box<Summary>),
}

impl Effect {
    /// What it uploads, if it is an upload.
    pub fn upload(&self) -> Option<PhotoItem> {
        match self {
            Self::Upload(upload) => Some(upload.item),
            _ => None,
        }
    }
}

/// Something to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// What is about to leave.
    Sent(Sent),
    /// An answer; its outcome comes as [`super::Event::Applied`].
    Answer(Box<Answer>),
    /// How far photos and previews got: bytes the server holds, true if that is all of it, verified.
    Photos(Vec<(PhotoItem, u64, bool)>),
    /// A photo or preview the server will never take.
    PhotoRefused {
        /// Which.
        item: PhotoItem,
        /// Why.
        code: String,
    },
    /// New reference data, the JSON as received.
    Reference(Vec<u8>),
    /// The server takes nothing from this phone, or does again.
    Blocked(Option<String>),
    /// A case the server can not digest.
    Attention {
        /// The case.
        case: CaseId,
        /// Why.
        code: String,
    },
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboundKind {
    /// `POST /v1/sync`.
    Sync,
    /// `POST /v1/auth/token`.
    Token,
    /// `GET /v1/reference/bundle`.
    Reference,
}

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// Names the request in its end.
    pub exchange: u64,
    /// Where to.
    pub kind: OutboundKind,
    /// Body; empty for a GET.
    pub body: Vec<u8>,
    /// Bearer token, where one is needed.
    pub bearer: Option<String>,
}

/// A photo or preview to upload from `offset` on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Which.
    pub item: PhotoItem,
    /// First byte to send.
    pub offset: u64,
    /// Its size.
    pub bytes: u64,
    /// Where to PATCH it, relative to the server.
    pub location: String,
    /// Bearer token.
    pub token: String,
}

/// News for listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Cases look different.
    CasesChanged(Vec<CaseId>),
    /// Something was refused.
    Refused(Vec<Refused>),
    /// A photo is on the server.
    PhotoSent(PhotoHash),
    /// New reference data arrived.
    ReferenceChanged,
    /// Nothing waits any more.
    Drained,
    /// The network or the server does not answer; tried again at this monotonic time.
    Waiting {
        /// Milliseconds of the monotonic clock.
        until_ms: u64,
    },
    /// The server takes nothing from this phone.
    Blocked {
        /// Why.
        code: String,
    },
}

/// Why a run ended before everything was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The phone is not enrolled.
    NotEnrolled,
    /// The server can not be reached.
    Offline,
    /// The server asks to come back later.
    Busy {
        /// HTTP status.
        status: u16,
        /// After how long, if it said.
        retry_after_ms: Option<u64>,
    },
    /// The server takes nothing from this phone.
    Blocked {
        /// Why.
        code: String,
    },
    /// Everything else went; photos wait because their rules hold them back on this link.
    Held(Leave),
    /// What is left was refused or makes no progress.
    Stalled,
    /// The phone's own database failed.
    Store(String),
    /// Someone stopped it.
    Halted,
}

impl Stop {
    /// What [`Stop::Store`] says of a phone without room.
    pub(crate) const STORAGE_FULL: &str = "storage_full";
}

impl From<StoreFailure> for Stop {
    fn from(failure: StoreFailure) -> Self {
        Self::Store(match failure {
            StoreFailure::Moved => "another process is syncing".to_owned(),
            StoreFailure::Full => Self::STORAGE_FULL.to_owned(),
            StoreFailure::Other(reason) => reason,
        })
    }
}

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Sync exchanges that were answered.
    pub exchanges: u32,
    /// Cases the server confirmed by digest.
    pub cases_sent: u32,
    /// Photos the server confirmed.
    pub photos_sent: u32,
    /// Events and changes of others that arrived.
    pub received: u32,
    /// What was refused.
    pub refused: Vec<Refused>,
    /// What is still on the phone.
    pub waiting: Tally,
    /// True if nothing waits.
    pub drained: bool,
    /// Why it ended earlier.
    pub stop: Option<Stop>,
}

impl Summary {
    /// The same run, ended by a failure before its end was told.
    pub(crate) fn failed(self, stop: Stop) -> Self {
        Self { drained: false, stop: self.stop.or(Some(stop)), ..self }
    }
}
