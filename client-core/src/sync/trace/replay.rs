//! Tells a fresh engine what a recorded one was told, in stand-ins of the same shape, and compares what both want.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use thiserror::Error;

use super::print::print;
use super::record::reason;
use super::{Became, Found, Happened, Meaning, Step, Trace};
use crate::doc::chunk;
use crate::model::{CaseId, DeviceId, IntentId, Millis, PhotoHash};
use crate::platform::Now;
use crate::sync::data::{Batch, Outcome, Outgoing, Refused, Tally};
use crate::sync::effect::{Effect, OutboundKind};
use crate::sync::engine::{Engine, Identity, Settings};
use crate::sync::event::{Event, Response, StoreFailure, UploadEnd};
use crate::wire::census::BUCKETS;
use crate::wire::{
    CaseHeads, Census, CensusReply, Envelope, PhotoItem, PhotoOffer, PhotoOffset, Request, SyncDown, SyncUp, WireError,
    codec, digest,
};

/// Why a trace does not repeat.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Diverged {
    /// It can not be read.
    #[error(transparent)]
    Unreadable(#[from] WireError),
    /// The engine wanted something else at this step, counted from 0.
    #[error("step {step}: {happened:?}: the engine wants something else now: {wants:?}")]
    At {
        /// Which step.
        step: usize,
        /// What happened in it.
        happened: Box<Happened>,
        /// What the engine wants now.
        wants: Vec<Effect>,
    },
}

/// Repeats a trace; gives the number of its steps.
///
/// # Errors
/// [`Diverged`] at the first step in which the engine wants something else.
pub fn replay(trace: &Trace) -> Result<usize, Diverged> {
    let identity = trace
        .enrolled
        .then(|| Identity { device: DeviceId::from_bytes([1; 16]), key: SigningKey::from_bytes(&[1; 32]) });
    let offers = usize::try_from(trace.offers).unwrap_or(usize::MAX);
    let settings = Settings { poll_ms: trace.poll_ms, offers, ..Settings::default() };
    let mut engine = match &trace.rest {
        Some(rest) => Engine::resumed(identity, settings, rest, case_of, photo_of),
        None => Engine::new(identity, settings),
    };
    let mut sent: BTreeMap<u64, (OutboundKind, Vec<u8>)> = BTreeMap::new();
    for (number, bytes) in trace.steps.iter().enumerate() {
        let step: Step = codec::decode(bytes)?;
        engine.set_weights(&step.weights);
        let now = Now { wall: Millis(step.wall_ms), mono_ms: step.mono_ms };
        let effects = engine.handle(now, step.dice, event(&step.happened, &mut sent));
        if print(&effects, &mut number_of) != step.print {
            return Err(Diverged::At { step: number, happened: Box::new(step.happened), wants: effects });
        }
        for effect in effects {
            if let Effect::Send(outbound) = effect {
                sent.insert(outbound.exchange, (outbound.kind, outbound.body));
            }
        }
    }
    Ok(trace.steps.len())
}

fn case_of(number: u32) -> CaseId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    CaseId::from_bytes(bytes)
}

fn photo_of(number: u32) -> PhotoItem {
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&(number & !1).to_be_bytes());
    let photo = PhotoHash::from_bytes(bytes);
    if number % 2 == 1 { PhotoItem::Preview(photo) } else { PhotoItem::Full(photo) }
}

fn number_of(item: &PhotoItem) -> u32 {
    let photo = item.photo();
    let even = u32::from_be_bytes(photo.as_bytes().first_chunk().copied().expect("32 bytes hold 4"));
    even + u32::from(item.is_preview())
}

/// What a preview is of; none for a photo.
fn of(number: u32) -> Option<PhotoHash> {
    Some(photo_of(number)).filter(PhotoItem::is_preview).map(|item| item.photo())
}

fn event(happened: &Happened, sent: &mut BTreeMap<u64, (OutboundKind, Vec<u8>)>) -> Event {
    let upload = |photo: u32, end| Event::Uploaded { item: photo_of(photo), end };
    match happened {
        Happened::Wake(number) => Event::Wake(reason(*number)),
        Happened::Tick => Event::Tick,
        Happened::Halt => Event::Halt,
        Happened::Collected(found) => Event::Collected(Box::new(batch(found))),
        Happened::Applied(became) => Event::Applied(Box::new(outcome(became))),
        Happened::StoreFailed(0) => Event::StoreFailed(StoreFailure::Moved),
        Happened::StoreFailed(1) => Event::StoreFailed(StoreFailure::Full),
        Happened::StoreFailed(_) => Event::StoreFailed(StoreFailure::Other(String::new())),
        Happened::Answered(exchange, status, retry_after_ms, _, meaning) => {
            let (kind, request) = sent.remove(exchange).unwrap_or((OutboundKind::Sync, Vec::new()));
            let body = body(meaning, kind, &request);
            let response = Response { status: *status, retry_after_ms: *retry_after_ms, body };
            Event::Answered { exchange: *exchange, response }
        }
        Happened::Unanswered(exchange) => {
            sent.remove(exchange);
            Event::Unanswered { exchange: *exchange }
        }
        Happened::Uploaded(photo, status, retry_after_ms, offset, code) => {
            let body = code.as_deref().map(problem).unwrap_or_default();
            let response = Response { status: *status, retry_after_ms: *retry_after_ms, body };
            upload(*photo, UploadEnd::Answered { response, offset: *offset })
        }
        Happened::UploadLost(photo) => upload(*photo, UploadEnd::Unanswered),
        Happened::UploadEmpty(photo) => upload(*photo, UploadEnd::NoBytes),
        Happened::UploadUnreadable(photo) => upload(*photo, UploadEnd::Unreadable),
        Happened::UploadUnsent(photo) => upload(*photo, UploadEnd::NeverLeft),
    }
}

