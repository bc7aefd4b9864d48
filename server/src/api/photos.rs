//! Photos of cases, on their way out.

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use xunge_client_core::model::{CaseId, PhotoHash, Role};

use super::cases::case_id;
use super::openapi::ProblemBody;
use super::path::Path;
use super::query::Params;
use crate::app::App;
use crate::auth::extract::Caller;
use crate::blobs::derive::Size;
use crate::domain::people::Viewer;
use crate::domain::photos;
use crate::domain::scope::Scope;
use crate::error::ApiError;
use crate::store::StoreError;

/// Media types an original is shown as; anything else is bytes to be saved.
const PICTURES: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];
/// Those who need the bytes as they were sent: evidence, and what its metadata says.
const SEE_ORIGINALS: [Role; 6] =
    [Role::Inspector, Role::TownOffice, Role::Dispatcher, Role::DutyLeader, Role::Auditor, Role::Admin];

/// On an answer that is not the photo but what its phone sent ahead of it.
const PHOTO_PREVIEW: HeaderName = HeaderName::from_static("photo-preview");

/// Which form of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A copy for looking at.
    Copy(Size),
    /// The bytes as they were sent.
    Original,
}

impl Form {
    /// The form with this name.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        match code {
            "thumb" => Some(Self::Copy(Size::Thumb)),
            "full" => Some(Self::Copy(Size::Full)),
            "original" => Some(Self::Original),
            _ => None,
        }
    }
}

/// A photo of a case: a small or full copy without metadata, or the original bytes.
#[utoipa::path(get, path = "/v1/cases/{id}/photos/{sha256}", tag = "cases", security(("bearer" = [])), params(
    ("id" = String, Path, description = "case id"),
    ("sha256" = String, Path, description = "the photo's SHA-256 in hex"),
    ("size" = Option<String>, Query, description = "`thumb` (320 px), `full` (1600 px, the default) or `original`"),
), responses(
    (status = 200, description = "the picture; with `Photo-Preview: 1` the small one its phone sent ahead of it",
     content_type = "image/jpeg"),
    (status = 304, description = "`If-None-Match` names it"),
    (status = 403, description = "the role does not see originals", body = ProblemBody),
    (status = 404, description = "not_found, photo_not_here or no_preview", body = ProblemBody),
))]
pub(super) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path((id, photo)): Path<(String, String)>,
    headers: HeaderMap,
    mut query: Params,
) -> Result<Response, ApiError> {
    let form = query.with("size", "thumb, full or original", Form::from_code)?;
    query.finish()?;
    let photo = photo.parse().map_err(|_| ApiError::NotFound)?;
    answer(&app, caller.viewer, case_id(&id)?, photo, form.unwrap_or(Form::Copy(Size::Full)), &headers).await
}

/// Answers with a photo, if the viewer sees the case and it names the photo.
pub(crate) async fn answer(
    app: &App,
    viewer: Viewer,
    case: CaseId,
    photo: PhotoHash,
    form: Form,
    headers: &HeaderMap,
) -> Result<Response, ApiError> {
    let role = viewer.role;
    let shared = app.services.directory.clone();
    let found = app.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let scope = Scope::of(&viewer, &*shared.get(tx).await?);
            photos::find(tx, &scope, case, photo).await
        })
    });
    let found = found.await?.ok_or(ApiError::NotFound)?;
    let mime = match (found.mime, found.preview) {
        (Some(mime), _) => mime,
        (None, Some(early)) if form == Form::Copy(Size::Thumb) => return preview(app, early.into()).await,
        (None, _) => return Err(ApiError::PhotoNotHere),
    };
    if form == Form::Original && !SEE_ORIGINALS.contains(&role) {
        return Err(ApiError::WrongRole);
    }
    let tag = HeaderValue::try_from(format!("\"{photo}-{form:?}\"")).expect("hex and words are a header value");
    if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        return Ok((StatusCode::NOT_MODIFIED, [(header::ETAG, tag)]).into_response());
    }
    let (kind, saved_as, body) = match form {
        Form::Copy(size) => {
            let copy = app.copies.get(photo, size).await?.ok_or(ApiError::NoPreview)?;
            ("image/jpeg", "inline".to_owned(), Body::from(copy))
        }
        Form::Original => {
            let kind = PICTURES.iter().find(|kind| **kind == mime).copied().unwrap_or("application/octet-stream");
            let stored = app.blobs.stream(photo, None).await?;
            (kind, format!("attachment; filename=\"{photo}\""), Body::from_stream(stored.stream))
        }
    };
    let text = |value: &str| HeaderValue::try_from(value).expect("only ASCII words");
    let headers: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, text(kind)),
        (header::CONTENT_DISPOSITION, text(&saved_as)),
        // Whatever the bytes are, nothing in them runs.
        (header::CONTENT_SECURITY_POLICY, text("default-src 'none'; sandbox")),
        // Named by its hash, so it never changes; the right to see it may, hence the question each time.
        (header::CACHE_CONTROL, text("private, no-cache")),
        (header::ETAG, tag),
    ];
    Ok((headers, body).into_response())
}

/// Answers with the small picture that came ahead of a photo; asked again next time, because the photo follows.
async fn preview(app: &App, early: Bytes) -> Result<Response, ApiError> {
    let copy = app.copies.thumb_of(early).await?.ok_or(ApiError::NoPreview)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("image/jpeg")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
        (PHOTO_PREVIEW, HeaderValue::from_static("1")),
    ];
    Ok((headers, Body::from(copy)).into_response())
}
