//! The phone's database: what the inspector did, what is known of each case, what still has to be sent.
//!
//! One normal run: the inspector saves a report. Photo files are made durable first; then one transaction holds the
//! typed intents, the facts as lists show them, the photo rows and the mark that something is to be sent
//! ([`Store::act`]). Only after its commit the screen says "saved". Later the engine asks what is to be sent
//! ([`Store::collect`]): unsent edits of a case become one change then, whatever was typed in between. That change is
//! stored and marked as sent *before* it leaves ([`Store::mark_sent`]), and is immutable from then on, because the
//! server may have it even if no answer arrives. The answer is applied in one transaction together with the cursor
//! ([`Store::apply`]).
//!
//! | what goes wrong | what holds |
//! |---|---|
//! | the phone dies before a commit | the state before; photo files nobody names are swept at the next start |
//! | it dies between marking and sending | the change is sent again; the server knows changes by hash |
//! | a change is refused | its intents stay; what survives becomes a new change of a new actor |
//! | a case can not be read | it is shown; the others, and what was written down of it before, go on ([`apart`]) |
//! | the server lost what it had confirmed (new epoch) | everything of this phone is offered again |
//! | a newer app wrote the database | it is refused as a whole, untouched |
//!
//! No time, randomness or files of its own: they come as arguments or through [`crate::platform`].

mod act;
mod answer;
mod apart;
mod case_row;
mod census;
mod changes;
mod connection;
mod data_plan;
mod detail;
mod error;
mod events;
mod feed;
mod intents;
mod lists;
mod migrate;
#[cfg(any(test, feature = "testing"))]
pub mod older;
mod outbox;
mod phone_row;
mod photos;
mod reference;
mod repair;
mod views;
mod writing;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use act::{ActError, NewPhoto, Step};
pub use error::StoreError;
pub use phone_row::{Enrolment, PhoneRow, ServerInfo, UserInfo};
pub use reference::{CategoryFound, Reference, ReferenceCategory, ReferenceGrid, ReferenceReason, ReferenceUnit};
pub use views::{
    CaseDetail, CaseItem, Counted, ListQuery, MyCounts, OnlyHere, PhotoStatus, RefusedWords, RequestStatus, StatusItem,
    Task, Unsent,
};

use self::case_row::CaseRow;
use crate::doc::FieldDoc;
use crate::model::{ActorId, CaseId, IntentId, Millis};
use crate::platform::{Entropy, random};

/// The database of one phone, opened.
pub struct Store {
    connection: Mutex<Connection>,
    entropy: Arc<dyn Entropy>,
    /// Who writes changes; made at open and never stored, so that no restart, restore or clone reuses it.
    actor: Mutex<ActorId>,
    /// Cases whose refused changes used up numbers of `actor`.
    other_actors: Mutex<BTreeMap<CaseId, ActorId>>,
    /// Mobile data counted and not written down yet.
    uncounted: Mutex<data_plan::Uncounted>,
}

impl Store {
    /// Opens or creates the database at `path` and brings it to the newest schema.
    ///
    /// # Errors
    /// [`StoreError::TooNew`] for a database of a newer app, and whatever SQLite says.
    pub fn open(path: &Path, entropy: Arc<dyn Entropy>) -> Result<Self, StoreError> {
        Self::over(connection::open(path)?, entropy)
    }

    /// A database that lives in memory and dies with this object.
    pub fn in_memory(entropy: Arc<dyn Entropy>) -> Result<Self, StoreError> {
        Self::over(connection::in_memory()?, entropy)
    }

    fn over(mut connection: Connection, entropy: Arc<dyn Entropy>) -> Result<Self, StoreError> {
        let migrated = migrate::run(&mut connection, migrate::ALL);
        migrated.inspect_err(|_| connection::forget_failed(&connection))?;
        let actor = ActorId::from_bytes(random(entropy.as_ref()));
        let (connection, actor) = (Mutex::new(connection), Mutex::new(actor));
        Ok(Self { connection, entropy, actor, other_actors: Mutex::default(), uncounted: Mutex::default() })
    }

    /// Copies what the write-ahead log holds into the database file and empties the log.
    ///
    /// For the moment the app goes to the background; costs a few flushes, so not after every save.
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        // Another reader may keep part of the log, which is no error.
        connection::checkpoint(&self.lock()).map(drop)
    }

    /// Runs `body` in one transaction: all of it is durable afterwards, or none of it happened.
    ///
    /// IMMEDIATE, because a transaction that first reads and then writes can not be retried by SQLite.
    fn write<T, E: From<StoreError>>(&self, body: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut connection = self.lock();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
        let answer = body(&tx)?;
        if let Err(failed) = tx.commit() {
            connection::forget_failed(&connection);
            return Err(StoreError::from(failed).into());
        }
        Ok(answer)
    }

    /// Runs `body` on one consistent state of the database.
    fn read<T, E: From<StoreError>>(&self, body: impl FnOnce(&Transaction<'_>) -> Result<T, E>) -> Result<T, E> {
        let mut connection = self.lock();
        let tx = connection.transaction_with_behavior(TransactionBehavior::Deferred).map_err(StoreError::from)?;
        body(&tx)
    }

    /// A panic under the lock rolled its transaction back; the connection itself is sound.
    fn lock(&self) -> std::sync::MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The actor that writes the next change of `case`.
    fn actor_for(&self, case: CaseId) -> ActorId {
        let others = self.other_actors.lock().unwrap_or_else(PoisonError::into_inner);
        let usual = || *self.actor.lock().unwrap_or_else(PoisonError::into_inner);
        others.get(&case).copied().unwrap_or_else(usual)
    }

    /// Gives `case` an actor nobody has used yet.
    fn renew_actor(&self, case: CaseId) {
        let actor = ActorId::from_bytes(random(self.entropy.as_ref()));
        self.other_actors.lock().unwrap_or_else(PoisonError::into_inner).insert(case, actor);
    }

    /// The document without unsent edits, for whoever goes on writing.
    fn sound_doc(&self, tx: &Transaction<'_>, row: &mut CaseRow) -> Result<FieldDoc, StoreError> {
        if row.base_doc().is_err() {
            // What was written last may be lost with the document: its numbers must not be used twice.
            self.renew_actor(row.id);
        }
        row.sound_doc(tx)
    }

    /// Begins with actors nobody has used yet, in every case.
    fn renew_all_actors(&self) {
        self.other_actors.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let actor = ActorId::from_bytes(random(self.entropy.as_ref()));
        *self.actor.lock().unwrap_or_else(PoisonError::into_inner) = actor;
    }

    fn new_intent(&self, now: Millis) -> IntentId {
        IntentId::from_parts(now, random(self.entropy.as_ref()))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Store").field("actor", &self.actor).finish_non_exhaustive()
    }
}
