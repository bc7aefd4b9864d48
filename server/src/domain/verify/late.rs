//! Late edits (逾期修改): facts that were edited after the decision carry the time of the last such edit.
//!
//! What came first, the decision or the edit, only the feed knows: both may have happened in the same millisecond. So
//! the cases in question are noted here and settled while the feed is walked.

use std::collections::BTreeMap;

use xunge_client_core::doc::FieldDoc;
use xunge_client_core::doc::gate::{Policy, admit};
use xunge_client_core::model::{CaseId, ChangeHash};

use super::Report;
use super::cases::Past;
use super::documents::Received;
use crate::domain::intake::ADDING;

/// A case whose facts may have been edited late.
#[derive(Debug)]
pub(super) struct Late {
    /// What the row says.
    stored: Option<i64>,
    /// What the feed says so far.
    found: Option<i64>,
    /// Whether the case was decided after each version.
    decided: Vec<bool>,
    /// How far the feed has told.
    version: usize,
    /// Changes that edit more than they add, with the time of their receipt.
    edits: BTreeMap<ChangeHash, i64>,
}

impl Late {
    /// Notes a case, unless none of its changes came after a decision and its row says so.
    pub(super) fn of(
        past: &Past,
        doc: &FieldDoc,
        received: &BTreeMap<ChangeHash, Received>,
        stored: Option<i64>,
    ) -> Option<Self> {
        let after = |first: i64| received.values().any(|it| it.at >= first);
        if stored.is_none() && !past.first_decided.is_some_and(after) {
            return None;
        }
        let mut replayed = FieldDoc::new();
        let mut edits = BTreeMap::new();
        for (hash, body) in doc.change_bodies_since(&[]) {
            let admission = admit(&mut replayed, &[&body], &Policy::from_server());
            if admission.touched.iter().any(|register| !ADDING.contains(register)) {
                edits.extend(received.get(&hash).map(|it| (hash, it.at)));
            }
        }
        Some(Self { stored, found: None, decided: past.decided.clone(), version: 0, edits })
    }

    /// The feed tells of an event, or of changes, or of both.
    pub(super) fn told(&mut self, version: Option<u32>, changes: &[ChangeHash]) {
        let decided = self.version.checked_sub(1).and_then(|last| self.decided.get(last)).copied().unwrap_or(false);
        if decided {
            self.found = changes.iter().filter_map(|hash| self.edits.get(hash)).copied().max().or(self.found);
        }
        self.version = version.map_or(self.version, |version| version as usize);
    }

    /// The feed has told everything.
    pub(super) fn settle(&self, case: CaseId, report: &mut Report) {
        if self.found != self.stored {
            let show = |at: Option<i64>| at.map_or("null".to_owned(), |at| at.to_string());
            report.differs("case_row", format!("case {case} late_edited_at"), show(self.found), show(self.stored));
        }
    }
}
