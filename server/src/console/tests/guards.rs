//! Who gets in, and from where.

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use xunge_client_core::model::Mode;

use super::office::{Browser, HOST, INSPECTOR, Office, REVIEWER, STRANGER, with};
use crate::console::headers::POLICY;

const PAGES: [&str; 7] = [
    "/",
    "/register",
    "/review",
    "/cases",
    "/cases/01HF0000000000000000000000",
    "/phones",
    "/console/cases/01HF0000000000000000000000/photos/00",
];

#[tokio::test]
async fn whoever_is_not_logged_in_is_sent_to_do_so_and_back() {
    let office = Office::new().await;
    let nobody = Browser::default();
    for path in PAGES {
        let answer = office.get(&nobody, path).await;
        let expected = if path == "/" {
            "/login".to_owned()
        } else {
            format!("/login?back={}", crate::console::link::encode(path))
        };
        assert_eq!(answer.location(), expected);
    }
    let made_up = Browser { cookies: vec![("__Host-xunge".into(), "A".repeat(43))], ..Browser::default() };
    assert!(office.get(&made_up, "/cases").await.location().starts_with("/login"));
    let act = office.post(&nobody, "/cases/01HF0000000000000000000000/act", &[]).await;
    assert_eq!(act.location(), "/login", "a lost form is not sent again by itself");
}

#[tokio::test]
async fn a_session_ends_by_age_by_idleness_and_when_the_account_is_closed() {
    let office = Office::new().await;
    for sql in [
        "UPDATE web_session SET expires_at = 1",
        "UPDATE web_session SET seen_at = 1",
        "UPDATE user_account SET disabled_at = 1 WHERE id = 'review-ninghua-1'",
    ] {
        let browser = office.browser(REVIEWER).await;
        assert_eq!(office.get(&browser, "/cases").await.status, StatusCode::OK);
        office.district.run(sql, vec![]).await;
        let answer = office.get(&browser, "/cases").await;
        assert!(answer.location().starts_with("/login"), "{sql}");
        let said = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(said.starts_with("__Host-xunge-said=expired;"), "the log-in page says why: {said}");
    }
}

#[tokio::test]
async fn use_keeps_a_session_alive_without_a_write_on_every_click() {
    let office = Office::new().await;
    let browser = office.browser(REVIEWER).await;
    let now = office.app.services.security.now();
    let seen = async || office.district.rows("SELECT seen_at FROM web_session").await[0].int(0).unwrap();
    let begun = seen().await;
    office.page(&browser, "/cases").await;
    assert_eq!(seen().await, begun, "not within the first minute");
    office.district.run("UPDATE web_session SET seen_at = ?1", vec![now.plus_ms(-3_600_000).0.into()]).await;
    office.page(&browser, "/cases").await;
    assert!(seen().await >= now.0);
}

#[tokio::test]
async fn logging_out_ends_the_session_for_good() {
    let office = Office::new().await;
    let browser = office.browser(REVIEWER).await;
    let form = office.page(&browser, "/cases").await.form("/logout");
    let answer = office.post(&browser, "/logout", &form).await;
    assert_eq!(answer.location(), "/login");
    let cookies: Vec<_> = answer.headers.get_all(header::SET_COOKIE).iter().map(|it| it.to_str().unwrap()).collect();
    assert!(cookies.iter().any(|it| it.starts_with("__Host-xunge=;") && it.contains("Max-Age=0")), "{cookies:?}");
    assert_eq!(answer.headers["clear-site-data"], "\"cache\"");
    assert!(office.get(&browser, "/cases").await.location().starts_with("/login"), "the old cookie is worth nothing");
}

#[tokio::test]
async fn a_form_is_taken_only_from_a_page_of_this_very_session() {
    let office = Office::new().await;
    let case = office.simple(INSPECTOR, 1, Mode::SelfHandled).await;
    let browser = office.browser(REVIEWER).await;
    let other = office.browser("review-ninghua-2").await;
    let path = format!("/cases/{case}/act");
    let form = office.page(&browser, "/review").await.form("void");
    let form = with(form, &[("reason", "test")]);
    let own = format!("http://{HOST}");
    let encode = |fields: &[(String, String)]| {
        let pairs = fields.iter().map(|(name, value)| format!("{name}={}", crate::console::link::encode(value)));
        pairs.collect::<Vec<_>>().join("&")
    };
    let no_token: Vec<_> = form.iter().filter(|(name, _)| name != "token").cloned().collect();
    let foreign = with(form.clone(), &[("token", &other.csrf)]);
    let empty = with(form.clone(), &[("token", "")]);
    for (what, fields, headers) in [
        ("no token", &no_token, vec![("origin", own.as_str())]),
        ("another session's token", &foreign, vec![("origin", &own)]),
        ("an empty token", &empty, vec![("origin", &own)]),
        ("no origin", &form, vec![]),
        ("another origin", &form, vec![("origin", "http://evil.example")]),
        ("another port", &form, vec![("origin", "http://127.0.0.1:9")]),
        ("a null origin", &form, vec![("origin", "null")]),
        ("a cross-site fetch", &form, vec![("origin", &own), ("sec-fetch-site", "cross-site")]),
        ("a neighbour's fetch", &form, vec![("origin", &own), ("sec-fetch-site", "same-site")]),
        ("an address typed by hand", &form, vec![("sec-fetch-site", "none")]),
    ] {
        for path in [path.as_str(), "/logout"] {
            let mut request = Office::request(&browser, Method::POST, path)
                .header("content-type", "application/x-www-form-urlencoded");
            for (name, value) in &headers {
                request = request.header(*name, *value);
            }
            let answer = office.send(request.body(Body::from(encode(fields))).unwrap()).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{what} {path}");
            answer.page(what);
        }
    }
    assert_eq!(office.district.version(case).await, 1, "nothing was done");
    assert_eq!(office.post(&browser, &path, &form).await.status, StatusCode::SEE_OTHER, "and the real one works");
}

