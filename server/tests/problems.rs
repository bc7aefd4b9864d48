//! What refusals look like, whatever the route.

use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::json;
use xunge_client_core::wire;

use crate::phone::{Phone, post_sync};
use crate::site::{Answer, Site, request};

async fn plain(site: &Site, method: Method, path: &str) -> Answer {
    site.send(request(method, path, None, &[]).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn every_refusal_is_a_problem_with_a_code_and_words() {
    let site = Site::new().await;
    let token = site.token("review-1").await;
    let answers = [
        (plain(&site, Method::GET, "/v1/nothing").await, 404, "no_such_route"),
        (plain(&site, Method::DELETE, "/v1/me").await, 405, "method_not_allowed"),
        (plain(&site, Method::GET, "/v1/me").await, 401, "not_signed_in"),
        (site.get("/v1/me?colour=red", Some(&token)).await, 400, "unknown_parameter"),
        (site.get("/v1/counts?from=2023-02-30", Some(&token)).await, 400, "bad_parameter"),
        (site.get("/v1/cases/none", Some(&token)).await, 404, "not_found"),
        (site.get("/v1/phones", Some(&site.token("insp-1").await)).await, 403, "wrong_role"),
        (site.post("/v1/auth/token", None, &json!({"grant": "x".repeat(9_000)})).await, 413, "too_large"),
    ];
    for (answer, status, code) in answers {
        let json = answer.json();
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code));
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{code}");
        assert_eq!(
            (json["status"].as_u64(), json["type"].as_str()),
            (Some(status.into()), Some(&*format!("/problems/{code}")))
        );
        assert!(json["title"].is_string() && json["detail"].is_string());
        assert_eq!(answer.headers["content-language"], "zh-CN");
    }
}

#[tokio::test]
async fn english_is_told_to_those_who_ask_for_it() {
    let site = Site::new().await;
    let ask = request(Method::GET, "/v1/nothing", None, &[("accept-language", "en-GB,en;q=0.9,zh;q=0.1")]);
    let answer = site.send(ask.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.json()["title"], "No such route");
    assert_eq!(answer.headers.get_all("content-language").iter().count(), 1);
    assert_eq!(answer.headers["content-language"], "en");
}

#[tokio::test]
async fn an_unknown_query_parameter_is_named_on_every_route() {
    let site = Site::new().await;
    let token = site.token("admin").await;
    for path in [
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/v1/me",
        "/v1/cases",
        "/v1/counts",
        "/v1/phones",
        "/v1/reference/bundle",
        "/v1/reference/units",
        "/v1/cases/x",
        "/v1/cases/x/events",
        "/v1/cases/x/photos/y",
    ] {
        let answer = site.get(&format!("{path}?form=2023-11-30"), Some(&token)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "unknown_parameter"), "{path}");
        assert_eq!(answer.json()["field"], "form", "{path}");
    }
    let posts = [
        ("/v1/auth/token", json!({"grant": "password", "user": "admin", "password": "x"})),
        ("/v1/auth/enrol", json!({"code": "x", "public_key": "00", "name": "x"})),
        ("/v1/photos", json!({})),
    ];
    for (path, body) in posts {
        let headers = [("tus-resumable", "1.0.0"), ("upload-length", "3")];
        let answer = site.post_with(&format!("{path}?form=1"), Some(&token), &headers, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "unknown_parameter"), "{path}");
    }
}

#[tokio::test]
async fn an_address_that_is_no_text_names_nothing() {
    let site = Site::new().await;
    let token = site.token("admin").await;
    for path in ["/v1/cases/%FF", "/v1/cases/%FF/events", "/v1/cases/x/photos/%FF", "/v1/reference/%FF"] {
        let answer = site.get(path, Some(&token)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::NOT_FOUND, "not_found"), "{path}");
    }
}

#[tokio::test]
async fn a_search_of_a_thousand_words_is_refused_and_not_tried() {
    let site = Site::new().await;
    let token = site.token("admin").await;
    for q in ["a%20".repeat(17), "a".repeat(101)] {
        let answer = site.get(&format!("/v1/cases?q={q}"), Some(&token)).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "bad_parameter"), "{q}");
        assert_eq!(answer.json()["field"], "q");
    }
}

#[tokio::test]
async fn bad_parameters_are_named() {
    let site = Site::new().await;
    let token = site.token("leader-1").await;
    for (query, field) in [
        ("/v1/counts?scope=64", "scope"),
        ("/v1/counts?by=colour", "by"),
        ("/v1/counts?from=2023-11-02&to=2023-11-01", "to"),
        ("/v1/counts?from=yesterday", "from"),
        ("/v1/counts?from=2023-11-01&from=2023-11-02", "from"),
        ("/v1/cases?limit=0", "limit"),
        ("/v1/cases?limit=201", "limit"),
        ("/v1/cases?state=lost", "state"),
        ("/v1/cases?mode=both", "mode"),
        ("/v1/cases?category=litter", "category"),
        ("/v1/cases?after=here", "after"),
        ("/v1/cases?grid=x", "grid"),
    ] {
        let answer = site.get(query, Some(&token)).await;
        assert_eq!((answer.status, answer.json()["field"].as_str()), (StatusCode::BAD_REQUEST, Some(field)), "{query}");
    }
}

#[tokio::test]
async fn a_body_has_to_be_json_and_small() {
    let site = Site::new().await;
    let send = async |kind: &str, body: Body| {
        let request = request(Method::POST, "/v1/auth/token", None, &[("content-type", kind)]);
        site.send(request.body(body).unwrap()).await
    };
    assert_eq!(send("text/plain", Body::from("{}")).await.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(send("application/json; charset=utf-8", Body::from("{")).await.status, StatusCode::BAD_REQUEST);
    let chunks = futures::stream::iter((0..100).map(|_| Ok::<_, std::io::Error>("x".repeat(1_000))));
    assert_eq!(send("application/json", Body::from_stream(chunks)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let nested = "[".repeat(3_000);
    assert_eq!(send("application/json", Body::from(nested)).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn answers_keep_browsers_from_doing_anything_with_them() {
    let site = Site::new().await;
    for path in ["/healthz", "/v1/nothing", "/openapi.json"] {
        let headers = plain(&site, Method::GET, path).await.headers;
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        assert_eq!(headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert_eq!(headers["cache-control"], "no-store", "{path}");
        assert!(!headers.contains_key("access-control-allow-origin"), "{path}");
    }
    let preflight = request(Method::OPTIONS, "/v1/me", None, &[("origin", "https://evil.example")]);
    let answer = site.send(preflight.body(Body::empty()).unwrap()).await;
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
}

#[tokio::test]
async fn what_only_phones_read_carries_no_headers_for_browsers_and_a_refusal_does() {
    let site = Site::new().await;
    let mut phone = Phone::join(&site, "insp-1", 1).await;
    let body = phone.seal();
    let idle = post_sync(&site, wire::MEDIA_TYPE, body.clone()).await;
    let mut names: Vec<&str> = idle.headers.keys().map(|name| name.as_str()).collect();
    names.sort_unstable();
    // The listener adds `date`.
    assert_eq!(names, ["content-length", "content-type"]);
    assert!(body.len() + idle.body.len() < 260, "{} B up, {} B down", body.len(), idle.body.len());
    let again = post_sync(&site, wire::MEDIA_TYPE, body).await;
    assert_eq!((again.status, again.code().as_str()), (StatusCode::UNAUTHORIZED, "counter_replayed"));
    assert_eq!(again.headers["x-content-type-options"], "nosniff");
    assert!(again.headers.contains_key("content-security-policy"));
}
