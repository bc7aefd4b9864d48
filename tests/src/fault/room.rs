//! Folders without room, and folders on a disk that fails, for programs of which not every write has to be recorded.
//!
//! Files of a folder without room stop growing. As on a real disk, what lies inside a file may be written over, and a
//! write that does not fit goes in by a part. On a disk that fails, writing and flushing give EIO from some moment on.
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

/// What a disk is short of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// Room: for so many bytes more.
    OfRoom(u64),
    /// Life: so many more writes and flushes work.
    OfLife(u64),
}

#[derive(Debug)]
struct Limited {
    folder: PathBuf,
    short: Short,
}

/// A folder that is short of something until this is dropped.
#[derive(Debug)]
pub(crate) struct Shortage {
    folder: PathBuf,
    of: Short,
}

impl Shortage {
    /// Leaves a folder that no other one limits only so much.
    pub(crate) fn begin(folder: &Path, of: Short) -> Self {
        super::calls::stand_in();
        let folder = folder.to_owned();
        // While nothing is short nobody listens to what is closed.
        lock(&PATHS).clear();
        lock(&FOLDERS).push(Limited { folder: folder.clone(), short: of });
        COUNT.fetch_add(1, Ordering::Release);
        Self { folder, of }
    }

    /// What there was too little of, and how much at first.
    pub(crate) fn of(&self) -> Short {
        self.of
    }
}

impl Drop for Shortage {
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

/// How many of `count` bytes may be written to an open file from position `at`; takes that much.
///
/// # Errors
/// What the call fails with.
pub(super) fn write(file: i32, at: u64, count: usize) -> Result<usize, i32> {
    let taken = limited(file, |short| match short {
        Short::OfLife(0) => Err(libc::EIO),
        Short::OfLife(left) => {
            *left -= 1;
            Ok(count)
        }
        Short::OfRoom(left) => {
            let size = fs::metadata(link(file)).map_or(0, |known| known.len());
            let over = size.saturating_sub(at).min(count as u64);
            let grows = (count as u64 - over).min(*left);
            *left -= grows;
            if over + grows == 0 && count > 0 { Err(libc::ENOSPC) } else { Ok((over + grows) as usize) }
        }
    });
    taken.unwrap_or(Ok(count))
}

/// Flushes an open file, as far as that is limited.
///
/// # Errors
/// What the call fails with.
pub(super) fn flush(file: i32) -> Result<(), i32> {
    let flushed = limited(file, |short| match short {
        Short::OfLife(0) => Err(libc::EIO),
        Short::OfLife(left) => {
            *left -= 1;
            Ok(())
        }
        Short::OfRoom(_) => Ok(()),
    });
    flushed.unwrap_or(Ok(()))
}

/// Asks the shortage of the folder an open file lies in, if there is one.
fn limited<T>(file: i32, ask: impl FnOnce(&mut Short) -> T) -> Option<T> {
    if COUNT.load(Ordering::Acquire) == 0 {
        return None;
    }
    let mut paths = lock(&PATHS);
    let path = match paths.entry(file) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(unknown) => unknown.insert(fs::read_link(link(file)).ok()?),
    };
    let mut folders = lock(&FOLDERS);
    let limited = folders.iter_mut().find(|limited| path.starts_with(&limited.folder))?;
    (!path.to_str().is_some_and(is_scratch)).then(|| ask(&mut limited.short))
}

fn link(file: i32) -> String {
    format!("/proc/self/fd/{file}")
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
        let short = Shortage::begin(folder.path(), Short::OfRoom(3));
        assert_eq!(file.write_at(b"abcdef", 6).unwrap(), 5, "two bytes in place and three more");
        let full = file.write_at(b"abcdef", 11).unwrap_err();
        assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
        file.write_all_at(b"ABC", 0).unwrap();
        elsewhere.write_all_at(b"abcdef", 0).unwrap();
        drop(short);
        file.write_all_at(b"abcdef", 11).unwrap();
        assert_eq!(fs::read(folder.path().join("some.db")).unwrap(), b"ABC456abcdeabcdef");
    }

    #[test]
    fn a_disk_that_fails_takes_so_many_writes_and_flushes_more() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("some.db")).unwrap();
        let failing = Shortage::begin(folder.path(), Short::OfLife(3));
        file.write_all_at(b"1234", 0).unwrap();
        file.sync_data().unwrap();
        file.write_all_at(b"56", 2).unwrap();
        assert_eq!(file.write_at(b"abc", 0).unwrap_err().raw_os_error(), Some(libc::EIO));
        assert_eq!(file.sync_all().unwrap_err().raw_os_error(), Some(libc::EIO));
        drop(failing);
        file.sync_all().unwrap();
        assert_eq!(fs::read(folder.path().join("some.db")).unwrap(), b"1256");
    }
}
