//! A reviewer's day: decide, go on, be overtaken, correct oneself.

use axum::http::{StatusCode, header};
use xunge_client_core::model::{CaseId, Mode};
use xunge_client_core::workflow::{Payload, Verb, VoidReason};

use super::html::Html;
use super::office::{Browser, INSPECTOR, Office, REVIEWER, with};
use crate::domain::held::{self, HOLD_MS};

/// Three reports, oldest first, a minute between them.
async fn queue() -> (Office, Browser, Vec<CaseId>) {
    let office = Office::new().await;
    let mut cases = Vec::new();
    for (number, mode) in [Mode::SelfHandled, Mode::Forwarded, Mode::SelfHandled].into_iter().enumerate() {
        cases.push(office.simple(INSPECTOR, number as u64, mode).await);
        office.app.services.business.advance(60_000);
    }
    let browser = office.browser(REVIEWER).await;
    (office, browser, cases)
}

/// Which case a page of the queue shows.
fn shown(page: &Html) -> Option<CaseId> {
    let desk = page.elements.iter().position(|it| it.has("data-desk"))?;
    let inside = page.elements.iter().enumerate().filter(|(index, it)| it.name == "a" && page.is_in(*index, desk));
    inside.filter_map(|(_, it)| it.attr("href").strip_prefix("/cases/")?.parse().ok()).next()
}

/// Lets held voids take effect.
async fn ten_seconds(office: &Office) {
    office.app.services.business.advance(HOLD_MS);
    held::carry_out(&office.app.services).await.unwrap();
}

async fn act(office: &Office, browser: &Browser, case: CaseId, form: &[(String, String)]) -> super::office::Answer {
    office.post(browser, &format!("/cases/{case}/act"), form).await
}

/// The browser, carrying what the answer says once.
fn told(browser: &Browser, answer: &super::office::Answer) -> Browser {
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
    let mut browser = browser.clone();
    browser.cookies.push((name.to_owned(), value.to_owned()));
    browser
}

#[tokio::test]
async fn the_oldest_comes_first_and_the_next_opens_after_each_decision() {
    let (office, browser, cases) = queue().await;
    let page = office.page(&browser, "/review").await;
    assert_eq!(shown(&page), Some(cases[0]));
    assert!(page.text_of("p").contains("待审 3 件"));
    let answer = act(&office, &browser, cases[0], &page.form("approve_self_handled")).await;
    assert_eq!(answer.location(), "/review");
    let page = office.page(&told(&browser, &answer), "/review").await;
    assert!(page.text_of("strong").contains("自处审核通过"), "what was done is said once");
    assert_eq!(shown_next(&page, cases[0]), Some(cases[1]));
    assert_eq!(office.district.state(cases[0]).await, "closed");

    let page = office.page(&browser, "/review").await;
    assert!(page.all("form").all(|form| !form.text.contains("通过")), "a forwarded claim is not approved");
    let answer = act(&office, &browser, cases[1], &page.form("file")).await;
    assert_eq!(answer.location(), "/review");
    assert_eq!(office.district.state(cases[1]).await, "filed");

    let page = office.page(&browser, "/review").await;
    let back = with(page.form("send_back"), &[("missing", "请补拍全景")]);
    act(&office, &browser, cases[2], &back).await.location();
    assert_eq!(office.district.state(cases[2]).await, "reported");
    let page = office.page(&browser, "/review").await;
    assert!(page.text_of("strong").contains("没有待审核"), "what waits for its reporter is not in the queue");
}

fn shown_next(page: &Html, before: CaseId) -> Option<CaseId> {
    let ids = page.all("a").filter_map(|it| it.attr("href").strip_prefix("/cases/").and_then(|id| id.parse().ok()));
    ids.into_iter().find(|id| *id != before)
}

