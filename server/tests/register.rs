//! Cases registered at a desk, over HTTP.

use http::StatusCode;
use serde_json::{Value, json};

use crate::phone::Phone;
use crate::site::{Answer, Site};

fn order() -> Value {
    json!({
        "facts": {
            "category_claim": "xixia-2023:event:XX0201",
            "description": "市民反映路口有垃圾",
            "location_text": "第一网格路口",
            "lon": 106.105, "lat": 38.485
        },
        "source": "hotline_12345",
        "external": {"system": "12345", "number": "YC-1"}
    })
}

/// The order with one member of its facts changed; null leaves it out.
fn with(member: &str, value: Value) -> Value {
    let mut order = order();
    let facts = order["facts"].as_object_mut().unwrap();
    match value {
        Value::Null => drop(facts.remove(member)),
        value => drop(facts.insert(member.to_owned(), value)),
    }
    order
}

async fn post(site: &Site, user: &str, key: &str, body: &Value) -> Answer {
    site.post_with("/v1/cases", Some(&site.token(user).await), &[("idempotency-key", key)], body).await
}

#[tokio::test]
async fn a_call_is_registered_once_shown_to_the_office_and_counted() {
    let site = Site::new().await;
    let first = post(&site, "hotline-1", "k-1", &order()).await;
    assert_eq!(first.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&first.body));
    let json = first.json();
    assert_eq!((&json["event"]["verb"], &json["event"]["version"]), (&json!("submit"), &json!(1)));
    let case = json["case"]["id"].as_str().unwrap().to_owned();
    assert_eq!((&json["case"]["mode_claim"], &json["case"]["grid"]), (&json!("forwarded"), &json!("640199001001001")));
    let repeat = post(&site, "hotline-1", "k-1", &order()).await;
    assert_eq!((repeat.status, &repeat.body), (StatusCode::OK, &first.body));
    assert_eq!(post(&site, "hotline-1", "k-1", &with("lon", json!(106.106))).await.code(), "idempotency_mismatch");
    let typed_again = post(&site, "hotline-1", "k-2", &order()).await;
    assert_eq!((typed_again.status.as_u16(), typed_again.code().as_str()), (422, "already_registered"));
    assert!(typed_again.json()["detail"].as_str().unwrap().contains(&case));

    let token = site.token("review-1").await;
    let shown = site.get(&format!("/v1/cases/{case}"), Some(&token)).await.json();
    assert_eq!((&shown["facts"]["lon"], &shown["facts"]["location_text"]), (&json!(106.105), &json!("第一网格路口")));
    assert_eq!(
        (&shown["ledger"]["source"], &shown["ledger"]["reporter"]),
        (&json!("hotline_12345"), &json!("hotline-1"))
    );
    let counts = site.get("/v1/counts?from=2023-11-01&to=2023-11-30&by=mode", Some(&token)).await.json();
    assert_eq!((&counts["total"]["reported"], &counts["total"]["pending"]), (&json!(1), &json!(1)));
    let mut phone = Phone::join(&site, "insp-1", 1).await;
    let down = phone.sync(&site).await;
    assert_eq!((down.feed.len(), down.feed[0].case.to_string()), (1, case));
}

#[tokio::test]
async fn an_order_that_can_not_be_taken_says_which_member_is_at_fault() {
    let site = Site::new().await;
    let mut sourced = order();
    sourced["source"] = json!("inspector");
    let mut coloured = order();
    coloured["colour"] = json!("red");
    let mut decided = order();
    decided["facts"]["mode_claim"] = json!("self_handled");
    for (body, status, code, field) in [
        (with("category_claim", Value::Null), 422, "missing", "facts.category_claim"),
        (with("category_claim", json!("litter")), 422, "invalid", "facts.category_claim"),
        (with("description", Value::Null), 422, "missing", "facts.description"),
        (with("lat", Value::Null), 422, "missing", "facts.lat"),
        (with("lon", json!(200.0)), 422, "invalid", "facts.lon"),
        (with("coord_sys", json!("mars")), 422, "invalid", "facts.coord_sys"),
        (sourced, 422, "invalid", "source"),
        (coloured, 400, "malformed", "colour"),
        (decided, 400, "malformed", "mode_claim"),
    ] {
        let answer = post(&site, "hotline-1", "k", &body).await;
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{body}: {told}");
        assert_eq!(answer.json()["field"], field, "{told}");
    }
    for user in ["review-1", "insp-1", "leader-1", "admin"] {
        let answer = post(&site, user, "k", &order()).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (403, "wrong_role"), "{user}");
    }
    let keyless = site.post("/v1/cases", Some(&site.token("hotline-1").await), &order()).await;
    assert_eq!(keyless.code(), "idempotency_key_missing");
    let list = site.get("/v1/cases", Some(&site.token("hotline-1").await)).await.json();
    assert_eq!(list["items"], json!([]), "none of them left a trace");
}

#[tokio::test]
async fn an_unknown_category_and_a_place_outside_every_grid_are_taken_and_flagged() {
    let site = Site::new().await;
    let mut odd = with("category_claim", json!("xixia-2023:event:ZZ99"));
    odd["facts"]["lon"] = json!(110.5);
    let answer = post(&site, "hotline-1", "k", &odd).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&answer.body));
    assert_eq!(answer.json()["case"]["flags"], json!(["outside_every_grid", "unknown_category"]));
    let case = answer.json()["case"]["id"].as_str().unwrap().to_owned();
    let seen = site.get(&format!("/v1/cases/{case}"), Some(&site.token("review-1").await)).await;
    assert_eq!(seen.status, StatusCode::OK, "the office of the nearest street reviews it");
}

#[tokio::test]
async fn the_hotline_answers_what_it_registered() {
    let site = Site::new().await;
    let case = post(&site, "hotline-1", "k", &order()).await.json()["case"]["id"].as_str().unwrap().to_owned();
    let token = site.token("hotline-1").await;
    let body = json!({"verb": "answer", "expected_version": 1, "text": "八点开门"});
    let path = format!("/v1/cases/{case}/events");
    let answered = site.post_with(&path, Some(&token), &[("idempotency-key", "a")], &body).await;
    assert_eq!(answered.status, StatusCode::CREATED, "{}", String::from_utf8_lossy(&answered.body));
    assert_eq!(answered.json()["case"]["state"], "closed");
    let body = json!({"verb": "revisit", "expected_version": 2, "outcome": "satisfied"});
    let revisited = site.post_with(&path, Some(&token), &[("idempotency-key", "b")], &body).await;
    assert_eq!((revisited.status, &revisited.json()["event"]["to"]), (StatusCode::CREATED, &json!("closed")));
}
