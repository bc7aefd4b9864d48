//! Signed requests of a phone in the wrong hands: compressed bombs, CBOR that lies, changes that ask for a billion rows.

use xunge_client_core::doc::testing::forge::{Forgery, write_signed, write_unsigned};
use xunge_client_core::doc::testing::{Dice, Life};
use xunge_client_core::model::{CaseId, PhotoHash};
use xunge_client_core::wire::{self, Frame, PhotoOffer, Request, SyncUp, codec};

use super::{Bomb, request};
use crate::pusher::Pusher;

pub(super) fn all(thief: &Pusher) -> Vec<Bomb> {
    let send = |(name, frame): (String, Vec<u8>)| {
        let body = thief.sign(frame);
        Bomb::new(name, request("POST", "/v1/sync", &[("content-type", wire::MEDIA_TYPE)], &body))
    };
    let mut bombs: Vec<Bomb> = compressed().into_iter().map(send).collect();
    bombs.extend(lies().into_iter().map(|(name, body)| send((name, codec::compress(&body)))));
    bombs.extend(floods().into_iter().map(|(name, up)| send((name, codec::pack(&up)))));
    bombs
}

fn zstd_with(body: &[u8], window_log: u32) -> Vec<u8> {
    let mut compressor = zstd::bulk::Compressor::new(3).unwrap();
    compressor.set_parameter(zstd::zstd_safe::CParameter::WindowLog(window_log)).unwrap();
    compressor.set_parameter(zstd::zstd_safe::CParameter::ContentSizeFlag(false)).unwrap();
    compressor.compress(body).unwrap()
}

/// Frames that grow.
fn compressed() -> Vec<(String, Vec<u8>)> {
    let mut frames = vec![];
    let zeros = vec![0; 64 << 20];
    for window_log in [10, 17, 20, 21, 24, 27] {
        frames.push((format!("64 MiB of zeros, window 2^{window_log}"), zstd_with(&zeros, window_log)));
    }
    let inner = zstd_with(&zeros, 20);
    frames.push(("a frame in a frame".to_owned(), codec::compress(&inner)));
    frames.push(("two frames".to_owned(), [codec::compress(b"\xa0"), codec::compress(b"\xa0")].concat()));
    frames.push(("a thousand empty frames".to_owned(), codec::compress(b"").repeat(1_000)));
    let skip = |length: u32| [&0x184d_2a50_u32.to_le_bytes()[..], &length.to_le_bytes()].concat();
    frames.push(("a frame to skip, of 4 GiB".to_owned(), skip(u32::MAX)));
    frames.push(("eight thousand frames to skip".to_owned(), skip(0).repeat(8_000)));
    // Magic, descriptor, then what the header says of itself.
    let header = |bytes: &[u8]| [&0xfd2f_b528_u32.to_le_bytes()[..], bytes].concat();
    frames.push(("a content of 2^63 bytes".to_owned(), header(&[0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0])));
    frames.push(("a window of 2^41 bytes".to_owned(), header(&[0x00, 0xf8, 1, 0, 0])));
    frames.push(("a dictionary nobody has".to_owned(), header(&[0x03, 0x58, 1, 2, 3, 4, 1, 0, 0])));
    // Blocks of 128 KiB that are one byte, of which none is the last.
    let runs = [0x02, 0x00, 0x10, 7].repeat(8_000);
    frames.push(("runs of one byte without end".to_owned(), header(&[&[0x00, 0x50][..], &runs].concat())));
    frames.push(("a reserved kind of block".to_owned(), header(&[0x00, 0x58, 0x07, 0, 0])));
    frames.push(("nothing".to_owned(), vec![]));
    frames
}

/// Bodies whose lengths and depths lie.
fn lies() -> Vec<(String, Vec<u8>)> {
    let mut bodies: Vec<(String, Vec<u8>)> = vec![];
    for depth in [9, 100, 10_000, 1_000_000] {
        bodies.push((format!("lists {depth} deep"), vec![0x81; depth]));
        bodies.push((format!("maps {depth} deep"), [0xa1, 0x00].repeat(depth)));
    }
    for (kind, first) in [("bytes", 0x5b_u8), ("text", 0x7b), ("list", 0x9b), ("map", 0xbb)] {
        for length in [1_u64 << 32, 1 << 62, u64::MAX] {
            let lie = [&[first][..], &length.to_be_bytes()].concat();
            bodies.push((format!("{kind} of {length} entries"), lie.clone()));
            bodies.push((format!("frames: {kind} of {length} entries"), [&[0xa1, 0x02][..], &lie].concat()));
        }
    }
    bodies.push(("a list without an end".to_owned(), [&[0x9f][..], &[0x00; 500_000]].concat()));
    bodies.push(("a million tags".to_owned(), vec![0xc0; 1_000_000]));
    bodies.push(("a million empty lists".to_owned(), [&[0x9a, 0, 0x0f, 0x42, 0x40][..], &[0x80; 1_000_000]].concat()));
    bodies.push(("half a million keys".to_owned(), {
        let keys = (0..200_000_u32).flat_map(|key| [&[0x1a][..], &key.to_be_bytes(), &[0]].concat());
        [&[0xba][..], &200_000_u32.to_be_bytes()].concat().into_iter().chain(keys).collect()
    }));
    bodies
}

