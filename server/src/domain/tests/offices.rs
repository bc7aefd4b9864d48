//! What offices do, against the same district in memory.

use xunge_client_core::model::{CaseId, Mode};
use xunge_client_core::workflow::{Payload, Refusal, Verb};

use super::{code, reported, void};
use crate::domain::cases::{self, Filter};
use crate::domain::commands::CommandError;
use crate::domain::scope::Scope;
use crate::store::StoreError;
use crate::testing::{DISTRICT, District};

#[tokio::test]
async fn of_two_offices_that_decide_at_once_one_hears_that_the_case_moved_on() {
    let district = District::new().await;
    let (_, case) = reported(&district, Mode::Forwarded).await;
    let reviewer = district.reviewer_of(case).await;
    let first = district.act_with(&reviewer, case, Verb::File, Payload::default(), 1, "a").await.unwrap();
    assert!(first.fresh);
    let second = district.act_with(&reviewer, case, Verb::SendBack, Payload::default(), 1, "b").await;
    assert!(matches!(second, Err(CommandError::Refused(Refusal::WrongState { version: 2, .. }))), "{second:?}");
    let urge = Payload { urge_level: Some(1), text: Some("soon".into()), ..Payload::default() };
    let third = district.act_with(&reviewer, case, Verb::Urge, urge, 1, "c").await;
    assert!(matches!(third, Err(CommandError::Refused(Refusal::StaleVersion { version: 2, .. }))), "{third:?}");
    assert_eq!(district.version(case).await, 2);
}

#[tokio::test]
async fn a_repeated_request_gets_its_first_answer_and_another_one_may_not_use_its_key() {
    let district = District::new().await;
    let (_, case) = reported(&district, Mode::Forwarded).await;
    let reviewer = district.reviewer_of(case).await;
    let first = district.act_with(&reviewer, case, Verb::Void, void(), 1, "key").await.unwrap();
    let after = district.fingerprint().await;
    let again = district.act_with(&reviewer, case, Verb::Void, void(), 1, "key").await.unwrap();
    assert_eq!((first.fresh, again.fresh, &first.body), (true, false, &again.body));
    assert_eq!(code(district.act_with(&reviewer, case, Verb::Void, void(), 2, "key").await), "idempotency_key_reused");
    assert_eq!(district.fingerprint().await, after);
}

#[tokio::test]
async fn a_refused_verb_takes_no_case_number_and_leaves_no_trace() {
    let district = District::new().await;
    let (_, case) = reported(&district, Mode::SelfHandled).await;
    let reviewer = district.reviewer_of(case).await;
    let before = district.fingerprint().await;
    let refused = [
        (Verb::ApproveSelfHandled, Payload::default(), "no_after_photo"),
        (Verb::File, Payload::default(), "missing"),
        (Verb::Void, Payload::default(), "reason_missing"),
        (Verb::Dispatch, Payload::default(), "wrong_role"),
        (Verb::File, Payload { case_no: Some("1".into()), ..Payload::default() }, "unknown_member"),
    ];
    for (verb, payload, expected) in refused {
        assert_eq!(code(district.act(&reviewer, case, verb, payload).await), expected, "{verb}");
    }
    let nowhere = Payload {
        mode: Some(Mode::Forwarded),
        category: Some("xixia-2023:event:NONE".parse().unwrap()),
        ..Payload::default()
    };
    assert_eq!(code(district.act(&reviewer, case, Verb::File, nowhere).await), "invalid");
    assert_eq!(district.fingerprint().await, before);
}

#[tokio::test]
async fn outside_the_scope_a_case_does_not_exist() {
    let district = District::new().await;
    let (_, case) = reported(&district, Mode::Forwarded).await;
    let sql = "SELECT u.id FROM user_account u, case_row c WHERE u.role = 'town_office' AND u.unit <> c.office
        AND u.scope <> c.street ORDER BY u.id LIMIT 1";
    let other = district.rows(sql).await[0].text(0).unwrap().to_owned();
    assert_eq!(code(district.act(&other, case, Verb::Void, void()).await), "not_found");
    let missing = CaseId::from_bytes([1; 16]);
    assert_eq!(code(district.act(&other, missing, Verb::Void, void()).await), "not_found");
    let viewer = district.viewer(&other).await;
    let shared = district.desk.services.directory.clone();
    let seen = district.desk.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let directory = shared.get(tx).await?;
            let scope = Scope::of(&viewer, &directory);
            let page = cases::list(tx, &scope, DISTRICT, &Filter { limit: 50, ..Filter::default() }).await?;
            let detail = cases::detail(tx, &scope, &viewer, case).await?;
            let events = cases::events(tx, &scope, case).await?;
            Ok((page.items.len(), detail.is_some(), events.is_some()))
        })
    });
    assert_eq!(seen.await.unwrap(), (0, false, false));
}
