//! What the store has done since it was opened, for the demo's `flushes` and for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

/// Counts since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Commits that had something to keep, each one flush of the disk.
    pub flushes: u64,
    /// Transactions of the writer, whatever became of them.
    pub batches: u64,
    /// Bodies that ran.
    pub writes: u64,
    /// Bodies that failed or panicked and were undone.
    pub refused: u64,
    /// Transactions that could not be begun or committed; none of their bodies was acknowledged.
    pub failed_commits: u64,
    /// Most bodies that ever shared a commit.
    pub largest_batch: u64,
    /// Read transactions.
    pub reads: u64,
}

/// The same numbers while they are being counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    flushes: AtomicU64,
    batches: AtomicU64,
    writes: AtomicU64,
    refused: AtomicU64,
    failed_commits: AtomicU64,
    largest_batch: AtomicU64,
    reads: AtomicU64,
    /// The number of commits, for whoever waits for the next.
    committed: watch::Sender<u64>,
}

impl Counters {
    pub(crate) fn batch(&self, writes: usize, kept: usize, committed: bool) {
        let add = |counter: &AtomicU64, n: usize| counter.fetch_add(n as u64, Ordering::Relaxed);
        add(&self.batches, 1);
        add(&self.writes, writes);
        add(&self.refused, writes - kept);
        add(&self.flushes, usize::from(committed && kept > 0));
        add(&self.failed_commits, usize::from(!committed));
        if committed && kept > 0 {
            self.committed.send_modify(|commits| *commits += 1);
        }
        self.largest_batch.fetch_max(writes as u64, Ordering::Relaxed);
    }

    /// Changes with every commit that kept something, once that is durable.
    pub(crate) fn commits(&self) -> watch::Receiver<u64> {
        self.committed.subscribe()
    }

    pub(crate) fn failed_commit(&self) {
        self.failed_commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) {
        self.reads.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            flushes: get(&self.flushes),
            batches: get(&self.batches),
            writes: get(&self.writes),
            refused: get(&self.refused),
            failed_commits: get(&self.failed_commits),
            largest_batch: get(&self.largest_batch),
            reads: get(&self.reads),
        }
    }
}
