//! A small phone: it keeps documents, sends what the server is not known to hold, and believes the digest alone.
//!
//! It is strict: a page of the feed that can not be applied to what it holds is a panic.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::SigningKey;
use minicbor::bytes::ByteVec;
use xunge_client_core::doc::gate::{Policy, admit};
use xunge_client_core::doc::{Edit, FieldDoc, first_change};
use xunge_client_core::model::{ActorId, CaseId, ChangeHash, DeviceId, Facts, IntentId, Millis, Sha256};
use xunge_client_core::wire::{CaseHeads, Envelope, Frame, Request, SyncDown, SyncUp, codec, digest};
use xunge_client_core::workflow::{Event, Ledger, Payload, Verb, apply};

use super::District;
use crate::sync::{self, SyncRefusal};

/// A case on the phone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    pub(crate) doc: FieldDoc,
    /// Changes the server is known to hold.
    pub(crate) on_server: BTreeSet<ChangeHash>,
    pub(crate) to_submit: bool,
    /// Folded from the events, for cases of which the phone got all of them.
    pub(crate) ledger: Option<Ledger>,
    /// Version of the ledger; 1 for an own report the server took as sent.
    pub(crate) version: u32,
    /// It left the view while something of it was unsent.
    pub(crate) gone: bool,
}

impl Held {
    fn unsent(&self) -> Vec<(ChangeHash, Vec<u8>)> {
        let mut bodies = self.doc.change_bodies_since(&[]);
        bodies.retain(|(hash, _)| !self.on_server.contains(hash));
        bodies
    }

    pub(crate) fn is_dirty(&self) -> bool {
        self.to_submit || !self.unsent().is_empty()
    }

    /// Notes that the server holds everything under these heads.
    fn held_under(&mut self, heads: &[ChangeHash]) {
        let missing: BTreeSet<_> = self.doc.change_bodies_since(heads).into_iter().map(|(hash, _)| hash).collect();
        let all = self.doc.change_bodies_since(&[]).into_iter().map(|(hash, _)| hash);
        self.on_server.extend(all.filter(|hash| !missing.contains(hash)));
    }
}

/// A scripted phone.
#[derive(Clone)]
pub(crate) struct Phone {
    pub(crate) user: String,
    pub(crate) id: DeviceId,
    pub(crate) key: SigningKey,
    pub(crate) counter: u64,
    pub(crate) epoch: u64,
    pub(crate) cursor: u64,
    pub(crate) actor: ActorId,
    pub(crate) cases: BTreeMap<CaseId, Held>,
    pub(crate) requests: Vec<Request>,
    made: u64,
}

impl Phone {
    pub(super) fn new(user: &str, id: DeviceId, key: SigningKey, number: u64) -> Self {
        Self {
            user: user.to_owned(),
            id,
            key,
            counter: 0,
            epoch: 0,
            cursor: 0,
            actor: ActorId::from_bytes(number.to_be_bytes()),
            cases: BTreeMap::new(),
            requests: Vec::new(),
            made: 0,
        }
    }

    fn id_bytes(&mut self) -> [u8; 16] {
        self.made += 1;
        let seed = Sha256::of(format!("{} {}", self.id, self.made).as_bytes());
        seed.as_bytes()[..16].try_into().unwrap()
    }

    /// Saves a report that is to be submitted.
    pub(crate) fn report(&mut self, facts: &Facts) -> CaseId {
        let case = CaseId::from_bytes(self.id_bytes());
        let doc = first_change(self.actor, facts).unwrap();
        self.cases.insert(case, Held { doc, to_submit: true, ..Held::default() });
        case
    }

    pub(crate) fn edit(&mut self, case: CaseId, edits: &[Edit]) {
        self.cases.get_mut(&case).unwrap().doc.edit(self.actor, edits).unwrap();
    }

    pub(crate) fn ask(&mut self, case: CaseId, verb: Verb, payload: &Payload) -> IntentId {
        let intent = IntentId::from_bytes(self.id_bytes());
        let held = self.cases.get(&case);
        self.requests.push(Request {
            intent,
            case,
            verb: verb.code().to_owned(),
            seen_version: held.map_or(0, |held| held.version),
            heads: held.map(|held| held.doc.heads()).unwrap_or_default(),
            payload: serde_json::to_vec(payload).unwrap().into(),
        });
        intent
    }

    /// Everything that is dirty.
    pub(crate) fn up(&self, now: Millis) -> SyncUp {
        let mut frames = Vec::new();
        for (case, held) in &self.cases {
            let bodies = held.unsent();
            if !bodies.is_empty() || held.to_submit {
                let changes = bodies.into_iter().map(|(_, body)| ByteVec::from(body)).collect();
                frames.push(Frame { case: *case, changes, submit: held.to_submit });
            }
        }
        SyncUp {
            epoch: self.epoch,
            cursor: self.cursor,
            frames,
            requests: self.requests.clone(),
            phone_time: now,
            ..SyncUp::default()
        }
    }

