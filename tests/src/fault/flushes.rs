//! How often a program makes the disk flush.

use std::path::Path;

use tempfile::TempDir;

use super::disk::Disk;
use super::image::{Change, Image};
use super::run::fast_folder;

/// A fresh folder in which every flush is counted; it goes when this is dropped.
#[derive(Debug)]
pub struct Watched {
    disk: Disk,
    _folder: TempDir,
}

impl Watched {
    /// An empty folder.
    pub fn new() -> Self {
        let folder = fast_folder();
        let disk = Disk::attach(folder.path(), &Image::default()).expect("room for a disk");
        Self { disk, _folder: folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.disk.root()
    }

    /// Flushes of files and folders that `work` causes.
    pub fn flushes<T>(&self, work: impl FnOnce() -> T) -> (u64, T) {
        let before = self.disk.position();
        let answer = work();
        let flushes = self.disk.changes()[before..].iter().filter(|change| is_flush(change)).count();
        (flushes as u64, answer)
    }
}

impl Default for Watched {
    fn default() -> Self {
        Self::new()
    }
}

fn is_flush(change: &Change) -> bool {
    matches!(change, Change::Sync { .. } | Change::SyncFolder { .. })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write;

    use super::*;

    #[test]
    fn flushes_of_files_and_folders_are_counted_and_nothing_else_is() {
        let watched = Watched::new();
        let path = watched.folder().join("a");
        let (flushes, mut file) = watched.flushes(|| {
            fs::create_dir(watched.folder().join("b")).unwrap();
            let mut file = File::create(&path).unwrap();
            file.write_all(b"one").unwrap();
            file
        });
        assert_eq!(flushes, 0);
        let (flushes, ()) = watched.flushes(|| {
            file.sync_all().unwrap();
            file.write_all(b"two").unwrap();
            file.sync_data().unwrap();
            File::open(watched.folder()).unwrap().sync_all().unwrap();
            tempfile::tempfile().unwrap().sync_all().unwrap();
        });
        assert_eq!(flushes, 3, "a file twice, its folder once, another disk's not at all");
    }
}
