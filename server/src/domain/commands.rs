//! Verbs of the office: what happens on `POST /v1/cases/{id}/events`.
//!
//! A normal run: the case is looked up in the caller's scope, what the command names is looked up, a case number is
//! taken if the verb issues one, the ledger takes the step, and the answer is stored under the caller's
//! `Idempotency-Key` in the same transaction. A repeat of the same request gets the same body and does nothing; the
//! key with another request is refused. A refusal stores nothing, takes no number and may be tried again.

use serde::Serialize;
use xunge_client_core::model::{CaseId, Millis, Sha256};
use xunge_client_core::workflow::{
    self, Actor, Command, Context, Member, Payload, Refusal, Rule, State, Verb, Why, check_outside,
};

use super::attachments;
use super::cases::{CaseItem, ITEM_COLUMNS, item};
use super::directory::Directory;
use super::ledger::{self, Case, LedgerError, Step, Taken};
use super::numbering;
use super::people::Viewer;
use super::references::{self, Place};
use super::scope::Scope;
use super::services::Services;
use super::work::Work;
use crate::params;
use crate::store::{StoreError, Tx};

/// A verb on a case, as an office sends it.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The case.
    pub case: CaseId,
    /// What.
    pub verb: Verb,
    /// The ledger version the office judged.
    pub expected_version: u32,
    /// With what.
    pub payload: Payload,
    /// The `Idempotency-Key` and what it is bound to.
    pub key: Key,
}

/// An idempotency key, bound to one request of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The header's value, at most 255 bytes.
    pub key: String,
    /// Method and path.
    pub route: String,
    /// SHA-256 of the body.
    pub body: Sha256,
}

/// The answer to a verb.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// False for a repeat: 200 instead of 201.
    pub fresh: bool,
    /// The JSON body.
    pub body: String,
}

/// Why a verb was not done.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// The case does not exist, or lies outside the caller's scope.
    #[error("there is no such case")]
    NotFound,
    /// The key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The workflow says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CommandError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::KeyReused => "idempotency_key_reused",
            Self::Refused(refusal) => refusal.code(),
            Self::Store(_) => "internal",
        }
    }
}

impl From<LedgerError> for CommandError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Refused(refusal) => Self::Refused(refusal),
            LedgerError::Store(failed) => Self::Store(failed),
        }
    }
}

/// Does a verb for an office and remembers the answer under its key: what the JSON API calls.
///
/// # Errors
/// [`CommandError`]; nothing was written then.
pub async fn execute(services: &Services, viewer: &Viewer, wish: Wish) -> Result<Reply, CommandError> {
    let (viewer, shared, now) = (viewer.clone(), services.directory.clone(), services.business.now());
    services
        .store
        .write(move |tx| {
            Box::pin(async move {
                if let Some(reply) = repeated(tx, &viewer.user, &wish.key).await? {
                    return Ok(reply);
                }
                let directory = shared.get(tx).await?;
                let command = Command::new(wish.verb, wish.payload).at_version(wish.expected_version);
                let done = within(tx, &directory, &viewer, wish.case, &command, now).await?;
                let body = answer(&done);
                remember(tx, &viewer.user, &wish.key, &body, now).await?;
                Ok(Reply { fresh: true, body })
            })
        })
        .await
}

/// Does a verb for an office without a key: what pages and programs of our own call.
///
/// # Errors
/// [`CommandError`]; nothing was written then.
pub async fn act(services: &Services, viewer: &Viewer, case: CaseId, command: Command) -> Result<Done, CommandError> {
    let (viewer, shared, now) = (viewer.clone(), services.directory.clone(), services.business.now());
    services
        .store
        .write(move |tx| {
            Box::pin(async move {
                let directory = shared.get(tx).await?;
                within(tx, &directory, &viewer, case, &command, now).await
            })
        })
        .await
}

/// A verb that was done.
#[derive(Clone, Debug)]
pub struct Done {
    /// The event, its hash, and everything decided with it.
    pub taken: Taken,
    /// The case as lists show it now.
    pub case: CaseItem,
}

/// Does a verb in the caller's transaction: looks the case up in the viewer's scope, checks what the command names,
/// takes a case number if the verb issues one, and appends to the ledger.
pub async fn within(
    tx: &mut dyn Tx,
    directory: &Directory,
    viewer: &Viewer,
    id: CaseId,
    command: &Command,
    now: Millis,
) -> Result<Done, CommandError> {
    let settled = directory.void_reasons().settled(command);
    let command = settled.as_ref().unwrap_or(command);
    let (case, context, actor) = ready(tx, directory, viewer, id, command, now).await?;
    let mut work = Work::new(&case.district, now);
    attachments::attach(tx, &work, case.id, viewer, &command.payload.photos).await?;
    let taken = ledger::append(tx, &mut work, Step::on(&case, command, &actor, &context)).await?;
    work.finish(tx).await?;
    let sql = format!("SELECT {ITEM_COLUMNS} FROM case_row WHERE id = ?1");
    let case = item(&tx.query_one(&sql, params![case.id.as_bytes()]).await?)?;
    Ok(Done { taken, case })
}

