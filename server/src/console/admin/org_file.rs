//! Another org file (核对新文件): what it would change, what stands against it, and putting it in force.
//!
//! Two steps: a file is checked and the page says what it would change; only then it is put in force.

use std::sync::Arc;

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use xunge_client_core::model::Sha256;

use super::sheet::{Cell, PlainForm, Sheet, Table, saved};
use crate::console::fault::Fault;
use crate::console::field::{Field, Kind};
use crate::console::lang::Lang;
use crate::console::sent::SentForm;
use crate::console::visit::Visit;
use crate::console::{choices, multipart};
use crate::domain::directory::changes::{Change, Numbers, What};
use crate::domain::directory::exchange::{self, Outcome, Plan};
use crate::domain::directory::refusal::Refusal;
use crate::reference::org_file::OrgFile;

/// Address of the page.
const HERE: &str = "/admin/org";
/// Most bytes of a file: many times the largest district. Larger ones are put in force from the command line.
const MAX_FILE_BYTES: usize = 4 << 20;
/// Most bytes of a form: a file that was checked comes back a third longer, as letters.
pub(super) const MAX_BODY_BYTES: usize = 6 << 20;

/// True for those who answer for the whole tree.
pub(super) fn may(visit: &Visit) -> bool {
    visit.administers() && visit.directory.districts().all(|code| visit.viewer.scope.contains(code))
}

/// `POST /admin/org`: checks a file, or puts the one that was checked in force.
pub(crate) async fn post(visit: Visit, request: Request) -> Response {
    let answer = act(&visit, request).await;
    visit.answer(answer)
}

async fn act(visit: &Visit, request: Request) -> Result<Response, Fault> {
    if !may(visit) {
        return Err(Fault::Role);
    }
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (form, file) = if kind.starts_with("multipart/") {
        let (sent, mut files) = multipart::take(request).await.ok_or(Fault::BadRequest)?;
        (SentForm(sent), files.pop().map(|file| file.bytes.to_vec()))
    } else {
        let form = match SentForm::from_request(request, &()).await {
            Ok(form) => form,
            Err(never) => match never {},
        };
        // Letters, because browsers change the line ends of words, and with them the hash of the file.
        let file = form.0.given("file").and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
        (form, file)
    };
    visit.admit(&form)?;
    let Some(file) = file else { return Ok(broken(visit, visit.lang.say("org.no_file"))) };
    if file.len() > MAX_FILE_BYTES {
        return Ok(broken(visit, visit.lang.say("org.too_large")));
    }
    let org = match OrgFile::tree(&String::from_utf8_lossy(&file)) {
        Ok(org) => Arc::new(org),
        Err(problems) => {
            let line = |zh: String, way: (&str, &str), en: String| match visit.lang {
                Lang::Zh => format!("{zh}。{}。", way.1),
                Lang::En => format!("{en}; {}. ", way.0),
            };
            let why: String = problems.iter().map(|it| line(it.zh(), it.way_out(), it.to_string())).collect();
            return Ok(broken(visit, &visit.lang.fill("org.broken", &[("why", why.trim_end())])));
        }
    };
    let store = &visit.app.services.store;
    match form.0.get("do") {
        "check" => {
            let plan = store
                .read::<_, Fault, _>(move |tx| Box::pin(async move { Ok(exchange::plan(tx, &org).await?) }))
                .await?;
            Ok(would(visit, &plan, &file))
        }
        "apply" => {
            let (by, now) = (visit.viewer.user.clone(), visit.app.services.security.now());
            let sha256 = Sha256::of(&file);
            let outcome = store
                .write::<_, Fault, _>(move |tx| {
                    Box::pin(async move { Ok(exchange::apply(tx, &by, &org, &sha256, now).await?) })
                })
                .await?;
            match outcome {
                Outcome::Done(_) => Ok(saved(HERE)),
                // The tree may have changed since the file was checked.
                Outcome::Same => Ok(would(visit, &Plan::default(), &file)),
                Outcome::Refused(plan) => Ok(would(visit, &plan, &file)),
            }
        }
        _ => Err(Fault::BadRequest),
    }
}

