//! The administration (管理): users, phones, tables, what was put aside, and who did what.
//!
//! Everything is a plain form, checked for the role of whoever sends it, and leaves a line in the audit log. Secrets
//! are shown on the page that answers the form and never again.

mod audit;
mod categories;
mod category_file;
mod exchanged;
mod limits;
mod new_user;
mod org;
mod org_file;
mod phone;
mod profile;
mod qr;
mod quarantine;
mod reasons;
mod rules;
mod sheet;
mod user;
mod users;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};

use self::sheet::{Cell, Sheet, Table};
use super::fault::Fault;
use super::page::go;
use super::visit::Visit;
use crate::app::App;

/// Most bytes of a table that is checked: several times the largest a city has.
const MAX_TABLE_BYTES: usize = 1 << 20;

/// All pages below `/admin`.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/admin", get(index))
        .route("/admin/users", get(users::get))
        .route("/admin/users/new", get(new_user::get).post(new_user::post))
        .route("/admin/users/{id}", get(user::get))
        .route("/admin/users/{id}/{what}", get(user::back).post(user::post))
        .route("/admin/phones", get(async || go("/phones")))
        .route("/admin/phones/{id}", get(phone::get).post(phone::post))
        .route("/admin/org", get(org::get).post(org_file::post).layer(DefaultBodyLimit::max(org_file::MAX_BODY_BYTES)))
        .route(
            "/admin/categories",
            get(categories::get).post(category_file::post).layer(DefaultBodyLimit::max(category_file::MAX_BODY_BYTES)),
        )
        .route("/admin/categories.csv", get(category_file::get))
        .route("/admin/reasons", get(reasons::get).post(reasons::post))
        .route("/admin/limits", get(limits::get).post(limits::post).layer(DefaultBodyLimit::max(MAX_TABLE_BYTES)))
        .route("/admin/rules", get(rules::get).post(rules::post))
        .route("/admin/quarantine", get(quarantine::get))
        .route("/admin/quarantine/{id}", get(quarantine::one).post(quarantine::post))
        .route("/admin/quarantine/{id}/bytes", get(quarantine::bytes))
        .route("/admin/audit", get(audit::get))
        .route("/admin/audit/check", post(audit::check).get(async || go("/admin/audit")))
}

/// Lets only administrators pass.
fn keeper(visit: &Visit) -> Result<(), Fault> {
    if visit.administers() { Ok(()) } else { Err(Fault::Role) }
}

/// Lets only those change what holds for the whole district who answer for all of it.
fn district_keeper(visit: &Visit) -> Result<(), Fault> {
    if exchanged::may(visit) { Ok(()) } else { Err(Fault::Role) }
}

/// `GET /admin`: where everything is.
async fn index(visit: Visit) -> Response {
    let lang = visit.lang;
    if let Err(fault) = keeper(&visit) {
        return visit.answer(Err(fault));
    }
    let row = |href: &str, title, what| vec![Cell::link(lang.say(title), href), Cell::of(lang.say(what))];
    let rows = vec![
        row("/admin/users", "admin.users", "admin.users_what"),
        row("/admin/phones", "admin.phones", "admin.phones_what"),
        row("/admin/org", "admin.org", "admin.org_what"),
        row("/admin/categories", "admin.categories", "admin.categories_what"),
        row("/admin/reasons", "admin.reasons", "admin.reasons_what"),
        row("/admin/limits", "admin.limits", "admin.limits_what"),
        row("/admin/rules", "admin.rules", "admin.rules_what"),
        row("/admin/quarantine", "admin.quarantine", "admin.quarantine_what"),
        row("/admin/audit", "admin.audit", "admin.audit_what"),
    ];
    let title = lang.say("nav.admin").to_owned();
    let heads = vec![lang.say("admin.page"), lang.say("admin.what")];
    let table = Table { id: "places", title: title.clone(), heads, rows, ..Table::default() };
    Sheet::new(&visit, title).intro(lang.say("admin.intro")).table(table).show(StatusCode::OK)
}
