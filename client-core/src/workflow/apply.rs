//! `apply`: the ledger after an event. Total on events that `decide` made; anything else is named, never a panic.

use thiserror::Error;

use super::codes::Level;
use super::command::Event;
use super::effects;
use super::ledger::Ledger;
use super::member::Member;
use super::rule::Rule;
use super::state::{State, Verb};

/// Why an event does not continue a ledger: the sequence is damaged or forged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ApplyError {
    /// Versions are 1, 2, 3 without a gap.
    #[error("event {found} where event {expected} belongs")]
    Version {
        /// The version that belongs here.
        expected: u32,
        /// The version found.
        found: u32,
    },
    /// The event starts from another state than the ledger is in.
    #[error("an event from {found:?} on a case that is {expected:?}")]
    From {
        /// Where the ledger is.
        expected: Option<State>,
        /// Where the event starts.
        found: Option<State>,
    },
    /// The table has no such step.
    #[error("{verb} does not lead from {from:?} to {to}")]
    Step {
        /// The verb.
        verb: Verb,
        /// Where it starts.
        from: Option<State>,
        /// Where it is said to lead.
        to: State,
    },
    /// A decided event spells out this member, this one does not.
    #[error("{verb} without {member}")]
    Incomplete {
        /// The verb.
        verb: Verb,
        /// The member.
        member: Member,
    },
}

/// The ledger after `event` (`None` before: the event creates the case).
///
/// # Errors
/// [`ApplyError`] if the event does not continue this ledger.
pub fn apply(ledger: Option<Ledger>, event: &Event) -> Result<Ledger, ApplyError> {
    let version = ledger.as_ref().map_or(0, |ledger| ledger.version);
    if event.version.checked_sub(1) != Some(version) {
        return Err(ApplyError::Version { expected: version.saturating_add(1), found: event.version });
    }
    let expected = ledger.as_ref().map(|ledger| ledger.state);
    if event.from != expected {
        return Err(ApplyError::From { expected, found: event.from });
    }
    let rule = Rule::of(event.verb);
    if !rule.starts_from(event.from) || rule.target(ledger.as_ref()) != event.to {
        return Err(ApplyError::Step { verb: event.verb, from: event.from, to: event.to });
    }
    complete(rule, event)?;
    let Some(mut ledger) = ledger else { return created(event) };
    ledger.version = event.version;
    ledger.state = event.to;
    effects::take(&mut ledger, event)?;
    Ok(ledger)
}

/// The ledger of a whole sequence; `None` for an empty one.
///
/// # Errors
/// The first [`ApplyError`].
pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Option<Ledger>, ApplyError> {
    events.into_iter().try_fold(None, |ledger, event| apply(ledger, event).map(Some))
}

fn complete(rule: &Rule, event: &Event) -> Result<(), ApplyError> {
    let numbered = rule.numbered.then_some(&Member::CaseNo);
    match rule.required().iter().chain(numbered).find(|member| !event.payload.has(**member)) {
        Some(member) => Err(ApplyError::Incomplete { verb: event.verb, member: *member }),
        None => Ok(()),
    }
}

/// A value that a decided event spells out.
pub(super) fn given<T: Clone>(value: &Option<T>, event: &Event, member: Member) -> Result<T, ApplyError> {
    value.clone().ok_or(ApplyError::Incomplete { verb: event.verb, member })
}

fn created(event: &Event) -> Result<Ledger, ApplyError> {
    let payload = &event.payload;
    Ok(Ledger {
        state: event.to,
        version: event.version,
        case_no: None,
        source: given(&payload.source, event, Member::Source)?,
        reporter: given(&payload.reporter, event, Member::Reporter)?,
        unit: payload.unit.clone(),
        office: payload.office.clone(),
        grid: payload.grid.clone(),
        mode_claim: given(&payload.mode_claim, event, Member::ModeClaim)?,
        mode: None,
        category_claim: payload.category_claim.clone(),
        category: None,
        level: Level::Normal,
        handler_suggested: None,
        handler: None,
        handled_by: None,
        received_at: event.at,
        discovered_at: payload.discovered_at,
        filed_at: None,
        dispatched_at: None,
        signed_at: None,
        handled_at: None,
        checked_at: None,
        closed_at: None,
        due_at: None,
        due_at_original: None,
        void_reason: None,
        void_text: None,
        void_at: None,
        void_by: None,
        state_before_void: None,
        task_before_void: None,
        close_type: None,
        close_note: None,
        master_case_id: None,
        needs_more: None,
        suspended: None,
        deferred: None,
        extension_count: 0,
        rework_count: 0,
        return_count: 0,
        reopen_count: 0,
        urge_count: 0,
        urge_level: 0,
        ask: None,
        task: None,
        verify_verdict: None,
        check_verdict: None,
        holder: None,
        appeal: None,
        route_wish: None,
        satisfaction: None,
        flags: payload.flags.clone(),
    })
}
