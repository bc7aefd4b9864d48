//! What the rules of the trade need of the outside: a database, two clocks, and threads for heavy work.

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};

use super::timetables::{InForce, Timetables};
use super::{directory, feed};
use crate::clock::{Business, Security};
use crate::store::Store;

/// Handles that every domain function takes; cheap to clone.
#[derive(Clone, Debug)]
pub struct Services {
    /// The database.
    pub store: Store,
    /// Dates what people do.
    pub business: Business,
    /// Dates what protects the server.
    pub security: Security,
    /// Org tree and category trees.
    pub directory: directory::Shared,
    /// Where documents are merged.
    pub bench: Bench,
    /// How large a page of the feed gets.
    pub feed_page: feed::page::Size,
    /// Working time and time limits.
    pub timetable: Timetables,
    /// Rings when a void is held, for whoever carries it out.
    pub held: Arc<Notify>,
}

impl Services {
    /// Services with as many threads for merging as the machine has cores.
    pub fn new(store: Store, business: Business) -> Self {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let bench = Bench(Some(Arc::new(Semaphore::new(cores))));
        let (directory, feed_page) = (directory::Shared::default(), feed::page::Size::default());
        let timetable = Timetables::new(InForce::default());
        let held = Arc::default();
        Self { store, business, security: Security, directory, bench, feed_page, timetable, held }
    }

    /// Services that do everything on the calling thread, as tests and a simulator need it.
    pub fn inline(store: Store, business: Business) -> Self {
        Self { bench: Bench(None), ..Self::new(store, business) }
    }
}

/// Runs work that keeps a core busy, away from the threads that serve connections.
///
/// No more of it at once than there are cores: a storm of pushes waits in line instead of filling memory.
#[derive(Clone, Debug)]
pub struct Bench(Option<Arc<Semaphore>>);

impl Bench {
    /// Runs `work` and gives its result.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let Some(permits) = &self.0 else { return work() };
        let permit = Arc::clone(permits).acquire_owned().await.expect("the semaphore is never closed");
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        match done.await {
            Ok(result) => result,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(cancelled) => unreachable!("the runtime is shutting down: {cancelled}"),
            },
        }
    }
}
