//! Changes of this phone that were sent, or may have been: rows of `change_out`, never altered.

use std::collections::BTreeMap;

use rusqlite::Transaction;

use super::StoreError;
use super::case_row::CaseRow;
use crate::model::{CaseId, ChangeHash};

/// Bodies of all changes of this phone, in causal order.
pub(super) fn written(tx: &Transaction<'_>, case: CaseId) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut statement = tx.prepare_cached("SELECT body FROM change_out WHERE case_id = ?1 ORDER BY ord")?;
    let rows = statement.query_map([case.as_bytes()], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Changes of this phone the server has not acknowledged, in causal order.
pub(super) fn unacked(tx: &Transaction<'_>, case: CaseId) -> Result<Vec<(ChangeHash, Vec<u8>)>, StoreError> {
    const SQL: &str = "SELECT hash, body FROM change_out WHERE case_id = ?1 AND acked = 0 ORDER BY ord";
    let mut statement = tx.prepare_cached(SQL)?;
    let rows = statement.query_map([case.as_bytes()], |row| Ok((ChangeHash::from_bytes(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes every change the phone knows of a case one it brings itself, in causal order; answers all of them.
///
/// What was acknowledged stays so. A foreign change holds none of this phone's intents: it may be taken where this phone's
/// own is refused, and then nothing of them is held.
pub(super) fn carry(tx: &Transaction<'_>, row: &CaseRow) -> Result<Vec<ChangeHash>, StoreError> {
    let own = own(tx, row.id)?;
    // Of a damaged document, what was written here is all that is left to bring.
    let Ok(doc) = row.base_doc() else { return Ok(own.into_iter().map(|own| own.hash).collect()) };
    let known: BTreeMap<ChangeHash, &Own> = own.iter().map(|own| (own.hash, own)).collect();
    let of_doc = doc.change_bodies_since(&[]).into_iter().map(|(hash, body)| match known.get(&hash) {
        Some(own) => Own { hash, body, ..**own },
        None => Own { hash, body, upto: 0, acked: false },
    });
    // A document that was made anew after damage lacks what this phone wrote on top of what it lost.
    let lacking = own.iter().filter(|own| !doc.knows(&own.hash)).cloned();
    let all: Vec<Own> = of_doc.chain(lacking).collect();
    tx.prepare_cached("DELETE FROM change_out WHERE case_id = ?1")?.execute([row.id.as_bytes()])?;
    const CHANGE: &str =
        "INSERT INTO change_out (case_id, ord, hash, body, upto, acked) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = tx.prepare_cached(CHANGE)?;
    for (ord, Own { hash, body, upto, acked }) in (1_i64..).zip(&all) {
        insert.execute((row.id.as_bytes(), ord, hash.as_bytes(), body, upto, acked))?;
    }
    Ok(all.into_iter().map(|own| own.hash).collect())
}

/// A row.
#[derive(Debug, Clone)]
struct Own {
    hash: ChangeHash,
    body: Vec<u8>,
    /// Last intent it holds.
    upto: i64,
    acked: bool,
}

fn own(tx: &Transaction<'_>, case: CaseId) -> Result<Vec<Own>, StoreError> {
    const SQL: &str = "SELECT hash, body, upto, acked FROM change_out WHERE case_id = ?1 ORDER BY ord";
    let mut statement = tx.prepare_cached(SQL)?;
    let rows = statement.query_map([case.as_bytes()], |row| {
        let hash = ChangeHash::from_bytes(row.get(0)?);
        Ok(Own { hash, body: row.get(1)?, upto: row.get(2)?, acked: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
