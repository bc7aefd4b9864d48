//! Another office decided while you looked (您查看期间已由他人办理): what it decided, and the way on.
//!
//! Two ways lead here. A form whose case moved on is not carried out and answered with a page. And the script of the
//! review queue and of a case's own page asks when something moved, so that nobody writes a reason for a case that is no
//! longer theirs to decide; asking does not count as using the session, or a forgotten window would never be logged out.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use xunge_client_core::model::CaseId;
use xunge_client_core::workflow::Verb;

use super::case::{self, Loaded};
use super::fault::Fault;
use super::page::{Page, show};
use super::sent::Sent;
use super::visit::Visit;
use super::{history, link, words};

#[derive(Template)]
#[template(path = "stale.html")]
struct StalePage {
    p: Page,
    what: String,
    decided: Vec<Decided>,
    now: String,
    href: String,
    next: String,
}

/// What somebody decided.
struct Decided {
    line: String,
    said: Vec<String>,
    /// It was whoever looks.
    own: bool,
}

/// The page in answer to a form that came too late; `back` is where its writer wanted to go on.
pub(crate) async fn page(visit: &Visit, id: CaseId, version: u32, verb: Verb, back: &str) -> Result<Response, Fault> {
    let loaded = case::load(visit, id).await?;
    let (lang, item) = (visit.lang, &loaded.detail.item);
    let state = lang.word("state", &item.state);
    let page = StalePage {
        p: Page { here: format!("/cases/{id}"), ..visit.page(lang.say("stale.title")) },
        what: lang.fill("stale.what", &[("verb", &lang.word("verb", verb.code()))]),
        decided: since(visit, &loaded, version),
        now: lang.fill("stale.now", &[("state", &state), ("version", &item.version.to_string())]),
        href: format!("/cases/{id}"),
        next: if back.starts_with("/review") { back.to_owned() } else { "/review".to_owned() },
    };
    Ok(show(StatusCode::CONFLICT, &page))
}

/// Where a page that shows a case at this version asks; `page` names one that is not the review queue.
pub(crate) fn href(id: CaseId, version: u32, page: Option<&str>) -> String {
    let (path, seen) = (format!("/console/watch/{id}"), version.to_string());
    link::with(&path, [("seen", seen.as_str()), ("page", page.unwrap_or_default())])
}

/// `GET /console/watch/{id}?seen=VERSION`: a line per decision since that version, as plain text. The review queue's
/// question keeps the case for whoever looks at it; that of the case's own page (`page=case`) does not, and leaves out
/// what its reader decided, in another window or by a void that took effect.
pub(crate) async fn watch(visit: Visit, Path(id): Path<String>, query: Sent) -> Response {
    let answer = lines(&visit, &id, &query).await;
    visit.answer(answer)
}

async fn lines(visit: &Visit, id: &str, query: &Sent) -> Result<Response, Fault> {
    let id = id.parse().map_err(|_| Fault::NotFound)?;
    let seen = query.parsed("seen").ok().flatten().ok_or(Fault::BadRequest)?;
    let loaded = case::load(visit, id).await?;
    let own_page = query.get("page") == "case";
    if visit.reviews() && !own_page {
        visit.desks.look(id, &visit.viewer.user, &visit.viewer.name, visit.now);
    }
    let told = since(visit, &loaded, seen).into_iter().filter(|it| !(own_page && it.own));
    let lines: Vec<String> = told.map(|it| it.line).collect();
    Ok(lines.join("\n").into_response())
}

fn since(visit: &Visit, loaded: &Loaded, version: u32) -> Vec<Decided> {
    let (lang, names) = (visit.lang, &loaded.names);
    let later = loaded.events.iter().filter(|it| it.event.version > version);
    later
        .map(|it| {
            let event = &it.event;
            let who = names.get(&event.actor).unwrap_or(&event.actor);
            let (role, verb) = (lang.word("role", event.role.code()), lang.word("verb", event.verb.code()));
            let at = words::when(event.at, visit.now);
            let line = lang.fill("stale.decided", &[("at", &at), ("who", who), ("role", &role), ("verb", &verb)]);
            Decided { line, said: history::said(visit, event, names), own: event.actor == visit.viewer.user }
        })
        .collect()
}
