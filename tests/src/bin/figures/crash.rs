//! Disks that fail, stop and forget, at every operation of every story, and what was lost.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use xunge_tests::cpu;
use xunge_tests::fault::{self, Harm, Tally};

use super::figure::{Figure, grouped};
use super::{Arguments, Tier, Which};

/// How many contents a tier runs every fault with.
pub(crate) fn seeds(tier: Tier) -> u64 {
    tier.pick(1, 4, 60)
}

/// Recoveries a tier has to reach.
fn recoveries(tier: Tier) -> u64 {
    tier.pick(1_000, 5_000, 100_000)
}

/// What to run.
pub(crate) struct Wanted {
    seeds: Range<u64>,
    /// Recoveries there have to be.
    target: u64,
    jobs: usize,
    /// Tell of each story when it is through.
    trace: bool,
}

impl From<&Arguments> for Wanted {
    fn from(arguments: &Arguments) -> Self {
        let seeds = arguments.seeds_of(Which::CrashDisk).expect("crashes run by seeds");
        Self { seeds, target: recoveries(arguments.tier), jobs: arguments.jobs.max(1), trace: arguments.trace }
    }
}

/// Runs every fault; one that does harm is told at once, with how to run it again.
pub(crate) async fn measure(wanted: &Wanted) -> Vec<Figure> {
    let (started, cpu_s) = (Instant::now(), cpu::seconds(None));
    let tally = tokio::task::block_in_place(|| run(wanted));
    let (wall_s, cpu_s) = (started.elapsed().as_secs_f64(), cpu::seconds(None) - cpu_s);
    let recovered = tally.recoveries.values().sum();
    let harmed = |harm| tally.found.iter().filter(|found| found.broken.harm == harm).count() as u64;
    let mut figures = vec![
        Figure::promise(
            "crash: recoveries that lost something acknowledged",
            recovered,
            wanted.target,
            harmed(Harm::Lost),
        ),
        Figure::promise("crash: recoveries with damage", recovered, wanted.target, harmed(Harm::Corrupt)),
        Figure::promise("crash: recoveries with another end", recovered, wanted.target, harmed(Harm::Other)),
    ];
    let all: u64 = tally.points.values().flat_map(|sides| sides.values()).sum();
    figures.push(Figure::note("crash: operations hit", grouped(all)));
    for (story, sides) in &tally.points {
        let sides: Vec<String> = sides.iter().map(|(side, points)| format!("{side} {}", grouped(*points))).collect();
        figures.push(Figure::note(format!("crash: operations hit, {story}"), sides.join(", ")));
    }
    let counts = |of: &std::collections::BTreeMap<&str, u64>| {
        of.iter().map(|(how, count)| format!("{how} {}", grouped(*count))).collect::<Vec<_>>().join(", ")
    };
    figures.push(Figure::note("crash: recoveries by loss mode", counts(&tally.recoveries)));
    figures.push(Figure::note("crash: not tried again, the same disk was tried", grouped(tally.alike)));
    figures.push(Figure::note("crash: ended where the rest was told before", grouped(tally.joined)));
    figures.push(Figure::note("crash: operations that failed under a living program", counts(&tally.failures)));
    let ms = |seconds: f64| seconds * 1_000.0 / (recovered + tally.failures.values().sum::<u64>()).max(1) as f64;
    figures.push(Figure::note("crash: per fault", format!("{:.1} ms, {:.1} CPU-ms", ms(wall_s), ms(cpu_s))));
    figures
}

fn run(wanted: &Wanted) -> Tally {
    let stories = fault::stories();
    let first = wanted.seeds.start * stories;
    let (next, end) = (AtomicU64::new(first), wanted.seeds.end * stories);
    let tally: Mutex<Tally> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..wanted.jobs {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= end {
                        return;
                    }
                    let (begun, cpu_s) = (Instant::now(), cpu::seconds(None));
                    let ran = fault::run(number % stories, number / stories, 1);
                    if wanted.trace {
                        let (wall_s, cpu_s) = (begun.elapsed().as_secs_f64(), cpu::seconds(None) - cpu_s);
                        eprintln!(
                            "{:?} {:?} {:?}: {wall_s:.1} s, {cpu_s:.1} CPU-s",
                            ran.points, ran.recoveries, ran.failures
                        );
                    }
                    ran.found.iter().for_each(|found| eprintln!("{found}"));
                    tally.lock().unwrap().add(ran);
                }
            });
        }
    });
    tally.into_inner().unwrap()
}
