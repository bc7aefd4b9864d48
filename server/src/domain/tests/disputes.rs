//! Values written at once, and edits after a decision.

use xunge_client_core::doc::Edit;
use xunge_client_core::model::Mode;
use xunge_client_core::workflow::{Payload, Verb};

use super::*;
use crate::domain::cases;
use crate::domain::scope::Scope;
use crate::testing::{District, Phone, facts};

/// Both what the case page reads.
async fn told(district: &District, case: CaseId) -> (Vec<Written>, Vec<LateEdit>) {
    let viewer = district.viewer("audit-1").await;
    let directory = district.directory().await;
    let found = district.desk.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let scope = Scope::of(&viewer, &directory);
            let detail = cases::detail(tx, &scope, &viewer, case).await?.unwrap();
            let events = cases::events(tx, &scope, case).await?.unwrap();
            let writers = writers(tx, case, &detail.conflicts).await?;
            Ok((writers, late(tx, case, &events, detail.late_edited_at).await?))
        })
    });
    found.await.unwrap()
}

async fn edits(district: &District, phone: &mut Phone, case: CaseId, edit: Edit) {
    phone.edit(case, &[edit]);
    phone.drain(district).await;
}

#[tokio::test]
async fn each_of_two_values_written_at_once_names_who_wrote_it_and_when_it_arrived() {
    let district = District::new().await;
    let mut phone = district.phone("insp-ninghua-1").await;
    let case = phone.report(&facts(1, Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    assert_eq!(told(&district, case).await, (vec![], vec![]), "one phone contradicts nobody");
    // The case is handed to a colleague, who writes while the first phone is offline.
    let hand = Payload { assignee: Some("insp-ninghua-2".into()), ..Payload::default() };
    let reviewer = district.reviewer_of(case).await;
    district.act(&reviewer, case, Verb::Handover, hand).await.unwrap();
    let mut other = district.phone("insp-ninghua-2").await;
    other.drain(&district).await;
    phone.edit(case, &[Edit::Description("东门外".into())]);
    other.edit(case, &[Edit::Description("西门外".into()), Edit::LocationText("西门".into())]);
    district.desk.services.business.advance(60_000);
    let first = district.now();
    other.drain(&district).await;
    district.desk.services.business.advance(60_000);
    phone.drain(&district).await;
    let (written, _) = told(&district, case).await;
    let said = |value: &str, user: &str, at: Millis| Written {
        register: "description".into(),
        value: value.into(),
        user: user.into(),
        at,
    };
    assert_eq!(written.len(), 2, "only what is disputed: {written:?}");
    assert!(written.contains(&said("西门外", "insp-ninghua-2", first)));
    assert!(written.contains(&said("东门外", "insp-ninghua-1", district.now())));
}

#[tokio::test]
async fn what_was_edited_after_the_decision_stands_beside_what_was_judged() {
    let district = District::new().await;
    let mut phone = district.phone("insp-ninghua-1").await;
    let case = phone.report(&facts(1, Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    edits(&district, &mut phone, case, Edit::Description("路口垃圾".into())).await;
    let reviewer = district.reviewer_of(case).await;
    district.act(&reviewer, case, Verb::File, Payload::default()).await.unwrap();
    assert_eq!(told(&district, case).await.1, [], "nothing was edited late");
    district.desk.services.business.advance(60_000);
    edits(&district, &mut phone, case, Edit::Description("路口垃圾和污水".into())).await;
    edits(&district, &mut phone, case, Edit::LocationText("北门".into())).await;
    let late = told(&district, case).await.1;
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        late,
        [
            LateEdit {
                register: "description".into(), judged: text("路口垃圾"), now: text("路口垃圾和污水")
            },
            LateEdit { register: "location_text".into(), judged: None, now: text("北门") },
        ]
    );
    assert_eq!(district.version(case).await, 2, "the ledger knows nothing of it");
}

#[test]
fn registers_are_named_and_spelt_as_the_document_does() {
    let point = xunge_client_core::model::Point { lon_e6: 106_100_000, lat_e6: -5 };
    let facts = Facts { point: Some(point), handled_at: Some(Millis(7)), ..facts(1, Mode::SelfHandled, Millis(5)) };
    let found = registers(&facts);
    for (name, value) in [
        ("lon_e6", "106100000"),
        ("lat_e6", "-5"),
        ("mode_claim", "self_handled"),
        ("discovered_at", "5"),
        ("handled_at", "7"),
        ("category_claim", crate::testing::LITTER),
    ] {
        assert_eq!(found.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert!(!found.contains_key("photos") && !found.contains_key("point"));
}
