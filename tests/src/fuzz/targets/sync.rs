//! Sync v1, both ways: what a phone sends, and what a phone is told.
//!
//! Damage inside a body is packed, signed and digested again, so that it gets as far as its author could bring it.

use std::sync::{Arc, Mutex, OnceLock};

use ed25519_dalek::SigningKey;
use xunge_client_core::doc::testing::{Dice, Life, mutate};
use xunge_client_core::doc::{Edit, chunk};
use xunge_client_core::driver::Listeners;
use xunge_client_core::driver::core::{Core, Outside};
use xunge_client_core::model::{CaseId, CategoryRef, DeviceId, IntentId, Millis, Mode, PhotoHash, Point, Role};
use xunge_client_core::platform::{Clock, Entropy, Now};
use xunge_client_core::store::{Enrolment, ListQuery, ServerInfo, Step, Store, UserInfo};
use xunge_client_core::sync::{Engine, Event, Identity, Outbound, Reason, Response, Settings};
use xunge_client_core::wire::census::{self, Count, Counted};
use xunge_client_core::wire::{
    CaseHeads, Census, CensusReply, Envelope, FeedItem, Frame, PhotoOffer, PhotoOffset, Request, RequestResult,
    SyncDown, SyncUp, WireError, WireEvent, codec, digest, limits,
};

use crate::fuzz::{Outcome, Target, cbor, parts};

/// A request, from the bytes of its envelope to the rules of its lists.
///
/// An input: what is damaged (`body`, the compressed `frame`, the whole `envelope`), its bytes.
pub(super) struct Body;

/// An answer, believed by a phone that had something to say.
pub(super) struct Answer;

fn device() -> (DeviceId, SigningKey) {
    (DeviceId::from_bytes([7; 16]), SigningKey::from_bytes(&[5; 32]))
}

fn seal(frame: Vec<u8>) -> Envelope {
    let (device, key) = device();
    Envelope::seal(frame, device, 9, &key)
}

/// Requests as phones send them.
pub(super) fn requests() -> Vec<SyncUp> {
    let case = |byte| CaseId::from_bytes([byte; 16]);
    let frames = (0..4u8).map(|seed| {
        let changes = Life::new(&mut Dice::new(seed.into())).next.into_iter().map(Into::into).collect();
        Frame { case: case(seed), changes, submit: seed % 2 == 0 }
    });
    let full = SyncUp {
        epoch: 3,
        cursor: 4_711,
        frames: frames.collect(),
        requests: vec![Request {
            intent: IntentId::from_bytes([9; 16]),
            case: case(3),
            verb: "withdraw".to_owned(),
            seen_version: 1,
            heads: vec![],
            payload: "{\"text\":\"重复上报\"}".as_bytes().to_vec().into(),
        }],
        photos: vec![
            PhotoOffer { case: case(1), sha256: PhotoHash::of(b"photo"), bytes: 120_000, of: None },
            PhotoOffer {
                case: case(1),
                sha256: PhotoHash::of(b"preview"),
                bytes: 9_000,
                of: Some(PhotoHash::of(b"photo")),
            },
        ],
        room: Some(30_000),
        phone_time: Millis(1_700_000_000_000),
        heard: Some(8),
        ..SyncUp::default()
    };
    let idle = |census| SyncUp { census: Some(census), heard: Some(8), ..SyncUp::default() };
    let (root, day) = ([9; digest::BYTES], 19_675);
    let held = (0..4u8).map(|byte| Counted { case: case(byte), version: 1, heads: vec![] }).collect();
    let buckets = Some(Count::of(day, held).buckets());
    vec![
        SyncUp::default(),
        SyncUp { frames: vec![], ..full.clone() },
        full,
        idle(Census { day, root, buckets: None, from: None, except: None }),
        idle(Census { day, root, buckets, from: Some(3), except: Some(vec![case(2), case(3)]) }),
    ]
}

