mod offers;
mod previews;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt, stream};
use sha2::{Digest, Sha256};
use xunge_client_core::model::{CaseId, DeviceId};
use xunge_client_core::photo::synthetic::{self, Moment};

use super::*;
use crate::store::Value;

const NOW: Millis = Millis(1_700_000_000_000);
const DAY_MS: i64 = 86_400_000;

type Piece = Result<Bytes, std::io::Error>;

/// A server with two inspectors; li has two phones, wang one.
struct Bench {
    store: Store,
    blobs: Blobs,
    uploads: Uploads,
    full: Arc<AtomicBool>,
    folder: tempfile::TempDir,
}

fn device(byte: u8) -> DeviceId {
    DeviceId::from_bytes([byte; 16])
}

fn li() -> Owner {
    Owner::Device { device: device(1), user: "li".into() }
}

fn second_phone_of_li() -> Owner {
    Owner::Device { device: device(2), user: "li".into() }
}

fn wang() -> Owner {
    Owner::Device { device: device(3), user: "wang".into() }
}

fn case(byte: u8) -> CaseId {
    CaseId::from_bytes([byte; 16])
}

fn photo(seed: u64) -> Bytes {
    synthetic::jpeg(seed, Moment::Before, 64, 48).into()
}

fn whole(bytes: &Bytes) -> stream::Iter<std::vec::IntoIter<Piece>> {
    stream::iter(vec![Ok(bytes.clone())])
}

fn then_cut(bytes: &[u8]) -> stream::Iter<std::vec::IntoIter<Piece>> {
    stream::iter(vec![Ok(Bytes::copy_from_slice(bytes)), Err(std::io::ErrorKind::ConnectionReset.into())])
}

fn named(bytes: &Bytes) -> (Target, Begin) {
    let hash = PhotoHash::of(bytes);
    let begin = Begin { length: bytes.len() as u64, sha256: Some(hash), fresh: Ulid::from_bytes([0; 16]) };
    (Target::Photo(hash), begin)
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::in_memory().unwrap();
        for user in ["li", "wang"] {
            run(
                &store,
                "INSERT INTO user_account (id, name, role, scope, created_at) VALUES (?1, ?1, 'inspector', '640105', 0)",
                params![user],
            )
            .await;
        }
        for (byte, user) in [(1, "li"), (2, "li"), (3, "wang")] {
            run(
                &store,
                "INSERT INTO device (id, user_id, public_key, counter_window, name, enrolled_at)
                 VALUES (?1, ?2, ?3, ?4, 'phone', 0)",
                params![device(byte).as_bytes(), user, [byte; 32], Vec::new()],
            )
            .await;
        }
        let blobs = Blobs::in_folder(folder.path()).unwrap();
        let staging = Staging::in_folder(folder.path()).unwrap();
        let full = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&full);
        let space = Space::of_share(move || if seen.load(Ordering::Relaxed) { 0.01 } else { 0.5 });
        let business = Business::standing(NOW);
        let uploads = Uploads::new(store.clone(), blobs.clone(), staging, space, business);
        Self { store, blobs, uploads, full, folder }
    }

    /// A case with one photo that a phone of li announced.
    async fn announce(&self, case: CaseId, bytes: &Bytes) {
        run(
            &self.store,
            "INSERT INTO case_row (id, district, state, version, mode_claim, category, category_claim, unit, office,
             street, community, grid, reporter, source, received_at, received_day, photos_expected, heads, text,
             updated_at, event_hash, ledger) VALUES (?1, '640105', 'reported', 1, 'forwarded', '', '', '', '', '', '', '', 'li',
             'phone', 0, '2023-11-14', 1, ?2, '', 0, ?3, '{}')",
            params![case.as_bytes(), Vec::new(), [0; 32]],
        )
        .await;
        run(
            &self.store,
            "INSERT INTO photo (case_id, sha256, district, role, mime, size_bytes, width, height, device, announced_at)
             VALUES (?1, ?2, '640105', 'before', 'image/jpeg', ?3, 64, 48, ?4, 0)",
            params![case.as_bytes(), PhotoHash::of(bytes).as_bytes(), bytes.len() as i64, device(1).as_bytes()],
        )
        .await;
    }

    async fn number(&self, sql: &'static str) -> i64 {
        self.store
            .read(move |tx| Box::pin(async move { tx.query_one(sql, params![]).await?.int(0) }))
            .await
            .map_err(|error: StoreError| error)
            .unwrap()
    }

    async fn send(&self, owner: &Owner, bytes: &Bytes) -> Progress {
        let (target, begin) = named(bytes);
        self.uploads.begin(owner, begin).await.unwrap();
        self.uploads.append(owner, target, 0, whole(bytes), None).await.unwrap()
    }

    fn parts(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("staging")).unwrap().count()
    }
}

