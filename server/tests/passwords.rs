//! Signing in with a password.

use http::StatusCode;
use serde_json::json;

use crate::site::{Answer, Site};

async fn sign_in(site: &Site, user: &str, password: &str) -> Answer {
    site.post("/v1/auth/token", None, &json!({"grant": "password", "user": user, "password": password})).await
}

#[tokio::test]
async fn the_right_password_gives_a_token_of_ten_minutes() {
    let site = Site::new().await;
    let answer = sign_in(&site, "review-1", &Site::secret("review-1")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let json = answer.json();
    assert_eq!((json["token_type"].as_str(), json["expires_in"].as_i64()), (Some("Bearer"), Some(600)));
    let me = site.get("/v1/me", json["access_token"].as_str()).await.json();
    assert_eq!((me["user"].as_str(), me["role"].as_str()), (Some("review-1"), Some("town_office")));
    assert_eq!((me["scope"].as_str(), me["unit"].as_str()), (Some("640199001"), Some("U640199001")));
}

#[tokio::test]
async fn a_wrong_password_an_unknown_name_and_a_phone_user_are_one_answer() {
    let site = Site::new().await;
    let mut bodies = Vec::new();
    for user in ["review-1", "nobody", "insp-1"] {
        let answer = sign_in(&site, user, "not the password").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{user}");
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn six_wrong_passwords_lock_known_and_unknown_names_alike() {
    let site = Site::new().await;
    for user in ["review-1", "nobody"] {
        for _ in 0..5 {
            assert_eq!(sign_in(&site, user, "not the password").await.code(), "wrong_credentials", "{user}");
        }
        let locked = sign_in(&site, user, "not the password").await;
        assert_eq!((locked.status, locked.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "too_many_requests"));
        let wait: u32 = locked.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((55..=61).contains(&wait), "{user} waits {wait} s");
    }
    let right = sign_in(&site, "review-1", &Site::secret("review-1")).await;
    assert_eq!(right.status, StatusCode::TOO_MANY_REQUESTS, "not even the right password is looked at");
    let other = sign_in(&site, "review-2", &Site::secret("review-2")).await;
    assert_eq!(other.status, StatusCode::OK, "other accounts are not locked");
}

#[tokio::test]
async fn an_address_runs_out_of_tries_but_not_by_signing_in_rightly() {
    let site = Site::new().await;
    let password = Site::secret("admin");
    for _ in 0..65 {
        assert_eq!(sign_in(&site, "admin", &password).await.status, StatusCode::OK);
    }
    // A try is earned back every two seconds, so a slow machine needs a few more.
    let mut tries = 0;
    let code = loop {
        let code = sign_in(&site, &format!("guess-{tries}"), "x").await.code();
        if code != "wrong_credentials" || tries == 600 {
            break code;
        }
        tries += 1;
    };
    assert_eq!(code, "too_many_requests");
    assert!(tries >= 60, "{tries} tries");
}

#[tokio::test]
async fn a_grant_is_read_strictly() {
    let site = Site::new().await;
    for body in [
        json!({}),
        json!({"grant": "magic"}),
        json!({"grant": "password", "user": "admin"}),
        json!({"grant": "password", "user": 1, "password": "x"}),
        json!({"grant": "password", "user": "admin", "password": "x", "role": "admin"}),
        json!([]),
    ] {
        let answer = site.post("/v1/auth/token", None, &body).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::BAD_REQUEST, "malformed"), "{body}");
    }
}
