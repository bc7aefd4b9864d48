//! Logging in, and the language one reads.

use axum::http::{StatusCode, header};

use super::html::Html;
use super::office::{Answer, Browser, Office, PASSWORD, REVIEWER, with};

/// What a browser keeps of an answer.
fn keep(browser: &mut Browser, answer: &Answer) {
    for cookie in answer.headers.get_all(header::SET_COOKIE) {
        let cookie = cookie.to_str().unwrap();
        for promise in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
            assert!(cookie.contains(promise), "{cookie}");
        }
        let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
        assert!(name.starts_with("__Host-"), "{cookie}");
        browser.cookies.retain(|(known, _)| known != name);
        if !cookie.contains("Max-Age=0") {
            browser.cookies.push((name.to_owned(), value.to_owned()));
        }
    }
}

async fn form(office: &Office, browser: &mut Browser, path: &str) -> Vec<(String, String)> {
    let answer = office.get(browser, path).await;
    keep(browser, &answer);
    answer.page(path).form("/login")
}

#[tokio::test]
async fn the_right_password_opens_the_page_one_wanted() {
    let office = Office::new().await;
    let mut browser = Browser { language: "zh-CN", ..Browser::default() };
    let form = form(&office, &mut browser, "/login?back=%2Fcases%3Fstate%3Dvoid").await;
    let filled = with(form, &[("user", REVIEWER), ("password", PASSWORD)]);
    let answer = office.post(&browser, "/login", &filled).await;
    assert_eq!(answer.location(), "/cases?state=void");
    keep(&mut browser, &answer);
    let page = office.page(&browser, "/cases?state=void").await;
    assert!(page.text_of("a").contains("镇街审核员"));
    let rows = office.district.rows("SELECT action FROM audit").await;
    assert_eq!(rows[0].text(0), Ok("login.done"));
}

#[tokio::test]
async fn a_wrong_password_says_no_more_than_that_and_keeps_the_name() {
    let office = Office::new().await;
    let mut browser = Browser { language: "zh-CN", ..Browser::default() };
    let form = form(&office, &mut browser, "/login").await;
    let mut said = Vec::new();
    for user in [REVIEWER, "nobody"] {
        let filled = with(form.clone(), &[("user", user), ("password", "wrong")]);
        let answer = office.post(&browser, "/login", &filled).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        let page = answer.page("wrong password");
        let kept = page.all("input").find(|it| it.attr("name") == "user").unwrap();
        assert_eq!(kept.attr("value"), user);
        assert!(!page.source.contains("value=\"wrong\""), "a password is never sent back");
        said.push(alert(&page));
    }
    assert_eq!(said[0], said[1]);
    for (user, password) in [("", PASSWORD), (REVIEWER, "")] {
        let filled = with(form.clone(), &[("user", user), ("password", password)]);
        assert_eq!(office.post(&browser, "/login", &filled).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    for _ in 0..5 {
        office.post(&browser, "/login", &with(form.clone(), &[("user", REVIEWER), ("password", "wrong")])).await;
    }
    let answer = office.post(&browser, "/login", &with(form, &[("user", REVIEWER), ("password", PASSWORD)])).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS, "locked, even with the right one");
    assert!(alert(&answer.page("locked")).contains("秒"));
}

fn alert(page: &Html) -> String {
    page.elements.iter().find(|it| it.attr("role") == "alert").expect("something is said").text.clone()
}

#[tokio::test]
async fn nobody_is_logged_in_by_another_sites_form() {
    let office = Office::new().await;
    let mut browser = Browser::default();
    let form = with(form(&office, &mut browser, "/login").await, &[("user", REVIEWER), ("password", PASSWORD)]);
    let foreign = with(form.clone(), &[("token", &"A".repeat(43))]);
    assert_eq!(office.post(&browser, "/login", &foreign).await.status, StatusCode::FORBIDDEN);
    let without = Browser { cookies: vec![], ..browser.clone() };
    let answer = office.post(&without, "/login", &form).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.text().contains("Cookie"), "a browser that keeps no cookie is told so");
    assert_eq!(office.district.rows("SELECT 1 FROM web_session").await.len(), 0);
}

#[tokio::test]
async fn the_way_back_never_leaves_the_site() {
    let office = Office::new().await;
    for back in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "%2F%5Cevil.example", "%2Fx%0d%0aSet-Cookie:a"] {
        let mut browser = Browser::default();
        let form = form(&office, &mut browser, &format!("/login?back={back}")).await;
        let form = with(form, &[("user", REVIEWER), ("password", PASSWORD)]);
        assert_eq!(office.post(&browser, "/login", &form).await.location(), "/", "{back}");
        let switch = office.get(&browser, &format!("/console/language/en?back={back}")).await;
        assert_eq!(switch.location(), "/", "{back}");
    }
}

#[tokio::test]
async fn the_language_follows_the_browser_until_somebody_chooses() {
    let office = Office::new().await;
    let mut browser = Browser { language: "en-GB,en;q=0.8", ..office.browser(REVIEWER).await };
    let page = office.page(&browser, "/cases?mode=forwarded").await;
    assert_eq!(page.all("html").next().unwrap().attr("lang"), "en");
    let switch = page.all("a").find(|it| it.attr("hreflang") == "zh-CN").unwrap().attr("href").to_owned();
    let answer = office.get(&browser, &switch).await;
    assert_eq!(answer.location(), "/cases?mode=forwarded", "back to where it was pressed");
    keep(&mut browser, &answer);
    let page = office.page(&browser, "/cases?mode=forwarded").await;
    assert_eq!(page.all("html").next().unwrap().attr("lang"), "zh-CN");
}
