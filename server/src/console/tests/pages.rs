//! What every page keeps, whoever looks at it and whatever is in it.

use xunge_client_core::doc::Edit;
use xunge_client_core::model::{CaseId, Facts, LocalMonth, Mode, Remark};
use xunge_client_core::workflow::{Payload, Verb};

use super::html::Html;
use super::office::{Browser, INSPECTOR, Office, REVIEWER};
use crate::domain::editions::{self, EditionFigures, NewEdition};
use crate::store::StoreError;
use crate::testing::{LITTER, facts};

const OFFICES: [&str; 7] = [REVIEWER, "leader-1", "dispatch-1", "hotline-1", "audit-1", "admin", "handle-huanwei"];

/// A month with one case of nearly every kind.
async fn busy() -> (Office, Vec<CaseId>) {
    let office = Office::new().await;
    let mut cases = Vec::new();
    for number in 0..6 {
        let mode = if number % 3 == 0 { Mode::Forwarded } else { Mode::SelfHandled };
        cases.push(office.simple(INSPECTOR, number, mode).await);
    }
    cases.push(office.simple("insp-huaiyuan-1", 50, Mode::SelfHandled).await);
    let text = |text: &str| Some(text.to_owned());
    let file = Payload { mode: Some(Mode::Forwarded), ..Payload::default() };
    for (case, verb, payload) in [
        (cases[1], Verb::ApproveSelfHandled, Payload::default()),
        (cases[2], Verb::Void, Payload { reason: text("other"), text: text("重复拍摄"), ..Payload::default() }),
        (cases[3], Verb::File, file),
        (cases[4], Verb::SendBack, Payload { missing: text("请补拍全景"), ..Payload::default() }),
    ] {
        office.district.act(REVIEWER, case, verb, payload).await.unwrap();
    }
    let due = office.app.services.business.now().plus_ms(86_400_000);
    let dispatch = Payload {
        handler: Some("U640105-HW".parse().unwrap()),
        due_at: Some(due),
        level: Some(xunge_client_core::workflow::Level::Normal),
        ..Payload::default()
    };
    office.district.act("dispatch-1", cases[3], Verb::Dispatch, dispatch).await.unwrap();
    (office, cases)
}

#[tokio::test]
async fn every_page_keeps_the_rules_for_every_role_in_both_languages_empty_or_full() {
    let (full, cases) = busy().await;
    for (office, cases) in [(Office::new().await, vec![]), (full, cases)] {
        for user in OFFICES {
            for language in ["zh-CN", "en"] {
                let browser = Browser { language, ..office.browser(user).await };
                let mut paths = vec![
                    "/cases".to_owned(),
                    "/cases?state=filed,dispatched&mode=forwarded&category=xixia-2023:event:XX02".to_owned(),
                    "/cases?order=deadline&due=overdue&handler=U640105-HW&reporter=nobody".to_owned(),
                    "/cases?q=litter&order=oldest&without=grid,unit&reporter=insp-ninghua-1".to_owned(),
                    "/cases?q=no+such+words&from=2023-11-01&to=2023-11-30&grid=x&unit=nonsense&state=odd".to_owned(),
                    "/review".to_owned(),
                    "/review?mode=self_handled&category=xixia-2023:event:XX01".to_owned(),
                    "/review?after=99999999999999.7ZZZZZZZZZZZZZZZZZZZZZZZZZ".to_owned(),
                ];
                if user != "handle-huanwei" {
                    let figures =
                        ["/", "/?month=2023-10", "/?month=nonsense", "/map", "/map?month=2023-10&show=forwarded"];
                    paths.extend(figures.map(str::to_owned));
                }
                paths.push("/password".to_owned());
                if user == "admin" {
                    let pages = [
                        "/admin",
                        "/admin/users",
                        "/admin/users?name=x&role=admin&unit=U640105-HW",
                        "/admin/users?role=nonsense&after=insp",
                        "/admin/users/new",
                        "/admin/users/insp-ninghua-1",
                        "/admin/users/admin",
                        "/admin/org",
                        "/admin/org?at=640105005",
                        "/admin/org?at=nonsense",
                        "/admin/categories",
                        "/admin/categories?tree=gb47678.5-2026:part",
                        "/admin/categories?tree=x",
                        "/admin/reasons",
                        "/admin/limits",
                        "/admin/rules",
                        "/admin/quarantine",
                        "/admin/audit",
                        "/admin/audit?actor=admin&action=odd.thing&subject=x&from=yesterday&to=2023-11-30&before=x",
                    ];
                    paths.extend(pages.map(str::to_owned));
                }
                if user == REVIEWER {
                    paths.extend(
                        ["/review/day", "/review/day?verb=void", "/review/bulk", "/review/bulk?all=1"]
                            .map(str::to_owned),
                    );
                    paths.push("/review/bulk/preview".to_owned());
                    paths.extend(cases.iter().map(|case| format!("/review/bulk/preview?case={case}&case=x")));
                }
                if user == "hotline-1" {
                    paths.push("/register?form=01HF0000000000000000000000".to_owned());
                }
                if ["handle-huanwei", "dispatch-1", "leader-1"].contains(&user) {
                    paths.push("/desk".to_owned());
                }
                if ["leader-1", "audit-1", "admin", REVIEWER].contains(&user) {
                    paths.extend(["/phones", "/phones?show=waiting"].map(str::to_owned));
                }
                paths.extend(cases.iter().map(|case| format!("/cases/{case}")));
                for path in paths {
                    let answer = office.get(&browser, &path).await;
                    if path.starts_with("/cases/") && answer.status == 404 {
                        answer.page(&path);
                        continue;
                    }
                    assert_eq!(answer.status, 200, "{user} {path}: {}", answer.text());
                    let page = answer.page(&format!("{user} {language} {path}"));
                    assert_eq!(page.all("html").next().unwrap().attr("lang"), language);
                }
            }
        }
    }
}

