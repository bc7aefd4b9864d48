//! Photos on their way in: who may send which bytes, and when a photo is here.
//!
//! One normal run: a phone's push names a photo, so its bytes are expected from that phone. The phone sends them from
//! the offset it was told; the link breaks; it asks and goes on from there. With the last byte the server checks the
//! SHA-256, makes the file durable, and only then writes in one transaction that the photo is here and complete.
//!
//! An upload is private to its owner and named by (owner, hash): nobody can see, continue, poison, end or take over
//! another's, not even learn whether somebody else has sent the same photo. Whoever wants to refer to a photo sends
//! all of it once; storage is shared only behind that.
//!
//! What goes wrong: a wrong offset, check sum or hash is refused and says how to go on; a broken link keeps what
//! arrived; a crash between storing and writing the row costs one repeated upload, never a row without bytes.

mod error;
mod finish;
mod offers;
mod orphans;
mod owner;
mod previews;
#[cfg(test)]
mod tests;
mod whole;

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use futures::Stream;
use tokio::sync::RwLock;
use xunge_client_core::model::{Millis, PhotoHash, Ulid};
use xunge_client_core::wire::{PhotoOffer, PhotoOffset};

use crate::blobs::space::Space;
use crate::blobs::staging::{Arrival, Checksum, Part, PartId, Staging};
use crate::blobs::{BlobError, Blobs};
use crate::clock::{Business, Security};
use crate::params;
use crate::store::{Store, StoreError, Tx};

pub use self::error::UploadError;
pub use self::owner::{Owner, Target};

/// Largest photo, bytes; the phone's own limit for files from the camera.
pub const MAX_BYTES: u64 = 64 << 20;
/// Uploads one owner may have open beside those its pushes announced: a push may offer 512 photos.
const MAX_OPEN: i64 = 600;
/// How long an unfinished upload is kept: two weeks of holidays.
const KEEP_MS: i64 = 14 * 86_400_000;

/// Takes photos in; clones share it.
#[derive(Clone, Debug)]
pub struct Uploads {
    store: Store,
    blobs: Blobs,
    staging: Staging,
    space: Space,
    business: Business,
    /// Held for reading while a photo is made durable and its row written, alone while bytes without a row are removed.
    completing: Arc<RwLock<()>>,
}

/// How far an upload got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Which upload; the last part of its location.
    pub target: Target,
    /// Bytes that are here.
    pub offset: u64,
    /// Bytes there will be.
    pub length: u64,
    /// The photo is stored durably and its row written.
    pub complete: bool,
    /// When an unfinished upload is forgotten, by the security clock; none for photos a push announced.
    pub expires_at: Option<Millis>,
}

/// What a client asks for when it begins an upload by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begin {
    /// Size of the photo, bytes.
    pub length: u64,
    /// Its SHA-256, if the client knows it.
    pub sha256: Option<PhotoHash>,
    /// Name for an upload without a hash; fresh and unpredictable.
    pub fresh: Ulid,
}

/// What the database knows of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    length: u64,
    complete: bool,
    expires_at: Option<Millis>,
}

impl Uploads {
    /// Takes photos into `blobs` by way of `staging`, as long as the disk has room; `business` dates them.
    pub fn new(store: Store, blobs: Blobs, staging: Staging, space: Space, business: Business) -> Self {
        Self { store, blobs, staging, space, business, completing: Arc::default() }
    }

    /// Begins an upload, or finds the one the owner began before.
    pub async fn begin(&self, owner: &Owner, begin: Begin) -> Result<Progress, UploadError> {
        if !(1..=MAX_BYTES).contains(&begin.length) {
            return Err(UploadError::Size { limit: MAX_BYTES });
        }
        self.check_space()?;
        let target = begin.sha256.map_or(Target::Nameless(begin.fresh), Target::Photo);
        let (who, now) = (owner.clone(), Security.now());
        self.store.write(move |tx| Box::pin(async move { expect(tx, &who, target, begin.length, now).await })).await?;
        self.progress(owner, target).await
    }

    /// Tells how far the photos of a push got, so that none of them needs a request of its own to begin.
    ///
    /// Photos no case of the push announced (their case was refused, or came from another phone) are expected too.
    /// Uploads that are running go on.
    pub async fn offered(&self, owner: &Owner, offers: &[PhotoOffer]) -> Result<Vec<PhotoOffset>, UploadError> {
        let (previews, offers): (Vec<_>, Vec<_>) = offers.iter().cloned().partition(|offer| offer.of.is_some());
        let mut answers = self.previews_offered(owner, previews).await?;
        answers.append(&mut self.photos_offered(owner, &offers).await?);
        Ok(answers)
    }

