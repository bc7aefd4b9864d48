//! Phones reduced to what the server sees of them: signed pushes, as fast as the server takes them.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use http::Method;
use serde_json::json;
use xunge_client_core::doc::{Edit, FieldDoc, first_change};
use xunge_client_core::model::{ActorId, ChangeHash, DeviceId, Millis};
use xunge_client_core::wire::{self, Envelope, Frame, SyncDown, SyncUp};

use crate::http::Api;
use crate::workload::{Dice, Reported};

/// An enrolled device with its key and counter.
#[derive(Debug)]
pub struct Pusher {
    api: Api,
    key: SigningKey,
    device: DeviceId,
    actor: ActorId,
    counter: u64,
}

/// Bodies made ahead of time, so that only the server is measured.
#[derive(Debug)]
pub struct Push {
    envelope: Vec<u8>,
    cases: usize,
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
        Self { api, key, device, actor: ActorId::from_bytes(dice.roll().to_be_bytes()), counter: 0 }
    }

    /// Signs new cases of one change each, their final state in one push.
    pub fn new_cases(&mut self, cases: &[Reported]) -> (Push, Vec<FieldDoc>) {
        let docs: Vec<FieldDoc> =
            cases.iter().map(|case| first_change(self.actor, &case.states[0]).expect("W is valid")).collect();
        let frames = cases.iter().zip(&docs).map(|(case, doc)| frame(case, doc, &[], true)).collect();
        (self.sign(frames), docs)
    }

    /// Signs the three edits of each case as three changes.
    pub fn updates(&mut self, cases: &[Reported], docs: &mut [FieldDoc]) -> Push {
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
        self.sign(frames)
    }

    fn sign(&mut self, frames: Vec<Frame>) -> Push {
        self.counter += 1;
        let cases = frames.len();
        let up = SyncUp { frames, phone_time: Millis(1_700_000_000_000), ..SyncUp::default() };
        let envelope = Envelope::seal(wire::codec::pack(&up), self.device, self.counter, &self.key);
        Push { envelope: envelope.to_bytes(), cases }
    }

    /// Sends; the answer must cover every case.
    pub async fn send(&self, push: Push) -> usize {
        let headers = [("content-type", wire::MEDIA_TYPE)];
        let answer = self.api.send(Method::POST, "/v1/sync", &headers, push.envelope.into()).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let down: SyncDown = wire::codec::unpack(&answer.body).expect("a sync answer");
        assert!(
            down.differs.is_empty() && down.results.is_empty() && down.rejected.is_empty() && down.need.is_empty(),
            "all of it is accepted as sent: {down:?}"
        );
        push.cases
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
