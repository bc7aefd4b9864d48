//! Categories, grids, reasons: fetched when the server has newer ones, before photos and after text.

use super::{Identity, Step, Turn};
use crate::model::Sha256;
use crate::sync::data::Sent;
use crate::sync::effect::{Effect, Notice, OutboundKind, Write};
use crate::sync::event::Response;
use crate::sync::retry::{Class, classify};
use crate::wire::{Proof, codec};

/// Largest reference bundle taken, uncompressed.
pub(in crate::sync) const REFERENCE_BYTES: usize = 8 << 20;
/// A token is renewed this long before its ten minutes end.
const TOKEN_MS: u64 = 540_000;

impl Step<'_> {
    pub(super) fn fetch_reference(&mut self) {
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

    pub(super) fn token_answered(&mut self, response: &Response) {
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

    pub(super) fn reference_answered(&mut self, response: &Response) {
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
}
