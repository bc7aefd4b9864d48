//! Group commit: many bodies, each undone alone if it fails, one COMMIT, then the answers.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use crate::store::{StoreError, stats::Counters};

use super::{
    connection::{SqliteTx, batch, run},
    job::Job,
};

/// When a batch stops taking more bodies, although more are queued.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Most bodies in one commit.
    pub writes: usize,
    /// Work after which the batch commits: the first body of it waits at most this long for its companions.
    pub work: Duration,
}

impl Default for BatchLimits {
    /// One fsync takes 0.1 to 10 ms on the disks we know; working about as long between two keeps both halves busy.
    fn default() -> Self {
        Self { writes: 512, work: Duration::from_millis(5) }
    }
}

/// Runs `first` and whatever `next` gives until a limit, commits once, then answers all of them.
///
/// `next` must not wait: a batch is what has queued up while the previous one was being flushed.
pub(crate) fn run_batch(
    connection: &mut Connection,
    first: Box<dyn Job>,
    mut next: impl FnMut() -> Option<Box<dyn Job>>,
    limits: BatchLimits,
    counters: &Counters,
) {
    if let Err(failure) = run(connection, "BEGIN IMMEDIATE") {
        counters.failed_commit();
        first.answer(Err(failure));
        return;
    }
    let started = now();
    let mut done = Vec::new();
    let mut kept = 0;
    let mut outcome = Ok(());
    let mut following = Some(first);
    while let Some(mut job) = following {
        let ran = run_one(connection, job.as_mut(), done.is_empty());
        done.push(job);
        match ran {
            Ok(keep) => kept += usize::from(keep),
            Err(lost) => {
                outcome = Err(lost);
                break;
            }
        }
        let full = done.len() >= limits.writes || now().duration_since(started) >= limits.work;
        following = if full { None } else { next() };
    }
    let outcome = outcome.and_then(|()| run(connection, "COMMIT"));
    if outcome.is_err() && !connection.is_autocommit() {
        // A COMMIT that failed leaves the transaction open; if even this fails, the next BEGIN says so.
        let _ = batch(connection, "ROLLBACK");
    }
    counters.batch(done.len(), kept, outcome.is_ok());
    for job in done {
        job.answer(outcome.clone());
    }
}

/// Runs one body inside its own savepoint; the `first` of a batch has the transaction to itself and needs none, and is
/// spared what SQLite copies to take back a savepoint: every page the body touches.
///
/// An error means that the whole transaction is lost: SQLite rolls back everything by itself when the disk is full or
/// an I/O error happens, and then the bodies before this one are gone as well.
fn run_one(connection: &mut Connection, job: &mut dyn Job, first: bool) -> Result<bool, StoreError> {
    if !first {
        run(connection, "SAVEPOINT body")?;
    }
    let mut tx = SqliteTx::new(connection);
    let keep = job.run(&mut tx);
    let cause = tx.take_error();
    if connection.is_autocommit() {
        return Err(cause.unwrap_or_else(|| StoreError::Driver {
            code: 0,
            message: "a transaction body ended the transaction it was given".to_owned(),
        }));
    }
    match (first, keep) {
        (true, true) => {}
        (true, false) => {
            run(connection, "ROLLBACK")?;
            run(connection, "BEGIN IMMEDIATE")?;
        }
        (false, keep) => {
            if !keep {
                run(connection, "ROLLBACK TO body")?;
            }
            run(connection, "RELEASE body")?;
        }
    }
    Ok(keep)
}

#[allow(clippy::disallowed_methods, reason = "the writer thread measures its own work, nothing is decided by it")]
fn now() -> Instant {
    Instant::now()
}
