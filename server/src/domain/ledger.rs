//! The ledger of a case: every decision ever taken on it. [`append`] is the only writer of `case_event`.
//!
//! One step: the workflow decides the command on the ledger as it is; the event is chained to the one before and
//! written; the projection row follows with a compare-and-set on its version; counters, feed and audit are noted in
//! the transaction's [`Work`]. All of it or nothing: the caller's transaction commits them together.
//!
//! Two offices that decide at once meet here twice: in `expected_version`, and, should two transactions ever run at
//! the same time, in the compare-and-set, which the second loses.

pub mod row;

use xunge_client_core::model::{CaseId, CategoryRef, ChangeHash, DeviceId, Millis, Role};
use xunge_client_core::workflow::{self, Actor, Command, Context, Event, Ledger, Refusal};

use self::row::Facts;
use super::counts::Standing;
use super::feed::{self, audience::Audience};
use super::held;
use super::scope::Keys;
use super::work::Work;
use crate::params;
use crate::store::chain::{self, Hash};
use crate::store::{Row, StoreError, Tx, Value};

/// Name of the chain, part of every hash. Each case has a chain of its own.
pub const CHAIN: &str = "case_event";

/// Why a step was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The workflow says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A case as its row has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its id.
    pub id: CaseId,
    /// The district it is kept and counted in.
    pub district: String,
    /// What the scope looks at.
    pub keys: Keys,
    /// Everything decided.
    pub ledger: Ledger,
    /// Heads of its facts; empty for a case without a field document.
    pub heads: Vec<ChangeHash>,
    /// The category its facts claim now; may have been edited since the report.
    pub claimed_category: Option<CategoryRef>,
    /// Hash of its newest event.
    pub event_hash: Hash,
}

/// Reads a case; none if there is no such case.
pub async fn load(tx: &mut dyn Tx, id: CaseId) -> Result<Option<Case>, StoreError> {
    const SQL: &str = "SELECT ledger, heads, event_hash, district, street, community, grid, unit, office, handler,
        reporter, task_user, holder, category_claim FROM case_row WHERE id = ?1";
    let row = tx.query_opt(SQL, params![id.as_bytes()]).await?;
    row.map(|row| {
        Ok(Case {
            id,
            district: row.text(3)?.to_owned(),
            keys: Keys::read(&row, 3)?,
            ledger: row::ledger(row.text(0)?)?,
            heads: row::heads(row.blob(1)?)?,
            claimed_category: row.text(13)?.parse().ok(),
            event_hash: row.array(2)?,
        })
    })
    .transpose()
}

/// One step on a case.
#[derive(Debug)]
pub struct Step<'a> {
    /// The case.
    pub id: CaseId,
    /// Where it stands; none for the step that creates it.
    pub before: Option<&'a Case>,
    /// What is wanted.
    pub command: &'a Command,
    /// By whom.
    pub actor: &'a Actor,
    /// What the workflow can not look up.
    pub context: &'a Context,
    /// The facts of a new case, for its row.
    pub facts: Option<&'a Facts>,
    /// Changes accepted with this step; told in the same feed row.
    pub changes: Vec<ChangeHash>,
    /// True for a report accepted exactly as its phone sent it.
    pub as_sent: bool,
}

impl<'a> Step<'a> {
    /// A step on an existing case.
    pub fn on(before: &'a Case, command: &'a Command, actor: &'a Actor, context: &'a Context) -> Self {
        let (id, before) = (before.id, Some(before));
        Self { id, before, command, actor, context, facts: None, changes: Vec::new(), as_sent: false }
    }
}

/// A step that was taken.
#[derive(Clone, Debug)]
pub struct Taken {
    /// The new event.
    pub event: Event,
    /// Its hash.
    pub hash: Hash,
    /// Everything decided, with it.
    pub ledger: Ledger,
}

