//! W through TLS, beside the same bound through the same TLS: what the office's proxy adds on the weak link.

use serde_json::json;
use xunge_client_core::client::{Config, Phone};
use xunge_tests::link::{Link, Weather};
use xunge_tests::process::Server;
use xunge_tests::scene::Scene;
use xunge_tests::sink;
use xunge_tests::tls::Tls;

use super::figure::Figure;
use super::sync::{bare_post, cost, loaded};

pub(crate) async fn measure() -> Vec<Figure> {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (front, plain) = (Tls::open(server.address().parse().unwrap()).await, Tls::open(sink::open().await).await);
    let (front, plain) = match (front, plain) {
        (Ok(front), Ok(plain)) => (front, plain),
        (Err(reason), _) | (_, Err(reason)) => return vec![Figure::not_run("W with TLS 1.3", "-", &reason)],
    };
    let url = |link: &Link| format!("https://{}", link.address);
    let link = Link::open(front.address, Weather::default()).await;
    let folder = scene.folder.path().join("phone");
    let (_, facts) = loaded(&scene, &folder, &url(&link), Some(front.pin)).await;
    // Cold, as without TLS: a new process, no session to resume.
    link.set(Weather::WEAK);
    let phone = Phone::open(Config::new(&folder)).unwrap();
    let (push, pushed) = cost(&link, phone.sync()).await;
    assert!(pushed.unwrap().drained);
    let (idle, rest) = cost(&link, phone.sync()).await;
    assert!(rest.unwrap().drained);
    drop(phone);
    assert_eq!(server.stop(), Some(0));

    let link = Link::open(plain.address, Weather::WEAK).await;
    let bound = bare_post(&link, &url(&link), Some(plain.pin), &json!(facts)).await;
    let certificate = front.certificate_bytes;
    vec![
        Figure::note("W with TLS 1.3: ours, up / down", format!("{} / {} B", push.up, push.down)),
        Figure::note("W with TLS 1.3: bound, up / down", format!("{} / {} B", bound.up, bound.down)),
        Figure::note("W with TLS 1.3: bytes up against the bound", format!("{:.2} x", push.up / bound.up)),
        Figure::note("W with TLS 1.3: weak-link seconds, ours / bound", {
            format!("{:.2} / {:.2}", push.seconds, bound.seconds)
        }),
        Figure::note("W with TLS 1.3: weak-link seconds against the bound", {
            format!("{:.2} x", push.seconds / bound.seconds)
        }),
        Figure::note("idle sync on a TLS connection that is open, all bytes", format!("{} B", idle.up + idle.down)),
        Figure::note("TLS 1.3: bytes of the one certificate in it", certificate.to_string()),
    ]
}
