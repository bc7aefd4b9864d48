//! Cases born at the office.

use std::collections::BTreeMap;

use xunge_client_core::doc::Edit;
use xunge_client_core::model::{CaseId, CoordSys, Facts, Mode, PhotoHash, Point, Sha256};
use xunge_client_core::workflow::{Payload, Satisfaction, Source, Verb, Verdict};

use super::agreement::phone_agrees;
use super::someone;
use crate::domain::cases;
use crate::domain::commands::{Key, Reply};
use crate::domain::external::External;
use crate::domain::intake::office::{RegisterError, Registration, register};
use crate::domain::scope::Scope;
use crate::domain::uploads::Owner;
use crate::store::StoreError;
use crate::testing::{District, LITTER, facts};

/// A call about litter in the grid that [`facts`] lie in.
pub(super) fn call(district: &District) -> Registration {
    let number = district.fresh();
    let seen = facts(1, Mode::Forwarded, district.now());
    Registration {
        id: CaseId::from_parts(district.now(), [number as u8; 10]),
        facts: Facts {
            category_claim: seen.category_claim,
            description: format!("A caller sees litter, {number}"),
            location_text: "by the gate".into(),
            point: seen.point,
            coord_sys: Some(CoordSys::Wgs84),
            discovered_at: Some(district.now()),
            ..Facts::default()
        },
        source: Source::Hotline12345,
        photos: Vec::new(),
        office: None,
        external: None,
        key: Key {
            key: format!("k-{number}"),
            route: "POST /v1/cases".into(),
            body: Sha256::of(&number.to_be_bytes()),
        },
    }
}

async fn send(district: &District, user: &str, registration: Registration) -> Result<Reply, RegisterError> {
    let viewer = district.viewer(user).await;
    register(&district.desk.services, &viewer, registration).await
}

pub(super) async fn take(district: &District, registration: Registration) -> CaseId {
    let id = registration.id;
    assert!(send(district, "hotline-1", registration).await.unwrap().fresh);
    id
}

async fn shown(district: &District, user: &str, case: CaseId) -> cases::CaseDetail {
    let (viewer, shared) = (district.viewer(user).await, district.desk.services.directory.clone());
    let read = district.desk.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let scope = Scope::of(&viewer, &*shared.get(tx).await?);
            cases::detail(tx, &scope, &viewer, case).await
        })
    });
    read.await.unwrap().expect("in scope")
}

/// An inspector who walks the grid of a case.
async fn walker(district: &District, case: CaseId) -> String {
    let sql = "SELECT g.user_id FROM user_grid g JOIN case_row c ON c.grid = g.grid WHERE c.id = ?1 ORDER BY 1 LIMIT 1";
    district.rows_with(sql, crate::params![case.as_bytes()].to_vec()).await[0].text(0).unwrap().to_owned()
}

async fn verified(district: &District) -> BTreeMap<&'static str, u64> {
    let report = district.verify().await;
    assert!(report.ok, "{:?}", report.differences);
    report.checked
}

#[tokio::test]
async fn a_call_becomes_a_case_that_the_office_reviews_the_phones_see_and_the_month_counts() {
    let district = District::new().await;
    let case = take(&district, call(&district)).await;
    let mut phone = district.phone(&walker(&district, case).await).await;
    phone.drain(&district).await;
    let ledger = phone.cases[&case].ledger.as_ref().expect("the phone has the first event");
    assert_eq!((ledger.source, ledger.mode_claim), (Source::Hotline12345, Mode::Forwarded));
    phone_agrees(&district, &phone).await;
    let reviewer = district.reviewer_of(case).await;
    let detail = shown(&district, &reviewer, case).await;
    assert_eq!((detail.facts.location_text.as_str(), detail.item.flags.len()), ("by the gate", 0));
    assert!(detail.offers.contains(&Verb::VerifySend) && detail.offers.contains(&Verb::File));
    let total = district.november(None).await.total;
    assert_eq!((total.reported, total.forwarded, total.pending), (1, 1, 1));
    assert_eq!(verified(&district).await["events"], 1);
}

