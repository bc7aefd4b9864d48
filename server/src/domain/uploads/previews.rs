//! Previews: small pictures that go ahead of photos, so that an office sees something early.
//!
//! A preview is not a photo. It is no blob, nobody owns it, no case counts it; it is a row beside the photo it goes ahead
//! of, and the row goes when the photo's bytes are here. It is taken from a phone only while a case of the same person
//! waits for that photo, and shown only with photos that a phone of the same person announced: nobody can put a
//! picture under another's photo, nor learn of one.
//!
//! Its bytes come like those of a photo, from the offset that arrived, into a part of their own.

use xunge_client_core::model::{Millis, PhotoHash};
use xunge_client_core::wire::{PhotoOffer, PhotoOffset, limits};

use super::{KEEP_MS, Known, Owner, Part, Progress, Target, UploadError, Uploads};
use crate::clock::Security;
use crate::params;
use crate::store::{StoreError, Tx};

/// What there is to say to the offer of a preview.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// No photo of this person waits under that name.
    Unknown,
    /// It is here, or the photo itself.
    Here,
    /// Exactly these bytes are expected.
    Expected,
    /// Nobody offered it before.
    New,
}

impl Uploads {
    /// Tells how far the previews of a push got; of photos nobody announced nothing is told.
    pub(super) async fn previews_offered(
        &self,
        owner: &Owner,
        offers: Vec<PhotoOffer>,
    ) -> Result<Vec<PhotoOffset>, UploadError> {
        if offers.is_empty() {
            return Ok(Vec::new());
        }
        let offers: Vec<(PhotoHash, PhotoOffer)> = offers
            .into_iter()
            .filter(|offer| (1..=limits::PREVIEW).contains(&offer.bytes))
            .filter_map(|offer| Some((offer.of?, offer)))
            .collect();
        let (who, asked) = (owner.clone(), offers.clone());
        let read = self.store.read::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let mut found = Vec::with_capacity(asked.len());
                for (photo, offer) in &asked {
                    found.push(standing(tx, &who, *photo, offer).await?);
                }
                Ok(found)
            })
        });
        let found = read.await?;
        let new: Vec<_> = offers.iter().zip(&found).filter(|(_, standing)| **standing == Standing::New).collect();
        if !new.is_empty() {
            let new: Vec<_> = new.into_iter().map(|(offer, _)| offer.clone()).collect();
            let (who, now) = (owner.clone(), Security.now());
            self.store
                .write::<_, StoreError, _>(move |tx| Box::pin(async move { expect(tx, &who, &new, now).await }))
                .await?;
        }
        let parts = offers.iter().map(|(photo, _)| owner.part(Target::Preview(*photo))).collect();
        let lengths = self.staging.lengths(parts).await?;
        let answers = offers.into_iter().zip(found).zip(lengths).filter_map(|(((photo, offer), standing), length)| {
            let target = Target::Preview(photo);
            let (offset, location) = match standing {
                Standing::Unknown => return None,
                Standing::Here => (offer.bytes, None),
                // A whole part without its row fails or completes with its next request, of no bytes.
                Standing::Expected | Standing::New => (length.min(offer.bytes), Some(format!("/v1/photos/{target}"))),
            };
            Some(PhotoOffset { sha256: offer.sha256, offset, location, of: Some(photo) })
        });
        Ok(answers.collect())
    }

    /// Checks the hash of a preview that is whole and keeps it.
    pub(super) async fn finish_preview(
        &self,
        owner: &Owner,
        photo: PhotoHash,
        mut part: Part,
    ) -> Result<Progress, UploadError> {
        let length = part.length();
        let bytes = part.head(limits::PREVIEW as usize).await?;
        let (who, name) = (owner.clone(), PhotoHash::of(&bytes));
        let kept = self.store.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let sql = "UPDATE photo_preview SET bytes = ?4 WHERE device = ?1 AND photo = ?2 AND sha256 = ?3";
                tx.execute(sql, params![who.key(), photo.as_bytes(), name.as_bytes(), bytes]).await
            })
        });
        let kept = kept.await?;
        part.discard().await?;
        if kept == 0 {
            return Err(UploadError::Hash);
        }
        Ok(Progress { target: Target::Preview(photo), offset: length, length, complete: true, expires_at: None })
    }
}

