//! Writes down what an engine is told and what it wants.

use std::collections::BTreeMap;

use minicbor::bytes::ByteVec;

use super::print::print;
use super::{Became, Found, Happened, MOST, Meaning, Rest, SEGMENT, Step, Trace};
use crate::model::{CaseId, PhotoHash};
use crate::platform::Now;
use crate::sync::data::{Batch, Outcome};
use crate::sync::effect::{Effect, OutboundKind, Write};
use crate::sync::engine::{Engine, Settings};
use crate::sync::event::{Event, Reason, Response, StoreFailure, UploadEnd};
use crate::sync::retry::own_code;
use crate::wire::{PhotoItem, SyncDown, codec};

/// Numbers in the order things were first named.
#[derive(Debug, Default)]
pub(super) struct Names {
    cases: BTreeMap<CaseId, u32>,
    photos: BTreeMap<PhotoHash, u32>,
}

impl Names {
    pub(super) fn case(&mut self, case: &CaseId) -> u32 {
        let next = self.cases.len() as u32;
        *self.cases.entry(*case).or_insert(next)
    }

    /// Even for a photo, odd for its preview.
    pub(super) fn photo(&mut self, item: &PhotoItem) -> u32 {
        let next = 2 * self.photos.len() as u32;
        *self.photos.entry(item.photo()).or_insert(next) + u32::from(item.is_preview())
    }
}

/// What was noted of an event before the engine took it.
#[derive(Debug)]
pub struct Noted {
    happened: Happened,
    /// The body of an answer to a sync, whose meaning only the engine finds out.
    body: Option<Vec<u8>>,
}

/// The recorder of one engine.
#[derive(Debug)]
pub struct Recorder {
    trace: Trace,
    bytes: usize,
    names: Names,
    kinds: BTreeMap<u64, OutboundKind>,
}

impl Recorder {
    /// A recorder for a fresh engine.
    pub fn of(engine: &Engine) -> Self {
        Self::begin(engine, None, Names::default())
    }

    fn begin(engine: &Engine, rest: Option<Rest>, names: Names) -> Self {
        let Settings { poll_ms, offers, .. } = engine.settings();
        let enrolled = engine.is_enrolled();
        let trace = Trace { version: 1, enrolled, poll_ms, offers: offers as u64, rest, steps: Vec::new() };
        Self { trace, bytes: 64, names, kinds: BTreeMap::new() }
    }

    /// Takes note of an event the engine is about to be told.
    pub fn note(&mut self, event: &Event) -> Noted {
        let mut body = None;
        let happened = match event {
            Event::Wake(reason) => Happened::Wake(*reason as u8),
            Event::Tick => Happened::Tick,
            Event::Halt => Happened::Halt,
            Event::Collected(batch) => Happened::Collected(self.found(batch)),
            Event::Applied(outcome) => Happened::Applied(self.became(outcome)),
            Event::StoreFailed(failure) => Happened::StoreFailed(match failure {
                StoreFailure::Moved => 0,
                StoreFailure::Full => 1,
                StoreFailure::Other(_) => 2,
            }),
            Event::Answered { exchange, response } => {
                let kind = self.kinds.remove(exchange);
                let meaning = meaning(kind, response);
                if meaning.is_none() {
                    body = Some(response.body.clone());
                }
                let (status, length) = (response.status, response.body.len() as u32);
                let meaning = meaning.unwrap_or(Meaning::Foreign);
                Happened::Answered(*exchange, status, response.retry_after_ms, length, meaning)
            }
            Event::Unanswered { exchange } => {
                self.kinds.remove(exchange);
                Happened::Unanswered(*exchange)
            }
            Event::Uploaded { item, end } => {
                let photo = self.names.photo(item);
                match end {
                    UploadEnd::Answered { response, offset } => {
                        let (status, code) = (response.status, own_code(response));
                        Happened::Uploaded(photo, status, response.retry_after_ms, *offset, code)
                    }
                    UploadEnd::Unanswered => Happened::UploadLost(photo),
                    UploadEnd::NoBytes => Happened::UploadEmpty(photo),
                    UploadEnd::Unreadable => Happened::UploadUnreadable(photo),
                    UploadEnd::NeverLeft => Happened::UploadUnsent(photo),
                }
            }
        };
        Noted { happened, body }
    }

