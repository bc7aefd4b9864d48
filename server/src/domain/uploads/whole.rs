//! A photo that came whole, with a form.

use std::convert::Infallible;

use bytes::Bytes;
use futures::stream;
use xunge_client_core::model::{Millis, PhotoHash, Ulid};

use super::{Begin, Owner, UploadError, Uploads};
use crate::entropy;

impl Uploads {
    /// Stores a photo as if its owner had sent it by tus, and answers its name. The same photo again costs nothing.
    ///
    /// # Errors
    /// [`UploadError`], as for any upload.
    pub async fn store_whole(&self, owner: &Owner, photo: Bytes) -> Result<PhotoHash, UploadError> {
        let hash = PhotoHash::of(&photo);
        let fresh = Ulid::from_parts(Millis(0), entropy::fill());
        let begun = self.begin(owner, Begin { length: photo.len() as u64, sha256: Some(hash), fresh }).await?;
        if !begun.complete {
            // What a broken tus upload of the same photo left behind is gone on with.
            let rest = photo.slice(usize::try_from(begun.offset).unwrap_or(photo.len()).min(photo.len())..);
            let body = stream::iter([Ok::<_, Infallible>(rest)]);
            self.append(owner, begun.target, begun.offset, body, None).await?;
        }
        Ok(hash)
    }
}