/// Decides a command and writes what follows from it. The only writer of `case_event`.
///
/// # Errors
/// [`LedgerError::Refused`] writes nothing: the caller may go on in the same transaction.
pub async fn append(tx: &mut dyn Tx, work: &mut Work, step: Step<'_>) -> Result<Taken, LedgerError> {
    let before = step.before.map(|case| &case.ledger);
    let event = workflow::decide(before, step.command, step.actor, step.context)?;
    let ledger = workflow::apply(before.cloned(), &event)
        .map_err(|error| StoreError::Check { what: format!("case {}: {error}", step.id) })?;
    let previous = step.before.map_or(chain::GENESIS, |case| case.event_hash);
    let mut params = fields(step.id, &work.district, &event);
    let hash = chain::link(CHAIN, &previous, &params);
    match step.before {
        None => row::insert(tx, work, step.id, &ledger, step.facts.unwrap_or(&Facts::default()), &hash).await?,
        Some(case) => {
            row::update(tx, work, case, &ledger, &hash).await?;
            held::overtaken(tx, step.id, &event.actor, work.now).await?;
        }
    }
    params.extend([Value::from(previous), Value::from(hash)]);
    tx.execute(
        "INSERT INTO case_event (case_id, version, district, verb, actor, role, device, at, from_state, to_state,
         payload, heads, prev_hash, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        &params,
    )
    .await?;
    work.moved(before.map(Standing::of).as_ref(), &Standing::of(&ledger));
    work.tell(feed::Entry {
        case: step.id,
        kind: if step.as_sent { feed::Kind::Submit } else { feed::Kind::Ledger },
        event: Some((event.version, hash)),
        changes: step.changes,
        origin: event.device,
        audience: Audience::of(before, &ledger),
    });
    let detail = format!("{{\"version\":{}}}", event.version);
    work.audit(&event.actor, format!("case.{}", event.verb), step.id.to_string(), detail);
    Ok(Taken { event, hash, ledger })
}

/// What the hash of an event covers, in the order of its columns; `verify` hashes the same.
fn fields(id: CaseId, district: &str, event: &Event) -> Vec<Value> {
    let payload = serde_json::to_string(&event.payload).expect("a payload is plain data");
    vec![
        Value::from(id.as_bytes()),
        Value::from(event.version),
        Value::from(district),
        Value::from(event.verb.code()),
        Value::from(&event.actor),
        Value::from(event.role.code()),
        Value::from(event.device.map(|device| *device.as_bytes())),
        Value::from(event.at.0),
        Value::from(event.from.map(|state| state.code())),
        Value::from(event.to.code()),
        Value::from(payload),
        Value::from(ChangeHash::concat(&event.heads)),
    ]
}

/// The columns to select for [`event`].
pub const EVENT_COLUMNS: &str =
    "version, verb, actor, role, device, at, from_state, to_state, payload, heads, prev_hash, hash";

/// Reads an event from a row that selects [`EVENT_COLUMNS`] from column `first` on.
pub fn event(row: &Row, first: usize) -> Result<Event, StoreError> {
    let broken = |what: &str| StoreError::Check { what: format!("case_event.{what}") };
    let state = |text: &str| workflow::State::from_code(text).ok_or_else(|| broken("state"));
    Ok(Event {
        version: u32::try_from(row.int(first)?).map_err(|_| broken("version"))?,
        verb: workflow::Verb::from_code(row.text(first + 1)?).ok_or_else(|| broken("verb"))?,
        actor: row.text(first + 2)?.to_owned(),
        role: Role::from_code(row.text(first + 3)?).ok_or_else(|| broken("role"))?,
        device: row.opt_array(first + 4)?.map(DeviceId::from_bytes),
        at: Millis(row.int(first + 5)?),
        from: row.opt_text(first + 6)?.map(state).transpose()?,
        to: state(row.text(first + 7)?)?,
        payload: serde_json::from_str(row.text(first + 8)?).map_err(|_| broken("payload"))?,
        heads: row::heads(row.blob(first + 9)?)?,
    })
}