/// The form that brings a file.
pub(super) fn upload(visit: &Visit) -> PlainForm {
    let lang = visit.lang;
    PlainForm {
        action: HERE.to_owned(),
        title: lang.say("org.check"),
        intro: lang.say("org.check_way").to_owned(),
        hidden: vec![("do", "check".to_owned())],
        fields: vec![Field::new("file", lang.say("org.file"), Kind::File(".json,application/json"), "").needed()],
        button: lang.say("org.check"),
        tone: "main",
        ..PlainForm::default()
    }
}

fn sheet(visit: &Visit) -> Sheet {
    Sheet::new(visit, visit.lang.say("org.check")).button(HERE, visit.lang.say("org.not_now"))
}

fn broken(visit: &Visit, why: &str) -> Response {
    sheet(visit).problem(why).form(upload(visit)).show(StatusCode::UNPROCESSABLE_ENTITY)
}

/// What a file would change, and what stands against it.
fn would(visit: &Visit, plan: &Plan, file: &[u8]) -> Response {
    let lang = visit.lang;
    let Numbers { added, changed, removed } = Numbers::of(&plan.changes);
    let [a, c, r] = [added, changed, removed].map(|n| n.to_string());
    let mut page = sheet(visit).intro(lang.say("org.would_way"));
    if !plan.refusals.is_empty() {
        page = page.problem(&lang.fill("org.refused", &[("n", &plan.refusals.len().to_string())])).table(Table {
            id: "refusals",
            title: lang.say("org.refusals").to_owned(),
            heads: ["org.about", "org.what", "org.reason", "org.way"].map(|key| lang.say(key)).into(),
            rows: plan.refusals.iter().map(|refusal| refused(lang, refusal)).collect(),
            ..Table::default()
        });
    }
    page = page.table(Table {
        id: "changes",
        title: lang.fill("org.would", &[("a", &a), ("c", &c), ("r", &r)]),
        heads: ["org.about", "org.what", "limits.now", "limits.then"].map(|key| lang.say(key)).into(),
        rows: plan.changes.iter().map(|change| row(visit, change)).collect(),
        empty: lang.say(if plan.refusals.is_empty() { "limits.same" } else { "org.not_compared" }),
        ..Table::default()
    });
    if !plan.refusals.is_empty() {
        return page.form(upload(visit)).show(StatusCode::UNPROCESSABLE_ENTITY);
    }
    if !plan.changes.is_empty() {
        page = page.form(PlainForm {
            action: HERE.to_owned(),
            title: lang.say("org.apply"),
            intro: lang.say("org.apply_way").to_owned(),
            hidden: vec![("do", "apply".to_owned()), ("file", URL_SAFE_NO_PAD.encode(file))],
            button: lang.say("org.apply"),
            tone: "main",
            ..PlainForm::default()
        });
    }
    page.show(StatusCode::OK)
}

fn about(lang: Lang, code: &str, name: &str, what: What) -> Cell {
    match what {
        What::MapNote => Cell::of(said(lang, what)),
        _ => Cell::of(name).and(code),
    }
}

fn said(lang: Lang, what: What) -> &'static str {
    match lang {
        Lang::Zh => what.zh(),
        Lang::En => what.en(),
    }
}

fn refused(lang: Lang, it: &Refusal) -> Vec<Cell> {
    let (en, zh) = it.way_out();
    let (reason, way) = match lang {
        Lang::Zh => (it.zh(), zh),
        Lang::En => (it.to_string(), en),
    };
    vec![about(lang, &it.code, &it.name, it.what), Cell::of(said(lang, it.what)), Cell::of(reason), Cell::of(way)]
}

fn row(visit: &Visit, change: &Change) -> Vec<Cell> {
    let lang = visit.lang;
    let side = |value: Option<&String>| match (value, change.what) {
        (None, _) => Cell::of(lang.say("app.none")),
        (Some(n), What::Outline) => Cell::of(lang.fill("org.corners", &[("n", n)])),
        (Some(kind), What::Kind) => Cell::of(lang.word("unit_kind", kind)),
        (Some(code), What::Parent | What::District | What::Street) => {
            Cell::of(choices::place(&visit.directory, code)).and(code)
        }
        (Some(words), _) => Cell::of(words),
    };
    let tone = match change.what {
        What::Removed => "warn",
        _ => "-",
    };
    vec![
        about(lang, &change.code, &change.name, change.what),
        Cell::tagged(said(lang, change.what), tone),
        side(change.now.as_ref()),
        side(change.then.as_ref()),
    ]
}
