//! Per verb: what the values have to fulfil beside their limits, and the defaults an event spells out.

use super::codes::{Verdict, VoidReason};
use super::command::{Actor, Context};
use super::ledger::Ledger;
use super::member::Member;
use super::payload::Payload;
use super::refusal::{Refusal, Why};
use super::standing::ensure;
use super::state::Verb;
use super::values::present;
use crate::model::{Millis, Mode};

type Checked = Result<(), Refusal>;

/// Checks and completes the payload of a verb on an existing case.
pub(super) fn fill(verb: Verb, ledger: &Ledger, decided: &mut Payload, actor: &Actor, context: &Context) -> Checked {
    match verb {
        Verb::Submit => resubmit(decided),
        Verb::File => file(ledger, decided, context),
        Verb::ApproveSelfHandled => approve_self_handled(ledger, decided, context),
        Verb::Answer | Verb::MergeDuplicate => {
            decided.mode = Some(ledger.mode_claim);
            default_category(ledger, decided, context);
            not_itself(decided, context)
        }
        Verb::Void => void(decided, context),
        Verb::Withdraw => {
            decided.reason = Some(VoidReason::Withdrawn.code().to_owned());
            Ok(())
        }
        Verb::VerifyReply => verdict(decided, &[Verdict::Real, Verdict::NotFound, Verdict::Duplicate]),
        Verb::CheckReply => verdict(decided, &[Verdict::Pass, Verdict::Fail]),
        Verb::Dispatch | Verb::Rework | Verb::Reopen | Verb::Undefer => due_in_future(decided, context),
        Verb::AskExtend => ask_extend(ledger, decided, context),
        Verb::ApproveExtend => approve_extend(ledger, decided, context),
        Verb::RefuseReturn => {
            let asked = ledger.ask.as_ref().map_or(context.now, |ask| ask.at);
            decided.due_at = after_pause(ledger.due_at, asked, context.now);
            Ok(())
        }
        Verb::Resume => {
            due_in_future(decided, context)?;
            let since = ledger.suspended.as_ref().map_or(context.now, |overlay| overlay.since);
            decided.due_at = decided.due_at.or(after_pause(ledger.due_at, since, context.now));
            Ok(())
        }
        Verb::Suspend | Verb::Defer => review_in_future(decided, context),
        Verb::RouteChange => {
            let same = ledger.mode.is_none() && decided.mode == Some(ledger.mode_claim);
            ensure(!same, invalid(Member::Mode, Why::AlreadySo))
        }
        Verb::Handover => handover(ledger, decided, actor),
        _ => Ok(()),
    }
}

/// A deadline moved by a pause: a clock that stands still uses up nothing.
pub(super) fn after_pause(due: Option<Millis>, since: Millis, now: Millis) -> Option<Millis> {
    due.map(|due| due.plus_ms(now.0.saturating_sub(since.0).max(0)))
}

fn invalid(field: Member, why: Why) -> Refusal {
    Refusal::Invalid { field, why }
}

/// What counting froze at the first submit stays frozen; place and claims may be corrected.
fn resubmit(decided: &mut Payload) -> Checked {
    ensure(decided.facts.is_none(), Refusal::UnknownMember { field: Member::Facts })?;
    (decided.source, decided.unit, decided.reporter) = (None, None, None);
    Ok(())
}

fn file(ledger: &Ledger, decided: &mut Payload, context: &Context) -> Checked {
    match decided.mode {
        Some(Mode::SelfHandled) => return Err(invalid(Member::Mode, Why::UnknownCode)),
        // Overruling the reporter's claim has to be said, not defaulted.
        None if ledger.mode_claim == Mode::SelfHandled => return Err(Refusal::Missing { field: Member::Mode }),
        _ => decided.mode = Some(Mode::Forwarded),
    }
    decided.level.get_or_insert(ledger.level);
    final_category(ledger, decided, context)
}

