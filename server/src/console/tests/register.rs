//! A clerk registers a case that was born at the office.

use axum::http::{StatusCode, header};
use xunge_client_core::model::{CaseId, CoordSys};
use xunge_client_core::photo::synthetic::{self, Moment};
use xunge_client_core::workflow::Source;

use super::html::Html;
use super::office::{Answer, Browser, Office, REVIEWER, with};
use crate::domain::verify;
use crate::testing::LITTER;

const PAGE: &str = "/register";
/// A grid of the town [`REVIEWER`] works for, by code and name.
const GRID: (&str, &str) = ("640105005001001", "宁华路第一社区第一网格");

type Form = Vec<(String, String)>;
/// What is typed otherwise.
type Change<'a> = &'a [(&'a str, &'a str)];

/// A new form.
async fn opened(office: &Office, browser: &Browser) -> Html {
    let address = office.get(browser, PAGE).await.location().to_owned();
    office.page(browser, &address).await
}

/// The form as it stands, filled in as far as is needed.
async fn filled(office: &Office, browser: &Browser) -> Form {
    with(
        opened(office, browser).await.form(PAGE),
        &[("category", LITTER), ("description", "市民反映路口有 <垃圾>"), ("grid", GRID.0)],
    )
}

fn value(form: &Form, name: &str) -> String {
    form.iter().find(|(key, _)| key == name).unwrap_or_else(|| panic!("no {name}")).1.clone()
}

fn case(answer: &Answer) -> CaseId {
    answer.location().strip_prefix("/cases/").unwrap().parse().unwrap()
}

/// The case an answer leads to, and what is said there.
async fn landed(office: &Office, browser: &Browser, answer: &Answer) -> (CaseId, String) {
    let said = answer.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap();
    let (name, value) = said.split_once('=').unwrap();
    let mut told = browser.clone();
    told.cookies.push((name.to_owned(), value.to_owned()));
    let page = office.page(&told, answer.location()).await;
    let notices = page.all("div").filter(|it| it.attr("class").starts_with("notice"));
    (case(answer), notices.map(|it| it.text.clone()).collect())
}

/// The names of fields that are said to be wrong.
fn faulty(page: &Html) -> Vec<String> {
    page.elements.iter().filter(|it| it.attr("aria-invalid") == "true").map(|it| it.attr("id").to_owned()).collect()
}

fn notice(page: &Html) -> String {
    page.all("div").filter(|it| it.attr("role") == "alert").map(|it| it.text.clone()).collect()
}

#[tokio::test]
async fn a_call_is_one_press_and_pressing_again_leads_to_the_same_case() {
    let office = Office::new().await;
    let browser = office.browser("hotline-1").await;
    let list = office.page(&browser, "/cases").await;
    assert!(list.all("a").any(|it| it.attr("href") == PAGE && it.attr("class").contains("main")), "beside the list");
    let form = with(
        filled(&office, &browser).await,
        &[
            ("grid", &format!("{} {}", GRID.1, GRID.0)),
            ("location", "宁华路与文萃街口"),
            ("point", "106.02，38.55"),
            ("coord_sys", "gcj02"),
            ("discovered_at", "2023-11-15T10:30"),
            ("number", "YC-1"),
        ],
    );
    let photos = [synthetic::jpeg(1, Moment::Before, 320, 240), synthetic::jpeg(2, Moment::Before, 320, 240)];
    let answer = office.send_photos(&browser, PAGE, &form, &photos).await;
    let (id, said) = landed(&office, &browser, &answer).await;
    let short = id.to_string()[20..].to_owned();
    assert!(said.contains("已登记") && said.contains(&short) && said.contains("再登记一件"), "{said}");

    let ledger = office.district.ledger(id).await;
    assert_eq!((ledger.source, ledger.reporter.as_str()), (Source::Hotline12345, "hotline-1"));
    let reviewer = office.browser(REVIEWER).await;
    let queue = office.page(&reviewer, "/review").await;
    assert!(queue.source.contains(&id.to_string()), "the office of the place reviews it");
    let page = office.page(&reviewer, &format!("/cases/{id}")).await;
    let shown = page.text_of("section");
    assert!(shown.contains("市民反映路口有 <垃圾>") && shown.contains("宁华路与文萃街口"), "{shown}");
    assert!(shown.contains("11-15 10:30") && shown.contains("106.020000, 38.550000"), "{shown}");
    assert!(shown.contains("12345热线") && shown.contains(CoordSys::Gcj02.zh()), "{shown}");
    assert_eq!(page.all("img").filter(|it| it.attr("alt").starts_with("处置前")).count(), 2, "both photos");

    // Going back to the form and pressing, or pressing twice.
    let page = office.page(&browser, &format!("{PAGE}?form={}", value(&form, "form"))).await;
    assert_eq!(value(&page.form(PAGE), "form"), value(&form, "form"), "it is the same form");
    let again = office.send_photos(&browser, PAGE, &form, &photos).await;
    let (same, said) = landed(&office, &browser, &again).await;
    assert_eq!(same, id);
    assert!(said.contains("没有登记第二件") && said.contains(&short), "{said}");
    assert_eq!(office.district.count("case_row").await, 1);
    let report = verify::verify(&office.app.services.store, &office.app.blobs).await.unwrap();
    assert!(report.ok, "{:?}", report.differences);
}

