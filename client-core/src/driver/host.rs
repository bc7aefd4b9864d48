//! The machine a phone runs on, for everything that has `std`.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::failpoint::{self, At};
use crate::model::{Millis, PhotoHash};
use crate::platform::{Clock, Entropy, FileError, Files, Now};

/// The system's clocks.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// A clock whose monotonic side starts now.
    #[allow(clippy::disallowed_methods, reason = "this is the phone's one look at the clock")]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is the phone's one look at the clock")]
    fn now(&self) -> Now {
        let wall = match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) => since.as_millis() as i64,
            Err(before) => -(before.duration().as_millis() as i64),
        };
        Now { wall: Millis(wall), mono_ms: self.0.elapsed().as_millis() as u64 }
    }
}

/// The system's randomness.
#[derive(Debug, Clone, Copy)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[allow(clippy::disallowed_methods, reason = "this is the phone's one source of randomness")]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect("every system we run on has a source of randomness");
    }
}

/// Photos as files in one folder, named by hash.
#[derive(Debug, Clone)]
pub struct PhotoFolder(PathBuf);

/// How long a file nobody names is left alone: a save that is under way has its file before its row.
const ORPHAN_AGE: Duration = Duration::from_secs(3_600);

impl PhotoFolder {
    /// Uses `folder`, which need not exist yet.
    pub fn new(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn path(&self, photo: &PhotoHash) -> PathBuf {
        self.0.join(photo.to_string())
    }

    fn write_one(&self, photo: &PhotoHash, bytes: &[u8]) -> Result<(), FileError> {
        let path = self.path(photo);
        // The name is the hash of the content: what is there is right, unless the phone lost power while writing
        // it under another system's rules; then its length tells.
        let is_there = fs::metadata(&path).is_ok_and(|known| known.len() == bytes.len() as u64);
        if is_there && touch(&path).is_ok() {
            return Ok(());
        }
        write_whole(&path, bytes)
    }

    /// Names in the folder that nobody has touched for an hour.
    fn settled(&self) -> Result<Vec<String>, FileError> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.0, &error)),
        };
        let is_settled = |entry: &fs::DirEntry| {
            let age = entry.metadata().ok()?.modified().ok()?.elapsed().ok()?;
            Some(age > ORPHAN_AGE)
        };
        let settled = entries.flatten().filter(|entry| is_settled(entry).unwrap_or(false));
        Ok(settled.filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }
}

/// Makes a file as young as one that was just written.
#[allow(clippy::disallowed_methods, reason = "files are as old as the system's clock says")]
fn touch(path: &Path) -> std::io::Result<()> {
    File::options().append(true).open(path)?.set_modified(SystemTime::now())
}

/// What the name of a file ends with while it is being written.
const PART: &str = ".part";

/// Writes a file that is there whole or not at all, even after a power cut; one of that name is replaced.
pub fn write_durably(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    write_whole(path, bytes)?;
    flush_folder(above(path))
}

/// Writes beside the name, flushes, renames; the rename itself is durable once the folder is flushed.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut part = path.as_os_str().to_owned();
    part.push(PART);
    let part = PathBuf::from(part);
    let written =
        File::create(&part).and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all())).and_then(|()| {
            failpoint::reach(At::PhonePhotoFlushed);
            fs::rename(&part, path)
        });
    written.map_err(|error| {
        let _ = fs::remove_file(&part);
        failed(path, &error)
    })
}

fn flush_folder(folder: &Path) -> Result<(), FileError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| failed(folder, &error))
}

/// Makes a folder and what is missing above it, readable by its owner only; its name survives a power cut.
///
/// A folder that is empty may have been made by a process that died before it flushed the name: only what is in a
/// folder proves that this was done.
pub fn make_folder(folder: &Path) -> Result<(), FileError> {
    let above = above(folder);
    match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
        Ok(true) => Ok(()),
        // Whoever may not look into the folder above did not make this one.
        Ok(false) => flush_folder(above).or_else(|error| if above.read_dir().is_err() { Ok(()) } else { Err(error) }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if !above.is_dir() {
                make_folder(above)?;
            }
            let mut builder = fs::DirBuilder::new();
            #[cfg(unix)]
            std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
            match builder.create(folder) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed(folder, &error)),
                _ => flush_folder(above),
            }
        }
        Err(error) => Err(failed(folder, &error)),
    }
}

