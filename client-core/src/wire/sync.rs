//! The two bodies of `POST /v1/sync` and their parts. Integer keys; keys are never reused.

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use super::{Census, CensusReply, WireError, digest, limits};
use crate::model::{CaseId, ChangeHash, IntentId, Millis, PhotoHash};
use crate::workflow::Event;

/// What the phone says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct SyncUp {
    /// The server epoch this phone last saw; 0 before the first contact.
    #[n(0)]
    pub epoch: u64,
    /// Feed position up to which this phone has everything in its scope.
    #[n(1)]
    pub cursor: u64,
    /// Changes since the acknowledged heads, one frame a case.
    #[n(2)]
    pub frames: Vec<Frame>,
    /// What the phone asks of the ledger. A submit is not here but in its frame.
    #[n(3)]
    pub requests: Vec<Request>,
    /// Photos waiting to be uploaded, most urgent first; the answer tells how far each got.
    #[n(4)]
    pub photos: Vec<PhotoOffer>,
    /// Version of the reference data on the phone; 0 for none.
    #[n(5)]
    pub reference: u64,
    /// The phone's clock, a claim: shown beside the server's, never used for order.
    #[n(6)]
    pub phone_time: Millis,
    /// What will still be on the phone after this request.
    #[n(7)]
    pub waiting: Waiting,
    /// Proof number of the phone's newest request whose answer it took in; none before the first.
    #[n(8)]
    pub heard: Option<u64>,
    /// Once a day, when nothing else is said: what this phone holds.
    #[n(9)]
    pub census: Option<Census>,
    /// About how many bytes of news the answer may hold, uncompressed; none for as many as the server likes.
    #[n(10)]
    pub room: Option<u32>,
}

/// Changes of one case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Frame {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// Bodies of uncompressed change chunks in causal order (see `doc::chunk`).
    #[n(1)]
    pub changes: Vec<ByteVec>,
    /// True if these facts are to be submitted (上报). Its intent id is the case id: a case is submitted once.
    #[n(2)]
    pub submit: bool,
}

/// Something a phone asks of the ledger; idempotent by `intent` for ever.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Request {
    /// The action on the phone that asks.
    #[n(0)]
    pub intent: IntentId,
    /// The case.
    #[n(1)]
    pub case: CaseId,
    /// Code of the verb.
    #[n(2)]
    pub verb: String,
    /// Ledger version the inspector saw.
    #[n(3)]
    pub seen_version: u32,
    /// Heads of the facts the inspector saw.
    #[n(4)]
    pub heads: Vec<ChangeHash>,
    /// JSON of the verb's `Payload`.
    #[n(5)]
    pub payload: ByteVec,
}

/// A photo that waits on the phone, or the preview of one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PhotoOffer {
    /// The case whose facts name the photo.
    #[n(0)]
    pub case: CaseId,
    /// Hash of the bytes that wait.
    #[n(1)]
    pub sha256: PhotoHash,
    /// How many they are.
    #[n(2)]
    pub bytes: u64,
    /// For a preview the photo it goes ahead of; none for a photo.
    #[n(3)]
    pub of: Option<PhotoHash>,
}

impl PhotoOffer {
    /// What is offered.
    pub fn item(&self) -> PhotoItem {
        PhotoItem::offered(self.sha256, self.of)
    }
}

/// What can be uploaded of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PhotoItem {
    /// The small picture of this photo, which goes ahead of it and is dropped when it arrives.
    Preview(PhotoHash),
    /// The photo.
    Full(PhotoHash),
}

impl PhotoItem {
    fn offered(sha256: PhotoHash, of: Option<PhotoHash>) -> Self {
        of.map_or(Self::Full(sha256), Self::Preview)
    }

    /// The photo itself.
    pub fn photo(&self) -> PhotoHash {
        match self {
            Self::Preview(photo) | Self::Full(photo) => *photo,
        }
    }

    /// True for a preview.
    pub fn is_preview(&self) -> bool {
        matches!(self, Self::Preview(_))
    }
}

/// What is still on a phone; the office sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Waiting {
    /// Cases with unsent facts or requests.
    #[n(0)]
    pub cases: u32,
    /// Photos not fully sent.
    #[n(1)]
    pub photos: u32,
    /// When the oldest unsent item was saved, by the phone's clock; 0 for none.
    #[n(2)]
    pub oldest: Millis,
}

