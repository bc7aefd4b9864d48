//! Bytes, requests and weak-link seconds of a real phone against the real server, beside one bare POST of the same facts.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};
use xunge_client_core::client::{Config, ListQuery, Phone, Place, ReportInput, SyncReport};
use xunge_client_core::model::{CaseId, Facts};
use xunge_client_core::transport::{HttpTransport, Outgoing, Patience, SpkiPin, Transport, tcp};
use xunge_tests::http::Api;
use xunge_tests::link::{Link, Weather};
use xunge_tests::process::Server;
use xunge_tests::scene::Scene;
use xunge_tests::{dictionary, sink, workload};

use super::figure::Figure;

const CASES: usize = 100;

/// What one exchange cost on the wire.
pub(super) struct Cost {
    pub(super) up: f64,
    pub(super) down: f64,
    pub(super) seconds: f64,
}

pub(crate) async fn measure() -> Vec<Figure> {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let link = Link::open(server.address().parse().unwrap(), Weather::default()).await;
    let (reviewer, _) = scene.pair();
    let folder = scene.folder.path().join("phone");
    let (ids, facts) = loaded(&scene, &folder, &link.url(), None).await;

    // Cold: a new process, a new connection, the weak link.
    link.set(Weather::WEAK);
    let phone = Phone::open(Config::new(&folder)).unwrap();
    let (push, pushed) = cost(&link, phone.sync()).await;
    let pushed: SyncReport = pushed.unwrap();
    assert!(pushed.drained, "{pushed:?}");
    let (idle, rest) = cost(&link, phone.sync()).await;
    let rest = rest.unwrap();
    assert!(rest.drained && rest.received == 0);

    decide(&server.url, reviewer, &ids).await;
    let (pull, pulled) = cost(&link, phone.sync()).await;
    let pulled = pulled.unwrap();
    let filed = phone.cases(&ListQuery { limit: 200, ..ListQuery::default() }).unwrap().0;
    assert_eq!(filed.iter().filter(|case| case.state == "filed").count(), CASES, "the phone sees every decision");
    assert_eq!(server.stop(), Some(0));

    let plain = Link::open(sink::open().await, Weather::WEAK).await;
    let bound = bare_post(&plain, &plain.url(), None, &json!(facts)).await;
    let dictionary = |bytes, known| {
        let sizes = dictionary::measure(bytes, known);
        let (body, all) = (sizes.body_ratio(), sizes.request_ratio());
        format!("{:.0} -> {:.0} B, {body:.2} x; whole request {all:.2} x", sizes.plain, sizes.with)
    };
    vec![
        Figure::note("lone report, 4 KB dictionary, known words", dictionary(4 << 10, true)),
        Figure::note("lone report, 4 KB dictionary, other words", dictionary(4 << 10, false)),
        Figure::note("lone report, 16 KB dictionary, other words", dictionary(16 << 10, false)),
        Figure::note("W: JSON per case", format!("{} B", json!(facts).to_string().len() / CASES)),
        Figure::note("W: bound, zstd-19 JSON in one POST, up / down", format!("{} / {} B", bound.up, bound.down)),
        Figure::note("W: ours, up / down", format!("{} / {} B", push.up, push.down))
            .beside("83,283 / 12,555 B", "73,713 / 81,325 B"),
        Figure::at_most("W: bytes up against the bound", push.up / bound.up, 1.35, "x").beside("9.12 x", "8.07 x"),
        Figure::at_most("W: requests", f64::from(pushed.requests), 1.0, "").beside("14", "800"),
        Figure::at_most("W: acknowledgement", push.down, 400.0, "B").beside("12,555 B", "81,325 B"),
        Figure::at_most("W: weak-link seconds against the bound", push.seconds / bound.seconds, 1.3, "x")
            .beside("8.6 x", "5.1 x"),
        Figure::note("W: weak-link seconds, ours / bound", format!("{:.2} / {:.2}", push.seconds, bound.seconds))
            .beside("18.9 s", "11.2 s"),
        Figure::at_most("pull 100 decisions, all bytes", pull.up + pull.down, 5_000.0, "B")
            .beside("43,673 B", "47,990 B"),
        Figure::at_most("pull 100 decisions, requests", f64::from(pulled.requests), 1.0, "").beside("12", "700"),
        Figure::at_most("idle sync, all bytes", idle.up + idle.down, 500.0, "B").beside("14,621 B", "37,207 B"),
        Figure::at_most("idle sync, requests", f64::from(rest.requests), 1.0, "").beside("10", "700"),
    ]
}

