//! Who is asking: access tokens and device proofs.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey, Verifier};
use serde_json::Value;
use xunge_client_core::doc::testing::{Dice, mutate};
use xunge_client_core::model::{DeviceId, Millis, Sha256};
use xunge_client_core::wire::Proof;
use xunge_server::auth::keys::Keys;
use xunge_server::auth::proof::{self, ProofError};
use xunge_server::auth::token::{LIFETIME_S, Subject, Tokens, Use};
use xunge_server::params;
use xunge_server::store::{Store, StoreError};

use super::office;
use crate::fuzz::{Outcome, Target, parts};

const NOW_S: i64 = 1_700_000_000;
const ISSUER: &str = "xunge:640105";
/// Seconds by which clocks may differ, as the server takes it.
const LEEWAY_S: i64 = 30;

/// Bearer tokens. An input: `token` and its text, or `claims` and JSON that is then signed with the server's own key.
pub(super) struct AccessToken {
    keys: Keys,
    tokens: Tokens,
}

impl AccessToken {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        office::write_keys(folder.path());
        let keys = Keys::load(folder.path()).unwrap();
        Self { tokens: Tokens::new(&keys, ISSUER.to_owned()), keys }
    }

    fn issued(&self) -> String {
        let subject = Subject { user: "review-1".to_owned(), device: None, perm_version: 3, usage: Use::Api };
        self.tokens.issue(&subject, Millis(NOW_S * 1_000))
    }

    /// Claims in the server's own envelope, as if its key were stolen or its library confused.
    fn signed(&self, claims: &[u8]) -> String {
        let issued = self.issued();
        let header = issued.split('.').next().unwrap();
        let message = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = self.keys.signing().sign(message.as_bytes());
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

impl Target for AccessToken {
    fn name(&self) -> &'static str {
        "access-token"
    }

    fn promise(&self) -> &'static str {
        "a token is accepted only if this server's key signed exactly these bytes, and it is of now, for here, and lives \
         ten minutes"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let claims = |more: Value| {
            let mut claims = serde_json::json!({
                "iss": ISSUER, "aud": "xunge", "sub": "review-1", "jti": "00", "iat": NOW_S, "nbf": NOW_S,
                "exp": NOW_S + LIFETIME_S, "perm_ver": 3, "use": "api",
            });
            claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            parts::join(&[b"claims", claims.to_string().as_bytes()])
        };
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#);
        let symmetric = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"at+jwt","kid":"../../key"}"#);
        vec![
            claims(serde_json::json!({})),
            claims(serde_json::json!({"did": "0".repeat(32), "use": "upload"})),
            claims(serde_json::json!({"exp": i64::MAX, "iat": i64::MAX - LIFETIME_S, "nbf": i64::MAX - LIFETIME_S})),
            claims(serde_json::json!({"exp": i64::MIN, "iat": i64::MIN, "nbf": i64::MIN})),
            claims(serde_json::json!({"aud": ["xunge", "other"]})),
            parts::join(&[b"token", b"this server's own"]),
            parts::join(&[b"token", format!("{none}.e30.").as_bytes()]),
            parts::join(&[b"token", format!("{symmetric}.e30.AAAA").as_bytes()]),
        ]
    }

    fn mutate(&self, input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
        let is_token = parts::get(input, 0) == b"token";
        if is_token && dice.one_in(2) {
            parts::edit(input, 1, |text| *text = self.issued().into_bytes());
        }
        let number = mutate::interesting(NOW_S as u64, dice) as i64;
        parts::edit(input, 1, |text| match dice.below(3) {
            0 if !is_token => {
                let Ok(Value::Object(mut claims)) = serde_json::from_slice(text) else { return };
                let names: Vec<String> = claims.keys().cloned().collect();
                if names.is_empty() {
                    return;
                }
                claims.insert(dice.pick(&names).clone(), Value::from(number));
                *text = Value::Object(claims).to_string().into_bytes();
            }
            _ => mutate::damage(text, &parts::get(other, 1), dice),
        });
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let (kind, bytes) = (parts::get(input, 0), parts::get(input, 1));
        let token = match kind == b"claims" {
            true => self.signed(&bytes),
            false if bytes == b"this server's own" => self.issued(),
            false => String::from_utf8_lossy(&bytes).into_owned(),
        };
        let subject = match self.tokens.verify(&token, Millis(NOW_S * 1_000)) {
            Ok(subject) => subject,
            Err(error) => return Ok(Outcome::refused(&error)),
        };
        let pieces: Vec<&str> = token.split('.').collect();
        let decoded = |index: usize| pieces.get(index).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        let signature = decoded(2).and_then(|bytes| ed25519_dalek::Signature::from_slice(&bytes).ok());
        let message = token.rsplit_once('.').map(|(message, _)| message).unwrap_or_default();
        let key = self.keys.signing().verifying_key();
        if signature.is_none_or(|signature| key.verify(message.as_bytes(), &signature).is_err()) {
            return Err("nobody signed it".to_owned());
        }
        let claims: Value = decoded(1).and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
        let (from, until) = (claims["nbf"].as_i64().unwrap_or(i64::MAX), claims["exp"].as_i64().unwrap_or(i64::MIN));
        let fits = claims["iss"] == ISSUER
            && claims["sub"] == subject.user
            && claims["perm_ver"] == subject.perm_version
            && claims["iat"].as_i64() == Some(from)
            && until.checked_sub(from) == Some(LIFETIME_S)
            && from <= NOW_S + LEEWAY_S
            && until > NOW_S - LEEWAY_S;
        if fits { Ok(Outcome::Accepted) } else { Err(format!("it says {claims}")) }
    }

    fn memory(&self) -> usize {
        1 << 20
    }
}

