//! The JSON API: routes, what they take, what they answer.
//!
//! Every route is registered under its row of [`permission::TABLE`]; one without a row does not start. Handlers read
//! the request, call one function of `domain`, and shape the answer; no rule of the trade lives here.

mod auth;
mod body;
mod cases;
mod counts;
mod health;
mod layers;
mod me;
pub mod openapi;
mod path;
mod phones;
pub(crate) mod photos;
mod query;
mod reference;
mod register;
mod rescue;
pub(crate) mod stream;
mod sync;
mod tus;

use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, head, options, patch, post};
use tower_http::catch_panic::CatchPanicLayer;

pub(crate) use self::layers::Origin;
pub use self::layers::Peer;
use crate::app::App;
use crate::auth::permission::{self, Rule};
use crate::auth::{extract, permission::TABLE};
use crate::console;
use crate::error::{self, ApiError};

/// Everything the main listener answers.
pub fn router(app: App) -> Router {
    let mut routes = Routes { app: app.clone(), router: Router::new(), seen: Vec::new() };
    routes.on("GET", "/healthz", get(health::alive));
    routes.on("GET", "/readyz", get(health::ready));
    routes.on("GET", "/openapi.json", get(openapi::serve));
    routes.on("POST", "/v1/auth/token", post(auth::token));
    routes.on("POST", "/v1/auth/enrol", post(auth::enrol));
    routes.on("GET", "/v1/me", get(me::show));
    routes.on("POST", "/v1/sync", post(sync::handle));
    routes.on("POST", "/v1/rescue", post(rescue::receive));
    routes.on("GET", "/v1/cases", get(cases::list));
    routes.on("POST", "/v1/cases", post(register::register));
    routes.on("GET", "/v1/cases/{id}", get(cases::show));
    routes.on("GET", "/v1/cases/{id}/events", get(cases::events));
    routes.on("POST", "/v1/cases/{id}/events", post(cases::act));
    routes.on("GET", "/v1/cases/{id}/photos/{sha256}", get(photos::show));
    routes.on("OPTIONS", "/v1/photos", options(tus::describe));
    routes.on("POST", "/v1/photos", post(tus::create));
    routes.on("HEAD", "/v1/photos/{upload}", head(tus::show));
    routes.on("PATCH", "/v1/photos/{upload}", patch(tus::append));
    routes.on("DELETE", "/v1/photos/{upload}", delete(tus::remove));
    routes.on("POST", "/v1/photos/{upload}", post(tus::instead));
    routes.on("GET", "/v1/events/stream", get(stream::listen));
    routes.on("GET", "/v1/counts", get(counts::show));
    routes.on("GET", "/v1/phones", get(phones::list));
    routes.on("GET", "/v1/reference/bundle", get(reference::bundle));
    routes.on("GET", "/v1/reference/{kind}", get(reference::part));
    routes
        .finish()
        .fallback(unknown)
        .method_not_allowed_fallback(async || ApiError::Method)
        .layer(CatchPanicLayer::custom(layers::panicked))
        .layer(from_fn(layers::security_headers))
        .layer(from_fn(error::localize))
        .with_state(app.clone())
        .merge(console::router(app.clone()))
        .layer(from_fn_with_state(app, layers::count))
}

/// People get a page, programs a problem.
async fn unknown(State(app): State<App>, request: Request) -> Response {
    match console::wants_page(&request) {
        true => console::not_found(State(app), request).await,
        false => ApiError::NoRoute.into_response(),
    }
}

/// Routes as they are registered, each with its rule.
struct Routes {
    app: App,
    router: Router<App>,
    seen: Vec<&'static Rule>,
}

impl Routes {
    /// Registers a route under its rule.
    fn on(&mut self, method: &'static str, path: &'static str, handler: MethodRouter<App>) {
        let rule = permission::of(method, path);
        let rule = rule.unwrap_or_else(|| panic!("{method} {path} has no row in the permission table"));
        let guard = from_fn_with_state((self.app.clone(), rule), extract::guard);
        let guarded = handler.route_layer(guard).route_layer(Extension(rule));
        self.router = std::mem::take(&mut self.router).route(path, guarded);
        self.seen.push(rule);
    }

    fn finish(self) -> Router<App> {
        let missing = TABLE.iter().find(|rule| !self.seen.contains(rule));
        assert!(missing.is_none(), "a row of the permission table without a route: {missing:?}");
        self.router
    }
}

/// What the listener for operators answers: `/metrics` and nothing else.
pub fn metrics_router(app: App) -> Router {
    Router::new().route("/metrics", get(health::metrics)).with_state(app)
}
