//! Golden files: bytes that phones in the field speak. They are only ever added, never edited.
//!
//! `XUNGE_WRITE_GOLDEN=1 cargo test golden` writes the ones that are missing; an existing file is never touched.

use std::path::PathBuf;

use super::*;
use crate::model::{CaseId, ChangeHash, DeviceId, IntentId, Millis, PhotoHash};

fn case(byte: u8) -> CaseId {
    CaseId::from_bytes([byte; 16])
}

fn up() -> SyncUp {
    SyncUp {
        epoch: 3,
        cursor: 4_711,
        frames: vec![
            Frame { case: case(1), changes: vec![vec![1, 2, 3].into(), vec![4].into()], submit: true },
            Frame { case: case(2), changes: vec![vec![5; 40].into()], submit: false },
        ],
        requests: vec![Request {
            intent: IntentId::from_bytes([9; 16]),
            case: case(3),
            verb: "withdraw".to_owned(),
            seen_version: 1,
            heads: vec![ChangeHash::from_bytes([7; 32])],
            payload: "{\"text\":\"重复上报\"}".as_bytes().to_vec().into(),
        }],
        photos: vec![PhotoOffer { case: case(1), sha256: PhotoHash::from_bytes([8; 32]), bytes: 120_000, of: None }],
        reference: 2,
        phone_time: Millis(-5),
        waiting: Waiting { cases: 1, photos: 2, oldest: Millis(1_700_000_000_000) },
        heard: None,
        census: None,
        room: None,
    }
}

fn down() -> SyncDown {
    SyncDown {
        epoch: 3,
        ack: [1; digest::BYTES],
        differs: vec![CaseHeads { case: case(1), heads: vec![ChangeHash::from_bytes([2; 32])] }],
        results: vec![RequestResult {
            intent: IntentId::from_bytes([9; 16]),
            version: 0,
            code: Some("wrong_state".to_owned()),
            field: None,
        }],
        rejected: vec![Rejected {
            case: case(2),
            hash: ChangeHash::from_bytes([3; 32]),
            code: "forbidden_path".to_owned(),
            field: Some("state".to_owned()),
        }],
        need: vec![Need { case: case(4), heads: vec![] }],
        photos: vec![PhotoOffset {
            sha256: PhotoHash::from_bytes([8; 32]),
            offset: 65_536,
            location: Some("/v1/photos/ab".to_owned()),
            of: None,
        }],
        upload_token: Some("token".to_owned()),
        feed: vec![FeedItem {
            case: case(5),
            events: vec![WireEvent { version: 2, event: b"{}".to_vec().into() }],
            changes: vec![vec![6; 10].into()],
        }],
        feed_digest: [4; digest::BYTES],
        gone: vec![case(6)],
        cursor: 4_800,
        more: true,
        server_time: Millis(1_701_400_000_000),
        reference: 5,
        census: None,
    }
}

fn counting_up() -> SyncUp {
    let census = Census {
        day: 19_700,
        root: [1; digest::BYTES],
        buckets: Some(vec![2; 1_024].into()),
        from: Some(7),
        except: Some(vec![case(3)]),
    };
    SyncUp { epoch: 3, cursor: 4_711, heard: Some(41), census: Some(census), room: Some(30_000), ..SyncUp::default() }
}

fn counted_down() -> SyncDown {
    let census = CensusReply { next: Some(9), told: Some(vec![7, 8].into()) };
    SyncDown { census: Some(census), ..down() }
}

