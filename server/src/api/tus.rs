//! tus 1.0.0 at `/v1/photos`: core, creation, creation-with-upload, checksum, expiration, termination.
//!
//! HTTP only; who may send which bytes is for [`uploads`](crate::domain::uploads) to say. Bodies are handed on as they
//! arrive: what came before a cut is kept, and a body that stands still for half a minute counts as cut.

mod headers;
#[cfg(test)]
mod tests;

use std::time::{Duration, UNIX_EPOCH};

use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use xunge_client_core::model::{Millis, Ulid};

use self::headers::{
    ALGORITHMS, OFFSET_STREAM, TUS_CHECKSUM_ALGORITHM, TUS_EXTENSION, TUS_MAX_SIZE, TUS_RESUMABLE, TUS_VERSION,
    UPLOAD_EXPIRES, UPLOAD_LENGTH, UPLOAD_OFFSET, VERSION,
};
use super::body::{STANDSTILL, check_media_type};
use super::layers::ForMachines;
use super::openapi::ProblemBody;
use super::path::Path;
use super::query::Params;
use crate::app::App;
use crate::auth::extract::Caller;
use crate::domain::uploads::{self, Begin, Owner, Progress, Target, UploadError};
use crate::entropy;
use crate::error::ApiError;

const EXTENSIONS: &str = "creation,creation-with-upload,checksum,expiration,termination";

/// What the server can do.
#[utoipa::path(options, path = "/v1/photos", tag = "photos", responses(
    (status = 204, description = "Tus-Version, Tus-Extension, Tus-Max-Size and Tus-Checksum-Algorithm"),
))]
pub(super) async fn describe() -> Response {
    let headers = [
        (TUS_VERSION, HeaderValue::from_static(VERSION)),
        (TUS_EXTENSION, HeaderValue::from_static(EXTENSIONS)),
        (TUS_MAX_SIZE, HeaderValue::from(uploads::MAX_BYTES)),
        (TUS_CHECKSUM_ALGORITHM, HeaderValue::from_static(ALGORITHMS)),
    ];
    tus(Ok((StatusCode::NO_CONTENT, headers).into_response()))
}

/// Begins an upload; the body may already bring bytes of it.
#[utoipa::path(post, path = "/v1/photos", tag = "photos", security(("bearer" = [])), params(
    ("Tus-Resumable" = String, Header, description = "1.0.0"),
    ("Upload-Length" = u64, Header, description = "bytes of the photo"),
    ("Upload-Metadata" = Option<String>, Header, description = "`sha256` with 64 hex digits in base 64; others ignored"),
), responses(
    (status = 201, description = "Location, relative; Upload-Offset; Upload-Expires"),
    (status = 412, description = "tus_version", body = ProblemBody),
    (status = 413, description = "photo_size", body = ProblemBody),
    (status = 429, description = "quota_uploads", body = ProblemBody),
    (status = 507, description = "disk_full", body = ProblemBody),
))]
pub(super) async fn create(State(app): State<App>, caller: Caller, request: Request) -> Response {
    tus(begin(&app, &owner(caller), request).await)
}

async fn begin(app: &App, owner: &Owner, request: Request) -> Result<Response, ApiError> {
    check(&request)?;
    let (length, sha256) = (headers::length(request.headers())?, headers::sha256(request.headers())?);
    let fresh = Ulid::from_parts(app.services.security.now(), entropy::fill());
    let mut progress = app.uploads.begin(owner, Begin { length, sha256, fresh }).await?;
    let location = location(progress.target);
    // Bytes from the start only fit an upload that stands at its start; otherwise the offset tells where to go on.
    if progress.offset == 0 && check_media_type(request.headers(), OFFSET_STREAM).is_ok() {
        let checksum = headers::checksum(request.headers())?;
        let body = pieces(request.into_body());
        progress = app.uploads.append(owner, progress.target, 0, body, checksum).await?;
    }
    let headers = [(header::LOCATION, location), (UPLOAD_OFFSET, progress.offset.into())];
    Ok((StatusCode::CREATED, headers, expires(progress.expires_at)).into_response())
}