/// A phone in `folder` that has joined at `url` and holds W, offline, and is closed; the cases, and their facts.
pub(super) async fn loaded(scene: &Scene, folder: &Path, url: &str, pin: Option<SpkiPin>) -> (Vec<CaseId>, Vec<Value>) {
    let phone = Phone::open(Config::new(folder)).unwrap();
    phone.enrol(url, &scene.code(scene.pair().1), pin).await.unwrap();
    phone.sync().await.unwrap();
    let ids: Vec<CaseId> = workload::cases(1, CASES).iter().map(|case| report(&phone, &case.states)).collect();
    let facts = ids.iter().map(|id| stated(&phone, *id)).collect();
    (ids, facts)
}

/// Reports one case of W as an inspector would: a draft, three edits, submit; all offline.
fn report(phone: &Phone, states: &[Facts; 4]) -> CaseId {
    let id = phone.draft(&input(&states[0])).unwrap().id;
    for state in &states[1..] {
        phone.update(id, &input(state)).unwrap();
    }
    phone.submit(id).unwrap();
    id
}

fn input(facts: &Facts) -> ReportInput {
    let place = facts.point.map(|point| {
        let (lon, lat) = point.degrees();
        let mut place = Place::pin(lon, lat);
        place.accuracy_m = facts.accuracy_m;
        if let Some(source) = facts.location_source {
            place.source = source;
        }
        place
    });
    let note = (!facts.handle_note.is_empty()).then(|| facts.handle_note.clone());
    ReportInput {
        category: facts.category_claim.as_ref().map(ToString::to_string),
        text: Some(facts.description.clone()),
        place,
        mode: facts.mode_claim,
        handle_note: note,
        discovered_at: facts.discovered_at,
        handled_at: facts.handled_at,
        ..ReportInput::default()
    }
}

/// The facts as they stand on the phone, with the case's id: what the bound compresses.
fn stated(phone: &Phone, id: CaseId) -> Value {
    let mut row = serde_json::to_value(phone.case(id).unwrap().facts).unwrap();
    row["id"] = json!(id);
    row
}

/// What crosses a link while `work` is done, and how long that takes.
pub(super) async fn cost<T>(link: &Link, work: impl Future<Output = T>) -> (Cost, T) {
    let carried = || (link.carried.up.load(Ordering::Relaxed) as f64, link.carried.down.load(Ordering::Relaxed) as f64);
    let ((up, down), start) = (carried(), Instant::now());
    let answer = work.await;
    let now = carried();
    (Cost { up: now.0 - up, down: now.1 - down, seconds: start.elapsed().as_secs_f64() }, answer)
}

/// Files every case as forwarded.
async fn decide(url: &str, reviewer: &Value, ids: &[CaseId]) {
    let office = Api::sign_in(url, reviewer["user"].as_str().unwrap(), reviewer["password"].as_str().unwrap()).await;
    for id in ids {
        let file =
            json!({"verb": "file", "expected_version": 1, "mode": "forwarded", "category": "xixia-2023:event:XX0201"});
        let answer = office.event(&id.to_string(), &format!("file-{id}"), &file).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    }
}

/// The same facts as zstd-19 JSON in one POST over a fresh connection of `link`, with the phone's own HTTP stack.
pub(super) async fn bare_post(link: &Link, url: &str, pin: Option<SpkiPin>, facts: &Value) -> Cost {
    let patience = Patience { connect: Duration::from_secs(20), stall: Duration::from_secs(60) };
    let transport = HttpTransport::new(url, tcp(patience), pin, patience).unwrap();
    let body = zstd::bulk::compress(facts.to_string().as_bytes(), 19).unwrap();
    let post = Outgoing {
        method: "POST",
        path: "/".to_owned(),
        headers: vec![("content-type", "application/zstd".to_owned())],
        body: Bytes::from(body),
        answer_limit: 1_000,
    };
    let (cost, answer) = cost(link, transport.send(post)).await;
    assert_eq!(answer.unwrap().status, 200);
    cost
}
