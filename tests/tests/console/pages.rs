//! Every page on every screen: kept as pictures, nothing sticking out sideways, no barrier, no complaint.

use serde_json::json;
use xunge_tests::browser::{Browser, Script, story};

use super::Office;

/// Pages with what was found on them.
pub(super) struct Round {
    browser: Browser,
    pub(super) found: Vec<String>,
}

impl Round {
    /// Begins, with nothing found.
    pub(super) fn new(browser: &Browser) -> Self {
        Self { browser: browser.clone(), found: Vec::new() }
    }

    /// Opens a page and looks at it.
    pub(super) async fn page(&mut self, name: &str, path: &str) {
        self.browser.open_path(path).await;
        self.look(name).await;
    }

    /// Looks at the page that is open.
    pub(super) async fn look(&mut self, name: &str) {
        self.browser.photos_decoded().await;
        self.found.extend(self.browser.picture(name).await);
        self.found.extend(self.browser.barriers().await.into_iter().map(|it| format!("{name}: {it}")));
        self.found.extend(self.browser.complaints().await.into_iter().map(|it| format!("{name}: {it}")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_every_screen_and_has_no_barrier() {
    let office = Office::open();
    let long = "小区北门外人行道上堆放建筑垃圾约三立方米，占用盲道，行人须绕行机动车道；已通知物业，物业称系二楼住户装修所留，\
                要求社区协调清运。此前十一月三日、九日两次上报均未处理。";
    for number in 0..53 {
        let text = if number % 5 == 0 {
            long.to_owned()
        } else {
            format!("第 {number} 处暴露垃圾约两平方米，已清理")
        };
        let category = if number % 4 == 0 { "占道无照经营" } else { "暴露垃圾" };
        office.report(number, category, &text, number % 3 != 1);
    }
    office.phone.drain(6);
    let desk = office.api(&office.reviewer).await;
    let listed = desk.get_json("/v1/cases?state=reported&mode=forwarded&limit=3").await;
    let ids: Vec<String> =
        listed["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect();
    for (case, event) in [
        (&ids[0], json!({"verb": "file", "expected_version": 1})),
        (&ids[1], json!({"verb": "void", "expected_version": 1, "reason": "duplicate", "text": "与上一件相同"})),
    ] {
        let answer = desk.event(case, &format!("k-{case}"), &event).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    }
    office.phone.drain(2);
    office.phone.run("request", &[&ids[1], "appeal", "--text", "两处相距两百米，不是同一处，照片可以看出门牌不同"]);
    office.phone.drain(2);
    let site = office.server.url.clone();
    let (reviewer, leader) = (office.reviewer.clone(), office.somebody("duty_leader"));
    let (dispatcher, other) = (office.somebody("dispatcher"), office.somebody_elsewhere());
    let clerk = office.somebody("hotline");
    story("every_page", &site, Script::On, |browser| async move {
        let mut round = Round::new(&browser);
        round.page("login", "/login").await;
        browser.write("#user", "nobody").await;
        browser.write("#password", "wrong").await;
        browser.click("main form button").await;
        browser.see("[role=alert]").await;
        round.look("login-wrong").await;

        browser.log_in(&reviewer).await;
        round.page("overview", "/").await;
        round.page("overview-empty", "/?month=2020-01").await;
        round.page("review", "/review").await;
        round.page("review-forwarded", "/review?mode=forwarded").await;
        browser.look("document.querySelectorAll('details').forEach(it => it.open = true)").await;
        round.look("review-unfolded").await;
        round.page("review-no-match", "/review?category=xixia-2023:event:99").await;
        refused_void(&browser).await;
        round.look("review-refused").await;
        round.page("cases", "/cases").await;
        browser.click(".pages a[rel=next]").await;
        browser.see(".pages a:not([rel])").await;
        round.look("cases-last").await;
        round.page("cases-filtered", "/cases?state=void&mode=forwarded").await;
        round.page("cases-empty", "/cases?q=%E6%B2%A1%E6%9C%89%E8%BF%99%E6%A0%B7%E7%9A%84&from=yesterday").await;
        round.page("cases-words", "/cases?q=%E5%9E%83%E5%9C%BE&mode=self_handled&reporter=nobody").await;
        round.page("cases-deadline", "/cases?state=dispatched,handling&order=deadline").await;
        browser.open_path("/cases?state=void&mode=forwarded").await;
        browser.click("details.saved > summary").await;
        browser.write("#saved-new", "作废的流转件，每周一核对").await;
        browser.click("details.saved form button").await;
        browser.says(".quick a", "作废的流转件").await;
        browser.look("document.querySelectorAll('details').forEach(it => it.open = true)").await;
        round.look("cases-saved").await;
        round.page("map-street", "/map").await;
        round.page("case-void", &format!("/cases/{}", ids[1])).await;
        round.page("case-reported", &format!("/cases/{}", ids[2])).await;
        round.page("phones", "/phones").await;
        round.page("phones-waiting", "/phones?show=waiting").await;
        round.page("fault-404", "/no-such-page").await;
        overtaken(&browser, &desk, &ids[2]).await;
        round.look("fault-stale").await;

        browser.click(".who form button").await;
        browser.see(".notice").await;
        round.look("login-left").await;
        browser.log_in(&other).await;
        round.page("review-empty", "/review").await;
        round.page("fault-404-case", &format!("/cases/{}", ids[1])).await;
        browser.click(".who form button").await;
        browser.log_in(&dispatcher).await;
        round.page("fault-403", "/phones").await;
        round.page("case-dispatch", &format!("/cases/{}", ids[0])).await;
        browser.click(".who form button").await;
        browser.log_in(&clerk).await;
        round.page("cases-clerk", "/cases").await;
        round.page("register", "/register").await;
        refused_registration(&browser).await;
        round.look("register-refused").await;
        browser.open_path("/console/language/en?back=/register").await;
        round.look("register-english").await;
        browser.open_path("/console/language/zh?back=/").await;
        browser.click(".who form button").await;
        browser.log_in(&leader).await;
        round.page("overview-district", "/").await;
        browser.print("overview-district").await;
        round.page("map", "/map").await;
        round.page("map-empty", "/map?month=2020-01").await;
        browser.open_path("/map?place=640105003").await;
        browser.click(".wide-table tbody a").await;
        browser.see(".spot").await;
        round.look("map-near").await;
        round.page("cases-district", "/cases").await;
        round.page("desk-appeals", "/desk").await;
        browser.says("#appeals-h", "1 件").await;
        round.page("cases-appeals", "/cases?appeal=open").await;
        browser.open_path(&format!("/cases/{}", ids[1])).await;
        browser.print("case-void").await;
        browser.open_path("/console/language/en?back=/").await;
        round.look("overview-english").await;
        assert!(round.found.is_empty(), "{:#?}", round.found);
    })
    .await;
}

/// A void without its reason, by a browser that does not check.
async fn refused_void(browser: &Browser) {
    browser.open_path("/review").await;
    browser.click("details:has(input[name=verb][value=void]) > summary").await;
    browser.look("for (const form of document.forms) form.noValidate = true").await;
    browser.click("form.act:has(input[name=verb][value=void]) button").await;
    browser.see("[aria-invalid=true]").await;
}

/// A call with nearly everything wrong, by a browser that does not check.
async fn refused_registration(browser: &Browser) {
    browser.write("#f-grid", "没有这个网格").await;
    browser.write("#f-point", "38.485, 106.105").await;
    browser.write("#f-description", "市民反映路口有垃圾").await;
    browser.look("for (const form of document.forms) form.noValidate = true").await;
    browser.click("form.register button").await;
    browser.see("[aria-invalid=true]").await;
}

/// Somebody decides while this reviewer looks.
async fn overtaken(browser: &Browser, desk: &xunge_tests::http::Api, case: &str) {
    browser.open_path(&format!("/cases/{case}")).await;
    let void = json!({"verb": "void", "expected_version": 1, "reason": "other", "text": "电话核实后确认误报"});
    assert_eq!(desk.event(case, "overtaken", &void).await.status, 201);
    browser.click("details:has(input[name=verb][value=file]) > summary").await;
    browser.click("form.act:has(input[name=verb][value=file]) button").await;
    browser.see(".decided").await;
}
