//! The state machine: whose turn it is, and what each event makes of it.

mod census;
mod ending;
mod exchange;
mod photos;
mod reference;
mod resting;

use ed25519_dalek::SigningKey;

use super::effect::{Effect, Notice, Stop};
use super::event::{Event, Reason};
use super::page::{Page, PageSize, Scales};
use super::parking::Parking;
use super::policy::{DataPlan, Leave};
use super::retry::Backoff;
use super::session::Session;
use super::uploads::Uploads;
use crate::model::DeviceId;
use crate::platform::Now;
use crate::wire::{CensusReply, PhotoItem};

/// Who signs this phone's requests.
#[derive(Clone)]
pub struct Identity {
    /// The device's name on the server.
    pub device: DeviceId,
    /// Its key.
    pub key: SigningKey,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Identity").field("device", &self.device).finish_non_exhaustive()
    }
}

/// What an app may tune.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How often the background loop asks for news, milliseconds.
    pub poll_ms: u64,
    /// Photos and previews offered in one request.
    pub offers: usize,
    /// zstd level of requests; none for the best the link can have.
    pub level: Option<i32>,
}

impl Default for Settings {
    /// Five minutes, since an idle sync costs half a kilobyte; 32 photos are a minute of a good link.
    fn default() -> Self {
        Self { poll_ms: 300_000, offers: 32, level: None }
    }
}

pub(super) use reference::REFERENCE_BYTES;

enum Turn {
    /// Nothing in the air but uploads.
    Idle,
    Collecting,
    Sending {
        exchange: u64,
        page: Box<Page>,
        /// When it left, by the monotonic clock.
        since_ms: u64,
    },
    Applying {
        page: Box<Page>,
        opened: Box<Aside>,
    },
    Token {
        exchange: u64,
    },
    Reference {
        exchange: u64,
    },
    /// Until the time of the last Sleep.
    Waiting,
}

/// The part of an answer the engine keeps for itself.
struct Aside {
    uploads: Vec<(PhotoItem, u64, u64, String)>,
    unanswered: Vec<PhotoItem>,
    token: Option<String>,
    more: bool,
    reference: u64,
    census: Option<CensusReply>,
}

/// Decides what a phone does about sync. Does nothing itself; see the module.
pub struct Engine {
    identity: Option<Identity>,
    settings: Settings,
    turn: Turn,
    next_exchange: u64,
    /// Last number used in a proof, as of the last collect.
    counter: u64,
    /// Version of the reference data here, as of the last collect.
    reference: u64,
    size: PageSize,
    scales: Scales,
    backoff: Backoff,
    parking: Parking,
    uploads: Uploads,
    /// Uploads that ended and are not written down yet.
    done: Vec<(PhotoItem, u64, bool)>,
    /// Photos whose upload had to be offered anew in this run.
    troubled: std::collections::BTreeSet<PhotoItem>,
    /// Photos whose bytes arrived damaged in this run.
    damaged: std::collections::BTreeSet<PhotoItem>,
    session: Session,
    /// Someone waits for a summary.
    asked: bool,
    background: bool,
    /// Something changed while the turn was not ours.
    again: bool,
    /// The server has more news.
    more: bool,
    /// News are to be asked for even if nothing waits here.
    curious: bool,
    /// Reference data to fetch, once a run.
    wants_reference: bool,
    reference_tried: bool,
    token: Option<(String, u64)>,
    /// The link and the rules for photos, as of the last collect.
    plan: DataPlan,
    /// The bucket to go on with, while what this phone holds is being compared.
    census_from: Option<u8>,
    /// The day's count was due when this run began.
    census_due: bool,
    /// Counts that were sent in this run and not answered.
    census_tries: u32,
}

