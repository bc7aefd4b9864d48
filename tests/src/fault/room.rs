//! Folders without room: their files stop growing, for programs of which not every write has to be recorded.
//!
//! As on a real disk, what lies inside a file may be written over, and a write that does not fit goes in by a part.
//! SQLite's shared memory is left out, as it is on a [`super::disk::Disk`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::image::is_scratch;

static FOLDERS: Mutex<Vec<Limited>> = Mutex::new(Vec::new());
/// How many there are: a look that takes no lock, because every write of the whole program takes it.
static COUNT: AtomicUsize = AtomicUsize::new(0);
/// Where open files lie, as far as one was written to while a folder was short. Asking the kernel again for each write
/// took a twentieth of a simulation.
static PATHS: Mutex<BTreeMap<i32, PathBuf>> = Mutex::new(BTreeMap::new());

#[derive(Debug)]
struct Limited {
    folder: PathBuf,
    left: u64,
}

/// A folder that is short of room until this is dropped.
#[derive(Debug)]
pub(crate) struct Short {
    folder: PathBuf,
}

impl Short {
    /// Leaves room for `left` more bytes in a folder that no other one limits.
    pub(crate) fn of_room(folder: &Path, left: u64) -> Self {
        super::calls::stand_in();
        let folder = folder.to_owned();
        // While nothing is short nobody listens to what is closed.
        lock(&PATHS).clear();
        lock(&FOLDERS).push(Limited { folder: folder.clone(), left });
        COUNT.fetch_add(1, Ordering::Release);
        Self { folder }
    }
}

impl Drop for Short {
    fn drop(&mut self) {
        lock(&FOLDERS).retain(|limited| limited.folder != self.folder);
        COUNT.fetch_sub(1, Ordering::Release);
    }
}

fn lock<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forgets where a file lay that is being closed: its number is given to another one.
pub(super) fn closed(file: i32) {
    if COUNT.load(Ordering::Acquire) > 0 {
        lock(&PATHS).remove(&file);
    }
}

/// How many of `count` bytes fit into an open file from position `at`; takes that room.
pub(super) fn fits(file: i32, at: u64, count: usize) -> usize {
    if COUNT.load(Ordering::Acquire) == 0 {
        return count;
    }
    let link = || format!("/proc/self/fd/{file}");
    let mut paths = lock(&PATHS);
    let path = match paths.entry(file) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => match fs::read_link(link()) {
            Ok(path) => unknown.insert(path),
            Err(_) => return count,
        },
    };
    let mut folders = lock(&FOLDERS);
    let limited = folders.iter_mut().find(|limited| path.starts_with(&limited.folder));
    let Some(limited) = limited.filter(|_| !path.to_str().is_some_and(is_scratch)) else { return count };
    let size = fs::metadata(link()).map_or(0, |known| known.len());
    let over = size.saturating_sub(at).min(count as u64);
    let grows = (count as u64 - over).min(limited.left);
    limited.left -= grows;
    (over + grows) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    #[test]
    fn a_folder_without_room_takes_a_part_then_nothing_and_still_what_replaces_something() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("some.db")).unwrap();
        let elsewhere = tempfile::tempfile().unwrap();
        file.write_all_at(b"12345678", 0).unwrap();
        let short = Short::of_room(folder.path(), 3);
        assert_eq!(file.write_at(b"abcdef", 6).unwrap(), 5, "two bytes in place and three more");
        let full = file.write_at(b"abcdef", 11).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        file.write_all_at(b"ABC", 0).unwrap();
        elsewhere.write_all_at(b"abcdef", 0).unwrap();
        drop(short);
        file.write_all_at(b"abcdef", 11).unwrap();
        assert_eq!(fs::read(folder.path().join("some.db")).unwrap(), b"ABC456abcdeabcdef");
    }
}
