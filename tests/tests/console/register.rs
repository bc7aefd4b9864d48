//! A clerk registers a call in a real browser and its office reviews it. With script and without.

use xunge_tests::browser::{Browser, Script, story};

use super::Office;

const LITTER: &str = "xixia-2023:event:XX0201";

#[tokio::test(flavor = "multi_thread")]
async fn a_call_is_registered_at_the_desk_and_its_office_reviews_it() {
    a_call_becomes_a_case("a_call_is_registered", Script::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn registering_works_without_script() {
    a_call_becomes_a_case("registering_without_script", Script::Off).await;
}

async fn a_call_becomes_a_case(name: &str, script: Script) {
    let office = Office::open();
    let (clerk, reviewer) = (office.somebody("hotline"), office.reviewer.clone());
    let desk = office.api(&clerk).await;
    let street = reviewer["unit"].as_str().unwrap().trim_start_matches('U').to_owned();
    let photo = office.scene.photo("caller.jpg", 77, 640, 480);
    let site = office.server.url.clone();
    story(name, &site, script, |browser| async move {
        browser.log_in(&clerk).await;
        let photo = photo.to_str().unwrap();
        let case = registers(&browser, &format!("{street}001001"), photo).await;
        goes_back_and_presses_again(&browser, &case).await;
        types_the_number_again(&browser, &case, photo).await;
        browser.click(".who form button").await;
        browser.says(".notice", "您已退出登录").await;
        browser.log_in(&reviewer).await;
        browser.click(".tabs a[href='/review']").await;
        browser.says(".words", "市民反映楼下垃圾桶满溢").await;
        assert_eq!(browser.photos_decoded().await, 1, "the caller's photo");
        assert!(!browser.has("a[href='/register']").await, "reviewers register nothing");
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "the browser complained");
    })
    .await;
    let listed = desk.get_json("/v1/cases").await;
    let items = listed["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "pressing again makes no second case: {items:?}");
    assert_eq!(items[0]["photos"]["present"], 1);
}

async fn registers(browser: &Browser, grid: &str, photo: &str) -> String {
    browser.click(".tabs a[href='/cases']").await;
    browser.click(".head a[href='/register']").await;
    browser.says("h1", "登记案件").await;
    browser.write("#f-number", "YC20231106-0042").await;
    browser.choose("#f-category", LITTER).await;
    browser.write("#f-location", "文萃北街 12 号楼下").await;
    browser.write("#f-grid", grid).await;
    browser.write("#f-photos", photo).await;
    browser.click("form.register button").await;
    assert!(browser.has("#f-description:invalid").await, "the browser itself asks for the words");
    browser.write("#f-description", "市民反映楼下垃圾桶满溢").await;
    browser.click("form.register button").await;
    browser.says(".notice.good", "已登记").await;
    browser.says(".words", "市民反映楼下垃圾桶满溢").await;
    assert_eq!(browser.photos_decoded().await, 1);
    browser.says("dl.facts", "YC20231106-0042").await;
    browser.path().await
}

/// The form one goes back to is the same form still, whatever the browser put into it again.
async fn goes_back_and_presses_again(browser: &Browser, case: &str) {
    browser.back_to("h1", "登记案件").await;
    browser.choose("#f-category", LITTER).await;
    browser.write("#f-description", "再按一次").await;
    browser.see("#f-grid").await.clear().await.unwrap();
    browser.write("#f-grid", "640105005001001").await;
    browser.click("form.register button").await;
    browser.says(".notice.bad", "这张表已经登记为案件").await;
    browser.click(".notice.bad a").await;
    browser.says("h1", "未立案上报").await;
    assert_eq!(browser.path().await, case);
}

/// A form that is refused twice: for a grid that is none, and for a number that is a case.
async fn types_the_number_again(browser: &Browser, case: &str, photo: &str) {
    browser.click(".tabs a[href='/register']").await;
    browser.choose("#f-category", LITTER).await;
    browser.write("#f-number", "YC20231106-0042").await;
    browser.write("#f-description", "同一张工单").await;
    browser.write("#f-grid", "没有这个网格").await;
    browser.write("#f-photos", photo).await;
    browser.click("form.register button").await;
    browser.says(".notice.bad", "请更正：单元网格").await;
    browser.says("#f-grid-problem", "从列表中选").await;
    browser.says("#f-photos-hint", "已收到 1 张").await;
    assert_eq!(browser.text("#f-description").await, "同一张工单", "what was typed is kept");
    browser.see("#f-grid").await.clear().await.unwrap();
    browser.write("#f-grid", "640105005001001").await;
    browser.click("form.register button").await;
    browser.says("#f-number-problem", "已经是案件").await;
    browser.click(".notice.bad a").await;
    browser.says("h1", "未立案上报").await;
    assert_eq!(browser.path().await, case);
}
