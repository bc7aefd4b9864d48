//! Rescue bundles, brought to a server by anybody.
//!
//! An input: which layer is damaged (the `file`, the sealed `letter`, the signed `contents`, a `page`), its bytes. What
//! lies around it is made new: signed by the phone, sealed to the server.

use bytes::Bytes;
use xunge_client_core::doc::testing::{Dice, mutate};
use xunge_client_core::model::{CaseId, PhotoHash};
use xunge_client_core::wire::{Bundle, Contents, RescuedPhoto, codec, limits};
use xunge_server::sync::rescue::{self, Received, RescueRefusal};

use super::office::Office;
use super::sync::requests;
use crate::fuzz::{Outcome, Target, cbor, parts};

/// Taking bundles in.
pub(super) struct Bundles {
    office: Option<Office>,
}

impl Bundles {
    pub(super) fn new() -> Self {
        Self { office: None }
    }
}

fn contents() -> Contents {
    let pages = requests().iter().map(|up| codec::pack(up).into()).collect();
    let bytes = b"a photo of eleven words".to_vec();
    Contents {
        pages,
        photos: vec![RescuedPhoto { case: CaseId::from_bytes([1; 16]), sha256: PhotoHash::of(&bytes), bytes }],
    }
}

/// A box to the server with this letter in it.
fn file(office: &Office, letter: Vec<u8>) -> Vec<u8> {
    use crypto_box::aead::rand_core::{CryptoRng, Error, RngCore};
    /// One key for all boxes: what is sealed here is no secret.
    struct Same;
    impl RngCore for Same {
        fn next_u32(&mut self) -> u32 {
            3
        }
        fn next_u64(&mut self) -> u64 {
            3
        }
        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            bytes.fill(3);
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
            bytes.fill(3);
            Ok(())
        }
    }
    impl CryptoRng for Same {}
    let server = crypto_box::PublicKey::from_bytes(office.app.keys.sealing_public());
    let sealed = server.seal(&mut Same, &letter).unwrap();
    codec::encode(&Bundle { version: 1, device: office.device, sealed })
}

fn letter(office: &Office, contents: Vec<u8>) -> Vec<u8> {
    use xunge_client_core::model::Sha256;
    use xunge_client_core::wire::{Letter, Proof};
    let (body, device) = (Sha256::of(&contents), office.device);
    let signature = Proof { method: "POST", path: Bundle::PATH, body, device, counter: 9 }.sign(&office.key);
    codec::encode(&Letter { counter: 9, signature, contents })
}

/// Rows of what a bundle may bring.
const HELD: &str = "SELECT (SELECT COUNT(*) FROM case_row) + (SELECT COUNT(*) FROM case_event)
    + (SELECT COUNT(*) FROM change_row) + (SELECT COUNT(*) FROM blob) + (SELECT COUNT(*) FROM request_log)
    + (SELECT COUNT(*) FROM quarantine)";

impl Target for Bundles {
    fn name(&self) -> &'static str {
        "rescue-bundle"
    }

    fn promise(&self) -> &'static str {
        "a bundle is refused by name, dropped, put aside, or applied; applied once more it changes nothing"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let whole = codec::encode(&contents());
        let mut seeds =
            vec![parts::join(&[b"contents", &whole]), parts::join(&[b"contents", &[0xa2, 0, 0x80, 1, 0x80]])];
        seeds.extend(requests().iter().map(|up| parts::join(&[b"page", &codec::encode(up)])));
        seeds.push(parts::join(&[b"letter", &[0xa0]]));
        seeds.push(parts::join(&[
            b"file",
            &codec::encode(&Bundle {
                version: 1,
                device: xunge_client_core::model::DeviceId::from_bytes([7; 16]),
                sealed: vec![1; 80],
            }),
        ]));
        seeds
    }

    fn mutate(&self, input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
        parts::edit(input, 1, |bytes| match dice.one_in(6) {
            true => mutate::damage(bytes, &parts::get(other, 1), dice),
            false => cbor::damage(bytes, dice),
        });
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let office = self.office.get_or_insert_with(Office::open);
        let (kind, bytes) = (parts::get(input, 0), parts::get(input, 1));
        let of_contents = |contents| file(office, letter(office, contents));
        let bundle: Bytes = match kind.as_slice() {
            b"file" => bytes,
            b"letter" => file(office, bytes),
            b"contents" => of_contents(bytes),
            _ => of_contents(codec::encode(&Contents {
                pages: vec![codec::Packer::new(3).compress(&bytes).into()],
                photos: vec![],
            })),
        }
        .into();
        if bundle.len() > limits::RESCUE {
            return Ok(Outcome::Refused("too_large".to_owned()));
        }
        let secret = office.app.keys.sealing_secret();
        let receive =
            || office.runtime.block_on(rescue::receive(&office.app.sync, &office.app.uploads, secret, bundle.clone()));
        match receive() {
            Ok(Received::Applied { .. }) => {}
            Ok(other) => return Ok(Outcome::refused(&other)),
            Err(RescueRefusal::Sync(refused)) if refused.status() >= 500 => return Err(format!("{refused:?}")),
            Err(refused) => return Ok(Outcome::refused(&refused)),
        }
        let held = || office.numbers(HELD, vec![]);
        let before = held();
        match receive() {
            Ok(Received::Applied { .. }) if held() == before => Ok(Outcome::Accepted),
            Ok(Received::Applied { .. }) => Err("the second time something is new".to_owned()),
            other => Err(format!("the second time: {other:?}")),
        }
    }

    fn memory(&self) -> usize {
        16 << 20
    }

    fn cost(&self) -> u64 {
        20
    }
}
