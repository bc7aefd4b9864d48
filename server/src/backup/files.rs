//! Files and folders, made durable.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::datadir::DataDirError;

/// Where photos have a second name for a short while; the one that stays is elsewhere, but after a power cut it may be
/// missing until the server starts again.
const PASSING: &str = "unsettled";

/// How a file gets into another folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// A second name for the same bytes if the file system can, otherwise a copy: for what never changes.
    Link,
    /// Bytes of its own.
    Copy,
}

/// Puts every file of `from`, folders included, into `to` where it is not there yet; answers how many are there now,
/// second names not counted.
pub(super) fn mirror(from: &Path, to: &Path, how: How) -> Result<u64, DataDirError> {
    let Some(entries) = list(from)? else { return Ok(0) };
    fs::create_dir_all(to).map_err(|cause| failed(to, cause))?;
    let mut count = 0;
    for entry in entries {
        let target = to.join(entry.file_name().unwrap_or_default());
        if entry.is_dir() {
            let within = mirror(&entry, &target, how)?;
            count += if entry.ends_with(PASSING) { 0 } else { within };
        } else {
            put(&entry, &target, how)?;
            count += 1;
        }
    }
    flush(to)?;
    Ok(count)
}

/// What a folder holds; `None` if there is none.
pub(super) fn list(folder: &Path) -> Result<Option<Vec<PathBuf>>, DataDirError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(failed(folder, cause)),
    };
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>();
    paths.map(Some).map_err(|cause| failed(folder, cause))
}

fn put(from: &Path, to: &Path, how: How) -> Result<(), DataDirError> {
    if to.exists() {
        return Ok(());
    }
    if how == How::Link && fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    match copy(from, to) {
        // Settled or forgotten since the folder was listed: what a row names has another name that stays.
        Err(cause) if cause.kind() == io::ErrorKind::NotFound && !from.exists() => Ok(()),
        copied => copied.map_err(|cause| failed(to, cause)),
    }
}

/// Copies beside the name and renames, so that a copy that was cut is never taken for whole.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    fs::copy(from, &part)?;
    File::open(&part)?.sync_all()?;
    fs::rename(&part, to)
}

/// Copies one file durably; the folder is flushed too.
pub(super) fn copy_durably(from: &Path, to: &Path) -> Result<(), DataDirError> {
    copy(from, to).map_err(|cause| failed(to, cause))?;
    flush(parent(to))
}

/// Renames durably.
pub(super) fn rename(from: &Path, to: &Path) -> Result<(), DataDirError> {
    fs::rename(from, to).map_err(|cause| failed(to, cause))?;
    flush(parent(to))
}

/// Removes a file that is of no use, if it is there.
pub(super) fn forget(path: &Path) {
    let _ = fs::remove_file(path);
}

/// Bytes of a file.
pub(super) fn length(path: &Path) -> Result<u64, DataDirError> {
    Ok(fs::metadata(path).map_err(|cause| failed(path, cause))?.len())
}

fn flush(folder: &Path) -> Result<(), DataDirError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|cause| failed(folder, cause))
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

fn failed(path: &Path, cause: io::Error) -> DataDirError {
    DataDirError::Io { path: path.to_owned(), cause }
}