#[tokio::test]
async fn a_case_may_be_passed_over_and_the_filter_stays() {
    let (office, browser, cases) = queue().await;
    let page = office.page(&browser, "/review?mode=self_handled").await;
    assert_eq!(shown(&page), Some(cases[0]));
    let next = |page: &Html| page.all("a").find(|it| it.attr("rel") == "next").unwrap().attr("href").to_owned();
    let second = office.page(&browser, &next(&page)).await;
    assert_eq!(shown(&second), Some(cases[2]), "the forwarded one is filtered out");
    let form = with(second.form("void"), &[("reason", "duplicate")]);
    let answer = act(&office, &browser, cases[2], &form).await;
    let to = answer.location().to_owned();
    assert!(to.starts_with("/review?mode=self_handled") && to.contains("after="), "{to}");
    let end = office.page(&browser, &to).await;
    assert!(end.text_of("strong").contains("后面没有"), "the one passed over is still in the queue");
    let start = end.all("a").find(|it| it.attr("href") == "/review?mode=self_handled").unwrap();
    assert_eq!(shown(&office.page(&browser, start.attr("href")).await), Some(cases[0]));
}

#[tokio::test]
async fn a_void_without_its_reason_comes_back_with_what_was_typed() {
    let (office, browser, cases) = queue().await;
    let page = office.page(&browser, "/review").await;
    let typed = "已与网格员核对，<第二次>上报";
    for (reason, field) in [("", "void-reason"), ("other", "void-text"), ("no_such_code", "void-reason")] {
        let text = if reason == "other" { "" } else { typed };
        let form = with(page.form("void"), &[("reason", reason), ("text", text)]);
        let answer = act(&office, &browser, cases[0], &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{reason}");
        let again = answer.page("refused void");
        assert_eq!(shown(&again), Some(cases[0]), "the same case, not the next");
        let wrong = again.elements.iter().find(|it| it.attr("id") == field).unwrap();
        assert_eq!(wrong.attr("aria-invalid"), "true", "{reason} {field}");
        assert!(again.elements.iter().any(|it| it.name == "details" && it.has("open")), "the form stays open");
        assert!(again.elements.iter().any(|it| it.attr("role") == "alert"));
        let kept = again.form("void");
        assert!(kept.contains(&("text".to_owned(), text.to_owned())), "{kept:?}");
        if reason == "other" {
            assert!(kept.contains(&("reason".to_owned(), "other".to_owned())));
        }
    }
    assert_eq!(office.district.version(cases[0]).await, 1);
    let form = with(page.form("void"), &[("reason", "other"), ("text", typed)]);
    assert_eq!(act(&office, &browser, cases[0], &form).await.location(), "/review");
    ten_seconds(&office).await;
    assert!(office.page(&browser, &format!("/cases/{}", cases[0])).await.text_of("p").contains(typed));
}

#[tokio::test]
async fn every_coded_reason_is_offered_but_the_reporters_own() {
    let (office, browser, _) = queue().await;
    let page = office.page(&browser, "/review").await;
    let radios = page.all("input").filter(|it| it.attr("name") == "reason");
    let offered: Vec<&str> = radios.map(|it| it.attr("value")).collect();
    for reason in VoidReason::ALL {
        assert_eq!(offered.contains(&reason.code()), *reason != VoidReason::Withdrawn, "{reason}");
    }
}

#[tokio::test]
async fn whoever_decides_second_is_told_who_decided_what() {
    let (office, browser, cases) = queue().await;
    let form = office.page(&browser, "/review").await.form("approve_self_handled");
    let words =
        Payload {
            reason: Some("insufficient_evidence".into()), text: Some("照片太暗".into()), ..Payload::default()
        };
    office.district.act("review-ninghua-2", cases[0], Verb::Void, words).await.unwrap();
    let answer = act(&office, &browser, cases[0], &form).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    let page = answer.page("stale");
    let decided = page.text_of("li");
    for word in ["审核员乙", "镇街审核员", "作废", "证据不足", "照片太暗"] {
        assert!(decided.contains(word), "{word} in {decided}");
    }
    assert!(page.text_of("p").contains("自处审核通过"), "what was not carried out is named");
    assert_eq!(office.district.version(cases[0]).await, 2, "nothing was written over it");
}

#[tokio::test]
async fn a_double_click_decides_once_and_is_answered_twice() {
    let (office, browser, cases) = queue().await;
    let form = office.page(&browser, "/review").await.form("file");
    let form = with(form, &[("level", "urgent")]);
    for _ in 0..2 {
        assert_eq!(act(&office, &browser, cases[0], &form).await.location(), "/review");
    }
    assert_eq!(office.district.version(cases[0]).await, 2);
}

#[tokio::test]
async fn a_self_handled_claim_is_not_approved_before_its_after_photo_is_here() {
    let office = Office::new().await;
    let facts = crate::testing::facts(1, Mode::SelfHandled, office.app.services.business.now());
    let case = office.report(INSPECTOR, &facts).await;
    let browser = office.browser(REVIEWER).await;
    let page = office.page(&browser, "/review").await;
    assert!(page.text_of("p").contains("还在手机上"), "the office sees that the photo is still on its way");
    let answer = act(&office, &browser, case, &page.form("approve_self_handled")).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.page("no after photo").text_of("div").contains("处置后照片尚未上传"));
}

