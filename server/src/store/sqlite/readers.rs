//! The read pool: read-only connections, each on a thread of its own, taking bodies from one queue.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use rusqlite::Connection;
use tokio::sync::mpsc;

use crate::store::{StoreError, stats::Counters};

use super::{
    Message,
    connection::{self, Purpose},
    read, thread_failed,
};

type Shared = Arc<Mutex<mpsc::Receiver<Message>>>;

/// Starts `count` readers over one queue of `length` places.
pub(crate) fn start(
    path: &Path,
    count: usize,
    length: usize,
    counters: &Arc<Counters>,
) -> Result<mpsc::Sender<Message>, StoreError> {
    let (queue, waiting) = mpsc::channel(length);
    let waiting: Shared = Arc::new(Mutex::new(waiting));
    for number in 0..count {
        let connection = connection::open(path, Purpose::Reader)?;
        let (waiting, counters) = (Arc::clone(&waiting), Arc::clone(counters));
        thread::Builder::new()
            .name(format!("store-read-{number}"))
            .spawn(move || serve(connection, &waiting, &counters))
            .map_err(|cause| thread_failed(&cause))?;
    }
    Ok(queue)
}

fn serve(mut connection: Connection, waiting: &Shared, counters: &Counters) {
    loop {
        // One idle thread waits inside the lock, the others for the lock: each body wakes one of them.
        let message = waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
        match message {
            Some(Message::Run(job)) => read(&mut connection, job, counters),
            Some(Message::Stop(stopped)) => {
                let closed = connection.close().map_err(|(_, cause)| connection::error(cause));
                let _ = stopped.send(closed);
                return;
            }
            None => return,
        }
    }
}