    async fn photos_offered(&self, owner: &Owner, offers: &[PhotoOffer]) -> Result<Vec<PhotoOffset>, UploadError> {
        if offers.is_empty() {
            return Ok(Vec::new());
        }
        let targets: Vec<Target> = offers.iter().map(|offer| Target::Photo(offer.sha256)).collect();
        let mut found = self.known(owner, targets.clone()).await?;
        let (who, asked) = (owner.clone(), offers.to_vec());
        let read = self
            .store
            .read::<_, StoreError, _>(move |tx| Box::pin(async move { offers::unnamed(tx, &who, &asked).await }));
        let unnamed = read.await?;
        if found.contains(&None) || !unnamed.is_empty() {
            let unknown = offers.iter().zip(&found).filter(|(_, known)| known.is_none());
            self.expect_all(owner, unknown.map(|(offer, _)| offer.clone()).collect(), unnamed).await?;
            found = self.known(owner, targets).await?;
        }
        let parts: Vec<PartId> = offers.iter().map(|offer| owner.part(Target::Photo(offer.sha256))).collect();
        let lengths = self.staging.lengths(parts).await?;
        let mut answers = Vec::with_capacity(offers.len());
        for ((offer, known), length) in offers.iter().zip(found).zip(lengths) {
            let target = Target::Photo(offer.sha256);
            let progress = match known {
                None => continue,
                Some(known) if known.complete => known.at(target, known.length),
                Some(known) if length < known.length => known.at(target, length),
                // Whole but not stored: it is being stored, or a crash came between.
                Some(_) => self.progress(owner, target).await?,
            };
            let location = (!progress.complete).then(|| format!("/v1/photos/{target}"));
            answers.push(PhotoOffset { sha256: offer.sha256, offset: progress.offset, location, of: None });
        }
        Ok(answers)
    }

    /// Expects photos nobody of the owner's announced, and notes what is offered for a case that another named it for.
    async fn expect_all(
        &self,
        owner: &Owner,
        unknown: Vec<PhotoOffer>,
        unnamed: Vec<PhotoOffer>,
    ) -> Result<(), UploadError> {
        let (owner, now) = (owner.clone(), Security.now());
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    for offer in unknown.iter().filter(|offer| (1..=MAX_BYTES).contains(&offer.bytes)) {
                        match expect(tx, &owner, Target::Photo(offer.sha256), offer.bytes, now).await {
                            // The rest is offered again with the next push.
                            Ok(()) | Err(UploadError::TooMany) => {}
                            Err(error) => return Err(error),
                        }
                    }
                    Ok(offers::note(tx, &owner, &unnamed, now).await?)
                })
            })
            .await
    }

    /// Tells how far an upload got. A request that still waits for bytes of it is ended first.
    pub async fn progress(&self, owner: &Owner, target: Target) -> Result<Progress, UploadError> {
        let (known, part) = self.hold(owner, target).await?;
        if known.complete {
            return Ok(known.at(target, known.length));
        }
        if part.length() < known.length {
            return Ok(known.at(target, part.length()));
        }
        // All here without a row: a crash came between.
        match self.finish(owner, target, part).await {
            Err(UploadError::Hash) => Ok(known.at(target, 0)),
            other => other,
        }
    }

    /// Appends bytes at `offset` as they arrive; with the last one the photo is completed.
    ///
    /// Goes on when the caller gives up waiting: what arrived is kept, and a photo that is whole is stored.
    pub async fn append<E: Send + 'static>(
        &self,
        owner: &Owner,
        target: Target,
        offset: u64,
        body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
        checksum: Option<Checksum>,
    ) -> Result<Progress, UploadError> {
        let (uploads, owner) = (self.clone(), owner.clone());
        // A server drops the work of a request whose connection broke, and with it what was not written yet.
        let work = tokio::spawn(async move { uploads.append_here(&owner, target, offset, body, checksum).await });
        work.await.unwrap_or_else(|_| Err(BlobError::Closed.into()))
    }

    async fn append_here<E: Send + 'static>(
        &self,
        owner: &Owner,
        target: Target,
        offset: u64,
        body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
        checksum: Option<Checksum>,
    ) -> Result<Progress, UploadError> {
        self.check_space()?;
        let (known, mut part) = self.hold(owner, target).await?;
        let here = if known.complete { known.length } else { part.length() };
        if here != offset {
            return Err(UploadError::Offset { expected: here });
        }
        if known.complete {
            return Ok(known.at(target, here));
        }
        match part.append(body, known.length, checksum).await? {
            Arrival::TooLong => Err(UploadError::TooLong { length: known.length }),
            Arrival::WrongChecksum => Err(UploadError::Checksum),
            Arrival::Whole | Arrival::Cut if part.length() < known.length => Ok(known.at(target, part.length())),
            Arrival::Whole | Arrival::Cut => self.finish(owner, target, part).await,
        }
    }

    /// Ends an unfinished upload and throws away what arrived.
    pub async fn terminate(&self, owner: &Owner, target: Target) -> Result<(), UploadError> {
        let (known, mut part) = self.hold(owner, target).await?;
        if known.complete {
            return Err(UploadError::Stored);
        }
        part.discard().await?;
        let owner = owner.clone();
        self.store
            .write(move |tx| {
                Box::pin(async move {
                    match target {
                        Target::Preview(photo) => previews::give_up(tx, &owner, photo).await,
                        _ => tx.execute("DELETE FROM upload WHERE id = ?1", params![owner.part(target).0]).await,
                    }
                })
            })
            .await
            .map(drop)
            .map_err(|error: StoreError| error.into())
    }

    /// Forgets uploads whose time is over and parts nobody wrote to for as long; gives their number.
    ///
    /// `now` is the security clock.
    pub async fn expire(&self, now: Millis) -> Result<usize, UploadError> {
        let over = self
            .store
            .write(move |tx| {
                Box::pin(async move {
                    previews::expire(tx, now).await?;
                    offers::expire(tx, now).await?;
                    tx.query("DELETE FROM upload WHERE expires_at <= ?1 RETURNING id", params![now.0]).await
                })
            })
            .await
            .map_err(|error: StoreError| UploadError::from(error))?;
        for row in &over {
            self.staging.take(PartId(row.array(0)?)).await?.discard().await?;
        }
        let before = u64::try_from(now.0 - KEEP_MS).unwrap_or_default();
        Ok(over.len() + self.staging.sweep(UNIX_EPOCH + Duration::from_millis(before)).await?)
    }

    fn check_space(&self) -> Result<(), UploadError> {
        if self.space.takes_photos() { Ok(()) } else { Err(UploadError::DiskFull) }
    }

    /// Takes the part of an upload, and reads what is known of it only then: whoever held it may have completed it.
    async fn hold(&self, owner: &Owner, target: Target) -> Result<(Known, Part), UploadError> {
        let part = self.staging.take(owner.part(target)).await?;
        let known = self.known(owner, vec![target]).await?.pop().flatten().ok_or(UploadError::NotFound)?;
        if known.length > MAX_BYTES {
            return Err(UploadError::Size { limit: MAX_BYTES });
        }
        Ok((known, part))
    }

    async fn known(&self, owner: &Owner, targets: Vec<Target>) -> Result<Vec<Option<Known>>, UploadError> {
        let owner = owner.clone();
        self.store
            .read(move |tx| {
                Box::pin(async move {
                    let mut found = Vec::with_capacity(targets.len());
                    for target in targets {
                        found.push(known(tx, &owner, target).await?);
                    }
                    Ok(found)
                })
            })
            .await
            .map_err(|error: StoreError| error.into())
    }
}

