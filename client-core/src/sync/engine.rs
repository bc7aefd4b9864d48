//! The state machine: whose turn it is, and what each event makes of it.

use ed25519_dalek::SigningKey;

use super::check::{self, BadAnswer, Opened};
use super::data::{Batch, Outcome, Room, Sent};
use super::effect::{Effect, Notice, Outbound, OutboundKind, Stop, Upload, Write};
use super::event::{Event, Reason, Response, StoreFailure, UploadEnd};
use super::page::{self, Page, PageSize};
use super::parking::Parking;
use super::retry::{Backoff, Class, classify, spread};
use super::session::{PATIENCE, Session};
use super::uploads::Uploads;
use crate::model::{DeviceId, PhotoHash, Sha256};
use crate::platform::Now;
use crate::wire::{Proof, codec};

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
    /// Photos offered in one request.
    pub offers: usize,
}

impl Default for Settings {
    /// Five minutes, since an idle sync costs half a kilobyte; 32 photos are a minute of a good link.
    fn default() -> Self {
        Self { poll_ms: 300_000, offers: 32 }
    }
}

/// Longest wait inside a run someone is waiting for.
const ASKED_WAIT_MS: u64 = 15_000;
/// Photos whose completion is written down at once; a crash before that only asks the server again.
const PHOTOS_PER_WRITE: usize = 16;
/// Largest reference bundle taken, uncompressed.
const REFERENCE_BYTES: usize = 8 << 20;
/// A token is renewed this long before its ten minutes end.
const TOKEN_MS: u64 = 540_000;

