//! Server-sent events that say "the cursor moved".

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, HeaderValue, header};

use super::openapi::ProblemBody;
use super::query::Params;
use crate::app::App;
use crate::auth::extract::Caller;
use crate::domain::people::Viewer;
use crate::error::ApiError;
use crate::streams;

/// Share of the connections that may be streams: the others are for work.
const SHARE: usize = 4;
/// When to try again if all places are taken, seconds.
const RETRY_S: u32 = 30;

/// A stream that tells when the feed of the caller's district moves, and nothing of what happened.
///
/// `event: moved` with the position as `id` and in `data`: once at the start, then after commits, at most four a
/// second. Ends after ten minutes at the latest; then ask again with a fresh token.
#[utoipa::path(get, path = "/v1/events/stream", tag = "cases", security(("bearer" = [])), responses(
    (status = 200, description = "`event: moved`, `id` and `data: {\"position\":N}`; comments in between",
     content_type = "text/event-stream"),
    (status = 429, description = "too_many_requests: eight streams a person", body = ProblemBody),
))]
pub(super) async fn listen(State(app): State<App>, caller: Caller, query: Params) -> Result<Response, ApiError> {
    query.finish()?;
    open(&app, &caller.viewer)
}

/// Opens a stream for somebody who may have one.
pub(crate) fn open(app: &App, viewer: &Viewer) -> Result<Response, ApiError> {
    let most = (app.config.max_connections / SHARE).max(1);
    let place = app.listeners.enter(&viewer.user, most).ok_or(ApiError::TooMany { retry_after_s: RETRY_S })?;
    let district = viewer.district().unwrap_or_else(|| app.identity.district.clone());
    let stream = streams::moved(&app.services.store, district, place, app.stopping.clone());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx would hold events back until its buffer is full.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    Ok((headers, Body::from_stream(stream)).into_response())
}