async fn run(store: &Store, sql: &'static str, params: &[Value]) {
    let params = params.to_vec();
    let ran: Result<u64, StoreError> =
        store.write(move |tx| Box::pin(async move { tx.execute(sql, &params).await })).await;
    ran.unwrap();
}

#[tokio::test]
async fn an_announced_photo_needs_no_creation_and_completes_its_case() {
    let bench = Bench::new().await;
    let bytes = photo(1);
    bench.announce(case(1), &bytes).await;
    let offer = PhotoOffer { case: case(1), sha256: PhotoHash::of(&bytes), bytes: bytes.len() as u64, of: None };
    let answer = bench.uploads.offered(&li(), std::slice::from_ref(&offer)).await.unwrap().remove(0);
    let location = answer.location.unwrap();
    assert_eq!((answer.offset, location.len()), (0, "/v1/photos/".len() + 64));
    assert_eq!(bench.number("SELECT COUNT(*) FROM upload").await, 0);

    let target: Target = location.trim_start_matches("/v1/photos/").parse().unwrap();
    let half = bytes.len() / 2;
    let cut = bench.uploads.append(&li(), target, 0, then_cut(&bytes[..half]), None).await.unwrap();
    assert_eq!((cut.offset, cut.complete), (half as u64, false));
    let answer = bench.uploads.offered(&li(), std::slice::from_ref(&offer)).await.unwrap().remove(0);
    assert_eq!(answer.offset, half as u64);

    let done = bench.uploads.append(&li(), target, half as u64, whole(&bytes.slice(half..)), None).await.unwrap();
    assert!(done.complete);
    assert_eq!(bench.blobs.get(offer.sha256).await.unwrap(), bytes);
    assert_eq!(bench.number("SELECT photos_present FROM case_row").await, 1);
    assert_eq!(bench.number("SELECT present FROM photo").await, 1);
    assert_eq!(bench.number("SELECT stored_at FROM blob").await, NOW.0);
    let answer = bench.uploads.offered(&li(), &[offer]).await.unwrap().remove(0);
    assert_eq!((answer.offset, answer.location), (bytes.len() as u64, None));
    assert_eq!(bench.parts(), 0);
}

#[tokio::test]
async fn what_has_arrived_no_longer_waits_on_its_phone() {
    let bench = Bench::new().await;
    run(&bench.store, "UPDATE device SET waiting_photos = 2", params![]).await;
    let waiting = async |phone: u8| {
        bench
            .number(match phone {
                1 => "SELECT waiting_photos FROM device ORDER BY id LIMIT 1",
                _ => "SELECT MIN(waiting_photos) FROM (SELECT waiting_photos FROM device ORDER BY id LIMIT 9 OFFSET 1)",
            })
            .await
    };
    bench.send(&li(), &photo(1)).await;
    assert_eq!((waiting(1).await, waiting(2).await), (1, 2), "of this phone only");
    bench.send(&li(), &photo(2)).await;
    bench.send(&li(), &photo(3)).await;
    assert_eq!(waiting(1).await, 0, "and never below nothing");
}

