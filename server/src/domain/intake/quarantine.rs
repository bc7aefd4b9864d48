//! Refused bytes, kept for a person to look at: a report is never simply thrown away.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use xunge_client_core::doc::chunk;
use xunge_client_core::model::{CaseId, ChangeHash, DeviceId, Millis};
use xunge_client_core::wire::Frame;

use super::{IntakeError, QUARANTINE_BYTES};
use crate::params;
use crate::store::{StoreError, Tx};

/// A phone that filled its quarantine is asked to come back after an hour; an administrator may have cleared it.
const RETRY_AFTER_S: u32 = 3_600;

/// One refused change.
#[derive(Debug)]
pub(super) struct Refused<'a> {
    pub(super) case: CaseId,
    pub(super) hash: ChangeHash,
    pub(super) code: &'a str,
    pub(super) field: Option<&'a str>,
}

/// Keeps the raw bytes of refused changes; what is kept already stays as it is.
pub(super) async fn keep(
    tx: &mut dyn Tx,
    device: DeviceId,
    user: &str,
    frame: &Frame,
    refused: &[Refused<'_>],
    now: Millis,
) -> Result<(), IntakeError> {
    if refused.is_empty() {
        return Ok(());
    }
    let bodies: BTreeMap<ChangeHash, &[u8]> =
        frame.changes.iter().map(|body| (chunk::hash_of_body(body), body.as_slice())).collect();
    let mut used = used_bytes(tx, device).await?;
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
        used += if kept > 0 { bytes.len() as i64 } else { 0 };
        if used > QUARANTINE_BYTES {
            return Err(IntakeError::Quota { what: "quota_quarantine", retry_after_s: RETRY_AFTER_S });
        }
    }
    Ok(())
}

/// Keeps a whole sealed bundle of a phone that may not speak any more; one that is kept already stays as it is.
pub async fn keep_sealed(
    tx: &mut dyn Tx,
    device: DeviceId,
    bundle: &[u8],
    code: &str,
    now: Millis,
) -> Result<(), IntakeError> {
    let hash = ChangeHash::from_bytes(Sha256::digest(bundle).into());
    if used_bytes(tx, device).await? + bundle.len() as i64 > QUARANTINE_BYTES {
        return Err(IntakeError::Quota { what: "quota_quarantine", retry_after_s: RETRY_AFTER_S });
    }
    tx.execute(
        "INSERT INTO quarantine (id, device, user_id, case_id, hash, code, field, bytes, at)
         SELECT ?1, id, user_id, NULL, ?3, ?4, 'bundle', ?5, ?6 FROM device WHERE id = ?2
         ON CONFLICT (device, hash) DO NOTHING",
        params![row_id(device, &hash), device.as_bytes(), hash.as_bytes(), code, bundle, now.0],
    )
    .await?;
    Ok(())
}

async fn used_bytes(tx: &mut dyn Tx, device: DeviceId) -> Result<i64, StoreError> {
    const SQL: &str = "SELECT CAST(COALESCE(SUM(LENGTH(bytes)), 0) AS BIGINT) FROM quarantine WHERE device = ?1";
    tx.query_one(SQL, params![device.as_bytes()]).await?.int(0)
}

/// The row's id follows from what makes it unique, so that a repeated push needs no memory of the first.
fn row_id(device: DeviceId, hash: &ChangeHash) -> [u8; 16] {
    let mut hasher = Sha256::new();
    hasher.update(device.as_bytes());
    hasher.update(hash.as_bytes());
    let full: [u8; 32] = hasher.finalize().into();
    full.first_chunk().copied().expect("32 bytes hold 16")
}
