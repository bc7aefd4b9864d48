//! Phones, a server and the weather between them, on one thread.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use xunge_client_core::client::Notice;
use xunge_client_core::doc::Edit;
use xunge_client_core::driver::Listeners;
use xunge_client_core::driver::core::{Core, Outside};
use xunge_client_core::model::{
    CaseId, CategoryRef, DeviceId, Millis, Mode, PhotoFact, PhotoHash, PhotoRole, Point, Role, Sha256,
};
use xunge_client_core::platform::{Clock, Entropy, Files, random};
use xunge_client_core::store::{Enrolment, NewPhoto, ServerInfo, Step, Store, UserInfo};
use xunge_client_core::sync::trace::{Trace, replay};
use xunge_client_core::sync::{
    Engine, Event, Identity, Outbound, OutboundKind, Reason, Response, Settings, Summary, Upload, UploadEnd,
};

use xunge_client_core::wire::codec;

use super::machine::{HandClock, MemoryFiles, Seeded};
use super::server::{Server, problem};

/// What the network does to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Request and answer arrive.
    Fine,
    /// The request is lost.
    Lost,
    /// The server acts, its answer is lost.
    AnswerLost,
    /// The request arrives twice; the phone hears the second answer.
    Twice,
    /// The answer arrives damaged.
    Damaged,
    /// It takes a second and a half, and the answer is lost if it has more bytes than this.
    Narrow(usize),
}

/// A phone that can be switched off and on again.
pub(super) struct Phone {
    pub(super) store: Arc<Store>,
    pub(super) clock: Arc<HandClock>,
    pub(super) entropy: Arc<Seeded>,
    pub(super) files: Arc<MemoryFiles>,
    pub(super) listeners: Listeners,
    pub(super) device: DeviceId,
    pub(super) user: String,
    path: Option<PathBuf>,
    key: SigningKey,
    core: Core,
    /// HTTP requests made, uploads included.
    pub(super) requests: u32,
}

impl Phone {
    /// A phone of `user`, enrolled; in memory, or in a file that survives [`Phone::reboot`].
    pub(super) fn new(server: &mut Server, user: &str, seed: u64, path: Option<PathBuf>) -> Self {
        let entropy = Arc::new(Seeded::new(seed));
        let store = Arc::new(open(path.as_deref(), entropy.clone()));
        let (device, key) = enrol(&store, &entropy, server, user, "code");
        let (clock, listeners) = (Arc::new(HandClock::new()), Listeners::default());
        let core = core(&store, device, &key, &clock, &entropy, &listeners);
        let (files, user) = (Arc::new(MemoryFiles::default()), user.to_owned());
        Self { store, clock, entropy, files, listeners, device, user, path, key, core, requests: 0 }
    }

    /// A phone that starts on a database it finds, as it is.
    pub(super) fn of_file(seed: u64, path: PathBuf) -> Self {
        let entropy = Arc::new(Seeded::new(seed));
        let store = Arc::new(open(Some(&path), entropy.clone()));
        let known = store.phone().unwrap();
        let (device, user) = (known.device.unwrap(), known.user.unwrap().id);
        let key = SigningKey::from_bytes(&store.key_seed().unwrap().unwrap());
        let (clock, listeners) = (Arc::new(HandClock::new()), Listeners::default());
        let core = core(&store, device, &key, &clock, &entropy, &listeners);
        let (files, path) = (Arc::new(MemoryFiles::default()), Some(path));
        Self { store, clock, entropy, files, listeners, device, user, path, key, core, requests: 0 }
    }

    /// The same user enrols again with a new code.
    pub(super) fn enrol_again(&mut self, server: &mut Server) {
        (self.device, self.key) = enrol(&self.store, &self.entropy, server, &self.user, "another code");
        self.core = core(&self.store, self.device, &self.key, &self.clock, &self.entropy, &self.listeners);
    }

    /// The process dies and starts again: everything that was not in the database is gone.
    pub(super) fn reboot(&mut self) {
        let path = self.path.clone().expect("a phone in a file");
        self.store = Arc::new(open(Some(&path), self.entropy.clone()));
        self.core = core(&self.store, self.device, &self.key, &self.clock, &self.entropy, &self.listeners);
    }

