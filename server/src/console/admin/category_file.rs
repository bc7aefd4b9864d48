//! Another category file (核对新文件): what it would change, what stands against it, putting it in force; and the one in force,
//! to be changed and brought again.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use xunge_client_core::model::Sha256;

use super::exchanged::{Asked, Exchange};
use super::sheet::{Cell, saved};
use crate::console::fault::Fault;
use crate::console::sent::Sent;
use crate::console::visit::Visit;
use crate::domain::directory::trees::{self, Outcome, Plan, What};
use crate::reference::category_file;

/// Most bytes of a form: a file that was checked comes back a third longer, as letters.
pub(super) const MAX_BODY_BYTES: usize = 2 << 20;

/// The page.
pub(super) const PAGE: Exchange = Exchange {
    here: "/admin/categories",
    accept: ".csv,text/csv",
    most: category_file::MAX_BYTES,
    check: "org.check",
    check_way: "category.check_way",
    file: "category.file",
    too_large: "category.too_large",
    would_way: "category.would_way",
    about: "list.category",
    refused: "category.refused",
    apply_way: "category.apply_way",
};

/// `GET /admin/categories.csv?scheme=S`: the trees in force, or one of them.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = file(&visit, &query).await;
    visit.answer(answer)
}

async fn file(visit: &Visit, query: &Sent) -> Result<Response, Fault> {
    super::keeper(visit)?;
    let store = &visit.app.services.store;
    let mut rows = store.read::<_, Fault, _>(|tx| Box::pin(async move { Ok(trees::in_force(tx).await?) })).await?;
    if let Some(scheme) = query.given("scheme") {
        rows.retain(|category| category.key.scheme == scheme);
    }
    if rows.is_empty() {
        return Err(Fault::NotFound);
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"categories.csv\""),
    ];
    // Without the mark spreadsheets take the bytes for another encoding.
    Ok((headers, format!("\u{feff}{}", category_file::write(rows.iter()))).into_response())
}

/// `POST /admin/categories`: checks a file, or puts the one that was checked in force.
pub(crate) async fn post(visit: Visit, request: Request) -> Response {
    let answer = act(&visit, request).await;
    visit.answer(answer)
}

async fn act(visit: &Visit, request: Request) -> Result<Response, Fault> {
    let (asked, file) = match PAGE.take(visit, request).await? {
        Ok(taken) => taken,
        Err(page) => return Ok(page),
    };
    let rows = match category_file::read(&file) {
        Ok(rows) => Arc::new(rows),
        Err(problems) => return Ok(PAGE.problems(visit, &problems)),
    };
    let services = &visit.app.services;
    let limits = services.timetable.now().timetable.limits.clone();
    if asked == Asked::Check {
        let plan = services
            .store
            .read::<_, Fault, _>(move |tx| Box::pin(async move { Ok(trees::plan(tx, &rows, &limits).await?) }))
            .await?;
        return Ok(would(visit, &plan, &file));
    }
    let (by, now, sha256) = (visit.viewer.user.clone(), services.security.now(), Sha256::of(&file));
    let outcome = services
        .store
        .write::<_, Fault, _>(move |tx| {
            Box::pin(async move { Ok(trees::apply(tx, &by, &rows, &limits, &sha256, now).await?) })
        })
        .await?;
    Ok(match outcome {
        Outcome::Done(_) => saved(PAGE.here),
        // The trees may have changed since the file was checked.
        Outcome::Same => would(visit, &Plan::default(), &file),
        Outcome::Refused(plan) => would(visit, &plan, &file),
    })
}

/// What a file would change, and what stands against it.
fn would(visit: &Visit, plan: &Plan, file: &[u8]) -> Response {
    let lang = visit.lang;
    let about = |code: &str, name: &str, _| Cell::of(name).and(code);
    let side = |what, value: &str| match (what, value) {
        (What::SelfHandling, "yes") => Cell::of(lang.say("category.yes")),
        (What::SelfHandling, _) => Cell::of(lang.say("category.no")),
        (What::Retired, "yes") => Cell::of(lang.say("reason.retired")),
        (What::Retired, _) => Cell::of(lang.say("reason.in_use")),
        _ => Cell::of(value),
    };
    PAGE.would(visit, plan, file, about, side)
}
