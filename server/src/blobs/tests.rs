//! What the photo store promises, tried on a folder and, where it applies, in memory.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use xunge_client_core::model::PhotoHash;

use super::*;

mod copies;
mod parts;
mod stored;

/// Bytes that differ from photo to photo.
fn photo(number: u32) -> Vec<u8> {
    format!("photo {number} ").repeat(400).into_bytes()
}

/// A finished staging file.
fn staged(folder: &Path, bytes: &[u8]) -> (PhotoHash, PathBuf) {
    let hash = PhotoHash::of(bytes);
    let file = folder.join(format!("staged-{}", hex::encode(&hash.as_bytes()[..8])));
    fs::write(&file, bytes).unwrap();
    (hash, file)
}

async fn store(blobs: &Blobs, folder: &Path, bytes: &[u8]) -> PhotoHash {
    let (hash, file) = staged(folder, bytes);
    blobs.put_verified(hash, file).await.unwrap();
    hash
}