#[tokio::test]
async fn a_photo_may_come_before_its_case_and_is_then_known() {
    let bench = Bench::new().await;
    let bytes = photo(2);
    assert!(bench.send(&li(), &bytes).await.complete);
    assert_eq!(bench.number("SELECT COUNT(*) FROM blob_owner").await, 1);
    assert_eq!(bench.number("SELECT COUNT(*) FROM upload").await, 0);
    // Sent again: nothing is taken, everything is answered.
    let (target, begin) = named(&bytes);
    let again = bench.uploads.begin(&li(), begin).await.unwrap();
    assert_eq!((again.complete, again.offset), (true, bytes.len() as u64));
    let wrong = bench.uploads.append(&li(), target, 0, whole(&bytes), None).await;
    assert_eq!(wrong, Err(UploadError::Offset { expected: bytes.len() as u64 }));
}

#[tokio::test]
async fn another_phone_learns_nothing_and_changes_nothing() {
    let bench = Bench::new().await;
    let bytes = photo(3);
    bench.announce(case(1), &bytes).await;
    let (target, begin) = named(&bytes);
    let half = bytes.len() / 2;
    bench.uploads.append(&li(), target, 0, then_cut(&bytes[..half]), None).await.unwrap();
    assert_eq!(bench.uploads.progress(&wang(), target).await, Err(UploadError::NotFound));
    assert_eq!(bench.uploads.append(&wang(), target, 0, whole(&bytes), None).await, Err(UploadError::NotFound));
    assert_eq!(bench.uploads.terminate(&wang(), target).await, Err(UploadError::NotFound));

    // Its own upload of the same hash begins at nothing, and poison in it harms only itself.
    let own = bench.uploads.begin(&wang(), begin).await.unwrap();
    assert_eq!((own.offset, own.complete), (0, false));
    let poison = Bytes::from(vec![0; bytes.len()]);
    assert_eq!(bench.uploads.append(&wang(), target, 0, whole(&poison), None).await, Err(UploadError::Hash));
    bench.uploads.terminate(&wang(), target).await.unwrap();
    assert_eq!(bench.uploads.progress(&li(), target).await.unwrap().offset, half as u64);

    // Even a stored photo stays invisible until all of its bytes were sent, and then completes nobody else's case.
    bench.uploads.append(&li(), target, half as u64, whole(&bytes.slice(half..)), None).await.unwrap();
    assert_eq!(bench.uploads.begin(&wang(), begin).await.unwrap().offset, 0);
    assert!(bench.uploads.append(&wang(), target, 0, whole(&bytes), None).await.unwrap().complete);
    assert_eq!(bench.number("SELECT COUNT(*) FROM blob").await, 1);
    assert_eq!(bench.number("SELECT COUNT(*) FROM blob_owner").await, 2);
}

#[tokio::test]
async fn a_stranger_who_sends_all_bytes_does_not_complete_the_case() {
    let bench = Bench::new().await;
    let bytes = photo(4);
    bench.announce(case(1), &bytes).await;
    bench.send(&wang(), &bytes).await;
    assert_eq!(bench.number("SELECT photos_present FROM case_row").await, 0);
    bench.send(&Owner::User("wang".into()), &bytes).await;
    assert_eq!(bench.number("SELECT present FROM photo").await, 0);
}

#[tokio::test]
async fn the_new_phone_of_the_same_person_completes_what_the_broken_one_announced() {
    let bench = Bench::new().await;
    let bytes = photo(5);
    bench.announce(case(1), &bytes).await;
    let (target, _) = named(&bytes);
    assert!(bench.uploads.append(&second_phone_of_li(), target, 0, whole(&bytes), None).await.unwrap().complete);
    assert_eq!(bench.number("SELECT photos_present FROM case_row").await, 1);
}