#[tokio::test]
async fn filing_a_self_handled_claim_says_that_it_changes_the_mode() {
    let (office, browser, cases) = queue().await;
    let page = office.page(&browser, "/review").await;
    assert!(page.text_of("p").contains("申报为自发自处"));
    let form = page.form("file");
    assert!(
        form.contains(&("mode".to_owned(), "forwarded".to_owned()))
            && form.contains(&("category".to_owned(), crate::testing::LITTER.to_owned()))
    );
    act(&office, &browser, cases[0], &form).await.location();
    let total = office.district.november(None).await.total;
    assert_eq!((total.self_handled, total.forwarded), (1, 2));
}

#[tokio::test]
async fn the_case_page_offers_what_the_workflow_offers_and_does_it() {
    let (office, browser, cases) = queue().await;
    act(&office, &browser, cases[1], &office.page(&browser, &format!("/cases/{}", cases[1])).await.form("file")).await;
    let leader = office.browser("dispatch-1").await;
    let path = format!("/cases/{}", cases[1]);
    let form = office.page(&leader, &path).await.form("dispatch");
    let due = form.iter().find(|(name, _)| name == "due_at").unwrap();
    assert_eq!(due.1, "2023-11-16T09:00", "what the table of limits gives");
    let bad = with(form.clone(), &[("handler", "U640105-HW"), ("due_at", "tomorrow")]);
    let answer = act(&office, &leader, cases[1], &bad).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(answer.page("bad time").form("dispatch").contains(&("due_at".to_owned(), "tomorrow".to_owned())));
    let good = with(form, &[("handler", "U640105-HW"), ("level", "normal")]);
    let answer = act(&office, &leader, cases[1], &good).await;
    assert_eq!(answer.location(), path);
    let unit = office.browser("handle-huanwei").await;
    let page = office.page(&unit, &path).await;
    act(&office, &unit, cases[1], &page.form("sign")).await.location();
    assert_eq!(office.district.state(cases[1]).await, "handling");
    assert_eq!(office.get(&unit, "/").await.location(), "/cases", "a unit begins with its cases");
    let wrong = with(page.form("sign"), &[("verb", "ask_return"), ("reason", "不属本单位职责")]);
    let stale = act(&office, &unit, cases[1], &wrong).await;
    assert_eq!(stale.status, StatusCode::CONFLICT);
    for nonsense in [("verb", "teleport"), ("version", "x")] {
        let form = with(page.form("sign"), &[nonsense]);
        assert_eq!(act(&office, &unit, cases[1], &form).await.status, StatusCode::BAD_REQUEST, "{nonsense:?}");
    }
}