enum Turn {
    /// Nothing in the air but uploads.
    Idle,
    Collecting,
    Sending {
        exchange: u64,
        page: Box<Page>,
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
    uploads: Vec<(PhotoHash, u64, u64, String)>,
    unanswered: Vec<PhotoHash>,
    token: Option<String>,
    more: bool,
    reference: u64,
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
    backoff: Backoff,
    parking: Parking,
    uploads: Uploads,
    /// Uploads that ended and are not written down yet.
    done: Vec<(PhotoHash, u64, bool)>,
    /// Photos whose upload had to be offered anew in this run.
    troubled: std::collections::BTreeSet<PhotoHash>,
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
            backoff: Backoff::default(),
            parking: Parking::default(),
            uploads: Uploads::default(),
            done: Vec::new(),
            troubled: Default::default(),
            session: Session::default(),
            asked: false,
            background: false,
            again: false,
            more: false,
            curious: false,
            wants_reference: false,
            reference_tried: false,
            token: None,
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
            Event::Uploaded { photo, end } => self.uploaded(photo, end),
            Event::Halt => self.halt(),
        }
    }

    fn wake(&mut self, reason: Reason) {
        let engine = &mut *self.engine;
        match reason {
            Reason::Asked => {
                engine.asked = true;
                engine.session = Session::default();
                engine.parking.clear();
                engine.reference_tried = false;
            }
            Reason::Background => engine.background = true,
            Reason::Changed if !engine.background && !engine.asked => return,
            Reason::Changed | Reason::Awake => {}
        }
        engine.curious |= reason != Reason::Changed;
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
        let due = matches!(self.engine.turn, Turn::Waiting)
            || (matches!(self.engine.turn, Turn::Idle) && self.engine.background && !self.engine.uploads.is_active());
        if due && self.engine.identity.is_some() {
            self.engine.curious |= matches!(self.engine.turn, Turn::Idle);
            self.collect();
        }
    }

    fn collect(&mut self) {
        self.write_photos();
        let engine = &mut *self.engine;
        engine.turn = Turn::Collecting;
        engine.again = false;
        let now_ms = self.now.mono_ms;
        let parked_photos = engine.parking.photos(now_ms).chain(engine.uploads.photos()).collect();
        self.out.push(Effect::Collect(Room {
            bytes: engine.size.raw_bytes(),
            photos: if engine.uploads.is_active() { 0 } else { engine.settings.offers },
            parked_cases: engine.parking.cases(now_ms),
            parked_photos,
        }));
    }

    fn collected(&mut self, batch: Batch) {
        let engine = &mut *self.engine;
        if !matches!(engine.turn, Turn::Collecting) {
            return;
        }
        engine.session.waiting(batch.waiting);
        (engine.counter, engine.reference) = (batch.counter, batch.reference);
        let nothing = batch.cases.is_empty() && batch.requests.is_empty() && batch.photos.is_empty();
        if nothing && !engine.more && !engine.curious {
            return self.rest();
        }
        engine.curious = false;
        let Some(identity) = &engine.identity else { return self.conclude(Some(Stop::NotEnrolled)) };
        let page = page::build(batch, engine.size, identity.device, &identity.key, self.now.wall);
        engine.counter = page.sent.counter;
        self.out.push(Effect::Persist(Write::Sent(page.sent.clone())));
        let exchange = self.send(OutboundKind::Sync, page.envelope.clone(), None);
        self.engine.turn = Turn::Sending { exchange, page: Box::new(page) };
    }

    fn send(&mut self, kind: OutboundKind, body: Vec<u8>, bearer: Option<String>) -> u64 {
        let exchange = self.engine.next_exchange;
        self.engine.next_exchange += 1;
        self.out.push(Effect::Send(Outbound { exchange, kind, body, bearer }));
        exchange
    }

    fn answered(&mut self, exchange: u64, response: &Response) {
        match std::mem::replace(&mut self.engine.turn, Turn::Idle) {
            Turn::Sending { exchange: mine, page } if mine == exchange => self.sync_answered(page, response),
            Turn::Token { exchange: mine } if mine == exchange => self.token_answered(response),
            Turn::Reference { exchange: mine } if mine == exchange => self.reference_answered(response),
            // An answer nobody waits for any more.
            other => self.engine.turn = other,
        }
    }

    fn unanswered(&mut self, exchange: u64) {
        let waited_for = match &self.engine.turn {
            Turn::Sending { exchange: mine, .. }
            | Turn::Token { exchange: mine }
            | Turn::Reference { exchange: mine } => *mine == exchange,
            _ => false,
        };
        if waited_for {
            self.engine.size.shrink();
            self.fail(None, Stop::Offline);
        }
    }

    fn sync_answered(&mut self, page: Box<Page>, response: &Response) {
        match classify(response) {
            Class::Good => match check::open(&response.body, page.pushed.clone(), &page.offers, self.now.wall) {
                Ok(opened) => self.apply(page, opened),
                // Damaged on the way, or not from our server at all.
                Err(BadAnswer::Wire(_)) => {
                    self.engine.size.shrink();
                    self.fail(None, Stop::Offline);
                }
                // A server that contradicts itself: nothing of it is believed.
                Err(BadAnswer::Ack | BadAnswer::Feed) => self.fail(None, Stop::Stalled),
            },
            Class::Network => {
                self.engine.size.shrink();
                self.fail(None, Stop::Offline);
            }
            Class::Transient { after_ms } => {
                let stop = Stop::Busy { status: response.status, retry_after_ms: after_ms };
                self.fail(after_ms, stop);
            }
            Class::Page { code } => self.page_refused(&page, response.status, code),
            Class::Phone { code } => self.blocked(code),
        }
    }

    fn apply(&mut self, page: Box<Page>, opened: Opened) {
        let Opened { answer, uploads, unanswered, token, more, reference } = opened;
        self.engine.turn =
            Turn::Applying { page, opened: Box::new(Aside { uploads, unanswered, token, more, reference }) };
        self.out.push(Effect::Persist(Write::Answer(Box::new(answer))));
    }

    fn applied(&mut self, outcome: Outcome) {
        let Turn::Applying { page, opened } = std::mem::replace(&mut self.engine.turn, Turn::Idle) else { return };
        let engine = &mut *self.engine;
        engine.backoff.reset();
        engine.size.grow();
        engine.session.answered(&outcome);
        let now_ms = self.now.mono_ms;
        outcome.confirmed.iter().for_each(|case| engine.parking.release_case(case));
        outcome.stuck.iter().for_each(|case| engine.parking.park_case(*case, now_ms));
        opened.unanswered.iter().for_each(|photo| engine.parking.park_photo(*photo, now_ms));
        engine.more = opened.more;
        engine.wants_reference = opened.reference != engine.reference && !engine.reference_tried;
        if let Some(token) = opened.token {
            for (photo, offset, bytes, location) in opened.uploads {
                engine.uploads.add(Upload { photo, offset, bytes, location, token: token.clone() });
            }
        }
        let moved = outcome.progress || page.items() + page.offers.len() == 0 || engine.uploads.is_active();
        engine.session.stalls = if moved { 0 } else { engine.session.stalls + 1 };
        if !outcome.changed.is_empty() {
            self.notify(Notice::CasesChanged(outcome.changed.into_iter().collect()));
        }
        if !outcome.refused.is_empty() {
            self.notify(Notice::Refused(outcome.refused));
        }
        if self.engine.session.stalls >= PATIENCE {
            return self.conclude(Some(Stop::Stalled));
        }
        if page.text_left || opened.more || self.engine.again || outcome.new_epoch {
            return self.collect();
        }
        self.rest();
    }

    /// No text waits: reference data, then photos, then the end.
    fn rest(&mut self) {
        if self.engine.wants_reference {
            return self.fetch_reference();
        }
        for upload in self.engine.uploads.start() {
            self.out.push(Effect::Upload(upload));
        }
        if self.engine.uploads.is_active() {
            self.engine.turn = Turn::Idle;
        } else if matches!(self.engine.turn, Turn::Collecting) && self.engine.done.is_empty() {
            self.conclude(None);
        } else {
            self.collect();
        }
    }

    fn fetch_reference(&mut self) {
        let engine = &mut *self.engine;
        (engine.wants_reference, engine.reference_tried) = (false, true);
        if let Some((token, until)) = &engine.token
            && *until > self.now.mono_ms
        {
            let bearer = Some(token.clone());
            let exchange = self.send(OutboundKind::Reference, Vec::new(), bearer);
            self.engine.turn = Turn::Reference { exchange };
            return;
        }
        let Some(Identity { device, key }) = engine.identity.clone() else { return };
        engine.counter += 1;
        let counter = engine.counter;
        let proof = Proof { method: "POST", path: "/v1/auth/token", body: Sha256::of(b""), device, counter };
        let signature = hex::encode(proof.sign(&key));
        let body = serde_json::json!({"grant": "device", "device": device, "counter": counter, "signature": signature});
        self.out.push(Effect::Persist(Write::Sent(Sent { counter, cases: Vec::new() })));
        let exchange = self.send(OutboundKind::Token, body.to_string().into_bytes(), None);
        self.engine.turn = Turn::Token { exchange };
    }

    fn token_answered(&mut self, response: &Response) {
        let body = serde_json::from_slice::<serde_json::Value>(&response.body).unwrap_or_default();
        match (classify(response), body["access_token"].as_str()) {
            (Class::Good, Some(token)) => {
                self.engine.token = Some((token.to_owned(), self.now.mono_ms + TOKEN_MS));
                let exchange = self.send(OutboundKind::Reference, Vec::new(), Some(token.to_owned()));
                self.engine.turn = Turn::Reference { exchange };
            }
            (Class::Phone { code }, _) => self.blocked(code),
            // Reports and photos do without it; the next run asks again.
            _ => self.rest(),
        }
    }

    fn reference_answered(&mut self, response: &Response) {
        let json = match response.body.first() {
            Some(b'{') => Some(response.body.clone()),
            _ => codec::decompress(&response.body, REFERENCE_BYTES).ok(),
        };
        if let Some(json) = json.filter(|_| response.status == 200) {
            self.out.push(Effect::Persist(Write::Reference(json)));
            self.notify(Notice::ReferenceChanged);
        }
        self.rest();
    }

    fn uploaded(&mut self, photo: PhotoHash, end: UploadEnd) {
        let Some(upload) = self.engine.uploads.end(&photo) else { return };
        let (status, offset, response) = match &end {
            UploadEnd::Answered { response, offset } => (response.status, *offset, Some(response)),
            UploadEnd::Unanswered => (0, None, None),
            UploadEnd::NoBytes => {
                self.out.push(Effect::Persist(Write::PhotoRefused { photo, code: "photo_missing".to_owned() }));
                return self.after_upload();
            }
        };
        let code = response.map(photo_code).unwrap_or_default();
        match (status, offset) {
            (200..=299, Some(offset)) if offset >= upload.bytes => {
                self.engine.parking.release_photo(&photo);
                self.engine.done.push((photo, upload.bytes, true));
                self.engine.session.photo_sent();
                self.engine.backoff.reset();
                self.notify(Notice::PhotoSent(photo));
            }
            (200..=299, Some(offset)) if offset > upload.offset => {
                self.engine.done.push((photo, offset, false));
                self.engine.session.progressed();
                self.engine.uploads.add(Upload { offset, ..upload });
            }
            (429 | 503 | 507, _) => {
                self.engine.uploads.forget_queue();
                self.engine.parking.park_photo(photo, self.now.mono_ms);
                let after_ms = response.and_then(|response| response.retry_after_ms);
                return self.upload_failed(after_ms, Stop::Busy { status, retry_after_ms: after_ms });
            }
            (400 | 413 | 415 | 422, _) => self.out.push(Effect::Persist(Write::PhotoRefused { photo, code })),
            // The bytes do not have their name: once the way may be to blame, twice the file is.
            (460, _) if self.engine.troubled.contains(&photo) => {
                self.out.push(Effect::Persist(Write::PhotoRefused { photo, code: "photo_damaged".to_owned() }));
            }
            // Offset, token or resource is not what we thought: the next answer tells anew.
            (200..=299 | 401 | 403 | 404 | 409 | 410 | 412 | 460, _) => {
                if !self.engine.troubled.insert(photo) {
                    self.engine.parking.park_photo(photo, self.now.mono_ms);
                }
            }
            _ => return self.upload_failed(None, Stop::Offline),
        }
        self.after_upload();
    }

    /// A broken upload is a broken link: wait, unless someone waits already.
    fn upload_failed(&mut self, after_ms: Option<u64>, stop: Stop) {
        self.engine.uploads.forget_queue();
        if matches!(self.engine.turn, Turn::Idle) {
            self.fail(after_ms, stop);
        }
    }

    fn after_upload(&mut self) {
        if self.engine.done.len() >= PHOTOS_PER_WRITE {
            self.write_photos();
        }
        // Text goes first: nothing new starts while a request is on its way.
        if !matches!(self.engine.turn, Turn::Idle) {
            return;
        }
        for upload in self.engine.uploads.start() {
            self.out.push(Effect::Upload(upload));
        }
        if !self.engine.uploads.is_active() {
            self.collect();
        }
    }

    fn write_photos(&mut self) {
        if !self.engine.done.is_empty() {
            self.out.push(Effect::Persist(Write::Photos(std::mem::take(&mut self.engine.done))));
        }
    }

    /// A page the server can not digest: halve it until the item at fault stands alone, then go on without that.
    fn page_refused(&mut self, page: &Page, status: u16, code: String) {
        if self.engine.size.halve(page.items()) {
            return self.collect();
        }
        let alone = page.pushed.first().map(|pushed| pushed.case).or(page.requests.first().map(|(_, case)| *case));
        let stop = Stop::Busy { status, retry_after_ms: None };
        if let Some(case) = alone {
            self.engine.parking.park_case(case, self.now.mono_ms);
            if status != 500 {
                self.out.push(Effect::Persist(Write::Attention { case, code }));
                return self.collect();
            }
        }
        self.fail(None, stop);
    }

    fn blocked(&mut self, code: String) {
        self.out.push(Effect::Persist(Write::Blocked(Some(code.clone()))));
        self.notify(Notice::Blocked { code: code.clone() });
        self.engine.uploads.forget_queue();
        self.conclude(Some(Stop::Blocked { code }));
    }

    fn store_failed(&mut self, failure: StoreFailure) {
        match failure {
            // Two processes on one store: the other one sent or pulled; look again.
            StoreFailure::Moved if self.engine.session.stalls < PATIENCE => {
                self.engine.session.stalls += 1;
                self.collect();
            }
            StoreFailure::Moved => self.fail(None, Stop::Store("another process is syncing".to_owned())),
            StoreFailure::Full => self.fail(None, Stop::Store("storage_full".to_owned())),
            StoreFailure::Other(reason) => self.fail(None, Stop::Store(reason)),
        }
    }

    /// Waits, or gives a run back to whoever waits for it.
    fn fail(&mut self, after_ms: Option<u64>, stop: Stop) {
        let wait = self.engine.backoff.fail(self.dice).max(after_ms.map_or(0, |ms| ms + spread(ms / 4, self.dice)));
        let engine = &mut *self.engine;
        engine.session.failures += 1;
        engine.curious = true;
        engine.uploads.forget_queue();
        let impatient = engine.session.failures >= PATIENCE || wait > ASKED_WAIT_MS;
        if engine.asked && impatient && !engine.uploads.is_under_way() {
            self.write_photos();
            self.finish(Some(stop));
        }
        if self.engine.asked || self.engine.background {
            let until_ms = self.now.mono_ms + wait;
            self.engine.turn = Turn::Waiting;
            self.out.push(Effect::Sleep { until_ms });
            self.notify(Notice::Waiting { until_ms });
        } else {
            self.engine.turn = Turn::Idle;
        }
    }

    /// Nothing more to do for now.
    fn conclude(&mut self, stop: Option<Stop>) {
        self.write_photos();
        self.engine.turn = Turn::Idle;
        self.finish(stop);
        if self.engine.background {
            let now_ms = self.now.mono_ms;
            let poll = now_ms + spread(self.engine.settings.poll_ms, self.dice);
            let until_ms = self.engine.parking.next_ms(now_ms).map_or(poll, |parked| parked.min(poll));
            self.out.push(Effect::Sleep { until_ms });
        }
    }

    fn finish(&mut self, stop: Option<Stop>) {
        let engine = &mut *self.engine;
        let summary = std::mem::take(&mut engine.session).finish(stop);
        (engine.reference_tried, engine.more) = (false, false);
        engine.troubled.clear();
        if summary.drained {
            self.notify(Notice::Drained);
        }
        if std::mem::take(&mut self.engine.asked) {
            self.out.push(Effect::Finish(Box::new(summary)));
        }
    }

    fn halt(&mut self) {
        self.engine.background = false;
        self.engine.uploads.forget_queue();
        self.engine.turn = Turn::Idle;
        if self.engine.asked {
            self.finish(Some(Stop::Halted));
        }
    }

    fn notify(&mut self, notice: Notice) {
        self.out.push(Effect::Notify(notice));
    }
}

fn photo_code(response: &Response) -> String {
    let problem = serde_json::from_slice::<crate::wire::Problem>(&response.body);
    problem.map_or_else(|_| format!("http_{}", response.status), |problem| problem.code)
}
