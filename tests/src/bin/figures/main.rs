//! Prints the project's targets beside what is measured here and now, as ratios to lower bounds of the same run.
//!
//! `figures -- sync | photos | server | new-phone | all [--json]`. Wall times on a shared machine are noise; bytes, requests and ratios are not.

#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::unwrap_used)]

mod newphone;
mod photos;
mod server;
mod sync;

use clap::{Parser, ValueEnum};
use serde::Serialize;

#[derive(Parser)]
struct Arguments {
    /// Which figures.
    #[arg(value_enum, default_value = "all")]
    which: Which,
    /// One JSON document instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Which {
    Sync,
    Photos,
    Server,
    NewPhone,
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
