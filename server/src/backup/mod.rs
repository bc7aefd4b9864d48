//! Backups: a folder that looks like a data folder, and putting one back.
//!
//! A backup is made beside a running server: first one snapshot of the database, then the photos. Photos are stored
//! before the rows that name them and never removed while a row does, so every photo of the snapshot is in the backup.
//! They are linked where the file system can (they never change), copied where it can not.
//!
//! Putting one back ([`restore`]) takes the database of the backup, adds the photos the folder lacks, and begins a new
//! epoch: phones then offer everything again that the backup does not have. Photos stored since are never removed.

mod files;
mod restore;

use std::path::{Path, PathBuf};

use serde::Serialize;

pub use self::restore::{Restored, restore};

use crate::datadir::{DataDir, DataDirError};
use crate::store::{Options, Store, StoreError};

/// Why a backup could not be made or put back.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// One of the folders can not be used.
    #[error(transparent)]
    Folder(#[from] DataDirError),
    /// One of the databases can not be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The database in the backup is damaged.
    #[error("{path} is damaged: {found}")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found first.
        found: String,
    },
}

/// A backup that was made.
#[derive(Debug, Serialize)]
pub struct Made {
    /// Where it is.
    pub backup: PathBuf,
    /// Photos in it.
    pub photos: u64,
    /// Bytes of the database.
    pub database_bytes: u64,
}

/// Writes a backup of the installation in `data` to the new or empty folder `to`.
///
/// Everything is flushed when it returns. The server may run meanwhile.
///
/// # Errors
/// [`BackupError`]; what was written until then stays and is no backup without its database, which comes last.
pub fn make(data: &DataDir, to: &Path) -> Result<Made, BackupError> {
    let store = Store::open(&data.database(), &Options { create: false, inline: true, ..Options::default() })?;
    let copy = DataDir::create(to)?;
    let part = to.join("xunge.db.part");
    store.backup_blocking(&part)?;
    files::mirror(&data.keys(), &copy.keys(), files::How::Copy)?;
    let photos = files::mirror(&data.blobs(), &copy.blobs(), files::How::Link)?;
    files::rename(&part, &copy.database())?;
    let database_bytes = files::length(&copy.database())?;
    Ok(Made { backup: to.to_owned(), photos, database_bytes })
}
