//! Offers: photos of a push that its own person did not name.
//!
//! A photo of a case is completed by the person whose phone named it. After this database was restored the words may be
//! named first by a colleague's phone that holds them too; the photo's own phone then offers it for that case all the
//! same. The offer is noted, and counts once all bytes came from a phone of that person: so nobody makes another's
//! photo one of their case, neither by knowing its hash, nor with a helper who knows it.

use xunge_client_core::model::{Millis, PhotoHash};
use xunge_client_core::wire::PhotoOffer;

use super::{Owner, previews};
use crate::domain::quarantine;
use crate::params;
use crate::store::{StoreError, Tx};

/// Offers one person may have open for photos that are not with their case yet: as many as a push may bring.
const MAX_OPEN: i64 = 512;
/// How long an offer waits for the words that name its photo: as long as refused words may still be released.
const KEEP_MS: i64 = quarantine::KEPT_DAYS as i64 * 86_400_000;

/// Those of some offers that their person's phones did not name and that are not with their case.
pub(super) async fn unnamed(
    tx: &mut dyn Tx,
    owner: &Owner,
    offers: &[PhotoOffer],
) -> Result<Vec<PhotoOffer>, StoreError> {
    let mut found = Vec::new();
    for offer in offers {
        let sql = "SELECT 1 FROM photo WHERE case_id = ?1 AND sha256 = ?2
             AND (present = 1 OR device = ?3 OR device IN (SELECT id FROM device WHERE user_id = ?4))";
        let values = params![offer.case.as_bytes(), offer.sha256.as_bytes(), owner.key(), owner.user()];
        if tx.query_opt(sql, values).await?.is_none() {
            found.push(offer.clone());
        }
    }
    Ok(found)
}

/// Notes offers; a case gets at once what their person has sent before.
pub(super) async fn note(tx: &mut dyn Tx, owner: &Owner, offers: &[PhotoOffer], now: Millis) -> Result<(), StoreError> {
    if offers.is_empty() {
        return Ok(());
    }
    let sql = "SELECT COUNT(*) FROM photo_offer o WHERE user_id = ?1 AND NOT EXISTS
         (SELECT 1 FROM photo p WHERE p.case_id = o.case_id AND p.sha256 = o.sha256 AND p.present = 1)";
    let open = tx.query_one(sql, params![owner.user()]).await?.int(0)?;
    // No honest phone has more.
    let room = usize::try_from(MAX_OPEN - open).unwrap_or_default();
    for offer in offers.iter().take(room) {
        tx.execute(
            "INSERT INTO photo_offer (case_id, sha256, user_id, at) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (case_id, sha256, user_id) DO NOTHING",
            params![offer.case.as_bytes(), offer.sha256.as_bytes(), owner.user(), now.0],
        )
        .await?;
        complete(tx, owner, offer.sha256).await?;
    }
    Ok(())
}

/// Writes that a photo is with every case that waits for it from this person, if they have sent all of its bytes.
pub(super) async fn complete(tx: &mut dyn Tx, owner: &Owner, photo: PhotoHash) -> Result<(), StoreError> {
    let cases = tx
        .query(
            "UPDATE photo SET present = 1 WHERE sha256 = ?1 AND present = 0
             AND EXISTS (SELECT 1 FROM blob_owner b WHERE b.sha256 = ?1
               AND (b.device = ?2 OR b.device IN (SELECT id FROM device WHERE user_id = ?3)))
             AND (device = ?2 OR device IN (SELECT id FROM device WHERE user_id = ?3)
               OR EXISTS (SELECT 1 FROM photo_offer o
                 WHERE o.case_id = photo.case_id AND o.sha256 = photo.sha256 AND o.user_id = ?3))
             RETURNING case_id",
            params![photo.as_bytes(), owner.key(), owner.user()],
        )
        .await?;
    for case in &cases {
        tx.execute(
            "UPDATE case_row SET photos_present =
             (SELECT COUNT(*) FROM photo WHERE photo.case_id = case_row.id AND photo.present = 1) WHERE id = ?1",
            params![case.blob(0)?],
        )
        .await?;
    }
    if cases.is_empty() { Ok(()) } else { previews::photo_is_here(tx, owner, photo).await }
}

/// Forgets offers whose photos are with their cases, and those nobody named in all that time. Gives their number.
pub(super) async fn expire(tx: &mut dyn Tx, now: Millis) -> Result<u64, StoreError> {
    let sql = "DELETE FROM photo_offer WHERE at <= ?1 OR EXISTS (SELECT 1 FROM photo p
         WHERE p.case_id = photo_offer.case_id AND p.sha256 = photo_offer.sha256 AND p.present = 1)";
    tx.execute(sql, params![now.plus_ms(-KEEP_MS).0]).await
}
