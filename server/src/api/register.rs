//! A case registered at a desk: `POST /v1/cases`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use utoipa::ToSchema;
use xunge_client_core::model::{CaseId, CategoryRef, CoordSys, Facts, Millis, OrgCode, PhotoHash, Point, Sha256};
use xunge_client_core::workflow::Source;

use super::body;
use super::cases::idempotency_key;
use super::openapi::ProblemBody;
use super::query::Params;
use crate::app::App;
use crate::auth::extract::Caller;
use crate::domain::commands::Key;
use crate::domain::external::External;
use crate::domain::intake::office::{self, RegisterError, Registration};
use crate::error::ApiError;

/// What a clerk writes down.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    /// What it is about.
    facts: Written,
    /// Where it came from: a source code, `hotline_12345` if left out; not `inspector`.
    source: Option<String>,
    /// Code of the office that reviews; by default that of the street the place lies in or next to.
    office: Option<String>,
    /// SHA-256 of photos the caller has uploaded, at most 9.
    #[serde(default)]
    photos: Vec<String>,
    /// The number another system gave it; each number becomes one case.
    external: Option<Outside>,
}

/// The facts, named as `GET /v1/cases/{id}` names them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// `scheme:kind:code`; one that nobody knows is taken and flagged, a retired one is refused. Required.
    category_claim: Option<String>,
    /// What is wrong, at most 2,000 characters. Required.
    #[serde(default)]
    description: String,
    /// Where, in words, at most 256 characters. This, a point or a grid is required.
    #[serde(default)]
    location_text: String,
    /// Longitude in decimal degrees.
    lon: Option<f64>,
    /// Latitude in decimal degrees.
    lat: Option<f64>,
    /// `wgs84` (the default), `gcj02` or `cgcs2000`.
    coord_sys: Option<String>,
    /// Cell grid as the caller believes, 15 digits.
    grid_claim: Option<String>,
    /// When it was found, Unix milliseconds.
    discovered_at: Option<i64>,
}

/// A number in another system.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Outside {
    /// Which system, at most 64 characters.
    system: String,
    /// The number there, at most 64 characters.
    number: String,
}

/// Registers a case at the office. The same `Idempotency-Key` with the same body gets the same answer, with 200.
#[utoipa::path(post, path = "/v1/cases", tag = "cases", security(("bearer" = [])),
    request_body = Register,
    params(("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, new for each case")),
    responses(
        (status = 201, description = "`event` and `case`", body = Object),
        (status = 200, description = "a repeat: the same body", body = Object),
        (status = 400, description = "malformed, idempotency_key_missing", body = ProblemBody),
        (status = 403, description = "wrong_role: the hotline registers", body = ProblemBody),
        (status = 422, description = "missing, invalid, retired, already_registered, outside_scope, idempotency_mismatch; `field` names the member", body = ProblemBody),
    ))]
pub(super) async fn register(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    query: Params,
    body: body::Json<Register>,
) -> Result<Response, ApiError> {
    query.finish()?;
    let key = idempotency_key(&headers)?;
    let key = Key { key, route: "POST /v1/cases".to_owned(), body: Sha256::of(&body.bytes) };
    let id = CaseId::from_parts(app.services.business.now(), crate::entropy::fill());
    let registration = registration(id, body.value, key)?;
    let reply = office::register(&app.services, &caller.viewer, registration).await?;
    let status = if reply.fresh { StatusCode::CREATED } else { StatusCode::OK };
    let json = HeaderValue::from_static("application/json");
    Ok((status, [(header::CONTENT_TYPE, json)], reply.body).into_response())
}

fn registration(id: CaseId, asked: Register, key: Key) -> Result<Registration, RegisterError> {
    let photos = asked.photos.iter().map(|hash| read("photos", Some(hash.clone()), |it| it.parse::<PhotoHash>().ok()));
    let photos = photos.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
    let source = read("source", asked.source, Source::from_code)?.unwrap_or(Source::Hotline12345);
    let office = read("office", asked.office, |code| code.parse::<OrgCode>().ok())?;
    let external = asked.external.map(|Outside { system, number }| External { system, number });
    Ok(Registration { id, facts: facts(asked.facts)?, source, photos, office, external, key })
}

fn facts(written: Written) -> Result<Facts, RegisterError> {
    let invalid = |field: &str| RegisterError::Invalid { field: field.to_owned() };
    let point = match (written.lon, written.lat) {
        (None, None) => None,
        (Some(lon), Some(lat)) => Some(Point::from_degrees(lon, lat).ok_or_else(|| invalid("facts.lon"))?),
        (None, Some(_)) => return Err(RegisterError::Missing { field: "facts.lon" }),
        (Some(_), None) => return Err(RegisterError::Missing { field: "facts.lat" }),
    };
    let coord_sys = read("facts.coord_sys", written.coord_sys, CoordSys::from_code)?;
    Ok(Facts {
        category_claim: read("facts.category_claim", written.category_claim, |key| key.parse::<CategoryRef>().ok())?,
        description: written.description,
        location_text: written.location_text,
        coord_sys: coord_sys.or(point.map(|_| CoordSys::Wgs84)),
        point,
        grid_claim: written.grid_claim,
        discovered_at: written.discovered_at.map(Millis),
        ..Facts::default()
    })
}

/// Reads a code that may be left out.
fn read<T>(field: &str, text: Option<String>, code: impl Fn(&str) -> Option<T>) -> Result<Option<T>, RegisterError> {
    let invalid = || RegisterError::Invalid { field: field.to_owned() };
    text.map(|text| code(&text).ok_or_else(invalid)).transpose()
}
