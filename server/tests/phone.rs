//! A phone as far as a test of the server needs one: it joins, reports and syncs once.

use axum::body::Body;
use ed25519_dalek::SigningKey;
use http::{Method, StatusCode};
use minicbor::bytes::ByteVec;
use serde_json::json;
use xunge_client_core::doc::first_change;
use xunge_client_core::model::{
    ActorId, CaseId, CoordSys, DeviceId, Facts, Mode, PhotoFact, PhotoHash, PhotoRole, Point,
};
use xunge_client_core::wire::{self, Envelope, Frame, PhotoOffer, SyncDown, SyncUp, Waiting, codec};

use crate::site::{Answer, NOON, Site, request};

/// A phone of an inspector.
pub(crate) struct Phone {
    pub(crate) id: DeviceId,
    key: SigningKey,
    counter: u64,
    up: SyncUp,
}

/// What a report says, with a photo of these bytes.
pub(crate) fn litter(photo: &[u8]) -> Facts {
    let fact = PhotoFact {
        role: PhotoRole::Before,
        mime: "image/jpeg".to_owned(),
        bytes: photo.len() as u64,
        w: 64,
        h: 64,
        taken_at: Some(NOON),
    };
    Facts {
        category_claim: Some("xixia-2023:event:XX0201".parse().unwrap()),
        description: "路口有一堆暴露垃圾".to_owned(),
        location_text: "第一网格路口".to_owned(),
        point: Point::from_degrees(106.105, 38.485),
        coord_sys: Some(CoordSys::Wgs84),
        mode_claim: Some(Mode::Forwarded),
        discovered_at: Some(NOON),
        photos: [(PhotoHash::of(photo), fact)].into(),
        ..Facts::default()
    }
}

impl Phone {
    /// Joins with the code `init` gave its user.
    pub(crate) async fn join(site: &Site, user: &str, seed: u8) -> Self {
        let key = SigningKey::from_bytes(&[seed; 32]);
        let public_key = hex::encode(key.verifying_key().to_bytes());
        let body = json!({"code": Site::secret(user), "public_key": public_key, "name": "手机"});
        let answer = site.post("/v1/auth/enrol", None, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.code());
        let id = answer.json()["device_id"].as_str().unwrap().parse().unwrap();
        Self { id, key, counter: 0, up: SyncUp { phone_time: NOON, ..SyncUp::default() } }
    }

    /// Saves a report; it goes with the next sync.
    pub(crate) fn report(&mut self, number: u8, facts: &Facts) -> CaseId {
        let case = CaseId::from_parts(NOON, [number; 10]);
        let doc = first_change(ActorId::from_bytes([number; 8]), facts).unwrap();
        let bodies = doc.change_bodies_since(&[]);
        let changes = bodies.into_iter().map(|(_, body)| ByteVec::from(body)).collect();
        self.up.frames.push(Frame { case, changes, submit: true });
        for (sha256, photo) in &facts.photos {
            self.up.photos.push(PhotoOffer { case, sha256: *sha256, bytes: photo.bytes, of: None });
        }
        case
    }

    /// Something stays on the phone from now on, the oldest of it this many milliseconds old.
    pub(crate) fn waits(&mut self, cases: u32, photos: u32, age_ms: i64) {
        self.up.waiting = Waiting { cases, photos, oldest: self.up.phone_time.plus_ms(-age_ms) };
    }

    /// The body of the next sync request.
    pub(crate) fn seal(&mut self) -> Vec<u8> {
        self.counter += 1;
        Envelope::seal(codec::pack(&self.up), self.id, self.counter, &self.key).to_bytes()
    }

    /// Sends what is there, whatever comes of it.
    pub(crate) async fn try_sync(&mut self, site: &Site) -> Answer {
        let body = self.seal();
        post_sync(site, wire::MEDIA_TYPE, body).await
    }

    /// Sends what is there.
    pub(crate) async fn sync(&mut self, site: &Site) -> SyncDown {
        let answer = self.try_sync(site).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.headers["content-type"], wire::MEDIA_TYPE);
        let down: SyncDown = codec::unpack(&answer.body).unwrap();
        assert!(down.rejected.is_empty() && down.results.is_empty(), "{down:?}");
        down
    }
}

/// Posts bytes where phones sync.
pub(crate) async fn post_sync(site: &Site, kind: &str, body: Vec<u8>) -> Answer {
    let request = request(Method::POST, "/v1/sync", None, &[("content-type", kind)]);
    site.send(request.body(Body::from(body)).unwrap()).await
}
