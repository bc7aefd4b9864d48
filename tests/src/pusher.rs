//! Phones reduced to what the server sees of them: signed pushes, as fast as the server takes them.
//!
//! Each keeps its cursor as a phone does: one that named none would be a new phone with every push, and be sent all
//! cases of its grids again.

use std::sync::{Arc, Mutex};

use ed25519_dalek::SigningKey;
use http::Method;
use serde_json::json;
use xunge_client_core::doc::{Edit, FieldDoc, first_change};
use xunge_client_core::model::{ActorId, ChangeHash, DeviceId, Millis, Sha256};
use xunge_client_core::wire::{self, Envelope, Frame, Proof, SyncDown, SyncUp};

use crate::http::Api;
use crate::workload::{Dice, Reported};

/// An enrolled device with its key and counter.
#[derive(Debug)]
pub struct Pusher {
    api: Api,
    key: SigningKey,
    device: DeviceId,
    actor: ActorId,
    state: Mutex<State>,
}

/// What changes with every sync.
#[derive(Debug, Default)]
struct State {
    counter: u64,
    epoch: u64,
    cursor: u64,
}

/// Frames made ahead of time; only compressing and signing is left for when the cursor is known.
#[derive(Debug, Default)]
pub struct Push {
    frames: Vec<Frame>,
}

impl Pusher {
    /// Enrols a device with a key made from `seed`.
    pub async fn enrol(url: &str, code: &str, seed: u64) -> Self {
        let mut dice = Dice::new(seed);
        let mut secret = [0; 32];
        for chunk in secret.chunks_mut(8) {
            chunk.copy_from_slice(&dice.roll().to_be_bytes());
        }
        let key = SigningKey::from_bytes(&secret);
        let api = Api::new(url);
        let body = json!({"code": code, "public_key": hex::encode(key.verifying_key().as_bytes()), "name": "figures"});
        let answer = api.post("/v1/auth/enrol", &body).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let device = answer.json()["device_id"].as_str().expect("a device").parse().expect("an id");
        Self { api, key, device, actor: ActorId::from_bytes(dice.roll().to_be_bytes()), state: Mutex::default() }
    }

    /// Fetches everything there is for a new phone; answers how many bytes the answers had, and in how many requests.
    pub async fn begin(&self) -> (usize, usize) {
        let (mut bytes, mut requests) = (0, 0);
        loop {
            let (down, length) = self.exchange(Vec::new()).await;
            (bytes, requests) = (bytes + length, requests + 1);
            if !down.more {
                return (bytes, requests);
            }
        }
    }

    /// New cases of one change each, their final state in one push.
    pub fn new_cases(&self, cases: &[Reported]) -> (Push, Vec<FieldDoc>) {
        let docs: Vec<FieldDoc> =
            cases.iter().map(|case| first_change(self.actor, &case.states[0]).expect("W is valid")).collect();
        let frames = cases.iter().zip(&docs).map(|(case, doc)| frame(case, doc, &[], true)).collect();
        (Push { frames }, docs)
    }

    /// The three edits of each case as three changes.
    pub fn updates(&self, cases: &[Reported], docs: &mut [FieldDoc]) -> Push {
        let frames = cases
            .iter()
            .zip(docs)
            .map(|(case, doc)| {
                let have = doc.heads();
                for step in case.states.windows(2) {
                    doc.edit(self.actor, &Edit::between(&step[0], &step[1])).expect("W is valid");
                }
                frame(case, doc, &have, false)
            })
            .collect();
        Push { frames }
    }

    /// Sends; the answer must cover every case.
    pub async fn send(&self, push: Push) -> usize {
        let cases = push.frames.len();
        let (down, _) = self.exchange(push.frames).await;
        assert!(
            down.differs.is_empty() && down.results.is_empty() && down.rejected.is_empty() && down.need.is_empty(),
            "all of it is accepted as sent: {down:?}"
        );
        cases
    }

    /// Its name at the server.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Its key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Signs any compressed body as the device's next request, whatever is in it.
    pub fn sign(&self, frame: Vec<u8>) -> Vec<u8> {
        Envelope::seal(frame, self.device, self.next(), &self.key).to_bytes()
    }

    /// A bearer token for the JSON API.
    pub async fn token(&self) -> String {
        let (counter, body) = (self.next(), Sha256::of(b""));
        let proof = Proof { method: "POST", path: "/v1/auth/token", body, device: self.device, counter };
        let signature = hex::encode(proof.sign(&self.key));
        let grant =
            json!({"grant": "device", "device": self.device.to_string(), "counter": counter, "signature": signature});
        let answer = self.api.post("/v1/auth/token", &grant).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        answer.json()["access_token"].as_str().expect("a token").to_owned()
    }

    fn next(&self) -> u64 {
        let mut state = self.state.lock().unwrap();
        state.counter += 1;
        state.counter
    }

    /// One sync both ways: what the server says, and the bytes of its answer.
    async fn exchange(&self, frames: Vec<Frame>) -> (SyncDown, usize) {
        let envelope = self.seal(frames);
        let headers = [("content-type", wire::MEDIA_TYPE)];
        let answer = self.api.send(Method::POST, "/v1/sync", &headers, envelope.into()).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let down: SyncDown = wire::codec::unpack(&answer.body).expect("a sync answer");
        let mut state = self.state.lock().unwrap();
        (state.epoch, state.cursor) = (down.epoch, down.cursor);
        (down, answer.body.len())
    }

    fn seal(&self, frames: Vec<Frame>) -> Vec<u8> {
        let mut state = self.state.lock().unwrap();
        state.counter += 1;
        let (epoch, cursor) = (state.epoch, state.cursor);
        let up = SyncUp { epoch, cursor, frames, phone_time: Millis(1_700_000_000_000), ..SyncUp::default() };
        // Level 3: a phone would take its time; here that time would be taken from the server.
        let frame = wire::codec::Packer::new(3).compress(&wire::codec::encode(&up));
        Envelope::seal(frame, self.device, state.counter, &self.key).to_bytes()
    }
}

fn frame(case: &Reported, doc: &FieldDoc, have: &[ChangeHash], submit: bool) -> Frame {
    let changes = doc.change_bodies_since(have).into_iter().map(|(_, body)| body.into()).collect();
    Frame { case: case.id, changes, submit }
}

/// Sends every device's pushes in order, all devices at once; answers how many cases were taken.
pub async fn storm(devices: Vec<(Arc<Pusher>, Vec<Push>)>) -> usize {
    let lanes: Vec<_> = devices
        .into_iter()
        .map(|(device, pushes)| {
            tokio::spawn(async move {
                let mut taken = 0;
                for push in pushes {
                    taken += device.send(push).await;
                }
                taken
            })
        })
        .collect();
    let mut taken = 0;
    for lane in lanes {
        taken += lane.await.expect("every push is taken");
    }
    taken
}
