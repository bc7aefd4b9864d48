//! Finding cases: by words, on the map, under names of one's own; and figures that move by themselves.

use serde_json::Value;
use xunge_tests::browser::{Browser, Script, story};

use super::Office;

#[tokio::test(flavor = "multi_thread")]
async fn cases_are_found_by_words_and_on_the_map_and_lists_are_kept() {
    finds("cases_are_found_by_words_and_on_the_map_and_lists_are_kept", Script::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_are_found_without_script() {
    finds("cases_are_found_without_script", Script::Off).await;
}

async fn finds(name: &str, script: Script) {
    let office = Office::open();
    let well = office.report(1, "占道无照经营", "小区门口井盖破损，行人须绕行", false);
    office.report(2, "暴露垃圾", "路边暴露垃圾约两平方米，已清理", true);
    office.report(3, "暴露垃圾", "绿化带内积存垃圾", false);
    office.phone.drain(3);
    let (site, leader) = (office.server.url.clone(), office.somebody("duty_leader"));
    story(name, &site, script, |browser| async move {
        browser.log_in(&leader).await;
        by_words(&browser, &well).await;
        keeps_the_list(&browser).await;
        on_the_map(&browser).await;
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "the browser complained");
    })
    .await;
}

async fn by_words(browser: &Browser, well: &str) {
    browser.click("nav.tabs a[href='/cases']").await;
    browser.write("#f-q", "井盖").await;
    browser.click(".search button.main").await;
    browser.says(".cases .text", "井盖破损").await;
    assert_eq!(browser.count(".cases tbody tr").await, 1, "two characters find it and nothing else");
    assert_eq!(browser.attr(".cases tbody th a", "href").await, format!("/cases/{well}"));
    browser.open_path("/cases?q=%E5%9E%83%E5%9C%BE&order=oldest").await;
    browser.says(".cases .text", "积存垃圾").await;
    assert_eq!(browser.count(".cases tbody tr").await, 2);
}

async fn keeps_the_list(browser: &Browser) {
    browser.click("details.saved > summary").await;
    browser.write("#saved-new", "垃圾类").await;
    browser.click("details.saved form button").await;
    browser.says(".notice", "已保存").await;
    browser.open_path("/cases").await;
    browser.click(".quick a[href*='q=']").await;
    browser.says(".cases .text", "积存垃圾").await;
    browser.click("details.saved > summary").await;
    browser.click("details.saved form:has(input[value=forget]) button").await;
    browser.says(".notice", "已删除").await;
    assert!(!browser.has(".quick a[href*='q=']").await);
}

async fn on_the_map(browser: &Browser) {
    browser.click("nav.tabs a[href='/map']").await;
    browser.says("h1", "西夏区").await;
    // The table leads down as the picture does.
    browser.click(".wide-table tbody a[href*='place=']").await;
    browser.see(".path").await;
    browser.click(".wide-table tbody a[href*='place=']").await;
    browser.see("a .spot").await;
    let number = browser.text(".wide-table tbody td a").await;
    browser.click(".wide-table tbody td a").await;
    browser.see(".cases tbody tr").await;
    assert_eq!(browser.count(".cases tbody tr").await.to_string(), number, "a number opens exactly its cases");
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_move_while_somebody_looks_and_without_a_reload() {
    let office = Office::open();
    office.report(1, "暴露垃圾", "路边暴露垃圾", true);
    office.phone.drain(3);
    let (site, reviewer) = (office.server.url.clone(), office.reviewer.clone());
    let phone = office.phone.store.clone();
    office.report(2, "暴露垃圾", "又一处暴露垃圾", true);
    story("figures_move", &site, Script::On, |browser| async move {
        browser.log_in(&reviewer).await;
        browser.says("#live .figures dd", "1").await;
        browser.look("window.sameWindow = true").await;
        let phone = xunge_tests::process::Phone { store: phone };
        tokio::task::spawn_blocking(move || phone.drain(3)).await.unwrap();
        browser.says("#live .figures dd", "2").await;
        assert_eq!(browser.look("return window.sameWindow === true").await, Value::Bool(true), "no reload");
        browser.says("[data-news]", "新到 1 件").await;
    })
    .await;
}
