//! Another org file (核对新文件): what it would change, what stands against it, and putting it in force.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use xunge_client_core::model::Sha256;

use super::exchanged::{Asked, Exchange, words};
use super::sheet::{Cell, saved};
use crate::console::choices;
use crate::console::fault::Fault;
use crate::console::visit::Visit;
use crate::domain::directory::changes::What;
use crate::domain::directory::exchange::{self, Outcome, Plan};
use crate::reference::org_file::OrgFile;

/// Most bytes of a form: a file that was checked comes back a third longer, as letters.
pub(super) const MAX_BODY_BYTES: usize = 6 << 20;

/// The page.
pub(super) const PAGE: Exchange = Exchange {
    here: "/admin/org",
    accept: ".json,application/json",
    // Many times the largest district. Larger ones are put in force from the command line.
    most: 4 << 20,
    check: "org.check",
    check_way: "org.check_way",
    file: "org.file",
    too_large: "org.too_large",
    would_way: "org.would_way",
    about: "org.about",
    refused: "org.refused",
    apply_way: "org.apply_way",
};

/// `POST /admin/org`: checks a file, or puts the one that was checked in force.
pub(crate) async fn post(visit: Visit, request: Request) -> Response {
    let answer = act(&visit, request).await;
    visit.answer(answer)
}

async fn act(visit: &Visit, request: Request) -> Result<Response, Fault> {
    let (asked, file) = match PAGE.take(visit, request).await? {
        Ok(taken) => taken,
        Err(page) => return Ok(page),
    };
    let org = match OrgFile::tree(&String::from_utf8_lossy(&file)) {
        Ok(org) => Arc::new(org),
        Err(problems) => return Ok(PAGE.problems(visit, &problems)),
    };
    let store = &visit.app.services.store;
    if asked == Asked::Check {
        let plan =
            store.read::<_, Fault, _>(move |tx| Box::pin(async move { Ok(exchange::plan(tx, &org).await?) })).await?;
        return Ok(would(visit, &plan, &file));
    }
    let (by, now) = (visit.viewer.user.clone(), visit.app.services.security.now());
    let sha256 = Sha256::of(&file);
    let outcome = store
        .write::<_, Fault, _>(move |tx| {
            Box::pin(async move { Ok(exchange::apply(tx, &by, &org, &sha256, now).await?) })
        })
        .await?;
    Ok(match outcome {
        Outcome::Done(_) => saved(PAGE.here),
        // The tree may have changed since the file was checked.
        Outcome::Same => would(visit, &Plan::default(), &file),
        Outcome::Refused(plan) => would(visit, &plan, &file),
    })
}

/// What a file would change, and what stands against it.
fn would(visit: &Visit, plan: &Plan, file: &[u8]) -> Response {
    let lang = visit.lang;
    let about = |code: &str, name: &str, what| match what {
        What::MapNote => Cell::of(words(lang, what)),
        _ => Cell::of(name).and(code),
    };
    let side = |what, value: &str| match what {
        What::Outline => Cell::of(lang.fill("org.corners", &[("n", value)])),
        What::Kind => Cell::of(lang.word("unit_kind", value)),
        What::Parent | What::District | What::Street => Cell::of(choices::place(&visit.directory, value)).and(value),
        _ => Cell::of(value),
    };
    PAGE.would(visit, plan, file, about, side)
}
