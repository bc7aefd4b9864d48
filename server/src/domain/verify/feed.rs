//! The feed: unbroken up to its head, and telling of each event and each change exactly once.

use std::collections::{BTreeMap, BTreeSet};

use xunge_client_core::model::{CaseId, ChangeHash};

use super::late::Late;
use super::{Known, Report};
use crate::domain::feed::CHAIN;
use crate::domain::feed::audience::text_of;
use crate::params;
use crate::store::chain::Walk;
use crate::store::{Row, StoreError, Tx, Value};

/// Columns of a feed row its hash covers, beside the audience.
const HASHED: usize = 8;
/// Rows read at once.
const PAGE: i64 = 1_000;

pub(super) async fn check(tx: &mut dyn Tx, report: &mut Report, known: &mut Known) -> Result<(), StoreError> {
    let mut told = Told {
        events: known.events.keys().copied().collect(),
        changes: std::mem::take(&mut known.changes),
        documents: std::mem::take(&mut known.documents),
        late: std::mem::take(&mut known.late),
    };
    let rows = tx.query("SELECT district FROM feed_head UNION SELECT district FROM feed", &[]).await;
    let Some(rows) = report.unreadable("feed", "districts", rows)? else { return Ok(()) };
    for row in &rows {
        district(tx, report, known, &mut told, row.text(0)?).await?;
    }
    for (case, version) in &told.events {
        report.differs("feed", format!("case {case} event {version}"), "told once", "not told");
    }
    for (case, change) in &told.changes {
        report.differs("feed", format!("case {case} change {change}"), "told once", "not told");
    }
    for (case, rest) in told.documents.iter().filter(|(_, rest)| **rest != 0) {
        let found = format!("{rest} more than that");
        report.differs("document", format!("case {case} version"), "as often as the feed tells of its changes", found);
    }
    for (case, late) in &told.late {
        late.settle(*case, report);
    }
    Ok(())
}

/// What the feed has not told of yet.
struct Told {
    events: BTreeSet<(CaseId, u32)>,
    changes: BTreeSet<(CaseId, ChangeHash)>,
    /// Versions of documents, less the rows that told of changes.
    documents: BTreeMap<CaseId, i64>,
    late: BTreeMap<CaseId, Late>,
}

async fn district(
    tx: &mut dyn Tx,
    report: &mut Report,
    known: &Known,
    told: &mut Told,
    district: &str,
) -> Result<(), StoreError> {
    const SQL: &str =
        "SELECT district, position, case_id, kind, version, event_hash, changes, origin_device, prev_hash,
        hash FROM feed WHERE district = ?1 AND position > ?2 AND position <= ?3 ORDER BY position";
    let head = tx.query_opt("SELECT position, hash FROM feed_head WHERE district = ?1", params![district]).await?;
    let last = head.as_ref().map_or(Ok(0), |row| row.int(0))?;
    let newest =
        tx.query_one("SELECT COALESCE(MAX(position), 0) FROM feed WHERE district = ?1", params![district]).await?;
    let end = last.max(newest.int(0)?);
    let mut walk = Walk::new(CHAIN);
    let mut position = 0;
    while position < end {
        let until = (position + PAGE).min(end);
        let rows = match tx.query(SQL, params![district, position, until]).await {
            Ok(rows) => rows,
            // One bad row spoils its page; the page is read row by row to name it.
            Err(_) => one_by_one(tx, report, SQL, district, position, until).await?,
        };
        let mut expected = position + 1;
        for row in &rows {
            let found = row.int(1)?;
            if found != expected {
                report.differs("feed", format!("{district} {expected}"), "a row", "none");
            }
            expected = found + 1;
            let subject = format!("{district} {found}");
            let checked = one(tx, known, told, &mut walk, row).await;
            report.unreadable("feed", subject, checked)?;
            report.counted("feed", 1);
        }
        if expected <= until {
            report.differs("feed", format!("{district} {expected}"), "a row", "none");
        }
        position = until;
    }
    match head {
        None => report.differs("feed", format!("{district} head"), "a head", "none"),
        Some(row) if row.array(1)? != walk.head() || newest.int(0)? != last => {
            let found = format!("{last} {}", hex::encode(row.blob(1)?));
            report.differs("feed", format!("{district} head"), format!("{} {}", end, hex::encode(walk.head())), found);
        }
        Some(_) => {}
    }
    Ok(())
}

async fn one_by_one(
    tx: &mut dyn Tx,
    report: &mut Report,
    sql: &str,
    district: &str,
    after: i64,
    until: i64,
) -> Result<Vec<Row>, StoreError> {
    let mut rows = Vec::new();
    for position in after..until {
        let read = tx.query(sql, params![district, position, position + 1]).await;
        rows.extend(report.unreadable("feed", format!("{district} {}", position + 1), read)?.into_iter().flatten());
    }
    Ok(rows)
}

/// Checks one row; what is wrong comes as the error's words.
async fn one(tx: &mut dyn Tx, known: &Known, told: &mut Told, walk: &mut Walk, row: &Row) -> Result<(), StoreError> {
    let wrong = |what: String| StoreError::Check { what };
    const SQL: &str =
        "SELECT audience, joins FROM feed_audience WHERE district = ?1 AND position = ?2 ORDER BY audience";
    let audience = tx.query(SQL, params![row.text(0)?, row.int(1)?]).await;
    let audience = audience.and_then(|rows| {
        rows.iter().map(|row| Ok((row.text(0)?.to_owned(), row.bool(1)?))).collect::<Result<Vec<_>, StoreError>>()
    });
    let mut fields = row.values()[..HASHED].to_vec();
    let text = audience.as_ref().map(|rows| text_of(rows.iter().map(|(key, joins)| (key.as_str(), *joins))));
    fields.push(Value::from(text.unwrap_or_default()));
    let linked = walk.step(&row.array(HASHED)?, &fields, &row.array(HASHED + 1)?);
    audience?;
    let case = CaseId::from_bytes(row.array(2)?);
    let changes = ChangeHash::split(row.opt_blob(6)?.unwrap_or_default()).ok_or_else(|| wrong("changes".to_owned()))?;
    if let Some(rest) = told.documents.get_mut(&case).filter(|_| !changes.is_empty()) {
        *rest -= 1;
    }
    if let Some(late) = told.late.get_mut(&case) {
        late.told(row.opt_int(4)?.and_then(|version| u32::try_from(version).ok()), &changes);
    }
    if let Some(version) = row.opt_int(4)? {
        let version = u32::try_from(version).map_err(|_| wrong("a version that is none".to_owned()))?;
        if !told.events.remove(&(case, version)) {
            return Err(wrong(format!("tells of event {version} of case {case}, which is told already or not there")));
        }
        if known.events.get(&(case, version)).map(<[u8; 32]>::as_slice) != row.opt_blob(5)? {
            return Err(wrong(format!("has another hash than event {version} of case {case}")));
        }
    }
    for change in changes {
        if !told.changes.remove(&(case, change)) {
            return Err(wrong(format!("tells of change {change} of case {case}, which is told already or not there")));
        }
    }
    linked.map_err(|broken| wrong(broken.to_string()))
}
