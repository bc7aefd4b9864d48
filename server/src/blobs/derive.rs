//! Copies of photos for looking at: small, upright, without metadata; made when somebody first asks.
//!
//! Decoding is the most dangerous thing the server does with foreign bytes, so it does little of it: pictures of at most
//! 7 megapixels, one at a time, off the threads that serve. Larger originals are stored and handed out as they are to
//! those who may see originals, and have no copies. Phones send 1600-pixel copies, far below that.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Semaphore;
use xunge_client_core::model::PhotoHash;
use xunge_client_core::photo::{self, Limits, PhotoError};

use super::{BlobError, Blobs, layout};

/// Largest picture decoded, pixels.
const MAX_PIXELS: u64 = 7_000_000;
/// Memory for one decoding: any ordinary picture of 7 megapixels, progressive ones of 5. Whoever may upload decides how
/// much the server takes, so it is less than what the whole server may grow under attack (docs/TESTING.md).
const MAX_ALLOC_BYTES: u64 = 48 << 20;
/// Largest file read for decoding, bytes.
const MAX_FILE_BYTES: u64 = 16 << 20;

/// Largest preview shown, pixels: phones make none with a longer side than 320.
const PREVIEW_PIXELS: u64 = 320 * 320;

/// Which copy of a photo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// At most 320 pixels a side.
    Thumb,
    /// At most 1600 pixels a side.
    Full,
}

impl Size {
    fn folder(self) -> &'static str {
        match self {
            Self::Thumb => "thumb",
            Self::Full => "full",
        }
    }
}

/// Makes and keeps copies for looking at; clones share it.
#[derive(Clone, Debug)]
pub struct Copies {
    blobs: Blobs,
    folder: Arc<Path>,
    permit: Arc<Semaphore>,
}

impl Copies {
    /// Keeps copies below a data folder; what is there may be deleted at any time.
    pub fn in_folder(data: &Path, blobs: Blobs) -> Self {
        Self { blobs, folder: data.join("derived").into(), permit: Arc::new(Semaphore::new(1)) }
    }

    /// Gives a copy as JPEG without metadata; `None` when the original is too large, or no picture that can be read.
    ///
    /// [`BlobError::Missing`] if there is no such photo.
    pub async fn get(&self, hash: PhotoHash, size: Size) -> Result<Option<Bytes>, BlobError> {
        let place = self.folder.join(size.folder()).join(layout::place(hash));
        if let Some(kept) = kept(place.clone()).await {
            return Ok(kept);
        }
        let _permit = self.permit.acquire().await.map_err(|_| BlobError::Closed)?;
        // Somebody else may have made it while this request waited.
        if let Some(kept) = kept(place.clone()).await {
            return Ok(kept);
        }
        let bytes = match self.blobs.size(hash).await?.ok_or(BlobError::Missing)? {
            ..=MAX_FILE_BYTES => self.blobs.get(hash).await?,
            _ => return Ok(None),
        };
        let work = move || {
            let copy = copy(&bytes, size).ok();
            keep(&place, copy.as_deref().unwrap_or(NO_COPY))?;
            Ok(copy)
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| BlobError::Closed)?
            .map_err(BlobError::io("keeping a copy of a photo"))
    }

    /// Makes a thumb of a preview and keeps nothing; `None` if it is no picture, or larger than phones make them.
    pub async fn thumb_of(&self, preview: Bytes) -> Result<Option<Bytes>, BlobError> {
        let _permit = self.permit.acquire().await.map_err(|_| BlobError::Closed)?;
        let work = move || photo::thumb(&preview, &limits(PREVIEW_PIXELS)).ok().map(Bytes::from);
        tokio::task::spawn_blocking(work).await.map_err(|_| BlobError::Closed)
    }
}

fn limits(max_pixels: u64) -> Limits {
    Limits { max_file_bytes: MAX_FILE_BYTES, max_pixels, max_alloc_bytes: MAX_ALLOC_BYTES, ..Limits::default() }
}

/// Makes a copy of an original within the limits of the server.
///
/// # Errors
/// As for [`photo::intake`].
pub fn copy(bytes: &[u8], size: Size) -> Result<Bytes, PhotoError> {
    let limits = limits(MAX_PIXELS);
    let copy = match size {
        Size::Thumb => photo::thumb(bytes, &limits)?,
        Size::Full => photo::intake(bytes, &limits)?.upload,
    };
    Ok(copy.into())
}

/// What stands in the place of a copy that can not be made.
const NO_COPY: &[u8] = b"none";

/// Reads a kept copy: nothing if there is none yet, which is also what an empty file means: a power cut leaves such ones.
async fn kept(place: PathBuf) -> Option<Option<Bytes>> {
    let bytes = tokio::fs::read(place).await.ok().filter(|bytes| !bytes.is_empty())?;
    Some((bytes != NO_COPY).then(|| bytes.into()))
}

/// Puts a copy in its place at once, so that nobody reads half of it; it need not survive a power cut.
fn keep(place: &Path, copy: &[u8]) -> std::io::Result<()> {
    let folder = place.parent().unwrap_or(place);
    fs::create_dir_all(folder)?;
    let unfinished = place.with_extension("new");
    fs::File::create(&unfinished)?.write_all(copy)?;
    fs::rename(unfinished, place)
}
