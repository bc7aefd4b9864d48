//! What each verb leaves in the projection beside state and version.

use super::apply::{ApplyError, given};
use super::codes::{AskKind, CloseType, TaskKind, VoidReason};
use super::command::Event;
use super::defaults::after_pause;
use super::ledger::{Appeal, Ask, Ledger, Overlay, RouteWish, Task};
use super::member::Member;
use super::state::{State, Verb};
use crate::model::Millis;

/// Takes up an event; state and version are those after it already.
pub(super) fn take(ledger: &mut Ledger, event: &Event) -> Result<(), ApplyError> {
    let payload = &event.payload;
    match event.verb {
        Verb::Submit => resubmitted(ledger, event),
        Verb::VerifySend => ledger.task = Some(task(TaskKind::Verify, event)?),
        Verb::VerifyReply => {
            ledger.task = None;
            ledger.verify_verdict = payload.verdict;
        }
        Verb::File => filed(ledger, event),
        Verb::ApproveSelfHandled => closed_at_once(ledger, event, CloseType::SelfHandled),
        Verb::Answer => closed_at_once(ledger, event, CloseType::DirectAnswer),
        Verb::MergeDuplicate => closed_at_once(ledger, event, CloseType::DuplicateMerged),
        Verb::Void | Verb::Withdraw => voided(ledger, event)?,
        Verb::SendBack => ledger.needs_more = payload.missing.clone(),
        Verb::Dispatch => dispatched(ledger, event),
        Verb::Sign => {
            ledger.signed_at = Some(event.at);
            ledger.ask = None;
        }
        Verb::AskReturn => ledger.ask = Some(ask(AskKind::Return, event)?),
        Verb::AskExtend => ledger.ask = Some(ask(AskKind::Extend, event)?),
        Verb::ApproveReturn => returned(ledger),
        Verb::RefuseReturn => {
            let since = ledger.ask.take().map_or(event.at, |ask| ask.at);
            paused(ledger, event, since);
        }
        Verb::ApproveExtend => {
            ledger.due_at = payload.due_at.or(ledger.due_at);
            ledger.extension_count += 1;
            ledger.ask = None;
        }
        Verb::RefuseExtend => ledger.ask = None,
        Verb::Suspend => {
            ledger.suspended = Some(overlay(event)?);
            ledger.ask = None;
        }
        Verb::Resume => {
            let since = ledger.suspended.take().map_or(event.at, |overlay| overlay.since);
            paused(ledger, event, since);
        }
        Verb::Defer => ledger.deferred = Some(overlay(event)?),
        Verb::Undefer => {
            ledger.deferred = None;
            ledger.due_at = payload.due_at.or(ledger.due_at);
        }
        Verb::Feedback => {
            ledger.handled_at = Some(event.at);
            ledger.handled_by = ledger.handler.clone();
            ledger.ask = None;
            (ledger.checked_at, ledger.check_verdict) = (None, None);
        }
        Verb::CheckSend => ledger.task = Some(task(TaskKind::Check, event)?),
        Verb::CheckReply => {
            ledger.task = None;
            ledger.checked_at = Some(event.at);
            ledger.check_verdict = payload.verdict;
        }
        Verb::Rework => {
            ledger.rework_count += 1;
            back_to_unit(ledger, payload.due_at);
        }
        Verb::Close => {
            ledger.closed_at = Some(event.at);
            ledger.close_type = Some(CloseType::Normal);
            ledger.close_note = payload.note.clone();
            ledger.route_wish = None;
        }
        Verb::Urge => {
            ledger.urge_count += 1;
            ledger.urge_level = ledger.urge_level.max(payload.urge_level.unwrap_or_default());
        }
        Verb::Revisit => ledger.satisfaction = payload.outcome,
        Verb::Reopen => reopened(ledger, payload.due_at),
        Verb::Reinstate => reinstated(ledger),
        Verb::Uphold => ledger.appeal = None,
        Verb::Appeal => {
            let text = given(&payload.text, event, Member::Text)?;
            ledger.appeal = Some(Appeal { text, at: event.at, by: event.actor.clone() });
        }
        Verb::RouteChange => route_changed(ledger, event)?,
        Verb::Handover => handed_over(ledger, event)?,
    }
    Ok(())
}

fn task(kind: TaskKind, event: &Event) -> Result<Task, ApplyError> {
    let assignee = given(&event.payload.assignee, event, Member::Assignee)?;
    Ok(Task { kind, assignee, since: event.at })
}

fn ask(kind: AskKind, event: &Event) -> Result<Ask, ApplyError> {
    let reason = given(&event.payload.reason, event, Member::Reason)?;
    Ok(Ask { kind, reason, due_at: event.payload.due_at, at: event.at, by: event.actor.clone() })
}

fn overlay(event: &Event) -> Result<Overlay, ApplyError> {
    let reason = given(&event.payload.reason, event, Member::Reason)?;
    Ok(Overlay { reason, since: event.at, review_date: event.payload.review_date })
}

