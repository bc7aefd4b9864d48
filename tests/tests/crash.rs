//! SIGKILL of the server between sync pages and of the phone between persist and send: nothing lost, nothing twice.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xunge_tests::http::Api;
use xunge_tests::link::{Link, Weather};
use xunge_tests::process::{Phone, Server, run_json};
use xunge_tests::scene::Scene;

const REPORTS: usize = 60;

/// Reports without network; answers the ids the phone showed as saved.
fn report_offline(scene: &Scene, phone: &Phone) -> BTreeSet<String> {
    (0..REPORTS)
        .map(|index| {
            let photo = scene.photo(&format!("photo-{index}.jpg"), index as u8, 160, 120);
            let text = format!("第{index}处:路边堆放杂物,影响通行,请安排清理");
            let saved = phone.run(
                "report",
                &[
                    "--category",
                    "暴露垃圾",
                    "--lon",
                    "106.10",
                    "--lat",
                    "38.50",
                    "--photo",
                    photo.to_str().unwrap(),
                    "--text",
                    &text,
                    "--forward",
                ],
            );
            assert_eq!(saved["saved"], true);
            saved["id"].as_str().unwrap().to_owned()
        })
        .collect()
}

async fn on_server(api: &Api) -> Vec<Value> {
    let mut all = vec![];
    let mut after = String::new();
    loop {
        let page = api.get_json(&format!("/v1/cases?limit=50{after}")).await;
        all.extend(page["items"].as_array().unwrap().iter().cloned());
        match page["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

/// Everything saved is on the server exactly once, photos and counts included, and the ledger recounts.
async fn nothing_lost_nothing_twice(scene: &Scene, server: Server, saved: &BTreeSet<String>) {
    let (reviewer, _) = scene.pair();
    let office =
        Api::sign_in(&server.url, reviewer["user"].as_str().unwrap(), reviewer["password"].as_str().unwrap()).await;
    let cases = on_server(&office).await;
    let ids: BTreeSet<String> = cases.iter().map(|case| case["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!((cases.len(), &ids), (saved.len(), saved));
    assert!(cases.iter().all(|case| case["photos"] == json!({"expected": 1, "present": 1})), "{cases:?}");
    let own = format!("/v1/counts?scope={}", reviewer["unit"].as_str().unwrap());
    assert_eq!(office.get_json(&own).await["total"]["reported"], json!(saved.len()));
    assert_eq!(server.stop(), Some(0));
    let verified = run_json("xunge-server", &["verify", "--data", scene.data().to_str().unwrap(), "--json"]);
    assert_eq!(verified["ok"], true, "{verified}");
}

fn socket(server: &Server) -> SocketAddr {
    server.address().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_between_pages_loses_nothing() {
    let scene = Scene::new();
    let mut server = Server::start(&scene.data());
    let (_, inspector) = scene.pair();
    let phone = scene.enrol(&server.url, inspector, "phone");
    let saved = report_offline(&scene, &phone);
    let address = server.address().to_owned();
    // Kill it again and again while the phone is sending; each time a little later.
    for pause_ms in [5, 15, 30, 60, 120] {
        let mut sync = phone.spawn("sync", &[]);
        let due = Instant::now() + Duration::from_millis(pause_ms);
        while Instant::now() < due && sync.try_wait().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        server.kill();
        sync.kill().unwrap();
        sync.wait().unwrap();
        server = Server::start_on(&scene.data(), &address);
    }
    phone.drain(5);
    nothing_lost_nothing_twice(&scene, server, &saved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_killed_while_sending_loses_nothing() {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (_, inspector) = scene.pair();
    let phone = scene.enrol(&server.url, inspector, "phone");
    let saved = report_offline(&scene, &phone);
    for pause_ms in [1, 2, 4, 8, 16, 32, 64, 128] {
        let mut sync = phone.spawn("sync", &[]);
        let due = Instant::now() + Duration::from_millis(pause_ms);
        while Instant::now() < due && sync.try_wait().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        sync.kill().unwrap();
        sync.wait().unwrap();
    }
    phone.drain(5);
    nothing_lost_nothing_twice(&scene, server, &saved).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_never_arrive_change_nothing() {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (_, inspector) = scene.pair();
    let link = Link::open(socket(&server), Weather::default()).await;
    let phone = scene.enrol(&link.url(), inspector, "phone");
    let saved = report_offline(&scene, &phone);
    // Every connection dies after a few bytes of answers: requests arrive, what became of them is never heard.
    for limit in [0, 1, 60, 200, 400] {
        link.set(Weather { cut_after_down: Some(limit), ..Weather::default() });
        let _ = phone.try_run("sync", &[]);
    }
    assert!(link.carried.cuts.load(Ordering::Relaxed) >= 5, "the link was cut");
    link.set(Weather::default());
    phone.drain(5);
    nothing_lost_nothing_twice(&scene, server, &saved).await;
}
