//! `POST /v1/rescue`: a bundle, from whoever carries it.

use std::sync::Arc;

use axum::extract::{FromRequest, Request, State};
use http::StatusCode;
use http_body::Body as _;
use tokio::sync::OwnedSemaphorePermit;
use xunge_client_core::wire::{RESCUE_MEDIA_TYPE, limits};

use super::body::{self, Raw};
use super::layers::Origin;
use super::openapi::ProblemBody;
use super::query::Params;
use crate::app::App;
use crate::error::ApiError;
use crate::sync::rescue::{self, Received};

/// Seconds after which a bundle that is being received has mostly gone.
const BUSY_S: u32 = 20;

/// Takes a rescue bundle in, without signing in: what is inside proves itself.
///
/// The answer says that it was received and opened, not what became of it; a phone that is not known here is dropped.
#[utoipa::path(post, path = "/v1/rescue", tag = "phones",
    request_body(content = Vec<u8>, content_type = "application/vnd.xunge.rescue", description = "a bundle"),
    responses(
        (status = 202, description = "received"),
        (status = 400, description = "malformed", body = ProblemBody),
        (status = 413, description = "too_large", body = ProblemBody),
        (status = 415, description = "wrong_media_type", body = ProblemBody),
        (status = 422, description = "rescue_not_ours: sealed to another server, or damaged", body = ProblemBody),
        (status = 429, description = "too many from this address, or a quota of the phone; Retry-After", body = ProblemBody),
        (status = 503, description = "busy: others are being received; Retry-After", body = ProblemBody),
        (status = 507, description = "disk_full; Retry-After", body = ProblemBody),
    ))]
pub(super) async fn receive(
    State(app): State<App>,
    Origin(address): Origin,
    query: Params,
    request: Request,
) -> Result<StatusCode, ApiError> {
    query.finish()?;
    body::check_media_type(request.headers(), RESCUE_MEDIA_TYPE)?;
    app.desk.take_try(address, app.services.security.now())?;
    // Before the first byte is read: a crowd of strangers with large bodies must not fill the memory.
    let _room = room(&app, &request)?;
    let Raw(bytes) = Raw::from_request(request, &app).await?;
    let received = rescue::receive(&app.sync, &app.uploads, app.keys.sealing_secret(), bytes).await?;
    tracing::info!(?received, "a rescue bundle");
    if matches!(received, Received::Applied { .. }) {
        // Only strangers' guesses are counted: one person may carry the bundles of a whole street.
        app.desk.give_back(address);
    }
    Ok(StatusCode::ACCEPTED)
}

/// Room for as many bytes as are announced, or for the largest bundle if none are.
fn room(app: &App, request: &Request) -> Result<OwnedSemaphorePermit, ApiError> {
    let announced = request.body().size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    let kib = announced.unwrap_or(limits::RESCUE).min(limits::RESCUE).div_ceil(1024);
    let room = Arc::clone(&app.rescue_room).try_acquire_many_owned(u32::try_from(kib).unwrap_or(u32::MAX));
    room.map_err(|_| ApiError::Busy { retry_after_s: BUSY_S })
}
