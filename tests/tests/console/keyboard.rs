//! The review queue without a mouse: twenty cases by keys alone, keys that can be switched off, and a colleague who
//! was faster.

use serde_json::{Value, json};
use xunge_tests::browser::{Browser, Script, story};

use super::Office;

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// What a reviewer does to a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Approve,
    File,
    Void(u8),
    SendBack,
}

impl Deed {
    /// The state it leads to.
    fn state(self) -> &'static str {
        match self {
            Self::Approve => "closed",
            Self::File => "filed",
            Self::Void(_) => "void",
            Self::SendBack => "reported",
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_cases_are_reviewed_by_keyboard_alone() {
    let office = Office::open();
    let deeds: Vec<Deed> = (0..20)
        .map(|n| match n % 5 {
            0 | 2 => Deed::Approve,
            1 => Deed::File,
            3 => Deed::Void(1 + n / 5),
            _ => Deed::SendBack,
        })
        .collect();
    let cases: Vec<String> = deeds
        .iter()
        .zip(0..)
        .map(|(deed, n)| office.report(n, "暴露垃圾", &format!("第 {n} 处"), *deed == Deed::Approve))
        .collect();
    office.phone.drain(6);
    let (site, reviewer) = (office.server.url.clone(), office.reviewer.clone());
    let plan = deeds.clone();
    story("twenty_cases_by_keyboard", &site, Script::On, |browser| async move {
        logs_in(&browser, &reviewer).await;
        for (number, deed) in plan.into_iter().enumerate() {
            browser.says(".decide .words", &format!("第 {number} 处")).await;
            browser.see("html[data-keys-ready]").await;
            carry_out(&browser, deed).await;
            // Waits for the next page: what was done is said on it.
            browser.says(".own-day", &format!("今天已办 {} 件", number + 1)).await;
        }
        browser.says(".empty", "没有待审核的案件").await;
        let day = browser.text(".own-day").await;
        for part in ["自处审核通过 8", "立案 4", "作废 4", "退回补充 4"] {
            assert!(day.contains(part), "{part} in {day}");
        }
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    })
    .await;
    for (case, deed) in cases.iter().zip(&deeds) {
        let found = office.settled(case, deed.state()).await;
        assert_eq!(found["version"], 2, "{deed:?} once");
    }
}

/// The log-in form has the focus when it opens.
async fn logs_in(browser: &Browser, reviewer: &Value) {
    browser.open_path("/review").await;
    browser.see("#user:focus").await;
    browser.keys(reviewer["user"].as_str().unwrap()).await;
    browser.keys(TAB).await;
    browser.keys(reviewer["password"].as_str().unwrap()).await;
    browser.keys(ENTER).await;
    browser.says("h1", "待审核").await;
}

async fn carry_out(browser: &Browser, deed: Deed) {
    match deed {
        Deed::Approve => {
            // One key decides on a pair, and only on one that is on the screen.
            assert_eq!(browser.photos_decoded().await, 2);
            browser.keys("t").await;
        }
        Deed::File => {
            browser.keys("l").await;
            browser.see("details[open] button:focus").await;
            browser.keys(ENTER).await;
        }
        Deed::Void(reason) => {
            browser.keys("z").await;
            browser.see("details[open] input[type=radio]:focus").await;
            browser.keys(&reason.to_string()).await;
            browser.see("details[open] button:focus").await;
            browser.keys(ENTER).await;
        }
        Deed::SendBack => {
            browser.keys("b").await;
            browser.see("details[open] textarea:focus").await;
            // Letters that are keys elsewhere are words here.
            browser.keys("tlzbx 请补拍全景").await;
            browser.keys_with_control(ENTER).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_void_for_another_reason_asks_for_words_and_escape_changes_nothing() {
    let office = Office::open();
    let case = office.report(1, "暴露垃圾", "空地", false);
    office.report(2, "暴露垃圾", "第二件", false);
    office.phone.drain(3);
    let (site, reviewer) = (office.server.url.clone(), office.reviewer.clone());
    story("escape_changes_nothing", &site, Script::On, |browser| async move {
        browser.log_in(&reviewer).await;
        browser.open_path("/review").await;
        browser.see("html[data-keys-ready]").await;
        browser.keys("z").await;
        browser.see("details[open] input[type=radio]:focus").await;
        browser.keys(ESCAPE).await;
        browser.until("folded", || async { Ok((!browser.has("details[open]").await).then_some(())) }).await;
        browser.keys("x").await;
        browser.says(".decide .words", "第二件").await;
        browser.open_path("/review").await;
        browser.see("html[data-keys-ready]").await;
        browser.keys("z7").await;
        browser.see("details[open] textarea:focus").await;
        browser.keys("网格员误触").await;
        browser.keys_with_control(ENTER).await;
        browser.says(".held", "已作废 暴露垃圾").await;
        // Keys can be switched off, and stay so.
        browser.click("[data-keys-switch]").await;
        browser.says("[data-keys-switch]", "打开单键快捷键").await;
        browser.open_path("/review").await;
        browser.see("html[data-keys-ready]").await;
        browser.keys("z").await;
        browser.keys("l").await;
        assert!(!browser.has("details[open]").await, "a key acted though keys are off");
        browser.click("[data-keys-switch]").await;
        browser.says("[data-keys-switch]", "关闭单键快捷键").await;
        browser.keys("l").await;
        browser.see("details[open]").await;
    })
    .await;
    assert_eq!(office.settled(&case, "void").await["version"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pair_of_photos_fills_the_window_on_a_key() {
    let office = Office::open();
    office.report(1, "暴露垃圾", "看清楚再定", true);
    office.phone.drain(3);
    let (site, reviewer) = (office.server.url.clone(), office.reviewer.clone());
    story("photos_fill_the_window", &site, Script::On, |browser| async move {
        browser.log_in(&reviewer).await;
        browser.open_path("/review").await;
        browser.see("html[data-keys-ready]").await;
        let height = async || browser.look("return document.querySelector('.pair img').clientHeight").await.as_i64();
        let (before, window) = (height().await, browser.look("return window.innerHeight").await.as_i64());
        browser.keys("p").await;
        browser.see(".pair.large").await;
        assert_eq!(browser.photos_decoded().await, 2, "the larger copies are drawn");
        assert!(height().await > before && height().await > window.map(|it| it * 8 / 10), "{before:?} in {window:?}");
        assert_eq!(browser.picture("review-photos").await, Vec::<String>::new());
        browser.keys(ESCAPE).await;
        browser.until("small again", || async { Ok((!browser.has(".pair.large").await).then_some(())) }).await;
        assert!(!browser.has(".notice").await, "looking decides nothing");
        browser.keys("p").await;
        browser.see(".pair.large").await;
        browser.photos_decoded().await;
        browser.keys("t").await;
        browser.says(".notice.good", "自处审核通过").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_colleague_who_was_faster_is_shown_before_anything_is_decided() {
    let office = Office::open();
    let case = office.report(1, "暴露垃圾", "两人同时在看", false);
    office.report(2, "暴露垃圾", "下一件", false);
    office.phone.drain(3);
    let desk = office.api(&office.reviewer).await;
    let (site, reviewer) = (office.server.url.clone(), office.reviewer.clone());
    story("a_colleague_was_faster", &site, Script::On, |browser| async move {
        browser.log_in(&reviewer).await;
        browser.open_path("/review").await;
        browser.see("html[data-keys-ready]").await;
        browser.keys("z").await;
        browser.see("details[open]").await;
        let void = json!({"verb": "void", "expected_version": 1, "reason": "test"});
        assert_eq!(desk.event(&case, "k", &void).await.status, 201);
        // Without anybody doing anything: the server says that something moved.
        browser.says(".decide [role=alert]", "已由他人办理").await;
        browser.says(".decide [data-lines]", "作废").await;
        assert!(!browser.see(".acts").await.is_displayed().await.unwrap(), "nothing is left to decide");
        browser.keys(ESCAPE).await;
        browser.keys("t").await;
        browser.keys("x").await;
        browser.says(".decide .words", "下一件").await;

        // Whoever sends a form all the same is told so, and goes on with Enter.
        browser.open_path("/review").await;
        browser.see("html[data-keys-ready]").await;
        browser.keys("l").await;
        browser.see("details[open] button:focus").await;
        // A window that hears nothing any more.
        browser.look("window.dispatchEvent(new Event('pagehide'))").await;
        let second = browser.attr(".decide .line a", "href").await;
        let file = json!({"verb": "file", "expected_version": 1});
        assert_eq!(desk.event(second.rsplit('/').next().unwrap(), "k2", &file).await.status, 201);
        browser.keys(ENTER).await;
        browser.says("h1", "已由他人办理").await;
        browser.says(".decided", "立案").await;
        browser.see("a.main:focus").await;
        browser.keys(ENTER).await;
        browser.says(".empty", "没有待审核的案件").await;
    })
    .await;
}
