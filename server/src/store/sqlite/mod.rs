//! The SQLite engine: one writer, many readers.
//!
//! A normal run: a request's body is queued; the writer thread takes it with whatever else waits, runs each so
//! that it can be undone alone, commits once (one flush of the disk for all of them) and only then answers. While the
//! disk is busy the next bodies queue up, so batches grow by themselves exactly when the load does, and an idle server
//! commits at once.
//!
//! What can go wrong:
//! - a body fails or panics: what it did is undone, the others never notice;
//! - the disk is full or COMMIT fails: every body of the batch hears the error, nothing is acknowledged;
//! - the caller goes away after its body was queued: the write is made all the same, nobody hears about it;
//! - the process is killed: what was answered is on the disk, what was not is not there at all.
//!
//! Readers are read-only connections on threads of their own; each body sees one snapshot and never waits for the
//! writer. Without threads (`Options::inline`, and always in memory) one connection does both on the calling thread.

mod batch;
pub(crate) mod connection;
mod job;
mod readers;
pub(crate) mod upkeep;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{Options, StoreError, migrate, stats::Counters};

pub use self::batch::BatchLimits;
use self::connection::{Purpose, SqliteTx};
pub(crate) use self::job::{Job, job};

/// What a thread of the engine is told.
pub(crate) enum Message {
    /// Run a body.
    Run(Box<dyn Job>),
    /// Give the connection back and say how that went.
    Stop(oneshot::Sender<Result<(), StoreError>>),
}

/// What a body is going to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Change rows.
    Write,
    /// Only look.
    Read,
}

/// The engine behind a store.
pub(crate) enum Engine {
    /// A file with its own threads.
    Threads {
        /// To the one writer.
        writer: mpsc::Sender<Message>,
        /// To whichever reader is free.
        readers: mpsc::Sender<Message>,
        /// How many readers there are.
        count: usize,
        /// The file, for connections that are opened for one purpose.
        path: PathBuf,
    },
    /// One connection used on the calling thread; `None` once closed.
    Inline(Mutex<Option<Connection>>),
}

impl Engine {
    pub(crate) fn open(path: &Path, options: &Options, counters: &Arc<Counters>) -> Result<Self, StoreError> {
        let mut connection = connection::open(path, Purpose::Writer { create: options.create })?;
        migrate::migrate(&mut connection)?;
        if options.inline {
            return Ok(Self::Inline(Mutex::new(Some(connection))));
        }
        let count = options.readers.max(1);
        let readers = readers::start(path, count, options.queue.max(1), counters)?;
        let writer = writer::start(connection, options, counters)?;
        Ok(Self::Threads { writer, readers, count, path: path.to_owned() })
    }

    pub(crate) fn in_memory() -> Result<Self, StoreError> {
        let mut connection = connection::open_in_memory()?;
        migrate::migrate(&mut connection)?;
        Ok(Self::Inline(Mutex::new(Some(connection))))
    }

    /// Runs the body here and now if there are no threads, otherwise names the queue it has to go to.
    pub(crate) fn place(
        &self,
        kind: Kind,
        job: Box<dyn Job>,
        counters: &Counters,
    ) -> Option<(&mpsc::Sender<Message>, Message)> {
        match self {
            Self::Threads { writer, readers, .. } => {
                Some((if kind == Kind::Write { writer } else { readers }, Message::Run(job)))
            }
            Self::Inline(connection) => {
                match (connection.lock().unwrap_or_else(PoisonError::into_inner).as_mut(), kind) {
                    (None, _) => job.answer(Err(StoreError::Closed)),
                    (Some(connection), Kind::Write) => {
                        batch::run_batch(connection, job, || None, BatchLimits::default(), counters);
                    }
                    (Some(connection), Kind::Read) => read(connection, job, counters),
                }
                None
            }
        }
    }

    /// Runs something long on a connection that holds up neither the writer nor the readers.
    ///
    /// Without threads there is only the one connection.
    pub(crate) fn aside<T>(&self, work: impl FnOnce(&Connection) -> Result<T, StoreError>) -> Result<T, StoreError> {
        match self {
            Self::Threads { path, .. } => work(&connection::open(path, Purpose::Reader)?),
            Self::Inline(connection) => {
                let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                work(connection.as_ref().ok_or(StoreError::Closed)?)
            }
        }
    }

    /// Names the queues to send a `Stop` to, one after the other's answer: all readers, then the writer.
    ///
    /// The writer goes last, because the log can only be emptied once nobody reads from it.
    pub(crate) fn stops(&self) -> Result<Vec<&mpsc::Sender<Message>>, StoreError> {
        match self {
            Self::Threads { writer, readers, count, .. } => {
                Ok(std::iter::repeat_n(readers, *count).chain([writer]).collect())
            }
            Self::Inline(connection) => {
                let connection = connection.lock().unwrap_or_else(PoisonError::into_inner).take();
                connection.map_or(Ok(()), writer::close)?;
                Ok(Vec::new())
            }
        }
    }
}

/// Runs a reading body in a deferred transaction, which is a snapshot from its first statement on.
fn read(connection: &mut Connection, mut job: Box<dyn Job>, counters: &Counters) {
    counters.read();
    if let Err(failure) = connection::run(connection, "BEGIN DEFERRED") {
        job.answer(Err(failure));
        return;
    }
    job.run(&mut SqliteTx::reading(connection));
    let ended = if connection.is_autocommit() { Ok(()) } else { connection::run(connection, "ROLLBACK") };
    job.answer(ended);
}

fn thread_failed(cause: &std::io::Error) -> StoreError {
    StoreError::Driver { code: 0, message: format!("cannot start a thread: {cause}") }
}
