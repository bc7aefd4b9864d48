//! Tokens this server did not issue, in every way somebody thought of. Each is 401, and none says why to a stranger.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD as B64};
use ed25519_dalek::{Signer, SigningKey};
use http::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use xunge_client_core::model::DeviceId;
use xunge_server::auth::token::Use;
use xunge_server::clock::Security;

use crate::site::Site;

/// The right header and claims, to be bent.
struct Good {
    /// As the server spells it; its order of members counts.
    header_text: String,
    header: Value,
    claims: Value,
    key: SigningKey,
    public: [u8; 32],
}

impl Good {
    async fn of(site: &Site) -> Self {
        let token = site.token("review-1").await;
        let mut parts = token.split('.').map(|part| B64.decode(part).unwrap());
        let mut part = || serde_json::from_slice(&parts.next().unwrap()).unwrap();
        let (header, claims) = (part(), part());
        let header_text = token.split('.').next().unwrap().to_owned();
        let key = site.app.keys.signing().clone();
        Self { header_text, header, claims, public: key.verifying_key().to_bytes(), key }
    }

    /// Header and claims with members replaced (or removed by null), signed with the right key.
    fn signed(&self, header: &Value, claims: &Value) -> String {
        self.signed_by(&self.key, header, claims)
    }

    fn signed_by(&self, key: &SigningKey, header: &Value, claims: &Value) -> String {
        let message = self.message(header, claims);
        let signature = key.sign(message.as_bytes());
        format!("{message}.{}", B64.encode(signature.to_bytes()))
    }

    fn message(&self, header: &Value, claims: &Value) -> String {
        let part = |base: &Value, change: &Value| B64.encode(changed(base, change).to_string());
        let untouched = header.as_object().unwrap().is_empty();
        let header = if untouched { self.header_text.clone() } else { part(&self.header, header) };
        format!("{header}.{}", part(&self.claims, claims))
    }
}

fn changed(base: &Value, change: &Value) -> Value {
    let mut members = base.as_object().unwrap().clone();
    for (name, value) in change.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    Value::Object(members)
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..key.len().min(64)].copy_from_slice(&key[..key.len().min(64)]);
    let pad = |byte: u8| block.map(|b| b ^ byte);
    let inner = Sha256::new_with_prefix(pad(0x36)).chain_update(message).finalize();
    Sha256::new_with_prefix(pad(0x5c)).chain_update(inner).finalize().into()
}

fn forgeries(good: &Good) -> Vec<(String, String)> {
    let none = json!({});
    let now = Security.now().0 / 1_000;
    let mut all = Vec::new();
    let mut add = |name: &str, token: String| all.push((name.to_owned(), token));

    // The signature is gone or somebody else's.
    let other = SigningKey::from_bytes(&[9; 32]);
    add("another key", good.signed_by(&other, &none, &none));
    add("another key under its own id", good.signed_by(&other, &json!({"kid": "0123456789abcdef"}), &none));
    for alg in ["none", "None", "NONE", "nOnE"] {
        let message = good.message(&json!({"alg": alg}), &none);
        add(&format!("alg {alg} without signature"), format!("{message}."));
        add(&format!("alg {alg} signed all the same"), good.signed(&json!({"alg": alg}), &none));
    }
    let untouched = good.signed(&none, &none);
    let cut = untouched.rsplit_once('.').unwrap().0;
    add("no signature", format!("{cut}."));
    add("two parts", cut.to_owned());
    add("a signature of zeros", format!("{cut}.{}", B64.encode([0; 64])));
    add("a short signature", format!("{cut}.{}", B64.encode([7; 63])));

    // The public key used as a secret.
    let message = good.message(&json!({"alg": "HS256"}), &none);
    for (name, secret) in [
        ("raw", good.public.to_vec()),
        ("hex", hex::encode(good.public).into_bytes()),
        ("base64", STANDARD.encode(good.public).into_bytes()),
    ] {
        let tag = hmac_sha256(&secret, message.as_bytes());
        add(&format!("HS256 with the public key, {name}"), format!("{message}.{}", B64.encode(tag)));
    }
    for alg in ["HS256", "HS512", "RS256", "PS256", "ES256", "ES384", "Ed25519", "eddsa"] {
        add(&format!("alg {alg} with an EdDSA signature"), good.signed(&json!({"alg": alg}), &none));
    }

    // Headers that point a careless verifier elsewhere.
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": B64.encode(other.verifying_key().to_bytes())});
    for (name, header) in [
        ("its own key in jwk", json!({"jwk": jwk})),
        ("a key set elsewhere", json!({"jku": "https://evil.example/keys"})),
        ("certificates elsewhere", json!({"x5u": "https://evil.example/cert"})),
        ("certificates inside", json!({"x5c": ["AAAA"]})),
        ("kid as a path", json!({"kid": "../../../../dev/null"})),
        ("kid as SQL", json!({"kid": "x' UNION SELECT 'secret"})),
        ("kid of another", json!({"kid": "other"})),
        ("no kid", json!({"kid": null})),
    ] {
        add(name, good.signed_by(&other, &header, &none));
        add(&format!("{name}, signed by the right key"), good.signed(&header, &none));
    }
    for (name, header) in [
        ("typ JWT", json!({"typ": "JWT"})),
        ("typ of a refresh token", json!({"typ": "rt+jwt"})),
        ("no typ", json!({"typ": null})),
        ("a critical extension", json!({"crit": ["exp"]})),
        ("an unknown header member", json!({"zip": "DEF"})),
        ("a nested type", json!({"cty": "JWT"})),
    ] {
        add(name, good.signed(&header, &none));
    }

    // Claims, signed by the right key: what a bug in issuing or a stolen key would make.
    for (name, claims) in [
        ("no exp", json!({"exp": null})),
        ("no nbf", json!({"nbf": null})),
        ("no iat", json!({"iat": null})),
        ("no iss", json!({"iss": null})),
        ("no aud", json!({"aud": null})),
        ("no sub", json!({"sub": null})),
        ("no perm_ver", json!({"perm_ver": null})),
        ("no use", json!({"use": null})),
        ("exp as text", json!({"exp": (now + 600).to_string()})),
        ("exp as a fraction", json!({"exp": now as f64 + 600.5})),
        ("exp far away", json!({"exp": now + 10_000_000})),
        ("expired", json!({"iat": now - 700, "nbf": now - 700, "exp": now - 100})),
        ("not yet valid", json!({"iat": now + 300, "nbf": now + 300, "exp": now + 900})),
        ("nbf before iat", json!({"nbf": 0})),
        ("aud of another", json!({"aud": "other"})),
        ("aud as a list", json!({"aud": ["xunge", "other"]})),
        ("iss of another", json!({"iss": "xunge:640106"})),
        ("iss as a list", json!({"iss": ["xunge:640199"]})),
        ("sub as a number", json!({"sub": 7})),
        ("an unknown sub", json!({"sub": "nobody"})),
        ("an empty sub", json!({"sub": ""})),
        ("a role of its own", json!({"role": "admin"})),
        ("an older perm_ver", json!({"perm_ver": 0})),
        ("a newer perm_ver", json!({"perm_ver": 99})),
        ("an unknown use", json!({"use": "everything"})),
        ("a phone that does not exist", json!({"did": DeviceId::from_bytes([3; 16]).to_string()})),
        ("a phone that is none", json!({"did": "phone"})),
    ] {
        add(name, good.signed(&none, &claims));
    }

    // Spellings.
    add("padding", format!("{untouched}="));
    add("a fourth part", format!("{untouched}.AAAA"));
    add("a part in front", format!("AAAA.{untouched}"));
    add("standard base64", untouched.replace('-', "+").replace('_', "/") + "+");
    add("nothing but dots", "..".to_owned());
    add("nothing", String::new());
    add("very long", "A".repeat(9_000));
    add("a JSON web key", B64.encode(jwk.to_string()));
    all
}

