//! What was put aside, as administrators see it: refused changes, and bundles of phones that may not speak any more.

use serde::{Serialize, Serializer};
use xunge_client_core::model::{CaseId, DeviceId, Millis, Ulid};

use super::audit;
use crate::params;
use crate::store::{Row, StoreError, Tx, Value};

/// One thing that was put aside. Times are Unix milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Its name.
    #[serde(serialize_with = "as_text")]
    pub id: Ulid,
    /// `change` (a change the gate refused) or `bundle` (a sealed rescue bundle).
    pub kind: &'static str,
    /// The phone it came from.
    pub device: DeviceId,
    /// The phone's user then.
    pub user: String,
    /// The case, of a change.
    pub case: Option<CaseId>,
    /// Why it was not taken.
    pub code: String,
    /// The register at fault, of a change.
    pub field: Option<String>,
    /// Its size.
    pub bytes: i64,
    /// When.
    pub at: Millis,
}

const COLUMNS: &str = "id, device, user_id, case_id, code, field, LENGTH(bytes), at";

/// What is put aside, oldest first; of one phone, or of all.
pub async fn list(tx: &mut dyn Tx, device: Option<DeviceId>) -> Result<Vec<Kept>, StoreError> {
    let filter = if device.is_some() { " WHERE device = ?1" } else { "" };
    let params: Vec<Value> = device.iter().map(|device| Value::from(device.as_bytes())).collect();
    let sql = format!("SELECT {COLUMNS} FROM quarantine{filter} ORDER BY at, id");
    tx.query(&sql, &params).await?.iter().map(read).collect()
}

/// One of them with its bytes.
pub async fn find(tx: &mut dyn Tx, id: Ulid) -> Result<Option<(Kept, Vec<u8>)>, StoreError> {
    let sql = format!("SELECT {COLUMNS}, bytes FROM quarantine WHERE id = ?1");
    let row = tx.query_opt(&sql, params![id.as_bytes()]).await?;
    row.map(|row| Ok((read(&row)?, row.blob(8)?.to_vec()))).transpose()
}

/// Takes one out, and notes who did and why. False if there is no such one.
pub async fn remove(
    tx: &mut dyn Tx,
    by: &str,
    id: Ulid,
    action: &str,
    why: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    let Some((kept, _)) = find(tx, id).await? else { return Ok(false) };
    tx.execute("DELETE FROM quarantine WHERE id = ?1", params![id.as_bytes()]).await?;
    let detail = serde_json::json!({"kind": kept.kind, "device": kept.device, "code": kept.code, "why": why});
    let (subject, detail) = (id.to_string(), detail.to_string());
    audit::append(tx, &audit::Entry { at: now, actor: by, action, subject: &subject, detail: &detail }).await?;
    Ok(true)
}

fn as_text<S: Serializer>(id: &Ulid, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(id)
}

fn read(row: &Row) -> Result<Kept, StoreError> {
    let case = row.opt_array(3)?.map(CaseId::from_bytes);
    Ok(Kept {
        id: Ulid::from_bytes(row.array(0)?),
        kind: if case.is_none() && row.opt_text(5)? == Some("bundle") { "bundle" } else { "change" },
        device: DeviceId::from_bytes(row.array(1)?),
        user: row.text(2)?.to_owned(),
        case,
        code: row.text(4)?.to_owned(),
        field: row.opt_text(5)?.map(str::to_owned),
        bytes: row.int(6)?,
        at: Millis(row.int(7)?),
    })
}
