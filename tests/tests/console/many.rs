//! Many cases, and two reports of one: approving several at once, voiding a repeat, the day's figures, two reviewers,
//! two phones that say different things.

use serde_json::json;
use xunge_tests::browser::{Browser, Script, story};
use xunge_tests::process::Phone;

use super::Office;

/// Looks at a page on every screen: nothing sticks out, no barrier.
async fn look(browser: &Browser, name: &str, script: Script) {
    browser.photos_decoded().await;
    let mut found = browser.picture(name).await;
    // What looks for barriers is script itself.
    if script == Script::On {
        found.extend(browser.barriers().await);
    }
    assert!(found.is_empty(), "{name}: {found:#?}");
}

async fn several(name: &str, script: Script) {
    let office = Office::open();
    let cases: Vec<String> =
        (0..4).map(|n| office.report(n, "暴露垃圾", &format!("第 {n} 处，已清理"), n < 3)).collect();
    office.phone.drain(4);
    let desk = office.api(&office.reviewer).await;
    let (site, reviewer, ids) = (office.server.url.clone(), office.reviewer.clone(), cases.clone());
    story(name, &site, script, |browser| async move {
        browser.log_in(&reviewer).await;
        browser.open_path("/review").await;
        browser.click(".queue a[href='/review/bulk']").await;
        browser.says("h1", "批量通过自处").await;
        assert_eq!(browser.count(".bulk input[type=checkbox]").await, 3, "the forwarded one is not offered");
        browser.click("a[href='/review/bulk?all=1']").await;
        browser.see(".bulk input:checked").await;
        assert_eq!(browser.photos_decoded().await, 6, "before and after of each");
        look(&browser, "bulk-choose", script).await;
        browser.click(&format!("#c-{}", ids[2])).await;
        browser.click(".bulk button").await;
        browser.says("h1", "预览：通过 2 件").await;
        look(&browser, "bulk-preview", script).await;
        // A colleague is faster with one of them.
        let void = json!({"verb": "void", "expected_version": 1, "reason": "test"});
        assert_eq!(desk.event(&ids[1], "k", &void).await.status, 201);
        browser.click(".bulk-approve button").await;
        browser.says("h1", "已通过 1 件，未通过 1 件").await;
        browser.says(".bulk .bad", "已由他人办理（已作废）").await;
        look(&browser, "bulk-result", script).await;
        // The day says so, and opens it.
        browser.open_path("/review/day").await;
        browser.says(".figures", "自处审核通过").await;
        look(&browser, "day", script).await;
        browser.click(".figures a[href*='approve_self_handled']").await;
        browser.says("h2", "自处审核通过 1 件").await;
        assert_eq!(browser.count(".cases tbody tr").await, 1);
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    })
    .await;
    let api = office.api(&office.reviewer).await;
    for (case, state) in cases.iter().zip(["closed", "void", "reported", "reported"]) {
        assert_eq!(api.get_json(&format!("/v1/cases/{case}")).await["state"], state);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_reports_are_approved_at_once_after_a_preview() {
    several("several_at_once", Script::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_reports_are_approved_at_once_without_script() {
    several("several_at_once_without_script", Script::Off).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_nearby_is_seen_and_voided_with_the_other_case_named() {
    let office = Office::open();
    let first = office.report_at(1, ("106.10", "38.50"), "暴露垃圾", "路口垃圾桶满溢", false);
    let second = office.report_at(2, ("106.1004", "38.5002"), "暴露垃圾", "路口东侧垃圾未清", false);
    office.phone.drain(3);
    let (site, reviewer) = (office.server.url.clone(), office.reviewer.clone());
    let (master, repeat) = (first.clone(), second.clone());
    story("a_repeat_nearby", &site, Script::On, |browser| async move {
        browser.log_in(&reviewer).await;
        browser.open_path("/review").await;
        browser.see("html[data-keys-ready]").await;
        browser.says(".near", "路口东侧垃圾未清").await;
        assert_eq!(browser.photos_decoded().await, 2, "its own photo and the other's");
        look(&browser, "review-near", Script::On).await;
        browser.open_path(&format!("/cases/{repeat}")).await;
        browser.says(".near", "路口垃圾桶满溢").await;
        browser.click(".near form button").await;
        browser.says(".held", "已作废").await;
        let api = || async { Ok(browser.has("[data-held-bar][hidden]").await.then_some(())) };
        browser.until("the void took effect", api).await;
        browser.open_path(&format!("/cases/{master}")).await;
        look(&browser, "case-master", Script::On).await;
    })
    .await;
    let found = office.settled(&second, "void").await;
    assert_eq!(
        (&found["ledger"]["master_case_id"], &found["ledger"]["void_reason"]),
        (&json!(first), &json!("duplicate"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_at_a_case_is_said_with_the_time_left_and_stops_nobody() {
    let office = Office::open();
    let case = office.report(1, "暴露垃圾", "只有这一件", false);
    office.phone.drain(3);
    let colleague = office.colleague();
    let (site, first, path) = (office.server.url.clone(), office.reviewer.clone(), format!("/cases/{case}"));
    let there = site.clone();
    story("who_looks", &site, Script::On, |browser| async move {
        browser.log_in(&first).await;
        browser.open_path("/review").await;
        browser.says(".words", "只有这一件").await;
        // While this window stays open, a colleague's has the same case.
        story("who_looks_too", &there, Script::Off, |other| async move {
            other.log_in(&colleague).await;
            for page in [path.as_str(), "/review"] {
                other.open_path(page).await;
                other.says(".decide .warning", "正在看这件案件，还剩").await;
            }
            other.click("details:has(input[name=verb][value=file]) > summary").await;
            other.click("form.act:has(input[name=verb][value=file]) button").await;
            other.says(".notice.good", "立案").await;
        })
        .await;
        // The first hears of it when they come back to their window.
        browser.look("window.dispatchEvent(new Event('focus'))").await;
        browser.says(".decide [role=alert]", "已由他人办理").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_lies_open_says_what_a_colleague_decided_without_being_loaded_again() {
    let office = Office::open();
    let case = office.report(1, "暴露垃圾", "两处开着同一件", false);
    office.phone.drain(3);
    let desk = office.api(&office.reviewer).await;
    let reader = office.colleague();
    let (site, path) = (office.server.url.clone(), format!("/cases/{case}"));
    let (there, same) = (site.clone(), path.clone());
    story("open_case_decided", &there, Script::On, |browser| async move {
        browser.log_in(&reader).await;
        browser.open_path(&same).await;
        browser.says(".decide", "立案").await;
        browser.look("document.body.setAttribute('data-same-page', '')").await;
        let void = json!({"verb": "void", "expected_version": 1, "reason": "test"});
        assert_eq!(desk.event(&case, "k", &void).await.status, 201);
        browser.says(".decide [role=alert]", "已由他人办理").await;
        browser.says(".decide [data-lines]", "作废").await;
        browser.see("body[data-same-page]").await;
        assert!(!browser.see(".acts").await.is_displayed().await.unwrap(), "nothing is left to decide");
        browser.click(".decide [role=alert] a").await;
        browser.says(".tag.state", "作废").await;
    })
    .await;
    let reader = office.colleague();
    story("open_case_without_script", &site, Script::Off, |browser| async move {
        browser.log_in(&reader).await;
        browser.open_path(&path).await;
        browser.says(".tag.state", "作废").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_phones_said_at_once_and_what_was_edited_late_is_shown_where_one_decides() {
    let office = Office::open();
    let case = office.report(1, "暴露垃圾", "路口垃圾", false);
    office.phone.drain(3);
    let (_, inspector) = office.scene.pair();
    // The same inspector's second phone learns of the case and edits it while the first one is offline.
    let second = Phone { store: office.scene.folder.path().join("second") };
    let code = office.scene.code(inspector);
    second.run("enrol", &["--server", &office.server.url, "--code", &code]);
    second.drain(3);
    second.run("edit", &[&case, "--text", "路口东侧垃圾，约两平方米"]);
    office.phone.run("edit", &[&case, "--text", "路口西侧垃圾，占用盲道"]);
    second.drain(3);
    office.phone.drain(3);
    let (site, reviewer, path) = (office.server.url.clone(), office.reviewer.clone(), format!("/cases/{case}"));
    let desk = office.api(&office.reviewer).await;
    let phone = office.phone.clone();
    story("two_phones", &site, Script::On, |browser| async move {
        browser.log_in(&reviewer).await;
        browser.open_path("/review").await;
        for words in ["路口东侧垃圾", "路口西侧垃圾", "传到"] {
            browser.says(".conflicts dd", words).await;
        }
        look(&browser, "review-conflict", Script::On).await;
        assert_eq!(desk.event(&case, "k", &json!({"verb": "file", "expected_version": 1})).await.status, 201);
        // The phone has not heard of the decision yet.
        phone.run("edit", &[&case, "--text", "路口西侧垃圾，已有人清理"]);
        phone.drain(3);
        browser.open_path(&path).await;
        browser.says(".conflicts h3", "决定之后现场又作的修改").await;
        browser.says(".conflicts dd", "已有人清理").await;
        look(&browser, "case-late", Script::On).await;
    })
    .await;
}
