//! A folder whose every change is written down, and may be made to fail.
//!
//! A disk is recognised by its path: a folder called `xunge-disk.N` is disk number N while that disk is attached.
//! Calls on one disk happen one after the other, so that the record is true.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::image::{Change, Entry, FileId, Image, is_scratch};

const MARK: &str = "xunge-disk.";
/// File numbers above it are never ours; the kernel gives the lowest that is free.
const FILES: usize = 1 << 16;

static DISKS: Mutex<BTreeMap<u64, Arc<Inner>>> = Mutex::new(BTreeMap::new());
static NUMBERS: AtomicU64 = AtomicU64::new(0);
static OPEN: Mutex<BTreeMap<i32, Opened>> = Mutex::new(BTreeMap::new());
/// Which file numbers are in [`OPEN`]: a look that takes no lock, because every write of the whole program takes it.
static OURS: [AtomicBool; FILES] = [const { AtomicBool::new(false) }; FILES];

/// How a disk fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// One operation fails, the next ones are fine.
    Once { at: u64 },
    /// From this operation on there is no room for anything new, until it heals.
    Full { from: u64 },
}

/// An attached disk; detached when dropped.
#[derive(Debug)]
pub(super) struct Disk {
    number: u64,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    record: Mutex<Record>,
}

#[derive(Debug, Default)]
struct Record {
    names: BTreeMap<String, Entry>,
    next: FileId,
    changes: Vec<Change>,
    /// Operations tried so far, each with whether it needs room; a failed one counts.
    tried: Vec<bool>,
    failure: Option<Failure>,
    failed: u64,
    detached: bool,
}

/// An open file or folder of a disk.
#[derive(Clone, Debug)]
pub(super) struct Opened {
    inner: Arc<Inner>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    File { file: FileId, appends: bool },
    Folder { path: String },
}

/// A path on a disk.
#[derive(Debug)]
pub(super) struct Place {
    inner: Arc<Inner>,
    path: String,
}

/// What a program asks for.
pub(super) enum Call<'c> {
    Write {
        open: Opened,
        /// Where to; none for where the file stands.
        at: Option<u64>,
        file: i32,
        bytes: &'c [u8],
    },
    Cut {
        open: Opened,
        length: u64,
    },
    Sync {
        open: Opened,
    },
    Rename {
        from: Place,
        to: Place,
    },
    Link {
        from: Place,
        to: Place,
    },
    Remove {
        place: Place,
    },
    Folder {
        place: Place,
    },
}

/// How a file is opened.
pub(super) struct Open<'c> {
    pub(super) flags: i32,
    pub(super) call: &'c dyn Fn() -> isize,
}

/// What the program is told.
pub(super) enum Answer {
    Kernel(isize),
    Failed(i32),
}

impl Disk {
    /// Writes `image` into a new folder below `folder` and attaches it.
    pub(super) fn attach(folder: &Path, image: &Image) -> std::io::Result<Self> {
        super::calls::stand_in();
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let root = folder.join(format!("{MARK}{number}"));
        std::fs::create_dir(&root)?;
        image.now.write_to(&root)?;
        let next = image.now.contents.keys().chain(image.safe.contents.keys()).max().map_or(0, |last| last + 1);
        let record = Record { names: image.now.names.clone(), next, ..Record::default() };
        let inner = Arc::new(Inner { root, record: Mutex::new(record) });
        lock(&DISKS).insert(number, inner.clone());
        Ok(Self { number, inner })
    }

    /// The folder.
    pub(super) fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Operations so far that changed something.
    pub(super) fn position(&self) -> usize {
        self.inner.lock().changes.len()
    }

    /// Lets an operation fail.
    pub(super) fn fail(&self, failure: Failure) {
        let mut record = self.inner.lock();
        (record.failure, record.failed) = (Some(failure), 0);
    }

    /// Lets operations succeed again; tells how many failed.
    pub(super) fn heal(&self) -> u64 {
        let mut record = self.inner.lock();
        record.failure = None;
        record.failed
    }

    /// Operations tried so far; true for one that needs room.
    pub(super) fn tried(&self) -> Vec<bool> {
        self.inner.lock().tried.clone()
    }