fn refused(error: &WireError) -> Outcome {
    Outcome::refused(error)
}

impl Target for Body {
    fn name(&self) -> &'static str {
        "sync-body"
    }

    fn promise(&self) -> &'static str {
        "a request is refused by name, or is what its phone signed, keeps every limit, and says the same when it is \
         written again"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let of = |up: SyncUp| {
            let body = codec::encode(&up);
            let frame = codec::compress(&body);
            let envelope = seal(frame.clone()).to_bytes();
            [parts::join(&[b"body", &body]), parts::join(&[b"frame", &frame]), parts::join(&[b"envelope", &envelope])]
        };
        requests().into_iter().flat_map(of).collect()
    }

    fn mutate(&self, input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
        let is_frame = parts::get(input, 0) == b"frame";
        parts::edit(input, 1, |bytes| match is_frame || dice.one_in(4) {
            true => mutate::damage(bytes, &parts::get(other, 1), dice),
            false => cbor::damage(bytes, dice),
        });
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let (kind, bytes) = (parts::get(input, 0), parts::get(input, 1));
        let envelope = match kind.as_slice() {
            b"body" => seal(codec::Packer::new(3).compress(&bytes)).to_bytes(),
            b"frame" => seal(bytes).to_bytes(),
            _ => bytes,
        };
        let envelope = match Envelope::read(&envelope) {
            Ok(envelope) => envelope,
            Err(error) => return Ok(refused(&error)),
        };
        if Envelope::read(&envelope.to_bytes()) != Ok(envelope.clone()) {
            return Err("the envelope reads as another when it is written again".to_owned());
        }
        let (name, key) = device();
        if !envelope.is_signed_by(&key.verifying_key()) {
            return Ok(Outcome::Refused("bad_proof".to_owned()));
        }
        let signed = Envelope::seal(envelope.frame.clone(), envelope.device, envelope.counter, &key);
        if kind == b"envelope" && (envelope.device != name || signed.signature != envelope.signature) {
            return Err("a proof holds for what was not signed".to_owned());
        }
        let up: SyncUp = match codec::unpack(&envelope.frame) {
            Ok(up) => up,
            Err(error) => return Ok(refused(&error)),
        };
        if let Err(error) = up.check() {
            return Ok(refused(&error));
        }
        let again = codec::encode(&up);
        if again.len() > limits::DECOMPRESSED || codec::decode::<SyncUp>(&again) != Ok(up) {
            return Err("the body reads as another when it is written again".to_owned());
        }
        Ok(Outcome::Accepted)
    }

    fn memory(&self) -> usize {
        12 << 20
    }

    fn cost(&self) -> u64 {
        2
    }
}

