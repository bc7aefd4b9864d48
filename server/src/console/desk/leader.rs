//! The duty leader's part of the desk (待办): what units ask, what reporters object to, and what rests.
//!
//! The first few questions are answered on the page itself, further ones on the page of their case.

use xunge_client_core::workflow::{AskKind, Verb};

use super::{HERE, Row, Section, row, section};
use crate::console::fault::Fault;
use crate::console::field::VerbForm;
use crate::console::forms::Bench;
use crate::console::visit::Visit;
use crate::console::{filter, link, look, words};
use crate::domain::cases::{self, CaseDetail};
use crate::domain::desk::{self, DeskCase};

/// Questions of a kind that are answered on the desk itself.
const ANSWERED_HERE: usize = 20;

/// What waits for the duty leader.
pub(super) async fn sections(visit: &Visit) -> Result<Vec<Section>, Fault> {
    let (scope, viewer, district) = (visit.scope.clone(), visit.viewer.clone(), visit.district());
    let store = &visit.app.services.store;
    let (cases, appeals, details) = store
        .read::<_, Fault, _>(move |tx| {
            Box::pin(async move {
                let cases = desk::to_answer(tx, &scope).await?;
                let appeals = desk::appeals(tx, &scope, &district).await?;
                let asked = cases.iter().filter(|case| case.ledger.ask.is_some()).take(ANSWERED_HERE);
                let mut details: Vec<CaseDetail> = Vec::new();
                for case in asked.chain(appeals.cases.iter().take(ANSWERED_HERE)) {
                    details.extend(cases::detail(tx, &scope, &viewer, case.item.id).await?);
                }
                Ok((cases, appeals, details))
            })
        })
        .await?;
    let asks = |kind: AskKind| {
        let asked = cases.iter().filter(move |it| it.ledger.ask.as_ref().is_some_and(|ask| ask.kind == kind));
        let verbs: &[Verb] = match kind {
            AskKind::Return => &[Verb::ApproveReturn, Verb::RefuseReturn],
            AskKind::Extend => &[Verb::ApproveExtend, Verb::RefuseExtend],
        };
        asked.map(|case| Row { forms: answers(visit, &details, case, verbs), ..row(visit, case) }).collect::<Vec<_>>()
    };
    let objections = appeals.cases.iter().map(|case| objection(visit, case, &details)).collect();
    let list = (link::with("/cases", [(filter::APPEAL, "open")]), visit.lang.say("desk.appeals_list"));
    let objected = Section {
        empty: visit.lang.say("desk.appeals_none"),
        ..section(visit, "appeals", "desk.appeals", objections, Some(list))
    };
    let (shown, total) = (appeals.cases.len(), appeals.total);
    let capped = || visit.lang.fill("desk.appeals_capped", &[("m", &shown.to_string()), ("n", &total.to_string())]);
    let objected = if shown < total { Section { count: capped(), ..objected } } else { objected };
    let resting = cases.iter().filter(|it| it.ledger.ask.is_none()).map(|it| row(visit, it)).collect();
    Ok(vec![
        section(visit, "returns", "desk.returns", asks(AskKind::Return), None),
        section(visit, "extensions", "desk.extensions", asks(AskKind::Extend), None),
        objected,
        section(visit, "resting", "desk.resting", resting, None),
    ])
}

/// A case whose reporter objects: what was decided, what they say, and the answers.
fn objection(visit: &Visit, case: &DeskCase, details: &[CaseDetail]) -> Row {
    let (lang, ledger) = (visit.lang, &case.ledger);
    let plain = row(visit, case);
    let Some(appeal) = &ledger.appeal else { return plain };
    let decided = look::void_reason(lang, ledger).unwrap_or_else(|| lang.word("state", ledger.state.code()));
    Row {
        since: lang.fill("desk.appealed_since", &[("age", &words::ago(lang, appeal.at, visit.now))]),
        note: format!("{decided} · {}：{}", lang.say("case.appeal"), appeal.text),
        forms: answers(visit, details, case, &[Verb::Uphold, Verb::Reinstate, Verb::Reopen]),
        // No clock runs for it: whoever waits longest comes first.
        rank: (0, appeal.at.0),
        ..plain
    }
}

/// The forms that answer a question, for this page; none beyond the first few cases.
fn answers(visit: &Visit, details: &[CaseDetail], case: &DeskCase, verbs: &[Verb]) -> Vec<VerbForm> {
    let Some(detail) = details.iter().find(|detail| detail.item.id == case.item.id) else { return Vec::new() };
    let bench = Bench { visit, detail, inspectors: &[], back: HERE, attempt: None };
    let (id, mark) = (detail.item.id, detail.item.id.to_string().to_lowercase());
    let offered = verbs.iter().filter(|verb| detail.offers.contains(verb));
    offered.map(|verb| VerbForm { action: format!("{HERE}/{id}"), ..bench.form(*verb).marked(&mark) }).collect()
}
