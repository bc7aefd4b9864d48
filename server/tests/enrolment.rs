//! How a phone joins, and how it gets a token.

use ed25519_dalek::SigningKey;
use http::StatusCode;
use serde_json::{Value, json};
use xunge_client_core::model::{DeviceId, Sha256};
use xunge_client_core::wire::Proof;
use xunge_server::clock::Security;

use crate::site::{Answer, Site};

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

async fn enrol(site: &Site, code: &str, seed: u8) -> Answer {
    let public_key = hex::encode(key(seed).verifying_key().to_bytes());
    site.post("/v1/auth/enrol", None, &json!({"code": code, "public_key": public_key, "name": "小米 13"})).await
}

async fn phone(site: &Site) -> DeviceId {
    let answer = enrol(site, &Site::secret("insp-1"), 1).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", String::from_utf8_lossy(&answer.body));
    answer.json()["device_id"].as_str().unwrap().parse().unwrap()
}

async fn ask_token(site: &Site, device: DeviceId, counter: u64, seed: u8) -> Answer {
    let proof = Proof { method: "POST", path: "/v1/auth/token", body: Sha256::of(b""), device, counter };
    let signature = hex::encode(proof.sign(&key(seed)));
    let body = json!({"grant": "device", "device": device, "counter": counter, "signature": signature});
    site.post("/v1/auth/token", None, &body).await
}

#[tokio::test]
async fn a_phone_that_joins_learns_who_it_is_and_what_to_pin() {
    let site = Site::new().await;
    let answer = enrol(&site, &Site::secret("insp-1"), 1).await.json();
    assert_eq!(answer["user"]["id"], "insp-1");
    assert_eq!(answer["user"]["grids"], json!(["640199001001001", "640199001001002"]));
    assert_eq!((answer["scope"].as_str(), answer["server"]["district"].as_str()), (Some("640199001"), Some("640199")));
    assert_eq!(answer["server"]["signing_key"], hex::encode(site.app.keys.signing_public()));
    assert_eq!(answer["server"]["sealing_key"], hex::encode(site.app.keys.sealing_public()));
    assert_eq!(answer["server"]["epoch"], site.app.identity.epoch);
}

#[tokio::test]
async fn a_code_joins_one_phone_which_may_ask_again() {
    let site = Site::new().await;
    let code = Site::secret("insp-1");
    let first = enrol(&site, &code, 1).await;
    let again = enrol(&site, &code.to_lowercase().replace('-', " "), 1).await;
    assert_eq!(first.json(), again.json());
    let other = enrol(&site, &code, 2).await;
    assert_eq!((other.status, other.code().as_str()), (StatusCode::UNAUTHORIZED, "enrol_code_invalid"));
}

#[tokio::test]
async fn wrong_codes_are_one_answer() {
    let site = Site::new().await;
    let mut bodies = Vec::new();
    for code in ["", "AAAA-AAAA", "编码", &"A".repeat(1_000)] {
        let answer = enrol(&site, code, 1).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{code}");
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
}

#[tokio::test]
async fn keys_that_are_none_are_refused_by_field() {
    let site = Site::new().await;
    let code = Site::secret("insp-1");
    let zero = "0".repeat(64);
    for (key, status) in [("", 400), ("zz", 400), (zero.as_str(), 422)] {
        let answer = site.post("/v1/auth/enrol", None, &json!({"code": code, "public_key": key, "name": "x"})).await;
        assert_eq!((answer.status.as_u16(), answer.json()["field"].as_str()), (status, Some("public_key")), "{key}");
    }
}

#[tokio::test]
async fn a_proof_gives_a_token_once() {
    let site = Site::new().await;
    let device = phone(&site).await;
    let answer = ask_token(&site, device, 1, 1).await;
    assert_eq!(answer.status, StatusCode::OK);
    let me = site.get("/v1/me", answer.json()["access_token"].as_str()).await.json();
    assert_eq!((me["user"].as_str(), me["device"].as_str()), (Some("insp-1"), Some(device.to_string().as_str())));
    assert_eq!(ask_token(&site, device, 1, 1).await.code(), "counter_replayed");
    assert_eq!(ask_token(&site, device, 2, 2).await.code(), "bad_proof");
    assert_eq!(ask_token(&site, DeviceId::from_bytes([1; 16]), 2, 1).await.code(), "unknown_device");
    assert_eq!(ask_token(&site, device, 2, 1).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_phone_restored_from_an_old_backup_is_told_to_enrol_and_shuts_nobody_out() {
    let site = Site::new().await;
    let device = phone(&site).await;
    assert_eq!(ask_token(&site, device, 500, 1).await.status, StatusCode::OK);
    let copy = ask_token(&site, device, 3, 1).await;
    assert_eq!((copy.status, copy.code().as_str()), (StatusCode::UNAUTHORIZED, "device_cloned"));
    assert_eq!(ask_token(&site, device, 501, 1).await.status, StatusCode::OK, "a recorded request silences no phone");
}

#[tokio::test]
async fn revoking_a_phone_ends_its_token_and_its_proofs() {
    let site = Site::new().await;
    let device = phone(&site).await;
    let token: Value = ask_token(&site, device, 1, 1).await.json()["access_token"].clone();
    site.revoke(device).await;
    assert_eq!(site.get("/v1/me", token.as_str()).await.code(), "token_invalid");
    let refused = ask_token(&site, device, 2, 1).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "device_revoked"));
}

#[tokio::test]
async fn a_disabled_users_phone_is_told_so() {
    let site = Site::new().await;
    let device = phone(&site).await;
    site.set_disabled("insp-1", Some(Security.now())).await;
    let refused = ask_token(&site, device, 1, 1).await;
    assert_eq!((refused.status, refused.code().as_str()), (StatusCode::FORBIDDEN, "user_disabled"));
}
