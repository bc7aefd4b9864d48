//! Whether the process lives, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::query::Params;
use crate::app::App;
use crate::error::ApiError;
use crate::params;
use crate::store::StoreError;

/// A short answer for probes.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Health {
    /// Always true; otherwise the answer is a problem.
    ok: bool,
    /// Version of the server program.
    version: &'static str,
}

const OK: Health = Health { ok: true, version: env!("CARGO_PKG_VERSION") };

/// The process answers. Says nothing about the database: a restart would not mend that.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, body = Health)))]
pub(super) async fn alive(query: Params) -> Result<Json<Health>, ApiError> {
    query.finish()?;
    Ok(Json(OK))
}

/// The database answers, so requests will.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses(
    (status = 200, body = Health),
    (status = 503, description = "the database does not answer", body = super::openapi::ProblemBody),
))]
pub(super) async fn ready(State(app): State<App>, query: Params) -> Result<Json<Health>, ApiError> {
    query.finish()?;
    app.services
        .store
        .read::<_, StoreError, _>(|tx| {
            Box::pin(async move { tx.query_one("SELECT value FROM meta WHERE key = 'district'", params![]).await })
        })
        .await
        .map_err(|_| ApiError::Busy { retry_after_s: 5 })?;
    Ok(Json(OK))
}

/// Counts for monitoring, on the listener for operators only.
pub(super) async fn metrics(State(app): State<App>) -> String {
    app.metrics.page(&app.services.store.stats(), &[])
}
