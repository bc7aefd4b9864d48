//! What can be said before looking at the payload: role, state, whose case it is, what is open on it.
//! [`offers`](super::offers) shows exactly the verbs that pass here.

use super::codes::{AskKind, Verdict};
use super::command::Actor;
use super::ledger::Ledger;
use super::refusal::{Refusal, Separation};
use super::rule::{Only, Rule};
use super::state::Verb;
use crate::model::{Mode, Role};

pub(super) fn role(rule: &Rule, actor: &Actor) -> Result<(), Refusal> {
    ensure(rule.roles.contains(&actor.role), Refusal::WrongRole { verb: rule.verb, role: actor.role })
}

pub(super) fn state(rule: &Rule, ledger: Option<&Ledger>) -> Result<(), Refusal> {
    let wrong = Refusal::WrongState {
        verb: rule.verb,
        state: ledger.map(|ledger| ledger.state),
        version: ledger.map_or(0, |ledger| ledger.version),
    };
    let starts = rule.starts_from(ledger.map(|ledger| ledger.state));
    ensure(starts && ledger.is_none_or(|ledger| in_time(rule.verb, ledger)), wrong)
}

/// Moments inside a state that only two verbs tell apart.
fn in_time(verb: Verb, ledger: &Ledger) -> bool {
    match verb {
        Verb::Submit => ledger.needs_more.is_some(),
        Verb::Withdraw => ledger.version == 1,
        _ => true,
    }
}

/// Whose case it is, separation of duties, and what is open on the case.
pub(super) fn case(rule: &Rule, ledger: Option<&Ledger>, actor: &Actor) -> Result<(), Refusal> {
    let Some(ledger) = ledger else { return Ok(()) };
    ensure(is_theirs(rule.only, ledger, actor), Refusal::NotYours)?;
    if let Some(rule) = rule.apart {
        ensure(!is_biased(rule, ledger, actor), Refusal::Separation { rule })?;
    }
    open(rule.verb, ledger, actor)
}

fn is_theirs(only: Only, ledger: &Ledger, actor: &Actor) -> bool {
    match only {
        Only::Anyone => true,
        Only::Reporter => ledger.is_owned_by(&actor.user),
        Only::Assignee => ledger.is_assigned_to(&actor.user),
        Only::Handler => actor.unit.is_some() && actor.unit == ledger.handler,
        Only::Holder => actor.role != Role::Inspector || ledger.may_write_facts(&actor.user),
    }
}

fn is_biased(rule: Separation, ledger: &Ledger, actor: &Actor) -> bool {
    match rule {
        Separation::Reporter => ledger.reporter == actor.user,
        Separation::Handler => actor.unit.is_some() && actor.unit == ledger.handled_by,
    }
}

fn open(verb: Verb, ledger: &Ledger, actor: &Actor) -> Result<(), Refusal> {
    let ask = ledger.ask.as_ref().map(|ask| ask.kind);
    let suspended = ledger.suspended.is_some();
    let deferred = ledger.deferred.is_some();
    match verb {
        Verb::ApproveSelfHandled => claims(ledger, Mode::SelfHandled),
        Verb::Answer => claims(ledger, Mode::Forwarded),
        Verb::AskReturn => ensure(ask.is_none(), Refusal::AskOpen),
        Verb::AskExtend => {
            ensure(!suspended, Refusal::Suspended)?;
            ensure(ask.is_none(), Refusal::AskOpen)
        }
        Verb::ApproveReturn | Verb::RefuseReturn => ensure(ask == Some(AskKind::Return), Refusal::NoOpenAsk),
        Verb::ApproveExtend | Verb::RefuseExtend => ensure(ask == Some(AskKind::Extend), Refusal::NoOpenAsk),
        Verb::Suspend | Verb::Defer => {
            ensure(!suspended, Refusal::Suspended)?;
            ensure(!deferred, Refusal::Deferred)
        }
        Verb::Resume => ensure(suspended, Refusal::NotSuspended),
        Verb::Undefer => ensure(deferred, Refusal::NotDeferred),
        Verb::Feedback => ensure(!suspended, Refusal::Suspended),
        Verb::Close => may_close(ledger, actor),
        Verb::Appeal => ensure(ledger.appeal.is_none(), Refusal::AppealOpen),
        Verb::Uphold => ensure(ledger.appeal.is_some(), Refusal::NoOpenAppeal),
        _ => Ok(()),
    }
}

fn claims(ledger: &Ledger, mode: Mode) -> Result<(), Refusal> {
    ensure(ledger.mode_claim == mode, Refusal::WrongClaim { claim: ledger.mode_claim })
}

/// A case closes if the recheck agrees with the feedback; only a leader may do without a recheck.
fn may_close(ledger: &Ledger, actor: &Actor) -> Result<(), Refusal> {
    if ledger.check_verdict == Some(Verdict::Pass) {
        return Ok(());
    }
    ensure(actor.role == Role::DutyLeader && ledger.check_verdict.is_none(), Refusal::NotChecked)?;
    let rule = Separation::Handler;
    ensure(!is_biased(rule, ledger, actor), Refusal::Separation { rule })
}

pub(super) fn ensure(holds: bool, refusal: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(refusal) }
}