    /// Writes down what the engine wants now.
    pub fn wrote(&mut self, engine: &mut Engine, now: Now, dice: u64, noted: Noted, effects: &[Effect]) {
        let weights = engine.take_weights();
        let Noted { mut happened, body } = noted;
        if let (Happened::Answered(_, _, _, _, meaning), Some(body)) = (&mut happened, body) {
            *meaning = self.believed(engine, effects, &body);
        }
        for effect in effects {
            if let Effect::Send(sent) = effect {
                self.kinds.insert(sent.exchange, sent.kind);
            }
        }
        let names = &mut self.names;
        let print = print(effects, &mut |photo| names.photo(photo));
        let step = Step { wall_ms: now.wall.0, mono_ms: now.mono_ms, dice, happened, weights, print };
        let step = codec::encode(&step);
        if self.bytes + step.len() > MOST {
            return;
        }
        self.bytes += step.len() + 3;
        self.trace.steps.push(ByteVec::from(step));
    }

    /// The segment so far, as bytes. Begins anew if it is long and the engine rests.
    pub fn segment(&mut self, engine: &Engine) -> (Vec<u8>, bool) {
        let bytes = codec::encode(&self.trace);
        let mut names = Names::default();
        let rest = if bytes.len() > SEGMENT { engine.rest(&mut |case| names.case(case)) } else { None };
        // Photos are numbered beside cases, so that both begin anew.
        let rest = rest.map(|(rest, photos)| {
            let photos = photos.into_iter().map(|(photo, until, times)| (names.photo(&photo), until, times));
            Rest { photos: photos.collect(), ..rest }
        });
        let begins_anew = rest.is_some();
        if begins_anew {
            *self = Self::begin(engine, rest, names);
        }
        (bytes, begins_anew)
    }

    fn found(&mut self, batch: &Batch) -> Found {
        let names = &mut self.names;
        Found {
            position: [batch.epoch, batch.cursor, batch.counter, batch.heard, batch.reference],
            cases: batch
                .cases
                .iter()
                .map(|case| (names.case(&case.case), case.changes.len() as u32, case.submit))
                .collect(),
            requests: batch.requests.iter().map(|request| names.case(&request.case)).collect(),
            photos: batch.photos.iter().map(|offer| (names.photo(&offer.item()), offer.bytes)).collect(),
            text_left: batch.text_left,
            waiting: (batch.waiting.cases, batch.waiting.photos),
            census_due: batch.census_due,
            census: batch.census.as_ref().map(|census| (census.buckets.is_some(), census.from)),
        }
    }

    fn became(&mut self, outcome: &Outcome) -> Became {
        let names = &mut self.names;
        let mut all = |cases: &[CaseId]| cases.iter().map(|case| names.case(case)).collect::<Vec<u32>>();
        Became {
            confirmed: all(&outcome.confirmed),
            stuck: all(&outcome.stuck),
            counts: (outcome.refused.len() as u32, outcome.changed.len() as u32, outcome.received),
            progress: outcome.progress,
            new_epoch: outcome.new_epoch,
        }
    }

    /// What an answer to a sync meant, as the engine's effects tell.
    fn believed(&mut self, engine: &Engine, effects: &[Effect], body: &[u8]) -> Meaning {
        let answer = effects.iter().find_map(|effect| match effect {
            Effect::Persist(Write::Answer(answer)) => Some(answer),
            _ => None,
        });
        match (answer, engine.heard()) {
            (Some(answer), Some(heard)) => {
                let census = heard.census.map(|next| (next.is_some(), next.unwrap_or(0)));
                let names = &mut self.names;
                let photos = answer.photos.iter().map(|(photo, offset, whole)| (names.photo(photo), *offset, *whole));
                Meaning::Sync(heard.more, heard.reference, heard.token, photos.collect(), census)
            }
            _ if codec::unpack::<SyncDown>(body).is_ok() => Meaning::Contradiction,
            _ => Meaning::Foreign,
        }
    }
}

/// What an answer means where its body alone tells; none for a good answer to a sync.
fn meaning(kind: Option<OutboundKind>, response: &Response) -> Option<Meaning> {
    if response.status != 200 {
        return Some(own_code(response).map_or(Meaning::Foreign, Meaning::Problem));
    }
    match kind {
        Some(OutboundKind::Sync) => None,
        Some(OutboundKind::Token) => {
            let body = serde_json::from_slice::<serde_json::Value>(&response.body).unwrap_or_default();
            Some(if body["access_token"].is_string() { Meaning::Token } else { Meaning::Foreign })
        }
        Some(OutboundKind::Reference) => {
            let readable = response.body.first() == Some(&b'{')
                || codec::decompress(&response.body, crate::sync::engine::REFERENCE_BYTES).is_ok();
            Some(if readable { Meaning::Reference } else { Meaning::Foreign })
        }
        None => Some(Meaning::Foreign),
    }
}

/// The reason a number stands for.
pub(super) fn reason(number: u8) -> Reason {
    match number {
        0 => Reason::Asked,
        1 => Reason::Background,
        2 => Reason::Changed,
        _ => Reason::Awake,
    }
}
