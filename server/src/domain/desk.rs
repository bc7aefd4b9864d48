//! Desks (待办): the open cases that wait for a unit, a dispatcher or a duty leader, and what reporters object to.
//!
//! Open states are few beside all cases there ever were, so each question is one range of the index on state;
//! open appeals have an index of their own.

use xunge_client_core::model::CaseId;
use xunge_client_core::workflow::{Ledger, State};

use super::cases::{CaseItem, ITEM_COLUMNS, ITEM_WIDTH, item};
use super::ledger;
use super::scope::{Column, Keys, Scope};
use crate::params;
use crate::store::{Row, StoreError, Tx};

/// Most cases of one state on a desk. Whoever has more open works off the oldest first; the list of cases has the rest.
pub const MOST: usize = 200;

/// States a reporter may object to.
pub const APPEALABLE: [State; 2] = [State::Closed, State::Void];

/// A case with everything decided so far.
#[derive(Clone, Debug, PartialEq)]
pub struct DeskCase {
    /// What lists show.
    pub item: CaseItem,
    /// What was decided.
    pub ledger: Ledger,
}

/// States of what a unit has in hand: dispatched to it, or being handled by it.
pub const IN_HAND: [State; 2] = [State::Dispatched, State::Handling];

/// What a unit has in hand, the earliest deadline first.
pub async fn of_unit(tx: &mut dyn Tx, district: &str, unit: &str) -> Result<Vec<DeskCase>, StoreError> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS}, ledger FROM case_row WHERE district = ?1 AND state = ?2 AND COALESCE(handler, '') = ?3
         ORDER BY due_at, received_at, id LIMIT {MOST}"
    );
    let mut found = Vec::new();
    for state in IN_HAND {
        let rows = tx.query(&sql, params![district, state.code(), unit]).await?;
        found.extend(rows.iter().map(read).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}

/// Ledgers of all a unit has in hand, beyond [`MOST`] too: to count what is late, where lists would be too long.
pub async fn ledgers_of_unit(tx: &mut dyn Tx, district: &str, unit: &str) -> Result<Vec<Ledger>, StoreError> {
    let sql = "SELECT ledger FROM case_row WHERE district = ?1 AND state = ?2 AND COALESCE(handler, '') = ?3";
    let mut found = Vec::new();
    for state in IN_HAND {
        let rows = tx.query(sql, params![district, state.code(), unit]).await?;
        for row in &rows {
            found.push(ledger::row::ledger(row.text(0)?)?);
        }
    }
    Ok(found)
}

/// Filed cases that wait for a dispatcher, the first filed first.
pub async fn to_dispatch(tx: &mut dyn Tx, scope: &Scope) -> Result<Vec<DeskCase>, StoreError> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS}, ledger FROM case_row WHERE district = ?1 AND state = ?2
         ORDER BY filed_at, received_at, id LIMIT {MOST}"
    );
    let mut found = Vec::new();
    for district in districts(scope) {
        let rows = tx.query(&sql, params![district, State::Filed.code()]).await?;
        found.extend(rows.iter().map(read).collect::<Result<Vec<_>, _>>()?);
    }
    Ok(found)
}

/// Cases whose unit asked for something that a duty leader has not answered, and cases that rest (挂账, 缓办).
///
/// The ledger is looked into as text: of a district's open cases, hundreds, that costs less than an index would.
pub async fn to_answer(tx: &mut dyn Tx, scope: &Scope) -> Result<Vec<DeskCase>, StoreError> {
    // Quotes inside words are escaped in JSON, so no reason anybody typed looks like this.
    let sql = format!(
        "SELECT {ITEM_COLUMNS}, ledger FROM case_row WHERE district = ?1 AND state = ?2
         AND (ledger LIKE '%\"ask\":{{%' OR ledger LIKE '%\"suspended\":{{%' OR ledger LIKE '%\"deferred\":{{%')
         ORDER BY due_at, received_at, id LIMIT {MOST}"
    );
    let mut found = Vec::new();
    for district in districts(scope) {
        for state in IN_HAND {
            let rows = tx.query(&sql, params![district, state.code()]).await?;
            found.extend(rows.iter().map(read).collect::<Result<Vec<_>, _>>()?);
        }
    }
    Ok(found)
}

/// Cases whose reporter objects and waits for the duty leader.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Appeals {
    /// The objection that waits longest first, at most [`MOST`].
    pub cases: Vec<DeskCase>,
    /// How many there are in all.
    pub total: usize,
}

/// What reporters object to, through the index of open appeals. `district` is the caller's own.
pub async fn appeals(tx: &mut dyn Tx, scope: &Scope, district: &str) -> Result<Appeals, StoreError> {
    let sql = format!(
        "SELECT id, appealed_at, {} FROM case_row WHERE district = ?1 AND appealed_at IS NOT NULL
         ORDER BY appealed_at, id",
        Keys::COLUMNS
    );
    let mut asked: Vec<&str> = districts(scope).collect();
    if asked.is_empty() {
        asked.push(district);
    }
    let mut open: Vec<(i64, CaseId)> = Vec::new();
    for district in asked {
        for row in &tx.query(&sql, params![district]).await? {
            if scope.covers(&Keys::read(row, 2)?) {
                open.push((row.int(1)?, CaseId::from_bytes(row.array(0)?)));
            }
        }
    }
    open.sort_unstable();
    let sql = format!("SELECT {ITEM_COLUMNS}, ledger FROM case_row WHERE id = ?1");
    let mut found = Appeals { total: open.len(), ..Appeals::default() };
    for (_, id) in open.iter().take(MOST) {
        found.cases.push(read(&tx.query_one(&sql, params![id.as_bytes()]).await?)?);
    }
    Ok(found)
}

fn districts(scope: &Scope) -> impl Iterator<Item = &str> {
    scope.branches().iter().filter(|branch| branch.column == Column::District).map(|branch| branch.value.as_str())
}

fn read(row: &Row) -> Result<DeskCase, StoreError> {
    Ok(DeskCase { item: item(row)?, ledger: ledger::row::ledger(row.text(ITEM_WIDTH)?)? })
}
