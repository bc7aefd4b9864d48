//! Engine and store together: a phone without a network.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Listeners;
use crate::failpoint::{self, At};
use crate::platform::{Clock, Entropy, random};
use crate::store::{Store, StoreError};
use crate::sync::trace::Recorder;
use crate::sync::{Effect, Engine, Event, Outbound, StoreFailure, Summary, Upload, UploadEnd, Write};
use crate::wire::PhotoItem;

/// What is left to do outside: the network, the time, whoever waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outside {
    /// Send a request.
    Send(Outbound),
    /// Upload a photo or a preview.
    Upload {
        /// What and where to.
        upload: Upload,
        /// A preview, whole: it lies in the database. A photo lies in its file.
        preview: Option<Vec<u8>>,
    },
    /// Come back with [`Event::Tick`] at this monotonic time.
    Sleep {
        /// Milliseconds of the monotonic clock.
        until_ms: u64,
    },
    /// A run is over.
    Finish(Box<Summary>),
}

/// Runs the engine against the store, step by step.
///
/// Effects are performed in order, and everything that is to be durable before a request leaves is durable when
/// [`Core::step`] returns that request.
pub struct Core {
    /// The engine; its identity changes with enrolment.
    pub engine: Engine,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    listeners: Listeners,
    /// What the engine decided and is not done yet.
    pending: VecDeque<Effect>,
    recorder: Recorder,
}

/// What one call of [`Core::advance`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advance {
    /// One effect is done: read, written or told. More may follow.
    Done,
    /// The next thing to do is outside.
    Outside(Outside),
    /// Nothing is left to do.
    Rest,
}

impl Core {
    /// A core over an opened store.
    pub fn new(
        engine: Engine,
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        listeners: Listeners,
    ) -> Self {
        let recorder = Recorder::of(&engine);
        Self { engine, store, clock, entropy, listeners, pending: VecDeque::new(), recorder }
    }

    /// Takes note of what happened; answers what is left to do outside. Blocks on the database.
    pub fn step(&mut self, event: Event) -> Vec<Outside> {
        self.begin(event);
        let mut outside = Vec::new();
        loop {
            match self.advance() {
                Advance::Done => {}
                Advance::Outside(left) => outside.push(left),
                Advance::Rest => return outside,
            }
        }
    }

    /// Takes note of what happened and does nothing yet; [`Core::advance`] does it.
    ///
    /// Together they are [`Core::step`] in pieces: between any two of them a process may die, and a test lets it.
    pub fn begin(&mut self, event: Event) {
        let effects = self.handle(event);
        self.pending.extend(effects);
    }

    /// Does one thing of what is left. Blocks on the database.
    pub fn advance(&mut self) -> Advance {
        let Some(effect) = self.pending.pop_front() else { return Advance::Rest };
        let upload = effect.upload();
        match self.perform(effect) {
            Performed::Nothing => Advance::Done,
            Performed::Outside(left) => Advance::Outside(left),
            Performed::Event(event) => {
                self.begin(event);
                Advance::Done
            }
            Performed::Failed(failure) => {
                self.drop_rest(upload, failure);
                Advance::Done
            }
        }
    }

    /// What the engine wanted next was decided without knowing of the failure. But it counts uploads as under way from
    /// the moment it asks for them, and whoever waits for the end of a run hears of it nowhere else.
    fn drop_rest(&mut self, failed: Option<PhotoItem>, failure: StoreFailure) {
        let rest = std::mem::take(&mut self.pending);
        let unsent: Vec<PhotoItem> = failed.into_iter().chain(rest.iter().filter_map(Effect::upload)).collect();
        self.pending.extend(rest.into_iter().filter_map(|effect| match effect {
            Effect::Finish(summary) => Some(Effect::Finish(Box::new(summary.failed(failure.clone().into())))),
            _ => None,
        }));
        for item in unsent {
            self.begin(Event::Uploaded { item, end: UploadEnd::NeverLeft });
        }
        self.begin(Event::StoreFailed(failure));
    }

    /// Counts bytes that went over the network, if they are paid for.
    pub fn spent(&self, bytes: u64) {
        if bytes > 0 && self.engine.is_on_paid_link() {
            self.store.count_mobile_data(self.clock.now().wall, bytes);
        }
    }

    fn handle(&mut self, event: Event) -> Vec<Effect> {
        let dice = u64::from_le_bytes(random(self.entropy.as_ref()));
        let (now, noted) = (self.clock.now(), self.recorder.note(&event));
        let effects = self.engine.handle(now, dice, event);
        self.recorder.wrote(&mut self.engine, now, dice, noted, &effects);
        effects
    }

    /// What the flight recorder holds (one encoded [`crate::sync::trace::Trace`]), and whether it begins anew behind it.
    pub fn trace(&mut self) -> (Vec<u8>, bool) {
        self.recorder.segment(&self.engine)
    }

    fn perform(&self, effect: Effect) -> Performed {
        match effect {
            Effect::Collect(room) => match self.store.collect(&room) {
                Ok(batch) => Performed::Event(Event::Collected(Box::new(batch))),
                Err(error) => failed(error),
            },
            Effect::Persist(write) => match persist(&self.store, write) {
                Ok(event) => event.map_or(Performed::Nothing, Performed::Event),
                Err(error) => failed(error),
            },
            Effect::Notify(notice) => {
                self.listeners.tell(&notice);
                Performed::Nothing
            }
            Effect::Send(outbound) => Performed::Outside(Outside::Send(outbound)),
            Effect::Upload(upload) => self.upload(upload),
            Effect::Sleep { until_ms } => Performed::Outside(Outside::Sleep { until_ms }),
            Effect::Finish(summary) => Performed::Outside(Outside::Finish(summary)),
        }
    }

    fn upload(&self, upload: Upload) -> Performed {
        let preview = match upload.item {
            PhotoItem::Full(_) => return Performed::Outside(Outside::Upload { upload, preview: None }),
            PhotoItem::Preview(photo) => self.store.preview_of(&photo),
        };
        match preview {
            Ok(preview @ Some(_)) => Performed::Outside(Outside::Upload { upload, preview }),
            Ok(None) => Performed::Event(Event::Uploaded { item: upload.item, end: UploadEnd::NoBytes }),
            Err(error) => failed(error),
        }
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Core").field("engine", &self.engine).finish_non_exhaustive()
    }
}

enum Performed {
    Nothing,
    Outside(Outside),
    Event(Event),
    Failed(StoreFailure),
}

fn failed(error: StoreError) -> Performed {
    Performed::Failed(match error {
        StoreError::Moved => StoreFailure::Moved,
        StoreError::Full => StoreFailure::Full,
        other => StoreFailure::Other(other.to_string()),
    })
}

fn persist(store: &Store, write: Write) -> Result<Option<Event>, StoreError> {
    match write {
        Write::Sent(sent) => store.mark_sent(&sent)?,
        Write::Answer(answer) => {
            let outcome = store.apply(&answer)?;
            failpoint::reach(At::PhoneSyncApplied);
            return Ok(Some(Event::Applied(Box::new(outcome))));
        }
        Write::Photos(photos) => store.photos_at(&photos)?,
        Write::PhotoRefused { item, code } => store.refuse_photo(&item, &code)?,
        // A bundle this app can not read is left out: categories and grids stay as they were.
        Write::Reference(json) => {
            if let Ok(reference) = serde_json::from_slice(&json) {
                store.set_reference(&reference)?;
            }
        }
        Write::Blocked(code) => store.set_blocked(code.as_deref())?,
        Write::Attention { case, code } => store.set_attention(case, Some(&code))?,
    }
    Ok(None)
}
