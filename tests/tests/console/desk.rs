//! From the dispatcher's desk to the unit's inbox and back to the leader, in a real browser. With script and without.

use serde_json::{Value, json};
use xunge_tests::browser::{Browser, Script, story};
use xunge_tests::http::Api;

use super::Office;

#[tokio::test(flavor = "multi_thread")]
async fn a_case_goes_from_desk_to_desk_until_its_unit_fed_back() {
    a_case_goes_its_way("a_case_goes_from_desk_to_desk", Script::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn desks_work_without_script() {
    a_case_goes_its_way("desks_without_script", Script::Off).await;
}

/// The form of a verb on the page.
fn form(verb: &str) -> String {
    format!("form.act:has(input[name=verb][value={verb}])")
}

async fn unfold(browser: &Browser, verb: &str) {
    browser.click(&format!("details:has(input[name=verb][value={verb}]) > summary")).await;
    browser
        .until("the form unfolded", || async {
            Ok(browser.see(&format!("{} button", form(verb))).await.is_displayed().await?.then_some(()))
        })
        .await;
}

async fn log_out(browser: &Browser) {
    browser.click(".who form button").await;
    browser.says(".notice", "您已退出登录").await;
}

async fn filed(office: &Office, desk: &Api, number: u8, text: &str) -> String {
    let case = office.report(number, "暴露垃圾", text, false);
    office.phone.drain(3);
    let file = json!({"verb": "file", "expected_version": 1});
    assert_eq!(desk.event(&case, &format!("file-{number}"), &file).await.status, 201);
    case
}

async fn a_case_goes_its_way(name: &str, script: Script) {
    let office = Office::open();
    let desk = office.api(&office.reviewer).await;
    let case = filed(&office, &desk, 1, "路口垃圾约两立方米").await;
    let other = filed(&office, &desk, 2, "不该派给环卫的一件").await;
    let (dispatcher, leader) = (office.somebody("dispatcher"), office.somebody("duty_leader"));
    let handlers = office.scene.users("handling_unit");
    let handler = (*handlers.iter().find(|it| it["unit"] == "U640105-HW").expect("the unit the rule names")).clone();
    let photo = office.scene.photo("done.jpg", 77, 640, 480);
    let site = office.server.url.clone();
    let cases = [case.clone(), other.clone()];
    story(name, &site, script, |browser| async move {
        browser.log_in(&dispatcher).await;
        dispatches(&browser, &cases).await;
        log_out(&browser).await;
        browser.log_in(&handler).await;
        asks_to_return(&browser, &cases[1]).await;
        handles(&browser, &cases[0], photo.to_str().unwrap()).await;
        log_out(&browser).await;
        browser.log_in(&leader).await;
        approves_the_return(&browser, &cases[1]).await;
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "the browser complained");
    })
    .await;
    let ledger = |case: Value| case["ledger"].clone();
    let done = ledger(desk.get_json(&format!("/v1/cases/{case}")).await);
    assert_eq!((&done["state"], &done["handled_by"]), (&json!("handled"), &json!("U640105-HW")));
    let back = ledger(desk.get_json(&format!("/v1/cases/{other}")).await);
    assert_eq!((&back["state"], &back["return_count"]), (&json!("filed"), &json!(1)));
}

async fn dispatches(browser: &Browser, cases: &[String]) {
    browser.click(".tabs a[href='/desk']").await;
    browser.says("#dispatch-h", "待派遣").await;
    browser.says(".desk .reason", "建议：西夏区环境卫生管理所（派遣规则：暴露垃圾 × 全区）").await;
    for case in cases {
        browser.open_path("/desk").await;
        browser.click(&format!(".desk a[href='/cases/{case}']")).await;
        unfold(browser, "dispatch").await;
        assert!(browser.has("#dispatch-handler option[value='U640105-HW']:checked").await, "the suggestion is chosen");
        browser.says("#dispatch-handler-hint", "可以改派").await;
        browser.click(&format!("{} button", form("dispatch"))).await;
        browser.says(".notice.good", "派遣").await;
    }
    browser.click(".tabs a[href='/desk']").await;
    browser.says(".empty", "没有待办的案件").await;
}

async fn asks_to_return(browser: &Browser, case: &str) {
    browser.open_path("/desk").await;
    browser.says("#sign-h", "待签收").await;
    browser.click(&format!(".desk a[href='/cases/{case}']")).await;
    unfold(browser, "ask_return").await;
    browser.write("#ask-return-reason", "不属本单位职责").await;
    browser.click(&format!("{} button", form("ask_return"))).await;
    browser.says(".notice.good", "申请退单").await;
    browser.click(".tabs a[href='/desk']").await;
    browser.says("#asked-h", "已申请").await;
}

async fn handles(browser: &Browser, case: &str, photo: &str) {
    browser.click(&format!(".desk a[href='/cases/{case}']")).await;
    browser.click(&format!("{} button", form("sign"))).await;
    browser.says(".notice.good", "签收").await;
    unfold(browser, "feedback").await;
    browser.write("#feedback-note", "已清运，地面已冲洗").await;
    browser.write("#feedback-photos", photo).await;
    browser.click(&format!("{} button", form("feedback"))).await;
    browser.says(".notice.good", "反馈").await;
    browser.says(".head .state", "待核查").await;
    browser.says(".more-photos figcaption strong", "处置反馈").await;
    assert_eq!(browser.photos_decoded().await, 2, "the report's photo and the feedback's");
    browser.click(".tabs a[href='/desk']").await;
    browser.says("#asked-h", "已申请").await;
    assert_eq!(browser.count(".desk > li").await, 1, "what was fed back is gone");
}

async fn approves_the_return(browser: &Browser, case: &str) {
    browser.click(".tabs a[href='/desk']").await;
    browser.says(".desk .reason", "不属本单位职责").await;
    unfold(browser, "approve_return").await;
    browser.click(&format!("form[action='/desk/{case}']:has(input[value=approve_return]) button")).await;
    browser.says(".notice.good", "批准退单").await;
    browser.says(".empty", "没有待办的案件").await;
}
