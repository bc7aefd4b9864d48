//! Disks that fail, stop and forget, under the real phone and the real centre.

mod batches;
mod calls;
mod check;
mod disk;
mod flushes;
mod image;
mod loss;
mod promises;
#[cfg(test)]
mod regressions;
pub(crate) mod room;
mod run;
mod steps;
mod stories;
#[cfg(test)]
mod tests;
mod world;

use std::collections::BTreeMap;
use std::fmt;

pub use self::flushes::Watched;
pub use self::loss::Loss;
pub use self::run::fast_folder;
pub use self::world::{Broken, Harm};

/// One thing that went wrong on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// In which story.
    pub story: &'static str,
    /// With which contents.
    pub seed: u64,
    /// At which operation.
    pub at: u64,
    /// `stop`, `drop`, `torn`, `torn-2`, `torn-3`; `eio`, `full`.
    pub how: &'static str,
}

/// A fault that did harm.
#[derive(Clone, Debug)]
pub struct Found {
    /// The fault.
    pub fault: Fault,
    /// The harm.
    pub broken: Broken,
}

/// What came of many faults.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Operations at which something was stopped, by story and side.
    pub points: BTreeMap<&'static str, BTreeMap<&'static str, u64>>,
    /// Recoveries by kind of loss.
    pub recoveries: BTreeMap<&'static str, u64>,
    /// Faults that need no run of their own: the same disk was left by another, or the operation needs no room.
    pub alike: u64,
    /// Runs that ended early: nothing ran, and from the very same disk another had come to the right end.
    pub joined: u64,
    /// Failed operations the programs lived on after, by kind.
    pub failures: BTreeMap<&'static str, u64>,
    /// What did harm.
    pub found: Vec<Found>,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        for (story, sides) in other.points {
            for (side, points) in sides {
                *self.points.entry(story).or_default().entry(side).or_default() += points;
            }
        }
        other.recoveries.into_iter().for_each(|(how, count)| *self.recoveries.entry(how).or_default() += count);
        other.failures.into_iter().for_each(|(how, count)| *self.failures.entry(how).or_default() += count);
        self.alike += other.alike;
        self.joined += other.joined;
        self.found.extend(other.found);
    }
}

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { story, seed, at, how } = self.fault;
        let Broken { harm, what } = &self.broken;
        write!(out, "{harm:?}: {what} (XUNGE_FAULT='{story}:{seed}:{at}:{how}')")
    }
}

/// How many stories there are.
pub fn stories() -> u64 {
    stories::ALL.len() as u64
}

/// What a story is called.
pub fn name(story: u64) -> &'static str {
    stories::ALL[story as usize].name
}

/// Runs the faults of one story with the contents of one seed: at every operation, or at every so manieth.
pub fn run(story: u64, seed: u64, every: u64) -> Tally {
    let mut tally = Tally::default();
    let script = run::Script::write(stories::ALL[story as usize], seed);
    script.crash_everywhere(every, &mut tally);
    script.fail_everywhere(every, &mut tally);
    tally.joined = script.joined();
    tally
}

/// Does again the one fault that a line of [`Found`] names, `story:seed:at:how`; gives the harm it does, and the
/// operations around it (as they are numbered without the fault).
///
/// # Panics
/// If there is no such fault.
pub fn again(fault: &str) -> (Option<Broken>, String) {
    let parts: Vec<&str> = fault.split(':').collect();
    let [story, seed, at, how] = parts[..] else { panic!("`{fault}` is not story:seed:at:how") };
    let story = stories::ALL.iter().find(|known| known.name == story).unwrap_or_else(|| panic!("no story `{story}`"));
    let number = |text: &str| text.parse().unwrap_or_else(|_| panic!("`{text}` in `{fault}` is no number"));
    let script = run::Script::write(*story, number(seed));
    (script.again(number(at), how).err(), script.around(number(at)))
}