#[track_caller]
fn assert_golden<T>(name: &str, value: &T)
where
    T: minicbor::Encode<()> + for<'b> minicbor::Decode<'b, ()> + PartialEq + std::fmt::Debug,
{
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wire/v1").join(name);
    let encoded = hex::encode(codec::encode(value));
    if !path.exists() && std::env::var_os("XUNGE_WRITE_GOLDEN").is_some() {
        std::fs::write(&path, format!("{encoded}\n")).unwrap();
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{} is missing", path.display()));
    assert_eq!(encoded, golden.trim(), "{name}: phones in the field speak the committed bytes");
    let bytes = hex::decode(golden.trim()).unwrap();
    assert_eq!(&codec::decode::<T>(&bytes).unwrap(), value, "{name} is read as it was written");
}

#[test]
fn golden_bodies_are_read_and_written_for_ever() {
    assert_golden("sync_up.hex", &up());
    assert_golden("sync_up_idle.hex", &SyncUp::default());
    assert_golden("sync_down.hex", &down());
    assert_golden("sync_down_idle.hex", &SyncDown::default());
    assert_golden("sync_up_census.hex", &counting_up());
    assert_golden("sync_down_census.hex", &counted_down());
}

#[test]
fn golden_previews_name_the_photo_they_go_ahead_of() {
    let photo = PhotoHash::from_bytes([8; 32]);
    let (sha256, of) = (PhotoHash::from_bytes([9; 32]), Some(photo));
    let offer = PhotoOffer { case: case(1), sha256, bytes: 9_800, of };
    let offset = PhotoOffset { sha256, offset: 0, location: Some(format!("/v1/photos/preview-{photo}")), of };
    assert_eq!((offer.item(), offset.item()), (PhotoItem::Preview(photo), PhotoItem::Preview(photo)));
    assert_golden("preview_up.hex", &SyncUp { photos: vec![offer], ..SyncUp::default() });
    assert_golden("preview_down.hex", &SyncDown { photos: vec![offset], ..SyncDown::default() });
}

#[test]
fn golden_envelopes_carry_the_same_signature_for_ever() {
    let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    assert_golden("envelope.hex", &Envelope::seal(b"frame".to_vec(), DeviceId::from_bytes([1; 16]), 7, &key));
}

#[test]
fn every_cut_and_every_flipped_byte_is_read_or_refused_but_never_trusted_to_panic() {
    let bytes = codec::encode(&down());
    for end in 0..bytes.len() {
        assert!(codec::decode::<SyncDown>(&bytes[..end]).is_err(), "cut at {end}");
    }
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            let _ = codec::decode::<SyncDown>(&changed);
        }
    }
}

#[test]
fn an_idle_request_is_small() {
    let key = ed25519_dalek::SigningKey::from_bytes(&[5; 32]);
    let idle =
        SyncUp { epoch: 3, cursor: 100_000, reference: 4, phone_time: Millis(1_701_400_000_000), ..SyncUp::default() };
    let envelope = Envelope::seal(codec::pack(&idle), DeviceId::from_bytes([1; 16]), 1_000, &key);
    assert!(envelope.to_bytes().len() <= 160, "{}", envelope.to_bytes().len());
    assert!(codec::pack(&SyncDown { epoch: 3, cursor: 100_000, ..SyncDown::default() }).len() <= 100);
}

#[test]
fn a_count_that_is_equal_costs_its_sixteen_bytes_and_little_more() {
    let census = Census { day: 19_700, root: [9; digest::BYTES], buckets: None, from: None, except: None };
    let idle = |census| codec::encode(&SyncUp { census, ..SyncUp::default() }).len();
    assert_eq!(idle(Some(census)) - idle(None), digest::BYTES + 8);
    let answer = |census| codec::encode(&SyncDown { census, ..SyncDown::default() }).len();
    assert_eq!(answer(Some(CensusReply::default())) - answer(None), 2);
}

#[test]
fn lists_longer_than_allowed_are_named() {
    let frame = Frame { case: case(1), changes: vec![], submit: false };
    let many = SyncUp { frames: vec![frame; limits::FRAMES + 1], ..SyncUp::default() };
    assert_eq!(
        many.check(),
        Err(WireError::TooMany { what: "frames", allowed: limits::FRAMES, found: limits::FRAMES + 1 })
    );
    assert_eq!(up().check(), Ok(()));
}
