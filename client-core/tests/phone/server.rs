//! A server of a few hundred lines that keeps the protocol: real gate, real ledger, real digests, everything in memory.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ed25519_dalek::VerifyingKey;
use xunge_client_core::doc::FieldDoc;
use xunge_client_core::doc::gate::{ActorVerdict, Policy, Stage, admit};
use xunge_client_core::model::{
    ActorId, CaseId, ChangeHash, DeviceId, IntentId, Millis, Mode, OrgCode, PhotoHash, Role,
};
use xunge_client_core::sync::Response;
use xunge_client_core::wire::census::{self, Count, Counted};
use xunge_client_core::wire::{
    CaseHeads, Census, CensusReply, Envelope, FeedItem, Frame, Need, PhotoItem, PhotoOffer, PhotoOffset, Rejected,
    Request, RequestResult, SyncDown, SyncUp, WireEvent, codec, digest,
};
use xunge_client_core::workflow::{Actor, Command, Context, Event, Ledger, Payload, Source, Verb, apply, decide};

/// A case on the server.
#[derive(Clone, Debug, Default)]
pub(super) struct ServerCase {
    pub(super) doc: FieldDoc,
    pub(super) ledger: Option<Ledger>,
    pub(super) events: Vec<Event>,
    reporter: String,
}

#[derive(Clone, Debug)]
enum News {
    Event(u32),
    Change(ChangeHash),
    Gone(String),
}

/// One line of the feed: which case, what, and the device that need not hear it.
#[derive(Clone, Debug)]
struct Line {
    case: CaseId,
    news: News,
    origin: Option<DeviceId>,
}

/// What a change is refused for, if it is.
pub(super) type Judge = fn(CaseId, &FieldDoc) -> Option<(&'static str, Option<&'static str>)>;

/// The server. Clone it for a backup; put the clone back for a restore.
#[derive(Clone)]
pub(super) struct Server {
    pub(super) epoch: u64,
    pub(super) now: Millis,
    pub(super) cases: BTreeMap<CaseId, ServerCase>,
    pub(super) photos: BTreeMap<PhotoHash, (Vec<u8>, u64)>,
    /// The same of previews, by the photo they are of, and the hash they were announced with.
    pub(super) previews: BTreeMap<PhotoHash, ((Vec<u8>, u64), PhotoHash)>,
    /// False for a server that knows nothing of previews.
    pub(super) takes_previews: bool,
    pub(super) requests: BTreeMap<IntentId, RequestResult>,
    devices: BTreeMap<DeviceId, (VerifyingKey, Actor)>,
    counters: BTreeMap<DeviceId, BTreeMap<u64, [u8; 64]>>,
    /// Whose they are: another phone of the same person may bring what the first one wrote.
    actors: BTreeMap<ActorId, String>,
    feed: Vec<Line>,
    /// Changes it refuses although the gate would not.
    pub(super) judge: Option<Judge>,
    /// Refuses the last of several changes, once, for a fault of its bytes.
    pub(super) refuse_last_once: bool,
    /// Cases that make it fail as a whole.
    pub(super) poison: BTreeSet<CaseId>,
    /// The status a poisoned page is answered with.
    pub(super) poison_status: u16,
    /// And its code.
    pub(super) poison_code: &'static str,
    /// What the next uploads of a photo are answered instead of being taken.
    pub(super) instead: BTreeMap<PhotoHash, VecDeque<Response>>,
    /// Says with every answer that there is more, and never has any.
    pub(super) endless: bool,
    /// Sealed cases.
    pub(super) sealed: BTreeSet<CaseId>,
    /// Changes of this case leave with one bit flipped.
    pub(super) harm: Option<CaseId>,
    /// Flips bytes of the changes in every answer, decided by these.
    pub(super) nonsense: Option<[u8; 8]>,
    /// Most buckets told in one answer.
    pub(super) buckets: usize,
    /// Most feed items in one answer.
    pub(super) page: usize,
    /// Bytes of an upload kept before the connection is lost.
    pub(super) reference: u64,
    /// What it saw, for assertions.
    pub(super) log: Vec<SyncUp>,
    pub(super) bytes_up: usize,
    pub(super) bytes_down: usize,
}

