//! The number by which everybody notices that reference data changed: `meta.reference_version`.

use crate::params;
use crate::store::{StoreError, Tx};

/// The version of the reference data; 0 for none yet.
pub async fn read(tx: &mut dyn Tx) -> Result<u64, StoreError> {
    let row = tx.query_opt("SELECT value FROM meta WHERE key = 'reference_version'", params![]).await?;
    Ok(row.and_then(|row| row.text(0).ok()?.parse().ok()).unwrap_or(0))
}

/// Moves it on by one; answers the new one. Whoever changes reference data calls this in the same transaction.
pub async fn next(tx: &mut dyn Tx) -> Result<u64, StoreError> {
    let version = read(tx).await? + 1;
    tx.execute("UPDATE meta SET value = ?1 WHERE key = 'reference_version'", params![version.to_string()]).await?;
    Ok(version)
}
