//! The daily count against the handler: what is compared, what is told, what is left alone.

use xunge_client_core::model::{CaseId, Mode};
use xunge_client_core::wire::census::{Count, Counted};
use xunge_client_core::wire::{Census, CensusReply, SyncDown, SyncUp, codec};
use xunge_client_core::workflow::{Payload, Verb};

use super::page::Size;
use crate::testing::{District, Phone, facts};

/// What this phone holds, as it would say it.
fn count(phone: &Phone, day: i32, except: &[CaseId]) -> Count {
    let held = phone.cases.iter().filter(|(case, _)| !except.contains(case));
    Count::of(
        day,
        held.map(|(case, held)| Counted { case: *case, version: held.version, heads: held.doc.heads() }).collect(),
    )
}

fn counting(phone: &Phone, district: &District, from: Option<u8>, except: &[CaseId]) -> SyncUp {
    let day = district.now().local_day().number();
    let count = count(phone, day, except);
    let census = Census {
        day,
        root: count.root(),
        buckets: from.map(|_| count.buckets()),
        from: from.filter(|from| *from > 0),
        except: (!except.is_empty()).then(|| except.to_vec()),
    };
    SyncUp { census: Some(census), ..phone.up(district.now()) }
}

async fn says(phone: &mut Phone, district: &District, from: Option<u8>) -> SyncDown {
    let up = counting(phone, district, from, &[]);
    let down = phone.send(district, &up).await.unwrap();
    phone.take(&up, &down);
    down
}

/// A phone with `n` reports the server took.
async fn reporter(district: &District, n: usize) -> Phone {
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    for _ in 0..n {
        phone.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    }
    phone.drain(district).await;
    phone
}

fn because() -> Payload {
    Payload { reason: Some("test".into()), ..Payload::default() }
}

#[tokio::test]
async fn equal_stores_are_told_so_and_nothing_else() {
    let district = District::new().await;
    let mut phone = reporter(&district, 12).await;
    let down = says(&mut phone, &district, None).await;
    assert_eq!(down.census, Some(CensusReply::default()));
    assert!(down.feed.is_empty());
    let other = SyncDown { census: None, ..down.clone() };
    assert_eq!(codec::encode(&down).len() - codec::encode(&other).len(), 2);
    assert_eq!(phone.sync(&district).await.census, None, "who does not ask is not answered");
}

#[tokio::test]
async fn a_case_the_phone_lost_is_told_whole_with_its_bucket() {
    let district = District::new().await;
    let mut phone = reporter(&district, 12).await;
    let lost = *phone.cases.keys().nth(5).unwrap();
    let reviewer = district.reviewer_of(lost).await;
    district.act(&reviewer, lost, Verb::Void, because()).await.unwrap();
    phone.drain(&district).await;
    let before = phone.cases.remove(&lost).unwrap();
    assert_eq!(says(&mut phone, &district, None).await.census, Some(CensusReply { next: Some(0), told: None }));
    let down = says(&mut phone, &district, Some(0)).await;
    let bucket = lost.as_bytes()[15];
    assert_eq!(down.census, Some(CensusReply { next: None, told: Some(vec![bucket].into()) }));
    let after = &phone.cases[&lost];
    assert_eq!((after.version, after.doc.heads()), (before.version, before.doc.heads()));
    assert_eq!(says(&mut phone, &district, None).await.census, Some(CensusReply::default()));
}

#[tokio::test]
async fn a_case_the_phone_should_not_have_is_not_among_what_is_told_of_its_bucket() {
    let district = District::new().await;
    let mut phone = reporter(&district, 3).await;
    let invented = CaseId::from_bytes([7; 16]);
    let copy = phone.cases.values().next().unwrap().clone();
    phone.cases.insert(invented, copy);
    let up = counting(&phone, &district, Some(0), &[]);
    let down = phone.send(&district, &up).await.unwrap();
    let reply = down.census.unwrap();
    assert!(reply.tells(&invented) && down.feed.iter().all(|item| item.case != invented));
}

#[tokio::test]
async fn while_there_is_news_or_something_is_pushed_nothing_is_compared() {
    let district = District::new().await;
    let mut phone = reporter(&district, 3).await;
    let case = *phone.cases.keys().next().unwrap();
    let reviewer = district.reviewer_of(case).await;
    district.act(&reviewer, case, Verb::Void, because()).await.unwrap();
    let down = says(&mut phone, &district, None).await;
    assert!(down.census.is_none() && down.feed.len() == 1);
    assert_eq!(says(&mut phone, &district, None).await.census, Some(CensusReply::default()));
    phone.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    assert!(says(&mut phone, &district, None).await.census.is_none());
}

#[tokio::test]
async fn what_ended_long_ago_or_is_left_out_is_not_compared() {
    let district = District::new().await;
    let mut phone = reporter(&district, 4).await;
    let case = *phone.cases.keys().next().unwrap();
    let reviewer = district.reviewer_of(case).await;
    district.act(&reviewer, case, Verb::Void, because()).await.unwrap();
    phone.drain(&district).await;
    district.advance_days(59);
    assert_eq!(says(&mut phone, &district, None).await.census, Some(CensusReply::default()));
    district.advance_days(3);
    let kept = phone.cases.remove(&case).unwrap();
    assert_eq!(says(&mut phone, &district, None).await.census, Some(CensusReply::default()));
    phone.cases.insert(case, kept);
    let open = *phone.cases.keys().nth(1).unwrap();
    let up = counting(&phone, &district, None, &[open, case]);
    phone.cases.remove(&open);
    assert_eq!(phone.send(&district, &up).await.unwrap().census, Some(CensusReply::default()));
}

#[tokio::test]
async fn a_phone_with_little_room_is_told_bucket_by_bucket() {
    let mut district = District::new().await;
    let mut phone = reporter(&district, 30).await;
    district.desk.services.feed_page = Size { bytes: 3_000, ..Size::default() };
    phone.cases.clear();
    let (mut from, mut answers) = (0, 0);
    loop {
        let reply = says(&mut phone, &district, Some(from)).await.census.unwrap();
        answers += 1;
        match reply.next {
            Some(next) => assert!(std::mem::replace(&mut from, next) < next),
            None => break,
        }
    }
    assert_eq!(phone.cases.len(), 30);
    assert!((5..=30).contains(&answers), "{answers} answers");
}

#[tokio::test]
async fn the_phone_says_how_much_news_it_has_room_for() {
    let district = District::new().await;
    let phone = reporter(&district, 40).await;
    let mut newer = district.phone(&phone.user).await;
    let up = SyncUp { room: Some(5_000), ..newer.up(district.now()) };
    let first = newer.send(&district, &up).await.unwrap();
    assert!(first.more && first.feed.len() < 20, "{} cases", first.feed.len());
    newer.take(&up, &first);
    let tiny = SyncUp { room: Some(0), ..newer.up(district.now()) };
    assert!(!newer.send(&district, &tiny).await.unwrap().feed.is_empty(), "every answer makes progress");
    let huge = SyncUp { room: Some(u32::MAX), ..newer.up(district.now()) };
    assert!(!newer.send(&district, &huge).await.unwrap().more);
}