    /// Saves a submitted report; the text also tells how large it is.
    pub(super) fn report(&self, text: &str) -> CaseId {
        let case = self.draft(text);
        self.act(case, &[Step::Submit]);
        case
    }

    pub(super) fn draft(&self, text: &str) -> CaseId {
        let now = self.clock.now().wall;
        let case = CaseId::from_parts(now, random(self.entropy.as_ref()));
        self.store.act(case, true, &[Step::Edit(facts(text, now))], now).unwrap();
        case
    }

    pub(super) fn act(&self, case: CaseId, steps: &[Step]) {
        self.store.act(case, false, steps, self.clock.now().wall).unwrap();
    }

    pub(super) fn describe(&self, case: CaseId, text: &str) {
        self.act(case, &[Step::Edit(vec![Edit::Description(text.to_owned())])]);
    }

    /// Attaches `bytes` as a photo.
    pub(super) fn attach(&self, case: CaseId, role: PhotoRole, bytes: &[u8]) -> PhotoHash {
        let sha256 = PhotoHash::of(bytes);
        self.files.save(&[(sha256, bytes)]).unwrap();
        let size = bytes.len() as u64;
        let fact = PhotoFact { role, mime: "image/jpeg".into(), bytes: size, w: 1_600, h: 1_200, taken_at: None };
        let original = Sha256::of(bytes);
        self.act(case, &[Step::Attach(NewPhoto { sha256, fact, original, preview: vec![bytes[0]; 100] })]);
        sha256
    }

    pub(super) fn text(&self, case: CaseId) -> String {
        self.store.detail(case).unwrap().unwrap().facts.description
    }

    pub(super) fn is_on_server(&self, case: CaseId) -> bool {
        self.store.status_items().unwrap().iter().any(|item| item.id == case && item.on_server)
    }

    pub(super) fn attention(&self, case: CaseId) -> Option<String> {
        self.store.detail(case).unwrap().unwrap().item.attention
    }

    /// One run, as someone who presses "sync" sees it.
    pub(super) fn sync(&mut self, server: &mut Server, weather: &mut dyn FnMut(u32, &Call) -> Fate) -> Summary {
        let mut world = Run { phone: self, server, weather, queue: VecDeque::new(), sleep: None, calls: 0 };
        world.until_finished(Event::Wake(Reason::Asked))
    }

    /// One run in fine weather.
    pub(super) fn sync_fine(&mut self, server: &mut Server) -> Summary {
        self.sync(server, &mut |_, _| Fate::Fine)
    }

    /// What the background loop does with `first` until it sleeps, in fine weather; answers when it wants to wake.
    /// `meanwhile` tells what happens on the phone while a request or an upload is in the air.
    pub(super) fn live(
        &mut self,
        server: &mut Server,
        first: Event,
        meanwhile: &mut dyn FnMut(&Store, &Outside) -> Option<Event>,
    ) -> Option<u64> {
        let weather = &mut |_: u32, _: &Call| Fate::Fine;
        let mut world = Run { phone: self, server, weather, queue: VecDeque::new(), sleep: None, calls: 0 };
        world.queue.extend(world.phone.core.step(first));
        while let Some(left) = world.queue.pop_front() {
            if let Some(event) = meanwhile(&world.phone.store, &left) {
                let more = world.phone.core.step(event);
                world.queue.extend(more);
            }
            let event = match left {
                Outside::Send(outbound) => world.send(outbound),
                Outside::Upload { upload, preview } => world.upload(upload, preview),
                Outside::Sleep { until_ms } => {
                    world.sleep = Some(until_ms);
                    continue;
                }
                Outside::Finish(_) => continue,
            };
            let more = world.phone.core.step(event);
            world.queue.extend(more);
        }
        world.sleep
    }

    /// The first step of a run, without performing what it asks of the network.
    pub(super) fn step(&mut self, event: Event) -> Vec<Outside> {
        self.core.step(event)
    }