/// A phone's proofs, in any order and number. An input: steps of ten bytes: counter (8), what is wrong, which body.
pub(super) struct DeviceProof {
    store: Store,
    key: SigningKey,
    phones: u64,
}

/// A step of [`DeviceProof`].
type Step = [u8; 10];

impl DeviceProof {
    pub(super) fn new() -> Self {
        let store = Store::in_memory().unwrap();
        office::install_into(&store);
        Self { store, key: SigningKey::from_bytes(&[5; 32]), phones: 0 }
    }

    fn fresh_phone(&mut self) -> DeviceId {
        self.phones += 1;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.phones.to_be_bytes());
        let (device, public) = (DeviceId::from_bytes(id), self.key.verifying_key().to_bytes());
        let join = self.store.write_blocking::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let sql = "INSERT INTO device (id, user_id, public_key, counter_window, name, enrolled_at)
                    SELECT ?1, MIN(id), ?2, x'', 'fuzz', 0 FROM user_account";
                tx.execute(sql, params![device.as_bytes(), public]).await
            })
        });
        join.unwrap();
        device
    }

    fn ask(&self, device: DeviceId, step: &Step) -> Result<(), ProofError> {
        let counter = u64::from_be_bytes(*step.first_chunk().unwrap());
        let (wrong, body) = (step[8], Sha256::of(&step[9..]));
        let path = if wrong == 1 { "/v1/rescue" } else { "/v1/sync" };
        let signed = Proof { method: "POST", path, body, device, counter };
        let key = if wrong == 2 { SigningKey::from_bytes(&[6; 32]) } else { self.key.clone() };
        let mut signature = signed.sign(&key);
        if wrong > 2 {
            signature[usize::from(wrong) % 64] ^= 1 << (wrong % 8);
        }
        let asked = self.store.write_blocking::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let proof = Proof { method: "POST", path: "/v1/sync", body, device, counter };
                proof::check(tx, &proof, &signature, Millis(1)).await
            })
        });
        asked.unwrap().map(|_| ())
    }
}

/// What the window of numbers promises, said as plainly as possible.
#[derive(Default)]
struct Window {
    seen: BTreeMap<u64, u8>,
    newest: u64,
    shut: bool,
}

impl Window {
    fn answer(&mut self, step: &Step) -> Result<(), ProofError> {
        let (counter, wrong, body) = (u64::from_be_bytes(*step.first_chunk().unwrap()), step[8], step[9]);
        if wrong != 0 || i64::try_from(counter).is_err() {
            return Err(ProofError::BadProof);
        }
        if self.shut {
            return Err(ProofError::Cloned);
        }
        if counter == 0 || counter + 64 <= self.newest {
            return Err(ProofError::Cloned);
        }
        match self.seen.get(&counter) {
            Some(same) if *same == body => Err(ProofError::Replayed),
            Some(_) => {
                self.shut = true;
                Err(ProofError::Cloned)
            }
            None => {
                self.seen.insert(counter, body);
                self.newest = self.newest.max(counter);
                Ok(())
            }
        }
    }
}

impl Target for DeviceProof {
    fn name(&self) -> &'static str {
        "device-proof"
    }

    fn promise(&self) -> &'static str {
        "each number is good once, with one signature, by this phone, for this request; the answers are those of a window \
         of 64 numbers that forgets nothing"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let steps = |counters: &[u64]| -> Vec<u8> {
            counters.iter().flat_map(|counter| [&counter.to_be_bytes()[..], &[0, 7]].concat()).collect()
        };
        vec![
            steps(&[1, 2, 3, 4, 5]),
            steps(&[1, 3, 2, 66, 2, 3, 67, 5]),
            steps(&[10, 10, 9, 74, 73, 11, 10]),
            steps(&[1 << 40, 5, 1 << 41]),
            steps(&[i64::MAX as u64, u64::MAX, 0, 1]),
        ]
    }

    fn mutate(&self, input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
        let mut steps: Vec<Step> = input.as_chunks::<10>().0.to_vec();
        let other: Vec<Step> = other.as_chunks::<10>().0.to_vec();
        for _ in 0..=dice.below(4) {
            if steps.is_empty() {
                steps.extend(&other);
            }
            if steps.is_empty() {
                return;
            }
            let at = dice.below(steps.len());
            match dice.below(7) {
                0 => steps.insert(at, steps[dice.below(steps.len())]),
                1 if !other.is_empty() => steps.extend(&other[..1 + dice.below(other.len())]),
                2 => drop(steps.remove(at)),
                3 => steps[at][8] = if dice.one_in(2) { 0 } else { dice.bits() as u8 },
                4 => steps[at][9] ^= 1,
                _ => {
                    let counter = u64::from_be_bytes(*steps[at].first_chunk().unwrap());
                    let new = match dice.below(3) {
                        0 => mutate::interesting(counter, dice),
                        1 => counter.wrapping_add(dice.below(130) as u64),
                        _ => counter.wrapping_sub(dice.below(130) as u64),
                    };
                    steps[at][..8].copy_from_slice(&new.to_be_bytes());
                }
            }
        }
        steps.truncate(40);
        *input = steps.concat();
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let device = self.fresh_phone();
        let mut window = Window::default();
        let mut taken = 0;
        for (number, step) in input.as_chunks::<10>().0.iter().enumerate() {
            let (found, promised) = (self.ask(device, step), window.answer(step));
            if found != promised {
                return Err(format!("step {number} is answered {found:?}, promised is {promised:?}"));
            }
            taken += u32::from(found.is_ok());
        }
        Ok(if taken > 0 { Outcome::Accepted } else { Outcome::Refused("every number".to_owned()) })
    }

    fn cost(&self) -> u64 {
        20
    }
}