#[tokio::test]
async fn what_lies_outside_ones_scope_is_not_there() {
    let office = Office::new().await;
    let case = office.simple(INSPECTOR, 1, Mode::SelfHandled).await;
    let hash = office.photo(case, 1, "before").await;
    let (own, stranger) = (office.browser(REVIEWER).await, office.browser(STRANGER).await);
    let photo = format!("/console/cases/{case}/photos/{hash}");
    for path in [format!("/cases/{case}"), photo.clone()] {
        assert_eq!(office.get(&own, &path).await.status, StatusCode::OK);
        let answer = office.get(&stranger, &path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        answer.page(&path);
    }
    let form = with(office.page(&own, "/review").await.form("void"), &[("reason", "test"), ("token", &stranger.csrf)]);
    let act = office.post(&stranger, &format!("/cases/{case}/act"), &form).await;
    assert_eq!(act.status, StatusCode::NOT_FOUND);
    assert_eq!(office.district.version(case).await, 1);
    assert_eq!(office.page(&stranger, "/cases").await.all("time").count(), 0);
    assert!(office.page(&stranger, "/review").await.text_of("strong").contains("没有待审核"));
    assert_eq!(office.get(&stranger, "/?unit=U640105005").await.status, StatusCode::NOT_FOUND, "another town's month");
    let phones = office.get(&office.browser("dispatch-1").await, "/phones").await;
    assert_eq!(phones.status, StatusCode::FORBIDDEN, "a dispatcher answers for no phone");
}

#[tokio::test]
async fn photos_come_in_both_sizes_and_only_those_of_the_case() {
    let office = Office::new().await;
    let (case, other) =
        (office.simple(INSPECTOR, 1, Mode::SelfHandled).await, office.simple(INSPECTOR, 2, Mode::Forwarded).await);
    let hash = office.photo(case, 1, "before").await;
    let browser = office.browser(REVIEWER).await;
    let path = format!("/console/cases/{case}/photos/{hash}");
    let (thumb, full) = (office.get(&browser, &path).await, office.get(&browser, &format!("{path}?size=full")).await);
    for answer in [&thumb, &full] {
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "image/jpeg");
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(answer.headers[header::CACHE_CONTROL].to_str().unwrap().starts_with("private"));
        assert!(answer.body.starts_with(&[0xff, 0xd8]));
    }
    assert!(thumb.body.len() < full.body.len());
    for lost in [
        format!("/console/cases/{other}/photos/{hash}"),
        format!("/console/cases/{case}/photos/{}", "0".repeat(64)),
        format!("/console/cases/{case}/photos/..%2f..%2fkeys"),
        format!("/console/cases/nonsense/photos/{hash}"),
    ] {
        assert_eq!(office.get(&browser, &lost).await.status, StatusCode::NOT_FOUND, "{lost}");
    }
}

#[tokio::test]
async fn every_answer_tells_the_browser_what_to_refuse() {
    let office = Office::new().await;
    let browser = office.browser(REVIEWER).await;
    for path in ["/", "/login", "/cases", "/cases/none", "/review", "/console/language/en"] {
        let answer = office.get(&browser, path).await;
        assert_eq!(answer.headers[header::CONTENT_SECURITY_POLICY], POLICY, "{path}");
        assert_eq!(answer.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store", "{path}");
        assert_eq!(answer.headers[header::REFERRER_POLICY], "same-origin", "{path}");
    }
    assert!(!POLICY.contains("unsafe"));
    let style = crate::console::statics::style_href();
    let answer = office.get(&Browser::default(), style).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    assert!(!answer.text().contains("http"), "nothing comes from elsewhere");
    assert_eq!(office.get(&Browser::default(), "/console/static/..%2fmod.rs").await.status, StatusCode::NOT_FOUND);
}
