//! Runs seeds of the simulator and says what it found.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use xunge_client_core::sync::trace::{self, TraceFile};
use xunge_tests::sim::{self, Scale, Stats, Violation};

use super::figure::{Figure, grouped};
use super::{Arguments, Tier, Which};

/// Repeats what a phone's flight recorder holds, and says where the engine of this build would do something else.
pub(crate) fn replay(file: &Path) {
    let traces = TraceFile::read(&std::fs::read(file).unwrap()).and_then(|file| file.traces()).unwrap();
    let mut differs = false;
    for (number, recorded) in traces.iter().enumerate() {
        match trace::replay(recorded) {
            Ok(steps) => println!("segment {number}: {steps} steps, the same effects"),
            Err(diverged) => println!("segment {number}: {diverged}"),
        }
        differs |= trace::replay(recorded).is_err();
    }
    if differs {
        std::process::exit(1);
    }
}

/// How many seeds a tier promises. Those of `ci` were run and hold, see docs/TESTING.md.
pub(crate) fn seeds(tier: Tier) -> u64 {
    tier.pick(10, 200, 10_000)
}

/// What to run.
pub(crate) struct Wanted {
    seeds: Range<u64>,
    /// How many of them there have to be.
    target: u64,
    trace: bool,
    jobs: usize,
    scale: Scale,
}

impl From<&Arguments> for Wanted {
    fn from(arguments: &Arguments) -> Self {
        Self {
            seeds: arguments.seeds_of(Which::Sim).expect("the simulator runs by seeds"),
            target: seeds(arguments.tier),
            trace: arguments.trace,
            jobs: arguments.jobs.max(1),
            scale: Scale { phones: arguments.phones, steps: arguments.steps, rot: arguments.rot },
        }
    }
}

/// Runs the seeds; a seed that breaks an invariant is told at once, with how to run it again.
pub(crate) async fn measure(wanted: &Wanted) -> Vec<Figure> {
    let (stats, violations) = tokio::task::block_in_place(|| run(wanted));
    let tried = wanted.seeds.end - wanted.seeds.start;
    let stuck = violations.iter().filter(|violation| violation.invariant == "every queue drains").count() as u64;
    let broken = violations.len() as u64 - stuck;
    let kinds: BTreeSet<&str> = violations.iter().map(|violation| violation.invariant).collect();
    let Stats {
        steps,
        cases,
        events,
        requests,
        previews,
        photos,
        again,
        copies,
        bundles,
        outages,
        swept,
        crashes,
        misfortunes,
        phone_hours,
        rounds,
        hash,
        ..
    } = &stats;
    let mut figures = vec![
        Figure::promise("sim: seeds with a violation", tried, wanted.target, broken),
        Figure::promise("sim: seeds with a stuck queue", tried, wanted.target, stuck),
        Figure::note("sim: steps / cases / decisions", three(*steps, *cases, *events)),
        Figure::note("sim: requests / crashes / misfortunes", three(*requests, *crashes, *misfortunes)),
        Figure::note("sim: previews that went ahead of their photos", grouped(*previews)),
        Figure::note(
            "sim: requests made again / copies noticed",
            format!("{} / {}", grouped(*again), grouped(*copies)),
        ),
        Figure::note(
            "sim: rescue bundles taken / power cuts of the centre",
            format!("{} / {}", grouped(*bundles), grouped(*outages)),
        ),
        Figure::note("sim: photos / removed by sweeps", format!("{} / {}", grouped(*photos), grouped(*swept))),
        Figure::note("sim: phone-hours", grouped(*phone_hours)),
        Figure::note("sim: rounds until drained, at most", rounds.to_string()),
        Figure::note("sim: trace of the last seed that held", hash.clone()),
    ];
    if !kinds.is_empty() {
        figures.push(Figure::note("sim: broken", kinds.into_iter().collect::<Vec<_>>().join("; ")));
    }
    figures
}

fn three(first: u64, second: u64, third: u64) -> String {
    format!("{} / {} / {}", grouped(first), grouped(second), grouped(third))
}

fn run(wanted: &Wanted) -> (Stats, Vec<Violation>) {
    let next = AtomicU64::new(wanted.seeds.start);
    let results: Mutex<(Stats, Vec<Violation>)> = Mutex::default();
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
                            eprintln!("{violation}");
                            results.1.push(*violation);
                        }
                    }
                }
            });
        }
    });
    results.into_inner().unwrap()
}
