//! The ledger of a case in words: who did what, when, saying what.

use xunge_client_core::model::Millis;
use xunge_client_core::workflow::{Event, Verb};

use super::choices;
use super::look::Names;
use super::visit::Visit;
use super::words;
use crate::domain::cases::EventView;

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    /// Version of the case with it.
    pub(crate) version: u32,
    /// For `<time>`.
    pub(crate) iso: String,
    /// When.
    pub(crate) when: String,
    /// What.
    pub(crate) what: String,
    /// Who.
    pub(crate) who: String,
    /// In which role.
    pub(crate) role: String,
    /// What was decided and said, a line each.
    pub(crate) said: Vec<String>,
    /// The state it led to.
    pub(crate) result: String,
    /// Beginning of its fingerprint.
    pub(crate) hash: String,
    /// The whole of it.
    pub(crate) hash_full: String,
}

/// All of them, in order.
pub(crate) fn steps(visit: &Visit, events: &[EventView], names: &Names) -> Vec<Step> {
    events.iter().map(|it| step(visit, it, names)).collect()
}

fn step(visit: &Visit, view: &EventView, names: &Names) -> Step {
    let (lang, event) = (visit.lang, &view.event);
    Step {
        version: event.version,
        iso: words::iso(event.at),
        when: words::when(event.at, visit.now),
        what: lang.word("verb", event.verb.code()),
        who: names.get(&event.actor).cloned().unwrap_or_else(|| event.actor.clone()),
        role: lang.word("role", event.role.code()),
        said: said(visit, event, names),
        result: lang.word("state", event.to.code()),
        hash: view.hash.chars().take(8).collect(),
        hash_full: view.hash.clone(),
    }
}

/// What an event decided, member by member, and the words said with it.
pub(crate) fn said(visit: &Visit, event: &Event, names: &Names) -> Vec<String> {
    let (lang, payload) = (visit.lang, &event.payload);
    let mut lines = Vec::new();
    let mut line = |key: &str, value: Option<String>| {
        lines.extend(value.map(|value| format!("{}：{value}", lang.say(key))));
    };
    let time = |at: Option<Millis>| at.map(|at| words::when(at, visit.now));
    let unit =
        |code: &Option<_>| code.as_ref().map(|code: &_| choices::place(&visit.directory, &ToString::to_string(code)));
    let name = |key: &Option<_>| key.as_ref().map(|key: &_| choices::name(&visit.directory, &ToString::to_string(key)));
    let reason = payload.reason.as_ref().map(|reason| match event.verb {
        Verb::Void | Verb::Withdraw => lang.word("void_reason", reason),
        _ => reason.clone(),
    });
    line("member.category", name(&payload.category));
    line("member.category_claim", name(&payload.category_claim));
    line("member.mode", payload.mode.map(|mode| lang.word("mode", mode.code())));
    line("member.mode_claim", payload.mode_claim.map(|mode| lang.word("mode", mode.code())));
    line("member.handler", unit(&payload.handler));
    line("member.level", payload.level.map(|level| lang.word("level", level.code())));
    line("member.due_at", time(payload.due_at));
    let reason_key = if event.verb == Verb::Void { "case.void_reason" } else { "member.reason" };
    line(reason_key, reason);
    line("member.verdict", payload.verdict.map(|it| lang.word("verdict", it.code())));
    line("member.missing", payload.missing.clone());
    line("member.master_case_id", payload.master_case_id.map(|id| id.to_string()));
    line("member.assignee", payload.assignee.as_ref().map(|user| names.get(user).unwrap_or(user).clone()));
    line("member.urge_level", payload.urge_level.map(|level| lang.word("urge", &level.to_string())));
    line("member.review_date", payload.review_date.map(|day| day.to_string()));
    line("member.outcome", payload.outcome.map(|it| lang.word("satisfaction", it.code())));
    line("member.case_no", payload.case_no.clone());
    line("member.photos", (!payload.photos.is_empty()).then(|| payload.photos.len().to_string()));
    line("member.note", payload.note.clone());
    line("member.text", payload.text.clone());
    lines
}
