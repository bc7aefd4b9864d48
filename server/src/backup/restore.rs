//! Putting a backup back.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{BackupError, files};
use crate::datadir::{DataDir, DataDirError};
use crate::entropy;
use crate::params;
use crate::store::{Options, Store, StoreError};

/// A backup that was put back.
#[derive(Debug, Serialize)]
pub struct Restored {
    /// The data folder.
    pub data: PathBuf,
    /// The epoch that begins.
    pub epoch: u64,
    /// Photos there now, those stored after the backup included.
    pub photos: u64,
    /// Where the database that was there before lies now.
    pub put_aside: Option<PathBuf>,
}

/// Puts the backup in `from` into `data`: its database in a new epoch, its photos beside those that are there.
///
/// The database that was there is put aside and not removed. A call that was cut may be repeated.
///
/// # Errors
/// [`DataDirError::InUse`] while a server runs, [`DataDirError::NotInitialised`] if `from` is no backup,
/// [`DataDirError::NotEmpty`] if `data` holds something else; [`BackupError::Damaged`]. Nothing was changed then.
pub fn restore(data: &Path, from: &Path) -> Result<Restored, BackupError> {
    let from = DataDir::open(from)?;
    let target = target(data)?;
    let _lock = target.lock()?;
    let coming = data.join(COMING);
    files::copy_durably(&from.database(), &coming)?;
    let epoch = begin_epoch(&coming).inspect_err(|_| files::forget(&coming))?;
    // Keys that are there stay: phones have pinned them.
    files::mirror(&from.keys(), &target.keys(), files::How::Copy)?;
    let photos = files::mirror(&from.blobs(), &target.blobs(), files::How::Link)?;
    let put_aside = put_aside(&target, epoch)?;
    files::rename(&coming, &target.database())?;
    Ok(Restored { data: data.to_owned(), epoch, photos, put_aside })
}

/// The database on its way in.
const COMING: &str = "xunge.db.coming";

/// An installation, a new folder, or what a restore left that was cut.
fn target(data: &Path) -> Result<DataDir, DataDirError> {
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        ["keys", "blobs", "lock"].contains(&name.as_str()) || name.starts_with("xunge.db.")
    };
    match files::list(data)? {
        Some(entries) if !entries.is_empty() && entries.iter().all(ours) => Ok(DataDir::at(data)),
        _ => DataDir::open(data).or_else(|_| DataDir::create(data)),
    }
}

/// Gives the copy an epoch no phone has heard of, after a look at every page of it.
fn begin_epoch(database: &Path) -> Result<u64, BackupError> {
    let store = Store::open(database, &Options { create: false, inline: true, ..Options::default() })?;
    if let Some(found) = store.integrity_blocking()?.into_iter().next() {
        return Err(BackupError::Damaged { path: database.to_owned(), found });
    }
    let epoch = entropy::epoch();
    store.write_blocking::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            tx.execute("UPDATE meta SET value = ?1 WHERE key = 'server_epoch'", params![epoch.to_string()]).await
        })
    })?;
    store.close_blocking()?;
    Ok(epoch)
}

/// Renames the database that is there and the log a killed server may have left.
///
/// The log goes first: one that stayed behind would be taken for that of the database to come.
fn put_aside(data: &DataDir, epoch: u64) -> Result<Option<PathBuf>, DataDirError> {
    let here = data.database();
    let aside = with(&here, &format!(".before-{epoch}"));
    for end in ["-wal", "-shm", ""] {
        if with(&here, end).exists() {
            files::rename(&with(&here, end), &with(&aside, end))?;
        }
    }
    Ok(aside.exists().then_some(aside))
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}
