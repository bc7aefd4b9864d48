//! The whole city comes back at once: every phone with reports that wait.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Barrier;
use xunge_client_core::client::Parts;

use crate::fleet::muster;
use crate::ledger::{self, Tally};
use crate::process::Server;
use crate::scene::Scene;
use crate::tap::Heard;

/// What came of it.
#[derive(Debug, Clone)]
pub struct Rush {
    /// What was promised beside what is there.
    pub tally: Tally,
    /// Phones on which something still waits.
    pub undrained: u64,
    /// Answers by status; 0 stands for none.
    pub answers: BTreeMap<u16, u64>,
    /// Time to the whole answer of syncs: the half and 99 % of them below it, and the longest.
    pub took: [Duration; 3],
    /// From the first request to the last phone's end.
    pub all: Duration,
    /// Most memory the server ever had, bytes.
    pub server_peak_bytes: u64,
    /// CPU-seconds of the server.
    pub server_cpu_s: f64,
}

/// Runs of a phone until it counts as not drained.
const RUNS: u32 = 40;

/// `phones` phones with `waiting` reports each, whose server was away, come back in the same moment.
pub async fn run(phones: usize, waiting: usize) -> Rush {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    // The real clock: they wait as long as the server asks them to.
    let by = (Parts::default as fn() -> Parts, 1);
    let members = muster(&scene, &server.url, &scene.users("inspector"), phones, by, waiting).await;
    let (cpu, start) = (server.cpu_seconds(), Arc::new(Barrier::new(phones + 1)));
    let lanes: Vec<_> = members
        .into_iter()
        .map(|member| {
            let (start, before) = (start.clone(), member.tap.heard().len());
            tokio::spawn(async move {
                start.wait().await;
                let drained = member.drain(RUNS).await.is_some();
                (member.saved, drained, member.tap.heard().split_off(before))
            })
        })
        .collect();
    start.wait().await;
    let began = Instant::now();
    let (mut saved, mut undrained, mut heard) = (BTreeSet::new(), 0, vec![]);
    for lane in lanes {
        let (reports, drained, of_it) = lane.await.expect("a phone does not panic");
        saved.extend(reports);
        undrained += u64::from(!drained);
        heard.extend(of_it);
    }
    let all = began.elapsed();
    let (server_cpu_s, server_peak_bytes) = (server.cpu_seconds() - cpu, server.peak_bytes());
    assert_eq!(server.stop(), Some(0));
    let mut answers = BTreeMap::new();
    for Heard { status, .. } in &heard {
        *answers.entry(status.unwrap_or(0)).or_default() += 1;
    }
    let tally = ledger::tally(&scene.data(), &saved);
    Rush { tally, undrained, answers, took: shares(&heard), all, server_peak_bytes, server_cpu_s }
}

fn shares(heard: &[Heard]) -> [Duration; 3] {
    let mut took: Vec<Duration> =
        heard.iter().filter(|heard| heard.what == "POST /v1/sync").map(|heard| heard.took).collect();
    took.sort_unstable();
    let at = |per_cent: usize| took.get((took.len() * per_cent / 100).min(took.len().saturating_sub(1))).copied();
    [50, 99, 100].map(|per_cent| at(per_cent).unwrap_or_default())
}
