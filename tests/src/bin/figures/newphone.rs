//! What a new phone is sent: the 303 cases its user reported, of 10,000 in the district.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use xunge_client_core::client::{Config, ListQuery, Phone};
use xunge_tests::link::{Link, Weather};
use xunge_tests::process::Server;
use xunge_tests::pusher::Pusher;
use xunge_tests::scene::Scene;
use xunge_tests::workload::{self, Reported};

use super::figure::Figure;

const CASES: usize = 10_000;
const OWN: usize = 303;
/// A phone brings at most 300 new cases a day, so the person whose phone is lost had two.
const PUSH: usize = 100;

/// A link on which the usual page of news never arrives whole: 20 kbit/s down, and every connection is cut after 5 s.
fn torn_link() -> Weather {
    Weather { down_bps: Some(20_000), cut_after: Some(Duration::from_secs(5)), ..Weather::WEAK }
}

/// Runs after which a phone counts as stuck.
const RUNS: u32 = 40;

pub(crate) async fn measure() -> Vec<Figure> {
    let mut figures = torn().await;
    figures.extend(whole().await);
    figures
}

/// A second phone of somebody who reported 300 cases fetches them over the torn link.
async fn torn() -> Vec<Figure> {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let owner = scene.users("inspector").remove(0);
    let link = Link::open(server.address().parse().unwrap(), Weather::default()).await;
    let open = || Phone::open(Config::new(scene.folder.path().join("new"))).unwrap();
    open().enrol(&link.url(), &scene.code(owner), None).await.unwrap();
    let own = workload::cases(1, 300);
    for (seed, part) in own.chunks(PUSH).enumerate() {
        // One device may report 300 cases a day, but not in one push.
        push(&server.url, &scene.code(owner), 50 + seed as u64, part).await;
    }
    link.set(torn_link());
    // A new process: the connection of before is from a better day.
    let phone = open();
    let (start, cuts) = (Instant::now(), || link.carried.cuts.load(Ordering::Relaxed));
    let mut shown = 0;
    for _ in 0..RUNS {
        let report = phone.sync().await.unwrap();
        shown = phone.cases(&ListQuery { limit: 500, ..ListQuery::default() }).unwrap().0.len();
        if report.drained && shown == own.len() {
            break;
        }
    }
    assert_eq!(server.stop(), Some(0));
    let trouble = format!("{:.0} / {}", start.elapsed().as_secs_f64(), cuts());
    vec![
        Figure::at_least("new phone, 20 kbit/s cut every 5 s: cases of 300", shown as f64, 300.0, ""),
        Figure::note("new phone, 20 kbit/s cut every 5 s: seconds / cuts", trouble),
    ]
}

async fn whole() -> Vec<Figure> {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let inspectors = scene.users("inspector");
    let (owner, others) = inspectors.split_first().unwrap();
    let own = workload::cases(1, OWN);
    for (seed, part) in own.chunks(OWN.div_ceil(2)).enumerate() {
        push(&server.url, &scene.code(owner), seed as u64, part).await;
    }
    let mut foreign = workload::cases(2, CASES - OWN);
    for case in &mut foreign {
        // Nowhere: a case in one of the owner's grids would be for the new phone as well.
        for state in &mut case.states {
            (state.point, state.grid_claim) = (None, None);
        }
    }
    for (seed, (user, part)) in others.iter().zip(foreign.chunks(foreign.len().div_ceil(others.len()))).enumerate() {
        push(&server.url, user["enrol_code"].as_str().unwrap(), 10 + seed as u64, part).await;
    }

    let bare = Pusher::enrol(&server.url, &scene.code(owner), 3).await;
    let (bytes, requests) = bare.begin().await;

    let link = Link::open(server.address().parse().unwrap(), Weather::WEAK).await;
    let phone = Phone::open(Config::new(scene.folder.path().join("new"))).unwrap();
    let (code, start) = (scene.code(owner), Instant::now());
    // Joining ends with a first sync.
    phone.enrol(&link.url(), &code, None).await.unwrap();
    let (all, seconds) = (carried(&link), start.elapsed().as_secs_f64());
    let report = phone.sync().await.unwrap();
    let shown = phone.cases(&ListQuery { limit: 500, ..ListQuery::default() }).unwrap().0.len();
    assert_eq!(
        (report.drained, report.received, shown),
        (true, 0, OWN),
        "the new phone shows what its user reported and nothing else"
    );
    assert_eq!(server.stop(), Some(0));
    vec![
        Figure::at_most("new phone, 303 of 10,000 cases: case data", bytes as f64, 45_000.0, "B")
            .beside("157,547 B", ""),
        Figure::at_most("new phone: requests for it", requests as f64, 1.0, "").beside("24", ""),
        Figure::note("new phone: joining, all bytes with reference data", format!("{all} B")),
        Figure::note("new phone: joining, weak-link seconds", format!("{seconds:.2}")),
    ]
}

async fn push(url: &str, code: &str, seed: u64, cases: &[Reported]) {
    let phone = Pusher::enrol(url, code, seed).await;
    phone.begin().await;
    for chunk in cases.chunks(PUSH) {
        phone.send(phone.new_cases(chunk).0).await;
    }
}

fn carried(link: &Link) -> u64 {
    link.carried.up.load(Ordering::Relaxed) + link.carried.down.load(Ordering::Relaxed)
}
