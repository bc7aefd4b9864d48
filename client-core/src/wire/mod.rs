//! Sync v1: what a phone and the server say to each other in one request.
//!
//! One normal run: the phone packs what is dirty into a [`SyncUp`], the CBOR goes into one zstd frame, the frame
//! into a signed [`Envelope`], and `POST /v1/sync` carries it. The answer is one zstd frame with a [`SyncDown`]:
//! a digest over what was accepted as sent, the few things that differ, and what is new in the phone's scope.
//!
//! Any request may be lost, repeated, reordered or late. Nothing here remembers what was *sent*: changes are
//! known by hash, requests by intent id, so a repeat changes nothing.
//!
//! Everything a stranger can send is bounded before it is believed: see [`limits`] and [`codec`].

pub mod census;
pub mod codec;
pub mod digest;
pub mod envelope;
pub mod limits;
mod packer;
mod problem;
mod rescue;
mod sync;

#[cfg(test)]
mod golden;

pub use census::{Census, CensusReply};
pub use codec::WireError;
pub use envelope::{Envelope, Proof};
pub use problem::{Current, Problem};
pub use rescue::{Bundle, Contents, Letter, RESCUE_MEDIA_TYPE, RescuedPhoto};
pub use sync::{
    CaseHeads, FeedItem, Frame, Need, PhotoItem, PhotoOffer, PhotoOffset, Rejected, Request, RequestResult, SyncDown,
    SyncUp, Waiting, WireEvent,
};

/// The protocol version this build speaks; the envelope carries it, an older server answers 426.
pub const VERSION: u16 = 1;

/// Media type of both directions of `POST /v1/sync`.
pub const MEDIA_TYPE: &str = "application/vnd.xunge.sync";
