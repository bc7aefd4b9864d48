//! What was put aside (隔离区): list, look, let in, drop.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use xunge_client_core::model::{Millis, Ulid};

use super::sheet::{Cell, PlainForm, Sheet, Table, saved};
use crate::console::fault::Fault;
use crate::console::field::{Field, Kind};
use crate::console::flash::short;
use crate::console::sent::{Sent, SentForm};
use crate::console::visit::Visit;
use crate::console::{link, words};
use crate::domain::quarantine::{self, Kept};
use crate::sync::release::{ReleaseRefusal, release};

/// Address of the list.
const HERE: &str = "/admin/quarantine";
/// Things on a page.
const PAGE: usize = 100;
/// Most characters of the words why something is dropped.
const MAX_WHY: usize = 200;

/// `GET /admin/quarantine`.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = list(&visit, &query).await;
    visit.answer(answer)
}

/// `GET /admin/quarantine/{id}`.
pub(crate) async fn one(visit: Visit, Path(id): Path<String>) -> Response {
    let answer = page(&visit, &id, "").await;
    visit.answer(answer)
}

/// `GET /admin/quarantine/{id}/bytes`: as they came, to be looked at with tools.
pub(crate) async fn bytes(visit: Visit, Path(id): Path<String>) -> Response {
    let answer = async {
        super::keeper(&visit)?;
        let (kept, bytes) = load(&visit, &id).await?;
        let name = format!("attachment; filename=\"{}.bin\"", kept.id);
        let headers =
            [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_DISPOSITION, name)];
        Ok((headers, bytes).into_response())
    };
    let answer = answer.await;
    visit.answer(answer)
}

/// `POST /admin/quarantine/{id}`: lets a bundle in, or drops what is there.
pub(crate) async fn post(visit: Visit, Path(id): Path<String>, form: SentForm) -> Response {
    let answer = act(&visit, &id, form).await;
    visit.answer(answer)
}

async fn act(visit: &Visit, id: &str, form: SentForm) -> Result<Response, Fault> {
    super::keeper(visit)?;
    visit.admit(&form)?;
    let (kept, _) = load(visit, id).await?;
    let (by, now, app) = (visit.viewer.user.clone(), visit.app.services.security.now(), &visit.app);
    let why = form.0.get("why").to_owned();
    match form.0.get("do") {
        "release" => match release(&app.sync, &app.uploads, app.keys.sealing_secret(), &by, kept.id).await {
            Ok(_) => Ok(saved(HERE)),
            Err(ReleaseRefusal::Unknown) => Err(Fault::NotFound),
            Err(refusal) => {
                let text = visit.lang.fill("quarantine.refused", &[("why", &refusal.to_string())]);
                page(visit, id, &text).await
            }
        },
        "drop" if why.is_empty() || why.chars().count() > MAX_WHY => {
            page(visit, id, visit.lang.say("quarantine.why_needed")).await
        }
        "drop" => {
            let key = kept.id;
            let done = app.services.store.write::<_, Fault, _>(move |tx| {
                Box::pin(async move { Ok(quarantine::remove(tx, &by, key, "quarantine.dropped", &why, now).await?) })
            });
            if done.await? { Ok(saved(HERE)) } else { Err(Fault::NotFound) }
        }
        _ => Err(Fault::BadRequest),
    }
}

async fn load(visit: &Visit, id: &str) -> Result<(Kept, Vec<u8>), Fault> {
    let id: Ulid = id.parse().map_err(|_| Fault::NotFound)?;
    let (keeper, directory) = (visit.viewer.scope.clone(), visit.directory.clone());
    let found = visit.app.services.store.read::<_, Fault, _>(move |tx| {
        Box::pin(async move {
            let Some((kept, bytes)) = quarantine::find(tx, id).await? else { return Ok(None) };
            let mine = quarantine::is_kept_by(tx, &directory, &keeper, &kept.user).await?;
            Ok(mine.then_some((kept, bytes)))
        })
    });
    found.await?.ok_or(Fault::NotFound)
}