/// The projection of a report sent back and submitted again. Its period is the one of the first receipt.
fn resubmitted(ledger: &mut Ledger, event: &Event) {
    let payload = &event.payload;
    ledger.needs_more = None;
    ledger.mode_claim = payload.mode_claim.unwrap_or(ledger.mode_claim);
    ledger.category_claim = payload.category_claim.clone().or(ledger.category_claim.take());
    ledger.grid = payload.grid.clone().or(ledger.grid.take());
    ledger.office = payload.office.clone().or(ledger.office.take());
    ledger.discovered_at = payload.discovered_at.or(ledger.discovered_at);
    if !payload.flags.is_empty() {
        ledger.flags = payload.flags.clone();
    }
}

/// What every verb that files has in common.
fn filed(ledger: &mut Ledger, event: &Event) {
    let payload = &event.payload;
    ledger.filed_at = Some(event.at);
    ledger.case_no = payload.case_no.clone();
    ledger.mode = payload.mode;
    ledger.category = payload.category.clone().or(ledger.category.take());
    ledger.grid = payload.grid.clone().or(ledger.grid.take());
    ledger.level = payload.level.unwrap_or(ledger.level);
    ledger.handler_suggested = payload.handler.clone();
    ledger.needs_more = None;
}

fn closed_at_once(ledger: &mut Ledger, event: &Event, close_type: CloseType) {
    filed(ledger, event);
    ledger.closed_at = Some(event.at);
    ledger.close_type = Some(close_type);
    ledger.close_note = event.payload.note.clone().or_else(|| event.payload.text.clone());
    ledger.master_case_id = event.payload.master_case_id;
}

fn voided(ledger: &mut Ledger, event: &Event) -> Result<(), ApplyError> {
    let reason = event.payload.reason.as_deref().and_then(VoidReason::from_code);
    ledger.void_reason = Some(given(&reason, event, Member::Reason)?);
    ledger.void_text = event.payload.text.clone();
    ledger.void_at = Some(event.at);
    ledger.void_by = Some(event.actor.clone());
    ledger.master_case_id = event.payload.master_case_id;
    ledger.state_before_void = event.from;
    ledger.task_before_void = ledger.task.take();
    ledger.route_wish = None;
    Ok(())
}

fn reinstated(ledger: &mut Ledger) {
    ledger.task = ledger.task_before_void.take();
    (ledger.void_reason, ledger.void_text, ledger.void_at, ledger.void_by) = (None, None, None, None);
    (ledger.state_before_void, ledger.master_case_id, ledger.appeal) = (None, None, None);
}

fn dispatched(ledger: &mut Ledger, event: &Event) {
    let payload = &event.payload;
    ledger.handler = payload.handler.clone();
    ledger.level = payload.level.unwrap_or(ledger.level);
    ledger.dispatched_at = Some(event.at);
    (ledger.due_at, ledger.due_at_original) = (payload.due_at, payload.due_at);
}

fn returned(ledger: &mut Ledger) {
    ledger.return_count += 1;
    (ledger.handler, ledger.handler_suggested, ledger.ask) = (None, None, None);
    (ledger.dispatched_at, ledger.due_at, ledger.due_at_original) = (None, None, None);
}

/// A clock that stood still: the decided deadline holds, the original one moves by the pause alone.
fn paused(ledger: &mut Ledger, event: &Event, since: Millis) {
    ledger.due_at = event.payload.due_at.or(ledger.due_at);
    ledger.due_at_original = after_pause(ledger.due_at_original, since, event.at);
}

fn back_to_unit(ledger: &mut Ledger, due_at: Option<Millis>) {
    ledger.due_at = due_at.or(ledger.due_at);
    (ledger.task, ledger.handled_at, ledger.checked_at, ledger.check_verdict) = (None, None, None, None);
}

fn reopened(ledger: &mut Ledger, due_at: Option<Millis>) {
    ledger.reopen_count += 1;
    (ledger.closed_at, ledger.close_type, ledger.close_note) = (None, None, None);
    (ledger.master_case_id, ledger.deferred, ledger.appeal) = (None, None, None);
    if ledger.state == State::Handling {
        back_to_unit(ledger, due_at);
    } else {
        (ledger.filed_at, ledger.mode) = (None, None);
    }
}

fn route_changed(ledger: &mut Ledger, event: &Event) -> Result<(), ApplyError> {
    let mode = given(&event.payload.mode, event, Member::Mode)?;
    if ledger.filed_at.is_none() {
        ledger.mode_claim = mode;
    } else {
        let reason = event.payload.reason.clone();
        ledger.route_wish = Some(RouteWish { mode, reason, at: event.at, by: event.actor.clone() });
    }
    Ok(())
}

fn handed_over(ledger: &mut Ledger, event: &Event) -> Result<(), ApplyError> {
    let colleague = given(&event.payload.assignee, event, Member::Assignee)?;
    let (task_moves, case_moves) = ledger.handed_over_by(event.role, &event.actor);
    if let Some(task) = ledger.task.as_mut().filter(|_| task_moves) {
        task.assignee.clone_from(&colleague);
    }
    if case_moves {
        ledger.holder = Some(colleague);
    }
    Ok(())
}
