//! Exchanging a table of reference data for the one in a file (核对与启用): what would change, what stands against it, how it
//! ended. The org tree and the category trees are exchanged alike; each says in what its things differ and why not.

use std::collections::BTreeSet;
use std::fmt::{self, Display, Formatter};

use serde::Serialize;
use serde_json::{Value, json};
use xunge_client_core::model::{Millis, Sha256};

use super::audit;
use super::directory::version;
use crate::store::{StoreError, Tx};

/// In what a thing differs.
pub trait Difference: Copy + PartialEq {
    /// It is new.
    const ADDED: Self;
    /// The file no longer has it.
    const REMOVED: Self;

    /// In Chinese.
    fn zh(self) -> &'static str;

    /// In English.
    fn en(self) -> &'static str;
}

/// Why a difference can not be.
pub trait Objection<W> {
    /// In Chinese.
    fn zh(&self) -> String;

    /// In English.
    fn en(&self) -> String;

    /// What to do instead, English and Chinese.
    fn way_out(&self, what: W) -> (&'static str, &'static str);
}

/// One difference. A thing has as many as there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change<W> {
    /// Code of the thing.
    pub code: String,
    /// Its name in the file; of one that is no longer there the name it has.
    pub name: String,
    /// In what it differs.
    pub what: W,
    /// How it is; none for not there.
    pub now: Option<String>,
    /// How it would be; none for not there.
    pub then: Option<String>,
}

impl<W: Difference> Change<W> {
    /// A thing the file has and the installation has not.
    pub fn added(code: impl Into<String>, name: &str) -> Self {
        Self { code: code.into(), name: name.to_owned(), what: W::ADDED, now: None, then: Some(name.to_owned()) }
    }

    /// A thing the file no longer has.
    pub fn removed(code: impl Into<String>, name: &str) -> Self {
        Self { code: code.into(), name: name.to_owned(), what: W::REMOVED, now: Some(name.to_owned()), then: None }
    }
}

/// How many things are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Numbers {
    /// New ones.
    pub added: usize,
    /// Those that differ.
    pub changed: usize,
    /// Those that go.
    pub removed: usize,
}

impl Numbers {
    /// Counts things, each once however much of it differs.
    pub fn of<W: Difference>(changes: &[Change<W>]) -> Self {
        let count = |what| changes.iter().filter(|change| change.what == what).count();
        let (added, removed) = (count(W::ADDED), count(W::REMOVED));
        let codes: BTreeSet<&str> = changes.iter().map(|change| change.code.as_str()).collect();
        Self { added, changed: codes.len() - added - removed, removed }
    }
}

/// One thing that can not be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal<W, O> {
    /// Code of the thing.
    pub code: String,
    /// Its name.
    pub name: String,
    /// What would change.
    pub what: W,
    /// Why not.
    #[serde(flatten)]
    pub reason: O,
}

impl<W: Difference, O: Objection<W>> Refusal<W, O> {
    /// The refusal of a change.
    pub fn of(change: &Change<W>, reason: O) -> Self {
        Self { code: change.code.clone(), name: change.name.clone(), what: change.what, reason }
    }

    /// The reason in Chinese.
    pub fn zh(&self) -> String {
        self.reason.zh()
    }

    /// What to do instead, English and Chinese.
    pub fn way_out(&self) -> (&'static str, &'static str) {
        self.reason.way_out(self.what)
    }
}

impl<W, O: Objection<W>> Display for Refusal<W, O> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason.en())
    }
}

/// What a file would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<W, O> {
    /// Every difference; none are told of a file that is about something else altogether.
    pub changes: Vec<Change<W>>,
    /// What stands against it; empty if it may be put in force.
    pub refusals: Vec<Refusal<W, O>>,
}

impl<W, O> Default for Plan<W, O> {
    fn default() -> Self {
        Self { changes: Vec::new(), refusals: Vec::new() }
    }
}

/// How putting a file in force ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<W, O, D> {
    /// It is in force.
    Done(D),
    /// It was in force already; nothing was written.
    Same,
    /// It can not be; nothing was written.
    Refused(Plan<W, O>),
}

/// A file that was put in force, as the audit log has it.
#[derive(Clone, Copy, Debug)]
pub struct Applied<'a> {
    /// Who did it.
    pub by: &'a str,
    /// The dotted word of the log.
    pub action: &'a str,
    /// What the file was about.
    pub subject: &'a str,
    /// Hash of the file as it was given.
    pub sha256: &'a Sha256,
    /// When.
    pub at: Millis,
}

impl Applied<'_> {
    /// Moves the reference version on and writes the line of the log, with the members of `more` beside the numbers; answers
    /// the new version. In the transaction of the changes.
    pub async fn note(&self, tx: &mut dyn Tx, numbers: Numbers, more: &[(&str, u64)]) -> Result<u64, StoreError> {
        let version = version::next(tx).await?;
        let mut detail = json!({
            "sha256": self.sha256.to_string(), "added": numbers.added, "changed": numbers.changed,
            "removed": numbers.removed, "version": version,
        });
        for (name, value) in more {
            detail[*name] = Value::from(*value);
        }
        let detail = detail.to_string();
        let Self { by, action, subject, at, .. } = *self;
        audit::append(tx, &audit::Entry { at, actor: by, action, subject, detail: &detail }).await?;
        Ok(version)
    }
}
