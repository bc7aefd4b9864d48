//! The writer thread: the only place from which this process changes the database.

use std::{sync::Arc, thread, time::Duration};

use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::store::{Options, StoreError, stats::Counters};

use super::{
    Message,
    batch::{BatchLimits, run_batch},
    connection, thread_failed,
};

/// Starts the writer over a connection whose schema is up to date.
pub(crate) fn start(
    connection: Connection,
    options: &Options,
    counters: &Arc<Counters>,
) -> Result<mpsc::Sender<Message>, StoreError> {
    let (queue, waiting) = mpsc::channel(options.queue.max(1));
    let (limits, counters) = (options.batch, Arc::clone(counters));
    thread::Builder::new()
        .name("store-write".to_owned())
        .spawn(move || serve(connection, waiting, limits, &counters))
        .map_err(|cause| thread_failed(&cause))?;
    Ok(queue)
}

fn serve(mut connection: Connection, mut waiting: mpsc::Receiver<Message>, limits: BatchLimits, counters: &Counters) {
    let mut stopping = None;
    while stopping.is_none() {
        match waiting.blocking_recv() {
            Some(Message::Run(first)) => {
                let next = || match waiting.try_recv() {
                    Ok(Message::Run(job)) => Some(job),
                    Ok(Message::Stop(stopped)) => {
                        stopping = Some(stopped);
                        None
                    }
                    Err(_) => None,
                };
                run_batch(&mut connection, first, next, limits, counters);
            }
            Some(Message::Stop(stopped)) => stopping = Some(stopped),
            None => break,
        }
    }
    // What was queued behind the Stop is dropped unrun: its callers hear that the store is closed.
    drop(waiting);
    let closed = close(connection);
    if let Some(stopped) = stopping {
        let _ = stopped.send(closed);
    }
}

/// How long to wait at the end for another process that reads, say a backup.
const LAST_WAIT: Duration = Duration::from_secs(1);

/// Moves the log into the database file and closes it: what stays behind is one plain file, or the file and its log while
/// another process still reads them. Nothing is lost either way.
pub(crate) fn close(connection: Connection) -> Result<(), StoreError> {
    let emptied = connection
        .busy_timeout(LAST_WAIT)
        .and_then(|()| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0)));
    match emptied.map_err(connection::error) {
        Ok(0) => {}
        Ok(_) | Err(StoreError::Busy) => tracing::warn!("another process reads the database: its log stays beside it"),
        Err(failed) => return Err(failed),
    }
    connection.close().map_err(|(_, cause)| connection::error(cause))
}
