//! Refused bytes, kept for a person to look at: a report is never simply thrown away.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use xunge_client_core::doc::chunk;
use xunge_client_core::model::{CaseId, ChangeHash, DeviceId, Millis};
use xunge_client_core::wire::Frame;

use super::{IntakeError, QUARANTINE_BYTES};
use crate::domain::audit;
use crate::params;
use crate::store::{StoreError, Tx};

/// A phone that filled its quarantine is asked to come back after an hour; an administrator may have cleared it.
const RETRY_AFTER_S: u32 = 3_600;

/// What a row costs of the quota besides its bytes. Changes of three bytes must not fill the table by the million.
const ROW_BYTES: i64 = 512;

/// One refused change.
#[derive(Debug)]
pub(super) struct Refused<'a> {
    pub(super) case: CaseId,
    pub(super) hash: ChangeHash,
    pub(super) code: &'a str,
    pub(super) field: Option<&'a str>,
}

/// Keeps the raw bytes of refused changes; what is kept already stays as it is. `used` is what the phone's rows take of
/// its quota, once it was asked for: a push of hundreds of frames adds them up once.
pub(super) async fn keep(
    tx: &mut dyn Tx,
    sender: (DeviceId, &str),
    frame: &Frame,
    refused: &[Refused<'_>],
    used: &mut Option<i64>,
    now: Millis,
) -> Result<(), IntakeError> {
    if refused.is_empty() {
        return Ok(());
    }
    let bodies: BTreeMap<ChangeHash, &[u8]> =
        frame.changes.iter().map(|body| (kept_hash(Kind::Change, body), body.as_slice())).collect();
    let (device, user) = sender;
    let mut total = match *used {
        Some(known) => known,
        None => used_bytes(tx, device).await?,
    };
    let mut noted = Vec::new();
    for one in refused {
        let Some(bytes) = bodies.get(&one.hash) else { continue };
        let kept = tx
            .execute(
                "INSERT INTO quarantine (id, device, user_id, case_id, hash, code, field, bytes, at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (device, hash) DO NOTHING",
                params![
                    row_id(device, &one.hash),
                    device.as_bytes(),
                    user,
                    one.case.as_bytes(),
                    one.hash.as_bytes(),
                    one.code,
                    one.field,
                    *bytes,
                    now.0
                ],
            )
            .await?;
        if kept > 0 {
            total += bytes.len() as i64 + ROW_BYTES;
            noted.push(one);
        }
        if total > QUARANTINE_BYTES {
            return Err(IntakeError::Quota { what: "quota_quarantine", retry_after_s: RETRY_AFTER_S });
        }
    }
    *used = Some(total);
    note(tx, device, user, &noted, now).await
}

/// The line of the log for changes of one case that were put aside: one line however many they are, or a hostile phone
/// could fill a log that is never cleared.
async fn note(
    tx: &mut dyn Tx,
    device: DeviceId,
    user: &str,
    kept: &[&Refused<'_>],
    at: Millis,
) -> Result<(), IntakeError> {
    let Some(first) = kept.first() else { return Ok(()) };
    let codes: BTreeSet<&str> = kept.iter().map(|one| one.code).collect();
    let detail = serde_json::json!({"device": device, "changes": kept.len(), "codes": codes}).to_string();
    let subject = first.case.to_string();
    let entry = audit::Entry { at, actor: user, action: "quarantine.kept", subject: &subject, detail: &detail };
    Ok(audit::append(tx, &entry).await?)
}

/// Keeps a whole sealed bundle of a phone that may not speak any more; one that is kept already stays as it is.
pub async fn keep_sealed(
    tx: &mut dyn Tx,
    device: DeviceId,
    bundle: &[u8],
    code: &str,
    now: Millis,
) -> Result<(), IntakeError> {
    let hash = kept_hash(Kind::Bundle, bundle);
    if used_bytes(tx, device).await? + bundle.len() as i64 + ROW_BYTES > QUARANTINE_BYTES {
        return Err(IntakeError::Quota { what: "quota_quarantine", retry_after_s: RETRY_AFTER_S });
    }
    const SQL: &str = "INSERT INTO quarantine (id, device, user_id, case_id, hash, code, field, bytes, at)
        SELECT ?1, id, user_id, NULL, ?3, ?4, 'bundle', ?5, ?6 FROM device WHERE id = ?2
        ON CONFLICT (device, hash) DO NOTHING";
    let id = row_id(device, &hash);
    if tx.execute(SQL, params![id, device.as_bytes(), hash.as_bytes(), code, bundle, now.0]).await? > 0 {
        let (subject, detail) = (device.to_string(), serde_json::json!({"kind": "bundle", "code": code}).to_string());
        let entry = audit::Entry { at: now, actor: "-", action: "quarantine.kept", subject: &subject, detail: &detail };
        audit::append(tx, &entry).await?;
    }
    Ok(())
}

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A change of a case.
    Change,
    /// A sealed bundle; nobody knows of which cases.
    Bundle,
}

/// The hash bytes are kept under: a change's own, or that of a whole bundle.
pub fn kept_hash(kind: Kind, bytes: &[u8]) -> ChangeHash {
    match kind {
        Kind::Change => chunk::hash_of_body(bytes),
        Kind::Bundle => ChangeHash::from_bytes(Sha256::digest(bytes).into()),
    }
}

async fn used_bytes(tx: &mut dyn Tx, device: DeviceId) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT CAST(COALESCE(SUM(LENGTH(bytes) + ?2), 0) AS BIGINT) FROM quarantine WHERE device = ?1";
    tx.query_one(SQL, params![device.as_bytes(), ROW_BYTES]).await?.int(0)
}

/// The row's id follows from what makes it unique, so that a repeated push needs no memory of the first.
fn row_id(device: DeviceId, hash: &ChangeHash) -> [u8; 16] {
    let mut hasher = Sha256::new();
    hasher.update(device.as_bytes());
    hasher.update(hash.as_bytes());
    let full: [u8; 32] = hasher.finalize().into();
    full.first_chunk().copied().expect("32 bytes hold 16")
}