impl Server {
    pub(super) fn new() -> Self {
        Self {
            epoch: 1,
            now: Millis(1_700_020_800_000),
            cases: BTreeMap::new(),
            photos: BTreeMap::new(),
            previews: BTreeMap::new(),
            takes_previews: true,
            requests: BTreeMap::new(),
            devices: BTreeMap::new(),
            counters: BTreeMap::new(),
            actors: BTreeMap::new(),
            feed: Vec::new(),
            judge: None,
            refuse_last_once: false,
            poison: BTreeSet::new(),
            poison_status: 500,
            poison_code: "poison",
            instead: BTreeMap::new(),
            endless: false,
            sealed: BTreeSet::new(),
            harm: None,
            nonsense: None,
            buckets: 256,
            page: 200,
            reference: 0,
            log: Vec::new(),
            bytes_up: 0,
            bytes_down: 0,
        }
    }

    pub(super) fn enrol(&mut self, device: DeviceId, key: VerifyingKey, user: &str) {
        let unit: OrgCode = "U640105001".parse().unwrap();
        let actor = Actor { user: user.to_owned(), role: Role::Inspector, unit: Some(unit) };
        self.devices.insert(device, (key, actor));
    }

    /// Someone at a desk decides.
    pub(super) fn office(&mut self, case: CaseId, verb: Verb, payload: Payload) {
        let role = match verb {
            Verb::Dispatch | Verb::CheckSend => Role::Dispatcher,
            Verb::Sign | Verb::Feedback => Role::HandlingUnit,
            _ => Role::TownOffice,
        };
        let unit = (role == Role::HandlingUnit).then(|| "U640105900".parse().unwrap());
        let actor = Actor { user: format!("{role}1"), role, unit };
        self.decide(case, verb, payload, &actor, None).unwrap_or_else(|refusal| panic!("{verb}: {refusal}"));
    }

    /// A case leaves somebody's scope.
    pub(super) fn hide(&mut self, case: CaseId, from: &str) {
        self.feed.push(Line { case, news: News::Gone(from.to_owned()), origin: None });
    }

    /// Loses a case without a trace, as a restore without a new epoch would.
    pub(super) fn forget(&mut self, case: CaseId) {
        self.cases.remove(&case);
        self.feed.iter_mut().filter(|line| line.case == case).for_each(|line| line.news = News::Gone(String::new()));
    }

    fn decide(
        &mut self,
        case: CaseId,
        verb: Verb,
        payload: Payload,
        actor: &Actor,
        origin: Option<DeviceId>,
    ) -> Result<u32, xunge_client_core::workflow::Refusal> {
        let known = self.cases.entry(case).or_default();
        let context = Context {
            heads: known.doc.heads(),
            case_id: Some(case),
            after_photo_present: true,
            claimed_category: known.doc.facts().0.category_claim,
            case_no: Some("64010520231115000001".to_owned()),
            ..Context::at(self.now)
        };
        let event = decide(known.ledger.as_ref(), &Command::new(verb, payload), actor, &context)?;
        known.ledger = Some(apply(known.ledger.take(), &event).unwrap());
        let version = event.version;
        known.events.push(event);
        // Only an accepted report is not echoed; a decision on a request is.
        let origin = origin.filter(|_| version == 1);
        self.feed.push(Line { case, news: News::Event(version), origin });
        Ok(version)
    }

    /// `POST /v1/sync`.
    pub(super) fn sync(&mut self, body: &[u8]) -> Response {
        self.bytes_up += body.len();
        let Ok(envelope) = Envelope::read(body) else { return problem(400, "malformed") };
        let Some((key, actor)) = self.devices.get(&envelope.device).cloned() else {
            return problem(401, "unknown_device");
        };
        if !envelope.is_signed_by(&key) {
            return problem(401, "bad_proof");
        }
        let seen = self.counters.entry(envelope.device).or_default();
        match seen.get(&envelope.counter) {
            Some(signature) if *signature == envelope.signature => return problem(401, "counter_replayed"),
            Some(_) => return problem(401, "device_cloned"),
            None => seen.insert(envelope.counter, envelope.signature),
        };
        let Ok(up) = codec::unpack::<SyncUp>(&envelope.frame) else { return problem(400, "malformed") };
        if up.check().is_err() {
            return problem(413, "too_large");
        }
        if up.frames.iter().any(|frame| self.poison.contains(&frame.case)) {
            return problem(self.poison_status, self.poison_code);
        }
        let down = self.answer(envelope.device, &actor, &up);
        self.log.push(up);
        let body = codec::pack(&down);
        self.bytes_down += body.len();
        Response { status: 200, retry_after_ms: None, body }
    }