    /// Repeats what the flight recorder holds; answers how many steps and bytes it has.
    pub(super) fn replay(&mut self) -> (usize, usize) {
        let (bytes, _) = self.core.trace();
        let steps = replay(&codec::decode::<Trace>(&bytes).unwrap()).unwrap_or_else(|error| panic!("{error}"));
        (steps, bytes.len())
    }

    /// What the flight recorder holds, as bytes; it begins anew if it is long.
    pub(super) fn segment(&mut self) -> (Vec<u8>, bool) {
        self.core.trace()
    }

    /// Collects notices from now on.
    pub(super) fn notices(&self) -> (Arc<std::sync::Mutex<Vec<Notice>>>, xunge_client_core::client::Subscription) {
        let heard = Arc::new(std::sync::Mutex::new(Vec::new()));
        let into = heard.clone();
        let subscription = self.listeners.subscribe(Arc::new(move |notice: &Notice| {
            into.lock().unwrap().push(notice.clone());
        }));
        (heard, subscription)
    }
}

/// What is about to cross the network.
#[derive(Clone, Debug)]
pub(super) enum Call {
    Sync,
    Token,
    Reference,
    Photo(u64),
    /// A preview.
    Preview,
}

struct Run<'a> {
    phone: &'a mut Phone,
    server: &'a mut Server,
    weather: &'a mut dyn FnMut(u32, &Call) -> Fate,
    queue: VecDeque<Outside>,
    sleep: Option<u64>,
    calls: u32,
}

impl Run<'_> {
    fn until_finished(&mut self, first: Event) -> Summary {
        self.queue.extend(self.phone.core.step(first));
        for _ in 0..10_000 {
            let event = match self.queue.pop_front() {
                Some(Outside::Finish(summary)) => {
                    // What else was asked for belongs to nobody now.
                    self.queue.clear();
                    return *summary;
                }
                Some(Outside::Sleep { until_ms }) => {
                    self.sleep = Some(until_ms);
                    continue;
                }
                Some(Outside::Send(outbound)) => self.send(outbound),
                Some(Outside::Upload { upload, preview }) => self.upload(upload, preview),
                None => {
                    let until_ms = self.sleep.take().expect("a run without a next step would wait for ever");
                    let now_ms = self.phone.clock.now().mono_ms;
                    self.phone.clock.advance(until_ms.saturating_sub(now_ms));
                    Event::Tick
                }
            };
            self.queue.extend(self.phone.core.step(event));
        }
        panic!("the run does not end");
    }

    fn fate(&mut self, call: &Call) -> Fate {
        self.phone.requests += 1;
        let number = self.calls;
        self.calls += 1;
        self.phone.clock.advance(500);
        self.server.now = Millis(self.server.now.0 + 500);
        (self.weather)(number, call)
    }

    fn send(&mut self, outbound: Outbound) -> Event {
        let exchange = outbound.exchange;
        let call = match outbound.kind {
            OutboundKind::Sync => Call::Sync,
            OutboundKind::Token => Call::Token,
            OutboundKind::Reference => Call::Reference,
        };
        let fate = self.fate(&call);
        if fate == Fate::Lost {
            return Event::Unanswered { exchange };
        }
        let mut response = self.serve(&outbound);
        if fate == Fate::Twice {
            response = self.serve(&outbound);
        }
        match fate {
            Fate::AnswerLost => Event::Unanswered { exchange },
            Fate::Narrow(bytes) => {
                self.phone.clock.advance(1_000);
                if response.body.len() > bytes {
                    return Event::Unanswered { exchange };
                }
                Event::Answered { exchange, response }
            }
            Fate::Damaged => {
                let middle = response.body.len() / 2;
                if let Some(byte) = response.body.get_mut(middle) {
                    *byte ^= 0x40;
                }
                Event::Answered { exchange, response }
            }
            _ => Event::Answered { exchange, response },
        }
    }

    fn serve(&mut self, outbound: &Outbound) -> Response {
        let ok = |body: String| Response { status: 200, retry_after_ms: None, body: body.into_bytes() };
        match outbound.kind {
            OutboundKind::Sync => self.server.sync(&outbound.body),
            OutboundKind::Token => ok(r#"{"access_token":"t","token_type":"Bearer","expires_in":600}"#.into()),
            OutboundKind::Reference if outbound.bearer.as_deref() == Some("t") => ok(format!(
                r#"{{"version":{},"taxonomy":[],"grids":[],"void_reasons":[],"units":[]}}"#,
                self.server.reference
            )),
            OutboundKind::Reference => problem(401, "unauthorized"),
        }
    }

    fn upload(&mut self, upload: Upload, preview: Option<Vec<u8>>) -> Event {
        let Upload { item, offset, .. } = upload;
        let end = |end| Event::Uploaded { item, end };
        let (call, bytes) = match preview {
            Some(whole) => (Call::Preview, whole[offset as usize..].to_vec()),
            None => match self.phone.files.read_at(&item.photo(), offset, 64 << 10) {
                Ok(bytes) => (Call::Photo(offset), bytes),
                Err(error) => return end(UploadEnd::unread(&error)),
            },
        };
        self.phone.core.spent(bytes.len() as u64);
        let fate = self.fate(&call);
        if fate == Fate::Lost {
            return end(UploadEnd::Unanswered);
        }
        let cut = if fate == Fate::AnswerLost { bytes.len() / 2 } else { bytes.len() };
        let (response, offset) = self.server.upload(item, offset, &bytes[..cut]);
        end(if fate == Fate::AnswerLost { UploadEnd::Unanswered } else { UploadEnd::Answered { response, offset } })
    }
}

