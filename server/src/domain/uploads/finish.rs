//! The last step of an upload: bytes become a photo that is here.

use xunge_client_core::failpoint::{self, At};
use xunge_client_core::model::{Millis, PhotoHash};
use xunge_client_core::photo;

use super::{Owner, Part, Progress, Target, UploadError, Uploads, offers};
use crate::blobs::BlobError;
use crate::params;
use crate::store::{StoreError, Tx};

/// Bytes that tell what a file is.
const HEAD: usize = 512;

impl Uploads {
    /// Checks the hash, stores the bytes durably, and writes the rows; in this order, and to the end once begun.
    pub(super) async fn finish(&self, owner: &Owner, target: Target, part: Part) -> Result<Progress, UploadError> {
        let (uploads, owner) = (self.clone(), owner.clone());
        // Dropped between the bytes and the row, the phone would have to send all of it again.
        let work = tokio::spawn(async move { uploads.finish_here(&owner, target, part).await });
        work.await.unwrap_or_else(|_| Err(BlobError::Closed.into()))
    }

    async fn finish_here(&self, owner: &Owner, target: Target, mut part: Part) -> Result<Progress, UploadError> {
        if let Target::Preview(photo) = target {
            return self.finish_preview(owner, photo, part).await;
        }
        failpoint::reach(At::ServerPhotoStaged);
        let hash = part.hash().await?;
        if target.hash().is_some_and(|announced| announced != hash) {
            part.discard().await?;
            return Err(UploadError::Hash);
        }
        failpoint::reach(At::ServerPhotoVerified);
        let size_bytes = part.length();
        // Whatever it is, it is kept and never served as more than bytes: the type only helps readers.
        let mime = photo::media_type(&part.head(HEAD).await?).unwrap_or("application/octet-stream");
        let _row_follows = self.completing.read().await;
        self.blobs.put_verified(hash, part.path().to_owned()).await?;
        failpoint::reach(At::ServerPhotoStored);
        let photo = Photo { hash, size_bytes, mime };
        let (who, now) = (owner.clone(), self.business.now());
        self.store
            .write(move |tx| Box::pin(async move { write(tx, &who, target, photo, now).await }))
            .await
            .map_err(|error: StoreError| UploadError::from(error))?;
        failpoint::reach(At::ServerPhotoRecorded);
        Ok(Progress { target, offset: size_bytes, length: size_bytes, complete: true, expires_at: None })
    }
}

#[derive(Clone, Copy)]
struct Photo {
    hash: PhotoHash,
    size_bytes: u64,
    mime: &'static str,
}

async fn write(tx: &mut dyn Tx, owner: &Owner, target: Target, photo: Photo, now: Millis) -> Result<(), StoreError> {
    let (key, hash) = (owner.key(), photo.hash.as_bytes());
    tx.execute(
        "INSERT INTO blob (sha256, size_bytes, mime, stored_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (sha256) DO NOTHING",
        params![hash, photo.size_bytes as i64, photo.mime, now.0],
    )
    .await?;
    let new = tx
        .execute(
            "INSERT INTO blob_owner (device, sha256, at) VALUES (?1, ?2, ?3) ON CONFLICT (device, sha256) DO NOTHING",
            params![key.clone(), hash, now.0],
        )
        .await?;
    if new > 0 {
        // The phone said how many were left before it sent them, and may not speak again for hours.
        let sql = "UPDATE device SET waiting_photos = waiting_photos - 1 WHERE id = ?1 AND waiting_photos > 0";
        tx.execute(sql, params![key.clone()]).await?;
    }
    offers::complete(tx, owner, photo.hash).await?;
    match target {
        Target::Photo(_) | Target::Preview(_) => {
            tx.execute("DELETE FROM upload WHERE device = ?1 AND sha256 = ?2", params![key, hash]).await?;
        }
        // Its client may ask once more how far it got.
        Target::Nameless(_) => {
            let id = owner.part(target).0;
            tx.execute("UPDATE upload SET finished_at = ?2 WHERE id = ?1", params![id, now.0]).await?;
        }
    }
    Ok(())
}
