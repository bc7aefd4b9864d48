//! Bytes without a row: photos that were stored just before a crash and that nobody asked for again.
//!
//! A photo is made durable before its row is written, so a crash between the two leaves bytes that nothing refers to.
//! The phone usually comes back and completes them; what still has no row after the longest time a phone may be away
//! is removed. Rows are never removed here: whatever has one is kept for ever.
//!
//! After a restore the database is older than the photos beside it, and rows come back only as the phones offer
//! everything again; so the time counts from when this epoch of the server began at the earliest.

use futures::TryStreamExt;
use xunge_client_core::model::{Millis, PhotoHash};

use super::{UploadError, Uploads};
use crate::params;
use crate::store::{StoreError, Tx};

/// How long bytes may wait for their row: phones are asked to sync within 30 days.
const GRACE_MS: i64 = 30 * 86_400_000;
/// Photos looked at in one step, during which no upload is completed.
const STEP: usize = 64;

impl Uploads {
    /// Removes stored bytes that had no row for [`GRACE_MS`]; gives how many photos that were.
    ///
    /// `now` is the security clock, which also dates files.
    pub async fn sweep_orphans(&self, now: Millis) -> Result<usize, UploadError> {
        let since =
            self.store.write::<_, StoreError, _>(move |tx| Box::pin(async move { epoch_since(tx, now).await })).await?;
        let before = now.plus_ms(-GRACE_MS);
        if since > before {
            return Ok(0);
        }
        let mut removed = 0;
        let mut step = Vec::with_capacity(STEP);
        let mut old = self.blobs.list_older(before);
        while let Some(hash) = old.try_next().await? {
            step.push(hash);
            if step.len() == STEP {
                removed += self.remove_orphans(std::mem::take(&mut step)).await?;
            }
        }
        Ok(removed + self.remove_orphans(step).await?)
    }

    /// Removes those of some photos that have no row.
    async fn remove_orphans(&self, old: Vec<PhotoHash>) -> Result<usize, UploadError> {
        // Whoever completes the same photo now would find its bytes here and write the row.
        let _alone = self.completing.write().await;
        let orphans = self.store.read::<_, StoreError, _>(move |tx| Box::pin(without_row(tx, old))).await?;
        for hash in &orphans {
            self.blobs.delete(*hash).await?;
        }
        Ok(orphans.len())
    }
}

/// Those of some photos that have no row.
async fn without_row(tx: &mut dyn Tx, photos: Vec<PhotoHash>) -> Result<Vec<PhotoHash>, StoreError> {
    let mut orphans = Vec::new();
    for hash in photos {
        let row = tx.query_opt("SELECT 1 FROM blob WHERE sha256 = ?1", params![hash.as_bytes()]).await?;
        orphans.extend(row.is_none().then_some(hash));
    }
    Ok(orphans)
}

/// Since when this epoch of the server is known; notes it the first time.
async fn epoch_since(tx: &mut dyn Tx, now: Millis) -> Result<Millis, StoreError> {
    let epoch = tx.query_opt("SELECT value FROM meta WHERE key = 'server_epoch'", &[]).await?;
    let epoch = epoch.map(|row| row.text(0).map(str::to_owned)).transpose()?.unwrap_or_default();
    let noted = tx.query_opt("SELECT value FROM meta WHERE key = 'epoch_since'", &[]).await?;
    let noted = noted.map(|row| row.text(0).map(str::to_owned)).transpose()?.unwrap_or_default();
    if let Some((known, at)) = noted.split_once(' ')
        && known == epoch
        && let Ok(at) = at.parse()
    {
        return Ok(Millis(at));
    }
    let sql = "INSERT INTO meta (key, value) VALUES ('epoch_since', ?1)
        ON CONFLICT (key) DO UPDATE SET value = excluded.value";
    tx.execute(sql, params![format!("{epoch} {}", now.0)]).await?;
    Ok(now)
}
