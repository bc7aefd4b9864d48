//! `POST /v1/sync`: bytes in, bytes out; everything else is `sync::handle`.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use xunge_client_core::wire;

use super::body::{self, Raw};
use super::layers::ForMachines;
use super::openapi::ProblemBody;
use super::query::Params;
use crate::app::App;
use crate::error::ApiError;
use crate::sync;

/// Below this free share of the disk reports are refused too; what is left keeps the database able to write at all.
const TEXT_RESERVE: f64 = 0.01;
/// Seconds after which somebody may have made room.
const FULL_S: u32 = 300;

/// One sync request of a phone, both ways (docs/PROTOCOL.md). The envelope inside proves the phone.
#[utoipa::path(post, path = "/v1/sync", tag = "phones",
    request_body(content = Vec<u8>, content_type = "application/vnd.xunge.sync", description = "an envelope"),
    responses(
        (status = 200, description = "one zstd frame", content_type = "application/vnd.xunge.sync"),
        (status = 400, description = "malformed", body = ProblemBody),
        (status = 401, description = "bad_proof, unknown_device, counter_replayed, device_cloned", body = ProblemBody),
        (status = 403, description = "device_revoked, user_disabled", body = ProblemBody),
        (status = 413, description = "too_large", body = ProblemBody),
        (status = 415, description = "wrong_media_type", body = ProblemBody),
        (status = 426, description = "version_unsupported", body = ProblemBody),
        (status = 429, description = "a quota is used up; Retry-After", body = ProblemBody),
        (status = 503, description = "busy; Retry-After", body = ProblemBody),
        (status = 507, description = "disk_full; Retry-After", body = ProblemBody),
    ))]
pub(super) async fn handle(
    State(app): State<App>,
    headers: HeaderMap,
    query: Params,
    body: Result<Raw, ApiError>,
) -> Result<Response, ApiError> {
    query.finish()?;
    body::check_media_type(&headers, wire::MEDIA_TYPE)?;
    let Raw(bytes) = body?;
    if app.space.free_share() < TEXT_RESERVE {
        return Err(ApiError::DiskFull { retry_after_s: FULL_S });
    }
    let answer = sync::handle(&app.sync, &bytes).await?;
    app.metrics.synced(bytes.len(), answer.len());
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(wire::MEDIA_TYPE))];
    Ok((Extension(ForMachines), content_type, answer).into_response())
}
