//! One phone: whose, when last heard, what is still on it, and how it is shut out.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{CaseId, DeviceId};

use super::qr;
use super::sheet::{Cell, PlainForm, Secret, Sheet, Table, saved};
use crate::auth::device::DeviceInfo;
use crate::auth::enrol;
use crate::console::fault::Fault;
use crate::console::field::{Field, Kind};
use crate::console::flash::short;
use crate::console::sent::SentForm;
use crate::console::visit::Visit;
use crate::console::{choices, link, phones as phones_page, words};
use crate::domain::phones::{self, PhoneRow};

/// `GET /admin/phones/{id}`.
pub(crate) async fn get(visit: Visit, Path(id): Path<String>) -> Response {
    let answer = page(&visit, &id, "").await;
    visit.answer(answer)
}

/// `POST /admin/phones/{id}`: shuts it out.
pub(crate) async fn post(visit: Visit, Path(id): Path<String>, form: SentForm) -> Response {
    let answer = revoke(&visit, &id, form).await;
    visit.answer(answer)
}

async fn revoke(visit: &Visit, id: &str, form: SentForm) -> Result<Response, Fault> {
    super::keeper(visit)?;
    visit.admit(&form)?;
    let (device, _) = load(visit, id).await?;
    if form.0.get("sure") != "yes" {
        return page(visit, id, visit.lang.say("admin.not_sure")).await;
    }
    let (by, now, key) = (visit.viewer.user.clone(), visit.app.services.security.now(), device.info.id);
    let store = &visit.app.services.store;
    store.write::<_, Fault, _>(move |tx| Box::pin(async move { Ok(phones::revoke(tx, &by, key, now).await?) })).await?;
    Ok(saved(&format!("/admin/phones/{key}")))
}

/// The phone, if this administrator answers for it, and the cases whose photos have not come.
async fn load(visit: &Visit, id: &str) -> Result<(PhoneRow, Vec<(CaseId, i64)>), Fault> {
    let id: DeviceId = id.parse().map_err(|_| Fault::NotFound)?;
    let viewer = visit.viewer.clone();
    let found = visit
        .app
        .services
        .store
        .read::<_, Fault, _>(move |tx| {
            Box::pin(async move {
                let Some(phone) = phones::one(tx, &viewer, id).await? else { return Ok(None) };
                Ok(Some((phone, phones::missing_photos(tx, id).await?)))
            })
        })
        .await?;
    found.ok_or(Fault::NotFound)
}

async fn page(visit: &Visit, id: &str, problem: &str) -> Result<Response, Fault> {
    super::keeper(visit)?;
    let (phone, missing) = load(visit, id).await?;
    let (lang, info, now) = (visit.lang, &phone.info, visit.app.services.security.now());
    let row = |(case, n): &(CaseId, i64)| {
        vec![Cell::link(short(*case), format!("/cases/{case}")).and(case.to_string()), Cell::count(*n)]
    };
    let unit = phone.unit.as_ref().map(|unit| choices::place(&visit.directory, unit.as_str())).unwrap_or_default();
    let seen = info.last_seen_at.map_or_else(
        || lang.say("phones.never").to_owned(),
        |at| format!("{} {}", words::when(at, now), words::ago(lang, at, now)),
    );
    let (since, ago) = phones_page::since(visit, info);
    let waiting = format!("{since} {ago}");
    let mut page = Sheet::new(visit, info.name.clone())
        .button("/phones", lang.say("phones.all"))
        .button(format!("/admin/users/{}", link::encode(&info.user)), lang.say("phones.to_user"))
        .problem(problem)
        .facts(vec![
            (lang.say("phones.user"), format!("{} {}", phone.user_name, info.user)),
            (lang.say("phones.unit"), unit),
            (lang.say("phones.state"), lang.say(state(info)).to_owned()),
            (lang.say("phones.enrolled"), words::when(info.enrolled_at, now)),
            (lang.say("phones.seen"), seen),
            (lang.say("phones.revoked_at"), info.revoked_at.map(|at| words::when(at, now)).unwrap_or_default()),
            (lang.say("phones.waiting"), info.waiting_cases.to_string()),
            (lang.say("phones.waiting_photos"), info.waiting_photos.to_string()),
            (lang.say("phones.since"), waiting.trim_end().to_owned()),
            (lang.say("phones.id"), info.id.to_string()),
        ])
        .table(Table {
            id: "missing",
            title: lang.say("phones.missing").to_owned(),
            note: lang.say("phones.missing_way").to_owned(),
            heads: vec![lang.say("list.title"), lang.say("list.photos")],
            rows: missing.iter().map(row).collect(),
            empty: lang.say("phones.missing_none"),
        });
    if info.revoked_at.is_none() {
        page = page.form(PlainForm {
            action: format!("/admin/phones/{}", info.id),
            title: lang.say("phones.revoke"),
            intro: lang.say("phones.revoke_way").to_owned(),
            fields: vec![Field::new("sure", lang.say("phones.revoke_sure"), Kind::Check, "").needed()],
            button: lang.say("phones.revoke"),
            tone: "grave",
            folded: true,
            ..PlainForm::default()
        });
    }
    Ok(page.show(if problem.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }))
}

/// How a phone stands, by its key of words.
fn state(info: &DeviceInfo) -> &'static str {
    match (info.revoked_at, info.cloned_at) {
        (Some(_), _) => "phones.revoked",
        (None, Some(_)) => "phones.cloned",
        (None, None) => "phones.ok",
    }
}

/// A phone in the table of its user.
pub(super) fn row(visit: &Visit, info: &DeviceInfo) -> Vec<Cell> {
    let (lang, now) = (visit.lang, visit.app.services.security.now());
    let seen = info.last_seen_at.map_or_else(
        || Cell::of(lang.say("phones.never")),
        |at| Cell::of(words::when(at, now)).and(words::ago(lang, at, now)),
    );
    let (since, ago) = phones_page::since(visit, info);
    vec![
        Cell::link(&*info.name, format!("/admin/phones/{}", info.id)),
        seen,
        Cell::count(info.waiting_cases),
        Cell::count(info.waiting_photos),
        Cell::of(since).and(ago),
        Cell::of(lang.say(state(info))),
    ]
}

/// An enrolment code that was made just now, with a picture for the phone's camera if the server knows its address.
pub(super) fn code(visit: &Visit, code: &str) -> Secret {
    let lang = visit.lang;
    let server = visit.app.config.public_url.as_deref();
    Secret {
        label: lang.say("user.code_shown").to_owned(),
        text: code.to_owned(),
        way: lang.say(if server.is_some() { "user.code_scan" } else { "user.code_type" }).to_owned(),
        picture: server.map(|server| qr::svg(&enrol::link(code, server), lang.say("user.code_qr"))).unwrap_or_default(),
    }
}
