//! A void by mistake is taken back; one that was meant takes effect, whatever happens to the server meanwhile.

use serde_json::{Value, json};
use xunge_tests::browser::{Browser, Script, story};
use xunge_tests::process::Server;

use super::Office;

/// Voids the case that the queue shows.
async fn void(browser: &Browser) {
    browser.click("details:has(input[name=verb][value=void]) > summary").await;
    browser.click("#void-reason-test").await;
    browser.click("form.act:has(input[name=verb][value=void]) button").await;
    browser.says(".held", "已作废").await;
}

async fn scene() -> (Office, [String; 2], Value) {
    let office = Office::open();
    let cases = [1, 2].map(|number| office.report(number, "暴露垃圾", &format!("第 {number} 处"), false));
    office.phone.drain(3);
    let reviewer = office.reviewer.clone();
    (office, cases, reviewer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_by_mistake_is_taken_back_without_script() {
    let (office, [first, _], reviewer) = scene().await;
    let site = office.server.url.clone();
    story("taken_back_without_script", &site, Script::Off, |browser| async move {
        browser.log_in(&reviewer).await;
        browser.open_path("/review").await;
        browser.says(".decide .words", "第 1 处").await;
        void(&browser).await;
        browser.says(".decide .words", "第 2 处").await;
        browser.says(".queue", "待审 1 件").await;
        browser.click(".held button").await;
        browser.says(".notice.good", "已撤回作废").await;
        browser.says(".queue", "待审 2 件").await;
        browser.says(".decide .words", "第 1 处").await;
        assert!(!browser.has(".held").await);
    })
    .await;
    let found = office.api(&office.reviewer).await.get_json(&format!("/v1/cases/{first}")).await;
    assert_eq!((&found["state"], &found["version"]), (&json!("reported"), &json!(1)), "nothing was recorded");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_by_mistake_is_taken_back_with_a_key_and_the_bar_is_announced_and_goes_away() {
    let (office, [first, second], reviewer) = scene().await;
    let site = office.server.url.clone();
    story("taken_back_with_a_key", &site, Script::On, |browser| async move {
        browser.log_in(&reviewer).await;
        browser.open_path("/review").await;
        browser.see("html[data-keys-ready]").await;
        void(&browser).await;
        browser.says(".decide .words", "第 2 处").await;
        browser.see("html[data-keys-ready]").await;
        let said = || async {
            let said = browser.look("return document.querySelector('[data-held-say]').textContent").await;
            Ok(said.as_str().unwrap().contains("已作废 暴露垃圾").then_some(()))
        };
        browser.until("the bar is announced", said).await;
        assert_eq!(browser.barriers().await, Vec::<String>::new());
        assert_eq!(browser.picture("review-held").await, Vec::<String>::new());
        browser.keys("u").await;
        browser.says(".notice.good", "已撤回作废").await;
        browser.says(".decide .words", "第 1 处").await;
        // Not taken back: the bar goes away by itself and the case is void.
        browser.see("html[data-keys-ready]").await;
        browser.keys("x").await;
        browser.says(".decide .words", "第 2 处").await;
        browser.see("html[data-keys-ready]").await;
        void(&browser).await;
        browser.says(".empty", "后面没有待审案件了").await;
        browser.keys("u").await;
        browser.says(".notice.good", "已撤回作废").await;
        browser.says(".decide .words", "第 2 处").await;
        browser.see("html[data-keys-ready]").await;
        void(&browser).await;
        let gone = || async { Ok((!browser.see(".held").await.is_displayed().await?).then_some(())) };
        browser.until("the bar went away", gone).await;
        browser.keys("u").await;
        assert!(!browser.has(".notice").await, "a key for nothing does nothing");
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    })
    .await;
    assert_eq!(office.settled(&second, "void").await["version"], 2);
    assert_eq!(office.settled(&first, "reported").await["version"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_mark_a_case_whose_void_may_still_be_taken_back() {
    let (office, _, reviewer) = scene().await;
    let site = office.server.url.clone();
    story("lists_mark_a_held_void", &site, Script::On, |browser| async move {
        browser.log_in(&reviewer).await;
        browser.open_path("/review").await;
        void(&browser).await;
        browser.open_path("/cases").await;
        browser.says(".cases .tag.warn", "作废待生效 · 可撤回").await;
        assert_eq!(browser.picture("cases-held").await, Vec::<String>::new());
        assert_eq!(browser.barriers().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_rings_a_case_whose_void_may_still_be_taken_back() {
    let (office, _, reviewer) = scene().await;
    let (site, auditor) = (office.server.url.clone(), office.somebody("auditor"));
    story("map_rings_a_held_void", &site, Script::On, |browser| async move {
        browser.log_in(&auditor).await;
        browser.open_path("/map").await;
        for _ in ["street", "community"] {
            browser.click(".wide-table tbody a[href*='place=']").await;
            browser.see(".path").await;
        }
        browser.see("a .spot").await;
        let here = browser.look("return window.location.pathname + window.location.search").await;
        browser.log_in(&reviewer).await;
        browser.open_path("/review").await;
        void(&browser).await;
        browser.log_in(&auditor).await;
        browser.open_path(here.as_str().unwrap()).await;
        browser.see("a[aria-label$='作废待生效 · 可撤回'] .ring").await;
        browser.says(".cases .tag.warn", "作废待生效 · 可撤回").await;
        assert_eq!(browser.picture("map-held").await, Vec::<String>::new());
        assert_eq!(browser.barriers().await, Vec::<String>::new());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_that_waits_survives_a_killed_server_and_happens_once() {
    let (office, [first, _], reviewer) = scene().await;
    let site = office.server.url.clone();
    story("a_void_survives_a_killed_server", &site, Script::Off, |browser| async move {
        browser.log_in(&reviewer).await;
        browser.open_path("/review").await;
        void(&browser).await;
    })
    .await;
    let Office { scene, server, phone, reviewer } = office;
    server.kill();
    let office = Office { server: Server::start(&scene.data()), scene, phone, reviewer };
    assert_eq!(office.settled(&first, "void").await["version"], 2);
}
