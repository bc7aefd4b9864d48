//! One case (案卷): facts, photos, ledger, and what its reader could do.

use std::collections::BTreeSet;

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{CaseId, OrgLevel};
use xunge_client_core::workflow::{Member, Rule};

use super::act::Attempt;
use super::around::{self, Around};
use super::fault::Fault;
use super::field::{Kind, VerbForm};
use super::flash::short;
use super::forms::Bench;
use super::held;
use super::link;
use super::look::{self, Look, Names};
use super::meanwhile;
use super::page::{Page, go, show};
use super::visit::Visit;
use crate::domain::cases::{self, CaseDetail, EventView};
use crate::domain::disputes::{self, LateEdit, Written};
use crate::domain::held::Held;
use crate::domain::people::{self, Colleague};

/// A case with everything its pages need.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The case.
    pub(crate) detail: CaseDetail,
    /// Its ledger.
    pub(crate) events: Vec<EventView>,
    /// Everybody named in it.
    pub(crate) names: Names,
    /// Who a task can go to; empty if nothing offered asks for anybody.
    pub(crate) inspectors: Vec<Colleague>,
    /// Who wrote the values that do not fit together.
    pub(crate) writers: Vec<Written>,
    /// What was edited after the decision.
    pub(crate) late: Vec<LateEdit>,
    /// Somebody's void of it that waits.
    pub(crate) held: Option<Held>,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    p: Page,
    heading: String,
    c: Look,
    around: Around,
    forms: Vec<VerbForm>,
    /// Where the page asks what others decided since.
    watch: String,
}

/// `GET /cases/{id}/act`.
pub(crate) async fn back(Path(id): Path<String>) -> Response {
    go(&format!("/cases/{}", link::encode(&id)))
}

/// `GET /cases/{id}`.
pub(crate) async fn get(visit: Visit, Path(id): Path<String>) -> Response {
    let answer = page(&visit, &id).await;
    visit.answer(answer)
}

async fn page(visit: &Visit, id: &str) -> Result<Response, Fault> {
    let id = id.parse().map_err(|_| Fault::NotFound)?;
    draw(visit, id, None).await
}

/// The same page after a form of it was refused.
pub(crate) async fn again(visit: &Visit, id: CaseId, attempt: &Attempt) -> Result<Response, Fault> {
    draw(visit, id, Some(attempt)).await
}

async fn draw(visit: &Visit, id: CaseId, attempt: Option<&Attempt>) -> Result<Response, Fault> {
    let loaded = load(visit, id).await?;
    let (lang, item) = (visit.lang, &loaded.detail.item);
    let heading = match &item.case_no {
        Some(no) => lang.fill("case.title", &[("no", no)]),
        None => format!("{} {}", lang.say("case.title_unfiled"), short(id)),
    };
    let back = format!("/cases/{id}");
    let bench = Bench { visit, detail: &loaded.detail, inspectors: &loaded.inspectors, back: &back, attempt };
    let page = CasePage {
        p: held::waiting(visit).await?.on(visit, Page { here: back.clone(), ..visit.page(heading.clone()) }),
        heading,
        around: around::look(visit, &loaded, &back).await?,
        forms: bench.all(),
        watch: meanwhile::href(id, item.version, Some("case")),
        c: look::at(visit, &loaded),
    };
    Ok(show(attempt.map_or(StatusCode::OK, |attempt| attempt.status), &page))
}

/// Reads a case in the scope of its reader.
pub(crate) async fn load(visit: &Visit, id: CaseId) -> Result<Loaded, Fault> {
    let (scope, viewer) = (visit.scope.clone(), visit.viewer.clone());
    let store = &visit.app.services.store;
    let found = store
        .read::<_, Fault, _>(move |tx| {
            Box::pin(async move {
                let Some(detail) = cases::detail(tx, &scope, &viewer, id).await? else { return Ok(None) };
                let events = cases::events(tx, &scope, id).await?.unwrap_or_default();
                let ledger = &detail.ledger;
                let mut users: BTreeSet<String> = events.iter().map(|it| it.event.actor.clone()).collect();
                users.extend(events.iter().filter_map(|it| it.event.payload.assignee.clone()));
                users.extend([detail.item.reporter.clone()]);
                users.extend(ledger.task.as_ref().map(|task| task.assignee.clone()));
                let writers = disputes::writers(tx, id, &detail.conflicts).await?;
                users.extend(writers.iter().map(|it| it.user.clone()));
                let late = disputes::late(tx, id, &events, detail.late_edited_at).await?;
                let names = people::names(tx, &users).await?;
                let asks = |verb: &_| Rule::of(*verb).required().contains(&Member::Assignee);
                let inspectors = match viewer.scope.at(OrgLevel::District).filter(|_| detail.offers.iter().any(asks)) {
                    Some(district) => people::inspectors(tx, &district).await?,
                    None => Vec::new(),
                };
                let held = crate::domain::held::of_case(tx, id).await?;
                Ok(Some(Loaded { detail, events, names, inspectors, writers, late, held }))
            })
        })
        .await?;
    found.ok_or(Fault::NotFound)
}
