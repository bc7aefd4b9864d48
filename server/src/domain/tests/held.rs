//! Voids that may still be taken back.

use xunge_client_core::model::{Mode, Sha256};
use xunge_client_core::workflow::{Payload, Verb};

use super::*;
use crate::domain::cases::{self, Filter};
use crate::testing::{District, facts};

/// A reported case, and its two reviewers.
async fn scene() -> (District, CaseId, [Viewer; 2]) {
    let district = District::new().await;
    let mut phone = district.phone("insp-ninghua-1").await;
    let case = phone.report(&facts(1, Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    let reviewers = [district.viewer("review-ninghua-1").await, district.viewer("review-ninghua-2").await];
    (district, case, reviewers)
}

fn wish(case: CaseId, reason: &str) -> Wish {
    let payload = Payload { reason: Some(reason.to_owned()), ..Payload::default() };
    let body = Sha256::of(reason.as_bytes());
    let key = Key { key: format!("console-{reason}"), route: format!("POST /cases/{case}/act"), body };
    Wish { case, verb: Verb::Void, expected_version: 1, payload, key }
}

async fn held(district: &District) -> Vec<Held> {
    let store = &district.desk.services.store;
    store.read::<_, StoreError, _>(|tx| Box::pin(async move { all(tx).await })).await.unwrap()
}

async fn untold(district: &District, user: &str) -> BTreeSet<CaseId> {
    let user = user.to_owned();
    let store = &district.desk.services.store;
    store.read::<_, StoreError, _>(move |tx| Box::pin(async move { to_tell(tx, &user).await })).await.unwrap()
}

async fn later(district: &District, ms: i64) -> Option<Millis> {
    district.desk.services.business.advance(ms);
    carry_out(&district.desk.services).await.unwrap()
}

#[tokio::test]
async fn a_held_void_takes_effect_after_ten_seconds_and_not_before() {
    let (district, case, [author, _]) = scene().await;
    let services = &district.desk.services;
    let due = district.now().plus_ms(HOLD_MS);
    hold(services, &author, wish(case, "test")).await.unwrap();
    assert_eq!(later(&district, HOLD_MS - 1).await, Some(due));
    assert_eq!((district.version(case).await, district.state(case).await.as_str()), (1, "reported"));
    assert_eq!(district.november(None).await.total.void, 0, "counts do not know it");
    assert!(district.verify().await.ok, "nor does verify");
    assert_eq!(held(&district).await[0].seconds_left(district.now()), 1);
    assert_eq!(later(&district, 1).await, None);
    let ledger = district.ledger(case).await;
    assert_eq!((ledger.version, ledger.void_by.as_deref()), (2, Some("review-ninghua-1")));
    assert_eq!(ledger.void_at, Some(due), "dated when it took effect");
    assert_eq!(district.november(None).await.total.void, 1);
    assert_eq!(held(&district).await, []);
    assert!(untold(&district, "review-ninghua-1").await.is_empty());
    district.photos_arrive(case).await;
    assert!(district.verify().await.ok);
}

#[tokio::test]
async fn its_author_takes_it_back_and_nobody_else_does() {
    let (district, case, [author, other]) = scene().await;
    let services = &district.desk.services;
    hold(services, &author, wish(case, "test")).await.unwrap();
    assert!(!take_back(services, &other.user, case).await.unwrap());
    assert!(take_back(services, &author.user, case).await.unwrap());
    assert!(!take_back(services, &author.user, case).await.unwrap(), "once");
    assert_eq!(later(&district, HOLD_MS).await, None);
    assert_eq!(district.version(case).await, 1);
    // The same form again is a void again: the answer to the first was never given.
    hold(services, &author, wish(case, "test")).await.unwrap();
    later(&district, HOLD_MS).await;
    assert_eq!(district.version(case).await, 2);
    assert!(!take_back(services, &author.user, case).await.unwrap(), "too late");
    assert_eq!(district.state(case).await, "void");
}

#[tokio::test]
async fn a_form_sent_twice_voids_once_and_does_not_move_the_time() {
    let (district, case, [author, _]) = scene().await;
    let services = &district.desk.services;
    hold(services, &author, wish(case, "test")).await.unwrap();
    services.business.advance(HOLD_MS / 2);
    hold(services, &author, wish(case, "test")).await.unwrap();
    assert_eq!(later(&district, HOLD_MS / 2).await, None, "due as it was");
    hold(services, &author, wish(case, "test")).await.unwrap();
    assert_eq!((held(&district).await, district.version(case).await), (vec![], 2), "done is done");
}

#[tokio::test]
async fn a_second_thought_of_its_author_takes_its_place_and_a_colleague_has_to_wait() {
    let (district, case, [author, other]) = scene().await;
    let services = &district.desk.services;
    hold(services, &author, wish(case, "test")).await.unwrap();
    let refused = hold(services, &other, wish(case, "duplicate")).await.unwrap_err();
    assert!(matches!(&refused, HoldError::Other(held) if held.user == author.user), "{refused}");
    services.business.advance(HOLD_MS - 1);
    hold(services, &author, wish(case, "wrong_area")).await.unwrap();
    assert!(later(&district, 1).await.is_some(), "ten seconds begin again");
    later(&district, HOLD_MS).await;
    assert_eq!(district.ledger(case).await.void_reason.unwrap().code(), "wrong_area");
}

#[tokio::test]
async fn whoever_decides_meanwhile_decides_and_the_author_is_told_once() {
    let (district, case, [author, other]) = scene().await;
    let services = &district.desk.services;
    hold(services, &author, wish(case, "test")).await.unwrap();
    district.act(&other.user, case, Verb::File, Payload::default()).await.unwrap();
    assert_eq!(held(&district).await, [], "dropped at once");
    assert_eq!(later(&district, HOLD_MS).await, None);
    assert_eq!(district.state(case).await, "filed");
    assert_eq!(untold(&district, &author.user).await, BTreeSet::from([case]));
    told(services, &author.user, BTreeSet::from([case])).await.unwrap();
    assert!(untold(&district, &author.user).await.is_empty());
}

#[tokio::test]
async fn a_reporter_who_takes_the_report_back_meanwhile_is_first() {
    let district = District::new().await;
    let mut phone = district.phone("insp-ninghua-1").await;
    let case = phone.report(&facts(1, Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    let author = district.viewer("review-ninghua-1").await;
    hold(&district.desk.services, &author, wish(case, "test")).await.unwrap();
    phone.ask(case, Verb::Withdraw, &Payload::default());
    phone.drain(&district).await;
    assert_eq!(held(&district).await, []);
    later(&district, HOLD_MS).await;
    let ledger = district.ledger(case).await;
    assert_eq!((ledger.version, ledger.void_reason.unwrap().code()), (2, "withdrawn"));
    assert_eq!(untold(&district, &author.user).await, BTreeSet::from([case]));
}

#[tokio::test]
async fn an_author_who_thinks_better_of_it_decides_otherwise_and_needs_not_be_told() {
    let (district, case, [author, _]) = scene().await;
    hold(&district.desk.services, &author, wish(case, "test")).await.unwrap();
    district.act(&author.user, case, Verb::File, Payload::default()).await.unwrap();
    later(&district, HOLD_MS).await;
    assert_eq!(district.state(case).await, "filed");
    assert!(untold(&district, &author.user).await.is_empty());
}

#[tokio::test]
async fn what_could_not_be_voided_at_once_is_not_held_either() {
    let (district, case, [author, _]) = scene().await;
    let services = &district.desk.services;
    let stranger = district.viewer("review-huaiyuan-1").await;
    let code = async |viewer: &Viewer, wish: Wish| match hold(services, viewer, wish).await.unwrap_err() {
        HoldError::Command(refused) => refused.code(),
        HoldError::Other(_) => "held",
    };
    assert_eq!(code(&stranger, wish(case, "test")).await, "not_found");
    assert_eq!(code(&author, wish(case, "other")).await, "missing");
    assert_eq!(code(&author, Wish { expected_version: 7, ..wish(case, "test") }).await, "stale_version");
    assert_eq!(held(&district).await, []);
}

#[tokio::test]
async fn what_a_crash_left_is_carried_out_by_whoever_comes_next() {
    let (district, case, [author, _]) = scene().await;
    hold(&district.desk.services, &author, wish(case, "test")).await.unwrap();
    // A day later, by another server over the same database; the author's account is closed by now.
    district.advance_days(1);
    district.run("UPDATE user_account SET disabled_at = 1 WHERE id = 'review-ninghua-1'", vec![]).await;
    let next = Services::inline(district.desk.services.store.clone(), district.desk.services.business.clone());
    assert_eq!(carry_out(&next).await.unwrap(), None);
    assert_eq!(carry_out(&next).await.unwrap(), None);
    assert_eq!((district.version(case).await, district.state(case).await.as_str()), (2, "void"), "once");
}

#[tokio::test]
async fn programs_read_of_a_case_who_voided_it_and_until_when_it_may_be_taken_back() {
    let (district, case, [author, colleague]) = scene().await;
    let services = &district.desk.services;
    let shown = async || {
        let (viewer, directory) = (colleague.clone(), district.directory().await);
        let read = services.store.read::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let scope = Scope::of(&viewer, &directory);
                let detail = cases::detail(tx, &scope, &viewer, case).await?.unwrap();
                let filter = Filter { limit: 9, ..Filter::default() };
                let listed = cases::list(tx, &scope, crate::testing::DISTRICT, &filter).await?;
                Ok([serde_json::to_value(&detail).unwrap(), serde_json::to_value(&listed.items[0]).unwrap()])
            })
        });
        read.await.unwrap()
    };
    for json in shown().await {
        assert!(json.get("held_void").is_none() && json["state"] == "reported", "no member more than before");
    }
    hold(services, &author, wish(case, "test")).await.unwrap();
    let due = district.now().plus_ms(HOLD_MS);
    for json in shown().await {
        assert_eq!(json["held_void"], serde_json::json!({"by": "review-ninghua-1", "due_at": due.0}));
        assert_eq!((&json["state"], &json["version"]), (&"reported".into(), &1.into()), "it has decided nothing");
    }
    later(&district, HOLD_MS).await;
    for json in shown().await {
        assert!(json.get("held_void").is_none() && json["state"] == "void", "{json}");
    }
}
