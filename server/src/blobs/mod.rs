//! Photos as bytes: received in pieces, stored for ever under their hash, shown small.
//!
//! | module | what it gives |
//! |---|---|
//! | [`Blobs`] | bytes by hash: a local folder, or memory for tests; another object store would fit |
//! | `committer` | durable before the row, with few flushes for many photos |
//! | [`staging`] | uploads under way: what arrived before a cut stays |
//! | [`derive`] | small and metadata-free copies for looking at, made when first asked for |
//! | [`space`] | how full the disk is |
//!
//! On disk, below the data folder: `blobs` holds the photos as `ab/cdef…`, and second names of the newest of them in
//! `unsettled`; `staging` may be lost, some bytes are then sent again; `derived` may be deleted freely.

mod committer;
pub mod derive;
mod error;
mod layout;
pub mod space;
pub mod staging;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt};
use xunge_client_core::model::{Millis, PhotoHash};

pub use self::committer::Stats;
use self::committer::{Committer, Counters};
pub use self::error::BlobError;

/// Bytes by hash; clones share it.
#[derive(Clone, Debug)]
pub struct Blobs {
    objects: Arc<dyn ObjectStore>,
    /// Puts finished files into a local folder; other stores take the bytes themselves.
    committer: Option<Arc<Committer>>,
    counters: Arc<Counters>,
}

/// A stored photo, or a part of it, as it is read.
pub struct Stored {
    /// Size of the whole photo, bytes.
    pub size_bytes: u64,
    /// The part that comes, bytes from the start.
    pub range: Range<u64>,
    /// Its bytes.
    pub stream: BoxStream<'static, Result<Bytes, BlobError>>,
}

impl std::fmt::Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored")
            .field("size_bytes", &self.size_bytes)
            .field("range", &self.range)
            .finish_non_exhaustive()
    }
}

impl Blobs {
    /// Opens the photos below a data folder, creates it if needed, and finishes what a crash interrupted.
    pub fn in_folder(data: &Path) -> Result<Self, BlobError> {
        let root = data.join("blobs");
        let counters = Arc::default();
        let committer = Committer::start(&root, Arc::clone(&counters))?;
        let objects = LocalFileSystem::new_with_prefix(&root)
            .map_err(BlobError::object("opening the photo folder"))?
            .with_fsync(true);
        Ok(Self { objects: Arc::new(objects), committer: Some(Arc::new(committer)), counters })
    }

    /// Keeps photos in memory, for tests and simulators.
    pub fn in_memory() -> Self {
        Self { objects: Arc::new(InMemory::new()), committer: None, counters: Arc::default() }
    }

    /// Stores a finished staging file whose hash was verified; answers when it is durable.
    ///
    /// Takes the file away. Storing the same bytes again changes nothing.
    pub async fn put_verified(&self, hash: PhotoHash, staged: PathBuf) -> Result<(), BlobError> {
        if let Some(committer) = &self.committer {
            return committer.store(hash, staged).await;
        }
        let bytes = tokio::fs::read(&staged).await.map_err(BlobError::io("reading a staged photo"))?;
        self.objects.put(&layout::object(hash), bytes.into()).await.map_err(BlobError::object("storing a photo"))?;
        tokio::fs::remove_file(&staged).await.map_err(BlobError::io("removing a staged photo"))
    }

    /// Gives the size in bytes of a stored photo, `None` if it is not here.
    pub async fn size(&self, hash: PhotoHash) -> Result<Option<u64>, BlobError> {
        match self.objects.head(&layout::object(hash)).await.map_err(BlobError::object("looking for a photo")) {
            Ok(found) => Ok(Some(found.size)),
            Err(BlobError::Missing) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a whole photo into memory.
    pub async fn get(&self, hash: PhotoHash) -> Result<Bytes, BlobError> {
        let what = BlobError::object("reading a photo");
        self.objects.get(&layout::object(hash)).await.map_err(&what)?.bytes().await.map_err(what)
    }

    /// Reads a photo, or the given part of it, piece by piece.
    pub async fn stream(&self, hash: PhotoHash, part: Option<GetRange>) -> Result<Stored, BlobError> {
        let options = GetOptions { range: part, ..GetOptions::default() };
        let what = BlobError::object("reading a photo");
        let found = self.objects.get_opts(&layout::object(hash), options).await.map_err(what)?;
        let (size_bytes, range) = (found.meta.size, found.range.clone());
        let stream = found.into_stream().map_err(BlobError::object("reading a photo")).boxed();
        Ok(Stored { size_bytes, range, stream })
    }

    /// Removes a photo; it does not matter whether it was here.
    ///
    /// Only for what no row refers to: a photo of a case is evidence.
    pub async fn delete(&self, hash: PhotoHash) -> Result<(), BlobError> {
        // Otherwise its second name would bring it back after a crash.
        self.settle().await?;
        match self.objects.delete(&layout::object(hash)).await.map_err(BlobError::object("removing a photo")) {
            Err(BlobError::Missing) => Ok(()),
            other => other,
        }
    }

    /// Lists all photos with their size in bytes, in no order; files that are no photos are left out.
    pub fn list(&self) -> BoxStream<'static, Result<(PhotoHash, u64), BlobError>> {
        let known = |found: object_store::ObjectMeta| Some((layout::hash_of(found.location.as_ref())?, found.size));
        self.objects
            .list(None)
            .map_err(BlobError::object("listing the photos"))
            .try_filter_map(move |found| std::future::ready(Ok(known(found))))
            .boxed()
    }

    /// Lists photos that were stored before a time, by the clock of the disk, in no order.
    pub fn list_older(&self, before: Millis) -> BoxStream<'static, Result<PhotoHash, BlobError>> {
        let old = move |found: object_store::ObjectMeta| {
            let hash = layout::hash_of(found.location.as_ref())?;
            (found.last_modified.timestamp_millis() < before.0).then_some(hash)
        };
        self.objects
            .list(None)
            .map_err(BlobError::object("listing the photos"))
            .try_filter_map(move |found| std::future::ready(Ok(old(found))))
            .boxed()
    }

    /// Flushes what can wait until later; before a backup copies the folder, and at the end.
    pub async fn settle(&self) -> Result<(), BlobError> {
        match &self.committer {
            Some(committer) => committer.settle().await,
            None => Ok(()),
        }
    }

    /// Counts since opening.
    pub fn stats(&self) -> Stats {
        self.counters.snapshot()
    }
}