impl Known {
    fn at(&self, target: Target, offset: u64) -> Progress {
        Progress { target, offset, length: self.length, complete: self.complete, expires_at: self.expires_at }
    }
}

/// Notes that the owner will send these bytes, unless that is known already.
async fn expect(tx: &mut dyn Tx, owner: &Owner, target: Target, length: u64, now: Millis) -> Result<(), UploadError> {
    match known(tx, owner, target).await? {
        Some(known) if known.complete || known.length == length => return Ok(()),
        _ => {}
    }
    let key = owner.key();
    let open = tx
        .query_one("SELECT COUNT(*) FROM upload WHERE device = ?1 AND finished_at IS NULL", params![key.clone()])
        .await?;
    if open.int(0)? >= MAX_OPEN {
        return Err(UploadError::TooMany);
    }
    // A size that changed: the part of the old size no longer fits and fails its hash.
    tx.execute(
        "INSERT INTO upload (id, device, user_id, sha256, length_bytes, created_at, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (id) DO UPDATE SET length_bytes = excluded.length_bytes, expires_at = excluded.expires_at",
        params![
            owner.part(target).0,
            key,
            owner.user(),
            target.hash().map(|hash| *hash.as_bytes()),
            length as i64,
            now.0,
            now.0 + KEEP_MS
        ],
    )
    .await?;
    Ok(())
}

/// Reads what is known of an upload: stored, begun by its owner, or announced by a push of the owner's phone.
///
/// A photo announced from one phone may come from another phone of the same person: the first one may be broken.
async fn known(tx: &mut dyn Tx, owner: &Owner, target: Target) -> Result<Option<Known>, StoreError> {
    let rows = match target {
        Target::Photo(hash) => {
            let sql = "SELECT 0, b.size_bytes, 1, NULL FROM blob_owner o JOIN blob b ON b.sha256 = o.sha256
                       WHERE o.device = ?1 AND o.sha256 = ?2
                       UNION ALL
                       SELECT 1, length_bytes, 0, expires_at FROM upload WHERE device = ?1 AND sha256 = ?2
                       UNION ALL
                       SELECT 2, size_bytes, 0, NULL FROM photo WHERE sha256 = ?2
                       AND (device = ?1 OR device IN (SELECT id FROM device WHERE user_id = ?3))
                       ORDER BY 1 LIMIT 1";
            tx.query(sql, params![owner.key(), hash.as_bytes(), owner.user()]).await?
        }
        Target::Preview(photo) => return previews::known(tx, owner, photo).await,
        Target::Nameless(_) => {
            let sql = "SELECT 0, length_bytes, CASE WHEN finished_at IS NULL THEN 0 ELSE 1 END, expires_at
                       FROM upload WHERE device = ?1 AND id = ?2";
            tx.query(sql, params![owner.key(), owner.part(target).0]).await?
        }
    };
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(Known {
        length: u64::try_from(row.int(1)?).unwrap_or_default(),
        complete: row.bool(2)?,
        expires_at: row.opt_int(3)?.map(Millis),
    }))
}