#[tokio::test]
async fn no_forged_token_opens_anything() {
    let site = Site::new().await;
    let good = Good::of(&site).await;
    assert_eq!(site.get("/v1/me", Some(&good.signed(&json!({}), &json!({})))).await.status, StatusCode::OK);
    let forgeries = forgeries(&good);
    assert!(forgeries.len() >= 60, "{}", forgeries.len());
    for (name, token) in forgeries {
        let answer = site.get("/v1/me", Some(&token)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{name}: {}", String::from_utf8_lossy(&answer.body));
        assert_eq!(answer.headers["www-authenticate"], "Bearer", "{name}");
        assert!(["token_invalid", "token_expired"].contains(&answer.code().as_str()), "{name}: {}", answer.code());
    }
}

#[tokio::test]
async fn authorization_has_to_be_one_bearer_token() {
    let site = Site::new().await;
    let token = site.token("review-1").await;
    for values in [
        vec![],
        vec![format!("Basic {token}")],
        vec![format!("bearer{token}")],
        vec![token.clone()],
        vec![format!("Bearer {token}"), format!("Bearer {token}")],
    ] {
        let mut request = http::Request::builder().uri("/v1/me");
        for value in &values {
            request = request.header("authorization", value);
        }
        let answer = site.send(request.body(axum::body::Body::empty()).unwrap()).await;
        assert_eq!((answer.status, answer.code().as_str()), (StatusCode::UNAUTHORIZED, "not_signed_in"), "{values:?}");
    }
    // A token is never taken from where logs and histories keep it.
    assert_eq!(site.get(&format!("/v1/me?access_token={token}"), None).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_upload_token_is_good_for_uploads_only() {
    let site = Site::new().await;
    let token =
        site.token_with("insp-1", |subject| xunge_server::auth::token::Subject { usage: Use::Upload, ..subject }).await;
    for path in ["/v1/me", "/v1/cases", "/v1/counts", "/v1/reference/bundle"] {
        assert_eq!(site.get(path, Some(&token)).await.code(), "token_invalid", "{path}");
    }
}

#[tokio::test]
async fn closing_an_account_ends_its_tokens_at_once() {
    let site = Site::new().await;
    let token = site.token("review-1").await;
    assert_eq!(site.get("/v1/me", Some(&token)).await.status, StatusCode::OK);
    site.set_disabled("review-1", Some(Security.now())).await;
    assert_eq!(site.get("/v1/me", Some(&token)).await.code(), "token_invalid");
    site.set_disabled("review-1", None).await;
    assert_eq!(site.get("/v1/me", Some(&token)).await.code(), "token_invalid", "an old token does not come back");
}
