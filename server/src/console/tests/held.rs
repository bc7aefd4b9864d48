//! Taking back one's own void, and being overtaken while it waits.

use axum::http::{StatusCode, header};
use xunge_client_core::model::{CaseId, Mode};
use xunge_client_core::workflow::{Payload, Verb};

use super::html::Html;
use super::office::{Answer, Browser, INSPECTOR, Office, REVIEWER, STRANGER, with};
use crate::domain::held::{HOLD_MS, carry_out};

const COLLEAGUE: &str = "review-ninghua-2";

async fn scene() -> (Office, Browser, CaseId) {
    let office = Office::new().await;
    let case = office.simple(INSPECTOR, 1, Mode::Forwarded).await;
    let browser = office.browser(REVIEWER).await;
    (office, browser, case)
}

/// Voids from the page at `path`.
async fn void(office: &Office, browser: &Browser, path: &str, case: CaseId) -> Answer {
    let form = with(office.page(browser, path).await.form("void"), &[("reason", "test")]);
    office.post(browser, &format!("/cases/{case}/act"), &form).await
}

fn cookie(answer: &Answer) -> &str {
    answer.headers[header::SET_COOKIE].to_str().unwrap()
}

async fn later(office: &Office, ms: i64) {
    office.app.services.business.advance(ms);
    carry_out(&office.app.services).await.unwrap();
}

#[tokio::test]
async fn a_void_leaves_the_queue_is_seen_by_everybody_and_comes_back_when_it_is_taken_back() {
    let (office, browser, case) = scene().await;
    assert_eq!(void(&office, &browser, "/review", case).await.location(), "/review");
    office.app.services.business.advance(2_500);
    let page = office.page(&browser, "/review").await;
    assert!(page.text_of("strong").contains("没有待审核"), "out of the queue");
    let bar = page.text_of("section");
    assert!(bar.contains("已作废") && bar.contains("撤回"), "{bar}");
    let left = page.all("form").find(|it| it.has("data-held")).unwrap();
    assert_eq!(left.attr("data-held"), "8", "a second that has begun counts");
    // Whoever opens the case reads who voided it; a colleague's queue has neither the case nor the bar.
    let colleague = office.browser(COLLEAGUE).await;
    let theirs = office.page(&colleague, "/review").await;
    assert!(theirs.text_of("strong").contains("没有待审核"));
    assert!(theirs.all("form").all(|it| !it.attr("action").ends_with("/take-back")));
    let seen = office.page(&colleague, &format!("/cases/{case}")).await.text_of("p");
    assert!(seen.contains("审核员甲 已作废这件案件，8 秒后生效"), "{seen}");
    assert_eq!(office.district.state(case).await, "reported");

    let form = page.form(&format!("/cases/{case}/take-back"));
    let answer = office.post(&browser, &format!("/cases/{case}/take-back"), &form).await;
    assert_eq!(answer.location(), "/review", "back to the page with the bar");
    assert!(cookie(&answer).contains(&format!("=back.{case}")));
    later(&office, HOLD_MS).await;
    assert_eq!(office.district.version(case).await, 1, "nothing was recorded");
    let page = office.page(&browser, "/review").await;
    assert!(page.text_of("p").contains("待审 1 件") && !page.text_of("body").contains("撤回"));
}

