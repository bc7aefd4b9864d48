//! Who may use what: every row of the permission table with every role, and with none.

use axum::body::Body;
use http::{Method, StatusCode};
use xunge_server::auth::permission::{TABLE, Who};

use crate::site::{Site, request};

/// A path of a route with something in place of its parameters.
fn concrete(path: &str) -> String {
    path.replace("{id}", "01HF7YAT00WRN6SFNT6TCWJKXW").replace("{sha256}", &"0".repeat(64)).replace("{kind}", "units")
}

#[tokio::test]
async fn every_route_lets_in_whom_its_rule_names_and_nobody_else() {
    let site = Site::new().await;
    let mut cells = 0;
    for rule in TABLE {
        let method: Method = rule.method.parse().unwrap();
        let ask = async |token: Option<&str>| {
            let request = request(method.clone(), &concrete(rule.path), token, &[]);
            site.send(request.body(Body::empty()).unwrap()).await
        };
        let name = format!("{} {}", rule.method, rule.path);
        let stranger = ask(None).await;
        let open = matches!(rule.who, Who::Anyone | Who::Device);
        // An answer to HEAD has no body to name its code in.
        let not_signed_in = match rule.method {
            "HEAD" => stranger.status == StatusCode::UNAUTHORIZED,
            _ => stranger.code() == "not_signed_in",
        };
        assert_eq!(not_signed_in, !open, "{name} without a token");
        for (role, user) in Site::users() {
            let answer = ask(Some(&site.token(user).await)).await;
            let refused = answer.status == StatusCode::FORBIDDEN && answer.code() == "wrong_role";
            let allowed = match rule.who {
                Who::Roles(roles) => roles.contains(&role),
                Who::Anyone | Who::Device | Who::Uploader => true,
            };
            assert_eq!(refused, !allowed, "{name} as {role}: {} {}", answer.status, answer.code());
            assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{name} as {role}");
            cells += 1;
        }
    }
    assert_eq!(cells, TABLE.len() * Site::users().len());
}

#[tokio::test]
async fn figures_outside_the_own_scope_do_not_exist() {
    let site = Site::new().await;
    for (user, scope, status) in [
        ("leader-1", "640199", 200),
        ("leader-1", "640199001", 200),
        ("leader-1", "U640199-ZF", 200),
        ("leader-1", "640198", 404),
        ("leader-1", "640100", 404),
        ("leader-1", "640199009", 404),
        ("leader-1", "U640198-ZF", 404),
        ("review-1", "640199001", 200),
        ("review-1", "640199001001001", 200),
        ("review-1", "U640199001", 200),
        ("review-1", "640199", 404),
        ("review-1", "U640199-ZF", 404),
        ("handle-1", "U640199-HW", 200),
        ("handle-1", "640199", 404),
        ("insp-2", "640199", 200),
    ] {
        let answer = site.get(&format!("/v1/counts?scope={scope}"), Some(&site.token(user).await)).await;
        assert_eq!(answer.status.as_u16(), status, "{user} asks for {scope}");
    }
}

#[tokio::test]
async fn the_reference_bundle_holds_the_users_street_and_is_sent_once() {
    let site = Site::new().await;
    let token = site.token("insp-1").await;
    let answer = site.get("/v1/reference/bundle", Some(&token)).await;
    let json = answer.json();
    assert_eq!(json["version"], 1);
    let grids: Vec<&str> = json["grids"].as_array().unwrap().iter().filter_map(|grid| grid["code"].as_str()).collect();
    assert_eq!(grids, ["640199001001001", "640199001001002"]);
    let polygon = json["grids"][0]["polygon"].as_array().unwrap();
    assert!(polygon.len() == 4 && polygon.contains(&serde_json::json!([106_100_000, 38_480_000])), "{polygon:?}");
    assert!(json["taxonomy"].as_array().unwrap().len() > 400);
    assert!(json["void_reasons"].as_array().unwrap().iter().any(|reason| reason["code"] == "duplicate"));
    let tag = answer.headers["etag"].to_str().unwrap();
    let again = request(Method::GET, "/v1/reference/bundle", Some(&token), &[("if-none-match", tag)]);
    assert_eq!(site.send(again.body(Body::empty()).unwrap()).await.status, StatusCode::NOT_MODIFIED);
    let packed = request(Method::GET, "/v1/reference/bundle", Some(&token), &[("accept", "application/zstd")]);
    let packed = site.send(packed.body(Body::empty()).unwrap()).await;
    assert_eq!(packed.headers["content-type"], "application/zstd");
    let unpacked = xunge_client_core::wire::codec::decompress(&packed.body, 1 << 20).unwrap();
    assert_eq!(unpacked, answer.body);
    assert!(packed.body.len() < answer.body.len() / 4);
}

#[tokio::test]
async fn the_description_is_open_and_names_every_route() {
    let site = Site::new().await;
    let document = site.get("/openapi.json", None).await.json();
    for rule in TABLE {
        let operation = &document["paths"][rule.path][rule.method.to_lowercase()];
        assert!(operation.is_object(), "{} {}", rule.method, rule.path);
    }
}
