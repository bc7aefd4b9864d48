//! Phones, for those who answer for them.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::ProblemBody;
use super::query::Params;
use crate::app::App;
use crate::auth::extract::Caller;
use crate::domain::phones::{self, PhoneRow};
use crate::error::ApiError;
use crate::store::StoreError;

/// Phones of the caller's part of the tree.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Phones {
    items: Vec<Phone>,
}

/// A phone and its user. Times are Unix milliseconds.
#[derive(Debug, Serialize, ToSchema)]
struct Phone {
    id: String,
    /// What its owner calls it.
    name: String,
    /// Log-in name of its user.
    user: String,
    user_name: String,
    unit: Option<String>,
    enrolled_at: i64,
    /// When it last proved itself.
    last_seen_at: Option<i64>,
    /// When it was shut out.
    revoked_at: Option<i64>,
    /// When a second copy of it was noticed.
    cloned_at: Option<i64>,
    waiting: Waiting,
}

/// What a phone last said is still only on it.
#[derive(Debug, Serialize, ToSchema)]
struct Waiting {
    /// Cases with unsent facts or requests.
    cases: i64,
    /// Photos not fully sent.
    photos: i64,
    /// Since when the oldest of that has been on the phone; null if nothing waits, or if the phone did not say. Worked out
    /// when the phone was heard, from how old the phone said it was: its clock may be wrong, and this is never later than
    /// `last_seen_at`.
    oldest_at: Option<i64>,
}

impl From<PhoneRow> for Phone {
    fn from(row: PhoneRow) -> Self {
        let info = row.info;
        let oldest_at = info.waiting_since().map(|at| at.0);
        Self {
            id: info.id.to_string(),
            name: info.name,
            user: info.user,
            user_name: row.user_name,
            unit: row.unit.map(|unit| unit.to_string()),
            enrolled_at: info.enrolled_at.0,
            last_seen_at: info.last_seen_at.map(|at| at.0),
            revoked_at: info.revoked_at.map(|at| at.0),
            cloned_at: info.cloned_at.map(|at| at.0),
            waiting: Waiting { cases: info.waiting_cases, photos: info.waiting_photos, oldest_at },
        }
    }
}

/// Lists phones, those with something waiting first.
#[utoipa::path(get, path = "/v1/phones", tag = "phones", security(("bearer" = [])), responses(
    (status = 200, body = Phones),
    (status = 403, description = "wrong_role", body = ProblemBody),
))]
pub(super) async fn list(State(app): State<App>, caller: Caller, query: Params) -> Result<Json<Phones>, ApiError> {
    query.finish()?;
    let viewer = caller.viewer;
    let rows =
        app.services.store.read::<_, StoreError, _>(move |tx| Box::pin(async move { phones::list(tx, &viewer).await }));
    Ok(Json(Phones { items: rows.await?.into_iter().map(Phone::from).collect() }))
}
