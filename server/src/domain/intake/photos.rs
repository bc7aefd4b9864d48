//! The photos that facts name. Their bytes come apart, before or after.

use xunge_client_core::model::{CaseId, DeviceId, Facts, Millis};

use crate::params;
use crate::store::{StoreError, Tx};

/// How many photos a case names, and how many of them are here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Photos {
    pub(super) expected: u32,
    pub(super) present: u32,
}

/// True if one of these photos belongs to another case already.
pub(super) async fn reused(tx: &mut dyn Tx, case: CaseId, facts: &Facts) -> Result<bool, StoreError> {
    for hash in facts.photos.keys() {
        let other = tx
            .query(
                "SELECT 1 FROM photo WHERE sha256 = ?1 AND case_id <> ?2 LIMIT 1",
                params![hash.as_bytes(), case.as_bytes()],
            )
            .await?;
        if !other.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Writes the rows of photos that are new to the case.
///
/// A photo is present at once only if a phone of the same person, or of somebody who offered it for this case, has sent
/// all of its bytes before: knowing a hash is not owning a photo.
pub(super) async fn announce(
    tx: &mut dyn Tx,
    district: &str,
    case: CaseId,
    device: DeviceId,
    facts: &Facts,
    now: Millis,
) -> Result<Photos, StoreError> {
    if facts.photos.is_empty() {
        return Ok(Photos::default());
    }
    for (hash, photo) in &facts.photos {
        tx.execute(
            "INSERT INTO photo (case_id, sha256, district, role, mime, size_bytes, width, height, taken_at, device,
             announced_at, present) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,
             CASE WHEN EXISTS (SELECT 1 FROM blob_owner b JOIN device d ON d.id = b.device WHERE b.sha256 = ?2
               AND (d.user_id = (SELECT user_id FROM device WHERE id = ?10)
                 OR d.user_id IN (SELECT user_id FROM photo_offer WHERE case_id = ?1 AND sha256 = ?2)))
             THEN 1 ELSE 0 END)
             ON CONFLICT (case_id, sha256) DO NOTHING",
            params![
                case.as_bytes(),
                hash.as_bytes(),
                district,
                photo.role.code(),
                &photo.mime,
                photo.bytes as i64,
                photo.w,
                photo.h,
                photo.taken_at.map(|at| at.0),
                device.as_bytes(),
                now.0
            ],
        )
        .await?;
    }
    let row = tx
        .query_one(
            "SELECT COUNT(*), CAST(COALESCE(SUM(present), 0) AS BIGINT) FROM photo WHERE case_id = ?1",
            params![case.as_bytes()],
        )
        .await?;
    Ok(Photos { expected: row.int(0)? as u32, present: row.int(1)? as u32 })
}

/// Writes the rows of photos that the office named with a new case; their bytes are here.
pub(super) async fn announce_written(
    tx: &mut dyn Tx,
    district: &str,
    case: CaseId,
    facts: &Facts,
    now: Millis,
) -> Result<(), StoreError> {
    for (hash, photo) in &facts.photos {
        tx.execute(
            "INSERT INTO photo (case_id, sha256, district, role, mime, size_bytes, width, height, announced_at, present)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1)",
            params![
                case.as_bytes(),
                hash.as_bytes(),
                district,
                photo.role.code(),
                &photo.mime,
                photo.bytes as i64,
                photo.w,
                photo.h,
                now.0
            ],
        )
        .await?;
    }
    Ok(())
}

/// Writes the rows of a new case's photos; its row says already how many there are.
pub(super) async fn announce_new(
    tx: &mut dyn Tx,
    district: &str,
    case: CaseId,
    device: DeviceId,
    facts: &Facts,
    now: Millis,
) -> Result<(), StoreError> {
    let photos = announce(tx, district, case, device, facts, now).await?;
    if photos.present > 0 {
        tx.execute("UPDATE case_row SET photos_present = ?2 WHERE id = ?1", params![case.as_bytes(), photos.present])
            .await?;
    }
    Ok(())
}