#[tokio::test]
async fn what_an_order_can_not_do_without_is_named() {
    let district = District::new().await;
    let before = district.fingerprint().await;
    type Change = fn(&mut Registration);
    let changes: [(Change, &str); 11] = [
        (|it| it.facts.category_claim = None, "missing facts.category_claim"),
        (|it| it.facts.description = " \n".into(), "missing facts.description"),
        (|it| (it.facts.point, it.facts.location_text) = (None, String::new()), "missing facts.location_text"),
        (|it| it.facts.point = None, "missing office"),
        (|it| it.facts.description = "字".repeat(2_001), "invalid facts.description"),
        (|it| it.facts.grid_claim = Some("north".into()), "invalid facts.grid_claim"),
        (|it| it.source = Source::Inspector, "invalid source"),
        (|it| it.office = Some("U640105-HW".parse().unwrap()), "invalid office"),
        (|it| it.photos = vec![PhotoHash::of(b"never sent")], "invalid photos"),
        (|it| it.external = Some(External { system: "12345".into(), number: " ".into() }), "invalid external.number"),
        (|it| it.external = Some(External { system: "a\nb".into(), number: "1".into() }), "invalid external.system"),
    ];
    for (change, expected) in changes {
        let mut registration = call(&district);
        change(&mut registration);
        let told = match send(&district, "hotline-1", registration).await.unwrap_err() {
            RegisterError::Missing { field } => format!("missing {field}"),
            RegisterError::Invalid { field } => format!("invalid {field}"),
            other => panic!("{expected}: {other:?}"),
        };
        assert_eq!(told, expected);
    }
    assert_eq!(district.fingerprint().await, before, "a refusal leaves nothing behind");
}

#[tokio::test]
async fn an_unknown_category_and_a_place_outside_every_grid_are_flags_and_the_next_street_reviews() {
    let district = District::new().await;
    let mut odd = call(&district);
    odd.facts.category_claim = Some("xixia-2023:event:NONE".parse().unwrap());
    odd.facts.point = Point::from_degrees(107.5, 39.5);
    let case = take(&district, odd).await;
    let detail = shown(&district, "hotline-1", case).await;
    assert_eq!(detail.item.flags, ["outside_every_grid", "unknown_category"]);
    let reviewer = district.reviewer_of(case).await;
    let category = Some(LITTER.parse().unwrap());
    district.act(&reviewer, case, Verb::File, Payload { category, ..Payload::default() }).await.unwrap();
    verified(&district).await;
}

#[tokio::test]
async fn an_order_of_words_alone_goes_to_the_office_the_clerk_names() {
    let district = District::new().await;
    let mut order = call(&district);
    (order.source, order.facts.point) = (Source::LeaderAssigned, None);
    let sql = "SELECT unit FROM user_account WHERE role = 'town_office' ORDER BY unit DESC LIMIT 1";
    let office = district.rows(sql).await[0].text(0).unwrap().to_owned();
    order.office = Some(office.parse().unwrap());
    let case = take(&district, order).await;
    let detail = shown(&district, &district.reviewer_of(case).await, case).await;
    assert_eq!(detail.ledger.office.as_ref().map(|it| it.as_str()), Some(office.as_str()));
    assert_eq!((detail.ledger.source, detail.item.flags), (Source::LeaderAssigned, vec!["no_place".to_owned()]));
}

#[tokio::test]
async fn a_repeated_order_is_one_case_and_so_is_a_number_typed_twice() {
    let district = District::new().await;
    let mut order = call(&district);
    order.external = Some(External { system: "12345".into(), number: "YC2023-1".into() });
    let first = send(&district, "hotline-1", order.clone()).await.unwrap();
    let after = district.fingerprint().await;
    let repeat = Registration { id: CaseId::from_bytes([9; 16]), ..order.clone() };
    let again = send(&district, "hotline-1", repeat.clone()).await.unwrap();
    assert_eq!((first.fresh, again.fresh, &first.body), (true, false, &again.body));
    let key = Key { body: Sha256::of(b"other"), ..order.key.clone() };
    let other = send(&district, "hotline-1", Registration { key, ..repeat.clone() }).await;
    assert!(matches!(other, Err(RegisterError::KeyReused)), "{other:?}");
    let key = Key { key: "new".into(), ..order.key.clone() };
    let typed_again = send(&district, "hotline-2", Registration { key, ..repeat }).await;
    assert!(matches!(&typed_again, Err(RegisterError::Known { case }) if *case == order.id), "{typed_again:?}");
    let given = shown(&district, "hotline-1", order.id).await.external;
    assert_eq!(given, [order.external.clone().unwrap()]);
    assert_eq!(district.fingerprint().await, after);
}