/// What the server answers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct SyncDown {
    /// The server's epoch; a change means it was restored from a backup and everything since must be offered again.
    #[n(0)]
    pub epoch: u64,
    /// [`digest::of_heads`] over every pushed case as the server now holds it.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub ack: [u8; digest::BYTES],
    /// Pushed cases whose heads here are not the tips of what was pushed.
    #[n(2)]
    pub differs: Vec<CaseHeads>,
    /// Results of requests, and of submits that were not accepted as sent.
    #[n(3)]
    pub results: Vec<RequestResult>,
    /// Changes that were refused; the raw bytes are kept in quarantine.
    #[n(4)]
    pub rejected: Vec<Rejected>,
    /// Cases whose changes build on some this server does not have: send all since `heads`.
    #[n(5)]
    pub need: Vec<Need>,
    /// How far each offered photo got.
    #[n(6)]
    pub photos: Vec<PhotoOffset>,
    /// A bearer token for the uploads, when photos were offered.
    #[n(7)]
    pub upload_token: Option<String>,
    /// What is new in the phone's scope after its cursor, except what this phone sent itself.
    #[n(8)]
    pub feed: Vec<FeedItem>,
    /// [`digest::of_page`] over the encoded feed.
    #[cbor(n(9), with = "minicbor::bytes")]
    pub feed_digest: [u8; digest::BYTES],
    /// Cases that left the phone's scope: purge them, unless they hold unsent work.
    #[n(10)]
    pub gone: Vec<CaseId>,
    /// Feed position the phone now has everything up to.
    #[n(11)]
    pub cursor: u64,
    /// True if the next request would bring more.
    #[n(12)]
    pub more: bool,
    /// The server's business clock.
    #[n(13)]
    pub server_time: Millis,
    /// Version of the reference data here; fetch it if the phone's is older.
    #[n(14)]
    pub reference: u64,
    /// What became of the phone's count; none if there was none, or news instead.
    #[n(15)]
    pub census: Option<CensusReply>,
}

/// A case and the heads of its facts.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CaseHeads {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// Sorted heads.
    #[n(1)]
    pub heads: Vec<ChangeHash>,
}

/// The decision on one request.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RequestResult {
    /// The request's intent; for a submit the case id's bytes.
    #[n(0)]
    pub intent: IntentId,
    /// Ledger version after it, if accepted; 0 if refused.
    #[n(1)]
    pub version: u32,
    /// Why it was refused.
    #[n(2)]
    pub code: Option<String>,
    /// The member at fault, if one is.
    #[n(3)]
    pub field: Option<String>,
}

/// One change the gate refused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rejected {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// The change.
    #[n(1)]
    pub hash: ChangeHash,
    /// Why, as a stable code.
    #[n(2)]
    pub code: String,
    /// The register at fault, if one is.
    #[n(3)]
    pub field: Option<String>,
}

/// A case whose pushed changes hang in the air.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Need {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// What the server has; empty if nothing.
    #[n(1)]
    pub heads: Vec<ChangeHash>,
}

/// Progress of one photo's upload.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PhotoOffset {
    /// The photo.
    #[n(0)]
    pub sha256: PhotoHash,
    /// Bytes stored durably; the size if it is complete.
    #[n(1)]
    pub offset: u64,
    /// Where to PATCH the rest, relative to the server; none when complete.
    #[n(2)]
    pub location: Option<String>,
    /// For a preview the photo it goes ahead of, as in the offer.
    #[n(3)]
    pub of: Option<PhotoHash>,
}

impl PhotoOffset {
    /// What this is about.
    pub fn item(&self) -> PhotoItem {
        PhotoItem::offered(self.sha256, self.of)
    }
}

/// News of one case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FeedItem {
    /// The case.
    #[n(0)]
    pub case: CaseId,
    /// Ledger events, in order of version, without their chain hashes.
    #[n(1)]
    pub events: Vec<WireEvent>,
    /// Bodies of changes by others, in causal order.
    #[n(2)]
    pub changes: Vec<ByteVec>,
}

/// One ledger event as a phone sees it: no chain hashes, no judged heads.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct WireEvent {
    /// Version of the case after it.
    #[n(0)]
    pub version: u32,
    /// The event as JSON without `heads` and `device`.
    #[n(1)]
    pub event: ByteVec,
}

impl WireEvent {
    /// Leaves out what only the server needs.
    pub fn of(event: &Event) -> Self {
        let mut shown = event.clone();
        shown.heads.clear();
        shown.device = None;
        let json = serde_json::to_vec(&shown).expect("an event is plain data");
        Self { version: event.version, event: json.into() }
    }

    /// Reads the event; an unknown verb or member is an error, the phone then keeps the row and asks for an update.
    pub fn read(&self) -> Result<Event, WireError> {
        serde_json::from_slice(&self.event).map_err(|error| WireError::Malformed { at: 0, why: error.to_string() })
    }
}

impl SyncUp {
    /// Refuses lists longer than the protocol allows.
    pub fn check(&self) -> Result<(), WireError> {
        at_most("frames", self.frames.len(), limits::FRAMES)?;
        at_most("requests", self.requests.len(), limits::REQUESTS)?;
        at_most("photos", self.photos.len(), limits::PHOTOS)?;
        self.census.as_ref().map_or(Ok(()), Census::check)?;
        for frame in &self.frames {
            at_most("changes of a case", frame.changes.len(), limits::CHANGES_PER_CASE)?;
        }
        for request in &self.requests {
            at_most("bytes of a request", request.payload.len(), limits::PAYLOAD)?;
            at_most("heads of a request", request.heads.len(), 16)?;
        }
        Ok(())
    }
}

fn at_most(what: &'static str, found: usize, allowed: usize) -> Result<(), WireError> {
    if found > allowed { Err(WireError::TooMany { what, allowed, found }) } else { Ok(()) }
}
