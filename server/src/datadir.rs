//! The data folder: where an installation keeps everything, and how one server at a time is made sure of.
//!
//! | name | what it is |
//! |---|---|
//! | `xunge.db` (+ `-wal`, `-shm`) | the database |
//! | `keys/` | the signing and sealing keys |
//! | `blobs/` | photos, named by hash |
//! | `staging/` | uploads under way; losing it costs phones a new start of those uploads |
//! | `derived/` | copies of photos for looking at; may be deleted freely |
//! | `lock` | held by the running server |

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Why a data folder can not be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// `init` found something in it.
    #[error("{path} is not empty")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// There is no installation in it.
    #[error("{path} is not a data folder")]
    NotInitialised {
        /// The folder.
        path: PathBuf,
    },
    /// A server runs on it.
    #[error("another server runs on {path}")]
    InUse {
        /// The folder.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("{path}: {cause}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        cause: io::Error,
    },
}

/// A data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir {
    root: PathBuf,
}

/// Held while a server runs on the folder; the operating system lets go of it however the process ends.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "held for its drop")] File);

impl DataDir {
    /// Makes an empty data folder; refuses one that holds anything.
    pub fn create(root: &Path) -> Result<Self, DataDirError> {
        let data = Self { root: root.to_owned() };
        match fs::read_dir(root) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(DataDirError::NotEmpty { path: root.to_owned() });
                }
            }
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => make(root)?,
            Err(cause) => return Err(failed(root, cause)),
        }
        make(&data.keys())?;
        Ok(data)
    }

    /// Opens the data folder of an installation.
    pub fn open(root: &Path) -> Result<Self, DataDirError> {
        let data = Self { root: root.to_owned() };
        if data.database().is_file() && data.keys().is_dir() {
            Ok(data)
        } else {
            Err(DataDirError::NotInitialised { path: root.to_owned() })
        }
    }

    /// A data folder that may lack things.
    pub(crate) fn at(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes sure that no other server runs on the folder.
    pub fn lock(&self) -> Result<Lock, DataDirError> {
        let path = self.root.join("lock");
        let file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|cause| failed(&path, cause))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path: self.root.clone() }),
            Err(TryLockError::Error(cause)) => Err(failed(&path, cause)),
        }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.root.join("xunge.db")
    }

    /// The folder of the photos.
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// The folder of the keys.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }
}

/// Makes a folder that only the server's user can look into, and what is missing above it; durable when it returns.
fn make(path: &Path) -> Result<(), DataDirError> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !above.exists() {
        make(above)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|cause| failed(path, cause))?;
    // Whatever is made durable in it later would be lost with its name.
    File::open(above).and_then(|above| above.sync_all()).map_err(|cause| failed(above, cause))
}

fn failed(path: &Path, cause: io::Error) -> DataDirError {
    DataDirError::Io { path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_anything_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("letter.txt"), "dear").unwrap();
        assert!(matches!(DataDir::create(folder.path()), Err(DataDirError::NotEmpty { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn one_server_at_a_time_holds_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::create(&folder.path().join("new/data")).unwrap();
        let lock = data.lock().unwrap();
        assert!(matches!(data.lock(), Err(DataDirError::InUse { .. })));
        drop(lock);
        data.lock().unwrap();
    }

    #[test]
    fn a_folder_without_an_installation_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(DataDir::open(folder.path()), Err(DataDirError::NotInitialised { .. })));
    }
}
