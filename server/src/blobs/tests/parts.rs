use std::io;
use std::time::{Duration, SystemTime};

use futures::stream;
use sha2::Digest;

use super::staging::{Arrival, Checksum, PartId, Staging};
use super::*;

const ID: PartId = PartId([7; 16]);
const LIMIT: u64 = 1 << 20;

type Piece = Result<Bytes, io::Error>;

fn pieces(all: &[&[u8]]) -> Vec<Piece> {
    all.iter().map(|piece| Ok(Bytes::copy_from_slice(piece))).collect()
}

fn then_cut(all: &[&[u8]]) -> Vec<Piece> {
    pieces(all).into_iter().chain([Err(io::ErrorKind::ConnectionReset.into())]).collect()
}

fn staging() -> (Staging, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Staging::in_folder(folder.path()).unwrap(), folder)
}

async fn append(staging: &Staging, body: Vec<Piece>, checksum: Option<Checksum>) -> (Arrival, u64) {
    let mut part = staging.take(ID).await.unwrap();
    let arrival = part.append(stream::iter(body), LIMIT, checksum).await.unwrap();
    (arrival, part.length())
}

#[tokio::test]
async fn what_arrived_before_a_cut_stays_and_the_hash_covers_all_requests() {
    let (staging, _folder) = staging();
    assert_eq!(append(&staging, then_cut(&[b"half ", b"a "]), None).await, (Arrival::Cut, 7));
    assert_eq!(staging.lengths(vec![ID]).await.unwrap()[0], 7);
    let mut part = staging.take(ID).await.unwrap();
    assert_eq!(part.append(stream::iter(pieces(&[b"photo"])), LIMIT, None).await.unwrap(), Arrival::Whole);
    assert_eq!(part.hash().await.unwrap(), PhotoHash::of(b"half a photo"));
    assert_eq!(fs::read(part.path()).unwrap(), b"half a photo");
}

#[tokio::test]
async fn a_body_larger_than_the_buffer_is_written_and_hashed_on_the_way() {
    let (staging, _folder) = staging();
    let piece = photo(3);
    let body: Vec<&[u8]> = std::iter::repeat_n(piece.as_slice(), 100).collect();
    let mut part = staging.take(ID).await.unwrap();
    assert_eq!(part.append(stream::iter(pieces(&body)), LIMIT, None).await.unwrap(), Arrival::Whole);
    assert_eq!(part.hash().await.unwrap(), PhotoHash::of(&piece.repeat(100)));
    assert_eq!(fs::read(part.path()).unwrap(), piece.repeat(100));
}

#[tokio::test]
async fn a_wrong_check_sum_leaves_the_part_as_it_was() {
    let (staging, _folder) = staging();
    append(&staging, pieces(&[b"first "]), None).await;
    let sha1 = |bytes: &[u8]| Checksum::Sha1(sha1::Sha1::digest(bytes).into());
    let sha256 = |bytes: &[u8]| Checksum::Sha256(sha2::Sha256::digest(bytes).into());
    assert_eq!(append(&staging, pieces(&[b"secOnd"]), Some(sha1(b"second"))).await, (Arrival::WrongChecksum, 6));
    assert_eq!(append(&staging, pieces(&[b"secOnd"]), Some(sha256(b"second"))).await, (Arrival::WrongChecksum, 6));
    assert_eq!(append(&staging, pieces(&[b"second"]), Some(sha1(b"second"))).await, (Arrival::Whole, 12));
    assert_eq!(append(&staging, pieces(&[b"!"]), Some(sha256(b"!"))).await, (Arrival::Whole, 13));
    assert_eq!(staging.take(ID).await.unwrap().hash().await.unwrap(), PhotoHash::of(b"first second!"));
}

#[tokio::test]
async fn more_than_the_limit_is_refused_and_not_kept() {
    let (staging, _folder) = staging();
    append(&staging, pieces(&[b"12345"]), None).await;
    let mut part = staging.take(ID).await.unwrap();
    let flood = stream::repeat_with(|| Piece::Ok(Bytes::from_static(&[0; 65_536])));
    assert_eq!(part.append(flood, LIMIT, None).await.unwrap(), Arrival::TooLong);
    assert_eq!((part.length(), staging.lengths(vec![ID]).await.unwrap()[0]), (5, 5));
    assert_eq!(part.hash().await.unwrap(), PhotoHash::of(b"12345"));
}

#[tokio::test]
async fn a_new_request_ends_one_that_waits_for_a_dead_link() {
    let (staging, _folder) = staging();
    let mut stuck = staging.take(ID).await.unwrap();
    let (arrived, seen) = tokio::sync::oneshot::channel();
    let old = tokio::spawn(async move {
        let first = stream::once(async {
            let _ = arrived.send(());
            Piece::Ok(Bytes::from_static(b"kept"))
        });
        stuck.append(first.chain(stream::pending()), LIMIT, None).await
    });
    seen.await.unwrap();
    let part = staging.take(ID).await.unwrap();
    assert_eq!(part.length(), 4);
    assert_eq!(old.await.unwrap().unwrap(), Arrival::Cut);
}

#[tokio::test]
async fn a_lost_folder_only_means_to_begin_again() {
    let (staging, folder) = staging();
    append(&staging, pieces(&[b"gone"]), None).await;
    let parts = folder.path().join("staging");
    fs::remove_dir_all(&parts).unwrap();
    fs::create_dir(&parts).unwrap();
    assert_eq!(append(&staging, pieces(&[b"again"]), None).await, (Arrival::Whole, 5));
}

#[tokio::test]
async fn a_discarded_part_begins_at_nothing() {
    let (staging, _folder) = staging();
    let mut part = staging.take(ID).await.unwrap();
    part.append(stream::iter(pieces(&[b"bad"])), LIMIT, None).await.unwrap();
    part.discard().await.unwrap();
    part.discard().await.unwrap();
    part.append(stream::iter(pieces(&[b"good"])), LIMIT, None).await.unwrap();
    assert_eq!(part.hash().await.unwrap(), PhotoHash::of(b"good"));
}

#[tokio::test]
async fn only_parts_nobody_wrote_to_are_swept() {
    let (staging, _folder) = staging();
    append(&staging, pieces(&[b"x"]), None).await;
    #[allow(clippy::disallowed_methods, reason = "files are dated by the disk's clock")]
    let now = SystemTime::now();
    let hour = Duration::from_secs(3600);
    assert_eq!(staging.sweep(now - hour).await, Ok(0));
    assert_eq!(staging.sweep(now + hour).await, Ok(1));
    assert_eq!(staging.lengths(vec![ID]).await.unwrap()[0], 0);
}
