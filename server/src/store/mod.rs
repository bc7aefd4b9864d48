//! The store: a database behind one small seam.
//!
//! [`Store::write`] and [`Store::read`] run a body over an open [`Tx`]; the body speaks the SQL that SQLite and
//! PostgreSQL have in common and nothing else. Only `sqlite/` names a driver. The rules of the trade live above, in
//! `domain/`: here are transactions, values, migrations and hash chains.
//!
//! ```no_run
//! use xunge_server::{params, store::{Options, Store, StoreError}};
//! # async fn example(key: String, value: String) -> Result<(), StoreError> {
//! let store = Store::open("xunge.db".as_ref(), &Options::default())?;
//! let changed: u64 = store
//!     .write(move |tx| {
//!         Box::pin(async move {
//!             tx.execute("UPDATE meta SET value = ?2 WHERE key = ?1", params![&key, &value]).await
//!         })
//!     })
//!     .await?;
//! # assert_eq!(changed, 1);
//! # Ok(())
//! # }
//! ```

pub mod chain;
mod dialect;
mod error;
mod migrate;
pub mod older;
mod sqlite;
mod stats;
mod tx;
mod value;

#[cfg(test)]
mod tests;

use std::{path::Path, sync::Arc};

use tokio::sync::oneshot;

pub use self::{
    error::StoreError,
    sqlite::BatchLimits,
    stats::Stats,
    tx::{BoxFuture, Tx},
    value::{Row, Value},
};
pub use crate::params;

use self::{
    sqlite::{Engine, Job, Kind, Message},
    stats::Counters,
};

/// How to open a store.
#[derive(Clone, Debug)]
pub struct Options {
    /// Create the database if it is not there; otherwise [`StoreError::Missing`].
    pub create: bool,
    /// Read-only connections, each with a thread.
    pub readers: usize,
    /// Bodies that may wait in each queue; above it callers wait, which slows them down instead of filling memory.
    pub queue: usize,
    /// When a batch of writes stops growing.
    pub batch: BatchLimits,
    /// Use no threads: every call does its work on the calling thread, as a simulator needs it.
    pub inline: bool,
}

impl Default for Options {
    /// Three readers: the reference machine has two cores, and one reader more keeps them busy during a disk read.
    fn default() -> Self {
        Self { create: true, readers: 3, queue: 1024, batch: BatchLimits::default(), inline: false }
    }
}

/// A database that is open and has the newest schema; clones share it.
#[derive(Clone)]
pub struct Store {
    engine: Arc<Engine>,
    counters: Arc<Counters>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens a database file, creates it if asked to, and brings its schema up to date.
    ///
    /// Blocks for the time of the migrations. [`StoreError::NewerSchema`] if a newer program wrote the file.
    pub fn open(path: &Path, options: &Options) -> Result<Self, StoreError> {
        let counters = Arc::default();
        let engine = Engine::open(path, options, &counters)?;
        Ok(Self { engine: Arc::new(engine), counters })
    }

    /// Opens a private database in memory, without threads; for tests and simulators.
    pub fn in_memory() -> Result<Self, StoreError> {
        Ok(Self { engine: Arc::new(Engine::in_memory()?), counters: Arc::default() })
    }

    /// Runs `body` in a transaction and answers when its writes are durable.
    ///
    /// An `Err` from the body undoes everything it did. Once queued, the write is made even if this future is dropped.
    ///
    /// The body may run again (PostgreSQL aborts one of two colliding transactions), hence `Clone`: no I/O and no
    /// effect in it except through `tx`. On SQLite it runs once.
    pub async fn write<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, E>> + Clone + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = sqlite::job(body);
        self.send(Kind::Write, job).await?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Does [`Store::write`] on a thread that may block; panics inside an async task.
    pub fn write_blocking<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, E>> + Clone + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = sqlite::job(body);
        self.send_blocking(Kind::Write, job)?;
        self.wait(answer)
    }

    /// Runs `body` over one snapshot of the database.
    ///
    /// It sees every write answered before this call, and never half of one. Writing fails.
    pub async fn read<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = sqlite::job(body);
        self.send(Kind::Read, job).await?;
        answer.await.unwrap_or_else(|_| Err(StoreError::Closed.into()))
    }

    /// Does [`Store::read`] on a thread that may block; panics inside an async task.
    pub fn read_blocking<T, E, F>(&self, body: F) -> Result<T, E>
    where
        F: for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (job, answer) = sqlite::job(body);
        self.send_blocking(Kind::Read, job)?;
        self.wait(answer)
    }

    /// Counts since opening: flushes, batches, reads.
    pub fn stats(&self) -> Stats {
        self.counters.snapshot()
    }

    /// Changes with every commit of this process, after it is durable; its value means nothing.
    pub fn commits(&self) -> tokio::sync::watch::Receiver<u64> {
        self.counters.commits()
    }

    /// Finishes what is queued, empties the log into the database file and closes it.
    ///
    /// Whoever still holds a clone hears [`StoreError::Closed`]. Dropping all clones does the same without waiting.
    pub async fn close(&self) -> Result<(), StoreError> {
        for queue in self.engine.stops()? {
            let (stopped, answer) = oneshot::channel();
            queue.send(Message::Stop(stopped)).await.map_err(|_| StoreError::Closed)?;
            answer.await.unwrap_or(Err(StoreError::Closed))?;
        }
        Ok(())
    }

    /// Does [`Store::close`] on a thread that may block; panics inside an async task.
    pub fn close_blocking(&self) -> Result<(), StoreError> {
        for queue in self.engine.stops()? {
            let (stopped, answer) = oneshot::channel();
            queue.blocking_send(Message::Stop(stopped)).map_err(|_| StoreError::Closed)?;
            answer.blocking_recv().unwrap_or(Err(StoreError::Closed))?;
        }
        Ok(())
    }

    /// Writes a copy of the database as it is now to a new file; writes go on meanwhile.
    ///
    /// Blocks for the time of the copy. [`StoreError::Unique`] if the file exists already.
    pub fn backup_blocking(&self, to: &Path) -> Result<(), StoreError> {
        self.engine.aside(|connection| sqlite::upkeep::copy(connection, to))
    }

    /// Reads the whole database and lists what is damaged; empty if nothing is.
    ///
    /// Blocks for the time it takes. Only about pages and references: whether the contents are true is for `verify`.
    pub fn integrity_blocking(&self) -> Result<Vec<String>, StoreError> {
        self.engine.aside(sqlite::upkeep::findings)
    }

    async fn send(&self, kind: Kind, job: Box<dyn Job>) -> Result<(), StoreError> {
        match self.engine.place(kind, job, &self.counters) {
            Some((queue, message)) => queue.send(message).await.map_err(|_| StoreError::Closed),
            None => Ok(()),
        }
    }

    fn send_blocking(&self, kind: Kind, job: Box<dyn Job>) -> Result<(), StoreError> {
        match self.engine.place(kind, job, &self.counters) {
            Some((queue, message)) => queue.blocking_send(message).map_err(|_| StoreError::Closed),
            None => Ok(()),
        }
    }

    fn wait<T, E: From<StoreError>>(&self, mut answer: oneshot::Receiver<Result<T, E>>) -> Result<T, E> {
        let answer = match &*self.engine {
            Engine::Inline(_) => answer.try_recv().ok(),
            Engine::Threads { .. } => answer.blocking_recv().ok(),
        };
        answer.unwrap_or_else(|| Err(StoreError::Closed.into()))
    }
}