#[tokio::test]
async fn a_form_sent_again_with_other_words_says_which_case_it_is_and_registers_another_only_when_pressed_once_more() {
    let office = Office::new().await;
    let browser = office.browser("hotline-1").await;
    let form = filled(&office, &browser).await;
    let first = case(&office.send_photos(&browser, PAGE, &form, &[]).await);
    let changed = with(form.clone(), &[("description", "另一个路口也有")]);
    let answer = office.send_photos(&browser, PAGE, &changed, &[]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let page = answer.page("sent before");
    assert!(notice(&page).contains("再按一次"), "{}", notice(&page));
    assert!(page.all("a").any(|it| it.attr("href") == format!("/cases/{first}")), "it says which");
    let form = page.form(PAGE);
    assert_eq!(value(&form, "description"), "另一个路口也有", "what was typed is kept");
    assert_eq!(office.district.count("case_row").await, 1);
    let second = case(&office.send_photos(&browser, PAGE, &form, &[]).await);
    assert_ne!(first, second);
    assert_eq!(office.district.count("case_row").await, 2);
}

#[tokio::test]
async fn a_number_of_another_system_is_one_case_whoever_types_it() {
    let office = Office::new().await;
    let browser = office.browser("hotline-1").await;
    let form = with(filled(&office, &browser).await, &[("number", "YC-1")]);
    let first = case(&office.send_photos(&browser, PAGE, &form, &[]).await);
    let other = office.browser("hotline-2").await;
    let form = with(filled(&office, &other).await, &[("number", "YC-1"), ("system", "12345")]);
    let answer = office.send_photos(&other, PAGE, &form, &[]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let page = answer.page("known");
    assert!(notice(&page).contains("单号 YC-1 已经是案件"), "{}", notice(&page));
    assert!(page.all("a").any(|it| it.attr("href") == format!("/cases/{first}")), "it says which");
    assert_eq!(faulty(&page), ["f-number"]);
    // The same number of another system is another case.
    let form = with(page.form(PAGE), &[("source", "province_platform"), ("system", "")]);
    let second = case(&office.send_photos(&other, PAGE, &form, &[]).await);
    assert_ne!(second, first);
    // The page of a case has its number, and who types it into the search is told of both; nothing else is changed by it.
    let page = office.page(&browser, &format!("/cases/{first}")).await;
    assert!(page.text_of("dd").contains("YC-1") && page.text_of("dd").contains("12345"));
    let found = async |user: &str, typed: &str| {
        let page = office.page(&office.browser(user).await, &format!("/cases?q={typed}")).await;
        let links =
            page.all("a").filter_map(|it| it.attr("href").strip_prefix("/cases/0").map(|rest| format!("0{rest}")));
        links.collect::<Vec<_>>()
    };
    assert_eq!(found("hotline-1", "YC-1").await, [first.to_string(), second.to_string()]);
    assert!(found("hotline-1", "YC-").await.is_empty(), "only the whole number");
    assert!(found("review-xihuayuan-1", "YC-1").await.is_empty(), "not in sight of another street");
}

#[tokio::test]
async fn what_can_not_be_registered_names_its_fields_and_keeps_what_was_typed() {
    let office = Office::new().await;
    let browser = office.browser("hotline-1").await;
    let long = "字".repeat(2_001);
    let changes: [(Change<'_>, &[&str]); 15] = [
        (&[("category", ""), ("description", ""), ("point", "x")], &["f-category", "f-description", "f-point"]),
        (&[("category", "")], &["f-category"]),
        (&[("category", "litter")], &["f-category"]),
        (&[("description", " ")], &["f-description"]),
        (&[("description", &long)], &["f-description"]),
        (&[("grid", "")], &["f-location"]),
        (&[("grid", ""), ("location", "路口")], &["f-office"]),
        (&[("location", &long[..3 * 257])], &["f-location"]),
        (&[("grid", "没有这个网格"), ("point", "38.485, 106.105")], &["f-grid", "f-point"]),
        (&[("grid", "640105999001001")], &["f-grid"]),
        (&[("discovered_at", "昨天")], &["f-discovered-at"]),
        (&[("source", "inspector")], &["f-source"]),
        (&[("system", "12345")], &["f-number"]),
        (&[("number", &long)], &["f-number"]),
        (&[("office", "U640105-HW")], &["f-office"]),
    ];
    for (change, fields) in changes {
        let form = with(filled(&office, &browser).await, change);
        let photo = synthetic::jpeg(1, Moment::Before, 320, 240);
        let answer = office.send_photos(&browser, PAGE, &form, &[photo]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{change:?}");
        let page = answer.page(&format!("{change:?}"));
        assert_eq!(faulty(&page), fields, "{change:?}");
        assert!(notice(&page).contains("没有登记"), "{change:?}: {}", notice(&page));
        for field in fields {
            let label = page.all("label").find(|it| it.attr("for") == *field).unwrap();
            let label = label.text.split_whitespace().next().unwrap();
            assert!(notice(&page).contains(label), "{change:?}: {label} in {}", notice(&page));
        }
        let kept = page.form(PAGE);
        // What was never offered can not stand in a list.
        for (name, typed) in form.iter().filter(|(name, _)| !["file", "source", "office"].contains(&name.as_str())) {
            assert_eq!(value(&kept, name).trim(), typed.trim(), "{change:?}");
        }
        assert!(page.text_of("p").contains("已收到 1 张"), "{change:?}: the photo is here");
    }
    assert_eq!(office.district.count("case_row").await, 0);
}

#[tokio::test]
async fn photos_that_are_none_and_photos_too_many_are_said_and_the_rest_is_kept() {
    let office = Office::new().await;
    let browser = office.browser("hotline-1").await;
    let form = filled(&office, &browser).await;
    let photo = |seed| synthetic::jpeg(seed, Moment::Before, 320, 240);
    let answer = office.send_photos(&browser, PAGE, &form, &[b"MZ not a photo".to_vec(), photo(1)]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.page("no photo");
    assert_eq!(faulty(&page), ["f-photos"]);
    let photos: Vec<Vec<u8>> = (1..=11).map(photo).collect();
    let answer = office.send_photos(&browser, PAGE, &page.form(PAGE), &photos).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    let page = answer.page("too many photos");
    assert!(page.text_of("p").contains("已收到 9 张"), "{}", page.text_of("p"));
    let id = case(&office.send_photos(&browser, PAGE, &page.form(PAGE), &[]).await);
    let rows =
        office.district.rows_with("SELECT COUNT(*) FROM photo WHERE case_id = ?1", vec![id.as_bytes().to_vec().into()]);
    assert_eq!(rows.await[0].int(0).unwrap(), 9);
}

#[tokio::test]
async fn a_grid_is_named_by_code_or_name_and_only_from_the_clerks_part_of_the_tree() {
    let office = Office::new().await;
    let browser = office.browser("hotline-1").await;
    for typed in [GRID.0, GRID.1] {
        let form = with(filled(&office, &browser).await, &[("grid", typed)]);
        let id = case(&office.send_photos(&browser, PAGE, &form, &[]).await);
        assert_eq!(office.district.ledger(id).await.grid.unwrap().as_str(), GRID.0, "{typed}");
    }
    let offered = |page: &Html| page.all("option").filter(|it| it.attr("value").contains("网格")).count();
    let all = offered(&opened(&office, &browser).await);
    let sql = "UPDATE user_account SET scope = '640105005' WHERE id = 'hotline-2'";
    office.district.run(sql, Vec::new()).await;
    let other = office.browser("hotline-2").await;
    let page = opened(&office, &other).await;
    assert_eq!((offered(&page), all), (16, 144));
    let outside = with(filled(&office, &other).await, &[("grid", "640105101001001")]);
    let answer = office.send_photos(&other, PAGE, &outside, &[]).await;
    assert_eq!(faulty(&answer.page("another street")), ["f-grid"]);
    // Coordinates of another street are found out when the case is there.
    let outside = with(filled(&office, &other).await, &[("grid", ""), ("point", "106.01, 38.62")]);
    let answer = office.send_photos(&other, PAGE, &outside, &[]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(notice(&answer.page("outside")).contains("不在您的范围内"));
    assert_eq!(office.district.count("case_row").await, 2);
}

#[tokio::test]
async fn words_alone_go_to_the_office_the_clerk_chooses_and_say_who_asked() {
    let office = Office::new().await;
    let browser = office.browser("hotline-1").await;
    let words = [("source", "leader_assigned"), ("grid", ""), ("location", "宁华路一带"), ("office", "U640105005")];
    let form = with(filled(&office, &browser).await, &words);
    let id = case(&office.send_photos(&browser, PAGE, &form, &[]).await);
    let ledger = office.district.ledger(id).await;
    assert_eq!((ledger.source, ledger.office.unwrap().as_str()), (Source::LeaderAssigned, "U640105005"));
    let page = office.page(&office.browser(REVIEWER).await, &format!("/cases/{id}")).await;
    assert!(page.source.contains("领导交办"));
}

#[tokio::test]
async fn only_the_hotline_finds_and_opens_the_form() {
    let office = Office::new().await;
    let form = filled(&office, &office.browser("hotline-1").await).await;
    for user in [REVIEWER, "leader-1", "dispatch-1", "audit-1", "admin", "handle-huanwei"] {
        let browser = office.browser(user).await;
        let list = office.page(&browser, "/cases").await;
        assert!(!list.all("a").any(|it| it.attr("href") == PAGE), "{user}");
        let answer = office.get(&browser, PAGE).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{user}");
        answer.page(user);
        let own = with(form.clone(), &[("token", &browser.csrf)]);
        let photo = synthetic::jpeg(1, Moment::Before, 320, 240);
        let answer = office.send_photos(&browser, PAGE, &own, &[photo]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{user}");
    }
    let clerk = office.browser("hotline-2").await;
    for (what, form) in [("another's form", form.clone()), ("no form", Vec::new())] {
        let answer = office.send_photos(&clerk, PAGE, &form, &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what}");
    }
    let numberless = with(form, &[("token", &clerk.csrf), ("form", "x")]);
    assert_eq!(office.send_photos(&clerk, PAGE, &numberless, &[]).await.status, StatusCode::BAD_REQUEST);
    assert_eq!((office.district.count("case_row").await, office.district.count("blob").await), (0, 0));
}
