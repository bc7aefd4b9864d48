//! Reports of the same kind nearby, values that do not fit together, edits after the decision, photos on their way.

use xunge_client_core::doc::Edit;
use xunge_client_core::model::{CaseId, Mode};
use xunge_client_core::workflow::{Payload, Verb};

use super::html::Html;
use super::office::{INSPECTOR, Office, REVIEWER};
use crate::domain::held::{HOLD_MS, carry_out};
use crate::testing::facts;

/// Two reports of one place.
async fn pair(office: &Office) -> [CaseId; 2] {
    let first = office.simple(INSPECTOR, 1, Mode::Forwarded).await;
    office.app.services.business.advance(60_000);
    let mut seen = facts(2, Mode::Forwarded, office.app.services.business.now());
    seen.point = facts(1, Mode::Forwarded, office.app.services.business.now()).point;
    let second = office.report("insp-ninghua-2", &seen).await;
    office.district.photos_arrive(second).await;
    [first, second]
}

/// The form that voids as a repeat.
fn repeat(page: &Html) -> Option<Vec<(String, String)>> {
    let form = page.elements.iter().position(|it| it.name == "form" && it.text.contains("与此件重复"))?;
    let inside = page.elements.iter().enumerate().filter(|(index, it)| it.name == "input" && page.is_in(*index, form));
    Some(inside.map(|(_, it)| (it.attr("name").to_owned(), it.attr("value").to_owned())).collect())
}

#[tokio::test]
async fn a_repeat_is_voided_with_one_press_and_the_other_case_names_both_reporters() {
    let office = Office::new().await;
    let [first, second] = pair(&office).await;
    let browser = office.browser(REVIEWER).await;
    // On the queue's page of the first, and on the second's own.
    let page = office.page(&browser, "/review").await;
    assert!(page.text_of("h2").contains("附近的同类上报"));
    assert!(page.all("a").any(|it| it.attr("href") == "#near-h" && it.text.contains("附近有 1 件同类上报")));
    let path = format!("/cases/{second}");
    let page = office.page(&browser, &path).await;
    let near = page.text_of("li");
    assert!(
        near.contains("0 米") && near.contains("待审核") && near.contains("Litter number 1".to_lowercase().as_str()),
        "{near}"
    );
    assert!(page.all("img").any(|it| it.attr("src").starts_with(&format!("/console/cases/{first}/photos/"))));
    let form = repeat(&page).unwrap();
    assert!(form.contains(&("master_case_id".to_owned(), first.to_string())));
    assert_eq!(office.post(&browser, &format!("{path}/act"), &form).await.location(), path);
    office.app.services.business.advance(HOLD_MS);
    carry_out(&office.app.services).await.unwrap();
    let ledger = office.district.ledger(second).await;
    assert_eq!((ledger.master_case_id, ledger.void_reason.map(|it| it.code())), (Some(first), Some("duplicate")));

    let master = office.page(&browser, &format!("/cases/{first}")).await;
    let said = master.text_of("li");
    let names: Vec<String> =
        office.district.rows("SELECT name FROM user_account WHERE id LIKE 'insp-ninghua-%' ORDER BY id").await[..2]
            .iter()
            .map(|row| row.text(0).unwrap().to_owned())
            .collect();
    assert!(said.contains(&names[1]) && said.contains("已作废"), "{said}");
    assert!(master.text_of("dd").contains(&names[0]), "its own reporter stands among the facts");
    assert!(repeat(&master).is_none(), "what is known to be a repeat is no question any more");
    let total = office.district.november(None).await.total;
    assert_eq!((total.reported, total.forwarded, total.void), (2, 2, 1), "both reports count");
    assert!(office.district.verify().await.ok);
}

#[tokio::test]
async fn each_value_names_who_wrote_it_and_a_late_edit_stands_beside_what_was_judged() {
    let office = Office::new().await;
    let now = office.app.services.business.now();
    let mut phone = office.district.phone(INSPECTOR).await;
    let case = phone.report(&facts(1, Mode::Forwarded, now));
    phone.drain(&office.district).await;
    let mut other = office.district.phone(INSPECTOR).await;
    other.drain(&office.district).await;
    phone.edit(case, &[Edit::Description("东门外".into())]);
    other.edit(case, &[Edit::Description("西门外".into())]);
    phone.drain(&office.district).await;
    other.drain(&office.district).await;
    let browser = office.browser(REVIEWER).await;
    let name = office.district.viewer(INSPECTOR).await.name;
    for path in ["/review".to_owned(), format!("/cases/{case}")] {
        let page = office.page(&browser, &path).await;
        let said = page.text_of("dd");
        assert!(said.matches(&format!("{name}，11-15 12:00 传到")).count() == 2, "{path}: {said}");
        assert!(page.text_of("p").contains("照片 0 / 1 张已到"), "{path}");
        assert!(page.all("p").any(|it| it.attr("class") == "warning" && it.text.contains("张已到")), "{path}");
    }
    office.district.act(REVIEWER, case, Verb::File, Payload::default()).await.unwrap();
    office.app.services.business.advance(60_000);
    phone.drain(&office.district).await;
    phone.edit(case, &[Edit::LocationText("北门".into())]);
    phone.drain(&office.district).await;
    office.district.photos_arrive(case).await;
    let page = office.page(&browser, &format!("/cases/{case}")).await;
    assert!(page.text_of("h3").contains("决定之后现场又作的修改"));
    assert!(page.text_of("dd").contains("现在 北门"), "{}", page.text_of("dd"));
    assert!(page.all("p").any(|it| it.attr("class") == "soft small" && it.text.contains("照片 1 / 1 张已到")));
}
