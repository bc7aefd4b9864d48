//! `decide`: may this be done, and what exactly is decided.
//!
//! Checks run in this order, and the first that fails is the answer: role, state, version, required members, members
//! the verb does not take, whose case it is, separation of duties, what is open on the case, values, photos, number.
//! So a clerk hears that the case moved on before hearing that a form was incomplete.

use super::command::{Actor, Command, Context, Event};
use super::ledger::Ledger;
use super::member::Member;
use super::payload::Payload;
use super::refusal::Refusal;
use super::rule::{Need, Rule};
use super::standing;
use super::state::Verb;
use super::values;

/// Decides a command on the ledger as it is (`None`: there is no such case yet).
///
/// Pure: reads no clock and changes nothing. The event takes effect through [`apply`](super::apply).
///
/// # Errors
/// The first check that fails, see the module's order.
pub fn decide(ledger: Option<&Ledger>, command: &Command, actor: &Actor, context: &Context) -> Result<Event, Refusal> {
    let rule = Rule::of(command.verb);
    standing::role(rule, actor)?;
    standing::state(rule, ledger)?;
    version(ledger, command.expected_version)?;
    required(rule, &command.payload)?;
    known(rule, &command.payload)?;
    standing::case(rule, ledger, actor)?;
    let payload = values::normalise(rule, ledger, &command.payload, actor, context)?;
    Ok(Event {
        version: ledger.map_or(0, |ledger| ledger.version) + 1,
        verb: command.verb,
        actor: actor.user.clone(),
        role: actor.role,
        device: context.device,
        at: context.now,
        from: ledger.map(|ledger| ledger.state),
        to: rule.target(ledger),
        payload,
        heads: context.heads.clone(),
    })
}

/// Refuses members that only the server may fill in: call it on what came from outside, before filling them.
///
/// A phone must not choose its own reporting unit, flags or case number.
///
/// # Errors
/// [`Refusal::UnknownMember`] with the first such member.
pub fn check_outside(verb: Verb, payload: &Payload) -> Result<(), Refusal> {
    let rule = Rule::of(verb);
    let foreign = |member: &&Member| payload.has(**member) && matches!(rule.need(**member), None | Some(Need::Server));
    match Member::ALL.iter().find(foreign) {
        Some(field) => Err(Refusal::UnknownMember { field: *field }),
        None => Ok(()),
    }
}

fn version(ledger: Option<&Ledger>, expected: Option<u32>) -> Result<(), Refusal> {
    let version = ledger.map_or(0, |ledger| ledger.version);
    match expected {
        Some(seen) if seen != version => {
            Err(Refusal::StaleVersion { state: ledger.map(|ledger| ledger.state), version })
        }
        _ => Ok(()),
    }
}

fn required(rule: &Rule, payload: &Payload) -> Result<(), Refusal> {
    rule.required().iter().try_for_each(|member| values::present(payload, *member))
}

fn known(rule: &Rule, payload: &Payload) -> Result<(), Refusal> {
    let unknown = |member: &&Member| payload.has(**member) && rule.need(**member).is_none();
    match Member::ALL.iter().find(unknown) {
        Some(field) => Err(Refusal::UnknownMember { field: *field }),
        None => Ok(()),
    }
}