#[tokio::test]
async fn the_queue_says_what_its_reader_decided_today() {
    let (office, browser, cases) = queue().await;
    assert!(!office.page(&browser, "/review").await.text_of("span").contains("今天已办"), "nothing yet");
    for case in &cases[..2] {
        let page = office.page(&browser, &format!("/cases/{case}")).await;
        act(&office, &browser, *case, &with(page.form("void"), &[("reason", "test")])).await.location();
    }
    let other = Payload { reason: Some("test".into()), ..Payload::default() };
    office.district.act("review-ninghua-2", cases[2], Verb::Void, other).await.unwrap();
    let said = office.page(&browser, "/review").await.text_of("span");
    assert!(said.contains("今天已办 2 件：作废 2"), "held ones are work done: {said}");
    ten_seconds(&office).await;
    let said = office.page(&browser, "/review").await.text_of("span");
    assert!(said.contains("今天已办 2 件：作废 2"), "own decisions only: {said}");
    office.app.services.business.advance(86_400_000);
    assert!(!office.page(&browser, "/review").await.text_of("span").contains("今天已办"), "a new day");
}

#[tokio::test]
async fn a_window_may_ask_what_was_decided_since_it_was_drawn() {
    let (office, browser, cases) = queue().await;
    let watch = |seen: u32| format!("/console/watch/{}?seen={seen}", cases[0]);
    let asked = office.page(&browser, "/review").await;
    assert!(asked.elements.iter().any(|it| it.attr("data-watch") == watch(1)), "the queue knows what to ask");
    assert_eq!(office.get(&browser, &watch(1)).await.text(), "");
    let words = Payload { reason: Some("test".into()), ..Payload::default() };
    office.district.act("review-ninghua-2", cases[0], Verb::Void, words).await.unwrap();
    let answer = office.get(&browser, &watch(1)).await;
    assert!(answer.text().contains("审核员乙（镇街审核员）作废"), "{}", answer.text());
    assert!(answer.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(office.get(&browser, &watch(2)).await.text(), "");
    assert_eq!(office.get(&browser, &format!("/console/watch/{}", cases[0])).await.status, StatusCode::BAD_REQUEST);
    let stranger = office.browser(super::office::STRANGER).await;
    assert_eq!(office.get(&stranger, &watch(1)).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_window_that_asks_by_itself_does_not_keep_its_session_alive() {
    let (office, browser, cases) = queue().await;
    let seen = async |path: &str| {
        // Two minutes ago, so that use would be noted.
        office.district.run("UPDATE web_session SET seen_at = seen_at - 120000", vec![]).await;
        office.get(&browser, path).await;
        office.district.rows("SELECT seen_at FROM web_session").await[0].int(0).unwrap()
    };
    let watched = seen(&format!("/console/watch/{}?seen=1", cases[0])).await;
    let used = seen("/review").await;
    assert!(used > watched, "a page moves it, a look does not: {watched} {used}");
    let again = seen(&format!("/console/watch/{}?seen=1", cases[0])).await;
    assert_eq!(again, used - 120_000, "left as it was");
}

#[tokio::test]
async fn two_reviewers_of_an_office_are_shown_different_cases() {
    let (office, first, cases) = queue().await;
    let second = office.browser("review-ninghua-2").await;
    assert_eq!(shown(&office.page(&first, "/review").await), Some(cases[0]));
    assert_eq!(shown(&office.page(&second, "/review").await), Some(cases[1]), "the oldest is on a colleague's desk");
    assert_eq!(shown(&office.page(&first, "/review").await), Some(cases[0]), "a reload changes nothing");
    let form = office.page(&first, "/review").await.form("approve_self_handled");
    act(&office, &first, cases[0], &form).await;
    assert_eq!(shown(&office.page(&first, "/review").await), Some(cases[2]));
    let form = office.page(&second, "/review").await.form("file");
    act(&office, &second, cases[1], &form).await;
    let page = office.page(&second, "/review").await;
    assert_eq!(shown(&page), Some(cases[2]), "the last one is shown to both");
    assert!(page.text_of("p").contains("审核员甲 正在看这件案件"), "and who has it");
    office.app.services.business.advance(crate::console::desks::LEASE_MS - 60_000);
    assert!(office.page(&second, "/review").await.text_of("p").contains("还剩 1 分"));
    office.app.services.business.advance(60_000);
    assert!(!office.page(&second, "/review").await.text_of("p").contains("正在看"), "not heard of for a while");
}