#[tokio::test]
async fn an_upload_without_a_hash_is_named_by_what_came() {
    let bench = Bench::new().await;
    let bytes = photo(6);
    let office = Owner::User("zhao".into());
    let fresh = Ulid::from_bytes([5; 16]);
    let begun = bench.uploads.begin(&office, Begin { length: bytes.len() as u64, sha256: None, fresh }).await.unwrap();
    assert_eq!(begun.target, Target::Nameless(fresh));
    assert_eq!(bench.uploads.progress(&li(), begun.target).await, Err(UploadError::NotFound));
    let done = bench.uploads.append(&office, begun.target, 0, whole(&bytes), None).await.unwrap();
    assert!(done.complete);
    assert_eq!(bench.blobs.get(PhotoHash::of(&bytes)).await.unwrap(), bytes);
    let asked = bench.uploads.progress(&office, begun.target).await.unwrap();
    assert_eq!((asked.offset, asked.complete), (bytes.len() as u64, true));
    assert_eq!(bench.uploads.terminate(&office, begun.target).await, Err(UploadError::Stored));
}

#[tokio::test]
async fn a_wrong_offset_check_sum_or_length_says_how_to_go_on() {
    let bench = Bench::new().await;
    let bytes = photo(7);
    let (target, begin) = named(&bytes);
    bench.uploads.begin(&li(), begin).await.unwrap();
    let owner = li();
    let append = |offset, body, checksum| bench.uploads.append(&owner, target, offset, body, checksum);
    assert_eq!(append(9, whole(&bytes), None).await, Err(UploadError::Offset { expected: 0 }));
    let sum = |bytes: &[u8]| Some(Checksum::Sha256(Sha256::digest(bytes).into()));
    assert_eq!(append(0, whole(&bytes), sum(b"other")).await, Err(UploadError::Checksum));
    let more = Bytes::from([&bytes[..], b"!"].concat());
    let length = bytes.len() as u64;
    assert_eq!(append(0, whole(&more), None).await, Err(UploadError::TooLong { length }));
    assert!(append(0, whole(&bytes), sum(&bytes)).await.unwrap().complete);
}

#[tokio::test]
async fn other_bytes_of_the_right_length_are_thrown_away_and_the_upload_begins_again() {
    let bench = Bench::new().await;
    let bytes = photo(8);
    let (target, begin) = named(&bytes);
    bench.uploads.begin(&li(), begin).await.unwrap();
    let other = Bytes::from(vec![7; bytes.len()]);
    assert_eq!(bench.uploads.append(&li(), target, 0, whole(&other), None).await, Err(UploadError::Hash));
    assert_eq!(bench.uploads.progress(&li(), target).await.unwrap().offset, 0);
    assert!(bench.uploads.append(&li(), target, 0, whole(&bytes), None).await.unwrap().complete);
}

#[tokio::test]
async fn what_a_crash_left_whole_is_completed_when_somebody_asks() {
    let bench = Bench::new().await;
    let bytes = photo(9);
    bench.announce(case(1), &bytes).await;
    let (target, _) = named(&bytes);
    let part = hex::encode(li().part(target).0);
    std::fs::write(bench.folder.path().join("staging").join(&part), &bytes).unwrap();
    assert!(bench.uploads.progress(&li(), target).await.unwrap().complete);
    assert_eq!(bench.number("SELECT photos_present FROM case_row").await, 1);

    // Whole but wrong: it counts as nothing.
    let damaged = photo(10);
    bench.announce(case(2), &damaged).await;
    let (target, _) = named(&damaged);
    let part = hex::encode(li().part(target).0);
    std::fs::write(bench.folder.path().join("staging").join(&part), vec![0; damaged.len()]).unwrap();
    let offer = PhotoOffer { case: case(2), sha256: PhotoHash::of(&damaged), bytes: damaged.len() as u64, of: None };
    let answer = bench.uploads.offered(&li(), &[offer]).await.unwrap().remove(0);
    assert_eq!((answer.offset, answer.location.is_some()), (0, true));
}

