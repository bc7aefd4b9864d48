//! What a stranger sends over HTTP is refused with a typed answer, and the server goes on.

use http::Method;
use xunge_client_core::model::DeviceId;
use xunge_client_core::wire::{self, Envelope, SyncUp};
use xunge_tests::http::Api;
use xunge_tests::process::Server;
use xunge_tests::scene::Scene;

fn key(seed: u8) -> ed25519_dalek::SigningKey {
    ed25519_dalek::SigningKey::from_bytes(&[seed; 32])
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_sync_request_are_refused_and_the_server_goes_on() {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let api = Api::new(&server.url);
    let honest = Envelope::seal(wire::codec::pack(&SyncUp::default()), DeviceId::from_bytes([1; 16]), 1, &key(1));
    let media = [("content-type", wire::MEDIA_TYPE)];
    let mut cases = vec![
        ("an unknown device", honest.to_bytes(), vec![401]),
        ("nothing", vec![], vec![400]),
        ("noise", vec![0xff; 300], vec![400]),
        ("too large", vec![0; 200_000], vec![413]),
    ];
    let bytes = honest.to_bytes();
    for cut in [1, 10, 30, bytes.len() - 1] {
        cases.push(("cut", bytes[..cut].to_vec(), vec![400]));
    }
    let newer = Envelope { version: 2, ..honest.clone() };
    cases.push(("a newer version", newer.to_bytes(), vec![426]));
    for (name, body, allowed) in cases {
        let answer = api.send(Method::POST, "/v1/sync", &media, body.into()).await;
        assert!(allowed.contains(&answer.status), "{name}: {} {:?}", answer.status, answer.body);
        assert!(answer.json()["code"].is_string(), "{name} has a code: {:?}", answer.body);
    }
    let wrong_type = api.send(Method::POST, "/v1/sync", &[("content-type", "text/plain")], bytes.into()).await;
    assert_eq!(wrong_type.status, 415);
    assert_eq!(api.get("/healthz").await.status, 200);
    assert_eq!(api.get("/v1/cases").await.status, 401);
    assert_eq!(server.stop(), Some(0));
}