/// The folder a path lies in.
fn above(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

impl Files for PhotoFolder {
    fn save(&self, photos: &[(PhotoHash, &[u8])]) -> Result<(), FileError> {
        if photos.is_empty() {
            return Ok(());
        }
        make_folder(&self.0)?;
        photos.iter().try_for_each(|(photo, bytes)| self.write_one(photo, bytes))?;
        failpoint::reach(At::PhonePhotosRenamed);
        flush_folder(&self.0)
    }

    fn read_at(&self, photo: &PhotoHash, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
        let path = self.path(photo);
        let mut bytes = Vec::new();
        File::open(&path)
            .and_then(|mut file| {
                file.seek(SeekFrom::Start(offset))?;
                file.take(length as u64).read_to_end(&mut bytes)
            })
            .map_err(|error| failed(&path, &error))?;
        Ok(bytes)
    }

    fn remove(&self, photo: &PhotoHash) -> Result<(), FileError> {
        remove_file(&self.path(photo))
    }

    fn list_settled(&self) -> Result<Vec<PhotoHash>, FileError> {
        Ok(self.settled()?.iter().filter_map(|name| name.parse().ok()).collect())
    }

    fn remove_parts(&self) -> Result<(), FileError> {
        let parts = self.settled()?.into_iter().filter(|name| name.ends_with(PART));
        parts.map(|name| self.0.join(name)).try_for_each(|path| remove_file(&path))
    }

    fn remove_all(&self) -> Result<(), FileError> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(&self.0, &error)),
            // Otherwise a power cut brings them back after the owner was told that they are gone.
            _ => flush_folder(above(&self.0)),
        }
    }

    fn read_chosen(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        let chosen = Path::new(path);
        let file = File::open(chosen).map_err(|error| failed(chosen, &error))?;
        let bytes = file.metadata().map_err(|error| failed(chosen, &error))?.len();
        if bytes > limit {
            return Err(FileError::TooLarge { bytes, limit });
        }
        let mut content = Vec::with_capacity(bytes as usize);
        // One byte more than allowed, in case the file grows meanwhile.
        file.take(limit + 1).read_to_end(&mut content).map_err(|error| failed(chosen, &error))?;
        if content.len() as u64 > limit {
            return Err(FileError::TooLarge { bytes: content.len() as u64, limit });
        }
        Ok(content)
    }
}

fn remove_file(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(path, &error)),
        _ => Ok(()),
    }
}

fn failed(path: &Path, error: &std::io::Error) -> FileError {
    let path = path.display().to_string();
    match error.kind() {
        ErrorKind::NotFound => FileError::Missing(path),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => FileError::Full,
        _ => FileError::Other { path, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_saved_photo_is_read_back_from_any_offset() {
        let folder = tempfile::tempdir().unwrap();
        let files = PhotoFolder::new(folder.path().join("photos"));
        let (bytes, other) = (vec![7; 1_000], vec![8; 10]);
        let photo = PhotoHash::of(&bytes);
        files.save(&[(photo, &bytes), (PhotoHash::of(&other), &other)]).unwrap();
        assert_eq!(files.read_at(&photo, 0, usize::MAX).unwrap(), bytes);
        assert_eq!(files.read_at(&photo, 990, 100).unwrap().len(), 10);
        assert_eq!(files.read_at(&photo, 5_000, 100).unwrap(), b"");
        files.remove(&photo).unwrap();
        files.remove(&photo).unwrap();
        assert!(matches!(files.read_at(&photo, 0, 1), Err(FileError::Missing(_))));
    }

    #[test]
    fn a_photo_cut_short_by_a_power_loss_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let files = PhotoFolder::new(folder.path().to_owned());
        let bytes = vec![7; 1_000];
        let photo = PhotoHash::of(&bytes);
        fs::write(folder.path().join(photo.to_string()), b"").unwrap();
        files.save(&[(photo, &bytes)]).unwrap();
        assert_eq!(files.read_at(&photo, 0, usize::MAX).unwrap(), bytes);
    }

    #[test]
    fn a_file_being_written_is_no_orphan_yet() {
        let folder = tempfile::tempdir().unwrap();
        let files = PhotoFolder::new(folder.path().to_owned());
        files.save(&[(PhotoHash::of(b"a"), b"a")]).unwrap();
        assert_eq!(files.list_settled(), Ok(vec![]));
    }

    #[test]
    fn a_photo_saved_again_is_as_young_as_a_new_one_and_what_a_crash_left_half_written_goes() {
        let folder = tempfile::tempdir().unwrap();
        let files = PhotoFolder::new(folder.path().to_owned());
        let photo = PhotoHash::of(b"a");
        let (whole, part) = (folder.path().join(photo.to_string()), folder.path().join(format!("{photo}.part")));
        let age = |path: &Path| {
            let written = fs::metadata(path).unwrap().modified().unwrap();
            File::options().append(true).open(path).unwrap().set_modified(written - 2 * ORPHAN_AGE).unwrap();
        };
        files.save(&[(photo, b"a")]).unwrap();
        fs::write(&part, b"half").unwrap();
        age(&whole);
        assert_eq!(files.list_settled().unwrap(), [photo]);
        files.save(&[(photo, b"a")]).unwrap();
        assert_eq!(files.sweep(&BTreeSet::new()), Ok(0), "its report is about to name it");
        assert!(whole.exists() && part.exists(), "it may be being written");
        age(&part);
        assert_eq!(files.sweep(&BTreeSet::new()), Ok(0));
        assert!(whole.exists() && !part.exists());
    }

    #[test]
    fn a_chosen_file_larger_than_the_limit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("big.jpg");
        fs::write(&path, vec![0; 100]).unwrap();
        let files = PhotoFolder::new(folder.path().join("photos"));
        let path = path.to_str().unwrap();
        assert_eq!(files.read_chosen(path, 99), Err(FileError::TooLarge { bytes: 100, limit: 99 }));
        assert_eq!(files.read_chosen(path, 100).unwrap().len(), 100);
        assert!(matches!(files.read_chosen("/nowhere/x.jpg", 1), Err(FileError::Missing(_))));
    }
}