fn batch(found: &Found) -> Batch {
    let [epoch, cursor, counter, heard, reference] = found.position;
    let outgoing = |(number, changes, submit): &(u32, u32, bool)| {
        let case = case_of(*number);
        let change = |place: u32| {
            let body = place.to_be_bytes().to_vec();
            (chunk::hash_of_body(&body), body)
        };
        Outgoing::of(case, (0..*changes).map(change).collect(), *submit)
    };
    let request = |(place, case): (usize, &u32)| Request {
        intent: IntentId::from_bytes([place as u8; 16]),
        case: case_of(*case),
        verb: String::new(),
        seen_version: 0,
        heads: Vec::new(),
        payload: Vec::new().into(),
    };
    let offer = |(photo, bytes): &(u32, u64)| PhotoOffer {
        case: case_of(0),
        sha256: photo_of(*photo).photo(),
        bytes: *bytes,
        of: of(*photo),
    };
    let census = |(buckets, from): (bool, Option<u8>)| Census {
        day: 0,
        root: [0; digest::BYTES],
        buckets: buckets.then(|| vec![0; 4 * BUCKETS].into()),
        from,
        except: None,
    };
    Batch {
        epoch,
        cursor,
        counter,
        heard,
        reference,
        cases: found.cases.iter().map(outgoing).collect(),
        requests: found.requests.iter().enumerate().map(request).collect(),
        photos: found.photos.iter().map(offer).collect(),
        text_left: found.text_left,
        waiting: Tally { cases: found.waiting.0, photos: found.waiting.1, ..Tally::default() },
        census_due: found.census_due,
        census: found.census.map(census),
        ..Batch::default()
    }
}

fn outcome(became: &Became) -> Outcome {
    let (refused, changed, received) = became.counts;
    let refused_one = Refused { case: case_of(0), intent: None, code: String::new(), field: None };
    Outcome {
        confirmed: became.confirmed.iter().map(|number| case_of(*number)).collect(),
        stuck: became.stuck.iter().map(|number| case_of(*number)).collect(),
        refused: vec![refused_one; refused as usize],
        changed: (0..changed).map(case_of).collect(),
        received,
        progress: became.progress,
        new_epoch: became.new_epoch,
    }
}

/// A body that means this to an engine that sent `request`.
fn body(meaning: &Meaning, kind: OutboundKind, request: &[u8]) -> Vec<u8> {
    match meaning {
        Meaning::Sync(more, reference, token, photos, census) => {
            let offset = |(photo, offset, whole): &(u32, u64, bool)| PhotoOffset {
                sha256: photo_of(*photo).photo(),
                of: of(*photo),
                offset: *offset,
                location: (!whole).then(|| "/".to_owned()),
            };
            codec::pack(&SyncDown {
                ack: acknowledged(request),
                photos: photos.iter().map(offset).collect(),
                upload_token: token.then(String::new),
                feed_digest: digest::of_page(&codec::encode(&SyncDown::default().feed)),
                more: *more,
                reference: *reference,
                census: census.map(|(goes_on, next)| CensusReply { next: goes_on.then_some(next), told: None }),
                ..SyncDown::default()
            })
        }
        // Its digest over the feed does not fit.
        Meaning::Contradiction => codec::pack(&SyncDown::default()),
        Meaning::Problem(code) => problem(code),
        Meaning::Token => br#"{"access_token":"t"}"#.to_vec(),
        Meaning::Reference if kind == OutboundKind::Reference => b"{}".to_vec(),
        Meaning::Foreign | Meaning::Reference => Vec::new(),
    }
}

/// The digest a server gives that took everything as it was sent.
fn acknowledged(request: &[u8]) -> [u8; digest::BYTES] {
    let up = Envelope::read(request).and_then(|envelope| codec::unpack::<SyncUp>(&envelope.frame)).unwrap_or_default();
    let heads =
        |frame: &crate::wire::Frame| frame.changes.last().map(|body| chunk::hash_of_body(body)).into_iter().collect();
    let cases = up.frames.iter().map(|frame| CaseHeads { case: frame.case, heads: heads(frame) }).collect::<Vec<_>>();
    digest::of_heads(&cases)
}

fn problem(code: &str) -> Vec<u8> {
    let problem = serde_json::json!({"type": "", "title": "", "status": 0, "code": code, "detail": ""});
    problem.to_string().into_bytes()
}
