//! Fuzz targets: everything that takes bytes from strangers, and what must hold whatever the bytes are.
//!
//! A plain loop, the same on every machine for the same seed: take an input of the corpus, damage it (with knowledge of
//! its structure where raw damage would die in the outermost parser), hand it to the target, hold the answer against
//! the target's promise. A promise says more than "no panic": what is accepted encodes again to the same, loads again,
//! stays within the limits; what is refused is refused with a name.
//!
//! The corpus lies in `tests/fixtures/fuzz/TARGET/`; every input that ever broke a promise is kept there.

pub mod cbor;
mod corpus;
pub mod parts;
mod targets;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use xunge_client_core::doc::gate::quiet_panics;
use xunge_client_core::doc::testing::{Dice, mutate};

pub use self::corpus::Corpus;
pub use self::targets::all;
use crate::memory;

/// Largest input that is tried, bytes: four times what any door lets in. Damage that repeats what repeats can make
/// hundreds of megabytes, and then the memory of the loop itself is all that is measured.
const LARGEST: usize = 4 << 20;

/// Something that takes bytes from strangers.
pub trait Target {
    /// Its name, and the folder of its corpus.
    fn name(&self) -> &'static str;

    /// What must hold, in one sentence.
    fn promise(&self) -> &'static str;

    /// Good inputs; the same at every call.
    fn seeds(&self) -> Vec<Vec<u8>>;

    /// Damages an input; `other` is another one of the corpus.
    fn mutate(&self, input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
        mutate::damage(input, other, dice);
    }

    /// Tries an input; the error says what was promised and did not hold.
    fn check(&mut self, input: &[u8]) -> Result<Outcome, String>;

    /// How many inputs of an ordinary target one of this target takes as long as.
    fn cost(&self) -> u64 {
        1
    }

    /// Most bytes of memory one input may take on top of what was there.
    fn memory(&self) -> usize {
        8 << 20
    }
}

/// What became of an input. Both are good answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Accepted,
    /// It was refused, under this name.
    Refused(String),
}

impl Outcome {
    /// A refusal named by the part of an error that does not depend on the input.
    pub fn refused(error: &impl fmt::Debug) -> Self {
        let text = format!("{error:?}");
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        Self::Refused(text[..end].to_owned())
    }
}

/// An input that broke a promise.
#[derive(Debug, Clone)]
pub struct Escape {
    /// Which target.
    pub target: &'static str,
    /// What happened.
    pub what: String,
    /// The input.
    pub input: Vec<u8>,
}

/// What a run found.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Inputs tried.
    pub inputs: u64,
    /// How many were taken.
    pub accepted: u64,
    /// How many were refused, by name.
    pub refused: BTreeMap<String, u64>,
    /// Broken promises.
    pub escapes: Vec<Escape>,
    /// Most memory one input took, bytes; 0 if the program does not count.
    pub peak: usize,
}

impl fmt::Display for Escape {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}; {} bytes: ", self.target, self.what, self.input.len())?;
        match self.input.get(..600) {
            None => out.write_str(&hex::encode(&self.input)),
            Some(start) => write!(out, "{}…", hex::encode(start)),
        }
    }
}

/// Tries the whole corpus as it is, then `inputs` damaged inputs.
pub fn run(target: &mut dyn Target, seed: u64, inputs: u64) -> Report {
    let mut dice = Dice::new(seed);
    let corpus = Corpus::of(target);
    let mut report = Report::default();
    for input in corpus.inputs() {
        attempt(target, input, &mut report);
    }
    for _ in 0..inputs {
        let input = loop {
            let mut input = corpus.pick(&mut dice).to_vec();
            target.mutate(&mut input, corpus.pick(&mut dice), &mut dice);
            if input.len() <= LARGEST {
                break input;
            }
        };
        attempt(target, &input, &mut report);
    }
    report
}

fn attempt(target: &mut dyn Target, input: &[u8], report: &mut Report) {
    let _quiet = quiet_panics();
    memory::begin();
    let checked = catch_unwind(AssertUnwindSafe(|| target.check(input)));
    let peak = memory::peak();
    report.inputs += 1;
    report.peak = report.peak.max(peak);
    let broken = match checked {
        Ok(Ok(_)) if peak > target.memory() => Some(format!("it took {peak} bytes of memory")),
        Ok(Ok(Outcome::Accepted)) => {
            report.accepted += 1;
            None
        }
        Ok(Ok(Outcome::Refused(name))) => {
            *report.refused.entry(name).or_default() += 1;
            None
        }
        Ok(Err(broken)) => Some(broken),
        Err(payload) => {
            let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
            let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
            Some(format!("panicked: {}", text.unwrap_or_default()))
        }
    };
    if let Some(what) = broken {
        report.escapes.push(Escape { target: target.name(), what, input: input.to_vec() });
    }
}