#[tokio::test]
async fn only_the_hotline_registers_and_nobody_outside_what_they_see() {
    let district = District::new().await;
    let before = district.fingerprint().await;
    for role in ["town_office", "dispatcher", "duty_leader", "auditor", "inspector"] {
        let user = someone(&district, role).await;
        let refused = send(&district, &user, call(&district)).await;
        assert!(
            matches!(&refused, Err(RegisterError::Refused(refusal)) if !refusal.code().is_empty()),
            "{role}: {refused:?}"
        );
    }
    assert_eq!(district.fingerprint().await, before);
    let sql = "UPDATE user_account SET scope = '640105999' WHERE id = 'hotline-2'";
    district.run(sql, Vec::new()).await;
    let outside = send(&district, "hotline-2", call(&district)).await;
    assert!(matches!(outside, Err(RegisterError::OutsideScope)), "{outside:?}");
    assert_eq!((district.count("case_row").await, district.count("idempotency").await), (0, 0));
}

#[tokio::test]
async fn the_hotline_answers_a_caller_and_asks_again_later() {
    let district = District::new().await;
    let case = take(&district, call(&district)).await;
    let answer = Payload { text: Some("The depot opens at eight.".into()), ..Payload::default() };
    district.act("hotline-1", case, Verb::Answer, answer).await.unwrap();
    let total = district.november(None).await.total;
    assert_eq!((total.reported, total.filed, total.case_closed), (1, 1, 1));
    let unhappy = Payload { outcome: Some(Satisfaction::Dissatisfied), ..Payload::default() };
    district.act("hotline-2", case, Verb::Revisit, unhappy).await.unwrap();
    let leader = someone(&district, "duty_leader").await;
    let reason = Payload { reason: Some("not what was asked".into()), ..Payload::default() };
    district.act(&leader, case, Verb::Reopen, reason).await.unwrap();
    assert_eq!(district.state(case).await, "reported");
    assert_eq!(district.november(None).await.total.pending, 1);
    assert_eq!(verified(&district).await["events"], 4);
}

/// Sent back to the clerk, seen on site by a phone that adds to the facts, and filed.
#[tokio::test]
async fn a_caller_is_verified_on_site_and_the_phones_facts_lie_over_the_clerks() {
    let district = District::new().await;
    let photo = district.blob_arrives(b"sent by the caller", &Owner::User("hotline-1".into()).key()).await;
    let case = take(&district, Registration { photos: vec![photo], ..call(&district) }).await;
    let reviewer = district.reviewer_of(case).await;
    let missing = Payload { missing: Some("which gate".into()), ..Payload::default() };
    district.act(&reviewer, case, Verb::SendBack, missing).await.unwrap();
    let more = Payload { text: Some("the east one".into()), ..Payload::default() };
    district.act("hotline-1", case, Verb::Submit, more).await.unwrap();
    let user = walker(&district, case).await;
    let task = Payload { assignee: Some(user.clone()), ..Payload::default() };
    district.act(&reviewer, case, Verb::VerifySend, task).await.unwrap();
    let mut phone = district.phone(&user).await;
    phone.drain(&district).await;
    phone.edit(case, &[Edit::LocationText("east gate, behind the depot".into())]);
    let found = Payload { verdict: Some(Verdict::Real), photos: vec![photo], ..Payload::default() };
    phone.ask(case, Verb::VerifyReply, &found);
    phone.drain(&district).await;
    let detail = shown(&district, &reviewer, case).await;
    assert_eq!(detail.facts.location_text, "east gate, behind the depot");
    assert!(detail.facts.description.starts_with("A caller sees litter"), "what the clerk wrote stays below");
    assert_eq!((detail.item.photos.expected, detail.item.photos.present), (1, 1));
    let text = district.rows("SELECT text, category_claim FROM case_row").await;
    assert_eq!(text[0].text(0).unwrap(), "a caller sees litter, 1\neast gate, behind the depot");
    assert_eq!(text[0].text(1).unwrap(), LITTER);
    district.act(&reviewer, case, Verb::File, Payload::default()).await.unwrap();
    phone.drain(&district).await;
    phone_agrees(&district, &phone).await;
    assert_eq!(verified(&district).await["documents"], 1);
}
