//! Categories that are retired: for nothing new, and for what is there as before.

use xunge_client_core::model::{CategoryRef, Facts, Millis, Mode, Sha256};
use xunge_client_core::workflow::deadline::Limits;
use xunge_client_core::workflow::{Member, Payload, Refusal, Verb, Why};

use super::born_at_the_office::call;
use crate::domain::bundle;
use crate::domain::commands::CommandError;
use crate::domain::counts::query::By;
use crate::domain::directory::trees::{self, Outcome};
use crate::domain::intake::office::{RegisterError, register};
use crate::store::StoreError;
use crate::testing::{District, LITTER, facts};

/// Puts a file in force that differs from the trees in this alone.
async fn retire(district: &District, key: &str) {
    let key: CategoryRef = key.parse().unwrap();
    let done = district.desk.services.store.write::<_, StoreError, _>(move |tx| {
        let key = key.clone();
        Box::pin(async move {
            let mut rows = trees::in_force(tx).await?;
            rows.iter_mut().filter(|row| row.key == key).for_each(|row| row.retired = true);
            trees::apply(tx, "admin", &rows, &Limits::default(), &Sha256::of(b""), Millis(1)).await
        })
    });
    assert!(matches!(done.await.unwrap(), Outcome::Done(_)));
}

async fn bundle_of(district: &District, user: &str) -> serde_json::Value {
    let viewer = district.viewer(user).await;
    let store = &district.desk.services.store;
    let read = store.read::<_, StoreError, _>(move |tx| Box::pin(async move { bundle::read(tx, &viewer).await }));
    serde_json::to_value(read.await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_retired_category_is_for_nothing_new_and_what_has_it_is_counted_as_before() {
    let district = District::new().await;
    let mut phone = district.phone("insp-ninghua-1").await;
    let litter = phone.report(&facts(1, Mode::Forwarded, district.now()));
    let sweeping: CategoryRef = "xixia-2023:event:XX0202".parse().unwrap();
    let other = Facts { category_claim: Some(sweeping), ..facts(2, Mode::Forwarded, district.now()) };
    let other = phone.report(&other);
    phone.drain(&district).await;
    retire(&district, LITTER).await;
    // A phone that has not heard of it: no report is ever refused for what it claims.
    let late = phone.report(&facts(3, Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    assert_eq!(district.state(late).await, "reported");
    let flags = "SELECT flags FROM case_row WHERE id = ?1";
    let flags = district.rows_with(flags, vec![late.as_bytes().into()]).await;
    assert!(!flags[0].text(0).unwrap().contains("category"), "its name is known");

    let litter_key: CategoryRef = LITTER.parse().unwrap();
    let under = |key: &CategoryRef| Payload { category: Some(key.clone()), ..Payload::default() };
    let refused = district.act("review-ninghua-1", other, Verb::File, under(&litter_key)).await.unwrap_err();
    let retired = Refusal::Invalid { field: Member::Category, why: Why::Retired };
    assert!(matches!(&refused, CommandError::Refused(refusal) if *refusal == retired), "{refused:?}");
    assert!(retired.zh().contains("已停用"));
    district.act("review-ninghua-1", litter, Verb::File, under(&litter_key)).await.unwrap();
    district.act("review-ninghua-1", late, Verb::File, Payload::default()).await.unwrap();
    let viewer = district.viewer("hotline-1").await;
    let called = register(&district.desk.services, &viewer, call(&district)).await;
    assert!(matches!(called, Err(RegisterError::Retired)), "{called:?}");

    let month = district.november(Some(By::Category)).await;
    let counted =
        |key: &str| month.rows.iter().find(|row| row.key == key).map(|row| (row.name.clone(), row.figures.filed));
    assert_eq!(counted(LITTER), Some(("暴露垃圾".to_owned(), 2)));
    assert!(district.verify().await.ok);
}

#[tokio::test]
async fn phones_are_told_which_categories_are_retired_and_nothing_of_the_others() {
    let district = District::new().await;
    let told = |bundle: &serde_json::Value| -> Vec<String> {
        let entries = bundle["taxonomy"].as_array().unwrap().iter().filter(|entry| entry.get("retired").is_some());
        entries.map(|entry| format!("{} {}", entry["code"], entry["retired"])).collect()
    };
    assert_eq!(told(&bundle_of(&district, "insp-ninghua-1").await), [""; 0], "an old phone reads what it always read");
    retire(&district, LITTER).await;
    assert_eq!(told(&bundle_of(&district, "insp-ninghua-1").await), ["\"XX0201\" true"]);
}
