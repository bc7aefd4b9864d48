//! What happened, line by line: hashed always, kept and printed if asked for.

use sha2::{Digest, Sha256};
use xunge_client_core::model::Millis;

/// The record of one run.
#[derive(Debug, Default)]
pub(super) struct Trace {
    hash: Sha256,
    begin: Millis,
    print: bool,
    lines: u64,
}

impl Trace {
    pub(super) fn new(begin: Millis, print: bool) -> Self {
        Self { begin, print, ..Self::default() }
    }

    /// Notes one line.
    pub(super) fn note(&mut self, at: Millis, line: &str) {
        let since_s = (at.0 - self.begin.0) as f64 / 1_000.0;
        self.hash.update(format!("{since_s:.3} {line}\n"));
        self.lines += 1;
        if self.print {
            println!("{since_s:>12.3}  {line}");
        }
    }

    /// The hash of all lines so far: equal for equal runs.
    pub(super) fn hash(&self) -> String {
        hex::encode(&self.hash.clone().finalize()[..8])
    }
}
