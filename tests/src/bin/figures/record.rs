//! What a run measured, on which commit, and the committed log in which runs add up.
//!
//! `docs/figures/log.jsonl` holds one run a line. A promise that was tried 200 times on one commit and 10,000 times on
//! another was tried 10,200 times: [`summary`] adds that up.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use xunge_tests::cpu;

use super::figure::{Figure, Trials, grouped};
use super::{Arguments, Tier, Which, checkout};

/// One run of one group of figures.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Which figures.
    pub(crate) which: Which,
    /// How long a run it was.
    pub(crate) tier: Tier,
    /// The commit the program was built from, with a `+` if there were changes of its own.
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
            commit: checkout::built(),
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
    ///
    /// # Errors
    /// Why not, with the line itself: the run may have taken hours.
    pub(crate) fn append(&self, log: &Path) -> Result<(), String> {
        let line = serde_json::to_string(self).expect("a record is JSON");
        let file = std::fs::OpenOptions::new().append(true).open(log);
        file.and_then(|mut file| writeln!(file, "{line}"))
            .map_err(|error| format!("{} can not be written ({error}); add this line to it:\n{line}", log.display()))
    }
}

/// Prints what all runs of the log tried, added up.
///
/// # Errors
/// Which log, or which line of it, can not be read and why.
pub(crate) fn summary() -> Result<(), String> {
    let log = checkout::log()?;
    let text = std::fs::read_to_string(&log).map_err(|error| format!("{}: {error}", log.display()))?;
    let mut sums: BTreeMap<String, (Trials, Vec<String>)> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let record: Record =
            serde_json::from_str(line).map_err(|error| format!("{}:{}: {error}", log.display(), number + 1))?;
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
    Ok(())
}
