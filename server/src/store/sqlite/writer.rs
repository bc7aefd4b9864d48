//! The writer thread: the only place from which this process changes the database.

use std::{sync::Arc, thread};

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

/// Moves the log into the database file and closes it: what stays behind is one plain file.
pub(crate) fn close(connection: Connection) -> Result<(), StoreError> {
    let emptied = connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0))
        .map_err(connection::error)
        .and_then(|busy| if busy == 0 { Ok(()) } else { Err(StoreError::Busy) });
    connection.close().map_err(|(_, cause)| connection::error(cause))?;
    emptied
}
