//! Counts again from the ledger alone: for `verify`, and for figures as they stood at an earlier moment.

use std::collections::BTreeMap;

use xunge_client_core::model::{CaseId, LocalDay, Millis};
use xunge_client_core::workflow::{Ledger, apply};

use super::{Cells, Leaf, Standing};
use crate::domain::ledger;
use crate::params;
use crate::store::{StoreError, Tx};

/// The cases of a district received from `from` to `to`, folded from their events up to `as_of`.
///
/// A case whose first event is later than `as_of` is not among them. Cost: every event of the period is read.
pub async fn ledgers(
    tx: &mut dyn Tx,
    district: &str,
    from: LocalDay,
    to: LocalDay,
    as_of: Millis,
) -> Result<BTreeMap<CaseId, Ledger>, StoreError> {
    let sql = format!(
        "SELECT e.case_id, {} FROM case_event e JOIN case_row c ON c.id = e.case_id
         WHERE c.district = ?1 AND c.received_at >= ?2 AND c.received_at < ?3 AND e.at <= ?4
         ORDER BY e.case_id, e.version",
        qualified_event_columns()
    );
    let rows = tx.query(&sql, params![district, from.start().0, to.end().0, as_of.0]).await?;
    let mut folded: BTreeMap<CaseId, Ledger> = BTreeMap::new();
    for row in rows {
        let case = CaseId::from_bytes(row.array(0)?);
        let event = ledger::event(&row, 1)?;
        let next = apply(folded.remove(&case), &event)
            .map_err(|error| StoreError::Check { what: format!("case {case}: {error}") })?;
        folded.insert(case, next);
    }
    Ok(folded)
}

/// The counter rows that ledgers give.
pub fn count<'a>(ledgers: impl IntoIterator<Item = &'a Ledger>) -> BTreeMap<Leaf, Cells> {
    let mut leaves: BTreeMap<Leaf, Cells> = BTreeMap::new();
    for ledger in ledgers {
        let standing = Standing::of(ledger);
        leaves.entry(standing.leaf).or_default().add(1, &standing.cells);
    }
    leaves
}

fn qualified_event_columns() -> String {
    ledger::EVENT_COLUMNS.split(", ").map(|column| format!("e.{column}")).collect::<Vec<_>>().join(", ")
}
