//! Rescue bundles: anybody may bring one, and each is in memory as a whole.

use xunge_client_core::model::{CaseId, DeviceId, PhotoHash};
use xunge_client_core::wire::{Bundle, Contents, RESCUE_MEDIA_TYPE, RescuedPhoto, SyncUp, codec, limits};

use super::{Bomb, request};
use crate::pusher::Pusher;

fn post(name: impl Into<String>, body: &[u8]) -> Bomb {
    Bomb::new(name, request("POST", Bundle::PATH, &[("content-type", RESCUE_MEDIA_TYPE)], body))
}

/// The largest bundle there is, of a stranger, sealed to nobody.
pub(super) fn garbage() -> Bomb {
    let sealed = vec![7; limits::RESCUE - 64];
    post("the largest bundle, sealed to nobody", &codec::encode(&Bundle { version: 1, device: STRANGER, sealed }))
}

/// A phone the server does not know.
const STRANGER: DeviceId = DeviceId::from_bytes([3; 16]);

pub(super) fn all(thief: &Pusher, server: &[u8; 32]) -> Vec<Bomb> {
    let seal = |contents: &Contents, device| {
        Bundle::seal(contents, device, 9, thief.key(), server, &mut |bytes| bytes.fill(3))
    };
    let page = |frame: Vec<u8>| Contents { pages: vec![frame.into()], photos: vec![] };
    let photo = |sha256, bytes: Vec<u8>| RescuedPhoto { case: CaseId::from_bytes([1; 16]), sha256, bytes };
    let zeros = zstd::bulk::compress(&vec![0; 64 << 20], 3).unwrap();
    let empty = codec::pack(&SyncUp::default());
    let big = vec![7; limits::RESCUE - 1_000];
    let device = thief.device();
    let contents = [
        ("a page of 64 MiB", page(zeros)),
        ("a page of nothing", page(vec![])),
        ("three thousand empty pages", Contents { pages: vec![empty.into(); 3_000], photos: vec![] }),
        (
            "a photo under another's name",
            Contents { pages: vec![], photos: vec![photo(PhotoHash::of(b"x"), vec![1; 99])] },
        ),
        ("a photo of nothing", Contents { pages: vec![], photos: vec![photo(PhotoHash::of(b""), vec![])] }),
        ("one photo as large as the bundle", Contents { pages: vec![], photos: vec![photo(PhotoHash::of(&big), big)] }),
        ("fifty thousand photos", {
            let tiny = |number: u32| photo(PhotoHash::of(b"never"), number.to_be_bytes().to_vec());
            Contents { pages: vec![], photos: (0..50_000).map(tiny).collect() }
        }),
    ];
    let mut bombs: Vec<Bomb> =
        contents.iter().map(|(name, contents)| post(format!("rescue: {name}"), &seal(contents, device))).collect();
    // The same from a phone that is not known here: opened, and dropped.
    bombs.extend(
        contents[4..].iter().map(|(name, contents)| post(format!("a stranger's {name}"), &seal(contents, STRANGER))),
    );
    bombs.push(garbage());
    bombs.push(post("a bundle over the limit", &vec![0xa3; limits::RESCUE + 1]));
    bombs.push(post("a bundle of nothing", b""));
    bombs.push(post(
        "a bundle whose box has 2^64 bytes",
        &[0xa3, 0, 1, 1, 0x50, 1, 2, 2, 0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    ));
    bombs
}
