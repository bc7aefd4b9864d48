//! Cases: the list, one of them, its events, and what an office does to it.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use xunge_client_core::model::{CaseId, CategoryRef, Millis, Mode, Point, Sha256};
use xunge_client_core::workflow::{Member, Payload, Refusal, State as CaseState, Verb, Why};

use super::body;
use super::openapi::ProblemBody;
use super::path::Path;
use super::query::Params;
use crate::app::App;
use crate::auth::extract::Caller;
use crate::domain::cases::{self, Due, Filter, Order, Page, Without};
use crate::domain::clocks;
use crate::domain::commands::{self, Key, Wish};
use crate::domain::scope::Scope;
use crate::error::ApiError;
use crate::store::StoreError;

/// Cases on a page if nobody says how many.
const PAGE: usize = 50;
/// Most cases on a page.
const LARGEST_PAGE: usize = 200;

/// Lists cases of the caller's scope, newest first unless `order` says otherwise.
#[utoipa::path(get, path = "/v1/cases", tag = "cases", security(("bearer" = [])), params(
    ("state" = Option<String>, Query, description = "state code, or several with commas"),
    ("mode" = Option<String>, Query, description = "`self_handled` or `forwarded`, decided or until then claimed"),
    ("unit" = Option<String>, Query, description = "reporting unit"),
    ("handler" = Option<String>, Query, description = "handling unit"),
    ("category" = Option<String>, Query, description = "`scheme:kind:code`; a major stands for its minors too"),
    ("grid" = Option<String>, Query, description = "cell grid, 15 digits; or a community or street above it"),
    ("reporter" = Option<String>, Query, description = "user who reported"),
    ("from" = Option<String>, Query, description = "first local day of receipt"),
    ("to" = Option<String>, Query, description = "last local day of receipt"),
    ("without" = Option<String>, Query, description = "only cases without `unit`, `category` or `grid`; several with commas"),
    ("due" = Option<String>, Query, description = "`overdue`, or `soon`: due within 24 hours"),
    ("q" = Option<String>, Query, description = "words in description, place or remarks, all of them, four digits and more also in the case number; a whole number or id finds that case"),
    ("order" = Option<String>, Query, description = "`newest` first, `oldest` first, or by `deadline`: only cases whose deadline runs"),
    ("after" = Option<String>, Query, description = "`next` of the page before; a page may be short and have one"),
    ("limit" = Option<usize>, Query, description = "1 to 200, default 50"),
), responses(
    (status = 200, body = Page),
    (status = 400, description = "unknown_parameter or bad_parameter", body = ProblemBody),
    (status = 401, body = ProblemBody),
))]
pub(super) async fn list(State(app): State<App>, caller: Caller, query: Params) -> Result<Json<Page>, ApiError> {
    let mut filter = filter(query, app.services.business.now())?;
    let (viewer, shared) = (caller.viewer, app.services.directory.clone());
    let page = app.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let directory = shared.get(tx).await?;
            for asked in std::mem::take(&mut filter.categories) {
                filter.categories = directory.minors(&asked);
                // A case may be filed under the major itself.
                filter.categories.retain(|minor| *minor != asked);
                filter.categories.push(asked);
            }
            let scope = Scope::of(&viewer, &directory);
            let Some(district) = viewer.district() else { return Ok(Page::default()) };
            cases::list(tx, &scope, &district, &filter).await
        })
    });
    Ok(Json(page.await?))
}

