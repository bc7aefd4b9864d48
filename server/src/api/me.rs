//! Who the caller is.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::query::Params;
use crate::app::App;
use crate::auth::extract::Caller;
use crate::error::ApiError;

/// The signed-in user.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Me {
    /// Log-in name.
    user: String,
    /// Name shown to people.
    name: String,
    /// Role code.
    role: String,
    /// The part of the tree the user sees.
    scope: String,
    /// The unit the user works for.
    unit: Option<String>,
    /// The grids an inspector patrols, 15 digits each.
    grids: Vec<String>,
    /// The phone the token was issued to, if it was.
    device: Option<String>,
    /// The district this server keeps.
    district: String,
}

/// The signed-in user: role, scope, unit, grids.
#[utoipa::path(get, path = "/v1/me", tag = "auth", security(("bearer" = [])), responses(
    (status = 200, body = Me),
    (status = 401, body = super::openapi::ProblemBody),
))]
pub(super) async fn show(State(app): State<App>, caller: Caller, query: Params) -> Result<Json<Me>, ApiError> {
    query.finish()?;
    let viewer = caller.viewer;
    Ok(Json(Me {
        user: viewer.user,
        name: viewer.name,
        role: viewer.role.code().to_owned(),
        scope: viewer.scope.to_string(),
        unit: viewer.unit.map(|unit| unit.to_string()),
        grids: viewer.grids.iter().map(ToString::to_string).collect(),
        device: viewer.device.map(|device| device.to_string()),
        district: app.identity.district.clone(),
    }))
}