#[tokio::test]
async fn an_upload_ends_when_its_owner_or_time_ends_it() {
    let bench = Bench::new().await;
    let (first, second) = (photo(11), photo(12));
    let (target, begin) = named(&first);
    let begun = bench.uploads.begin(&li(), begin).await.unwrap();
    bench.uploads.append(&li(), target, 0, then_cut(&first[..50]), None).await.unwrap();
    bench.uploads.terminate(&li(), target).await.unwrap();
    assert_eq!(bench.uploads.progress(&li(), target).await, Err(UploadError::NotFound));

    let (target, begin) = named(&second);
    bench.uploads.begin(&li(), begin).await.unwrap();
    bench.uploads.append(&li(), target, 0, then_cut(&second[..50]), None).await.unwrap();
    let end = begun.expires_at.unwrap();
    assert_eq!(bench.uploads.expire(end.plus_ms(-DAY_MS)).await, Ok(0));
    assert_eq!(bench.uploads.expire(end.plus_ms(DAY_MS)).await, Ok(1));
    assert_eq!(bench.uploads.progress(&li(), target).await, Err(UploadError::NotFound));
    assert_eq!(bench.parts(), 0);
}

#[tokio::test]
async fn the_same_photo_of_two_people_is_stored_once_and_only_after_each_has_sent_all_of_it() {
    let bench = Bench::new().await;
    let bytes = photo(15);
    bench.announce(case(1), &bytes).await;
    bench.announce(case(2), &bytes).await;
    let (hers, his) = (case(1).as_bytes().to_vec(), device(3).as_bytes().to_vec());
    run(&bench.store, "UPDATE photo SET device = ?2 WHERE case_id <> ?1", params![hers, his]).await;
    let present = "SELECT CAST(COALESCE(SUM(present), 0) AS BIGINT) FROM photo";
    assert!(bench.send(&li(), &bytes).await.complete);
    assert_eq!(bench.number(present).await, 1, "her bytes do not complete his case");
    let (target, _) = named(&bytes);
    assert_eq!(bench.uploads.progress(&wang(), target).await.unwrap().offset, 0, "he begins at the first byte");
    let half = bytes.len() / 2;
    bench.uploads.append(&wang(), target, 0, then_cut(&bytes[..half]), None).await.unwrap();
    assert_eq!(bench.number(present).await, 1, "nor does half of his own");
    let done = bench.uploads.append(&wang(), target, half as u64, whole(&bytes.slice(half..)), None).await.unwrap();
    assert!(done.complete);
    assert_eq!(bench.number(present).await, 2);
    assert_eq!(bench.number("SELECT COUNT(*) FROM blob").await, 1, "stored once");
    assert_eq!(bench.number("SELECT COUNT(*) FROM blob_owner").await, 2);
}

#[tokio::test]
async fn a_phone_that_comes_back_after_the_holidays_begins_its_photo_again() {
    let bench = Bench::new().await;
    let bytes = photo(16);
    bench.announce(case(1), &bytes).await;
    let (target, _) = named(&bytes);
    bench.uploads.append(&li(), target, 0, then_cut(&bytes[..80]), None).await.unwrap();
    assert_eq!(bench.uploads.expire(Security.now().plus_ms(13 * DAY_MS)).await, Ok(0));
    assert_eq!(bench.uploads.progress(&li(), target).await.unwrap().offset, 80);
    assert_eq!(bench.uploads.expire(Security.now().plus_ms(15 * DAY_MS)).await, Ok(1));
    // It goes on where it stood, is told where to begin, and is not refused: the case still waits for its photo.
    let late = bench.uploads.append(&li(), target, 80, whole(&bytes.slice(80..)), None).await;
    assert_eq!(late, Err(UploadError::Offset { expected: 0 }));
    let offer = PhotoOffer { case: case(1), sha256: PhotoHash::of(&bytes), bytes: bytes.len() as u64, of: None };
    assert_eq!(bench.uploads.offered(&li(), &[offer]).await.unwrap()[0].offset, 0);
    assert!(bench.uploads.append(&li(), target, 0, whole(&bytes), None).await.unwrap().complete);
}

