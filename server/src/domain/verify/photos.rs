//! Photos: what is said to be here is here, and has the bytes its name says.

use futures::StreamExt;
use sha2::{Digest, Sha256};
use xunge_client_core::model::{CaseId, PhotoHash};

use super::Report;
use crate::blobs::{BlobError, Blobs};
use crate::store::{StoreError, Tx};

/// A stored photo with the size its row states.
pub(super) struct StoredBlob {
    hash: PhotoHash,
    size_bytes: u64,
}

/// Checks the rows; gives the blobs whose bytes are to be looked at.
pub(super) async fn rows(tx: &mut dyn Tx, report: &mut Report) -> Result<Vec<StoredBlob>, StoreError> {
    let sql = "SELECT case_id, sha256 FROM photo WHERE present = 1 AND sha256 NOT IN (SELECT sha256 FROM blob)";
    for row in tx.query(sql, &[]).await? {
        let (case, hash) = (CaseId::from_bytes(row.array(0)?), PhotoHash::from_bytes(row.array(1)?));
        report.differs("photo", format!("case {case} photo {hash}"), "a stored blob", "none");
    }
    let previews = tx.query("SELECT photo, sha256, bytes FROM photo_preview WHERE bytes IS NOT NULL", &[]).await?;
    for row in &previews {
        let (expected, found) = (PhotoHash::from_bytes(row.array(1)?), PhotoHash::of(row.blob(2)?));
        if expected != found {
            report.differs("preview", hex::encode(row.blob(0)?), expected.to_string(), found.to_string());
        }
    }
    let row = tx.query_one("SELECT COUNT(*), COUNT(*) FILTER (WHERE present = 1) FROM photo", &[]).await?;
    report.counted("photos", u64::try_from(row.int(0)?).unwrap_or(0));
    let rows = tx.query("SELECT sha256, size_bytes FROM blob", &[]).await?;
    let stored = |row: &crate::store::Row| {
        let size_bytes = u64::try_from(row.int(1)?).unwrap_or(0);
        Ok(StoredBlob { hash: PhotoHash::from_bytes(row.array(0)?), size_bytes })
    };
    rows.iter().map(stored).collect()
}

/// Reads every stored photo as a stream and hashes it.
pub(super) async fn bytes(blobs: &Blobs, stored: Vec<StoredBlob>, report: &mut Report) {
    for blob in stored {
        report.counted("blobs", 1);
        match hash(blobs, blob.hash).await {
            Ok((found, size)) if found == blob.hash && size == blob.size_bytes => {}
            Ok((found, size)) => {
                let expected = format!("{} of {} bytes", blob.hash, blob.size_bytes);
                report.differs("blob", blob.hash.to_string(), expected, format!("{found} of {size} bytes"));
            }
            Err(error) => report.differs("blob", blob.hash.to_string(), "its bytes", error.to_string()),
        }
    }
}

async fn hash(blobs: &Blobs, name: PhotoHash) -> Result<(PhotoHash, u64), BlobError> {
    let mut stream = blobs.stream(name, None).await?.stream;
    let (mut hasher, mut size) = (Sha256::new(), 0);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk?;
        hasher.update(&chunk);
        size += chunk.len() as u64;
    }
    Ok((PhotoHash::from_bytes(hasher.finalize().into()), size))
}
