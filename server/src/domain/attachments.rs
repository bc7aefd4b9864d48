//! Photos that an office or a handling unit shows: attachments of the ledger, never facts.
//!
//! Whoever names one has sent all of its bytes before. It becomes a photo of the case with the role `handled` and is
//! then served like the others.

use xunge_client_core::model::{CaseId, PhotoHash};
use xunge_client_core::workflow::{Member, Refusal, Why};

use super::ledger::LedgerError;
use super::people::Viewer;
use super::uploads::Owner;
use super::work::Work;
use crate::params;
use crate::store::{StoreError, Tx};

/// The role of an attachment in `photo.role`.
pub const ROLE: &str = "handled";

/// Makes photos part of a case.
///
/// # Errors
/// [`Refusal::Invalid`] for a photo that is neither of this case nor sent by the viewer.
pub async fn attach(
    tx: &mut dyn Tx,
    work: &Work,
    case: CaseId,
    viewer: &Viewer,
    photos: &[PhotoHash],
) -> Result<(), LedgerError> {
    let mut added = 0;
    for photo in photos {
        if is_here(tx, case, *photo).await? {
            continue;
        }
        added += one(tx, work, case, viewer, *photo).await?;
    }
    if added > 0 {
        tx.execute(
            "UPDATE case_row SET photos_expected = (SELECT COUNT(*) FROM photo WHERE case_id = ?1),
             photos_present = (SELECT COUNT(*) FROM photo WHERE case_id = ?1 AND present = 1) WHERE id = ?1",
            params![case.as_bytes()],
        )
        .await?;
    }
    Ok(())
}

async fn one(
    tx: &mut dyn Tx,
    work: &Work,
    case: CaseId,
    viewer: &Viewer,
    photo: PhotoHash,
) -> Result<u64, LedgerError> {
    let owner = match viewer.device {
        Some(device) => Owner::Device { device, user: viewer.user.clone() },
        None => Owner::User(viewer.user.clone()),
    };
    let sql = "SELECT b.mime, b.size_bytes FROM blob_owner o JOIN blob b ON b.sha256 = o.sha256
        WHERE o.device = ?1 AND o.sha256 = ?2";
    let Some(blob) = tx.query_opt(sql, params![owner.key(), photo.as_bytes()]).await? else {
        return Err(Refusal::Invalid { field: Member::Photos, why: Why::UnknownCode }.into());
    };
    let added = tx
        .execute(
            "INSERT INTO photo (case_id, sha256, district, role, mime, size_bytes, width, height, announced_at, present)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7, 1) ON CONFLICT (case_id, sha256) DO UPDATE SET present = 1",
            params![
                case.as_bytes(),
                photo.as_bytes(),
                &work.district,
                ROLE,
                blob.text(0)?,
                blob.int(1)?,
                work.now.0
            ],
        )
        .await?;
    Ok(added)
}

/// True if the bytes of this photo of this case are on the server.
async fn is_here(tx: &mut dyn Tx, case: CaseId, photo: PhotoHash) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM photo WHERE case_id = ?1 AND sha256 = ?2 AND present = 1";
    Ok(!tx.query(sql, params![case.as_bytes(), photo.as_bytes()]).await?.is_empty())
}