fn filter(mut query: Params, now: Millis) -> Result<Filter, ApiError> {
    let limit = query.with("limit", "a number from 1 to 200", |text| {
        text.parse().ok().filter(|limit| (1..=LARGEST_PAGE).contains(limit))
    })?;
    let filter = Filter {
        states: query.with("state", &codes(CaseState::ALL, CaseState::code), states)?.unwrap_or_default(),
        mode: query.with("mode", &codes(Mode::ALL, Mode::code), Mode::from_code)?,
        unit: query.org("unit")?,
        handler: query.org("handler")?,
        categories: query
            .parse::<CategoryRef>("category", "a category like gb47678.5-2026:event:06010")?
            .into_iter()
            .collect(),
        grid: query.org("grid")?,
        reporter: query.text("reporter"),
        without: query.with("without", &codes(&Without::ALL, Without::code), without)?.unwrap_or_default(),
        due: query.with("due", &codes(&Due::ALL, Due::code), Due::from_code)?.map(|due| due.between(now)),
        order: query.with("order", &codes(&Order::ALL, Order::code), Order::from_code)?.unwrap_or_default(),
        from: query.day("from")?,
        to: query.day("to")?,
        q: query.with("q", cases::SEARCHABLE, |typed| cases::is_searchable(typed).then(|| typed.to_owned()))?,
        after: query.parse("after", "the `next` of the page before")?,
        limit: limit.unwrap_or(PAGE),
        ..Filter::default()
    };
    query.finish()?;
    Ok(filter)
}

/// One state or several: 待审 is `reported,verifying`.
fn states(text: &str) -> Option<Vec<CaseState>> {
    text.split(',').map(CaseState::from_code).collect()
}

/// What the cases lack, one thing or several.
fn without(text: &str) -> Option<Vec<Without>> {
    text.split(',').map(Without::from_code).collect()
}

/// What a parameter takes, for the refusal.
pub(super) fn codes<T: Copy>(all: &[T], code: impl Fn(T) -> &'static str) -> String {
    format!("one of {}", all.iter().map(|one| code(*one)).collect::<Vec<_>>().join(", "))
}

/// One case with everything known of it.
#[utoipa::path(get, path = "/v1/cases/{id}", tag = "cases", security(("bearer" = [])),
    params(("id" = String, Path, description = "case id")),
    responses(
        (status = 200, description = "the list's members, `facts`, `conflicts`, `ledger`, `photo_list`, `offers`, `clocks`", body = Object),
        (status = 404, description = "no such case in the caller's scope", body = ProblemBody),
    ))]
pub(super) async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    query: Params,
) -> Result<Json<Value>, ApiError> {
    query.finish()?;
    let id = case_id(&id)?;
    let (viewer, shared) = (caller.viewer, app.services.directory.clone());
    let found = app.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let directory = shared.get(tx).await?;
            let scope = Scope::of(&viewer, &directory);
            Ok(cases::detail(tx, &scope, &viewer, id).await?.map(|detail| (detail, directory)))
        })
    });
    let (detail, directory) = found.await?.ok_or(ApiError::NotFound)?;
    let mut json = in_degrees(&detail);
    json["clocks"] = json!(clocks::of(&app.services, &directory, &detail.ledger, app.services.business.now()));
    Ok(Json(json))
}

/// Plain data as JSON, with every `point` of integers as `lon` and `lat` in decimal degrees.
///
/// Integers are for the wire; programs and people outside expect degrees.
fn in_degrees<T: Serialize>(data: &T) -> Value {
    let mut json = serde_json::to_value(data).expect("what the domain answers is plain data");
    convert(&mut json);
    json
}

fn convert(json: &mut Value) {
    match json {
        Value::Object(members) => {
            let point = members.get("point").and_then(|point| serde_json::from_value::<Point>(point.clone()).ok());
            if let Some((lon, lat)) = point.map(Point::degrees) {
                members.remove("point");
                members.insert("lon".to_owned(), lon.into());
                members.insert("lat".to_owned(), lat.into());
            }
            members.values_mut().for_each(convert);
        }
        Value::Array(items) => items.iter_mut().for_each(convert),
        _ => {}
    }
}

