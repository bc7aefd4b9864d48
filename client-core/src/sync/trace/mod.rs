//! The flight recorder: what an engine was told and a hash of what it wanted, so that a run can be repeated elsewhere.
//!
//! A trace holds times, dice, sizes, counts, codes and numbers in the order they appeared. It holds no words, no places,
//! no names, no keys and no ids: cases and photos are numbered. Replaying it gives a fresh engine stand-ins of the same
//! shape and demands the same effects, step by step ([`replay()`]).
//!
//! What is kept is bounded: [`Recorder`] begins anew at the next rest once it holds [`SEGMENT`] bytes, and a
//! [`TraceFile`] keeps the newest segments, [`FILE`] bytes at most.

mod print;
mod record;
mod replay;
mod rest;

use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

pub use record::Recorder;
pub use replay::{Diverged, replay};
pub use rest::Rest;

use crate::wire::{WireError, codec};

/// Bytes after which a recorder begins anew.
pub const SEGMENT: usize = 24 * 1024;
/// Most bytes a recorder ever holds: a phone that never comes to rest is not recorded for ever.
const MOST: usize = 48 * 1024;
/// Most bytes of a trace file.
pub const FILE: usize = 64 * 1024;

/// A part of an engine's life, from its beginning or from a moment of rest.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Trace {
    /// Form of this record.
    #[n(0)]
    pub version: u8,
    /// True if the phone was enrolled.
    #[n(1)]
    pub enrolled: bool,
    /// How often to poll, milliseconds.
    #[n(2)]
    pub poll_ms: u64,
    /// Photos offered in one request.
    #[n(3)]
    pub offers: u64,
    /// Where the engine stood; none for a fresh one.
    #[n(4)]
    pub rest: Option<Rest>,
    /// Encoded [`Step`]s.
    #[n(5)]
    pub steps: Vec<ByteVec>,
}

/// One call of the engine.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Step {
    /// The phone's wall clock, milliseconds.
    #[n(0)]
    pub wall_ms: i64,
    /// Its monotonic clock.
    #[n(1)]
    pub mono_ms: u64,
    /// The random number.
    #[n(2)]
    pub dice: u64,
    /// What happened.
    #[n(3)]
    pub happened: Happened,
    /// Lengths of the frames that were tried for the next request.
    #[n(4)]
    pub weights: Vec<u32>,
    /// Hash of what the engine wanted.
    #[n(5)]
    pub print: u32,
}

/// What an engine was told, without what it was about.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Happened {
    /// Someone wants a sync: asked, background, changed, awake.
    #[n(0)]
    Wake(#[n(0)] u8),
    /// A timer.
    #[n(1)]
    Tick,
    /// An end was asked for.
    #[n(2)]
    Halt,
    /// What waits.
    #[n(3)]
    Collected(#[n(0)] Found),
    /// What an answer changed.
    #[n(4)]
    Applied(#[n(0)] Became),
    /// The store failed: moved, full, other.
    #[n(5)]
    StoreFailed(#[n(0)] u8),
    /// An answer: exchange, status, Retry-After, bytes, meaning.
    #[n(6)]
    Answered(#[n(0)] u64, #[n(1)] u16, #[n(2)] Option<u64>, #[n(3)] u32, #[n(4)] Meaning),
    /// No answer.
    #[n(7)]
    Unanswered(#[n(0)] u64),
    /// An upload was answered: photo, status, Retry-After, offset, code.
    #[n(8)]
    Uploaded(#[n(0)] u32, #[n(1)] u16, #[n(2)] Option<u64>, #[n(3)] Option<u64>, #[n(4)] Option<String>),
    /// An upload had no answer.
    #[n(9)]
    UploadLost(#[n(0)] u32),
    /// The phone has no such bytes.
    #[n(10)]
    UploadEmpty(#[n(0)] u32),
    /// The store failed before an upload could begin.
    #[n(11)]
    UploadUnsent(#[n(0)] u32),
    /// The phone could not read the bytes of an upload now.
    #[n(12)]
    UploadUnreadable(#[n(0)] u32),
}

/// A batch without its contents.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Found {
    /// Epoch, cursor, counter, heard, reference.
    #[n(0)]
    pub position: [u64; 5],
    /// Cases: number, changes, whether to submit.
    #[n(1)]
    pub cases: Vec<(u32, u32, bool)>,
    /// Requests: number of the case.
    #[n(2)]
    pub requests: Vec<u32>,
    /// Photos: number, bytes.
    #[n(3)]
    pub photos: Vec<(u32, u64)>,
    /// More waits than is here.
    #[n(4)]
    pub text_left: bool,
    /// Cases and photos that wait.
    #[n(5)]
    pub waiting: (u32, u32),
    /// The day's count is due.
    #[n(6)]
    pub census_due: bool,
    /// A count: with buckets from this one, or without.
    #[n(7)]
    pub census: Option<(bool, Option<u8>)>,
}

/// An outcome without its contents.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Became {
    /// Cases confirmed.
    #[n(0)]
    pub confirmed: Vec<u32>,
    /// Cases stuck.
    #[n(1)]
    pub stuck: Vec<u32>,
    /// Refusals, cases changed, events and changes received.
    #[n(2)]
    pub counts: (u32, u32, u32),
    /// Something moved.
    #[n(3)]
    pub progress: bool,
    /// The server was restored.
    #[n(4)]
    pub new_epoch: bool,
}

/// What the body of an answer meant to the engine.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Meaning {
    /// An answer to a sync: more, reference, token, photos (number, offset, complete), and of a count: whether and
    /// where to go on.
    #[n(0)]
    Sync(#[n(0)] bool, #[n(1)] u64, #[n(2)] bool, #[n(3)] Vec<(u32, u64, bool)>, #[n(4)] Option<(bool, u8)>),
    /// An answer that is none of this protocol.
    #[n(1)]
    Foreign,
    /// An answer that contradicts itself.
    #[n(2)]
    Contradiction,
    /// A problem with this code.
    #[n(3)]
    Problem(#[n(0)] String),
    /// A token.
    #[n(4)]
    Token,
    /// Reference data.
    #[n(5)]
    Reference,
}

/// Traces of the last runs, whatever process they were in, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct TraceFile {
    /// Encoded [`Trace`]s.
    #[n(0)]
    pub segments: Vec<ByteVec>,
}

impl TraceFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`WireError`] for what is none.
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        codec::decode(bytes)
    }

    /// The file with one more segment at its end, and without the oldest ones that do not fit any more.
    pub fn with(&self, segment: Vec<u8>) -> Self {
        let mut segments = self.segments.clone();
        segments.push(segment.into());
        let size = |segments: &[ByteVec]| segments.iter().map(|segment| segment.len() + 4).sum::<usize>();
        while segments.len() > 1 && size(&segments) + 8 > FILE {
            segments.remove(0);
        }
        Self { segments }
    }

    /// The bytes of the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Its traces.
    ///
    /// # Errors
    /// [`WireError`] for a damaged one.
    pub fn traces(&self) -> Result<Vec<Trace>, WireError> {
        self.segments.iter().map(|segment| codec::decode(segment)).collect()
    }
}
