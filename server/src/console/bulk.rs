//! Approving several self-handled reports at once (批量通过): choose, look at each beside what will happen, approve.
//!
//! Each case is a command of its own, with the version its reviewer saw in the preview. One that moved on meanwhile is
//! not approved, the others are, and the last page says so case by case. Sent twice, it is done once and answered twice.

mod candidate;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use futures::future::join_all;
use xunge_client_core::model::{CaseId, Mode};
use xunge_client_core::workflow::{Payload, Refusal, Verb};

use self::candidate::{BulkRow, all_of, candidates, missing};
use super::act;
use super::fault::Fault;
use super::held;
use super::lang::Lang;
use super::page::{Page, show};
use super::queue::{self, Place};
use super::sent::{Sent, SentForm};
use super::visit::Visit;
use crate::domain::commands::{self, CommandError, Wish};

/// Address of the list and of the form that approves.
pub(crate) const PATH: &str = "/review/bulk";
/// Address of the preview.
pub(crate) const PREVIEW: &str = "/review/bulk/preview";
/// Most cases at once: what a person still looks at one by one.
pub(crate) const MOST: usize = 50;

#[derive(Template)]
#[template(path = "bulk.html")]
struct BulkPage {
    p: Page,
    heading: String,
    lines: Vec<String>,
    step: Step,
    rows: Vec<BulkRow>,
    /// Everything that nothing speaks against is chosen.
    all: bool,
    /// Something can be approved.
    can: bool,
}

/// Which of the three pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Choose,
    Preview,
    Result,
}

/// `GET /review/bulk`, `?all=1` with everything chosen that nothing speaks against.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = choose(&visit, query.get("all") == "1").await;
    visit.answer(answer)
}

/// `GET /review/bulk/preview?case=ID&case=ID…`.
pub(crate) async fn preview(visit: Visit, query: Sent) -> Response {
    let answer = look(&visit, &query).await;
    visit.answer(answer)
}

/// `POST /review/bulk`.
pub(crate) async fn post(visit: Visit, form: SentForm) -> Response {
    let answer = approve(&visit, form).await;
    visit.answer(answer)
}

async fn choose(visit: &Visit, all: bool) -> Result<Response, Fault> {
    only_reviewers(visit)?;
    let place = Place { mode: Some(Mode::SelfHandled), ..Place::default() };
    let queue = queue::read(visit, &place).await?;
    let ids: Vec<CaseId> = queue.whole.cases.iter().map(|it| it.item.id).collect();
    let rows: Vec<BulkRow> = candidates(visit, &ids, MOST)
        .await?
        .iter()
        .map(|it| BulkRow { chosen: all && it.odd(visit).is_empty(), ..it.row(visit) })
        .collect();
    let intro = visit.lang.fill("bulk.intro", &[("n", &MOST.to_string())]);
    let p = queue.held.on(visit, visit.page(visit.lang.say("bulk.title")));
    let heading = visit.lang.say("bulk.title").to_owned();
    Ok(show(StatusCode::OK, &BulkPage { p, heading, lines: vec![intro], step: Step::Choose, rows, all, can: false }))
}

fn only_reviewers(visit: &Visit) -> Result<(), Fault> {
    if visit.reviews() { Ok(()) } else { Err(Fault::Role) }
}

async fn look(visit: &Visit, query: &Sent) -> Result<Response, Fault> {
    only_reviewers(visit)?;
    let lang = visit.lang;
    let mut ids: Vec<CaseId> = query.all("case").filter_map(|id| id.parse().ok()).collect();
    ids.dedup();
    let mut lines = Vec::new();
    if ids.len() > MOST {
        ids.truncate(MOST);
        lines.push(lang.fill("bulk.too_many", &[("n", &MOST.to_string())]));
    }
    let found = all_of(visit, &ids, usize::MAX).await?;
    let preview = |id: &CaseId| match found.iter().find(|it| it.detail.item.id == *id) {
        None => missing(lang, *id),
        Some(it) => match it.obstacle(visit) {
            Some(why) => {
                BulkRow { value: String::new(), outcome: lang.fill("bulk.not", &[("why", &why)]), ..it.row(visit) }
            }
            None => BulkRow {
                outcome: lang.fill("bulk.will", &[("category", &it.category(visit))]),
                good: true,
                ..it.row(visit)
            },
        },
    };
    let rows: Vec<BulkRow> = ids.iter().map(preview).collect();
    if rows.is_empty() {
        lines.push(lang.say("bulk.nothing").to_owned());
    }
    let good = rows.iter().filter(|row| row.good).count();
    let heading = lang.fill("bulk.review", &[("n", &good.to_string())]);
    let p = held::waiting(visit).await?.on(visit, visit.page(heading.clone()));
    Ok(show(StatusCode::OK, &BulkPage { p, heading, lines, step: Step::Preview, rows, all: false, can: good > 0 }))
}