    fn answer(&mut self, device: DeviceId, actor: &Actor, up: &SyncUp) -> SyncDown {
        let cursor = if up.epoch == self.epoch || up.epoch == 0 { up.cursor as usize } else { 0 };
        let mut down = SyncDown { epoch: self.epoch, reference: self.reference, ..SyncDown::default() };
        let mut held = Vec::new();
        let taken = |frame: &&Frame| self.cases.get(&frame.case).is_some_and(|known| known.ledger.is_some());
        let again: Vec<CaseId> =
            up.frames.iter().filter(|frame| frame.submit).filter(taken).map(|frame| frame.case).collect();
        for frame in &up.frames {
            held.push(self.frame(device, actor, frame, up.epoch != self.epoch, &mut down));
        }
        down.ack = digest::of_heads(&held);
        for request in &up.requests {
            down.results.push(self.request(actor, request));
        }
        for offer in &up.photos {
            let PhotoOffer { sha256, bytes, of, .. } = *offer;
            let held = match offer.item() {
                PhotoItem::Full(photo) => self.photos.entry(photo).or_insert((Vec::new(), bytes)),
                PhotoItem::Preview(photo) if self.takes_previews => {
                    let (held, _) = self.previews.entry(photo).or_insert(((Vec::new(), bytes), sha256));
                    held
                }
                PhotoItem::Preview(_) => continue,
            };
            let offset = held.0.len() as u64;
            let name = if of.is_some() { "preview-" } else { "" };
            let location = (offset < held.1).then(|| format!("/v1/photos/{name}{}", offer.item().photo()));
            down.photos.push(PhotoOffset { sha256, offset, location, of });
            down.upload_token = Some("upload".to_owned());
        }
        self.news(device, actor, cursor, &again, &mut down);
        let silent = up.frames.is_empty() && up.requests.is_empty() && down.gone.is_empty() && !down.more;
        if let Some(census) = up.census.as_ref().filter(|_| silent && down.feed.is_empty()) {
            self.compare(&actor.user, census, &mut down);
        }
        down.server_time = self.now;
        self.spoil(&mut down);
        down
    }

    fn frame(
        &mut self,
        device: DeviceId,
        actor: &Actor,
        frame: &Frame,
        old_epoch: bool,
        down: &mut SyncDown,
    ) -> CaseHeads {
        let case = frame.case;
        let unknown = !self.cases.contains_key(&case);
        let hashes: Vec<ChangeHash> =
            frame.changes.iter().map(|body| xunge_client_core::doc::chunk::hash_of_body(body)).collect();
        if unknown && !frame.submit {
            let heads = Vec::new();
            match old_epoch {
                true => down.need.push(Need { case, heads: heads.clone() }),
                false => down.rejected.extend(hashes.iter().map(|hash| rejected(case, *hash, "not_yours", None))),
            }
            down.differs.push(CaseHeads { case, heads: heads.clone() });
            return CaseHeads { case, heads };
        }
        let known = self
            .cases
            .entry(case)
            .or_insert_with(|| ServerCase { reporter: actor.user.clone(), ..ServerCase::default() });
        let actors = &mut self.actors;
        let taken = std::cell::RefCell::new(BTreeSet::new());
        let verdict = |writer: &ActorId| match actors.get(writer) {
            Some(owner) if *owner != actor.user => ActorVerdict::Taken,
            _ => {
                taken.borrow_mut().insert(*writer);
                ActorVerdict::Allowed
            }
        };
        let stage = if self.sealed.contains(&case) { Stage::Sealed } else { Stage::Open };
        let policy = Policy { stage, allowed_actor: &verdict, limits: Default::default() };
        let before = known.doc.clone();
        let mut bodies: Vec<&[u8]> = frame.changes.iter().map(|body| body.as_slice()).collect();
        if self.refuse_last_once && bodies.len() > 1 {
            self.refuse_last_once = false;
            bodies.pop();
            down.rejected.push(rejected(case, hashes[bodies.len()], "actor_taken", None));
        }
        let admission = admit(&mut known.doc, &bodies, &policy);
        let judged = self.judge.and_then(|judge| judge(case, &known.doc)).filter(|_| !admission.accepted.is_empty());
        if let Some((code, field)) = judged {
            known.doc = before;
            down.rejected.extend(admission.accepted.iter().map(|change| rejected(case, change.hash, code, field)));
        } else {
            for change in &admission.accepted {
                actors.insert(change.actor, actor.user.clone());
                self.feed.push(Line { case, news: News::Change(change.hash), origin: Some(device) });
            }
        }
        for refused in &admission.rejected {
            down.rejected.push(rejected(case, refused.hash, refused.code.code(), refused.field.as_deref()));
        }
        let heads = self.cases[&case].doc.heads();
        if !admission.needs.is_empty() {
            down.need.push(Need { case, heads: heads.clone() });
        }
        let tip: Vec<ChangeHash> = hashes.last().copied().into_iter().collect();
        if heads != tip {
            down.differs.push(CaseHeads { case, heads: heads.clone() });
        }
        if frame.submit && self.cases[&case].ledger.is_none() && down.need.iter().all(|need| need.case != case) {
            let facts = self.cases[&case].doc.facts().0;
            let payload = Payload {
                mode_claim: Some(facts.mode_claim.unwrap_or(Mode::Forwarded)),
                category_claim: facts.category_claim,
                discovered_at: facts.discovered_at,
                grid: facts.grid_claim.and_then(|code| code.parse().ok()),
                source: Some(Source::Inspector),
                ..Payload::default()
            };
            self.decide(case, Verb::Submit, payload, actor, Some(device)).unwrap();
        }
        CaseHeads { case, heads }
    }

