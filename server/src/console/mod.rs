//! The console (工作台): what offices see all day. Pages drawn on the server; every action a form.
//!
//! Two scripts of ours: one gives the review queue its keys, one says what came since a page was drawn. Every page
//! works without them.
//!
//! A normal morning: a reviewer logs in ([`login`], [`session`]), opens the queue ([`review`]), looks at a photo pair,
//! presses one key; [`act`] sends the verb to `domain::commands` and the next case opens. At noon somebody opens the
//! month ([`overview`]), clicks on a number and finds the very cases it counts ([`list`], [`case`]).
//!
//! What can go wrong: a session runs out (back to the log-in and from there to the same page), a form comes from
//! elsewhere ([`origin`]: 403), somebody else decided first ([`act`]: a page says what), a form is incomplete (it
//! comes back with everything that was typed).
//!
//! Pages know no rule of the trade: they call the functions of `domain` that the JSON API calls.

mod act;
mod admin;
mod around;
mod attach;
mod bulk;
mod case;
mod choices;
mod cookie;
mod day;
mod desk;
mod desks;
mod disputes;
mod fault;
mod field;
mod filter;
mod flash;
mod forms;
mod headers;
mod held;
mod history;
mod lang;
mod link;
mod list;
mod login;
mod look;
mod map;
mod meanwhile;
mod month;
mod multipart;
mod news;
mod origin;
mod overview;
mod page;
mod password;
mod phones;
mod photo;
mod queue;
mod register;
mod review;
mod saved;
mod sent;
mod session;
mod statics;
mod suggested;
mod svg;
mod tables;
mod tiles;
mod visit;
mod words;

use std::any::Any;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::from_fn;
use axum::response::Response;
use axum::routing::get;
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;

use crate::app::App;

/// Most bytes of a form: words of 2,000 characters, percent-encoded, several times over.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// All pages. Has no fallback: `/v1` answers what it does not know in its own way.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/", get(overview::get))
        .route("/login", get(login::get).post(login::post))
        .route("/logout", get(async || page::go("/")).post(login::logout))
        .route("/map", get(map::get))
        .route("/review", get(review::get))
        .route(day::PATH, get(day::get))
        .route(bulk::PATH, get(bulk::get).post(bulk::post))
        .route(bulk::PREVIEW, get(bulk::preview))
        .route("/cases", get(list::get))
        .route("/cases/saved", get(async || page::go("/cases")).post(saved::post))
        .route("/cases/{id}", get(case::get))
        // Whoever reloads the address of a refused form by hand gets the case.
        .route("/cases/{id}/act", get(case::back).post(act::post))
        .route(
            "/cases/{id}/act/photos",
            get(case::back).post(attach::post).layer(DefaultBodyLimit::max(attach::MAX_BYTES)),
        )
        .route(register::PATH, get(register::get).post(register::post).layer(DefaultBodyLimit::max(attach::MAX_BYTES)))
        .route("/desk", get(desk::get))
        .route("/desk/{id}", get(desk::back).post(desk::post))
        .route("/cases/{id}/take-back", get(case::back).post(held::take_back))
        .route("/phones", get(phones::get))
        .route("/password", get(password::get).post(password::post))
        .merge(admin::router())
        .route("/console/cases/{id}/photos/{sha256}", get(photo::get))
        .route("/console/language/{code}", get(login::language))
        .route("/console/watch/stream", get(news::stream))
        .route("/console/watch/news", get(news::news))
        .route("/console/watch/{id}", get(meanwhile::watch))
        .route("/console/tiles/{z}/{x}/{y}", get(tiles::get))
        .route("/console/static/{name}", get(statics::get))
        .layer(Extension(Arc::new(desks::Desks::default())))
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(headers::add))
        .with_state(app)
}

/// A panic of a handler as a page, with a number to find it by.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    fault::Fault::broken(&"a page panicked").page(page::Page::default())
}

/// True if whoever asks for this wants a page and not the JSON of a program.
pub fn wants_page(request: &Request) -> bool {
    !request.uri().path().starts_with("/v1") && headers::accepts_html(request.headers())
}

/// The page for an address that nothing answers to.
pub async fn not_found(State(app): State<App>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let page = match visit::Visit::load(&app, &parts).await {
        Ok(Some(visit)) => visit.page(""),
        _ => visit::stranger(&parts.headers, &parts.uri, app.services.business.now()),
    };
    headers::on(fault::Fault::NotFound.page(page))
}

#[cfg(test)]
mod tests;
