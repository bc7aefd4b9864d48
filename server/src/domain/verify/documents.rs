//! The facts of a case: its document, the changes it consists of, and the columns and photo rows that follow it.

use std::collections::{BTreeMap, BTreeSet};

use xunge_client_core::doc::{FieldDoc, chunk};
use xunge_client_core::model::{CaseId, ChangeHash, Facts, PhotoHash, Sha256};

use super::cases::Past;
use super::late::Late;
use super::{Known, Report};
use crate::domain::facts;
use crate::domain::intake::CHANGE_ROW;
use crate::domain::ledger::row;
use crate::params;
use crate::store::chain::{self, Hash};
use crate::store::{Row, StoreError, Tx};

/// Who sent a change, and when it came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Received {
    pub(super) at: i64,
    pub(super) device: Vec<u8>,
}

/// Checks the facts of one case.
pub(super) async fn check(
    tx: &mut dyn Tx,
    report: &mut Report,
    known: &mut Known,
    case: CaseId,
    past: &Past,
) -> Result<(), StoreError> {
    let changes = changes(tx, report, known, case).await?;
    let subject = format!("case {case}");
    let read = stored(tx, case).await;
    let Some(stored) = report.unreadable("document", &subject, read)? else { return Ok(()) };
    let doc = match stored {
        None => {
            if !changes.is_empty() {
                report.differs("document", &subject, format!("{} changes", changes.len()), "no document");
            }
            FieldDoc::new()
        }
        Some(Stored { snapshot, heads, hash, version, district, updated_at }) => {
            report.counted("documents", 1);
            known.documents.insert(case, version);
            if district != past.district {
                report.differs("document", format!("{subject} district"), &past.district, district);
            }
            let newest = changes.values().map(|it| it.at).max();
            if newest.is_some_and(|newest| newest != updated_at) {
                let newest = newest.unwrap_or_default().to_string();
                report.differs("document", format!("{subject} updated_at"), newest, updated_at.to_string());
            }
            let actual = *Sha256::of(&snapshot).as_bytes();
            if actual != hash {
                report.differs("document", &subject, hex::encode(hash), hex::encode(actual));
            }
            match FieldDoc::load(&snapshot) {
                Err(error) => {
                    report.differs("document", &subject, "a document that loads", error.to_string());
                    return Ok(());
                }
                Ok(doc) => {
                    if doc.heads() != heads {
                        report.differs("document", format!("{subject} heads"), show(&doc.heads()), show(&heads));
                    }
                    doc
                }
            }
        }
    };
    if doc.change_count() != changes.len() {
        let (expected, found) = (changes.len().to_string(), doc.change_count().to_string());
        report.differs("document", format!("{subject} changes"), expected, found);
    }
    for hash in changes.keys().chain(&past.evidence).filter(|hash| !doc.knows(hash)) {
        report.differs("document", format!("{subject} change {hash}"), "in the document", "missing");
    }
    let facts = facts::over(past.written.clone(), doc.facts().0);
    let touched = past.times.iter().copied().chain(changes.values().map(|it| it.at)).max().unwrap_or_default();
    let late = columns(tx, report, case, row::Facts::of(doc.heads(), &facts), touched).await?;
    if let Some(late) = Late::of(past, &doc, &changes, late) {
        known.late.insert(case, late);
    }
    photo_rows(tx, report, case, &facts, past, &changes.into_values().collect()).await
}

struct Stored {
    snapshot: Vec<u8>,
    heads: Vec<ChangeHash>,
    hash: Hash,
    version: i64,
    district: String,
    updated_at: i64,
}

async fn stored(tx: &mut dyn Tx, case: CaseId) -> Result<Option<Stored>, StoreError> {
    let sql = "SELECT snapshot, heads, bytes_hash, version, district, updated_at FROM doc WHERE case_id = ?1";
    let row = tx.query_opt(sql, params![case.as_bytes()]).await?;
    row.map(|row| {
        Ok(Stored {
            snapshot: row.blob(0)?.to_vec(),
            heads: row::heads(row.blob(1)?)?,
            hash: row.array(2)?,
            version: row.int(3)?,
            district: row.text(4)?.to_owned(),
            updated_at: row.int(5)?,
        })
    })
    .transpose()
}

/// Checks each change row against its two hashes; gives the names, and where they came from.
async fn changes(
    tx: &mut dyn Tx,
    report: &mut Report,
    known: &mut Known,
    case: CaseId,
) -> Result<BTreeMap<ChangeHash, Received>, StoreError> {
    const SQL: &str = "SELECT case_id, hash, district, actor, seq, device, user_id, bytes, received_at, row_hash
        FROM change_row WHERE case_id = ?1";
    let rows = tx.query(SQL, params![case.as_bytes()]).await;
    let Some(rows) = report.unreadable("change", format!("case {case}"), rows)? else { return Ok(BTreeMap::new()) };
    let mut names = BTreeMap::new();
    for row in &rows {
        report.counted("changes", 1);
        let Some(name) = report.unreadable("change", format!("case {case}"), change(row))? else { continue };
        let (name, actual, row_hash, actual_row) = name;
        let subject = format!("case {case} change {name}");
        if name != actual {
            report.differs("change", &subject, name.to_string(), actual.to_string());
        } else if row_hash != actual_row {
            report.differs("change", &subject, hex::encode(row_hash), hex::encode(actual_row));
        }
        known.changes.insert((case, name));
        names.insert(name, Received { at: row.int(8)?, device: row.blob(5)?.to_vec() });
    }
    Ok(names)
}

