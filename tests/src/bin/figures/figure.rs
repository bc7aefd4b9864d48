//! One line of a table: a target and what was measured.

use serde::{Deserialize, Serialize};

/// One line: a target and what was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) name: String,
    /// What was wanted.
    pub(crate) target: String,
    /// What came out.
    pub(crate) measured: String,
    /// Whether it is within the target; `None` where the figure only informs.
    pub(crate) within: Option<bool>,
    /// Tries of a promise; they add up over runs and commits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trials: Option<Trials>,
    /// What others cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) peers: Option<Peers>,
}

/// What two well-known ways of syncing cost on a workload of the same shape.
///
/// Measured once, not in this run: PouchDB 9.0.0 with express-pouchdb 4.2.0, and Yjs 13.6.33 with hocuspocus 3.4.4, one
/// document a case, no TLS, behind a proxy of 64 kbit/s up, 128 kbit/s down and 250 ms each way. 100 cases of 498 bytes
/// of JSON with three edits each; 12 photos of 120,000 bytes. The bound there was 9,129 bytes and 2.2 s, so ratios
/// compare, and bare bytes only roughly. Requests of hocuspocus are websocket frames, both ways.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Peers {
    /// PouchDB, the CouchDB protocol.
    pub(crate) pouchdb: String,
    /// hocuspocus, Yjs over a websocket.
    pub(crate) hocuspocus: String,
}

/// How often something was tried that may never fail, and how often it did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trials {
    /// Tries.
    pub(crate) tried: u64,
    /// Failures among them.
    pub(crate) failed: u64,
}

impl Figure {
    /// A figure that must not be above `limit`.
    pub(crate) fn at_most(name: impl Into<String>, value: f64, limit: f64, unit: &str) -> Self {
        let (target, measured) = (format!("<= {limit:.2} {unit}"), format!("{value:.2} {unit}"));
        Self { within: Some(value <= limit), ..Self::line(name, target, measured) }
    }

    /// A figure that must not be below `limit`.
    pub(crate) fn at_least(name: impl Into<String>, value: f64, limit: f64, unit: &str) -> Self {
        let (target, measured) = (format!(">= {limit:.0} {unit}"), format!("{value:.0} {unit}"));
        Self { within: Some(value >= limit), ..Self::line(name, target, measured) }
    }

    /// A figure without a target.
    pub(crate) fn note(name: impl Into<String>, measured: String) -> Self {
        Self::line(name, "-".to_owned(), measured)
    }

    /// A figure for which something is missing here, with what.
    pub(crate) fn not_run(name: impl Into<String>, target: &str, reason: &str) -> Self {
        Self::line(name, target.to_owned(), format!("not run: {reason}"))
    }

    /// A promise that was tried `tried` times, at least `wanted` of them, and may not fail once.
    pub(crate) fn promise(name: impl Into<String>, tried: u64, wanted: u64, failed: u64) -> Self {
        let target = format!("0 of >= {}", grouped(wanted));
        let measured = format!("{} of {}", grouped(failed), grouped(tried));
        let (within, trials) = (Some(failed == 0 && tried >= wanted), Some(Trials { tried, failed }));
        Self { within, trials, ..Self::line(name, target, measured) }
    }

    /// The same with what the two peers needed for it.
    pub(crate) fn beside(self, pouchdb: &str, hocuspocus: &str) -> Self {
        Self { peers: Some(Peers { pouchdb: pouchdb.to_owned(), hocuspocus: hocuspocus.to_owned() }), ..self }
    }

    fn line(name: impl Into<String>, target: String, measured: String) -> Self {
        Self { name: name.into(), target, measured, within: None, trials: None, peers: None }
    }

    /// True if a promise was broken. A target that is missed is not: machines differ.
    pub(crate) fn is_broken(&self) -> bool {
        self.trials.is_some_and(|trials| trials.failed > 0)
    }

    /// The line as a person reads it.
    pub(crate) fn row(&self) -> String {
        let verdict = match self.within {
            _ if self.is_broken() => "BROKEN",
            Some(true) => "ok",
            Some(false) => "SHORT",
            None => "",
        };
        let line = format!("{:<64} {:>20} {:>30}  {verdict}", self.name, self.target, self.measured);
        match &self.peers {
            Some(Peers { pouchdb, hocuspocus }) => format!("{line:<125}{pouchdb:>20} {hocuspocus:>20}"),
            None => line,
        }
    }
}

/// A whole number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
