//! Prints the project's targets beside what is measured here and now, as ratios to lower bounds of the same run.
//!
//! `figures -- sync | photos | server | new-phone | all [--json]`, and `figures -- sim` for the simulator. Wall times on a
//! shared machine are noise; bytes, requests and ratios are not.

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

mod newphone;
mod photos;
mod server;
mod sim;
mod sync;

use clap::{Parser, ValueEnum};
use serde::Serialize;
use xunge_tests::sim::Scale;

#[derive(Parser)]
struct Arguments {
    /// Which figures.
    #[arg(value_enum, default_value = "all")]
    which: Which,
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
    /// How many seeds of the simulator.
    #[arg(long, value_enum, default_value = "ci")]
    tier: sim::Tier,
    /// Which seeds of the simulator, instead of a tier's: `A..B`, B not included, or one.
    #[arg(long, value_parser = sim::range)]
    seeds: Option<std::ops::Range<u64>>,
    /// Print everything that happens in the simulator, on one thread.
    #[arg(long)]
    trace: bool,
    /// Threads for seeds of the simulator; each seed runs on one.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Clone phones of the simulator as well.
    #[arg(long)]
    clones: bool,
    /// Steps of a seed before everything heals.
    #[arg(long, default_value_t = Scale::default().steps)]
    steps: u32,
    /// Phones of a seed.
    #[arg(long, default_value_t = Scale::default().phones)]
    phones: usize,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Which {
    Sync,
    Photos,
    Server,
    NewPhone,
    Sim,
    All,
}

/// One line: a target and what was measured.
#[derive(Debug, Serialize)]
struct Figure {
    /// What was measured.
    name: &'static str,
    /// What was wanted.
    target: String,
    /// What came out.
    measured: String,
    /// Whether it is within the target; `None` where the figure only informs.
    within: Option<bool>,
}

impl Figure {
    /// A figure that must not be above `limit`.
    fn at_most(name: &'static str, value: f64, limit: f64, unit: &str) -> Self {
        Self {
            name,
            target: format!("<= {limit:.2} {unit}"),
            measured: format!("{value:.2} {unit}"),
            within: Some(value <= limit),
        }
    }

    /// A figure that must not be below `limit`.
    fn at_least(name: &'static str, value: f64, limit: f64, unit: &str) -> Self {
        Self {
            name,
            target: format!(">= {limit:.0} {unit}"),
            measured: format!("{value:.0} {unit}"),
            within: Some(value >= limit),
        }
    }

    /// A figure without a target.
    fn note(name: &'static str, measured: String) -> Self {
        Self { name, target: "-".to_owned(), measured, within: None }
    }
}

#[tokio::main]
async fn main() {
    let arguments = Arguments::parse();
    if arguments.which == Which::Sim {
        let wanted = sim::Wanted {
            seeds: arguments.seeds.unwrap_or_else(|| arguments.tier.seeds()),
            trace: arguments.trace,
            json: arguments.json,
            jobs: arguments.jobs.max(1),
            scale: Scale { phones: arguments.phones, steps: arguments.steps, clones: arguments.clones },
        };
        let held = tokio::task::spawn_blocking(move || sim::run(&wanted)).await.unwrap();
        std::process::exit(i32::from(!held));
    }
    let mut figures = vec![];
    let wanted = |which| arguments.which == which || arguments.which == Which::All;
    if wanted(Which::Sync) {
        figures.extend(sync::measure().await);
    }
    if wanted(Which::Photos) {
        figures.extend(photos::measure().await);
    }
    if wanted(Which::NewPhone) {
        figures.extend(newphone::measure().await);
    }
    if wanted(Which::Server) {
        figures.extend(server::measure().await);
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&figures).unwrap());
        return;
    }
    for figure in &figures {
        let verdict = match figure.within {
            Some(true) => "ok",
            Some(false) => "SHORT",
            None => "",
        };
        println!("{:<58} {:>18} {:>26}  {verdict}", figure.name, figure.target, figure.measured);
    }
}
