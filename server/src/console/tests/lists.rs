//! Lists that offices open every day: by words, by deadline, under names of their own.

use axum::http::StatusCode;
use xunge_client_core::model::{CaseId, Facts, Mode};
use xunge_client_core::workflow::{Level, Payload, Verb};

use super::html::Html;
use super::office::{Browser, INSPECTOR, Office, REVIEWER, with};
use crate::testing::facts;

const HOUR: i64 = 3_600_000;

/// Addresses of the cases a list shows, in its order.
fn cases(page: &Html) -> Vec<String> {
    page.all("a").filter(|it| it.attr("href").starts_with("/cases/")).map(|it| it.attr("href").to_owned()).collect()
}

fn address(case: CaseId) -> String {
    format!("/cases/{case}")
}

/// A case that was sent to a unit, due so many hours from now.
async fn dispatched(office: &Office, number: u64, due_in: i64) -> CaseId {
    let case = office.simple(INSPECTOR, number, Mode::Forwarded).await;
    office.district.act(REVIEWER, case, Verb::File, Payload::default()).await.unwrap();
    let dispatch = Payload {
        handler: Some("U640105-HW".parse().unwrap()),
        due_at: Some(office.app.services.business.now().plus_ms(due_in * HOUR)),
        level: Some(Level::Normal),
        ..Payload::default()
    };
    office.district.act("dispatch-1", case, Verb::Dispatch, dispatch).await.unwrap();
    case
}

#[tokio::test]
async fn a_list_by_deadline_shows_what_is_late_first_and_only_while_the_clock_runs() {
    let office = Office::new().await;
    let [late, far, soon] =
        [dispatched(&office, 1, 1).await, dispatched(&office, 2, 90).await, dispatched(&office, 3, 30).await];
    let reviewed = office.simple(INSPECTOR, 4, Mode::Forwarded).await;
    office.app.services.business.advance(8 * HOUR);
    for user in ["audit-1", "handle-huanwei", REVIEWER] {
        let browser = office.browser(user).await;
        let list = async |query: &str| cases(&office.page(&browser, &format!("/cases?{query}")).await);
        let all = list("order=deadline").await;
        assert_eq!(all, [late, soon, far].map(address), "{user}");
        assert!(!all.contains(&address(reviewed)), "nothing runs there");
        assert_eq!(list("due=overdue").await, [address(late)], "{user}");
        assert_eq!(list("due=soon&order=deadline").await, [address(soon)], "{user}");
        assert_eq!(list("order=deadline&handler=U640105-SZ").await, Vec::<String>::new(), "{user}");
        let page = office.page(&browser, "/cases?due=overdue&order=deadline").await;
        assert!(page.text_of("td").contains("已超期"), "{user}");
        let here = page.all("a").find(|it| it.attr("aria-current") == "page" && it.attr("href").contains("overdue"));
        assert_eq!(here.unwrap().text, "已超期", "the list everybody opens is marked");
    }
    let sign = office.district.act("handle-huanwei", late, Verb::Sign, Payload::default()).await;
    sign.unwrap();
    let done = Payload { note: Some("已清理".into()), ..Payload::default() };
    let photo = office.photo(late, 9, "handling").await;
    let _ = office
        .district
        .act("handle-huanwei", late, Verb::Feedback, Payload { photos: vec![photo], ..done })
        .await
        .unwrap();
    let browser = office.browser("audit-1").await;
    assert_eq!(
        cases(&office.page(&browser, "/cases?due=overdue").await),
        Vec::<String>::new(),
        "handled is not late any more"
    );
    let report = office.district.verify().await;
    assert!(
        report.differences.iter().all(|it| it.kind != "gram" && !it.subject.contains("deadline")),
        "{:?}",
        report.differences
    );
}

#[tokio::test]
async fn words_of_two_characters_are_found_wherever_they_stand_and_only_in_ones_own_cases() {
    let office = Office::new().await;
    let now = office.app.services.business.now();
    let say = |number: u64, description: &str, place: &str| Facts {
        description: description.into(),
        location_text: place.into(),
        ..facts(number, Mode::Forwarded, now)
    };
    let well = office.report(INSPECTOR, &say(1, "小区门口井盖破损", "文昌家园3号楼")).await;
    let litter = office.report(INSPECTOR, &say(2, "暴露垃圾约两平方米", "宁华路KTV门前")).await;
    let other = office.report("insp-huaiyuan-1", &say(3, "井盖缺失", "怀远路")).await;
    let browser = office.browser("audit-1").await;
    let found = async |browser: &Browser, q: &str| {
        let mut found = cases(&office.page(browser, &super::super::link::with("/cases", [("q", q)])).await);
        found.sort();
        found
    };
    for (q, expected) in [
        ("井盖", vec![well, other]),
        ("门口", vec![well]),
        ("口井", vec![well]),
        ("垃圾", vec![litter]),
        ("ktv", vec![litter]),
        ("井", vec![well, other]),
        ("文昌 井盖", vec![well]),
        ("3号", vec![well]),
        ("盖井", vec![]),
    ] {
        let mut expected: Vec<String> = expected.into_iter().map(address).collect();
        expected.sort();
        assert_eq!(found(&browser, q).await, expected, "{q}");
    }
    let reviewer = office.browser(REVIEWER).await;
    assert_eq!(found(&reviewer, "井盖").await, [address(well)], "another town's cases are not found");
    office.district.act(REVIEWER, well, Verb::File, Payload::default()).await.unwrap();
    assert_eq!(found(&browser, "20231115000001").await, [address(well)], "by a part of its number, once it has one");
}

#[tokio::test]
async fn a_list_is_kept_under_a_name_renamed_and_forgotten_with_plain_forms() {
    let office = Office::new().await;
    let browser = office.browser(REVIEWER).await;
    let page = office.page(&browser, "/cases?state=void&mode=forwarded").await;
    let form = with(page.form("keep"), &[("name", "作废的流转")]);
    let kept = office.post(&browser, "/cases/saved", &form).await;
    assert_eq!(kept.location(), "/cases?state=void&mode=forwarded");
    let link = |page: &Html| {
        let link = page.all("a").find(|it| it.text.starts_with('☆'));
        link.map(|it| (it.text.trim().to_owned(), it.attr("href").to_owned()))
    };
    let page = office.page(&browser, "/cases").await;
    assert_eq!(link(&page), Some(("☆ 作废的流转".to_owned(), "/cases?state=void&mode=forwarded".to_owned())));
    assert_eq!(
        link(&office.page(&office.browser("review-ninghua-2").await, "/cases").await),
        None,
        "a colleague's is theirs"
    );
    let again = office.post(&browser, "/cases/saved", &form).await;
    let said = again.headers["set-cookie"].to_str().unwrap();
    assert!(said.contains("list.taken"), "{said}");
    let form = with(page.form("rename"), &[("name", "<b>流转")]);
    office.post(&browser, "/cases/saved", &form).await;
    let page = office.page(&browser, "/cases").await;
    assert_eq!(link(&page).unwrap().0, "☆ <b>流转");
    office.post(&browser, "/cases/saved", &page.form("forget")).await;
    assert_eq!(link(&office.page(&browser, "/cases").await), None);
    let forged = office.post(&browser, "/cases/saved", &with(form, &[("token", "x")])).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN);
}
