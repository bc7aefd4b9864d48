//! Makes finished photos durable, many at a time.
//!
//! A photo must survive a power cut before its row says that it is here. Flushing a file costs a disk write of some
//! milliseconds, flushing its folder another one, and photos are spread over 256 folders. So one thread takes
//! everything that waits and does the slow steps once for all of it:
//!
//! 1. flushes the files, side by side: a journalling file system writes them in one go (50 µs instead of 4 ms each);
//! 2. renames them into `unsettled/` under their hash and flushes that one folder: from here on they are safe;
//! 3. links them into their places, where readers look, and answers.
//!
//! The links need no flush of their own as long as the names in `unsettled/` stand. Those are removed later, after the
//! folders of a thousand links were flushed together. After a crash the links are simply made again.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::oneshot;
use xunge_client_core::failpoint::{self, At};
use xunge_client_core::model::PhotoHash;

use super::{BlobError, layout};

/// Photos in one batch; more would only make the first of them wait.
const BATCH: usize = 256;
/// Files flushed at the same time.
const SIDE_BY_SIDE: usize = 16;
/// Links that wait for the flush of their folders: about four for each folder, so that one flush serves them all.
const UNSETTLED: usize = 1024;
/// With nothing to do for this long, the links are settled.
const IDLE: Duration = Duration::from_secs(5);

/// Counts since opening, for the demo's figures and for `/metrics`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Photos made durable.
    pub photos: u64,
    /// Batches they came in.
    pub batches: u64,
    /// Flushes of folders.
    pub folder_flushes: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    photos: AtomicU64,
    batches: AtomicU64,
    folder_flushes: AtomicU64,
}

impl Counters {
    pub(super) fn snapshot(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats { photos: get(&self.photos), batches: get(&self.batches), folder_flushes: get(&self.folder_flushes) }
    }
}

/// A finished staging file that wants to become a stored photo.
struct Job {
    hash: PhotoHash,
    staged: PathBuf,
    answer: oneshot::Sender<Result<(), BlobError>>,
}

enum Message {
    Store(Job),
    Settle(oneshot::Sender<Result<(), BlobError>>),
}

/// The queue of the committing thread; the thread ends when this is dropped.
#[derive(Debug)]
pub(super) struct Committer {
    queue: Sender<Message>,
}

impl Committer {
    /// Brings home what a crash left unsettled, then starts the thread.
    pub(super) fn start(root: &Path, counters: Arc<Counters>) -> Result<Self, BlobError> {
        let waiting_room = root.join("unsettled");
        fs::create_dir_all(&waiting_room).map_err(BlobError::io("creating the photo folders"))?;
        let mut folders = Folders { root: root.into(), waiting_room, unsettled: BTreeSet::new(), counters };
        // Photos are safe in the waiting room only if its own name is, and that of the folder it is in.
        folders.flush(root)?;
        if let Some(above) = root.parent() {
            folders.flush(above)?;
        }
        folders.recover()?;
        let (queue, waiting) = channel();
        std::thread::Builder::new()
            .name("blob-committer".into())
            .spawn(move || folders.run(&waiting))
            .map_err(BlobError::io("starting the blob committer"))?;
        Ok(Self { queue })
    }

    /// Stores a file; answers when it is durable and readable. The staging file is gone then.
    pub(super) async fn store(&self, hash: PhotoHash, staged: PathBuf) -> Result<(), BlobError> {
        let (answer, stored) = oneshot::channel();
        self.queue.send(Message::Store(Job { hash, staged, answer })).map_err(|_| BlobError::Closed)?;
        stored.await.unwrap_or(Err(BlobError::Closed))
    }

    /// Flushes the folders of all links, so that nothing is unsettled.
    pub(super) async fn settle(&self) -> Result<(), BlobError> {
        let (answer, settled) = oneshot::channel();
        self.queue.send(Message::Settle(answer)).map_err(|_| BlobError::Closed)?;
        settled.await.unwrap_or(Err(BlobError::Closed))
    }
}

struct Folders {
    root: PathBuf,
    waiting_room: PathBuf,
    /// Linked, but the folders of the links are not flushed yet.
    unsettled: BTreeSet<PhotoHash>,
    counters: Arc<Counters>,
}

impl Folders {
    fn run(mut self, waiting: &Receiver<Message>) {
        loop {
            match waiting.recv_timeout(IDLE) {
                Ok(Message::Store(first)) => self.batch(first, waiting),
                Ok(Message::Settle(answer)) => {
                    // Whoever asked may have gone.
                    let _ = answer.send(self.settle());
                }
                Err(RecvTimeoutError::Timeout) => self.settle_or_log(),
                Err(RecvTimeoutError::Disconnected) => return self.settle_or_log(),
            }
        }
    }