/// Name as stored, name as the body gives it, hash of the row as stored and as its columns give it.
fn change(row: &Row) -> Result<(ChangeHash, ChangeHash, Hash, Hash), StoreError> {
    let columns = row.values().len() - 1;
    let actual = chunk::hash_of_body(row.blob(7)?);
    let actual_row = chain::link(CHANGE_ROW, &chain::GENESIS, &row.values()[..columns]);
    Ok((ChangeHash::from_bytes(row.array(1)?), actual, row.array(columns)?, actual_row))
}

/// The columns that follow the facts; gives when the row says they were last edited late.
async fn columns(
    tx: &mut dyn Tx,
    report: &mut Report,
    case: CaseId,
    facts: row::Facts,
    touched: i64,
) -> Result<Option<i64>, StoreError> {
    const SQL: &str = "SELECT heads, text, lon_e6, lat_e6, has_after, category_claim, photos_expected, photos_present,
        (SELECT COUNT(*) FROM photo WHERE case_id = ?1), (SELECT COUNT(*) FROM photo WHERE case_id = ?1 AND present = 1),
        updated_at, late_edited_at FROM case_row WHERE id = ?1";
    let row = tx.query_one(SQL, params![case.as_bytes()]).await;
    let Some(row) = report.unreadable("case_row", format!("case {case}"), row)? else { return Ok(None) };
    let mut same = |name: &str, expected: String, found: String| {
        if expected != found {
            report.differs("case_row", format!("case {case} {name}"), expected, found);
        }
    };
    same("heads", show(&facts.heads), show(&row::heads(row.blob(0)?)?));
    same("text", facts.text, row.text(1)?.to_owned());
    same("lon_e6", format!("{:?}", facts.point.map(|it| i64::from(it.lon_e6))), format!("{:?}", row.opt_int(2)?));
    same("lat_e6", format!("{:?}", facts.point.map(|it| i64::from(it.lat_e6))), format!("{:?}", row.opt_int(3)?));
    same("has_after", facts.has_after.to_string(), row.bool(4)?.to_string());
    let claim = facts.category.as_ref().map(ToString::to_string).unwrap_or_default();
    same("category_claim", claim, row.text(5)?.to_owned());
    same("photos_expected", row.int(8)?.to_string(), row.int(6)?.to_string());
    same("photos_present", row.int(9)?.to_string(), row.int(7)?.to_string());
    same("updated_at", touched.to_string(), row.int(10)?.to_string());
    row.opt_int(11)
}

/// Every photo the facts name has a row that says the same; every row came with a change or an event of the case.
async fn photo_rows(
    tx: &mut dyn Tx,
    report: &mut Report,
    case: CaseId,
    facts: &Facts,
    past: &Past,
    received: &BTreeSet<Received>,
) -> Result<(), StoreError> {
    const SQL: &str = "SELECT sha256, role, mime, size_bytes, width, height, taken_at, district, device, announced_at
        FROM photo WHERE case_id = ?1";
    let rows = tx.query(SQL, params![case.as_bytes()]).await;
    let Some(rows) = report.unreadable("photo", format!("case {case}"), rows)? else { return Ok(()) };
    let mut missing: BTreeSet<PhotoHash> = facts.photos.keys().copied().collect();
    for row in &rows {
        let hash = PhotoHash::from_bytes(row.array(0)?);
        missing.remove(&hash);
        let subject = format!("case {case} photo {hash}");
        if row.text(7)? != past.district {
            report.differs("photo", format!("{subject} district"), &past.district, row.text(7)?);
        }
        let at = row.int(9)?;
        let told = match row.opt_blob(8)? {
            Some(device) => received.contains(&Received { at, device: device.to_vec() }),
            None => past.times.contains(&at),
        };
        if !told {
            let found = format!("{at} from {}", row.opt_blob(8)?.map_or("an office".to_owned(), hex::encode));
            report.differs("photo", format!("{subject} device, announced_at"), "those of a change or an event", found);
        }
        let Some(photo) = facts.photos.get(&hash) else { continue };
        let expected =
            (photo.role.code(), photo.mime.as_str(), photo.bytes as i64, i64::from(photo.w), i64::from(photo.h));
        let found = (row.text(1)?, row.text(2)?, row.int(3)?, row.int(4)?, row.int(5)?);
        if expected != found || photo.taken_at.map(|at| at.0) != row.opt_int(6)? {
            report.differs("photo", format!("case {case} photo {hash}"), format!("{expected:?}"), format!("{found:?}"));
        }
    }
    for hash in missing {
        report.differs("photo", format!("case {case} photo {hash}"), "a row", "none");
    }
    Ok(())
}

fn show(heads: &[ChangeHash]) -> String {
    heads.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}