fn approve_self_handled(ledger: &Ledger, decided: &mut Payload, context: &Context) -> Checked {
    decided.mode = Some(Mode::SelfHandled);
    final_category(ledger, decided, context)?;
    ensure(context.after_photo_present, Refusal::NoAfterPhoto)
}

fn final_category(ledger: &Ledger, decided: &mut Payload, context: &Context) -> Checked {
    default_category(ledger, decided, context);
    ensure(decided.category.is_some(), Refusal::Missing { field: Member::Category })
}

/// What the office decided before, else the claim as the field document has it now, else as it was submitted.
fn default_category(ledger: &Ledger, decided: &mut Payload, context: &Context) {
    let claims = || context.claimed_category.clone().or_else(|| ledger.category_claim.clone());
    decided.category = decided.category.take().or_else(|| ledger.category.clone()).or_else(claims);
}

fn not_itself(decided: &Payload, context: &Context) -> Checked {
    let itself = context.case_id.is_some() && decided.master_case_id == context.case_id;
    ensure(!itself, invalid(Member::MasterCaseId, Why::Itself))
}

fn void(decided: &mut Payload, context: &Context) -> Checked {
    let reason = decided.reason.as_deref().and_then(VoidReason::from_code);
    match reason {
        None | Some(VoidReason::Withdrawn) => return Err(invalid(Member::Reason, Why::UnknownCode)),
        Some(VoidReason::Other) => present(decided, Member::Text)?,
        Some(_) => {}
    }
    not_itself(decided, context)
}

fn verdict(decided: &Payload, known: &[Verdict]) -> Checked {
    let fits = decided.verdict.is_some_and(|verdict| known.contains(&verdict));
    ensure(fits, invalid(Member::Verdict, Why::UnknownCode))
}

/// A later deadline than this is a slip of the keyboard (seconds for milliseconds, a wrong year).
const LONGEST_TERM_MS: i64 = 10 * 366 * 86_400_000;

fn due_in_future(decided: &Payload, context: &Context) -> Checked {
    let Some(due) = decided.due_at else { return Ok(()) };
    ensure(due > context.now, invalid(Member::DueAt, Why::NotInFuture))?;
    ensure(due <= context.now.plus_ms(LONGEST_TERM_MS), invalid(Member::DueAt, Why::OutOfRange))
}

fn review_in_future(decided: &Payload, context: &Context) -> Checked {
    let today = context.now.local_day();
    ensure(decided.review_date.is_none_or(|day| day > today), invalid(Member::ReviewDate, Why::NotInFuture))
}

fn ask_extend(ledger: &Ledger, decided: &Payload, context: &Context) -> Checked {
    due_in_future(decided, context)?;
    ensure(decided.due_at > ledger.due_at, invalid(Member::DueAt, Why::NotLater))?;
    if ledger.extension_count > 0 { present(decided, Member::Text) } else { Ok(()) }
}

/// A late approval is still one: the deadline asked for may have passed, one the leader types may not.
fn approve_extend(ledger: &Ledger, decided: &mut Payload, context: &Context) -> Checked {
    due_in_future(decided, context)?;
    let asked = ledger.ask.as_ref().and_then(|ask| ask.due_at);
    decided.due_at = decided.due_at.or(asked);
    ensure(decided.due_at > ledger.due_at, invalid(Member::DueAt, Why::NotLater))
}

fn handover(ledger: &Ledger, decided: &Payload, actor: &Actor) -> Checked {
    let colleague = decided.assignee.as_deref().unwrap_or_default();
    let (task, case) = ledger.handed_over_by(actor.role, &actor.user);
    let task_moves = task && !ledger.is_assigned_to(colleague);
    let case_moves = case && ledger.holder.as_deref().unwrap_or(&ledger.reporter) != colleague;
    ensure(task_moves || case_moves, invalid(Member::Assignee, Why::AlreadySo))
}
