//! The projection row: each column as the fold of the events gives it.

use xunge_client_core::model::CaseId;
use xunge_client_core::workflow::Ledger;

use super::Report;
use crate::domain::ledger::row::{CHANGING_COLUMNS, FIXED_COLUMNS, changing, fixed};
use crate::params;
use crate::store::chain::Hash;
use crate::store::{StoreError, Tx, Value};

/// Compares the row with what the events give; gives the case's district.
pub(super) async fn check(
    tx: &mut dyn Tx,
    report: &mut Report,
    case: CaseId,
    ledger: &Ledger,
    hash: &Hash,
) -> Result<Option<String>, StoreError> {
    let sql = format!("SELECT {CHANGING_COLUMNS}, {FIXED_COLUMNS}, district FROM case_row WHERE id = ?1");
    let row = tx.query_one(&sql, params![case.as_bytes()]).await;
    let Some(row) = report.unreadable("case_row", format!("case {case}"), row)? else { return Ok(None) };
    let names: Vec<&str> = CHANGING_COLUMNS.split(", ").chain(FIXED_COLUMNS.split(", ")).collect();
    let mut expected = changing(ledger, hash);
    expected.extend(fixed(ledger));
    for ((name, expected), found) in names.iter().zip(&expected).zip(row.values()) {
        if expected != found {
            let kind = if *name == "ledger" { "ledger" } else { "case_row" };
            report.differs(kind, format!("case {case} {name}"), show(expected), show(found));
        }
    }
    let event = "SELECT district FROM case_event WHERE case_id = ?1 ORDER BY version DESC LIMIT 1";
    let event = tx.query_one(event, params![case.as_bytes()]).await;
    let Some(event) = report.unreadable("event", format!("case {case}"), event)? else { return Ok(None) };
    let district = row.text(names.len()).unwrap_or_default().to_owned();
    if event.text(0)? != district {
        report.differs("case_row", format!("case {case} district"), event.text(0)?, &district);
    }
    Ok(Some(district))
}

/// A value as a person reads it; long ones by their beginning.
fn show(value: &Value) -> String {
    let text = match value {
        Value::Null => "null".to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Real(n) => n.to_string(),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => hex::encode(bytes),
    };
    if text.chars().count() <= 200 { text } else { text.chars().take(200).chain("…".chars()).collect() }
}
