//! Photos offered for a case in which another person's phone named them: a colleague's, after a restore.

use super::*;

fn offer(case: CaseId, bytes: &Bytes) -> PhotoOffer {
    PhotoOffer { case, sha256: PhotoHash::of(bytes), bytes: bytes.len() as u64, of: None }
}

impl Bench {
    /// Offers a photo and sends all of it, if it is asked for.
    async fn offer_and_send(&self, owner: &Owner, case: CaseId, bytes: &Bytes) {
        let answer = self.uploads.offered(owner, &[offer(case, bytes)]).await.unwrap().remove(0);
        if answer.location.is_some() {
            let (target, _) = named(bytes);
            assert!(self.uploads.append(owner, target, 0, whole(bytes), None).await.unwrap().complete);
        }
    }

    async fn present(&self) -> (i64, i64) {
        let of = |sql| self.number(sql);
        let photos = of("SELECT CAST(COALESCE(SUM(present), 0) AS BIGINT) FROM photo").await;
        (photos, of("SELECT CAST(COALESCE(SUM(photos_present), 0) AS BIGINT) FROM case_row").await)
    }
}

#[tokio::test]
async fn a_photo_completes_the_case_it_is_offered_for_although_a_colleague_named_it() {
    let bench = Bench::new().await;
    let bytes = photo(1);
    bench.announce(case(1), &bytes).await;
    bench.offer_and_send(&wang(), case(1), &bytes).await;
    assert_eq!(bench.present().await, (1, 1));
    assert_eq!(bench.number("SELECT COUNT(*) FROM photo_offer").await, 1);
    bench.uploads.expire(Security.now()).await.unwrap();
    assert_eq!(bench.number("SELECT COUNT(*) FROM photo_offer").await, 0, "it has done its work");
}

#[tokio::test]
async fn a_photo_that_was_sent_before_completes_the_case_with_its_offer() {
    let bench = Bench::new().await;
    let bytes = photo(2);
    bench.send(&wang(), &bytes).await;
    bench.announce(case(1), &bytes).await;
    assert_eq!(bench.present().await, (0, 0));
    bench.offer_and_send(&wang(), case(1), &bytes).await;
    assert_eq!(bench.present().await, (1, 1));
}

#[tokio::test]
async fn an_offer_without_the_bytes_lets_nobody_adopt_a_photo() {
    let bench = Bench::new().await;
    let bytes = photo(3);
    // He knows a hash and writes a case with it; whose photo it is never offers it there.
    bench.announce(case(1), &bytes).await;
    bench.uploads.offered(&second_phone_of_li(), &[offer(case(1), &bytes)]).await.unwrap();
    assert_eq!(bench.number("SELECT COUNT(*) FROM photo_offer").await, 0, "his own needs no offer");
    bench.announce(case(2), &bytes).await;
    let (first, theirs) = (case(1).as_bytes().to_vec(), device(3).as_bytes().to_vec());
    run(&bench.store, "UPDATE photo SET device = ?2 WHERE case_id <> ?1", params![first, theirs]).await;
    bench.offer_and_send(&wang(), case(2), &bytes).await;
    assert_eq!(bench.present().await, (1, 1), "only the case it was offered for");
    // And a helper who knows the hash as well, and has no bytes, is of no help.
    let helper = Owner::Device { device: device(4), user: "zhao".into() };
    bench.uploads.offered(&helper, &[offer(case(1), &bytes)]).await.unwrap();
    assert_eq!(bench.number("SELECT COUNT(*) FROM photo_offer").await, 1);
    assert_eq!(bench.present().await, (1, 1));
}

#[tokio::test]
async fn offers_are_bounded_and_not_kept_for_ever() {
    let bench = Bench::new().await;
    let many: Vec<PhotoOffer> = (0..600u16)
        .map(|n| PhotoOffer { case: case(9), sha256: PhotoHash::of(&n.to_be_bytes()), bytes: 10, of: None })
        .collect();
    bench.uploads.offered(&wang(), &many).await.unwrap();
    assert_eq!(bench.number("SELECT COUNT(*) FROM photo_offer").await, 512);
    let bytes = photo(4);
    bench.announce(case(1), &bytes).await;
    bench.uploads.offered(&li(), &many[..1]).await.unwrap();
    assert_eq!(bench.number("SELECT COUNT(*) FROM photo_offer").await, 513, "of each person");
    let now = Security.now();
    bench.uploads.expire(now.plus_ms(89 * DAY_MS)).await.unwrap();
    assert_eq!(bench.number("SELECT COUNT(*) FROM photo_offer").await, 513, "their words may still be released");
    bench.uploads.expire(now.plus_ms(91 * DAY_MS)).await.unwrap();
    assert_eq!(bench.number("SELECT COUNT(*) FROM photo_offer").await, 0);
}
