//! Whether the process lives, and whether it can do its work.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::counts;
use super::query::Params;
use crate::app::App;
use crate::domain::counts::Figures;
use crate::domain::counts::query::{self, Ask};
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
pub(super) async fn metrics(State(app): State<App>) -> Result<String, ApiError> {
    let shared = app.services.directory.clone();
    let today = app.services.business.now().local_day();
    let scope = app.identity.district.parse().map_err(|error| ApiError::internal(&error))?;
    let ask = Ask { scope, from: counts::beginning(), to: today, by: None };
    let table = app.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let directory = shared.get(tx).await?;
            query::table(tx, &directory, &ask).await
        })
    });
    let Figures { reported, void, filed, pending, closed, .. } = table.await?.total;
    let cases = [("reported", reported), ("void", void), ("filed", filed), ("pending", pending), ("closed", closed)];
    Ok(app.metrics.page(&app.services.store.stats(), &cases))
}