impl Target for Answer {
    fn name(&self) -> &'static str {
        "sync-answer"
    }

    fn promise(&self) -> &'static str {
        "whatever the answer, what the inspector saved is on the phone, or was acknowledged and left the phone's scope; \
         every list and every case can be read"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let feed = |seed: u64| {
            let life = Life::new(&mut Dice::new(seed));
            let bodies = life.doc.change_bodies_since(&[]).into_iter().map(|(_, body)| body.into());
            let events = (1..3).map(|version| WireEvent { version, event: event(version).into() }).collect();
            FeedItem { case: CaseId::from_bytes([seed as u8 + 40; 16]), events, changes: bodies.collect() }
        };
        let quiet = SyncDown { epoch: 3, cursor: 5, server_time: Millis(1_700_000_000_000), ..SyncDown::default() };
        let news =
            SyncDown { feed: (0..4).map(feed).collect(), gone: vec![CaseId::from_bytes([41; 16])], ..quiet.clone() };
        let refusal = SyncDown {
            differs: vec![CaseHeads { case: saved(), heads: vec![] }],
            results: vec![RequestResult {
                intent: IntentId::from_bytes(*saved().as_bytes()),
                version: 0,
                code: Some("quota_cases".to_owned()),
                field: None,
            }],
            photos: vec![PhotoOffset {
                sha256: PhotoHash::of(b"p"),
                offset: 0,
                location: Some("/v1/photos/x".to_owned()),
                of: None,
            }],
            upload_token: Some("token".to_owned()),
            gone: vec![saved()],
            more: true,
            ..quiet.clone()
        };
        let previews = SyncDown {
            photos: vec![PhotoOffset {
                sha256: PhotoHash::of(b"preview"),
                offset: 4_000,
                location: Some("/v1/photos/y".to_owned()),
                of: Some(PhotoHash::of(b"p")),
            }],
            ..refusal.clone()
        };
        let counted = |next, told: Option<Vec<u8>>, feed| SyncDown {
            census: Some(CensusReply { next, told: told.map(Into::into) }),
            feed,
            ..quiet.clone()
        };
        // Told everything of the report's own bucket, in which it is not: a phone must not believe that of unsent work.
        let own = census::bucket_of(&saved());
        let counts = [
            counted(None, None, vec![]),
            counted(Some(0), None, vec![]),
            counted(Some(42), Some(vec![own, 40, 41]), (0..2).map(feed).collect()),
        ];
        [quiet.clone(), news, refusal, previews].iter().chain(&counts).map(codec::encode).collect()
    }

    fn mutate(&self, input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
        match dice.one_in(8) {
            true => mutate::damage(input, other, dice),
            false => cbor::damage(input, dice),
        }
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let said = |what: &str, error: &dyn std::fmt::Debug| format!("{what}: {error:?}");
        let mut phone = Phone::new();
        let sent = phone.asks();
        let (body, gone) = match codec::decode::<SyncDown>(input) {
            Ok(mut down) => {
                let frames = codec::unpack::<SyncUp>(&Envelope::read(&sent.body).map_err(|e| said("sent", &e))?.frame);
                digest_again(&mut down, &frames.map_err(|e| said("sent", &e))?.frames);
                (codec::Packer::new(3).compress(&codec::encode(&down)), down.gone.contains(&saved()))
            }
            Err(_) => (codec::Packer::new(3).compress(input), false),
        };
        let outside = phone.hears(&sent, body);
        let (items, _) = phone.store.list(&ListQuery::default()).map_err(|e| said("the list can not be read", &e))?;
        for item in &items {
            phone.store.detail(item.id).map_err(|e| said("a case can not be read", &e))?;
        }
        phone.store.unsent().map_err(|e| said("what waits can not be read", &e))?;
        phone.store.tasks().map_err(|e| said("tasks can not be read", &e))?;
        match phone.store.detail(saved()).map_err(|e| said("the report can not be read", &e))? {
            Some(detail) if detail.facts.description == WORDS => {}
            Some(detail) => return Err(format!("the report says something else: {:?}", detail.facts.description)),
            None if gone => {}
            None => return Err("the report is lost".to_owned()),
        }
        let applied = phone.store.phone().map_err(|e| said("the phone's row", &e))?.epoch != 0;
        drop(outside);
        Ok(if applied { Outcome::Accepted } else { Outcome::Refused("not believed".to_owned()) })
    }

    fn memory(&self) -> usize {
        16 << 20
    }

    fn cost(&self) -> u64 {
        20
    }
}

const WORDS: &str = "路面破损约两平方米";

fn saved() -> CaseId {
    CaseId::from_bytes([1; 16])
}

fn event(version: u32) -> Vec<u8> {
    let verb = if version == 1 { "submit" } else { "file" };
    let (from, to) = if version == 1 { (None, "reported") } else { (Some("reported"), "filed") };
    let json = serde_json::json!({
        "version": version, "verb": verb, "actor": "u", "role": "town_office", "at": 1_700_000_000_000_i64,
        "from": from, "to": to, "payload": {},
    });
    json.to_string().into_bytes()
}