/// Follows a list through its pages and counts its cases.
async fn length(office: &Office, browser: &Browser, path: &str) -> i64 {
    let (mut path, mut found) = (path.to_owned(), 0);
    loop {
        let page = office.page(browser, &path).await;
        found += page.all("time").count() as i64;
        match page.all("a").find(|it| it.attr("rel") == "next") {
            Some(next) => path = next.attr("href").to_owned(),
            None => return found,
        }
    }
}

#[tokio::test]
async fn every_number_of_the_overview_opens_exactly_the_cases_it_counts() {
    let (office, _) = busy().await;
    // What a table shows as "none": outside every grid, without a category.
    let now = office.app.services.business.now();
    let bare = Facts { category_claim: None, point: None, ..facts(60, Mode::Forwarded, now) };
    office.report(INSPECTOR, &bare).await;
    for (user, path, least) in [
        ("audit-1", "/", 50),
        (REVIEWER, "/", 30),
        ("audit-1", "/?month=2023-11&unit=U640105005", 30),
        ("audit-1", "/map", 20),
        ("audit-1", "/map?show=forwarded&place=640105101", 5),
        (REVIEWER, "/map", 0),
    ] {
        let browser = office.browser(user).await;
        let page = office.page(&browser, path).await;
        let numbers: Vec<_> = page.all("a").filter(|it| it.attr("href").starts_with("/cases?")).collect();
        assert!(numbers.len() >= least, "{user} {path}: only {} numbers have links", numbers.len());
        for number in numbers {
            let n: i64 = number.text.trim().parse().unwrap();
            assert_eq!(length(&office, &browser, number.attr("href")).await, n, "{user} {}", number.attr("href"));
        }
        let cells = page.all("td").map(|cell| cell.text.trim()).filter(|text| *text == "0").count();
        assert!(cells > 0 || path != "/", "a zero is shown and leads nowhere");
    }
}

#[tokio::test]
async fn a_list_can_be_read_from_either_end() {
    let (office, _) = busy().await;
    let browser = office.browser("audit-1").await;
    let times = async |path: &str| -> Vec<String> {
        let page = office.page(&browser, path).await;
        page.all("a").filter(|it| it.attr("href").starts_with("/cases/")).map(|it| it.attr("href").to_owned()).collect()
    };
    let mut newest = times("/cases").await;
    assert!(newest.len() > 3, "{newest:?}");
    newest.reverse();
    assert_eq!(times("/cases?order=oldest").await, newest);
    assert!(office.page(&browser, "/cases?order=oldest").await.text_of("caption").contains("旧的在前"));
}

#[tokio::test]
async fn the_figures_on_the_page_are_those_that_are_counted() {
    let (office, _) = busy().await;
    let page = office.page(&office.browser("audit-1").await, "/").await;
    let total = office.district.november(None).await.total;
    let figures: Vec<String> = page.all("dd").map(|it| it.text.trim().to_owned()).collect();
    for n in [total.reported, total.self_handled, total.forwarded, total.void, total.filed, total.pending, total.closed]
    {
        assert!(figures.contains(&n.to_string()), "{n} in {figures:?}");
    }
    assert!(figures.contains(&format!("{}%", total.close_rate.unwrap())));
    assert!(page.source.contains("7 = 5 + 2"), "reported = self-handled + forwarded");
}

#[tokio::test]
async fn month_on_month_reads_the_published_edition_and_says_so() {
    let (office, _) = busy().await;
    let browser = office.browser("audit-1").await;
    let before = office.page(&browser, "/").await;
    assert!(before.text_of("p").contains("现有计数"), "nothing is published yet");
    let store = &office.app.services.store;
    store
        .write::<_, StoreError, _>(|tx| {
            Box::pin(async move {
                let scope = "640105".parse().unwrap();
                let categories = [(LITTER.to_owned(), 5), ("xixia-2023:event:XX02".to_owned(), 5)];
                let figures =
                    EditionFigures { reported: Some(14), categories: categories.into(), ..EditionFigures::default() };
                let new = NewEdition {
                    template: editions::MONTHLY_DISTRICT,
                    scope: &scope,
                    period: LocalMonth::new(2023, 10).unwrap(),
                    as_of: xunge_client_core::model::Millis(0),
                    signer: "centre",
                    figures: &figures,
                };
                editions::publish(tx, &new, xunge_client_core::model::Millis(0)).await
            })
        })
        .await
        .unwrap();
    let page = office.page(&browser, "/").await;
    assert!(page.text_of("p").contains("第 1 版月报"));
    let cells: Vec<&str> = page.all("td").map(|it| it.text.trim()).collect();
    assert!(cells.contains(&"+40.00%"), "7 against 5: {cells:?}");
    assert!(page.text_of("dd").contains("−50.00%"), "7 against 14");
}