    pub(crate) fn seal(&mut self, up: &SyncUp) -> Vec<u8> {
        self.counter += 1;
        Envelope::seal(codec::pack(up), self.id, self.counter, &self.key).to_bytes()
    }

    /// Sends a body and gives the answer, without taking it in.
    pub(crate) async fn send(&mut self, district: &District, up: &SyncUp) -> Result<SyncDown, SyncRefusal> {
        let bytes = self.seal(up);
        Ok(codec::unpack(&sync::handle(&district.desk, &bytes).await?).unwrap())
    }

    /// One sync.
    pub(crate) async fn sync(&mut self, district: &District) -> SyncDown {
        let up = self.up(district.now());
        let down = self.send(district, &up).await.unwrap();
        self.take(&up, &down);
        down
    }

    /// Syncs until nothing is dirty and nothing more comes.
    pub(crate) async fn drain(&mut self, district: &District) -> usize {
        for round in 1..50 {
            let down = self.sync(district).await;
            if !down.more && self.up(district.now()).frames.is_empty() && self.requests.is_empty() {
                return round;
            }
        }
        panic!("the queue does not drain");
    }

    /// Forgets what the server refused and whatever builds on it, and writes as somebody new from now on.
    fn give_up(&mut self, case: CaseId, refused: &BTreeSet<ChangeHash>) {
        let held = self.cases.get_mut(&case).unwrap();
        let all = held.doc.change_bodies_since(&[]);
        let kept: Vec<&[u8]> =
            all.iter().filter(|(hash, _)| !refused.contains(hash)).map(|(_, body)| body.as_slice()).collect();
        held.doc = FieldDoc::new();
        // What builds on a refused change hangs in the air and is left out with it.
        admit(&mut held.doc, &kept, &Policy::from_server());
        self.actor = ActorId::from_bytes(self.id_bytes()[..8].try_into().unwrap());
    }

    /// Takes an answer in.
    pub(crate) fn take(&mut self, up: &SyncUp, down: &SyncDown) {
        let differs: BTreeMap<_, _> = down.differs.iter().map(|entry| (entry.case, entry.heads.clone())).collect();
        let expected: Vec<CaseHeads> = up
            .frames
            .iter()
            .map(|frame| {
                let own = || self.cases[&frame.case].doc.heads();
                CaseHeads { case: frame.case, heads: differs.get(&frame.case).cloned().unwrap_or_else(own) }
            })
            .collect();
        assert_eq!(digest::of_heads(&expected), down.ack, "the digest over what was pushed");
        assert_eq!(digest::of_page(&codec::encode(&down.feed)), down.feed_digest);
        for CaseHeads { case, heads } in expected {
            let held = self.cases.get_mut(&case).unwrap();
            let submitted = held.to_submit && !heads.is_empty() && held.version == 0;
            let stub = down.results.iter().any(|result| result.intent.as_bytes() == case.as_bytes());
            held.version = if submitted && !stub { 1 } else { held.version };
            held.to_submit &= heads.is_empty();
            held.held_under(&heads);
        }
        for need in &down.need {
            let held = self.cases.get_mut(&need.case).unwrap();
            held.on_server.clear();
            held.held_under(&need.heads);
        }
        let mut refused: BTreeMap<CaseId, BTreeSet<ChangeHash>> = BTreeMap::new();
        for rejected in &down.rejected {
            refused.entry(rejected.case).or_default().insert(rejected.hash);
        }
        refused.into_iter().for_each(|(case, hashes)| self.give_up(case, &hashes));
        self.requests.retain(|request| !down.results.iter().any(|result| result.intent == request.intent));
        for item in &down.feed {
            let held = self.cases.entry(item.case).or_default();
            let bodies: Vec<&[u8]> = item.changes.iter().map(|body| body.as_slice()).collect();
            let admission = admit(&mut held.doc, &bodies, &Policy::from_server());
            assert!(admission.rejected.is_empty() && admission.needs.is_empty(), "case {}: {admission:?}", item.case);
            held.on_server.extend(admission.accepted.iter().map(|change| change.hash));
            held.on_server.extend(admission.duplicates);
            held.gone = false;
            for wire in &item.events {
                let event: Event = wire.read().unwrap();
                if event.version == 1 && held.ledger.is_none() && held.version <= 1 {
                    held.ledger = Some(apply(None, &event).unwrap());
                    held.version = 1;
                } else if event.version > held.version {
                    assert_eq!(event.version, held.version + 1, "no version is left out");
                    held.ledger = held.ledger.take().map(|ledger| apply(Some(ledger), &event).unwrap());
                    held.version = event.version;
                }
            }
        }
        for case in &down.gone {
            if let Some(held) = self.cases.get_mut(case) {
                held.gone = true;
            }
        }
        self.cases.retain(|_, held| !held.gone || held.is_dirty());
        (self.cursor, self.epoch) = (down.cursor, down.epoch);
    }
}
