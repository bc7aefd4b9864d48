//! The API described for programs: OpenAPI 3.1, gathered from the handlers themselves.

use axum::Json;
use serde::Serialize;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use super::query::Params;
use super::{auth, cases, counts, health, me, phones, photos, reference, register, rescue, stream, sync, tus};
use crate::error::ApiError;

/// The description of every route.
#[derive(Debug, OpenApi)]
#[openapi(
    info(title = "Xunge", description = "Reports of grid inspectors, decisions of offices, and the monthly figures."),
    modifiers(&Bearer),
    paths(
        health::alive,
        health::ready,
        serve,
        auth::token,
        auth::enrol,
        me::show,
        sync::handle,
        rescue::receive,
        cases::list,
        register::register,
        cases::show,
        cases::events,
        cases::act,
        photos::show,
        tus::describe,
        tus::create,
        tus::show,
        tus::append,
        tus::remove,
        tus::instead,
        stream::listen,
        counts::show,
        phones::list,
        reference::bundle,
        reference::part,
    )
)]
pub struct Description;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        openapi.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(scheme));
    }
}

/// What every refusal looks like (RFC 9457, `application/problem+json`).
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes wire::Problem, which knows nothing of OpenAPI")]
pub(super) struct ProblemBody {
    /// `/problems/<code>`.
    r#type: String,
    /// The same for all problems of this code.
    title: String,
    /// HTTP status.
    status: u16,
    /// Stable snake_case code.
    code: String,
    /// What, why, and the way out; Chinese unless `Accept-Language` prefers English.
    detail: String,
    /// The member or parameter at fault.
    field: Option<String>,
    /// Where the case stands, for `stale_version` and `wrong_state`.
    current: Option<CurrentBody>,
}

/// State and version of a case as the server has it.
#[derive(Serialize, ToSchema)]
#[allow(dead_code, reason = "describes wire::Current, which knows nothing of OpenAPI")]
pub(super) struct CurrentBody {
    state: String,
    version: u32,
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "operations", responses((status = 200, body = Object)))]
pub(super) async fn serve(query: Params) -> Result<Json<utoipa::openapi::OpenApi>, ApiError> {
    query.finish()?;
    Ok(Json(Description::openapi()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::auth::permission::{TABLE, Who};

    #[test]
    fn every_route_is_described_and_every_description_is_a_route() {
        let document = serde_json::to_value(Description::openapi()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                described.insert((method.to_uppercase(), path.clone()));
                let rule = crate::auth::permission::of(&method.to_uppercase(), path);
                let signed_in = rule.is_some_and(|rule| matches!(rule.who, Who::Roles(_) | Who::Uploader));
                assert_eq!(
                    operation["security"].is_array(),
                    signed_in,
                    "{method} {path} says whether it takes a token"
                );
            }
        }
        let routes: BTreeSet<_> = TABLE.iter().map(|rule| (rule.method.to_owned(), rule.path.to_owned())).collect();
        assert_eq!(described, routes);
    }
}
