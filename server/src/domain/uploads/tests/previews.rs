use super::*;
use crate::domain::photos::PREVIEW;

/// A preview of a photo: any bytes will do here.
fn small(photo: &Bytes) -> Bytes {
    photo.slice(..200)
}

fn offer(photo: &Bytes, preview: &Bytes) -> PhotoOffer {
    let (sha256, bytes) = (PhotoHash::of(preview), preview.len() as u64);
    PhotoOffer { case: case(1), sha256, bytes, of: Some(PhotoHash::of(photo)) }
}

impl Bench {
    async fn offer_preview(&self, owner: &Owner, photo: &Bytes, preview: &Bytes) -> Option<PhotoOffset> {
        self.uploads.offered(owner, &[offer(photo, preview)]).await.unwrap().pop()
    }

    async fn send_preview(&self, owner: &Owner, photo: &Bytes) -> Result<Progress, UploadError> {
        let target = Target::Preview(PhotoHash::of(photo));
        self.uploads.append(owner, target, 0, whole(&small(photo)), None).await
    }

    /// What is shown in the place of a case's photo.
    async fn shown(&self, case: CaseId, photo: &Bytes) -> Option<Vec<u8>> {
        let (sql, hash) =
            (format!("SELECT {PREVIEW} FROM photo WHERE case_id = ?1 AND sha256 = ?2"), PhotoHash::of(photo));
        let read = self.store.read::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let row = tx.query_one(&sql, params![case.as_bytes(), hash.as_bytes()]).await?;
                Ok(row.opt_blob(0)?.map(<[u8]>::to_vec))
            })
        });
        read.await.unwrap()
    }
}

#[tokio::test]
async fn a_preview_is_shown_until_its_photo_is_here_and_is_never_counted_for_it() {
    let bench = Bench::new().await;
    let bytes = photo(1);
    bench.announce(case(1), &bytes).await;
    let answer = bench.offer_preview(&li(), &bytes, &small(&bytes)).await.unwrap();
    let target: Target = answer.location.unwrap().trim_start_matches("/v1/photos/").parse().unwrap();
    assert_eq!((answer.offset, target), (0, Target::Preview(PhotoHash::of(&bytes))));

    bench.uploads.append(&li(), target, 0, then_cut(&small(&bytes)[..90]), None).await.unwrap();
    let answer = bench.offer_preview(&li(), &bytes, &small(&bytes)).await.unwrap();
    assert_eq!(answer.offset, 90, "what arrived before the cut stays");
    assert_eq!(bench.shown(case(1), &bytes).await, None, "half a picture is not shown");
    assert!(bench.uploads.append(&li(), target, 90, whole(&small(&bytes).slice(90..)), None).await.unwrap().complete);
    assert_eq!(bench.shown(case(1), &bytes).await, Some(small(&bytes).to_vec()));
    assert_eq!(bench.number("SELECT photos_present FROM case_row").await, 0);
    assert_eq!(bench.number("SELECT COUNT(*) FROM blob").await, 0);
    let answer = bench.offer_preview(&li(), &bytes, &small(&bytes)).await.unwrap();
    assert_eq!((answer.offset, answer.location), (200, None), "it is not sent twice");

    assert!(bench.send(&li(), &bytes).await.complete);
    assert_eq!(bench.shown(case(1), &bytes).await, None);
    assert_eq!(bench.number("SELECT photos_present FROM case_row").await, 1);
    assert_eq!((bench.number("SELECT COUNT(*) FROM photo_preview").await, bench.parts()), (0, 0));
    let answer = bench.offer_preview(&li(), &bytes, &small(&bytes)).await.unwrap();
    assert_eq!(answer.location, None, "a late preview is not needed any more");
}

#[tokio::test]
async fn nobody_puts_a_preview_under_anothers_photo() {
    let bench = Bench::new().await;
    let bytes = photo(2);
    bench.announce(case(1), &bytes).await;
    assert_eq!(bench.offer_preview(&wang(), &bytes, &small(&bytes)).await, None, "not even whether it waits is told");
    assert_eq!(bench.send_preview(&wang(), &bytes).await, Err(UploadError::NotFound));
    // He names the same photo in a case of his own.
    bench.announce(case(2), &bytes).await;
    let (hers, his) = (case(1).as_bytes().to_vec(), device(3).as_bytes().to_vec());
    run(&bench.store, "UPDATE photo SET device = ?2 WHERE case_id <> ?1", params![hers, his]).await;
    bench.offer_preview(&wang(), &bytes, &small(&bytes)).await.unwrap();
    bench.send_preview(&wang(), &bytes).await.unwrap();
    assert_eq!(bench.shown(case(1), &bytes).await, None);
    assert_eq!(bench.shown(case(2), &bytes).await, Some(small(&bytes).to_vec()));
    // Her photo ends her previews and not his.
    bench.send(&li(), &bytes).await;
    assert_eq!(bench.shown(case(2), &bytes).await, Some(small(&bytes).to_vec()));
}

#[tokio::test]
async fn the_other_phone_of_the_same_person_may_send_the_preview() {
    let bench = Bench::new().await;
    let bytes = photo(3);
    bench.announce(case(1), &bytes).await;
    bench.offer_preview(&second_phone_of_li(), &bytes, &small(&bytes)).await.unwrap();
    bench.send_preview(&second_phone_of_li(), &bytes).await.unwrap();
    assert_eq!(bench.shown(case(1), &bytes).await, Some(small(&bytes).to_vec()));
}

#[tokio::test]
async fn a_preview_of_other_bytes_than_announced_is_thrown_away() {
    let bench = Bench::new().await;
    let bytes = photo(4);
    bench.announce(case(1), &bytes).await;
    bench.offer_preview(&li(), &bytes, &bytes.slice(1..201)).await.unwrap();
    assert_eq!(bench.send_preview(&li(), &bytes).await, Err(UploadError::Hash));
    assert_eq!((bench.shown(case(1), &bytes).await, bench.parts()), (None, 0));
    let too_large = Bytes::from(vec![7; 16 * 1024 + 1]);
    assert_eq!(bench.offer_preview(&li(), &bytes, &too_large).await, None);
}

#[tokio::test]
async fn an_unfinished_preview_is_forgotten_and_a_whole_one_waits_for_its_photo() {
    let bench = Bench::new().await;
    let (cut, kept) = (photo(5), photo(6));
    for (number, bytes) in [(1, &cut), (2, &kept)] {
        bench.announce(case(number), bytes).await;
        bench.offer_preview(&li(), bytes, &small(bytes)).await.unwrap();
    }
    let target = Target::Preview(PhotoHash::of(&cut));
    bench.uploads.append(&li(), target, 0, then_cut(&cut[..50]), None).await.unwrap();
    bench.send_preview(&li(), &kept).await.unwrap();
    bench.uploads.expire(Security.now().plus_ms(15 * DAY_MS)).await.unwrap();
    assert_eq!(bench.uploads.progress(&li(), target).await, Err(UploadError::NotFound));
    assert_eq!(bench.shown(case(2), &kept).await, Some(small(&kept).to_vec()));
    // Its phone comes back after the holidays: it begins again.
    assert_eq!(bench.offer_preview(&li(), &cut, &small(&cut)).await.unwrap().offset, 0);
}
