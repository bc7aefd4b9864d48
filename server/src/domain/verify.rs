//! `verify`: recounts everything from the ledger and checks every hash, chain and reference.
//!
//! The events of each case are folded again and must give the stored ledger, the list's columns, the counters and the
//! audit trail; the changes must give the documents; the feed must tell of each of them exactly once; every photo
//! that is here must have the bytes its name says. A flipped byte in any of these is found and named. What is not
//! covered: rows that only cache or protect (sessions, uploads, idempotency keys), which can be thrown away.
//!
//! Everything but the photos' bytes is read in one view of the database, so a server may go on running beside it.

mod audit;
mod cases;
mod columns;
mod counters;
mod documents;
mod feed;
mod grams;
mod late;
mod photos;
mod references;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use xunge_client_core::model::{CaseId, ChangeHash};

use crate::blobs::Blobs;
use crate::store::chain::Hash;
use crate::store::{Store, StoreError, Tx};

/// Differences listed; a destroyed database has millions.
const LISTED: usize = 1_000;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// No difference.
    pub ok: bool,
    /// How many of each were checked.
    pub checked: BTreeMap<&'static str, u64>,
    /// Everything that is not as it must be, the first thousand.
    pub differences: Vec<Difference>,
}

/// Something that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// What kind of thing: `event`, `ledger`, `case_row`, `counter`, `gram`, `feed`, `change`, `document`, `photo`, …
    pub kind: &'static str,
    /// Which one.
    pub subject: String,
    /// How it must be.
    pub expected: String,
    /// How it is.
    pub found: String,
}

/// Verifies a database and its photos.
///
/// # Errors
/// Only if the database can not be read at all; whatever is wrong in it is a [`Difference`].
pub async fn verify(store: &Store, blobs: &Blobs) -> Result<Report, StoreError> {
    let (mut report, present) = store
        .read::<_, StoreError, _>(|tx| {
            Box::pin(async move {
                let mut report = Report::default();
                let mut known = Known::default();
                cases::check(tx, &mut report, &mut known).await?;
                counters::check(tx, &mut report, &known).await?;
                grams::check(tx, &mut report).await?;
                feed::check(tx, &mut report, &mut known).await?;
                audit::check(tx, &mut report, &known).await?;
                references::check(tx, &mut report, &known).await?;
                let present = photos::rows(tx, &mut report).await?;
                Ok((report, present))
            })
        })
        .await?;
    photos::bytes(blobs, present, &mut report).await;
    report.ok = report.differences.is_empty();
    Ok(report)
}

/// What the cases say that other tables must agree with.
#[derive(Debug, Default)]
struct Known {
    /// Hash of every event.
    events: BTreeMap<(CaseId, u32), Hash>,
    /// Every change.
    changes: BTreeSet<(CaseId, ChangeHash)>,
    /// Counter rows by district.
    leaves: BTreeMap<String, BTreeMap<super::counts::Leaf, super::counts::Cells>>,
    /// Case numbers.
    numbers: BTreeSet<String>,
    /// Every case.
    cases: BTreeSet<CaseId>,
    /// The version of each document: how often the feed must tell of changes of it.
    documents: BTreeMap<CaseId, i64>,
    /// Cases whose facts may have been edited after the decision; the feed knows what came first.
    late: BTreeMap<CaseId, late::Late>,
}

impl Report {
    fn counted(&mut self, what: &'static str, n: u64) {
        *self.checked.entry(what).or_default() += n;
    }

    fn differs(
        &mut self,
        kind: &'static str,
        subject: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        if self.differences.len() < LISTED {
            let (subject, expected, found) = (subject.into(), expected.into(), found.into());
            self.differences.push(Difference { kind, subject, expected, found });
        }
    }

    /// Notes a row that can not even be read; a database that fails as a whole is an error.
    fn unreadable<T>(
        &mut self,
        kind: &'static str,
        subject: impl Into<String>,
        read: Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match read {
            Ok(value) => Ok(Some(value)),
            Err(failed @ (StoreError::Corrupt { .. } | StoreError::Closed | StoreError::Busy)) => Err(failed),
            Err(failed) => {
                self.differs(kind, subject, "a readable row", failed.to_string());
                Ok(None)
            }
        }
    }
}

/// Ids of a table in pages, so that a million of them never lie in memory with their rows.
async fn page_of_ids(tx: &mut dyn Tx, sql: &str, after: &[u8]) -> Result<Vec<[u8; 16]>, StoreError> {
    let rows = tx.query(sql, crate::params![after]).await?;
    rows.iter().map(|row| row.array(0)).collect()
}