/// Bodies that are well made and full.
fn floods() -> Vec<(String, SyncUp)> {
    let case = |number: u32| {
        let mut id = [9; 16];
        id[12..].copy_from_slice(&number.to_be_bytes());
        CaseId::from_bytes(id)
    };
    let life = Life::new(&mut Dice::new(3));
    let good = life.next[0].clone();
    let one = |changes: Vec<Vec<u8>>, number| SyncUp {
        frames: vec![Frame {
            case: case(number),
            changes: changes.into_iter().map(Into::into).collect(),
            submit: true,
        }],
        ..SyncUp::default()
    };
    let forged = |forge: &dyn Fn(&mut Forgery)| {
        let mut forgery = Forgery::of(&good).unwrap();
        forgery.deps.clear();
        forge(&mut forgery);
        forgery.to_body()
    };
    let mut floods = vec![];
    let mut number = 0;
    let mut change = |name: String, body: Vec<u8>| {
        number += 1;
        floods.push((name, one(vec![body], number)));
    };
    for rows in [513, 1 << 20, 1 << 31, 1 << 40, i64::MAX] {
        for column in [0x02, 0x42, 0x56, 0x70, 0x71, 0x73] {
            let run = |forgery: &mut Forgery| {
                let data = forgery.column(column);
                data.clear();
                write_signed(data, rows);
                write_unsigned(data, 1);
            };
            change(format!("a run of {rows} rows in column {column:#x}"), forged(&run));
        }
    }
    for spec in [0x4a, 0x5f, 0x1d, 0x80] {
        change(
            format!("a column of kind {spec:#x}"),
            forged(&|forgery| forgery.columns.push((spec, vec![0x78; 2_000]))),
        );
    }
    change("sixty thousand actors".to_owned(), forged(&|forgery| forgery.others = vec![vec![1]; 30_000]));
    change("two thousand hashes to build on".to_owned(), forged(&|forgery| forgery.deps = vec![[1; 32]; 2_000]));
    change("a message of 60 kB".to_owned(), forged(&|forgery| forgery.message = vec![b'a'; 60_000]));
    change("an actor of 60 kB".to_owned(), forged(&|forgery| forgery.actor = vec![1; 60_000]));
    change("the last operation there is".to_owned(), forged(&|forgery| forgery.start_op = u64::from(u32::MAX) - 1));
    let orphan = |number: u16| {
        let [high, low] = number.to_be_bytes();
        let mut parent = [high; 32];
        parent[0] = low;
        forged(&|forgery| forgery.deps = vec![parent])
    };
    for count in [64_u16, 65, 1_000] {
        floods.push((format!("{count} orphans"), one((0..count).map(orphan).collect(), 500 + u32::from(count))));
    }
    let frames =
        |count: u32| (0..count).map(|index| Frame { case: case(index), changes: vec![], submit: false }).collect();
    floods.push(("five hundred empty cases".to_owned(), SyncUp { frames: frames(512), ..SyncUp::default() }));
    floods.push(("ten thousand empty cases".to_owned(), SyncUp { frames: frames(10_000), ..SyncUp::default() }));
    let ask = |payload: Vec<u8>| Request {
        intent: xunge_client_core::model::IntentId::from_bytes([1; 16]),
        case: case(1),
        verb: "withdraw".to_owned(),
        seen_version: u32::MAX,
        heads: vec![],
        payload: payload.into(),
    };
    let deep = [vec![b'['; 16_000], vec![b']'; 300]].concat();
    floods.push(("a payload 16,000 deep".to_owned(), SyncUp { requests: vec![ask(deep)], ..SyncUp::default() }));
    floods.push((
        "five hundred requests".to_owned(),
        SyncUp { requests: vec![ask(b"{}".to_vec()); 512], ..SyncUp::default() },
    ));
    let offer = |number: u32| PhotoOffer {
        case: case(number),
        sha256: PhotoHash::of(&number.to_be_bytes()),
        bytes: u64::MAX,
        of: None,
    };
    floods.push((
        "photos of 2^64 bytes".to_owned(),
        SyncUp { photos: (0..512).map(offer).collect(), ..SyncUp::default() },
    ));
    floods
}
