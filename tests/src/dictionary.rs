//! What a trained dictionary would save on a report that travels alone; docs/adr/0009 says what follows from it.

use ed25519_dalek::SigningKey;
use xunge_client_core::doc::first_change;
use xunge_client_core::model::{ActorId, DeviceId, Facts, Millis};
use xunge_client_core::wire::{Envelope, Frame, SyncUp, codec};

use crate::workload::{self, Dice};

/// Bytes of HTTP headers around a sync request and its answer, as the phone's own transport sends them.
const HEADERS: usize = 190;
const TRAINED_ON: usize = 2_000;
const MEASURED: usize = 100;

/// Mean sizes of a request with one report.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sizes {
    /// The compressed body without a dictionary, bytes.
    pub plain: f64,
    /// With one.
    pub with: f64,
    /// The whole request without one: headers, envelope, body.
    pub all_plain: f64,
}

impl Sizes {
    /// How many times smaller the body is.
    pub fn body_ratio(&self) -> f64 {
        self.plain / self.with
    }

    /// How many times smaller the whole request is.
    pub fn request_ratio(&self) -> f64 {
        self.all_plain / (self.all_plain - self.plain + self.with)
    }
}

/// Measures a dictionary of `bytes`, trained on generated reports, on others: with words the training saw, or with words
/// it never did, as people write them.
pub fn measure(bytes: usize, known_words: bool) -> Sizes {
    let samples: Vec<Vec<u8>> = bodies(7, TRAINED_ON, true);
    let dictionary = zstd::dict::from_samples(&samples, bytes).expect("two thousand samples are enough");
    let mut packer = zstd::bulk::Compressor::with_dictionary(19, &dictionary).expect("it was just trained");
    let measured = bodies(1, MEASURED, known_words);
    let (mut plain, mut with, mut envelopes) = (0, 0, 0);
    let key = SigningKey::from_bytes(&[5; 32]);
    for body in &measured {
        let frame = codec::compress(body);
        plain += frame.len();
        with += packer.compress(body).expect("memory into memory").len();
        envelopes += Envelope::seal(frame, DeviceId::from_bytes([1; 16]), 1_000, &key).to_bytes().len() + HEADERS;
    }
    let mean = |sum: usize| sum as f64 / MEASURED as f64;
    Sizes { plain: mean(plain), with: mean(with), all_plain: mean(envelopes) }
}

fn bodies(seed: u64, count: usize, known_words: bool) -> Vec<Vec<u8>> {
    let mut dice = Dice::new(seed);
    let cases = workload::cases(seed, count);
    let body = |case: &workload::Reported| {
        let mut facts = case.last().clone();
        if !known_words {
            in_other_words(&mut facts);
        }
        let actor = ActorId::from_bytes(dice.roll().to_be_bytes());
        let doc = first_change(actor, &facts).expect("a report of the workload fits one change");
        let changes = doc.change_bodies_since(&[]).into_iter().map(|(_, body)| body.into()).collect();
        let up = SyncUp {
            epoch: 1,
            cursor: 10_000 + dice.below(90_000),
            frames: vec![Frame { case: case.id, changes, submit: true }],
            phone_time: facts.discovered_at.unwrap_or(Millis(0)),
            reference: 1,
            heard: Some(100 + dice.below(900)),
            ..SyncUp::default()
        };
        codec::encode(&up)
    };
    cases.iter().map(body).collect()
}

/// The same lengths in characters nobody trained on.
fn in_other_words(facts: &mut Facts) {
    let other = |text: &str| {
        text.chars().map(|letter| char::from_u32(u32::from(letter) + 37).unwrap_or(letter)).collect::<String>()
    };
    facts.description = other(&facts.description);
    facts.handle_note = other(&facts.handle_note);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dictionary_helps_less_with_words_it_never_saw() {
        let (known, unknown) = (measure(4_096, true), measure(4_096, false));
        assert!(known.body_ratio() > unknown.body_ratio() && unknown.body_ratio() > 1.0, "{known:?} {unknown:?}");
        assert!(unknown.request_ratio() < unknown.body_ratio());
    }
}