const EVIL: [&str; 8] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "'-alert(1)-'",
    "</textarea><script>1</script>",
    "{{ 7*7 }} {% raw %} ${7*7}",
    "javascript:alert(1)",
    "&lt;b&gt; &amp; \u{202e}gnirts",
    "<svg/onload=alert(1)>]]>-->",
];

#[tokio::test]
async fn words_from_the_field_are_text_wherever_they_show() {
    let office = Office::new().await;
    let evil = EVIL.join(" ");
    let plain = facts(1, Mode::SelfHandled, office.app.services.business.now());
    let facts = Facts { description: evil.clone(), location_text: evil.clone(), handle_note: evil.clone(), ..plain };
    let mut phone = office.district.phone(INSPECTOR).await;
    let case = phone.report(&facts);
    let id = xunge_client_core::model::Ulid::from_bytes([9; 16]);
    let remark = Remark { text: evil.clone(), at: office.app.services.business.now() };
    phone.edit(case, &[Edit::AddRemark(id.to_string(), remark)]);
    phone.drain(&office.district).await;
    office.district.photos_arrive(case).await;
    office.district.run("UPDATE user_account SET name = ?1", vec![evil.as_str().into()]).await;
    let browser = office.browser(REVIEWER).await;
    let reason = Payload { missing: Some(evil.clone()), ..Payload::default() };
    for (path, times) in [("/review".to_owned(), 2), (format!("/cases/{case}"), 3)] {
        let page = office.page(&browser, &path).await;
        assert!(page.text_of("body").matches(&evil).count() >= times, "{path} shows the words as they are");
        let alt = page.all("img").map(|it| it.attr("alt").to_owned()).collect::<String>();
        assert!(alt.contains("<script>"), "{path}: in an attribute too");
    }
    office.district.act(REVIEWER, case, Verb::SendBack, reason).await.unwrap();
    assert!(office.page(&browser, &format!("/cases/{case}")).await.text_of("tbody").contains(&evil));
    assert!(office.page(&browser, "/cases").await.text_of("td").to_lowercase().contains("<script>"), "as words");
    let typed = format!("/cases?q={0}&unit={0}&grid={0}&state={0}&category={0}", crate::console::link::encode(&evil));
    office.page(&browser, &typed).await;
    office
        .page(&browser, &format!("/review?category={0}&mode={0}&after={0}", crate::console::link::encode(&evil)))
        .await;
    office.page(&browser, &format!("/?month={}", crate::console::link::encode(&evil))).await;
    for lost in ["/cases/%3Cscript%3E", "/cases/..%2f..%2fetc"] {
        let answer = office.get(&browser, lost).await;
        assert_eq!(answer.status, 404);
        answer.page(lost);
    }
}

#[tokio::test]
async fn a_case_page_tells_its_whole_ledger_with_its_chain() {
    let (office, cases) = busy().await;
    let page = office.page(&office.browser("audit-1").await, &format!("/cases/{}", cases[3])).await;
    let rows: Vec<String> = table_rows(&page);
    for (row, words) in rows.iter().zip([
        &["上报", "网格员", "待审核"][..],
        &["立案", "镇街审核员", "平台流转"],
        &["派遣", "派遣员", "环境卫生管理所"],
    ]) {
        assert!(words.iter().all(|word| row.contains(word)), "{row}");
    }
    assert_eq!(rows.len(), 3);
    let hashes: Vec<&str> = page.all("code").map(|it| it.attr("title")).filter(|hash| hash.len() == 64).collect();
    assert_eq!(hashes.len(), 3, "every step shows its fingerprint");
    assert!(page.text_of("h1").contains("640105202311"), "the case number heads the page");
}

fn table_rows(page: &Html) -> Vec<String> {
    let body = page.elements.iter().position(|it| it.name == "tbody").unwrap();
    let rows = page.elements.iter().enumerate().filter(|(index, it)| it.name == "tr" && page.is_in(*index, body));
    rows.map(|(_, row)| row.text.clone()).collect()
}

#[tokio::test]
async fn two_phones_that_said_different_things_are_both_shown() {
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
    let page = office.page(&office.browser(REVIEWER).await, "/review").await;
    let said = page.text_of("dd");
    assert!(said.contains("东门外") && said.contains("西门外") && said.contains("现用"), "{said}");
}
