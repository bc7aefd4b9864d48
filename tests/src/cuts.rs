//! Answers that are cut at any byte, thousands of them: everything was done, nobody heard.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use xunge_client_core::client::Parts;

use crate::fleet::{HastyClock, Member, muster};
use crate::ledger::{self, Tally};
use crate::link::{Link, Weather};
use crate::process::Server;
use crate::scene::Scene;

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub struct Torn {
    /// Answers that were cut, their requests having arrived whole.
    pub cut: u64,
    /// What was promised beside what is there.
    pub tally: Tally,
    /// Phones on which something still waits although the link is fine.
    pub stuck: u64,
    /// Photos that never came.
    pub photos_missing: u64,
}

/// Bytes of an answer, headers included, lie well within this; so about half of the cuts hit inside one.
const ANSWER: u64 = 700;
/// A phone may bring 300 cases a day.
const MOST_CASES: usize = 280;

/// `phones` phones report and sync until `wanted` answers were cut, then the link heals.
pub async fn run(phones: usize, wanted: u64, seed: u64) -> Torn {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let link = Arc::new(Link::open(server.address().parse().unwrap(), Weather::default()).await);
    let by = (HastyClock::for_misery as fn() -> Parts, seed);
    let members = muster(&scene, &link.url(), &scene.users("inspector"), phones, by, 0).await;
    link.renew(Weather { cut_answers: Some(0..ANSWER), ..Weather::default() });
    let lanes: Vec<_> = members.into_iter().map(|member| tokio::spawn(torn(member, link.clone(), wanted))).collect();
    let mut members = vec![];
    for lane in lanes {
        members.push(lane.await.expect("a phone does not panic"));
    }
    let cut = link.carried.answers_cut.load(Ordering::Relaxed);
    link.renew(Weather::default());
    let mut stuck = 0;
    for member in &members {
        stuck += u64::from(member.drain(6).await.is_none());
    }
    let saved: BTreeSet<_> = members.iter().flat_map(|member| member.saved.iter().copied()).collect();
    drop(members);
    assert_eq!(server.stop(), Some(0));
    let data = scene.data();
    Torn { cut, tally: ledger::tally(&data, &saved), stuck, photos_missing: ledger::photos_missing(&data) }
}

async fn torn(mut member: Member, link: Arc<Link>, wanted: u64) -> Member {
    while link.carried.answers_cut.load(Ordering::Relaxed) < wanted {
        if member.saved.len() < MOST_CASES && member.chance(300) {
            let photo = member.chance(200);
            member.report(photo);
        }
        let _ = member.phone.sync().await;
    }
    member
}