#[tokio::test]
async fn sizes_quotas_and_a_full_disk_are_refused_before_a_byte_is_read() {
    let bench = Bench::new().await;
    let bytes = photo(13);
    let (target, begin) = named(&bytes);
    for length in [0, MAX_BYTES + 1] {
        let refused = bench.uploads.begin(&li(), Begin { length, ..begin }).await;
        assert_eq!(refused, Err(UploadError::Size { limit: MAX_BYTES }));
    }
    for number in 0..MAX_OPEN {
        let sha256 = Some(PhotoHash::of(&number.to_be_bytes()));
        bench.uploads.begin(&li(), Begin { length: 10, sha256, ..begin }).await.unwrap();
    }
    assert_eq!(bench.uploads.begin(&li(), begin).await, Err(UploadError::TooMany));
    bench.uploads.begin(&wang(), begin).await.unwrap();
    bench.full.store(true, Ordering::Relaxed);
    assert_eq!(bench.uploads.append(&wang(), target, 0, whole(&bytes), None).await, Err(UploadError::DiskFull));
    assert_eq!(bench.uploads.begin(&wang(), begin).await, Err(UploadError::DiskFull));
}

#[tokio::test]
async fn a_phone_that_hangs_up_right_after_the_last_byte_has_sent_its_photo() {
    let bench = Bench::new().await;
    let bytes = photo(14);
    bench.announce(case(1), &bytes).await;
    let (target, _) = named(&bytes);
    let (sent, all_sent) = tokio::sync::oneshot::channel();
    let body = whole(&bytes).chain(stream::once(async {
        let _ = sent.send(());
        Piece::Ok(Bytes::new())
    }));
    let uploads = bench.uploads.clone();
    let request = tokio::spawn(async move { uploads.append(&li(), target, 0, body, None).await });
    all_sent.await.unwrap();
    request.abort();
    // The next request waits for the part, and finds the photo stored.
    assert!(bench.uploads.progress(&li(), target).await.unwrap().complete);
}

#[tokio::test]
async fn many_photos_at_once_share_their_flushes() {
    let bench = Bench::new().await;
    let photos: Vec<Bytes> = (100..164).map(photo).collect();
    let phone = li();
    let sending = photos.iter().map(|bytes| bench.send(&phone, bytes));
    let done = futures::future::join_all(sending).await;
    assert!(done.iter().all(|progress| progress.complete));
    assert_eq!(bench.number("SELECT COUNT(*) FROM blob").await, 64);
    assert!(bench.blobs.stats().batches < 40, "{:?}", bench.blobs.stats());
}

#[tokio::test]
async fn bytes_without_a_row_are_removed_after_their_time_and_nothing_else() {
    let bench = Bench::new().await;
    let (kept, orphan) = (photo(1), photo(2));
    bench.send(&li(), &kept).await;
    let staged = bench.folder.path().join("a crash came after this");
    std::fs::write(&staged, &orphan).unwrap();
    let name = PhotoHash::of(&orphan);
    bench.blobs.put_verified(name, staged).await.unwrap();
    let start = Security.now();
    let sweep = async |days: i64| bench.uploads.sweep_orphans(start.plus_ms(days * DAY_MS)).await.unwrap();
    assert_eq!((sweep(0).await, sweep(29).await), (0, 0), "its phone may still come");
    run(&bench.store, "INSERT INTO meta (key, value) VALUES ('server_epoch', '2')", params![]).await;
    assert_eq!((sweep(31).await, sweep(60).await), (0, 0), "restored: rows come back as phones offer all again");
    assert!(bench.blobs.size(name).await.unwrap().is_some());
    assert_eq!((sweep(62).await, sweep(63).await), (1, 0));
    assert_eq!(bench.blobs.size(name).await.unwrap(), None);
    assert!(bench.blobs.size(PhotoHash::of(&kept)).await.unwrap().is_some());
    assert!(bench.send(&wang(), &orphan).await.complete, "and may be sent again");
}
