//! What a run measured, on which commit, and the committed log in which runs add up.
//!
//! `docs/figures/log.jsonl` holds one run a line. A promise that was tried 200 times on one commit and 10,000 times on
//! another was tried 10,200 times: [`summary`] adds that up.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use xunge_tests::cpu;

use super::figure::{Figure, Trials, grouped};
use super::{Arguments, Tier, Which};

/// One run of one group of figures.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Which figures.
    pub(crate) which: Which,
    /// How long a run it was.
    pub(crate) tier: Tier,
    /// The commit, with a `+` if the work tree had changes of its own.
    pub(crate) commit: String,
    /// First seed and the one behind the last, where seeds were used.
    pub(crate) seeds: Option<(u64, u64)>,
    /// Wall time, seconds.
    pub(crate) wall_s: f64,
    /// Processor time of this process and of those it started and saw end, seconds.
    pub(crate) cpu_s: f64,
    /// Processors of the machine.
    pub(crate) cores: usize,
    /// What came out.
    pub(crate) figures: Vec<Figure>,
}

/// Takes the time of a run.
#[derive(Debug)]
pub(crate) struct Watch {
    started: Instant,
    cpu_s: f64,
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self { started: Instant::now(), cpu_s: cpu::with_children() }
    }

    /// The record of what ran since.
    pub(crate) fn record(self, which: Which, arguments: &Arguments, figures: Vec<Figure>) -> Record {
        let rounded = |seconds: f64| (seconds * 10.0).round() / 10.0;
        Record {
            which,
            tier: arguments.tier,
            commit: commit(),
            seeds: arguments.seeds_of(which).map(|seeds| (seeds.start, seeds.end)),
            wall_s: rounded(self.started.elapsed().as_secs_f64()),
            cpu_s: rounded(cpu::with_children() - self.cpu_s),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            figures,
        }
    }
}

impl Record {
    /// Prints it as a table.
    pub(crate) fn print(&self) {
        let Self { which, tier, commit, wall_s, cpu_s, .. } = self;
        let seeds = self.seeds.map(|(first, end)| format!(", seeds {first}..{end}")).unwrap_or_default();
        println!("{which}, tier {tier}, commit {commit}{seeds}: {wall_s} s, {cpu_s} CPU-s");
        if self.figures.iter().any(|figure| figure.peers.is_some()) {
            println!("{:125}{:>20} {:>20}", "", "PouchDB, quoted", "hocuspocus, quoted");
        }
        for figure in &self.figures {
            println!("{}", figure.row());
        }
    }

    /// Appends it to the log.
    pub(crate) fn append(&self) {
        let mut log =
            std::fs::OpenOptions::new().create(true).append(true).open(log()).expect("the log can be written");
        let line = serde_json::to_string(self).expect("a record is JSON");
        writeln!(log, "{line}").expect("the log can be written");
    }
}

/// Prints what all runs of the log tried, added up.
pub(crate) fn summary() {
    let text = std::fs::read_to_string(log()).unwrap_or_default();
    let records = text.lines().map(|line| serde_json::from_str::<Record>(line).expect("a line of the log is a record"));
    let mut sums: BTreeMap<String, (Trials, Vec<String>)> = BTreeMap::new();
    for record in records {
        for figure in record.figures {
            let Some(trials) = figure.trials else { continue };
            let (sum, commits) = sums.entry(figure.name).or_default();
            sum.tried += trials.tried;
            sum.failed += trials.failed;
            if commits.last() != Some(&record.commit) {
                commits.push(record.commit.clone());
            }
        }
    }
    for (name, (Trials { tried, failed }, commits)) in sums {
        let (tried, failed, first) = (grouped(tried), grouped(failed), &commits[0]);
        println!("{name:<64} {failed:>6} of {tried:>14}  over {} commits since {first}", commits.len());
    }
}

fn log() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/figures/log.jsonl"))
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(["-C", env!("CARGO_MANIFEST_DIR")]).args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // A log that is about to be committed is no change of what was measured.
    let changed = git(&["status", "--porcelain", "--", ":/", ":!/docs/figures"]).is_some_and(|text| !text.is_empty());
    let hash = git(&["rev-parse", "--short=9", "HEAD"]).unwrap_or_else(|| "unknown".to_owned());
    format!("{hash}{}", if changed { "+" } else { "" })
}
