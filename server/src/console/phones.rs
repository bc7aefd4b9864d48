//! The phones (手机): what has not arrived yet, and on whose phone it is.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::choices;
use super::fault::Fault;
use super::page::{Page, show};
use super::sent::Sent;
use super::visit::Visit;
use super::words;
use crate::auth::device::DeviceInfo;
use crate::domain::phones::{self, PhoneRow};

#[derive(Template)]
#[template(path = "phones.html")]
struct PhonesPage {
    p: Page,
    total: String,
    switch: (String, &'static str),
    rows: Vec<Row>,
    empty: &'static str,
    empty_way: &'static str,
}

struct Row {
    /// Where more is said and it can be shut out; empty for those who may not.
    href: String,
    user: String,
    unit: String,
    name: String,
    cases: i64,
    photos: i64,
    /// Since when the oldest of these waits, and how long that is; or words for none.
    since: (String, String),
    seen: String,
    ago: String,
    state: &'static str,
    waiting: bool,
}

/// `GET /phones`.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = page(&visit, query.get("show") == "waiting").await;
    visit.answer(answer)
}

async fn page(visit: &Visit, only_waiting: bool) -> Result<Response, Fault> {
    if !visit.keeps_phones() {
        return Err(Fault::Role);
    }
    let (lang, viewer) = (visit.lang, visit.viewer.clone());
    let store = &visit.app.services.store;
    let all =
        store.read::<_, Fault, _>(move |tx| Box::pin(async move { Ok(phones::list(tx, &viewer).await?) })).await?;
    let sum = |of: fn(&PhoneRow) -> i64| all.iter().map(of).sum::<i64>().to_string();
    let total = lang.fill(
        "phones.total",
        &[
            ("phones", &all.len().to_string()),
            ("cases", &sum(|it| it.info.waiting_cases)),
            ("photos", &sum(|it| it.info.waiting_photos)),
        ],
    );
    let (empty, empty_way) = match all.is_empty() {
        true => ("phones.none", "phones.none_way"),
        false => ("phones.empty", "phones.empty_way"),
    };
    let (href, label) = match only_waiting {
        true => ("/phones", "phones.all"),
        false => ("/phones?show=waiting", "phones.only_waiting"),
    };
    let rows = all.iter().map(|it| row(visit, it)).filter(|row| row.waiting || !only_waiting).collect();
    let page = PhonesPage {
        p: visit.page(lang.say("phones.title")),
        total,
        switch: (href.to_owned(), lang.say(label)),
        rows,
        empty: lang.say(empty),
        empty_way: lang.say(empty_way),
    };
    Ok(show(StatusCode::OK, &page))
}

fn row(visit: &Visit, row: &PhoneRow) -> Row {
    let (lang, info) = (visit.lang, &row.info);
    let seen = info.last_seen_at;
    let state = match (info.cloned_at, info.revoked_at) {
        (Some(_), _) => "phones.cloned",
        (None, Some(_)) => "phones.revoked",
        (None, None) => "phones.ok",
    };
    Row {
        href: if visit.administers() { format!("/admin/phones/{}", info.id) } else { String::new() },
        user: row.user_name.clone(),
        unit: row.unit.as_ref().map(|unit| choices::place(&visit.directory, unit.as_str())).unwrap_or_default(),
        name: info.name.clone(),
        cases: info.waiting_cases,
        photos: info.waiting_photos,
        since: since(visit, info),
        // Phones are heard by the security clock, which is always real.
        seen: seen.map_or_else(
            || lang.say("phones.never").to_owned(),
            |at| words::when(at, visit.app.services.security.now()),
        ),
        ago: seen.map(|at| words::ago(lang, at, visit.app.services.security.now())).unwrap_or_default(),
        state: lang.say(state),
        waiting: info.waits(),
    }
}

/// Since when the oldest of what is on a phone waits, and how long ago that is; words that it is not so, and nothing, where
/// nothing waits.
pub(super) fn since(visit: &Visit, info: &DeviceInfo) -> (String, String) {
    let (lang, now) = (visit.lang, visit.app.services.security.now());
    match info.waiting_since() {
        Some(at) => (words::when(at, now), words::ago(lang, at, now)),
        None if info.waits() => (lang.say("phones.since_unknown").to_owned(), String::new()),
        None => (lang.say("phones.since_none").to_owned(), String::new()),
    }
}
