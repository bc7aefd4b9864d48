//! Figures, as `domain::counts` defines them.

use axum::Json;
use axum::extract::State;
use xunge_client_core::model::{LocalDay, OrgCode};

use super::cases::codes;
use super::openapi::ProblemBody;
use super::query::Params;
use crate::app::App;
use crate::auth::extract::Caller;
use crate::domain::counts::query::{self, Ask, By, Table};
use crate::domain::directory::Directory;
use crate::domain::people::Viewer;
use crate::error::ApiError;
use crate::store::StoreError;

/// Counts cases by day of receipt. `total` is the sum of `rows`; without `by` there are no rows.
#[utoipa::path(get, path = "/v1/counts", tag = "figures", security(("bearer" = [])), params(
    ("scope" = Option<String>, Query, description = "place or unit code; default the caller's own"),
    ("from" = Option<String>, Query, description = "first local day of receipt; default the beginning"),
    ("to" = Option<String>, Query, description = "last local day of receipt; default today"),
    ("by" = Option<String>, Query, description = "`unit`, `category`, `day`, `mode` or `grid`"),
), responses(
    (status = 200, body = Table),
    (status = 400, description = "unknown_parameter or bad_parameter", body = ProblemBody),
    (status = 404, description = "a scope that is not within the caller's", body = ProblemBody),
))]
pub(super) async fn show(State(app): State<App>, caller: Caller, mut query: Params) -> Result<Json<Table>, ApiError> {
    let viewer = caller.viewer;
    let scope = query.org("scope")?.unwrap_or_else(|| viewer.scope.clone());
    let from = query.day("from")?.unwrap_or_else(beginning);
    let to = query.day("to")?.unwrap_or_else(|| app.services.business.now().local_day().max(from));
    let by = query.with("by", &codes(&By::ALL, By::code), By::from_code)?;
    query.finish()?;
    if from > to {
        return Err(ApiError::BadParameter { name: "to", expected: format!("a day not before {from}") });
    }
    let shared = app.services.directory.clone();
    let table = app.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let directory = shared.get(tx).await?;
            if !may_see(&viewer, &scope, &directory) {
                return Ok(None);
            }
            query::table(tx, &directory, &Ask { scope, from, to, by }).await.map(Some)
        })
    });
    Ok(Json(table.await?.ok_or(ApiError::NotFound)?))
}

/// Before any case: the trade's first city platform went live in 2004.
pub(super) fn beginning() -> LocalDay {
    LocalDay::new(2000, 1, 1).expect("a day of the calendar")
}

/// True if the place or unit exists and lies below the viewer's part of the tree, or is the viewer's unit.
fn may_see(viewer: &Viewer, asked: &OrgCode, directory: &Directory) -> bool {
    if viewer.scope.contains(asked) {
        return directory.place(asked).is_some() || directory.unit(asked).is_some();
    }
    let Some(unit) = directory.unit(asked) else { return false };
    let lies_in = unit.street.as_ref().unwrap_or(&unit.district);
    viewer.unit.as_ref() == Some(asked) || viewer.scope.contains(lies_in)
}