/// How far an upload got.
#[utoipa::path(head, path = "/v1/photos/{upload}", tag = "photos", security(("bearer" = [])), params(
    ("upload" = String, Path, description = "SHA-256 of the photo in hex, or the id from the creation"),
), responses(
    (status = 200, description = "Upload-Offset, Upload-Length, Upload-Expires"),
    (status = 404, description = "upload_not_found: none, or somebody else's", body = ProblemBody),
))]
pub(super) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(upload): Path<String>,
    request: Request,
) -> Response {
    tus(progress(&app, &owner(caller), &upload, check(&request)).await)
}

async fn progress(app: &App, owner: &Owner, upload: &str, checked: Result<(), ApiError>) -> Result<Response, ApiError> {
    checked?;
    let progress = app.uploads.progress(owner, target(upload)?).await?;
    // tus asks for it here and nowhere else: an offset from a cache would send bytes to the wrong place.
    let no_store = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    let expires = expires(progress.expires_at);
    Ok((StatusCode::OK, Extension(ForMachines), no_store, standing(&progress), expires).into_response())
}

/// Appends bytes.
#[utoipa::path(patch, path = "/v1/photos/{upload}", tag = "photos", security(("bearer" = [])), params(
    ("upload" = String, Path, description = "SHA-256 of the photo in hex, or the id from the creation"),
    ("Upload-Offset" = u64, Header, description = "where the bytes begin"),
    ("Upload-Checksum" = Option<String>, Header, description = "`sha1` or `sha256` and the sum of this body in base 64"),
), responses(
    (status = 204, description = "Upload-Offset; the photo is stored once it is the length"),
    (status = 404, description = "upload_not_found", body = ProblemBody),
    (status = 409, description = "upload_offset; Upload-Offset tells where it stands", body = ProblemBody),
    (status = 413, description = "upload_too_long", body = ProblemBody),
    (status = 415, description = "wrong_media_type", body = ProblemBody),
    (status = 460, description = "upload_checksum of this body, or photo_hash of the whole photo", body = ProblemBody),
    (status = 507, description = "disk_full", body = ProblemBody),
))]
pub(super) async fn append(
    State(app): State<App>,
    caller: Caller,
    Path(upload): Path<String>,
    request: Request,
) -> Response {
    tus(extend(&app, &owner(caller), &upload, request).await)
}

async fn extend(app: &App, owner: &Owner, upload: &str, request: Request) -> Result<Response, ApiError> {
    check(&request)?;
    check_media_type(request.headers(), OFFSET_STREAM)?;
    let (offset, checksum) = (headers::offset(request.headers())?, headers::checksum(request.headers())?);
    let body = pieces(request.into_body());
    let progress = app.uploads.append(owner, target(upload)?, offset, body, checksum).await?;
    let offset = [(UPLOAD_OFFSET, HeaderValue::from(progress.offset))];
    Ok((StatusCode::NO_CONTENT, Extension(ForMachines), offset, expires(progress.expires_at)).into_response())
}

/// Ends an unfinished upload.
#[utoipa::path(delete, path = "/v1/photos/{upload}", tag = "photos", security(("bearer" = [])), params(
    ("upload" = String, Path, description = "SHA-256 of the photo in hex, or the id from the creation"),
), responses(
    (status = 204, description = "what had arrived is thrown away"),
    (status = 404, description = "upload_not_found", body = ProblemBody),
    (status = 409, description = "photo_stored: evidence is not taken back", body = ProblemBody),
))]
pub(super) async fn remove(
    State(app): State<App>,
    caller: Caller,
    Path(upload): Path<String>,
    request: Request,
) -> Response {
    tus(terminate(&app, &owner(caller), &upload, check(&request)).await)
}