/// Says whether a verb that issues no case number would be done now.
///
/// # Errors
/// What [`within`] would answer.
pub(super) async fn would(
    tx: &mut dyn Tx,
    directory: &Directory,
    viewer: &Viewer,
    id: CaseId,
    command: &Command,
    now: Millis,
) -> Result<(), CommandError> {
    let settled = directory.void_reasons().settled(command);
    ready(tx, directory, viewer, id, settled.as_ref().unwrap_or(command), now).await.map(drop)
}

/// Everything that is asked before a verb is done; takes a case number if the verb issues one.
async fn ready(
    tx: &mut dyn Tx,
    directory: &Directory,
    viewer: &Viewer,
    id: CaseId,
    command: &Command,
    now: Millis,
) -> Result<(Case, Context, Actor), CommandError> {
    let scope = Scope::of(viewer, directory);
    let case = ledger::load(tx, id).await?.filter(|case| scope.covers(&case.keys)).ok_or(CommandError::NotFound)?;
    check_outside(command.verb, &command.payload)?;
    let mut context = Context {
        heads: case.heads.clone(),
        case_id: Some(case.id),
        claimed_category: case.claimed_category.clone(),
        ..Context::at(now)
    };
    if command.verb == Verb::ApproveSelfHandled {
        context.after_photo_present = references::after_photo_present(tx, case.id).await?;
    }
    if Rule::of(command.verb).numbered && case.ledger.case_no.is_none() {
        context.case_no = Some(numbering::next(tx, &case.district, now.local_day()).await?);
    }
    let actor = viewer.actor();
    // Asked before what it names is looked up: a clerk hears that the case moved on before hearing of a form.
    workflow::decide(Some(&case.ledger), command, &actor, &context)?;
    let retired = |reason: &str| directory.void_reasons().is_retired(reason);
    if command.verb == Verb::Void && command.payload.reason.as_deref().is_some_and(retired) {
        return Err(Refusal::Invalid { field: Member::Reason, why: Why::UnknownCode }.into());
    }
    if let Some(category) = &command.payload.category
        && directory.is_retired(category)
        && ![&case.ledger.category, &case.ledger.category_claim, &case.claimed_category]
            .into_iter()
            .any(|own| own.as_ref() == Some(category))
    {
        return Err(Refusal::Invalid { field: Member::Category, why: Why::Retired }.into());
    }
    let place = Place { district: &case.district, directory, scope: Some(&scope) };
    references::check(tx, &place, &command.payload).await?;
    Ok((case, context, actor))
}

#[derive(Serialize)]
struct Body<'a> {
    event: EventReply<'a>,
    case: &'a CaseItem,
}

impl<'a> Body<'a> {
    fn of(done: &'a Done) -> Self {
        let event = &done.taken.event;
        let event = EventReply {
            verb: event.verb,
            version: event.version,
            at: event.at,
            actor: &event.actor,
            from: event.from,
            to: event.to,
            hash: hex::encode(done.taken.hash),
        };
        Self { event, case: &done.case }
    }
}

#[derive(Serialize)]
struct EventReply<'a> {
    verb: Verb,
    version: u32,
    at: Millis,
    actor: &'a str,
    from: Option<State>,
    to: State,
    hash: String,
}

/// The JSON body of the answer.
pub(super) fn answer(done: &Done) -> String {
    serde_json::to_string(&Body::of(done)).expect("the answer is plain data")
}

/// The stored answer to a request done before.
pub(super) async fn repeated(tx: &mut dyn Tx, user: &str, key: &Key) -> Result<Option<Reply>, CommandError> {
    let sql = "SELECT route, body_hash, response FROM idempotency WHERE user_id = ?1 AND key = ?2";
    let Some(row) = tx.query_opt(sql, params![user, &key.key]).await? else { return Ok(None) };
    if row.text(0)? != key.route || row.blob(1)? != key.body.as_bytes() {
        return Err(CommandError::KeyReused);
    }
    Ok(Some(Reply { fresh: false, body: row.text(2)?.to_owned() }))
}

pub(super) async fn remember(
    tx: &mut dyn Tx,
    user: &str,
    key: &Key,
    body: &str,
    now: Millis,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO idempotency (user_id, key, route, body_hash, status, response, at)
         VALUES (?1, ?2, ?3, ?4, 201, ?5, ?6)",
        params![user, &key.key, &key.route, key.body.as_bytes(), body, now.0],
    )
    .await?;
    Ok(())
}