    /// Everything that changed, in order.
    pub(super) fn changes(&self) -> Vec<Change> {
        self.inner.lock().changes.clone()
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let mut record = self.inner.lock();
        (record.detached, record.failure) = (true, None);
        drop(record);
        lock(&DISKS).remove(&self.number);
        let _ = std::fs::remove_dir_all(&self.inner.root);
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Record> {
        lock(&self.record)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The place on an attached disk that a path names; `folder` is the open folder it starts from.
pub(super) fn place(folder: i32, path: &Path) -> Option<Place> {
    if path.is_relative() {
        let Opened { inner, what: What::Folder { path: folder } } = opened(folder)? else { return None };
        let name = path.to_str()?;
        let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        return Some(Place { inner, path }).filter(|place| !is_scratch(&place.path));
    }
    let text = path.to_str()?;
    let number = text.split_once(MARK)?.1.split('/').next()?.parse().ok()?;
    let inner = lock(&DISKS).get(&number)?.clone();
    let below = path.strip_prefix(&inner.root).ok()?;
    let names: Vec<&str> = below
        .components()
        .map(|name| match name {
            Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .collect::<Option<_>>()?;
    let path = names.join("/");
    (!is_scratch(&path)).then_some(Place { inner, path })
}

/// The file of a disk behind a file number.
pub(super) fn opened(file: i32) -> Option<Opened> {
    let ours = OURS.get(usize::try_from(file).ok()?)?;
    if !ours.load(Ordering::Acquire) {
        return None;
    }
    lock(&OPEN).get(&file).cloned()
}

/// A file number is free again.
pub(super) fn closed(file: i32) {
    let Some(ours) = usize::try_from(file).ok().and_then(|file| OURS.get(file)) else { return };
    if ours.swap(false, Ordering::AcqRel) {
        lock(&OPEN).remove(&file);
    }
}

impl Place {
    /// Opens a file.
    pub(super) fn open(self, open: Open<'_>) -> Answer {
        let Self { inner, path } = self;
        let mut record = inner.lock();
        let known = record.names.get(&path).copied();
        let wants = |flag| open.flags & flag == flag;
        let creates = known.is_none() && wants(libc::O_CREAT);
        let empties = matches!(known, Some(Entry::File(_))) && wants(libc::O_TRUNC);
        if (creates || empties)
            && let Some(errno) = record.refuse(creates)
        {
            return Answer::Failed(errno);
        }
        let said = (open.call)();
        if said < 0 || record.detached {
            return Answer::Kernel(said);
        }
        let what = match known {
            None if path.is_empty() => What::Folder { path },
            None if !creates => return Answer::Kernel(said),
            None => {
                let file = record.next;
                record.next += 1;
                record.names.insert(path.clone(), Entry::File(file));
                record.changes.push(Change::Create { path, file });
                What::File { file, appends: wants(libc::O_APPEND) }
            }
            Some(Entry::Folder) => What::Folder { path },
            Some(Entry::File(file)) => {
                if empties {
                    record.changes.push(Change::Cut { file, length: 0 });
                }
                What::File { file, appends: wants(libc::O_APPEND) }
            }
        };
        drop(record);
        if let Some(ours) = OURS.get(said as usize) {
            lock(&OPEN).insert(said as i32, Opened { inner, what });
            ours.store(true, Ordering::Release);
        }
        Answer::Kernel(said)
    }
}

impl Record {
    /// Counts an operation; answers the error it has to fail with. `grows`: it needs room.
    fn refuse(&mut self, grows: bool) -> Option<i32> {
        let number = self.tried.len() as u64;
        self.tried.push(grows);
        let errno = match self.failure? {
            Failure::Once { at } => (at == number).then_some(libc::EIO),
            Failure::Full { from } => (number >= from && grows).then_some(libc::ENOSPC),
        };
        self.failed += u64::from(errno.is_some());
        errno
    }
}

/// Carries a call out. `kernel` is told how many bytes to write, if not all of them.
pub(super) fn perform(call: Call<'_>, mut kernel: impl FnMut(Option<usize>) -> isize) -> Answer {
    let inner = match &call {
        Call::Write { open, .. } | Call::Cut { open, .. } | Call::Sync { open } => open.inner.clone(),
        Call::Rename { to: place, .. }
        | Call::Link { to: place, .. }
        | Call::Remove { place }
        | Call::Folder { place } => place.inner.clone(),
    };
    let mut record = inner.lock();
    if record.detached {
        return Answer::Kernel(kernel(None));
    }
    let grows = matches!(call, Call::Write { .. } | Call::Link { .. } | Call::Folder { .. });
    let refused = record.refuse(grows);
    match call {
        Call::Write { open, at, file: number, bytes } => {
            let What::File { file, appends } = open.what else { return Answer::Kernel(kernel(None)) };
            // A full disk takes a part first.
            let most = match refused {
                Some(libc::ENOSPC) if bytes.len() > 1 && record.failed == 1 => bytes.len() / 2,
                Some(errno) => return Answer::Failed(errno),
                None => bytes.len(),
            };
            let at = at.unwrap_or_else(|| super::calls::position(number, appends));
            let said = kernel(Some(most));
            if said > 0 {
                record.changes.push(Change::Write { file, at, bytes: bytes[..said as usize].into() });
            }
            return Answer::Kernel(said);
        }
        Call::Sync { open } => {
            let change = match (open.what, refused) {
                (What::File { file, .. }, None) => Change::Sync { file },
                (What::Folder { path }, None) => Change::SyncFolder { path },
                (What::File { file, .. }, Some(errno)) => {
                    record.changes.push(Change::SyncFailed { file });
                    return Answer::Failed(errno);
                }
                (What::Folder { path }, Some(errno)) => {
                    record.changes.push(Change::SyncFolderFailed { path });
                    return Answer::Failed(errno);
                }
            };
            return record.done(kernel(None), change);
        }
        _ => {}
    }
    if let Some(errno) = refused {
        return Answer::Failed(errno);
    }
    let change = match call {
        Call::Cut { open: Opened { what: What::File { file, .. }, .. }, length } => Change::Cut { file, length },
        Call::Rename { from, to } => Change::Rename { from: from.path, to: to.path },
        Call::Link { from, to } => Change::Link { from: from.path, to: to.path },
        Call::Remove { place } => Change::Remove { path: place.path },
        Call::Folder { place } => Change::Folder { path: place.path },
        Call::Cut { .. } | Call::Write { .. } | Call::Sync { .. } => return Answer::Kernel(kernel(None)),
    };
    record.done(kernel(None), change)
}

impl Record {
    /// Notes a change the kernel made.
    fn done(&mut self, said: isize, change: Change) -> Answer {
        if said < 0 {
            return Answer::Kernel(said);
        }
        match &change {
            Change::Rename { from, to } => {
                if let Some(entry) = self.names.remove(from) {
                    self.names.insert(to.clone(), entry);
                }
            }
            Change::Link { from, to } => {
                if let Some(entry) = self.names.get(from).copied() {
                    self.names.insert(to.clone(), entry);
                }
            }
            Change::Remove { path } => drop(self.names.remove(path)),
            Change::Folder { path } => drop(self.names.insert(path.clone(), Entry::Folder)),
            _ => {}
        }
        self.changes.push(change);
        Answer::Kernel(said)
    }
}