fn enrol(store: &Store, entropy: &Arc<Seeded>, server: &mut Server, user: &str, code: &str) -> (DeviceId, SigningKey) {
    let device = DeviceId::from_bytes(random(entropy.as_ref()));
    let key = SigningKey::from_bytes(&store.seed_for_code(code).unwrap());
    server.enrol(device, key.verifying_key(), user);
    store.enrolled(&enrolment(device, user, server.epoch)).unwrap();
    (device, key)
}

fn open(path: Option<&std::path::Path>, entropy: Arc<Seeded>) -> Store {
    match path {
        Some(path) => Store::open(path, entropy).unwrap(),
        None => Store::in_memory(entropy).unwrap(),
    }
}

fn core(
    store: &Arc<Store>,
    device: DeviceId,
    key: &SigningKey,
    clock: &Arc<HandClock>,
    entropy: &Arc<Seeded>,
    listeners: &Listeners,
) -> Core {
    let identity = Identity { device, key: key.clone() };
    let engine = Engine::new(Some(identity), Settings::default());
    let (clock, entropy): (Arc<dyn Clock>, Arc<dyn Entropy>) = (clock.clone(), entropy.clone());
    Core::new(engine, store.clone(), clock, entropy, listeners.clone())
}

pub(super) fn enrolment(device: DeviceId, user: &str, epoch: u64) -> Enrolment {
    let name = user.to_owned();
    let user = UserInfo {
        id: name.clone(),
        name,
        role: Role::Inspector,
        unit: Some("U640105001".parse().unwrap()),
        scope: Some("640105001".parse().unwrap()),
        grids: Vec::new(),
    };
    let server = ServerInfo {
        name: "test".into(),
        district: "640105".into(),
        signing_key: "00".repeat(32),
        sealing_key: "00".repeat(32),
    };
    Enrolment { device, url: "http://127.0.0.1:1".into(), spki_pin: None, server, user, epoch }
}

/// Facts of an ordinary report.
pub(super) fn facts(text: &str, now: Millis) -> Vec<Edit> {
    let category: CategoryRef = "xixia-2023:event:0101".parse().unwrap();
    vec![
        Edit::CategoryClaim(Some(category)),
        Edit::Description(text.to_owned()),
        Edit::Point(Some(Point { lon_e6: 106_100_000, lat_e6: 38_500_000 })),
        Edit::ModeClaim(Some(Mode::Forwarded)),
        Edit::GridClaim(Some("640105001001001".to_owned())),
        Edit::DiscoveredAt(Some(now)),
    ]
}