async fn list(visit: &Visit, query: &Sent) -> Result<Response, Fault> {
    super::keeper(visit)?;
    let (lang, now) = (visit.lang, visit.app.services.security.now());
    let (keeper, directory) = (visit.viewer.scope.clone(), visit.directory.clone());
    let behind =
        query.get("after").split_once('.').and_then(|(at, id)| Some((Millis(at.parse().ok()?), id.parse().ok()?)));
    let (kept, more) = visit
        .app
        .services
        .store
        .read::<_, Fault, _>(move |tx| {
            Box::pin(async move { Ok(quarantine::page(tx, &directory, &keeper, behind, PAGE).await?) })
        })
        .await?;
    let next = kept.last().filter(|_| more).map(|last| {
        let place = format!("{}.{}", last.at.0, last.id);
        link::with(HERE, [("after", place.as_str())])
    });
    let row = |it: &Kept| {
        let case = it.case.map_or_else(Cell::default, |case| Cell::link(short(case), format!("/cases/{case}")));
        vec![
            Cell::link(words::when(it.at, now), format!("/admin/quarantine/{}", it.id)),
            Cell::of(kind(visit, it)),
            Cell::link(&*it.user, format!("/admin/users/{}", link::encode(&it.user))),
            case,
            Cell { code: true, ..Cell::of(&*it.code) },
            Cell { number: true, ..Cell::of(it.bytes.to_string()) },
        ]
    };
    let title = lang.say("admin.quarantine").to_owned();
    let table = Table {
        id: "quarantine",
        title: title.clone(),
        heads: ["audit.at", "quarantine.kind", "phones.user", "list.title", "quarantine.code", "quarantine.bytes"]
            .map(|key| lang.say(key))
            .into(),
        rows: kept.iter().map(row).collect(),
        empty: lang.say("quarantine.none"),
        ..Table::default()
    };
    let intro = lang.fill("quarantine.intro", &[("days", &quarantine::KEPT_DAYS.to_string())]);
    Ok(Sheet::new(visit, title)
        .intro(&intro)
        .table(table)
        .pages(behind.map(|_| HERE.to_owned()), next)
        .show(StatusCode::OK))
}

fn kind(visit: &Visit, kept: &Kept) -> &'static str {
    visit.lang.say(if kept.kind == "bundle" { "quarantine.bundle" } else { "quarantine.change" })
}

async fn page(visit: &Visit, id: &str, problem: &str) -> Result<Response, Fault> {
    super::keeper(visit)?;
    let (kept, _) = load(visit, id).await?;
    let (lang, now) = (visit.lang, visit.app.services.security.now());
    let form = |what: &str, title, intro, tone| PlainForm {
        action: format!("/admin/quarantine/{}", kept.id),
        title: lang.say(title),
        intro: lang.say(intro).to_owned(),
        hidden: vec![("do", what.to_owned())],
        button: lang.say(title),
        tone,
        folded: true,
        ..PlainForm::default()
    };
    let mut page = Sheet::new(visit, format!("{} {}", kind(visit, &kept), words::when(kept.at, now)))
        .button(HERE, lang.say("admin.quarantine"))
        .button(format!("/admin/quarantine/{}/bytes", kept.id), lang.say("quarantine.download"))
        .problem(problem)
        .facts(vec![
            (lang.say("quarantine.code"), kept.code.clone()),
            (lang.say("quarantine.field"), kept.field.clone().filter(|_| kept.case.is_some()).unwrap_or_default()),
            (lang.say("list.title"), kept.case.map(|case| case.to_string()).unwrap_or_default()),
            (lang.say("phones.user"), kept.user.clone()),
            (lang.say("phones.name"), kept.device.to_string()),
            (lang.say("quarantine.bytes"), kept.bytes.to_string()),
            (lang.say("phones.id"), kept.id.to_string()),
        ]);
    if kept.kind == "bundle" {
        page = page.form(form("release", "quarantine.release", "quarantine.release_way", "main"));
    }
    let why = Field::new("why", lang.say("quarantine.why"), Kind::Line("text"), "").needed();
    let drop = form("drop", "quarantine.drop", "quarantine.drop_way", "grave");
    page = page.form(PlainForm { fields: vec![why], ..drop });
    Ok(page.show(if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }))
}