impl Engine {
    /// An engine at rest; without an identity every run ends at once.
    pub fn new(identity: Option<Identity>, settings: Settings) -> Self {
        Self {
            identity,
            settings,
            turn: Turn::Idle,
            next_exchange: 1,
            counter: 0,
            reference: 0,
            size: PageSize::default(),
            scales: Scales::default(),
            backoff: Backoff::default(),
            parking: Parking::default(),
            uploads: Uploads::default(),
            done: Vec::new(),
            troubled: Default::default(),
            damaged: Default::default(),
            session: Session::default(),
            asked: false,
            background: false,
            again: false,
            more: false,
            curious: false,
            wants_reference: false,
            reference_tried: false,
            token: None,
            plan: DataPlan::default(),
            census_from: None,
            census_due: false,
            census_tries: 0,
        }
    }

    /// Takes note of what happened and answers what to do, in order. `dice` is any random number.
    pub fn handle(&mut self, now: Now, dice: u64, event: Event) -> Vec<Effect> {
        let mut step = Step { engine: self, now, dice, out: Vec::new() };
        step.event(event);
        step.out
    }

    /// Gives the engine a device to speak for, or takes it away.
    pub fn set_identity(&mut self, identity: Option<Identity>) {
        self.identity = identity;
        self.token = None;
    }

    /// True if the link, as far as the engine knows, is paid by the byte.
    pub fn is_on_paid_link(&self) -> bool {
        self.plan.link.is_paid()
    }

    /// Tells whether a photo or preview that was begun may go on over this link.
    fn may_go(&self) -> impl Fn(PhotoItem) -> bool + use<> {
        let (plan, by_hand) = (self.plan, self.asked);
        move |item| plan.decide(item, 0, by_hand) == Leave::Send
    }

    /// True while requests or uploads are in the air.
    pub fn is_busy(&self) -> bool {
        !matches!(self.turn, Turn::Idle | Turn::Waiting) || self.uploads.is_under_way()
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Engine").field("identity", &self.identity).finish_non_exhaustive()
    }
}

/// One call of [`Engine::handle`].
struct Step<'e> {
    engine: &'e mut Engine,
    now: Now,
    dice: u64,
    out: Vec<Effect>,
}

impl Step<'_> {
    fn event(&mut self, event: Event) {
        match event {
            Event::Wake(reason) => self.wake(reason),
            Event::Tick => self.tick(),
            Event::Collected(batch) => self.collected(*batch),
            Event::Applied(outcome) => self.applied(*outcome),
            Event::StoreFailed(failure) => self.store_failed(failure),
            Event::Answered { exchange, response } => self.answered(exchange, &response),
            Event::Unanswered { exchange } => self.unanswered(exchange),
            Event::Uploaded { item, end } => self.uploaded(item, end),
            Event::Halt => self.halt(),
        }
    }

    fn wake(&mut self, reason: Reason) {
        let engine = &mut *self.engine;
        match reason {
            Reason::Asked => {
                if !std::mem::replace(&mut engine.asked, true) {
                    engine.session = Session::default();
                }
                engine.parking.clear();
                engine.reference_tried = false;
            }
            Reason::Background => engine.background = true,
            Reason::Changed if !engine.background && !engine.asked => return,
            Reason::Changed | Reason::Awake => {}
        }
        engine.curious |= reason != Reason::Changed;
        if reason == Reason::Awake {
            engine.size.renew();
        }
        if engine.identity.is_none() {
            return self.conclude(Some(Stop::NotEnrolled));
        }
        match (&engine.turn, reason) {
            (Turn::Idle, _) => self.collect(),
            // Saving something is no sign that the network is back.
            (Turn::Waiting, Reason::Changed) => {}
            (Turn::Waiting, _) => {
                engine.backoff.reset();
                self.collect();
            }
            _ => engine.again = true,
        }
    }

    fn tick(&mut self) {
        let runs = self.engine.background || self.engine.asked;
        let due = matches!(self.engine.turn, Turn::Waiting)
            || (matches!(self.engine.turn, Turn::Idle) && runs && !self.engine.uploads.is_active());
        if due && self.engine.identity.is_some() {
            self.engine.curious |= matches!(self.engine.turn, Turn::Idle);
            self.collect();
        }
    }

    pub(super) fn notify(&mut self, notice: Notice) {
        self.out.push(Effect::Notify(notice));
    }
}
