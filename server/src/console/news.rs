//! What came since a page was drawn: a line for its head, fetched when the server says that something moved.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use xunge_client_core::model::Millis;
use xunge_client_core::workflow::State as CaseState;

use super::fault::Fault;
use super::link;
use super::sent::Sent;
use super::visit::Visit;
use crate::api::stream;
use crate::app::App;
use crate::domain::cases::{self, Filter};
use crate::domain::scope::Scope;

/// New reports that are counted; more are "more than".
const COUNTED: usize = 50;

/// Which page asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// The review queue: what waits in it.
    Review,
    /// The overview: every report.
    Overview,
}

impl Asker {
    fn code(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Overview => "overview",
        }
    }

    /// Where a page that is drawn now asks.
    pub(crate) fn href(self, now: Millis) -> String {
        link::with("/console/watch/news", [("page", self.code()), ("since", &now.0.to_string())])
    }
}

/// `GET /console/watch/stream`: the stream of `GET /v1/events/stream`, by cookie.
pub(crate) async fn stream(State(app): State<App>, visit: Visit) -> Response {
    stream::open(&app, &visit.viewer).unwrap_or_else(|_| StatusCode::TOO_MANY_REQUESTS.into_response())
}

/// `GET /console/watch/news?page=review|overview&since=MILLIS`: what came since, as a line of plain text, or nothing.
pub(crate) async fn news(visit: Visit, query: Sent) -> Response {
    let answer = line(&visit, &query).await;
    visit.answer(answer)
}

async fn line(visit: &Visit, query: &Sent) -> Result<Response, Fault> {
    let since: i64 = query.parsed("since").ok().flatten().ok_or(Fault::BadRequest)?;
    let review = query.get("page") == Asker::Review.code();
    let states = if review { vec![CaseState::Reported] } else { Vec::new() };
    let filter = Filter { states, sent_back: review.then_some(false), limit: COUNTED, ..Filter::default() };
    let own = visit.viewer.unit.as_ref().filter(|_| visit.reviews());
    let scope = own.map_or_else(|| visit.scope.clone(), Scope::office);
    let district = visit.district();
    let listed =
        visit.app.services.store.read::<_, Fault, _>(move |tx| {
            Box::pin(async move { Ok(cases::list(tx, &scope, &district, &filter).await?) })
        });
    let new = listed.await?.items.iter().take_while(|item| item.received_at > since).count();
    let line = match new {
        0 => String::new(),
        COUNTED.. => visit.lang.fill("news.many", &[("n", &COUNTED.to_string())]),
        some => visit.lang.fill("news.some", &[("n", &some.to_string())]),
    };
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], line).into_response())
}
