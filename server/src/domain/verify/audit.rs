//! The audit trail: one chain, and one entry for each event of a ledger.

use std::collections::BTreeSet;

use serde::Deserialize;
use xunge_client_core::model::CaseId;

use super::{Known, Report};
use crate::domain::audit::CHAIN;
use crate::params;
use crate::store::chain::Walk;
use crate::store::{Row, StoreError, Tx};

/// Columns of an entry its hash covers.
const HASHED: usize = 6;
/// Entries read at once.
const PAGE: i64 = 1_000;

pub(super) async fn check(tx: &mut dyn Tx, report: &mut Report, known: &Known) -> Result<(), StoreError> {
    const SQL: &str = "SELECT seq, at, actor, action, subject, detail, prev_hash, hash FROM audit
        WHERE seq > ?1 AND seq <= ?2 ORDER BY seq";
    let mut missing: BTreeSet<(CaseId, u32)> = known.events.keys().copied().collect();
    let end = tx.query_one("SELECT COALESCE(MAX(seq), 0) FROM audit", &[]).await?.int(0)?;
    let mut walk = Walk::new(CHAIN);
    let mut seq = 0;
    while seq < end {
        let until = (seq + PAGE).min(end);
        let rows = match tx.query(SQL, params![seq, until]).await {
            Ok(rows) => rows,
            Err(_) => {
                let mut rows = Vec::new();
                for one in seq..until {
                    let read = tx.query(SQL, params![one, one + 1]).await;
                    rows.extend(report.unreadable("audit", (one + 1).to_string(), read)?.into_iter().flatten());
                }
                rows
            }
        };
        for row in &rows {
            report.counted("audit", 1);
            let checked = one(&mut walk, &mut missing, row);
            report.unreadable("audit", row.int(0)?.to_string(), checked)?;
        }
        seq = until;
    }
    for (case, version) in missing {
        report.differs("audit", format!("case {case} event {version}"), "one entry", "none");
    }
    Ok(())
}

#[derive(Deserialize)]
struct Detail {
    version: u32,
}

fn one(walk: &mut Walk, missing: &mut BTreeSet<(CaseId, u32)>, row: &Row) -> Result<(), StoreError> {
    let wrong = |what: String| StoreError::Check { what };
    let linked = walk.step(&row.array(HASHED)?, &row.values()[..HASHED], &row.array(HASHED + 1)?);
    linked.map_err(|broken| wrong(broken.to_string()))?;
    if !row.text(3)?.starts_with("case.") {
        return Ok(());
    }
    let case: Option<CaseId> = row.text(4)?.parse().ok();
    let detail: Option<Detail> = serde_json::from_str(row.text(5)?).ok();
    match case.zip(detail) {
        Some((case, Detail { version })) if missing.remove(&(case, version)) => Ok(()),
        Some((case, Detail { version })) => {
            Err(wrong(format!("tells of event {version} of case {case}, which is told already or not there")))
        }
        None => Err(wrong("names no case and version".to_owned())),
    }
}
