//! Everything the phone knows of one case.

use rusqlite::Transaction;

use super::case_row::CaseRow;
use super::views::{CaseDetail, PhotoStatus, RequestStatus};
use super::{Store, StoreError, intents, lists, phone_row};
use crate::model::{CaseId, IntentId, Millis};
use crate::workflow::offers;

impl Store {
    /// Everything the phone knows of a case.
    pub fn detail(&self, case: CaseId) -> Result<Option<CaseDetail>, StoreError> {
        self.read(|tx| {
            let Some(row) = CaseRow::load(tx, case)? else { return Ok(None) };
            let user = phone_row::load(tx)?.user;
            let offers = user.map(|user| offers(row.ledger.as_ref(), &user.actor())).unwrap_or_default();
            let mut item = lists::item_of(&row);
            lists::complete(tx, &mut item)?;
            Ok(Some(CaseDetail {
                item,
                conflicts: row.base_doc().unwrap_or_default().facts().1,
                photos: photo_statuses(tx, &row)?,
                requests: requests(tx, case)?,
                edits: intents::count(tx, case)?,
                refused: intents::refused_words(tx, case)?,
                offers: offers.into_iter().filter(|verb| verb.is_request() && row.ledger.is_some()).collect(),
                facts: row.facts,
                ledger: row.ledger,
            }))
        })
    }
}

fn photo_statuses(tx: &Transaction<'_>, row: &CaseRow) -> Result<Vec<PhotoStatus>, StoreError> {
    const SQL: &str = "SELECT sent, state, code FROM photo WHERE case_id = ?1 AND sha256 = ?2";
    let mut statement = tx.prepare_cached(SQL)?;
    let mut statuses = Vec::with_capacity(row.facts.photos.len());
    for (sha256, fact) in &row.facts.photos {
        let mut rows = statement.query((row.id.as_bytes(), sha256.as_bytes()))?;
        let (sent, state, code) = match rows.next()? {
            Some(found) => (found.get::<_, i64>(0)?.unsigned_abs(), found.get(1)?, found.get(2)?),
            None => (fact.bytes, "elsewhere".to_owned(), None),
        };
        statuses.push(PhotoStatus { sha256: *sha256, role: fact.role, bytes: fact.bytes, sent, state, code });
    }
    Ok(statuses)
}

fn requests(tx: &Transaction<'_>, case: CaseId) -> Result<Vec<RequestStatus>, StoreError> {
    const SQL: &str = "SELECT intent, verb, at, state, code, field FROM request WHERE case_id = ?1 ORDER BY seq";
    let mut statement = tx.prepare_cached(SQL)?;
    let rows = statement.query_map([case.as_bytes()], |row| {
        Ok(RequestStatus {
            intent: IntentId::from_bytes(row.get(0)?),
            verb: row.get(1)?,
            at: Millis(row.get(2)?),
            state: row.get(3)?,
            code: row.get(4)?,
            field: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
