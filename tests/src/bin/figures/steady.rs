//! What must not grow: an idle sync with the number of cases, a lost answer with anything.

use xunge_client_core::client::{Config, ListQuery, Phone};
use xunge_tests::process::Server;
use xunge_tests::pusher::Pusher;
use xunge_tests::scene::Scene;
use xunge_tests::{drops, fleet, workload};

use super::Tier;
use super::figure::Figure;

const FEW: usize = 10;
/// A phone brings at most 300 new cases a day, so the person of the many cases has many phones.
const OF_ONE_PHONE: usize = 294;
/// What may grow are digits alone: the position, told both ways, the proof's counter and the number of the last answer
/// heard, each up to 2 B longer in CBOR by the time there are a thousand times as many cases.
const DIGITS: f64 = 8.0;
/// Long reports in the morning, so that the day has several pages.
const TEXTS: u64 = 160;

pub(crate) async fn measure(tier: Tier) -> Vec<Figure> {
    let mut figures = idle(tier.pick(1_000, 10_000, 10_000) as usize).await;
    figures.extend(lost().await);
    figures
}

async fn idle(many: usize) -> Vec<Figure> {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (_, owner) = scene.pair();
    let phone = Phone::open(Config::new(scene.folder.path().join("phone"))).unwrap();
    phone.enrol(&server.url, &scene.code(owner), None).await.unwrap();
    for number in 0..FEW {
        phone.report(&fleet::words(number as u64)).unwrap();
    }
    let few = silence(&phone).await;
    for (seed, part) in workload::cases(1, many - FEW).chunks(OF_ONE_PHONE).enumerate() {
        let other = Pusher::enrol(&server.url, &scene.code(owner), seed as u64).await;
        other.begin().await;
        for chunk in part.chunks(98) {
            other.send(other.new_cases(chunk).0).await;
        }
    }
    let lot = silence(&phone).await;
    assert_eq!(held(&phone), many, "the phone has them all");
    assert_eq!(server.stop(), Some(0));
    vec![
        Figure::note(format!("idle sync: bytes at {FEW} cases / at {many}"), format!("{few} / {lot}")),
        Figure::at_most("idle sync: bytes more than at 10 cases", lot as f64 - few as f64, DIGITS, "B"),
    ]
}

/// How many cases a phone has.
fn held(phone: &Phone) -> usize {
    let mut query = ListQuery { limit: 500, ..ListQuery::default() };
    let mut count = 0;
    loop {
        let (page, next) = phone.cases(&query).unwrap();
        count += page.len();
        query.after = next;
        if next.is_none() {
            return count;
        }
    }
}

/// Syncs until there is nothing left to say; the bytes of the sync after that.
async fn silence(phone: &Phone) -> u64 {
    while !phone.sync().await.is_ok_and(|report| report.drained && report.received == 0) {}
    let idle = phone.sync().await.unwrap();
    assert_eq!(idle.requests, 1);
    idle.bytes_up + idle.bytes_down
}

async fn lost() -> Vec<Figure> {
    let (calm, drops) = drops::every_answer(TEXTS).await;
    for drop in drops.iter().filter(|drop| !drop.converged || drop.further > drops::ALLOWED) {
        eprintln!("{drop:?}");
    }
    let tried = drops.len() as u64;
    let open = drops.iter().filter(|drop| !drop.converged).count() as u64;
    let slow = drops.iter().filter(|drop| drop.further > drops::ALLOWED).count() as u64;
    let most = drops.iter().map(|drop| drop.further).max().unwrap_or(0);
    vec![
        Figure::promise("sync: one answer lost, did not converge", tried, calm.requests, open),
        Figure::promise("sync: one answer lost, more than 2 further requests", tried, calm.requests, slow),
        Figure::note("sync: one answer lost, further requests at most", most.to_string()),
    ]
}
