//! Plain data between engine and store: what is to be sent, what was sent, what an answer means.

use std::collections::BTreeSet;

use super::policy::{DataPlan, Leave};
use crate::model::{CaseId, ChangeHash, IntentId, Millis};
use crate::wire::{Census, CensusReply, FeedItem, Frame, PhotoItem, PhotoOffer, Rejected, Request, RequestResult};

/// How much the store may collect for one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Room {
    /// Bytes of changes and requests, uncompressed.
    pub bytes: usize,
    /// The phone's wall clock: which month's budget counts.
    pub at: Millis,
    /// Somebody asked for this by hand.
    pub by_hand: bool,
    /// Bytes of photos that are queued or under way.
    pub under_way: u64,
    /// Previews and photos to offer.
    pub offers: usize,
    /// How many of them may be photos.
    pub photos: usize,
    /// Cases left alone for now.
    pub parked_cases: BTreeSet<CaseId>,
    /// Photos and previews under way or left alone for now.
    pub parked_photos: BTreeSet<PhotoItem>,
    /// Whether everything in view may be counted.
    pub counting: Counting,
}

/// Whether everything in view is counted for a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Counting {
    /// Not now.
    #[default]
    No,
    /// If the day's count is due and nothing else is to be said.
    IfDue,
    /// In buckets, for the server to answer from this one on.
    From(u8),
}

/// What waits on the phone, as far as it fits one request, read at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Server epoch last seen.
    pub epoch: u64,
    /// Feed position.
    pub cursor: u64,
    /// Last number used in a device proof.
    pub counter: u64,
    /// Number of the newest request whose answer was taken in; 0 for none.
    pub heard: u64,
    /// Version of the reference data.
    pub reference: u64,
    /// Cases with something to send, oldest first.
    pub cases: Vec<Outgoing>,
    /// Requests, oldest first.
    pub requests: Vec<Request>,
    /// Previews of submitted cases, oldest first, then photos.
    pub photos: Vec<PhotoOffer>,
    /// The link, the rules for photos and the month's budget.
    pub plan: DataPlan,
    /// Why photos or previews that wait are not in this batch, if their rules hold them back.
    pub held: Option<Leave>,
    /// True if more cases or requests wait than are in this batch.
    pub text_left: bool,
    /// Everything that waits, this batch included.
    pub waiting: Tally,
    /// True if the day's count is due.
    pub census_due: bool,
    /// What this phone holds, if that is to be compared.
    pub census: Option<Census>,
}

/// What is still on the phone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases with unacknowledged facts or requests.
    pub cases: u32,
    /// Photos not fully sent.
    pub photos: u32,
    /// When the oldest unacknowledged case became so, by the phone's clock; 0 for none.
    pub oldest: Millis,
    /// When the oldest case whose photos wait was submitted, by the phone's clock; 0 for none.
    pub oldest_photo: Millis,
}

/// One case to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The case.
    pub case: CaseId,
    /// Hash and body of changes of this phone the server has not acknowledged, in causal order, from the first on.
    pub changes: Vec<(ChangeHash, Vec<u8>)>,
    /// True if the case is to be submitted.
    pub submit: bool,
    /// How many of `changes`, counted from the end, exist only here: they are stored before they are sent.
    pub fresh: usize,
    /// Further fresh changes, which do not fit: they are stored with the others and go with the next request.
    pub later: Vec<(ChangeHash, Vec<u8>)>,
    /// True if more changes of the case wait than are in `changes`.
    pub is_part: bool,
    /// The document with all fresh changes in it, if there are any.
    pub snapshot: Option<Vec<u8>>,
    /// Last intent the fresh changes hold.
    pub upto: i64,
    /// The state of the document this was computed from.
    pub base_rev: i64,
}

impl Outgoing {
    /// A case with changes that are stored.
    pub fn of(case: CaseId, changes: Vec<(ChangeHash, Vec<u8>)>, submit: bool) -> Self {
        Self {
            case,
            changes,
            submit,
            fresh: 0,
            later: Vec::new(),
            is_part: false,
            snapshot: None,
            upto: 0,
            base_rev: 0,
        }
    }

