//! Rows that must point at something which is there, and numbers that must have been given out.

use xunge_client_core::model::ChangeHash;

use super::{Known, Report};
use crate::domain::intake::{Kind, kept_hash};
use crate::store::{StoreError, Tx};

/// What must not be found: a name for it, and a statement that lists the keys of offenders.
const DANGLING: [(&str, &str); 10] = [
    ("change of no case", "SELECT hash FROM change_row WHERE case_id NOT IN (SELECT id FROM case_row)"),
    ("document of no case", "SELECT case_id FROM doc WHERE case_id NOT IN (SELECT id FROM case_row)"),
    ("photo of no case", "SELECT sha256 FROM photo WHERE case_id NOT IN (SELECT id FROM case_row)"),
    (
        "preview of no missing photo",
        "SELECT photo FROM photo_preview WHERE photo NOT IN (SELECT sha256 FROM photo WHERE present = 0)",
    ),
    ("request about no case", "SELECT intent_id FROM request_log WHERE case_id NOT IN (SELECT id FROM case_row)"),
    ("number of no case", "SELECT case_id FROM external_ref WHERE case_id NOT IN (SELECT id FROM case_row)"),
    ("feed row of no case", "SELECT case_id FROM feed WHERE case_id NOT IN (SELECT id FROM case_row)"),
    ("actor of no device", "SELECT actor FROM actor WHERE device NOT IN (SELECT id FROM device)"),
    ("change of no actor", "SELECT hash FROM change_row WHERE actor NOT IN (SELECT actor FROM actor)"),
    ("blob owned but not stored", "SELECT sha256 FROM blob_owner WHERE sha256 NOT IN (SELECT sha256 FROM blob)"),
];

pub(super) async fn check(tx: &mut dyn Tx, report: &mut Report, known: &Known) -> Result<(), StoreError> {
    for (what, sql) in DANGLING {
        let rows = tx.query(&format!("{sql} LIMIT 1000"), &[]).await;
        for row in report.unreadable("reference", what, rows)?.into_iter().flatten() {
            report.differs("reference", hex::encode(row.blob(0)?), "what it refers to", what);
        }
    }
    case_numbers(tx, report, known).await?;
    quarantine(tx, report).await
}

/// No case carries a number beyond the last one given out that day.
async fn case_numbers(tx: &mut dyn Tx, report: &mut Report, known: &Known) -> Result<(), StoreError> {
    let rows = tx.query("SELECT name, last FROM series WHERE name LIKE 'case_no:%'", &[]).await;
    let rows = report.unreadable("case_no", "series", rows)?.unwrap_or_default();
    let mut given = std::collections::BTreeMap::new();
    for row in &rows {
        given.insert(row.text(0)?.trim_start_matches("case_no:").to_owned(), row.int(1)?);
    }
    for number in &known.numbers {
        let (day, serial) = number.split_at_checked(14).unwrap_or((number, ""));
        let last = given.get(day).copied().unwrap_or(0);
        if serial.parse::<i64>().is_ok_and(|serial| serial > last) {
            report.differs("case_no", number, format!("at most {last}"), serial);
        }
    }
    Ok(())
}

/// Kept bytes are still the bytes that were refused.
async fn quarantine(tx: &mut dyn Tx, report: &mut Report) -> Result<(), StoreError> {
    for id in tx.query("SELECT id FROM quarantine ORDER BY id", &[]).await? {
        report.counted("quarantine", 1);
        let sql = "SELECT hash, bytes, case_id IS NULL FROM quarantine WHERE id = ?1";
        let row = tx.query_one(sql, crate::params![id.blob(0)?]).await?;
        let kind = if row.bool(2)? { Kind::Bundle } else { Kind::Change };
        let (expected, found) = (ChangeHash::from_bytes(row.array(0)?), kept_hash(kind, row.blob(1)?));
        if expected != found {
            report.differs("quarantine", hex::encode(id.blob(0)?), expected.to_string(), found.to_string());
        }
    }
    Ok(())
}