async fn terminate(
    app: &App,
    owner: &Owner,
    upload: &str,
    checked: Result<(), ApiError>,
) -> Result<Response, ApiError> {
    checked?;
    app.uploads.terminate(owner, target(upload)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// PATCH and DELETE for clients that can only send POST (`X-HTTP-Method-Override`).
#[utoipa::path(post, path = "/v1/photos/{upload}", tag = "photos", security(("bearer" = [])), params(
    ("upload" = String, Path, description = "as for PATCH"),
    ("X-HTTP-Method-Override" = String, Header, description = "PATCH or DELETE"),
), responses(
    (status = 204, description = "as the method meant"),
    (status = 405, description = "method_not_allowed", body = ProblemBody),
))]
pub(super) async fn instead(
    State(app): State<App>,
    caller: Caller,
    Path(upload): Path<String>,
    request: Request,
) -> Response {
    let owner = owner(caller);
    tus(match headers::method_override(request.headers()) {
        Ok(Some("PATCH")) => extend(&app, &owner, &upload, request).await,
        Ok(Some("DELETE")) => terminate(&app, &owner, &upload, check(&request)).await,
        Ok(_) => Err(ApiError::Method),
        Err(error) => Err(error),
    })
}

/// Refuses another version of tus, and parameters: there are none.
fn check(request: &Request) -> Result<(), ApiError> {
    headers::check_version(request.headers())?;
    Params::of(request.uri())?.finish()
}

/// Puts on every answer, refusals too, what tus asks for.
fn tus(answer: Result<Response, ApiError>) -> Response {
    let mut response = answer.unwrap_or_else(|error| {
        let stands_at = match &error {
            ApiError::Upload(UploadError::Offset { expected }) => Some(*expected),
            _ => None,
        };
        let mut response = error.into_response();
        if let Some(offset) = stands_at {
            response.headers_mut().insert(UPLOAD_OFFSET, offset.into());
        }
        if response.status() == StatusCode::PRECONDITION_FAILED {
            response.headers_mut().insert(TUS_VERSION, HeaderValue::from_static(VERSION));
        }
        response
    });
    response.headers_mut().insert(TUS_RESUMABLE, HeaderValue::from_static(VERSION));
    response
}

/// A phone for itself, anybody else as a person: stock tus clients have only a token.
fn owner(caller: Caller) -> Owner {
    match caller.viewer.device {
        Some(device) => Owner::Device { device, user: caller.viewer.user },
        None => Owner::User(caller.viewer.user),
    }
}

/// A path that names no upload is one that does not exist.
fn target(upload: &str) -> Result<Target, ApiError> {
    upload.parse().map_err(|_| UploadError::NotFound.into())
}

fn location(target: Target) -> HeaderValue {
    HeaderValue::try_from(format!("/v1/photos/{target}")).expect("hex digits and ULIDs are ASCII")
}

fn standing(progress: &Progress) -> [(HeaderName, HeaderValue); 2] {
    [(UPLOAD_OFFSET, progress.offset.into()), (UPLOAD_LENGTH, progress.length.into())]
}

fn expires(at: Option<Millis>) -> HeaderMap {
    let at = at.and_then(|at| UNIX_EPOCH.checked_add(Duration::from_millis(at.0.try_into().ok()?)));
    let date = at.and_then(|at| HeaderValue::try_from(httpdate::fmt_http_date(at)).ok());
    date.map(|date| (UPLOAD_EXPIRES, date)).into_iter().collect()
}

/// The bytes of a body as they arrive; an error or a standstill ends them as a cut.
fn pieces(body: Body) -> impl Stream<Item = Result<Bytes, Cut>> + Send + 'static {
    futures::stream::unfold(Some(body), |body| async move {
        let mut body = body?;
        loop {
            match tokio::time::timeout(STANDSTILL, body.frame()).await {
                Ok(None) => return None,
                Ok(Some(Ok(frame))) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Some((Ok(bytes), Some(body)));
                    }
                }
                Ok(Some(Err(_))) | Err(_) => return Some((Err(Cut), None)),
            }
        }
    })
}

/// The link broke or stood still.
struct Cut;