async fn approve(visit: &Visit, form: SentForm) -> Result<Response, Fault> {
    visit.admit(&form)?;
    only_reviewers(visit)?;
    let SentForm(sent) = form;
    let read = |text: &str| {
        let (id, version) = text.split_once('.')?;
        Some((id.parse::<CaseId>().ok()?, version.parse::<u32>().ok()?))
    };
    let chosen: Vec<(CaseId, u32)> = sent.all("case").map(read).collect::<Option<_>>().ok_or(Fault::BadRequest)?;
    if chosen.is_empty() || chosen.len() > MOST {
        return Err(Fault::BadRequest);
    }
    let lang = visit.lang;
    // Together, so that they share a commit; each is decided by itself.
    let answers = join_all(chosen.iter().map(|(case, version)| one(visit, *case, *version))).await;
    let ids: Vec<CaseId> = chosen.iter().map(|(case, _)| *case).collect();
    let found = all_of(visit, &ids, usize::MAX).await?;
    let mut rows = Vec::with_capacity(chosen.len());
    for (case, answer) in ids.iter().zip(answers) {
        let row = match found.iter().find(|it| it.detail.item.id == *case) {
            Some(it) => BulkRow { value: String::new(), photos: Vec::new(), notes: Vec::new(), ..it.row(visit) },
            None => missing(lang, *case),
        };
        rows.push(match answer {
            Ok(()) => BulkRow { outcome: lang.say("bulk.approved").to_owned(), good: true, ..row },
            Err(why) => BulkRow { outcome: lang.fill("bulk.refused", &[("why", &why?)]), ..row },
        });
    }
    visit.desks.leave(&visit.viewer.user);
    let good = rows.iter().filter(|row| row.good).count();
    let counts = [good, rows.len() - good].map(|n| n.to_string());
    let heading = lang.fill("bulk.result", &[("n", &counts[0]), ("m", &counts[1])]);
    let p = Page { here: PATH.to_owned(), ..visit.page(heading.clone()) };
    Ok(show(
        StatusCode::OK,
        &BulkPage { p, heading, lines: Vec::new(), step: Step::Result, rows, all: false, can: false },
    ))
}

/// Approves one case; `Err` says in words why not.
async fn one(visit: &Visit, case: CaseId, version: u32) -> Result<(), Result<String, Fault>> {
    let (verb, payload) = (Verb::ApproveSelfHandled, Payload::default());
    let key = act::key(case, verb, version, &payload);
    let wish = Wish { case, verb, expected_version: version, payload, key };
    let lang = visit.lang;
    match commands::execute(&visit.app.services, &visit.viewer, wish).await {
        Ok(_) => Ok(()),
        Err(CommandError::Refused(refusal)) => Err(Ok(why(lang, &refusal))),
        Err(CommandError::NotFound) => Err(Ok(lang.say("bulk.gone").to_owned())),
        Err(CommandError::KeyReused) => Err(Err(Fault::BadRequest)),
        Err(CommandError::Store(failed)) => Err(Err(failed.into())),
    }
}

fn why(lang: Lang, refusal: &Refusal) -> String {
    match refusal.current() {
        Some((state, _)) => lang.fill("bulk.moved", &[("state", &lang.word("state", state.code()))]),
        None => match lang {
            Lang::Zh => refusal.zh(),
            Lang::En => refusal.en(),
        },
    }
}
