//! A report from the phone to the figures, over HTTP.

use axum::body::Body;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use xunge_client_core::model::{CaseId, DeviceId};
use xunge_client_core::wire::{self, Envelope, SyncUp, codec};

use crate::phone::{Phone, litter, post_sync};
use crate::site::{Answer, Site, request};

/// A site with one forwarded report of `insp-1`, waiting for review.
async fn reported() -> (Site, CaseId) {
    let site = Site::new().await;
    let mut phone = Phone::join(&site, "insp-1", 1).await;
    let case = phone.report(1, &litter(b"a photo"));
    phone.sync(&site).await;
    (site, case)
}

async fn act(site: &Site, user: &str, case: CaseId, key: &str, body: &Value) -> Answer {
    let token = site.token(user).await;
    site.post_with(&format!("/v1/cases/{case}/events"), Some(&token), &[("idempotency-key", key)], body).await
}

fn file(version: u32) -> Value {
    json!({"verb": "file", "expected_version": version, "category": "xixia-2023:event:XX0201", "mode": "forwarded"})
}

#[tokio::test]
async fn a_report_is_listed_shown_and_counted() {
    let (site, case) = reported().await;
    let token = site.token("review-1").await;
    let list = site.get("/v1/cases?state=reported", Some(&token)).await.json();
    let item = &list["items"][0];
    assert_eq!((item["id"].as_str(), &list["next"]), (Some(case.to_string().as_str()), &Value::Null));
    for member in [
        "case_no",
        "state",
        "mode",
        "mode_claim",
        "category",
        "unit",
        "handler",
        "grid",
        "received_at",
        "due_at",
        "version",
        "photos",
        "flags",
    ] {
        assert!(item.get(member).is_some(), "{member}: {item}");
    }
    assert_eq!((item["unit"].as_str(), item["grid"].as_str()), (Some("U640199001"), Some("640199001001001")));
    assert_eq!(item["photos"], json!({"expected": 1, "present": 0}));

    let detail = site.get(&format!("/v1/cases/{case}"), Some(&token)).await.json();
    assert_eq!(detail["facts"]["description"], "路口有一堆暴露垃圾");
    let events = site.get(&format!("/v1/cases/{case}/events"), Some(&token)).await.json();
    assert_eq!(
        (events["items"][0]["verb"].as_str(), events["items"][0]["version"].as_u64()),
        (Some("submit"), Some(1))
    );
    assert_eq!(events["items"][0]["hash"].as_str().map(str::len), Some(64));

    let counts = site.get("/v1/counts?from=2023-11-01&to=2023-11-30&by=unit", Some(&token)).await.json();
    assert_eq!((&counts["total"]["reported"], &counts["total"]["pending"]), (&json!(1), &json!(1)));
    assert_eq!((&counts["rows"][0]["key"], &counts["rows"][0]["reported"]), (&json!("U640199001"), &json!(1)));
    assert_eq!(site.get("/v1/counts?to=2023-11-05", Some(&token)).await.json()["total"]["close_rate"], Value::Null);
}

#[tokio::test]
async fn the_list_is_paged_without_gaps() {
    let site = Site::new().await;
    let mut phone = Phone::join(&site, "insp-1", 1).await;
    for number in 1..=7 {
        phone.report(number, &litter(&[number]));
    }
    phone.sync(&site).await;
    let token = site.token("review-1").await;
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = site.get(&format!("/v1/cases?limit=3{after}"), Some(&token)).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    let distinct: std::collections::BTreeSet<_> = seen.iter().collect();
    assert_eq!((seen.len(), distinct.len()), (7, 7));
}

