//! Hostile input: damaged and honest changes at the gate, every fuzz target, the bombs.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use xunge_client_core::doc::testing::{FuzzReport, HonestReport, fuzz, honest};
use xunge_tests::fuzz::{self, Report};
use xunge_tests::{bombs, memory};

use super::figure::{Figure, grouped};
use super::{Arguments, Tier, Which};

/// Damaged changes of one seed.
const DAMAGED: u64 = 10_000;
/// Honest changes of one seed.
const HONEST: u64 = 500;

/// How many seeds a tier promises: 20,000,000 damaged and 1,000,000 honest changes for `full`.
pub(crate) fn seeds(tier: Tier) -> u64 {
    tier.pick(5, 100, 2_000)
}

/// What to run.
pub(crate) struct Wanted {
    seeds: Range<u64>,
    tier: Tier,
    jobs: usize,
}

impl From<&Arguments> for Wanted {
    fn from(arguments: &Arguments) -> Self {
        let seeds = arguments.seeds_of(Which::Gate).expect("the gate runs by seeds");
        Self { seeds, tier: arguments.tier, jobs: arguments.jobs.max(1) }
    }
}

/// Runs everything; a broken promise is told at once, with the input that broke it.
pub(crate) async fn measure(wanted: &Wanted) -> Vec<Figure> {
    let mut figures = tokio::task::block_in_place(|| changes(wanted));
    figures.extend(tokio::task::block_in_place(|| targets(wanted)));
    figures.extend(bombs().await);
    figures
}

fn changes(wanted: &Wanted) -> Vec<Figure> {
    let found: Mutex<(FuzzReport, HonestReport)> = Mutex::default();
    in_parallel(wanted.jobs, wanted.seeds.clone(), |seed| {
        let (damaged, honest) = (fuzz(seed, DAMAGED), honest(seed, HONEST));
        if damaged.panics_escaped + damaged.unloadable + honest.refused > 0 || honest.converged < honest.histories {
            eprintln!("seed {seed}: {damaged:?} {honest:?}");
        }
        let mut found = found.lock().unwrap();
        found.0.add(&damaged);
        found.1.add(&honest);
    });
    let (damaged, honest) = found.into_inner().unwrap();
    let promised = seeds(wanted.tier);
    let codes = damaged.rejected.iter().map(|(code, count)| format!("{} {}", code.code(), grouped(*count)));
    let codes = codes.collect::<Vec<_>>().join(", ");
    eprintln!("gate: refused by code: {codes}");
    vec![
        Figure::promise(
            "gate: damaged changes that escaped",
            damaged.inputs,
            promised * DAMAGED,
            damaged.panics_escaped,
        ),
        Figure::promise("gate: damaged changes that harmed", damaged.inputs, promised * DAMAGED, damaged.unloadable),
        Figure::promise("gate: honest changes refused", honest.changes, promised * HONEST, honest.refused),
        Figure::promise(
            "gate: honest histories that did not converge",
            honest.histories,
            1,
            honest.histories - honest.converged,
        ),
        Figure::note("gate: damage that made another valid change", grouped(damaged.accepted)),
        Figure::note("gate: codes of refusal seen", damaged.rejected.len().to_string()),
    ]
}

fn targets(wanted: &Wanted) -> Vec<Figure> {
    let inputs = wanted.tier.pick(200, 3_000, 60_000);
    let count = fuzz::all().len() as u64;
    let found: Mutex<Vec<(u64, &str, u64, Report)>> = Mutex::default();
    in_parallel(wanted.jobs, 0..count, |index| {
        let mut target = fuzz::all().swap_remove(index as usize);
        let inputs = (inputs / target.cost()).max(1);
        let report = fuzz::run(target.as_mut(), wanted.seeds.start, inputs);
        report.escapes.iter().for_each(|escape| eprintln!("{escape}"));
        found.lock().unwrap().push((index, target.name(), inputs, report));
    });
    let mut found = found.into_inner().unwrap();
    found.sort_by_key(|(index, ..)| *index);
    let mut figures: Vec<Figure> = found
        .iter()
        .map(|(_, name, wanted, report)| {
            let escapes = report.escapes.len() as u64;
            let figure = Figure::promise(format!("fuzz: {name}"), report.inputs, *wanted, escapes);
            let measured = format!("{}, {} taken", figure.measured, grouped(report.accepted));
            Figure { measured, ..figure }
        })
        .collect();
    let peak = found.iter().map(|(.., report)| report.peak).max().unwrap_or_default();
    figures.push(Figure::note("fuzz: most memory one input took", format!("{:.1} MiB", mebibytes(peak as u64))));
    figures.push(Figure::note(
        "fuzz: high water of the process",
        format!("{:.1} MiB", mebibytes(memory::high_water(None))),
    ));
    figures
}

async fn bombs() -> Vec<Figure> {
    let report = bombs::run().await;
    report.wrong.iter().for_each(|wrong| eprintln!("bombs: {wrong}"));
    let (thrown, limit) = (report.thrown as u64, mebibytes(bombs::GROWTH));
    vec![
        Figure::promise("bombs: wrong in what followed", thrown, bombs::FEWEST as u64, report.wrong.len() as u64),
        Figure::at_most("bombs: the server grew by", mebibytes(report.growth), limit, "MiB"),
    ]
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// Runs every number of a range on so many threads.
fn in_parallel(jobs: usize, range: Range<u64>, run: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(range.start);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= range.end {
                        return;
                    }
                    run(number);
                }
            });
        }
    });
}
