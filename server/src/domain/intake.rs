//! Intake (受理): what a phone pushes becomes facts, and a submitted report becomes a case; so does a call ([`office`]).
//!
//! One normal run: [`look`] reads what the server holds of the pushed cases; [`judge`] runs every change through the
//! gate, outside the transaction and off the serving threads; [`write`] then stores all of it inside the caller's
//! transaction: change rows, snapshot, actor, photos, the case's row and its `submit` event with the claims frozen
//! into it. If somebody wrote to one of the cases meanwhile, the transaction is undone with [`IntakeError::Conflict`]
//! and the caller prepares again.
//!
//! What goes wrong with one case stays with that case:
//! - a refused change goes to quarantine and is named in the answer, with a code the phone can act on;
//! - a report of which nothing can be read becomes a stub case, counted as pending: never lost, never uncounted;
//! - a case of somebody else is `not_yours`, and so is one that does not exist.

mod claims;
mod follow;
mod judge;
pub mod office;
mod open;
mod photos;
mod quarantine;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use xunge_client_core::model::{ActorId, CaseId, ChangeHash, DeviceId, Facts, Millis};
use xunge_client_core::wire::{CaseHeads, Frame, Need, Rejected, RequestResult};
use xunge_client_core::workflow::Payload;

use super::directory::{self, Directory};
use super::people::{self, Viewer};
use super::services::Services;
use super::work::Work;
use crate::store::{StoreError, Tx};

pub(crate) use follow::{ADDING, CHANGE_ROW};
pub use judge::Judged;
pub use quarantine::{Kind, keep_sealed, kept_hash};
pub use write::write;

/// Cases a phone may newly submit per business day.
///
/// The busiest inspector of the published month reports about ten a day; a phone back from a month without network
/// brings its three hundred in one day.
pub const NEW_CASES_PER_DAY: i64 = 300;
/// What a report beyond [`NEW_CASES_PER_DAY`] is answered.
pub const QUOTA_CASES: &str = "quota_cases";
/// Bytes of refused changes kept per phone, each counted as 512 more than it has.
pub const QUARANTINE_BYTES: i64 = 20_000_000;

/// A push as it arrived, with its sender known.
#[derive(Clone, Debug)]
pub struct Push {
    /// Whose phone.
    pub viewer: Viewer,
    /// The phone.
    pub device: DeviceId,
    /// The phone has spoken with this database since it was last restored.
    pub same_epoch: bool,
    /// The phone's clock when it sent, a claim.
    pub phone_time: Millis,
    /// Changes by case.
    pub frames: Vec<Frame>,
}

/// A push judged and ready to be written.
#[derive(Debug)]
pub struct Prepared {
    pub(crate) push: Arc<Push>,
    pub(crate) cases: Vec<Judged>,
    pub(crate) directory: Arc<Directory>,
}

/// What became of a push.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Every pushed case with its heads as they are now.
    pub heads: Vec<CaseHeads>,
    /// Those whose heads are not the tips of what was pushed.
    pub differs: Vec<CaseHeads>,
    /// Submits not accepted as sent.
    pub results: Vec<RequestResult>,
    /// Refused changes.
    pub rejected: Vec<Rejected>,
    /// Cases that hang in the air.
    pub need: Vec<Need>,
    /// A stored document could not be read, so that nothing was added to it.
    pub unreadable: bool,
    /// Changes and cases newly stored.
    pub stored: u32,
    /// Pushed changes that are held now.
    pub brought: BTreeSet<ChangeHash>,
    /// Cases submitted again: the phone never heard that they were accepted, nor as what.
    pub unheard: Vec<CaseId>,
}

/// Why a push could not be written.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Somebody wrote to one of the cases meanwhile, or an actor turned out to be another's; prepare again.
    #[error("the cases changed meanwhile")]
    Conflict {
        /// Actors now known to belong to another phone or user.
        taken: BTreeSet<ActorId>,
    },
    /// The phone has used up what it may bring today.
    #[error("the phone's {what} is used up")]
    Quota {
        /// Which quota: `quota_cases` or `quota_quarantine`.
        what: &'static str,
        /// When to try again.
        retry_after_s: u32,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What the server holds of the pushed cases, in the order of the frames.
#[derive(Debug)]
pub struct Seen {
    directory: Arc<Directory>,
    cases: Vec<judge::Held>,
}

/// Reads what the server holds of pushed cases.
pub async fn look(
    tx: &mut dyn Tx,
    directory: &directory::Shared,
    cases: impl Iterator<Item = CaseId> + Send,
) -> Result<Seen, StoreError> {
    let directory = directory.get(tx).await?;
    let mut held = Vec::new();
    for id in cases {
        held.push(judge::held(tx, id).await?);
    }
    Ok(Seen { directory, cases: held })
}

/// Does [`look`] in a view of its own: for a try after the first.
pub async fn look_again(services: &Services, push: &Push) -> Result<Seen, StoreError> {
    let directory = services.directory.clone();
    let ids: Vec<CaseId> = push.frames.iter().map(|frame| frame.case).collect();
    services.store.read(move |tx| Box::pin(async move { look(tx, &directory, ids.into_iter()).await })).await
}

/// Judges every change of a push beside what was seen.
///
/// `taken` are actors a former try found to belong to others.
pub async fn judge(services: &Services, push: Arc<Push>, seen: Seen, taken: BTreeSet<ActorId>) -> Prepared {
    let (now, nothing) = (services.business.now(), push.frames.is_empty());
    let judge = move || {
        let cases = judge::all(&push, seen.cases, &taken, now);
        Prepared { push, cases, directory: seen.directory }
    };
    // Most requests bring nothing: no other thread is asked for that.
    if nothing { judge() } else { services.bench.run(judge).await }
}

/// The claims of a report that is submitted again, read from its facts as they are now.
pub(crate) async fn claims_again(
    tx: &mut dyn Tx,
    work: &Work,
    asker: &super::requests::Asker<'_>,
    case: CaseId,
    facts: &Facts,
) -> Result<Payload, StoreError> {
    let unit = asker.viewer.unit.as_ref();
    let unit_reviews = match unit {
        Some(unit) => people::has_reviewers(tx, unit.as_str()).await?,
        None => false,
    };
    let scene = claims::Scene {
        directory: asker.directory,
        district: &work.district,
        unit,
        unit_reviews,
        now: work.now,
        phone_time: asker.phone_time,
        photo_reused: photos::reused(tx, case, facts).await?,
    };
    Ok(claims::freeze(facts, &scene))
}