#[tokio::test]
async fn a_case_whose_void_is_held_says_so_in_lists_on_its_page_and_above_the_queue_of_the_office() {
    const MARK: &str = "作废待生效 · 可撤回";
    let (office, browser, case) = scene().await;
    let other = office.simple(INSPECTOR, 2, Mode::Forwarded).await;
    let colleague = office.browser(COLLEAGUE).await;
    let pages = ["/review".to_owned(), "/cases".to_owned(), format!("/cases/{case}"), format!("/cases/{other}")];
    for path in &pages {
        assert!(!office.page(&colleague, path).await.source.contains(MARK), "{path}");
    }
    void(&office, &browser, "/review", case).await;
    let marks = |page: &Html| page.all("span").filter(|it| it.text.trim() == MARK).count();
    // The queue shows the next case; the held one is near it and of its kind.
    for path in &pages[..3] {
        let page = office.page(&colleague, path).await;
        let nearby = page.all("section").any(|it| it.attr("aria-labelledby") == "near-h") && path == "/review";
        assert_eq!(marks(&page), 1 + usize::from(nearby), "{path}");
    }
    let line = office.page(&colleague, "/review").await.text_of("p");
    assert!(line.contains("审核员甲 11-15 12:00 作废了 暴露垃圾"), "{line}");
    // Its author has the bar, another office hears nothing.
    assert_eq!(marks(&office.page(&browser, "/cases").await), 1);
    assert!(!office.page(&browser, "/review").await.text_of("p").contains("作废了"));
    let stranger = office.browser(STRANGER).await;
    for path in ["/review", "/cases"] {
        assert!(!office.page(&stranger, path).await.source.contains(MARK), "{path}");
    }
    // On the map it has a ring, with words for whoever does not see it, and a word in the row below.
    let rows = office.district.rows("SELECT community FROM case_row").await;
    let auditor = office.browser("audit-1").await;
    let map = office.page(&auditor, &format!("/map?place={}", rows[0].text(0).unwrap())).await;
    assert_eq!(map.all("circle").filter(|it| it.attr("class") == "ring").count(), 2, "the case, and the legend");
    let links: Vec<&str> =
        map.all("a").filter(|it| it.attr("href") == pages[2]).map(|it| it.attr("aria-label")).collect();
    assert!(links.len() == 2 && links[0].ends_with(MARK), "{links:?}");
    assert_eq!(marks(&map), 1);
    // Deciding is open all the same, and ends it.
    let file = office.page(&colleague, &pages[2]).await.form("file");
    assert_eq!(office.post(&colleague, &format!("/cases/{case}/act"), &file).await.status, StatusCode::SEE_OTHER);
    for path in &pages {
        assert!(!office.page(&colleague, path).await.source.contains(MARK), "{path}");
    }
}

#[tokio::test]
async fn what_has_taken_effect_is_not_taken_back_and_the_page_says_so() {
    let (office, browser, case) = scene().await;
    let path = format!("/cases/{case}");
    assert_eq!(void(&office, &browser, &path, case).await.location(), path, "from the case's own page too");
    let page = office.page(&browser, &path).await;
    let form = page.form(&format!("{path}/take-back"));
    later(&office, HOLD_MS).await;
    let answer = office.post(&browser, &format!("{path}/take-back"), &form).await;
    assert_eq!(answer.location(), path);
    assert!(cookie(&answer).contains(&format!("=late.{case}")));
    assert_eq!(office.district.state(case).await, "void");
    let stolen = with(form, &[("token", "x")]);
    let answer = office.post(&browser, &format!("{path}/take-back"), &stolen).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "like every form");
}

#[tokio::test]
async fn the_author_of_a_void_that_was_overtaken_is_told_on_the_next_page_and_once() {
    let (office, browser, case) = scene().await;
    void(&office, &browser, "/review", case).await;
    office.district.act(COLLEAGUE, case, Verb::File, Payload::default()).await.unwrap();
    let page = office.page(&browser, "/review").await;
    assert!(page.text_of("p").contains("您的作废没有生效"));
    assert!(page.all("a").any(|it| it.attr("href") == format!("/cases/{case}")));
    assert!(!office.page(&browser, "/review").await.text_of("p").contains("没有生效"), "once");
    assert!(!office.page(&office.browser(COLLEAGUE).await, "/review").await.text_of("p").contains("没有生效"));
}

#[tokio::test]
async fn a_colleague_s_void_of_the_same_case_is_refused_with_the_reason() {
    let (office, browser, case) = scene().await;
    let colleague = office.browser(COLLEAGUE).await;
    let form = with(office.page(&colleague, "/review").await.form("void"), &[("reason", "duplicate")]);
    void(&office, &browser, &format!("/cases/{case}"), case).await;
    let answer = office.post(&colleague, &format!("/cases/{case}/act"), &form).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let page = answer.page("held by another");
    let said = page.text_of("strong");
    assert!(said.contains("没有办成：") && said.contains("审核员甲 已作废这件案件"), "{said}");
    assert!(page.form("void").contains(&("reason".to_owned(), "duplicate".to_owned())), "what was typed is kept");
    // Another decision of theirs counts.
    let file = page.form("file");
    assert_eq!(office.post(&colleague, &format!("/cases/{case}/act"), &file).await.status, StatusCode::SEE_OTHER);
    later(&office, HOLD_MS).await;
    assert_eq!(office.district.state(case).await, "filed");
}