async fn standing(
    tx: &mut dyn Tx,
    owner: &Owner,
    photo: PhotoHash,
    offer: &PhotoOffer,
) -> Result<Standing, StoreError> {
    let sql = "SELECT MIN(present) FROM photo WHERE sha256 = ?1
         AND (device = ?2 OR device IN (SELECT id FROM device WHERE user_id = ?3))";
    let row = tx.query_one(sql, params![photo.as_bytes(), owner.key(), owner.user()]).await?;
    match row.opt_int(0)? {
        None => return Ok(Standing::Unknown),
        Some(0) => {}
        Some(_) => return Ok(Standing::Here),
    }
    let sql = "SELECT sha256, size_bytes, CASE WHEN bytes IS NULL THEN 0 ELSE 1 END FROM photo_preview
         WHERE device = ?1 AND photo = ?2";
    let Some(row) = tx.query_opt(sql, params![owner.key(), photo.as_bytes()]).await? else {
        return Ok(Standing::New);
    };
    let same = row.blob(0)? == offer.sha256.as_bytes() && row.int(1)? == offer.bytes as i64;
    Ok(match (row.bool(2)?, same) {
        (true, _) => Standing::Here,
        (false, true) => Standing::Expected,
        (false, false) => Standing::New,
    })
}

async fn expect(
    tx: &mut dyn Tx,
    owner: &Owner,
    offers: &[(PhotoHash, PhotoOffer)],
    now: Millis,
) -> Result<(), StoreError> {
    for (photo, offer) in offers {
        let sql = "INSERT INTO photo_preview (device, photo, sha256, size_bytes, at) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (device, photo) DO UPDATE SET sha256 = excluded.sha256, size_bytes = excluded.size_bytes";
        let values = params![owner.key(), photo.as_bytes(), offer.sha256.as_bytes(), offer.bytes as i64, now.0];
        tx.execute(sql, values).await?;
    }
    Ok(())
}

/// Reads what is known of a preview.
pub(super) async fn known(tx: &mut dyn Tx, owner: &Owner, photo: PhotoHash) -> Result<Option<Known>, StoreError> {
    let sql = "SELECT size_bytes, CASE WHEN bytes IS NULL THEN 0 ELSE 1 END FROM photo_preview
         WHERE device = ?1 AND photo = ?2";
    let row = tx.query_opt(sql, params![owner.key(), photo.as_bytes()]).await?;
    row.map(|row| {
        let length = u64::try_from(row.int(0)?).unwrap_or_default();
        Ok(Known { length, complete: row.bool(1)?, expires_at: None })
    })
    .transpose()
}

/// Forgets a preview that is not whole.
pub(super) async fn give_up(tx: &mut dyn Tx, owner: &Owner, photo: PhotoHash) -> Result<u64, StoreError> {
    let sql = "DELETE FROM photo_preview WHERE device = ?1 AND photo = ?2 AND bytes IS NULL";
    tx.execute(sql, params![owner.key(), photo.as_bytes()]).await
}

/// The photo itself is here: the previews its person sent have done their work, and all of them if no case waits for it.
pub(super) async fn photo_is_here(tx: &mut dyn Tx, owner: &Owner, photo: PhotoHash) -> Result<(), StoreError> {
    let sql = "DELETE FROM photo_preview WHERE photo = ?1
         AND (device = ?2 OR device IN (SELECT id FROM device WHERE user_id = ?3)
           OR NOT EXISTS (SELECT 1 FROM photo WHERE sha256 = ?1 AND present = 0))";
    tx.execute(sql, params![photo.as_bytes(), owner.key(), owner.user()]).await.map(drop)
}

/// Forgets previews nobody went on with; whole ones stay as long as their photo is missing. Gives their number.
pub(super) async fn expire(tx: &mut dyn Tx, now: Millis) -> Result<u64, StoreError> {
    let sql = "DELETE FROM photo_preview WHERE bytes IS NULL AND at <= ?1";
    tx.execute(sql, params![now.plus_ms(-KEEP_MS).0]).await
}