    fn request(&mut self, actor: &Actor, request: &Request) -> RequestResult {
        if let Some(known) = self.requests.get(&request.intent) {
            return known.clone();
        }
        let payload: Payload = serde_json::from_slice(&request.payload).unwrap();
        let verb = Verb::from_code(&request.verb).unwrap();
        let intent = request.intent;
        let result = match self.decide(request.case, verb, payload, actor, None) {
            Ok(version) => RequestResult { intent, version, code: None, field: None },
            Err(refusal) => {
                let field = refusal.field().map(|field| field.code().to_owned());
                RequestResult { intent, version: 0, code: Some(refusal.code().to_owned()), field }
            }
        };
        self.requests.insert(intent, result.clone());
        result
    }

    fn news(&self, device: DeviceId, actor: &Actor, cursor: usize, again: &[CaseId], down: &mut SyncDown) {
        let mut items: BTreeMap<CaseId, FeedItem> = BTreeMap::new();
        let (mut position, mut count) = (cursor, 0);
        for line in &self.feed[cursor.min(self.feed.len())..] {
            if count == self.page {
                break;
            }
            position += 1;
            let Some(case) = self.cases.get(&line.case) else { continue };
            if line.origin == Some(device) || !is_visible(case, &actor.user) {
                continue;
            }
            let item = items.entry(line.case).or_insert_with(|| FeedItem {
                case: line.case,
                events: Vec::new(),
                changes: Vec::new(),
            });
            match &line.news {
                News::Event(version) => item.events.push(WireEvent::of(&case.events[*version as usize - 1])),
                News::Change(hash) => item.changes.push(case.doc.change_body(hash).unwrap().into()),
                News::Gone(user) if *user == actor.user => down.gone.push(line.case),
                News::Gone(_) => {}
            }
            count += 1;
        }
        for case in again {
            let nothing = || FeedItem { case: *case, events: Vec::new(), changes: Vec::new() };
            let item = items.entry(*case).or_insert_with(nothing);
            if item.events.first().is_none_or(|first| first.version > 1) {
                item.events.insert(0, WireEvent::of(&self.cases[case].events[0]));
            }
        }
        down.feed = items.into_values().filter(|item| item.events.len() + item.changes.len() > 0).collect();
        down.feed_digest = digest::of_page(&codec::encode(&down.feed));
        down.cursor = position as u64;
        down.more = position < self.feed.len() || self.endless;
    }