#[tokio::test]
async fn an_act_answers_201_and_its_repeat_the_same_with_200() {
    let (site, case) = reported().await;
    let first = act(&site, "review-1", case, "k-1", &file(1)).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&first.body));
    let json = first.json();
    for member in ["verb", "version", "at", "actor", "from", "to", "hash"] {
        assert!(json["event"].get(member).is_some(), "{member}: {json}");
    }
    assert_eq!((json["event"]["to"].as_str(), json["case"]["version"].as_u64()), (Some("filed"), Some(2)));
    assert!(json["case"]["case_no"].is_string());
    let repeat = act(&site, "review-1", case, "k-1", &file(1)).await;
    assert_eq!((repeat.status, &repeat.body), (StatusCode::OK, &first.body));
    let token = site.token("review-1").await;
    let events = site.get(&format!("/v1/cases/{case}/events"), Some(&token)).await.json();
    assert_eq!(events["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_key_is_bound_to_user_case_and_body() {
    let (site, case) = reported().await;
    assert_eq!(act(&site, "review-1", case, "k-1", &file(1)).await.status, StatusCode::CREATED);
    let other_body = json!({"verb": "void", "expected_version": 2, "reason": "duplicate"});
    let mismatch = act(&site, "review-1", case, "k-1", &other_body).await;
    assert_eq!((mismatch.status.as_u16(), mismatch.code().as_str()), (422, "idempotency_mismatch"));
    let other_case = CaseId::from_bytes([9; 16]);
    assert_eq!(act(&site, "review-1", other_case, "k-1", &file(1)).await.code(), "idempotency_mismatch");
    let other_user = act(&site, "review-2", case, "k-1", &file(1)).await;
    assert_eq!((other_user.status, other_user.code().as_str()), (StatusCode::CONFLICT, "wrong_state"));
    let token = site.token("review-1").await;
    for headers in [&[][..], &[("idempotency-key", "")], &[("idempotency-key", "a b")]] {
        let answer = site.post_with(&format!("/v1/cases/{case}/events"), Some(&token), headers, &file(2)).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "idempotency_key_missing"));
    }
}

#[tokio::test]
async fn refusals_say_what_is_wrong_and_where_the_case_stands() {
    let (site, case) = reported().await;
    let send = async |user: &str, body: Value| {
        act(&site, user, case, &format!("k-{body}").replace([' ', '"'], ""), &body).await
    };
    for (user, body, status, code) in [
        ("review-1", json!({"verb": "void", "expected_version": 1}), 422, "reason_missing"),
        ("review-1", json!({"verb": "void", "expected_version": 1, "reason": "bored"}), 422, "invalid"),
        ("review-1", json!({"verb": "burn", "expected_version": 1}), 422, "unknown_verb"),
        ("review-1", json!({"verb": "file"}), 400, "malformed"),
        ("review-1", json!({"verb": "file", "expected_version": 1, "colour": "red"}), 400, "malformed"),
        ("review-1", file(7), 409, "stale_version"),
        ("review-1", json!({"verb": "close", "expected_version": 1}), 409, "wrong_state"),
        ("dispatch-1", file(1), 403, "wrong_role"),
        ("admin", file(1), 403, "wrong_role"),
        ("handle-1", file(1), 404, "not_found"),
        ("insp-1", file(1), 403, "wrong_role"),
    ] {
        let answer = send(user, body.clone()).await;
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{user} {body}: {told}");
        if status == 409 {
            assert_eq!(answer.json()["current"], json!({"state": "reported", "version": 1}));
        }
    }
    let token = site.token("review-1").await;
    let detail = site.get(&format!("/v1/cases/{case}"), Some(&token)).await.json();
    assert_eq!(detail["version"], 1, "none of them left a trace");
}

