//! Runs seeds of the simulator and says what it found.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use serde_json::json;
use xunge_tests::sim::{self, Scale, Stats, Violation};

/// How many seeds a tier runs.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
pub(crate) enum Tier {
    /// A few minutes of one core.
    Ci,
    /// Before a release.
    Full,
}

/// What to run.
pub(crate) struct Wanted {
    pub(crate) seeds: Range<u64>,
    pub(crate) trace: bool,
    pub(crate) json: bool,
    pub(crate) jobs: usize,
    pub(crate) scale: Scale,
}

impl Tier {
    pub(crate) fn seeds(self) -> Range<u64> {
        match self {
            Self::Ci => 0..30,
            Self::Full => 0..10_000,
        }
    }
}

/// Reads `A..B`, or one seed.
pub(crate) fn range(text: &str) -> Result<Range<u64>, String> {
    let bad = |_| format!("`{text}` is neither a seed nor a range like 0..200");
    match text.split_once("..") {
        Some((first, end)) => Ok(first.parse().map_err(bad)?..end.parse().map_err(bad)?),
        None => text.parse().map_err(bad).map(|seed| seed..seed + 1),
    }
}

/// Runs the seeds; answers whether all of them held.
pub(crate) fn run(wanted: &Wanted) -> bool {
    let next = AtomicU64::new(wanted.seeds.start);
    let results: Mutex<(Stats, Vec<Violation>)> = Mutex::default();
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..if wanted.trace { 1 } else { wanted.jobs } {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= wanted.seeds.end {
                        return;
                    }
                    let ran = sim::run(seed, wanted.scale, wanted.trace);
                    let mut results = results.lock().unwrap();
                    match ran {
                        Ok(stats) => results.0.add(&stats),
                        Err(violation) => {
                            if !wanted.json {
                                println!("{violation}");
                            }
                            results.1.push(*violation);
                        }
                    }
                }
            });
        }
    });
    let (stats, mut violations) = results.into_inner().unwrap();
    violations.sort_by_key(|violation| violation.seed);
    let seconds = started.elapsed().as_secs_f64();
    if wanted.json {
        let broken: Vec<_> = violations
            .iter()
            .map(|it| json!({"seed": it.seed, "step": it.step, "invariant": it.invariant, "found": it.found}))
            .collect();
        let seeds = json!([wanted.seeds.start, wanted.seeds.end]);
        println!("{:#}", json!({"seeds": seeds, "held": stats, "violations": broken, "seconds": seconds}));
    } else {
        let Stats { seeds, steps, cases, events, requests, crashes, misfortunes, phone_hours, rounds, hash } = &stats;
        println!(
            "{seeds} seeds held: {steps} steps, {cases} cases, {events} decisions, {requests} requests, {crashes} crashes, \
             {misfortunes} misfortunes, {phone_hours} phone-hours; drained in at most {rounds} rounds; {seconds:.1} s"
        );
        println!("trace of the last seed: {hash}");
        let kinds: BTreeSet<&str> = violations.iter().map(|violation| violation.invariant).collect();
        if !violations.is_empty() {
            println!("{} seeds FAILED: {}", violations.len(), kinds.into_iter().collect::<Vec<_>>().join("; "));
        }
    }
    violations.is_empty()
}
