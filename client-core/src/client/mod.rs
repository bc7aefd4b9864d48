//! What an app sees.
//!
//! [`Phone`] is a phone built from parts: its local calls block on the database only and need no runtime, its calls to
//! the server are async and run on whatever runtime the caller has; a fleet of them fits into one process.
//! [`Xunge`] wraps one phone for an app: it owns a small runtime, and every call may be made from any thread.
//!
//! Saving never needs a network. A call that returns has its report in the database, flushed to disk; what happens to
//! it later is told to [`Listener`]s and shown by [`Phone::status`]: "on the phone", and once an answer's digest
//! covers it, "on the server".

mod drafting;
mod ended;
mod error;
mod input;
mod online;
mod reading;
mod rescue;
mod words;
mod xunge;

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, TryLockError};

pub use error::PhoneError;
pub use input::{PhotoInput, PhotoSource, Place, ReportInput};
pub use reading::PhoneStatus;
pub use rescue::Rescued;
pub use xunge::Xunge;

pub use crate::driver::{Listener, Subscription, SyncReport};
pub use crate::platform::{Clock, Entropy, Files, Now};
pub use crate::store::{
    CaseDetail, CaseItem, Counted, ListQuery, MyCounts, OnlyHere, PhoneRow, PhotoStatus, Reference, RefusedWords,
    RequestStatus, ServerInfo, StatusItem, Task, Unsent, UserInfo,
};
pub use crate::sync::{DataPlan, DataRules, Leave, Link, Notice, Refused, Settings, Stop};

use crate::driver::dial::{self, Dialer};
use crate::driver::host::{PhotoFolder, SystemClock, SystemEntropy};
use crate::driver::{Listeners, Worker};
use crate::store::Store;
use crate::sync::{Event, Reason};
use crate::transport::Patience;

/// Where a phone lives and how it behaves.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of the database and the photos; made if it is not there. One folder is one phone.
    pub folder: PathBuf,
    /// How often to poll, how many photos to offer.
    pub settings: Settings,
    /// How long to wait without progress.
    pub patience: Patience,
}

impl Config {
    /// A phone in `folder` with the usual settings.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), settings: Settings::default(), patience: Patience::default() }
    }
}

/// The machine under a phone; each part can be replaced.
#[derive(Clone)]
pub struct Parts {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Keeps photos; the default is a folder beside the database.
    pub files: Option<Arc<dyn Files>>,
    /// Reaches servers; the default is HTTP over TCP with the configured patience.
    pub dialer: Option<Dialer>,
}

impl Default for Parts {
    fn default() -> Self {
        let clock = Arc::new(SystemClock::start());
        Self { clock, entropy: Arc::new(SystemEntropy), files: None, dialer: None }
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Parts")
    }
}

/// One phone.
pub struct Phone {
    store: Arc<Store>,
    files: Arc<dyn Files>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    dialer: Dialer,
    settings: Settings,
    listeners: Listeners,
    trace_file: PathBuf,
    worker: Mutex<Option<Worker>>,
    /// The app wants the loop to go on, whichever worker runs it.
    in_background: AtomicBool,
    /// Held shared from the moment a photo is a file until a row names it, alone while files nobody names are removed.
    saving: RwLock<()>,
}

impl Phone {
    /// Opens a phone on the machine as it is. Needs no runtime and starts no thread.
    ///
    /// # Errors
    /// [`PhoneError::Store`] for a database of a newer app or a damaged one, [`PhoneError::File`] without room.
    pub fn open(config: Config) -> Result<Self, PhoneError> {
        Self::with_parts(config, Parts::default())
    }

    /// Opens a phone on parts of the caller's choice.
    ///
    /// # Errors
    /// As [`Phone::open`].
    pub fn with_parts(config: Config, parts: Parts) -> Result<Self, PhoneError> {
        let Config { folder, settings, patience } = config;
        let Parts { clock, entropy, files, dialer } = parts;
        crate::driver::host::make_folder(&folder)?;
        let store = Arc::new(Store::open(&folder.join("phone.db"), entropy.clone())?);
        Ok(Self {
            store,
            files: files.unwrap_or_else(|| Arc::new(PhotoFolder::new(folder.join("photos")))),
            clock,
            entropy,
            dialer: dialer.unwrap_or_else(|| dial::http(patience)),
            settings,
            listeners: Listeners::default(),
            trace_file: folder.join("trace.bin"),
            worker: Mutex::default(),
            in_background: AtomicBool::new(false),
            saving: RwLock::default(),
        })
    }

