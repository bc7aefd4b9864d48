//! Prints the project's targets beside what is measured here and now, as ratios to lower bounds of the same run.
//!
//! `figures -- sync | photos | phone | new-phone | server | office | crash | sim | gate | all | log
//! [--tier quick|ci|full] [--json] [--record]`; `crash` is `crash-disk` and `crash-real`. Wall times on a shared machine
//! are noise; bytes, requests, ratios and broken promises are not. `--record` adds the run to the committed log,
//! `figures -- log` adds the log up. The exit code is 1 if a promise was broken, 2 if a run can not be written down; a
//! target that is missed is printed as SHORT and is no failure, because machines differ.

#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout, clippy::unwrap_used)]

mod bare_rows;
mod beside;
mod checkout;
mod crash;
mod crash_real;
mod figure;
mod gate;
mod intake;
mod newphone;
mod office;
mod overtaking;
mod phone;
mod photos;
mod record;
mod server;
mod sim;
mod steady;
mod sync;
mod tls;

use std::fmt;
use std::ops::Range;

use clap::{Parser, ValueEnum};
use serde::{Deserialize, Serialize};
use xunge_tests::sim::Scale;

use self::figure::Figure;
use self::record::Watch;

#[global_allocator]
static ALLOCATOR: xunge_tests::memory::Counting = xunge_tests::memory::Counting;

#[derive(Parser)]
struct Arguments {
    /// Which figures.
    #[arg(value_enum, default_value = "all")]
    which: Which,
    /// One JSON document instead of tables.
    #[arg(long)]
    json: bool,
    /// How long a run.
    #[arg(long, value_enum, default_value = "ci")]
    tier: Tier,
    /// Add the run to docs/figures/log.jsonl of the checkout around the current directory, which has to be the commit
    /// this program was built from.
    #[arg(long)]
    record: bool,
    /// Which seeds, instead of a tier's: `A..B`, B not included, or one.
    #[arg(long, value_parser = range)]
    seeds: Option<Range<u64>>,
    /// Threads for what runs by seeds; each seed runs on one.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Print everything that happens in the simulator, on one thread.
    #[arg(long)]
    trace: bool,
    /// Let what phones of the simulator hold rot as well.
    #[arg(long)]
    rot: bool,
    /// Steps of a seed of the simulator before everything heals.
    #[arg(long, default_value_t = Scale::default().steps)]
    steps: u32,
    /// With `sim`: repeat the flight recorder's file of a phone (`xunge trace --out FILE`) instead of running seeds.
    #[arg(long, value_name = "FILE")]
    replay: Option<std::path::PathBuf>,
    /// Phones of a seed of the simulator.
    #[arg(long, default_value_t = Scale::default().phones)]
    phones: usize,
}

/// A group of figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Which {
    /// Bytes, requests and seconds of a phone on a weak link.
    Sync,
    /// Photos and text on a link that keeps breaking.
    Photos,
    /// What a phone's own work costs.
    Phone,
    /// What the server can take.
    Server,
    /// What a new phone is sent.
    NewPhone,
    /// The console at a million cases.
    Office,
    /// Both kinds of crashes.
    Crash,
    /// Disks that fail, stop and forget.
    CrashDisk,
    /// Processes killed, answers cut, the server put back.
    CrashReal,
    /// A city by the dice.
    Sim,
    /// Hostile input.
    Gate,
    /// All of them.
    All,
    /// What the committed log adds up to; measures nothing.
    Log,
}

impl Which {
    /// What is measured, one after the other.
    fn groups(self) -> Vec<Self> {
        use Which::{All, Crash, CrashDisk, CrashReal, Gate, NewPhone, Office, Phone, Photos, Server, Sim, Sync};
        match self {
            All => vec![Sync, Photos, Phone, NewPhone, Server, Office, CrashDisk, CrashReal, Sim, Gate],
            Crash => vec![CrashDisk, CrashReal],
            one => vec![one],
        }
    }
}

/// How long a run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Tier {
    /// Seconds.
    Quick,
    /// Before a change lands.
    Ci,
    /// Before a release.
    Full,
}

impl Tier {
    /// The one of three numbers that belongs to the tier.
    fn pick(self, quick: u64, ci: u64, full: u64) -> u64 {
        match self {
            Self::Quick => quick,
            Self::Ci => ci,
            Self::Full => full,
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.to_possible_value().expect("no variant is hidden").get_name())
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.to_possible_value().expect("no variant is hidden").get_name())
    }
}

impl Arguments {
    /// The seeds of a group that runs by seeds.
    fn seeds_of(&self, which: Which) -> Option<Range<u64>> {
        let of_tier = match which {
            Which::Sim => 0..sim::seeds(self.tier),
            Which::Gate => 0..gate::seeds(self.tier),
            Which::CrashDisk => 0..crash::seeds(self.tier),
            _ => return None,
        };
        Some(self.seeds.clone().unwrap_or(of_tier))
    }
}

/// Reads `A..B`, or one seed.
fn range(text: &str) -> Result<Range<u64>, String> {
    let bad = |_| format!("`{text}` is neither a seed nor a range like 0..200");
    match text.split_once("..") {
        Some((first, end)) => Ok(first.parse().map_err(bad)?..end.parse().map_err(bad)?),
        None => text.parse().map_err(bad).map(|seed| seed..seed + 1),
    }
}

async fn measure(which: Which, arguments: &Arguments) -> Vec<Figure> {
    match which {
        Which::Sync => {
            let mut figures = sync::measure().await;
            figures.extend(tls::measure().await);
            figures.extend(steady::measure(arguments.tier).await);
            figures
        }
        Which::Photos => {
            let mut figures = photos::measure().await;
            figures.extend(overtaking::measure(arguments.tier).await);
            figures
        }
        Which::Phone => phone::measure(arguments.tier).await,
        Which::NewPhone => newphone::measure().await,
        Which::Server => server::measure(arguments.tier).await,
        Which::Office => office::measure(arguments.tier).await,
        Which::CrashDisk => crash::measure(&crash::Wanted::from(arguments)).await,
        Which::CrashReal => crash_real::measure(arguments.tier).await,
        Which::Sim => sim::measure(&sim::Wanted::from(arguments)).await,
        Which::Gate => gate::measure(&gate::Wanted::from(arguments)).await,
        Which::Crash | Which::All | Which::Log => vec![],
    }
}

/// Ends the program with a sentence for whoever started it.
fn stop(why: &str) -> ! {
    eprintln!("figures: {why}");
    std::process::exit(2);
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    if arguments.which == Which::Log {
        return record::summary().unwrap_or_else(|why| stop(&why));
    }
    if let Some(file) = &arguments.replay {
        return sim::replay(file);
    }
    let log = arguments.record.then(|| checkout::ready().unwrap_or_else(|why| stop(&format!("--record: {why}"))));
    let mut records = vec![];
    for which in arguments.which.groups() {
        let watch = Watch::start();
        let figures = measure(which, &arguments).await;
        let record = watch.record(which, &arguments, figures);
        if !arguments.json {
            record.print();
        }
        if let Some(log) = &log {
            record.append(log).unwrap_or_else(|why| stop(&why));
        }
        records.push(record);
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&records).unwrap());
    }
    let broken = records.iter().flat_map(|record| &record.figures).any(Figure::is_broken);
    std::process::exit(i32::from(broken));
}
