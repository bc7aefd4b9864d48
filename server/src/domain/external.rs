//! Numbers that other systems gave a case (对方单号): each becomes one case, stands on its page and is found.

use serde::Serialize;
use xunge_client_core::model::{CaseId, Millis};

use super::scope::{Keys, Scope};
use crate::params;
use crate::store::{Row, StoreError, Tx};

/// Most cases told for one number: systems that count alike are few.
const MOST: usize = 20;

/// A number in another system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct External {
    /// Which system.
    pub system: String,
    /// The number there.
    pub number: String,
}

/// A case that has a number in another system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbered {
    /// The number.
    pub external: External,
    /// The case.
    pub case: CaseId,
    /// The case's own number, once it is filed.
    pub case_no: Option<String>,
}

/// Which case has this number already.
pub async fn known(tx: &mut dyn Tx, external: &External) -> Result<Option<CaseId>, StoreError> {
    let sql = "SELECT case_id FROM external_ref WHERE system = ?1 AND number = ?2";
    let row = tx.query_opt(sql, params![&external.system, &external.number]).await?;
    row.map(|row| row.array(0).map(CaseId::from_bytes)).transpose()
}

/// Notes a number that no case has yet.
pub async fn add(tx: &mut dyn Tx, external: &External, case: CaseId, now: Millis) -> Result<(), StoreError> {
    let sql = "INSERT INTO external_ref (system, number, case_id, at) VALUES (?1, ?2, ?3, ?4)";
    tx.execute(sql, params![&external.system, &external.number, case.as_bytes(), now.0]).await?;
    Ok(())
}

/// The numbers of a case.
pub async fn of_case(tx: &mut dyn Tx, case: CaseId) -> Result<Vec<External>, StoreError> {
    let sql = "SELECT system, number FROM external_ref WHERE case_id = ?1 ORDER BY system, number";
    tx.query(sql, params![case.as_bytes()]).await?.iter().map(|row| read(row, 0)).collect()
}

/// The cases in sight that have exactly this number, in whichever system.
pub async fn numbered(tx: &mut dyn Tx, scope: &Scope, number: &str) -> Result<Vec<Numbered>, StoreError> {
    let sql = format!(
        "SELECT e.system, e.number, c.id, c.case_no, {} FROM external_ref e JOIN case_row c ON c.id = e.case_id \
         WHERE e.number = ?1 ORDER BY e.system LIMIT {MOST}",
        Keys::COLUMNS
    );
    let mut found = Vec::new();
    for row in &tx.query(&sql, params![number]).await? {
        if scope.covers(&Keys::read(row, 4)?) {
            let case_no = row.opt_text(3)?.map(str::to_owned);
            found.push(Numbered { external: read(row, 0)?, case: CaseId::from_bytes(row.array(2)?), case_no });
        }
    }
    Ok(found)
}

fn read(row: &Row, first: usize) -> Result<External, StoreError> {
    Ok(External { system: row.text(first)?.to_owned(), number: row.text(first + 1)?.to_owned() })
}