    /// Calls `listener` with news until the answer is dropped.
    pub fn subscribe(&self, listener: Arc<dyn Listener>) -> Subscription {
        self.listeners.subscribe(listener)
    }

    /// The app leaves the screen: the log is moved into the database and what nobody names any more is removed.
    ///
    /// Takes a few flushes. A system that freezes apps must find no half-written file, so call it before.
    pub fn on_background(&self) -> Result<(), PhoneError> {
        self.sweep()?;
        Ok(self.store.checkpoint()?)
    }

    /// The app, or the network, is back: what was waiting for time may try at once.
    pub fn on_foreground(&self) {
        self.tell(Reason::Awake);
    }

    /// The system says what the link is now; photos go or wait by the inspector's rules. See [`crate::sync::policy`].
    pub fn set_link(&self, link: Link) -> Result<(), PhoneError> {
        if self.store.set_link(link)? {
            self.tell(Reason::Awake);
        }
        Ok(())
    }

    /// The inspector changed the rules for photos.
    pub fn set_data_rules(&self, rules: &DataRules) -> Result<(), PhoneError> {
        self.store.set_data_rules(rules)?;
        self.tell(Reason::Awake);
        Ok(())
    }

    /// The link, the rules for photos, and what this month has used of its budget.
    pub fn data_plan(&self) -> Result<DataPlan, PhoneError> {
        Ok(self.store.data_plan(self.clock.now().wall)?)
    }

    /// Removes photo files whose report was never saved; answers how many. While one is being saved nothing is: what
    /// looks like nobody's may be its.
    pub fn sweep(&self) -> Result<usize, PhoneError> {
        let _alone = match self.saving.try_write() {
            Ok(alone) => alone,
            Err(TryLockError::Poisoned(alone)) => alone.into_inner(),
            Err(TryLockError::WouldBlock) => return Ok(0),
        };
        Ok(self.files.sweep(&self.store.named_photos()?)?)
    }

    /// What the flight recorder holds: one file for whoever looks into a sync that went wrong, at most 64 KiB.
    ///
    /// Times, sizes, counts and codes of the last syncs; no words, places, names, ids or keys
    /// ([`crate::sync::trace`]).
    pub fn trace(&self) -> Vec<u8> {
        std::fs::read(&self.trace_file).unwrap_or_else(|_| crate::sync::trace::TraceFile::default().to_bytes())
    }

    /// Forgets everything on this phone. With `force`, what is nowhere else too.
    ///
    /// Photos go before the database is written anew: that needs room, and a full phone has none.
    ///
    /// # Errors
    /// [`PhoneError::Unsent`] if something would be lost and `force` is not set. [`PhoneError::Store`] or
    /// [`PhoneError::File`] if traces of what was forgotten are left: ask again.
    pub fn wipe(&self, force: bool) -> Result<(), PhoneError> {
        let only_here = self.store.only_here()?;
        if !force && !only_here.is_nothing() {
            return Err(PhoneError::Unsent(only_here));
        }
        self.drop_worker();
        self.store.wipe()?;
        let _ = std::fs::remove_file(&self.trace_file);
        self.files.remove_all()?;
        Ok(self.store.shred()?)
    }

    /// Keeps a sweep away until the photos that are being saved are named.
    fn saving(&self) -> RwLockReadGuard<'_, ()> {
        self.saving.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn worker(&self) -> std::sync::MutexGuard<'_, Option<Worker>> {
        self.worker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn drop_worker(&self) {
        self.worker().take();
    }

    /// Tells a running background loop something; without one there is nobody to tell.
    fn tell(&self, reason: Reason) {
        if let Some(worker) = self.worker().as_ref() {
            worker.tell(Event::Wake(reason));
        }
    }
}

impl std::fmt::Debug for Phone {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Phone").field("store", &self.store).finish_non_exhaustive()
    }
}