    fn batch(&mut self, first: Job, waiting: &Receiver<Message>) {
        let mut jobs = vec![first];
        let mut settle = None;
        while jobs.len() < BATCH {
            match waiting.try_recv() {
                Ok(Message::Store(job)) => jobs.push(job),
                Ok(Message::Settle(answer)) => {
                    settle = Some(answer);
                    break;
                }
                Err(_) => break,
            }
        }
        let outcomes = self.store(&jobs);
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            let _ = job.answer.send(outcome);
        }
        if let Some(answer) = settle {
            let _ = answer.send(self.settle());
        } else if self.unsettled.len() >= UNSETTLED {
            self.settle_or_log();
        }
    }

    /// Carries out one batch and gives an outcome for each job.
    fn store(&mut self, jobs: &[Job]) -> Vec<Result<(), BlobError>> {
        let mut outcomes = side_by_side(jobs, |job| {
            let flushed = File::open(&job.staged)?.sync_all();
            if flushed.is_err() {
                // The system may have dropped what it could not write and call the next flush a success, so these
                // bytes are never to be taken for whole again: they are sent once more.
                let _ = fs::remove_file(&job.staged);
            }
            flushed
        });
        failpoint::reach(At::ServerPhotoFlushed);
        for (job, outcome) in jobs.iter().zip(&mut outcomes) {
            if outcome.is_ok() {
                *outcome = fs::rename(&job.staged, self.waiting_place(job.hash));
            }
        }
        failpoint::reach(At::ServerPhotoRenamed);
        let flushed = self.flush(&self.waiting_room);
        failpoint::reach(At::ServerPhotoKept);
        let count = |counter: &AtomicU64, n: usize| counter.fetch_add(n as u64, Ordering::Relaxed);
        count(&self.counters.batches, 1);
        count(&self.counters.photos, outcomes.iter().filter(|outcome| outcome.is_ok()).count());
        let mut answers = Vec::with_capacity(jobs.len());
        for (job, outcome) in jobs.iter().zip(outcomes) {
            let stored = outcome.map_err(BlobError::io("storing a photo"));
            answers.push(stored.and_then(|()| flushed.clone()).and_then(|()| self.link(job.hash)));
        }
        answers
    }

    fn waiting_place(&self, hash: PhotoHash) -> PathBuf {
        self.waiting_room.join(hex::encode(hash.as_bytes()))
    }

    fn link(&mut self, hash: PhotoHash) -> Result<(), BlobError> {
        let (from, to) = (self.waiting_place(hash), self.root.join(layout::place(hash)));
        let linked = fs::hard_link(&from, &to).or_else(|error| match (error.kind(), to.parent()) {
            (io::ErrorKind::NotFound, Some(folder)) => {
                fs::create_dir_all(folder)?;
                fs::hard_link(&from, &to)
            }
            _ => Err(error),
        });
        linked
            .or_else(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => put_over(&from, &to, hash),
                _ => Err(error),
            })
            .map_err(BlobError::io("linking a photo"))?;
        self.unsettled.insert(hash);
        Ok(())
    }

    fn settle(&mut self) -> Result<(), BlobError> {
        if self.unsettled.is_empty() {
            return Ok(());
        }
        let places: BTreeSet<PathBuf> = self
            .unsettled
            .iter()
            .filter_map(|hash| Some(self.root.join(layout::place(*hash)).parent()?.into()))
            .collect();
        // The root as well: some of the folders may be new.
        let folders: Vec<PathBuf> = places.into_iter().chain([self.root.clone()]).collect();
        self.counters.folder_flushes.fetch_add(folders.len() as u64, Ordering::Relaxed);
        side_by_side(&folders, |folder| File::open(folder)?.sync_all())
            .into_iter()
            .collect::<io::Result<()>>()
            .map_err(BlobError::io("flushing the photo folders"))?;
        for hash in std::mem::take(&mut self.unsettled) {
            match fs::remove_file(self.waiting_place(hash)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(BlobError::io("removing a settled name")(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Settling may be tried again at any time, so a failure harms nobody yet.
    fn settle_or_log(&mut self) {
        if let Err(error) = self.settle() {
            tracing::warn!(%error, "photo folders could not be settled");
        }
    }

    fn recover(&mut self) -> Result<(), BlobError> {
        let what = "bringing photos home after a crash";
        for entry in fs::read_dir(&self.waiting_room).map_err(BlobError::io(what))? {
            let name = entry.map_err(BlobError::io(what))?.file_name();
            if let Some(hash) = name.to_str().and_then(layout::file_hash) {
                self.link(hash)?;
            }
        }
        self.settle()
    }

    fn flush(&self, folder: &Path) -> Result<(), BlobError> {
        self.counters.folder_flushes.fetch_add(1, Ordering::Relaxed);
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(BlobError::io("flushing a folder"))
    }
}

/// Gives a name that is taken to these bytes, if those under it were damaged since they were stored.
fn put_over(from: &Path, to: &Path, hash: PhotoHash) -> io::Result<()> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(to)?, &mut hasher)?;
    if *hash.as_bytes() == <[u8; 32]>::from(hasher.finalize()) {
        return Ok(());
    }
    let again = from.with_extension("again");
    let _ = fs::remove_file(&again);
    fs::hard_link(from, &again)?;
    fs::rename(&again, to)
}

/// Runs `work` on every item with a few threads and gives the results in order.
fn side_by_side<T: Sync>(items: &[T], work: impl Fn(&T) -> io::Result<()> + Sync) -> Vec<io::Result<()>> {
    if let [item] = items {
        return vec![work(item)];
    }
    let next = AtomicUsize::new(0);
    let take_turns = || {
        let mut finished = Vec::new();
        while let Some((index, item)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            items.get(index).map(|item| (index, item))
        } {
            finished.push((index, work(item)));
        }
        finished
    };
    let mut results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..items.len().min(SIDE_BY_SIDE)).map(|_| scope.spawn(take_turns)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("flushing does not panic")).collect()
    });
    results.sort_by_key(|(index, _)| *index);
    results.into_iter().map(|(_, result)| result).collect()
}
