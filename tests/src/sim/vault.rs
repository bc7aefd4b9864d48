//! Photos at the centre: what is there, what its sweeps remove, and what a backup has of them.

use bytes::Bytes;
use futures::TryStreamExt;
use xunge_client_core::model::{CaseId, Millis, PhotoHash};
use xunge_server::params;
use xunge_server::store::Row;

use super::centre::Centre;

/// Photos as a backup holds them.
pub(super) type Photos = Vec<(PhotoHash, Bytes)>;

impl Centre {
    /// True if all bytes of a photo are here, sent by phones of this person.
    pub(super) fn keeps(&self, photo: &PhotoHash, user: &str) -> bool {
        let sql = "SELECT 1 FROM blob b JOIN blob_owner o ON o.sha256 = b.sha256 WHERE b.sha256 = ?1
             AND o.device IN (SELECT id FROM device WHERE user_id = ?2)";
        self.has(sql, params![photo.as_bytes(), user].to_vec()) && self.has_bytes(photo)
    }

    /// True if a photo is stored with the bytes its name says.
    pub(super) fn has_bytes(&self, photo: &PhotoHash) -> bool {
        self.wait(self.blobs().get(*photo)).is_ok_and(|bytes| PhotoHash::of(&bytes) == *photo)
    }

    /// Whether a photo of a case is said to be here; none if the case does not name it.
    pub(super) fn photo_of(&self, case: CaseId, photo: &PhotoHash) -> Option<bool> {
        let sql = "SELECT present FROM photo WHERE case_id = ?1 AND sha256 = ?2";
        let rows = self.rows(sql, params![case.as_bytes(), photo.as_bytes()].to_vec());
        rows.first().map(|row| row.bool(0).unwrap())
    }

    /// Photos that cases wait for.
    pub(super) fn missing_photos(&self) -> Vec<(CaseId, PhotoHash)> {
        let rows = self.rows("SELECT case_id, sha256 FROM photo WHERE present = 0 ORDER BY 1, 2", Vec::new());
        rows.iter().map(|row| (CaseId::from_bytes(row.array(0).unwrap()), hash(row, 1))).collect()
    }

    /// Photos that have a row.
    pub(super) fn known_photos(&self) -> Vec<PhotoHash> {
        let rows = self.rows("SELECT sha256 FROM blob ORDER BY 1", Vec::new());
        rows.iter().map(|row| hash(row, 0)).collect()
    }

    /// Does what a server does by itself: forgets uploads nobody finished and removes bytes without a row. Gives how
    /// many of each; `now` is the security clock.
    pub(super) fn sweep(&self, now: Millis) -> (usize, usize) {
        let uploads = self.uploads();
        self.wait(async { (uploads.expire(now).await.unwrap(), uploads.sweep_orphans(now).await.unwrap()) })
    }

    /// All photos, as they go into a backup.
    pub(super) fn photos(&self) -> Photos {
        self.wait(async {
            let listed: Vec<(PhotoHash, u64)> = self.blobs().list().try_collect().await.unwrap();
            let mut photos = Vec::with_capacity(listed.len());
            for (photo, _) in listed {
                photos.push((photo, self.blobs().get(photo).await.unwrap()));
            }
            photos
        })
    }

    /// Adds those of a backup that are not here any more; what was stored since stays.
    pub(super) fn put_back(&self, photos: &Photos) {
        for (photo, bytes) in photos.iter().filter(|(photo, _)| !self.has_bytes(photo)) {
            let staged = self.folder().join("put-back");
            std::fs::write(&staged, bytes).unwrap();
            self.wait(self.blobs().put_verified(*photo, staged)).unwrap();
        }
    }
}

fn hash(row: &Row, column: usize) -> PhotoHash {
    PhotoHash::from_bytes(row.array(column).unwrap())
}
