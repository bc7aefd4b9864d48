//! Reference data: what phones keep a copy of, and forms choose from.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use xunge_client_core::model::Sha256;
use xunge_client_core::wire::codec::{self, Packer};

use super::openapi::ProblemBody;
use super::path::Path;
use super::query::Params;
use crate::app::App;
use crate::auth::extract::Caller;
use crate::domain::bundle::{self, Bundle};
use crate::error::ApiError;
use crate::store::StoreError;

const ZSTD: &str = "application/zstd";

/// Everything a phone keeps, in one document; with `Accept: application/zstd` as one zstd frame.
#[utoipa::path(get, path = "/v1/reference/bundle", tag = "reference", security(("bearer" = [])), responses(
    (status = 200, description = "`version`, `taxonomy`, `grids`, `void_reasons`, `units`", body = Object),
    (status = 304, description = "`If-None-Match` names what would be sent"),
    (status = 401, body = ProblemBody),
))]
pub(super) async fn bundle(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    query: Params,
) -> Result<Response, ApiError> {
    query.finish()?;
    let body = serde_json::to_vec(&read(&app, caller).await?).expect("a bundle is plain data");
    let tag = format!("\"{}\"", &Sha256::of(&body).to_string()[..32]);
    let tag = HeaderValue::try_from(tag).expect("hex digits are a header value");
    let known = headers.get(header::IF_NONE_MATCH) == Some(&tag);
    let caching = [(header::ETAG, tag), (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"))];
    let vary = [(header::VARY, HeaderValue::from_static("accept"))];
    if known {
        return Ok((StatusCode::NOT_MODIFIED, caching, vary).into_response());
    }
    let (kind, body) = if wants_zstd(&headers) {
        // Level 19 over a hundred kilobytes is work for a thread that may take its time.
        let packed = app.services.bench.run(move || Packer::new(codec::level(body.len())).compress(&body)).await;
        (ZSTD, packed)
    } else {
        ("application/json", body)
    };
    Ok((caching, vary, [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body).into_response())
}

fn wants_zstd(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split(',')).any(|item| item.split(';').next().unwrap_or_default().trim() == ZSTD)
}

/// One part of the bundle: `taxonomy`, `grids`, `void_reasons` or `units`.
#[utoipa::path(get, path = "/v1/reference/{kind}", tag = "reference", security(("bearer" = [])),
    params(("kind" = String, Path, description = "`taxonomy`, `grids`, `void_reasons` or `units`")),
    responses(
        (status = 200, description = "`version` and `items`", body = Object),
        (status = 404, description = "there is no such kind", body = ProblemBody),
    ))]
pub(super) async fn part(
    State(app): State<App>,
    caller: Caller,
    Path(kind): Path<String>,
    query: Params,
) -> Result<Json<Value>, ApiError> {
    query.finish()?;
    let bundle = read(&app, caller).await?;
    let items = match kind.as_str() {
        "taxonomy" => json!(bundle.taxonomy),
        "grids" => json!(bundle.grids),
        "void_reasons" => json!(bundle.void_reasons),
        "units" => json!(bundle.units),
        _ => return Err(ApiError::NotFound),
    };
    Ok(Json(json!({"version": bundle.version, "items": items})))
}

async fn read(app: &App, caller: Caller) -> Result<Bundle, ApiError> {
    let viewer = caller.viewer;
    let read =
        app.services.store.read::<_, StoreError, _>(move |tx| Box::pin(async move { bundle::read(tx, &viewer).await }));
    Ok(read.await?)
}
