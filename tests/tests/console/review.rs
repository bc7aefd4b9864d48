//! A reviewer's morning by mouse: log in, look, approve, file, void, read the month, leave. With script and without.

use http::Method;
use serde_json::{Value, json};
use xunge_tests::browser::{Browser, Script, story};
use xunge_tests::http::Api;

use super::Office;
use super::office::SCRIPT;

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_works_off_the_queue_and_leaves() {
    a_morning("a_reviewer_works_off_the_queue_and_leaves", Script::On).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_works_without_script() {
    a_morning("everything_works_without_script", Script::Off).await;
}

async fn a_morning(name: &str, script: Script) {
    let office = Office::open();
    let [approved, filed, voided] = [
        office.report(1, "暴露垃圾", SCRIPT, true),
        office.report(2, "占道无照经营", "路口流动摊贩占道经营", false),
        office.report(3, "暴露垃圾", "空地，疑似测试", false),
    ];
    office.phone.drain(3);
    let site = office.server.url.clone();
    let (reviewer, cases) = (office.reviewer.clone(), [approved.clone(), filed.clone(), voided.clone()]);
    let api = office.api(&reviewer).await;
    story(name, &site, script, |browser| async move {
        logs_in(&browser, &reviewer).await;
        approves(&browser).await;
        files(&browser).await;
        voids(&browser, &api, &cases[2]).await;
        until_void(&browser, &api, &cases[2]).await;
        reads_history(&browser, &cases[2]).await;
        reads_the_month(&browser, &api, &reviewer).await;
        leaves(&browser, &cases[0]).await;
        assert_eq!(browser.complaints().await, Vec::<String>::new(), "the browser complained");
    })
    .await;

    // The phone sees the decisions and the reason.
    office.phone.drain(3);
    assert_eq!(office.on_phone(&approved)["ledger"]["state"], "closed");
    assert_eq!(office.on_phone(&filed)["ledger"]["state"], "filed");
    let ledger = office.on_phone(&voided)["ledger"].clone();
    assert_eq!((&ledger["state"], &ledger["void_reason"]), (&json!("void"), &json!("other")), "{ledger}");
}

async fn logs_in(browser: &Browser, reviewer: &Value) {
    browser.open_path("/review").await;
    browser.says("h1", "登录").await;
    browser.write("#user", reviewer["user"].as_str().unwrap()).await;
    browser.write("#password", "不是这个").await;
    browser.click("main form button").await;
    browser.says("[role=alert]", "用户名或密码不对").await;
    assert_eq!(
        browser.look("return document.getElementById('password').value").await,
        "",
        "a password is not sent back"
    );
    browser.write("#password", reviewer["password"].as_str().unwrap()).await;
    browser.click("main form button").await;
    browser.says("h1", "待审核").await;
    assert_eq!(browser.path().await, "/review", "back to where the log-in came in between");
    browser.says(".queue", "待审 3 件").await;
}

/// The form of a verb on the page.
fn form(verb: &str) -> String {
    format!("form.act:has(input[name=verb][value={verb}])")
}

/// Unfolds a verb's form.
async fn unfold(browser: &Browser, verb: &str) {
    browser.click(&format!("details:has(input[name=verb][value={verb}]) > summary")).await;
    browser
        .until("the form unfolded", || async {
            Ok(browser.see(&format!("{} button", form(verb))).await.is_displayed().await?.then_some(()))
        })
        .await;
}

async fn approves(browser: &Browser) {
    assert_eq!(browser.photos_decoded().await, 2, "before and after, side by side");
    assert_eq!(browser.texts(".pair figcaption strong").await, ["处置前", "处置后"]);
    browser.says(".words", SCRIPT).await;
    assert!(
        !browser.look("return document.title").await.as_str().unwrap().contains('坏'),
        "a description ran as script"
    );
    assert_eq!(browser.count("main img[src=x], main script").await, 0);
    browser.click(&format!("{} button", form("approve_self_handled"))).await;
    browser.says(".notice.good", "自处审核通过").await;
}

async fn files(browser: &Browser) {
    browser.says(".words", "路口流动摊贩占道经营").await;
    assert_eq!(browser.photos_decoded().await, 1);
    assert!(!browser.has(&form("approve_self_handled")).await, "a forwarded claim has nothing to approve");
    unfold(browser, "file").await;
    browser.click(&format!("{} button", form("file"))).await;
    browser.says(".notice.good", "立案").await;
}

async fn voids(browser: &Browser, api: &Api, case: &str) {
    browser.says(".words", "空地，疑似测试").await;
    let button = format!("{} button", form("void"));
    unfold(browser, "void").await;
    browser.click(&button).await;
    // The browser itself asks for the reason and sends nothing.
    browser.see("#void-reason:invalid").await;
    assert_eq!(api.get_json(&format!("/v1/cases/{case}")).await["version"], 1);
    // A browser that does not check is answered by the server.
    browser.look("for (const form of document.forms) form.noValidate = true").await;
    browser.click(&button).await;
    browser.says("[role=alert]", "没有办成").await;
    assert_eq!(browser.attr("#void-reason", "aria-invalid").await, "true");
    browser.says(".words", "空地，疑似测试").await;
    assert_eq!(api.get_json(&format!("/v1/cases/{case}")).await["version"], 1, "nothing was decided");
    // "Other" wants words.
    browser.click("#void-reason-other").await;
    browser.click(&button).await;
    browser.says("[role=alert]", "没有办成").await;
    assert_eq!(browser.attr("#void-text", "aria-invalid").await, "true");
    assert!(browser.has("#void-reason-other:checked").await, "the choice is kept");
    browser.write("#void-text", "网格员说是误触").await;
    browser.click(&button).await;
    browser.says(".held", "已作废 暴露垃圾").await;
    browser.says(".empty", "没有待审核的案件").await;
}

/// A void takes effect after ten seconds; until then everybody reads that it will.
async fn until_void(browser: &Browser, api: &Api, case: &str) {
    browser.click(".held a").await;
    browser.says(".decide .warning", "已作废这件案件").await;
    let path = format!("/v1/cases/{case}");
    let state = || async { Ok((api.get_json(&path).await["state"] == "void").then_some(())) };
    browser.until("the void took effect", state).await;
}

async fn reads_history(browser: &Browser, case: &str) {
    browser.open_path(&format!("/cases/{case}")).await;
    browser.says(".head .state", "已作废").await;
    assert_eq!(browser.path().await, format!("/cases/{case}"));
    assert_eq!(browser.texts(".history tbody th").await, ["上报", "作废"]);
    let said = browser.text(".history tbody tr:last-child td:nth-child(5)").await;
    assert!(said.contains("其他") && said.contains("网格员说是误触"), "{said}");
    assert_eq!(browser.photos_decoded().await, 1);
}

async fn reads_the_month(browser: &Browser, api: &Api, reviewer: &Value) {
    browser.click(".tabs a[href='/']").await;
    browser.see(".figures").await;
    let unit = reviewer["unit"].as_str().unwrap();
    let total = api.get_json(&format!("/v1/counts?scope={unit}")).await["total"].clone();
    assert_eq!(
        (&total["self_handled"], &total["forwarded"], &total["void"]),
        (&json!(1), &json!(2), &json!(1)),
        "{total}"
    );
    for (label, member) in [
        ("上报", "reported"),
        ("自发自处", "self_handled"),
        ("平台流转", "forwarded"),
        ("作废", "void"),
        ("立案", "filed"),
        ("待审", "pending"),
        ("办结", "closed"),
    ] {
        assert_eq!(figure(browser, label).await, total[member].to_string(), "{label}");
    }
    assert_eq!(figure(browser, "办结率").await, format!("{}%", total["close_rate"].as_str().unwrap()));
    // Each number opens the cases it counts.
    browser.click(".figures a[href*='state=void']").await;
    browser.says("h1", "案件").await;
    assert_eq!(browser.texts(".cases tbody td.text").await, ["空地，疑似测试"]);
}

async fn figure(browser: &Browser, label: &str) -> String {
    let labels = browser.texts(".figures dt").await;
    let place = labels.iter().position(|it| it == label).unwrap_or_else(|| panic!("{label} in {labels:?}"));
    browser.texts(".figures dt + dd").await[place].clone()
}

async fn leaves(browser: &Browser, case: &str) {
    let photo = {
        browser.open_path(&format!("/cases/{case}")).await;
        browser.photos_decoded().await;
        browser.attr(".photo img", "src").await
    };
    let cookie = browser.cookie("__Host-xunge").await;
    browser.click(".who form button").await;
    browser.says(".notice", "您已退出登录").await;
    for path in ["/", "/review", "/cases", "/phones", &format!("/cases/{case}"), &photo] {
        browser.open_path(path).await;
        browser.says("h1", "登录").await;
    }
    browser.back_to("h1", "登录").await;
    // Whoever kept the cookie has nothing either.
    let stranger = Api::new(&browser.site);
    let headers = [("cookie", format!("__Host-xunge={cookie}"))];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    for path in ["/review", photo.as_str()] {
        let answer = stranger.send(Method::GET, path, &headers, bytes::Bytes::new()).await;
        assert_eq!(answer.status, 303, "{path}");
        assert!(answer.headers["location"].to_str().unwrap().starts_with("/login"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_overview_of_a_district_shows_what_the_interface_counts() {
    let office = Office::open();
    for number in 0..6 {
        let category = if number % 2 == 0 { "暴露垃圾" } else { "占道无照经营" };
        office.report(number, category, "按单位与类别统计", number % 3 == 0);
    }
    office.phone.drain(3);
    let leader = office.somebody("duty_leader");
    let (api, desk) = (office.api(&leader).await, office.api(&office.reviewer).await);
    let listed = desk.get_json("/v1/cases?state=reported").await;
    let first = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let void = json!({"verb": "void", "expected_version": 1, "reason": "duplicate"});
    assert_eq!(desk.event(&first, "k", &void).await.status, 201);

    let site = office.server.url.clone();
    story("the_overview_of_a_district", &site, Script::Off, |browser| async move {
        browser.log_in(&leader).await;
        browser.open_path("/").await;
        for (by, heading) in [("unit", "#units-h"), ("category", "#categories-h")] {
            let counted = api.get_json(&format!("/v1/counts?by={by}")).await;
            let shown = browser.table(&format!("section[aria-labelledby='{}'] table", &heading[1..])).await;
            let mut rows = counted["rows"].as_array().unwrap().clone();
            assert!(!rows.is_empty());
            let mut total = counted["total"].clone();
            total["name"] = json!("合计");
            rows.push(total);
            for row in &rows {
                let name = row["name"].as_str().unwrap();
                let line = shown.iter().find(|line| line[0].1 == name).unwrap_or_else(|| panic!("{name} in {shown:?}"));
                for (head, member) in [
                    ("上报", "reported"),
                    ("自发自处", "self_handled"),
                    ("平台流转", "forwarded"),
                    ("作废", "void"),
                    ("立案", "filed"),
                    ("待审", "pending"),
                ] {
                    let text = line.iter().find(|(it, _)| it == head).map(|(_, text)| text.as_str());
                    assert_eq!(text, Some(row[member].to_string().as_str()), "{by} {name} {head}");
                }
            }
        }
        // The days add up to the month.
        let days = api.get_json("/v1/counts?by=day").await;
        let today = days["rows"].as_array().unwrap().last().unwrap().clone();
        let shown: Vec<Vec<(String, String)>> = browser.table("section[aria-labelledby=days-h] .thirds table").await;
        let expected = ["self_handled", "forwarded", "reported"].map(|member| today[member].to_string());
        assert!(
            shown.iter().any(|line| line.iter().skip(1).map(|(_, text)| text).eq(expected.iter())),
            "{expected:?} in {shown:?}"
        );
    })
    .await;
}
