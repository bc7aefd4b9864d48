//! `POST /v1/rescue`: a bundle, from whoever carries it.

use axum::extract::State;
use http::{HeaderMap, StatusCode};
use xunge_client_core::wire::RESCUE_MEDIA_TYPE;

use super::body::{self, Raw};
use super::layers::Origin;
use super::openapi::ProblemBody;
use super::query::Params;
use crate::app::App;
use crate::error::ApiError;
use crate::sync::rescue::{self, Received};

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
        (status = 507, description = "disk_full; Retry-After", body = ProblemBody),
    ))]
pub(super) async fn receive(
    State(app): State<App>,
    Origin(address): Origin,
    headers: HeaderMap,
    query: Params,
    body: Result<Raw, ApiError>,
) -> Result<StatusCode, ApiError> {
    query.finish()?;
    body::check_media_type(&headers, RESCUE_MEDIA_TYPE)?;
    app.desk.take_try(address, app.services.security.now())?;
    let Raw(bytes) = body?;
    let received = rescue::receive(&app.sync, &app.uploads, app.keys.sealing_secret(), bytes).await?;
    tracing::info!(?received, "a rescue bundle");
    if matches!(received, Received::Applied { .. }) {
        // Only strangers' guesses are counted: one person may carry the bundles of a whole street.
        app.desk.give_back(address);
    }
    Ok(StatusCode::ACCEPTED)
}