/// The events of a case, oldest first, with the hashes that chain them.
#[utoipa::path(get, path = "/v1/cases/{id}/events", tag = "cases", security(("bearer" = [])),
    params(("id" = String, Path, description = "case id")),
    responses(
        (status = 200, description = "`items`, each with `verb`, `version`, `at`, `actor`, `from`, `to`, `prev_hash`, `hash`", body = Object),
        (status = 404, description = "no such case in the caller's scope", body = ProblemBody),
    ))]
pub(super) async fn events(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    query: Params,
) -> Result<Json<Value>, ApiError> {
    query.finish()?;
    let id = case_id(&id)?;
    let (viewer, shared) = (caller.viewer, app.services.directory.clone());
    let found = app.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let scope = Scope::of(&viewer, &*shared.get(tx).await?);
            cases::events(tx, &scope, id).await
        })
    });
    let items = in_degrees(&found.await?.ok_or(ApiError::NotFound)?);
    Ok(Json(json!({"items": items})))
}

/// A verb on a case; further members depend on the verb (docs/API.md).
#[derive(ToSchema)]
#[allow(dead_code, reason = "describes a body that is read member by member")]
pub(super) struct Act {
    /// What is done.
    verb: String,
    /// The version of the case the caller judged.
    expected_version: u32,
}

/// Does a verb. The same `Idempotency-Key` with the same body gets the same answer, with 200.
#[utoipa::path(post, path = "/v1/cases/{id}/events", tag = "cases", security(("bearer" = [])),
    request_body = Act,
    params(
        ("id" = String, Path, description = "case id"),
        ("Idempotency-Key" = String, Header, description = "1 to 255 visible ASCII characters, new for each act"),
    ),
    responses(
        (status = 201, description = "`event` and `case`", body = Object),
        (status = 200, description = "a repeat: the same body", body = Object),
        (status = 403, description = "the role does not do this, or separation of duties", body = ProblemBody),
        (status = 404, description = "no such case in the caller's scope", body = ProblemBody),
        (status = 409, description = "stale_version, wrong_state, …; `current` says where the case stands", body = ProblemBody),
        (status = 422, description = "reason_missing, missing, invalid, unknown_member", body = ProblemBody),
    ))]
pub(super) async fn act(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    query: Params,
    body: body::Json<Map<String, Value>>,
) -> Result<Response, ApiError> {
    query.finish()?;
    let case = case_id(&id)?;
    let key = idempotency_key(&headers)?;
    let (verb, expected_version, payload) = command(body.value)?;
    let route = format!("POST /v1/cases/{case}/events");
    let wish = Wish { case, verb, expected_version, payload, key: Key { key, route, body: Sha256::of(&body.bytes) } };
    let reply = commands::execute(&app.services, &caller.viewer, wish).await?;
    let status = if reply.fresh { StatusCode::CREATED } else { StatusCode::OK };
    let json = HeaderValue::from_static("application/json");
    Ok((status, [(header::CONTENT_TYPE, json)], reply.body).into_response())
}

/// An id that is none is nobody's case.
pub(super) fn case_id(text: &str) -> Result<CaseId, ApiError> {
    text.parse().map_err(|_| ApiError::NotFound)
}

pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<String, ApiError> {
    let mut values = headers.get_all("idempotency-key").iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(ApiError::IdempotencyKey) };
    let key = value.to_str().map_err(|_| ApiError::IdempotencyKey)?;
    let fits = (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(key.to_owned()) } else { Err(ApiError::IdempotencyKey) }
}