/// Makes the digests fit what is said: an author knows how to compute them.
fn digest_again(down: &mut SyncDown, frames: &[Frame]) {
    down.feed_digest = digest::of_page(&codec::encode(&down.feed));
    let heads = |frame: &Frame| match down.differs.iter().rfind(|entry| entry.case == frame.case) {
        Some(entry) => entry.heads.clone(),
        None => frame.changes.last().map(|body| chunk::hash_of_body(body)).into_iter().collect(),
    };
    let held: Vec<_> = frames.iter().map(|frame| CaseHeads { case: frame.case, heads: heads(frame) }).collect();
    down.ack = digest::of_heads(&held);
}

/// A clock that stands, and randomness that repeats at every run.
#[derive(Default)]
pub(super) struct Still(Mutex<u64>);

impl Clock for Still {
    fn now(&self) -> Now {
        Now { wall: Millis(1_700_000_000_000), mono_ms: 1_000 }
    }
}

impl Entropy for Still {
    fn fill(&self, bytes: &mut [u8]) {
        let mut drawn = self.0.lock().unwrap();
        *drawn += 1;
        let mut dice = Dice::new(*drawn);
        bytes.iter_mut().for_each(|byte| *byte = dice.bits() as u8);
    }
}

/// A phone with one report that was never sent.
struct Phone {
    store: Arc<Store>,
    core: Core,
}

impl Phone {
    fn new() -> Self {
        let still = Arc::new(Still::default());
        let store = Arc::new(Store::in_memory(still.clone()).unwrap());
        enrol(&store);
        let category: CategoryRef = "xixia-2023:event:XX0201".parse().unwrap();
        let edits = vec![
            Edit::CategoryClaim(Some(category)),
            Edit::ModeClaim(Some(Mode::Forwarded)),
            Edit::Description(WORDS.to_owned()),
            Edit::Point(Some(Point { lon_e6: 106_100_000, lat_e6: 38_500_000 })),
        ];
        store.act(saved(), true, &[Step::Edit(edits), Step::Submit], still.now().wall).unwrap();
        let key = SigningKey::from_bytes(&store.key_seed().unwrap().unwrap());
        let identity = Identity { device: device().0, key };
        let engine = Engine::new(Some(identity), Settings::default());
        let core = Core::new(engine, store.clone(), still.clone(), still, Listeners::default());
        Self { store, core }
    }

    fn asks(&mut self) -> Outbound {
        let outside = self.core.step(Event::Wake(Reason::Asked));
        let sent = outside.into_iter().find_map(|left| match left {
            Outside::Send(outbound) => Some(outbound),
            _ => None,
        });
        sent.expect("a phone with a report asks")
    }

    fn hears(&mut self, sent: &Outbound, body: Vec<u8>) -> Vec<Outside> {
        let response = Response { status: 200, retry_after_ms: None, body };
        self.core.step(Event::Answered { exchange: sent.exchange, response })
    }
}

/// Makes it somebody's phone.
pub(super) fn enrol(store: &Store) {
    store.seed_for_code("code").unwrap();
    store.enrolled(enrolment()).unwrap();
}

fn enrolment() -> &'static Enrolment {
    static ENROLMENT: OnceLock<Enrolment> = OnceLock::new();
    ENROLMENT.get_or_init(|| Enrolment {
        device: device().0,
        url: "http://127.0.0.1:1".to_owned(),
        spki_pin: None,
        server: ServerInfo {
            name: "fuzz".to_owned(),
            district: "640105".to_owned(),
            signing_key: "00".repeat(32),
            sealing_key: "00".repeat(32),
        },
        user: UserInfo {
            id: "inspector".to_owned(),
            name: "巡查员".to_owned(),
            role: Role::Inspector,
            unit: None,
            scope: None,
            grids: vec![],
        },
        epoch: 0,
    })
}
