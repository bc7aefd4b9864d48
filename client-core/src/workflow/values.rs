//! The payload: checks every value and fills in what was left to its default.

use super::codes::Source;
use super::command::{Actor, Context};
use super::defaults;
use super::ledger::Ledger;
use super::member::Member;
use super::payload::Payload;
use super::refusal::{Refusal, Why};
use super::rule::Rule;
use super::standing::ensure;
use crate::model::{Facts, Mode, OrgCode, OrgLevel, Role};

/// Most characters of a user name.
const MAX_NAME_CHARS: usize = 128;

/// A required member is there, and if it is words, says something.
pub(super) fn present(payload: &Payload, member: Member) -> Result<(), Refusal> {
    let blank = payload.words(member).is_some_and(|words| words.trim().is_empty());
    if payload.has(member) && !blank {
        return Ok(());
    }
    Err(match member {
        Member::Reason => Refusal::ReasonMissing,
        field => Refusal::Missing { field },
    })
}

/// What is decided: the payload with its defaults.
pub(super) fn normalise(
    rule: &Rule,
    ledger: Option<&Ledger>,
    given: &Payload,
    actor: &Actor,
    context: &Context,
) -> Result<Payload, Refusal> {
    limits(given)?;
    let mut decided = given.clone();
    match ledger {
        None => submit(&mut decided, actor)?,
        Some(ledger) => defaults::fill(rule.verb, ledger, &mut decided, actor, context)?,
    }
    if rule.numbered {
        let held = ledger.and_then(|ledger| ledger.case_no.as_ref());
        decided.case_no = Some(held.or(context.case_no.as_ref()).cloned().ok_or(Refusal::NoCaseNumber)?);
    }
    Ok(decided)
}

/// Limits that hold with every verb.
fn limits(payload: &Payload) -> Result<(), Refusal> {
    let bad = |field, why| Refusal::Invalid { field, why };
    for field in [Member::Reason, Member::Text, Member::Note, Member::Missing] {
        let fits = payload.words(field).is_none_or(|words| words.chars().count() <= Facts::MAX_TEXT_CHARS);
        ensure(fits, bad(field, Why::TooLong))?;
    }
    for field in [Member::Assignee, Member::Reporter] {
        let fits = payload.words(field).is_none_or(|name| name.chars().count() <= MAX_NAME_CHARS);
        ensure(fits, bad(field, Why::TooLong))?;
    }
    ensure(payload.photos.len() <= Facts::MAX_PHOTOS, bad(Member::Photos, Why::OutOfRange))?;
    let urge_level = payload.urge_level.is_none_or(|step| (1..=4).contains(&step));
    ensure(urge_level, bad(Member::UrgeLevel, Why::OutOfRange))?;
    ensure(payload.handler.as_ref().is_none_or(OrgCode::is_unit), bad(Member::Handler, Why::WrongKind))?;
    ensure(payload.facts.as_deref().is_none_or(fit), bad(Member::Facts, Why::OutOfRange))?;
    let in_grid = payload.grid.as_ref().is_none_or(|grid| grid.level() == Some(OrgLevel::Grid));
    ensure(in_grid, bad(Member::Grid, Why::WrongKind))
}

/// The limits every field document keeps hold for facts typed at a desk, too.
fn fit(facts: &Facts) -> bool {
    let short = |text: &str, limit| text.chars().count() <= limit;
    short(&facts.description, Facts::MAX_TEXT_CHARS)
        && short(&facts.handle_note, Facts::MAX_TEXT_CHARS)
        && short(&facts.location_text, Facts::MAX_LOCATION_CHARS)
        && facts.photos.len() <= Facts::MAX_PHOTOS
}

/// A new report. What an inspector says is a claim, so nothing an inspector can say is refused here but facts.
fn submit(decided: &mut Payload, actor: &Actor) -> Result<(), Refusal> {
    let at_office = actor.role == Role::Hotline;
    ensure(at_office || decided.facts.is_none(), Refusal::UnknownMember { field: Member::Facts })?;
    ensure(!at_office || decided.facts.is_some(), Refusal::Missing { field: Member::Facts })?;
    let facts = decided.facts.as_deref();
    let own = facts.and_then(|facts| facts.mode_claim).unwrap_or(Mode::Forwarded);
    decided.mode_claim.get_or_insert(own);
    if decided.category_claim.is_none() {
        decided.category_claim = facts.and_then(|facts| facts.category_claim.clone());
    }
    if decided.discovered_at.is_none() {
        decided.discovered_at = facts.and_then(|facts| facts.discovered_at);
    }
    decided.source.get_or_insert(if at_office { Source::Hotline12345 } else { Source::Inspector });
    if decided.unit.is_none() {
        decided.unit = actor.unit.clone();
    }
    let reporter = decided.reporter.get_or_insert_with(|| actor.user.clone());
    ensure(at_office || *reporter == actor.user, Refusal::NotYours)
}