#[tokio::test]
async fn a_case_outside_the_scope_does_not_exist() {
    let (site, case) = reported().await;
    for path in ["", "/events", "/photos/0000000000000000000000000000000000000000000000000000000000000000"] {
        let hidden = site.get(&format!("/v1/cases/{case}{path}"), Some(&site.token("handle-1").await)).await;
        let absent = site
            .get(&format!("/v1/cases/{}{path}", CaseId::from_bytes([9; 16])), Some(&site.token("review-1").await))
            .await;
        assert_eq!((hidden.status, &hidden.body), (StatusCode::NOT_FOUND, &absent.body), "{path}");
    }
    assert_eq!(site.get("/v1/cases", Some(&site.token("handle-1").await)).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_photo_is_told_to_be_missing_until_it_is_here() {
    let (site, case) = reported().await;
    let hash = xunge_client_core::model::PhotoHash::of(b"a photo");
    let token = site.token("review-1").await;
    let missing = site.get(&format!("/v1/cases/{case}/photos/{hash}"), Some(&token)).await;
    assert_eq!((missing.status, missing.code().as_str()), (StatusCode::NOT_FOUND, "photo_not_here"));
    let size = site.get(&format!("/v1/cases/{case}/photos/{hash}?size=huge"), Some(&token)).await;
    assert_eq!((size.status, size.json()["field"].as_str()), (StatusCode::BAD_REQUEST, Some("size")));
}

#[tokio::test]
async fn sync_refuses_by_type_size_shape_version_and_proof() {
    let site = Site::new().await;
    let mut phone = Phone::join(&site, "insp-1", 1).await;
    let honest = phone.seal();
    let stranger = Envelope::seal(
        codec::pack(&SyncUp::default()),
        DeviceId::from_bytes([1; 16]),
        1,
        &ed25519_dalek::SigningKey::from_bytes(&[8; 32]),
    );
    let newer = Envelope { version: 2, ..stranger.clone() }.to_bytes();
    for (kind, body, status, code) in [
        ("application/json", honest.clone(), 415, "wrong_media_type"),
        (wire::MEDIA_TYPE, vec![0; 200_000], 413, "too_large"),
        (wire::MEDIA_TYPE, Vec::new(), 400, "malformed"),
        (wire::MEDIA_TYPE, honest[..honest.len() - 1].to_vec(), 400, "malformed"),
        (wire::MEDIA_TYPE, newer, 426, "version_unsupported"),
        (wire::MEDIA_TYPE, stranger.to_bytes(), 401, "unknown_device"),
    ] {
        let answer = post_sync(&site, kind, body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code));
    }
    assert_eq!(post_sync(&site, wire::MEDIA_TYPE, honest.clone()).await.status, StatusCode::OK);
    assert_eq!(post_sync(&site, wire::MEDIA_TYPE, honest).await.code(), "counter_replayed");
}

#[tokio::test]
async fn the_office_sees_the_phone_and_what_is_still_on_it() {
    let site = Site::new().await;
    let mut phone = Phone::join(&site, "insp-1", 1).await;
    phone.sync(&site).await;
    let list = site.get("/v1/phones", Some(&site.token("review-1").await)).await.json();
    let item = &list["items"][0];
    assert_eq!((item["id"].as_str(), item["user"].as_str()), (Some(phone.id.to_string().as_str()), Some("insp-1")));
    assert_eq!(item["waiting"], json!({"cases": 0, "photos": 0, "oldest_at": null}));
    assert!(item["last_seen_at"].is_i64());
    // It has had the phone for a year, and now says that something waits since two hours ago.
    site.backdate_phones(365 * 86_400_000).await;
    phone.waits(3, 1, 2 * 3_600_000);
    phone.sync(&site).await;
    let list = site.get("/v1/phones", Some(&site.token("review-1").await)).await.json();
    let item = &list["items"][0];
    let oldest = item["last_seen_at"].as_i64().unwrap() - 2 * 3_600_000;
    assert_eq!(item["waiting"], json!({"cases": 3, "photos": 1, "oldest_at": oldest}));
    site.revoke(phone.id).await;
    let refused = phone.try_sync(&site).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "device_revoked"));
}

#[tokio::test]
async fn a_head_request_is_answered_like_its_get_without_a_body() {
    let (site, _) = reported().await;
    let token = site.token("review-1").await;
    let head = request(Method::HEAD, "/v1/cases", Some(&token), &[]);
    let answer = site.send(head.body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::OK, 0));
}

#[tokio::test]
async fn lists_are_narrowed_by_words_reporter_and_deadline_and_say_what_they_do_not_know() {
    let (site, case) = reported().await;
    let token = site.token("review-1").await;
    let found = async |query: &str| {
        let answer = site.get(&format!("/v1/cases?{query}"), Some(&token)).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.json());
        answer.json()["items"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap().to_owned()).collect()
    };
    let own: Vec<String> = vec![case.to_string()];
    for (query, expected) in [
        ("q=%E5%9E%83%E5%9C%BE", &own),
        ("q=%E8%B7%AF%E5%8F%A3%20%E6%9A%B4%E9%9C%B2&order=oldest", &own),
        ("q=%E4%BA%95%E7%9B%96", &vec![]),
        ("reporter=insp-1", &own),
        ("reporter=insp-2", &vec![]),
        ("grid=640199001001", &own),
        ("grid=640199001", &own),
        ("without=unit", &vec![]),
        ("order=deadline", &vec![]),
        ("due=overdue", &vec![]),
    ] {
        let found: Vec<String> = found(query).await;
        assert_eq!(&found, expected, "{query}");
    }
    for query in ["due=late", "order=random", "without=name", "sort=due"] {
        let refused = site.get(&format!("/v1/cases?{query}"), Some(&token)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{query}");
    }
}