    /// A server that lies has digests that fit.
    fn spoil(&self, down: &mut SyncDown) {
        for item in &mut down.feed {
            for (place, change) in item.changes.iter_mut().enumerate() {
                let mut body = change.to_vec();
                if self.harm == Some(item.case) {
                    let middle = body.len() / 2;
                    body[middle] ^= 0x10;
                }
                if let Some(dice) = self.nonsense {
                    for pair in dice[..2 + 2 * (place % 3)].chunks(2) {
                        let at = usize::from(pair[0]) * body.len() / 256;
                        body[at] ^= pair[1] | 1;
                    }
                }
                *change = body.into();
            }
        }
        down.feed_digest = digest::of_page(&codec::encode(&down.feed));
    }

    /// Answers a phone that says what it holds.
    fn compare(&self, user: &str, census: &Census, down: &mut SyncDown) {
        let since = census::since(census.day);
        let is_old = |case: &ServerCase| {
            case.ledger.as_ref().is_some_and(Ledger::is_final) && case.events.last().is_some_and(|last| last.at < since)
        };
        let in_view: BTreeMap<CaseId, &ServerCase> = self
            .cases
            .iter()
            .filter(|(id, case)| is_visible(case, user) && !is_old(case) && !census.leaves_out(id))
            .map(|(id, case)| (*id, case))
            .collect();
        let counted = |(id, case): (&CaseId, &&ServerCase)| Counted {
            case: *id,
            version: case.events.len() as u32,
            heads: case.doc.heads(),
        };
        let count = Count::of(census.day, in_view.iter().map(counted).collect());
        let Some(theirs) = &census.buckets else {
            let next = (count.root() != census.root).then_some(0);
            down.census = Some(CensusReply { next, told: None });
            return;
        };
        let mut told: Vec<u8> = count.differing(theirs, census.from.unwrap_or(0)).collect();
        let next = told.get(self.buckets).copied();
        told.truncate(self.buckets);
        for (id, case) in in_view.iter().filter(|(id, _)| told.contains(&census::bucket_of(id))) {
            let changes = case.doc.change_bodies_since(&[]).into_iter().map(|(_, body)| body.into()).collect();
            let events = case.events.iter().map(WireEvent::of).collect();
            down.feed.push(FeedItem { case: *id, events, changes });
        }
        down.feed_digest = digest::of_page(&codec::encode(&down.feed));
        down.census = Some(CensusReply { next, told: Some(told.into()) });
    }

    /// A PATCH of a photo with what a phone hears of it.
    pub(super) fn upload(&mut self, item: PhotoItem, offset: u64, bytes: &[u8]) -> (Response, Option<u64>) {
        if let Some(answer) = self.instead.get_mut(&item.photo()).and_then(VecDeque::pop_front) {
            return (answer, None);
        }
        match self.patch(item, offset, bytes) {
            (status, None) => (problem(status, "upload"), None),
            (status, offset) => (Response { status, retry_after_ms: None, body: Vec::new() }, offset),
        }
    }

    /// A PATCH of a photo; keeps what arrived even if the sender never hears.
    pub(super) fn patch(&mut self, item: PhotoItem, offset: u64, bytes: &[u8]) -> (u16, Option<u64>) {
        let found = match item {
            PhotoItem::Full(photo) => self.photos.get_mut(&photo).map(|held| (held, photo)),
            PhotoItem::Preview(photo) => self.previews.get_mut(&photo).map(|(held, name)| (held, *name)),
        };
        let Some(((held, size), photo)) = found else { return (404, None) };
        if held.len() as u64 != offset {
            return (409, None);
        }
        held.extend_from_slice(bytes);
        if held.len() as u64 == *size && PhotoHash::of(held) != photo {
            held.clear();
            return (460, None);
        }
        (204, Some(held.len() as u64))
    }
}

fn is_visible(case: &ServerCase, user: &str) -> bool {
    case.reporter == user || case.ledger.as_ref().is_some_and(|ledger| ledger.may_write_facts(user))
}

fn rejected(case: CaseId, hash: ChangeHash, code: &str, field: Option<&str>) -> Rejected {
    Rejected { case, hash, code: code.to_owned(), field: field.map(str::to_owned) }
}

pub(super) fn problem(status: u16, code: &str) -> Response {
    let body = serde_json::json!({
        "type": format!("/problems/{code}"), "title": code, "status": status, "code": code, "detail": code,
    });
    Response { status, retry_after_ms: None, body: body.to_string().into_bytes() }
}