    /// How many of its changes are within these limits; at least one.
    pub fn fitting(&self, changes: usize, bytes: usize) -> usize {
        let mut sum = 0;
        let fits = |(_, body): &&(ChangeHash, Vec<u8>)| {
            sum += body.len() + 4;
            sum <= bytes
        };
        self.changes.iter().take(changes).take_while(fits).count().max(1)
    }

    /// Leaves all but the first `most` changes for the next request.
    pub fn cut(&mut self, most: usize) {
        let mut left = self.changes.split_off(most.min(self.changes.len()));
        self.is_part |= !left.is_empty();
        let fresh = left.len().min(self.fresh);
        self.fresh -= fresh;
        self.later.splice(0..0, left.split_off(left.len() - fresh));
    }

    /// The hash the server's heads must contain once everything in here arrived.
    ///
    /// One is enough: each of this phone's changes builds on the one before it.
    pub fn tip(&self) -> Option<ChangeHash> {
        self.changes.last().map(|(hash, _)| *hash)
    }

    /// What of it travels.
    pub fn frame(&self) -> Frame {
        let changes = self.changes.iter().map(|(_, body)| body.clone().into()).collect();
        Frame { case: self.case, changes, submit: self.submit }
    }

    /// Bytes this adds to a request before compression.
    pub fn bytes(&self) -> usize {
        24 + self.changes.iter().map(|(_, body)| body.len() + 4).sum::<usize>()
    }
}

/// What a request holds, to be stored before it leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The number of its proof.
    pub counter: u64,
    /// Cases in it.
    pub cases: Vec<Outgoing>,
}

/// A pushed case, as remembered until the answer arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// The case.
    pub case: CaseId,
    /// Every change in the frame.
    pub hashes: Vec<ChangeHash>,
    /// True if the frame asked to submit.
    pub submit: bool,
}

/// What became of one pushed case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The digest says the server holds exactly what was pushed.
    Held,
    /// The server holds other heads; the store knows whether they include what was pushed.
    Differs(Vec<ChangeHash>),
    /// Changes it builds on are not there: everything has to be sent.
    Needed,
}

/// What the server said about one pushed case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// What was pushed.
    pub pushed: Pushed,
    /// What became of it.
    pub fate: Fate,
    /// Changes of it that were refused.
    pub rejected: Vec<Rejected>,
    /// The answer to the submit, if it was not accepted as sent.
    pub submit: Option<RequestResult>,
}

/// An answer after every check that needs no database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Number of the request's proof.
    pub counter: u64,
    /// The server's epoch.
    pub epoch: u64,
    /// New feed position.
    pub cursor: u64,
    /// The server's business clock.
    pub server_time: Millis,
    /// The phone's clock now.
    pub now: Millis,
    /// One for every pushed case.
    pub verdicts: Vec<Verdict>,
    /// Results of requests.
    pub results: Vec<RequestResult>,
    /// How far each photo and preview got: bytes, complete or not.
    pub photos: Vec<(PhotoItem, u64, bool)>,
    /// News.
    pub feed: Vec<FeedItem>,
    /// Cases out of scope.
    pub gone: Vec<CaseId>,
    /// What this phone said it holds, and what the server said to that.
    pub census: Option<(Census, Option<CensusReply>)>,
}

/// Something the inspector has to hear about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The case.
    pub case: CaseId,
    /// The request, if it was one.
    pub intent: Option<IntentId>,
    /// The server's code.
    pub code: String,
    /// The field at fault.
    pub field: Option<String>,
}

/// What applying an answer changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Cases the server now holds as this phone does.
    pub confirmed: Vec<CaseId>,
    /// Cases that were pushed and can not be pushed again at once: the server wants to wait, or contradicts itself.
    pub stuck: Vec<CaseId>,
    /// Everything that was refused.
    pub refused: Vec<Refused>,
    /// Cases that look different now.
    pub changed: BTreeSet<CaseId>,
    /// Events and changes of others that arrived.
    pub received: u32,
    /// True if anything moved: something confirmed, refused, received or a photo further than before.
    pub progress: bool,
    /// True if the server was restored from a backup.
    pub new_epoch: bool,
}