/// Takes a body apart: the verb, the version judged, and the verb's own members.
fn command(mut body: Map<String, Value>) -> Result<(Verb, u32, Payload), ApiError> {
    let missing = |field: &str| ApiError::Malformed {
        field: Some(field.to_owned()),
        why: format!("`{field}` is missing or of the wrong type"),
    };
    let verb = body.remove("verb").ok_or_else(|| missing("verb"))?;
    let code = verb.as_str().ok_or_else(|| missing("verb"))?;
    let verb = Verb::from_code(code).ok_or_else(|| ApiError::Invalid {
        field: "verb".to_owned(),
        code: "unknown_verb",
        zh: "没有这个操作。请对照接口说明填写 verb。".to_owned(),
        en: "There is no such verb. Compare it with the API description.".to_owned(),
    })?;
    let version = body.remove("expected_version").ok_or_else(|| missing("expected_version"))?;
    let version = version.as_u64().and_then(|version| u32::try_from(version).ok());
    let version = version.ok_or_else(|| missing("expected_version"))?;
    body.retain(|_, value| !value.is_null());
    let payload = serde_json::from_value(Value::Object(body.clone())).map_err(|error| at_fault(body, &error))?;
    Ok((verb, version, payload))
}

/// Finds the member that could not be read, so that a form can mark it.
fn at_fault(body: Map<String, Value>, error: &serde_json::Error) -> ApiError {
    for (name, value) in body {
        let Some(member) = Member::from_code(&name) else {
            return ApiError::Malformed { why: format!("no verb takes `{name}`"), field: Some(name) };
        };
        let alone = Map::from_iter([(name, value)]);
        if serde_json::from_value::<Payload>(Value::Object(alone)).is_err() {
            return Refusal::Invalid { field: member, why: Why::UnknownCode }.into();
        }
    }
    ApiError::malformed(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: Value) -> Result<(Verb, u32, Payload), ApiError> {
        let Value::Object(body) = body else { panic!("an object") };
        command(body)
    }

    #[test]
    fn a_body_is_a_verb_a_version_and_the_verbs_members() {
        let body = json!({"verb": "void", "expected_version": 1, "reason": "duplicate", "text": null});
        let (verb, version, payload) = read(body).unwrap();
        assert_eq!((verb, version, payload.reason.as_deref(), payload.text), (Verb::Void, 1, Some("duplicate"), None));
    }

    #[test]
    fn what_can_not_be_read_is_named() {
        for (body, field) in [
            (json!({"expected_version": 1}), "verb"),
            (json!({"verb": 7, "expected_version": 1}), "verb"),
            (json!({"verb": "burn", "expected_version": 1}), "verb"),
            (json!({"verb": "void"}), "expected_version"),
            (json!({"verb": "void", "expected_version": "1"}), "expected_version"),
            (json!({"verb": "void", "expected_version": -1}), "expected_version"),
            (json!({"verb": "void", "expected_version": 1, "colour": "red"}), "colour"),
            (json!({"verb": "file", "expected_version": 1, "category": "litter"}), "category"),
            (json!({"verb": "dispatch", "expected_version": 1, "due_at": "soon"}), "due_at"),
        ] {
            let refused = read(body.clone()).unwrap_err();
            assert_eq!(refused.field().as_deref(), Some(field), "{body} {refused:?}");
            assert!([400, 422].contains(&refused.status().as_u16()));
        }
    }

    #[test]
    fn points_are_told_in_degrees_wherever_they_stand() {
        let told = in_degrees(&json!({"facts": {"point": {"lon_e6": 106_105_001, "lat_e6": -38_485_000}, "text": "x"},
            "items": [{"payload": {"facts": {"point": {"lon_e6": 1, "lat_e6": 2}}}}], "point": "of view"}));
        assert_eq!(
            told,
            json!({"facts": {"lon": 106.105001, "lat": -38.485, "text": "x"},
                "items": [{"payload": {"facts": {"lon": 0.000001, "lat": 0.000002}}}], "point": "of view"})
        );
    }

    #[test]
    fn an_idempotency_key_is_one_short_word() {
        let with = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append("idempotency-key", HeaderValue::from_static(value));
            }
            idempotency_key(&headers)
        };
        assert_eq!(with(&["01HF7YAT00"]).as_deref(), Ok("01HF7YAT00"));
        for wrong in [&[][..], &[""], &["a b"], &["a", "b"]] {
            assert_eq!(with(wrong), Err(ApiError::IdempotencyKey), "{wrong:?}");
        }
    }
}
