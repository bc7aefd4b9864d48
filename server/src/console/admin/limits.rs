//! Working time and time limits (时限与日历): what is in force and where it is from, and how it is exchanged.
//!
//! Two steps: a file is checked and the page says what it would change; only then it is put in force.

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::Response;
use xunge_client_core::model::LocalDay;
use xunge_client_core::workflow::deadline::LimitRule;

use super::exchanged;
use super::sheet::{Cell, PlainForm, Sheet, Table, saved};
use crate::console::fault::Fault;
use crate::console::field::{Choice, Field, Kind};
use crate::console::sent::{Sent, SentForm};
use crate::console::visit::Visit;
use crate::console::{choices, multipart, words};
use crate::domain::timetable_changes::{self as changes, Change, Changes};
use crate::domain::timetables::{self, InForce, Kind as Which, Source};
use crate::reference::timetable::Timetable;

/// Address of the page.
const HERE: &str = "/admin/limits";
/// Most characters of a file's name.
const MAX_NAME: usize = 80;

/// `GET /admin/limits`.
pub(crate) async fn get(visit: Visit) -> Response {
    let answer = super::keeper(&visit).map(|()| overview(&visit, &Sent::default(), "").show(StatusCode::OK));
    visit.answer(answer)
}

/// `POST /admin/limits`: checks a file, puts it in force, or goes back to the server's own.
pub(crate) async fn post(visit: Visit, request: Request) -> Response {
    let answer = act(&visit, request).await;
    visit.answer(answer)
}

async fn act(visit: &Visit, request: Request) -> Result<Response, Fault> {
    super::district_keeper(visit)?;
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let (sent, file) = if kind.starts_with("multipart/") {
        let (sent, mut files) = multipart::take(request).await.ok_or(Fault::BadRequest)?;
        (sent, files.pop())
    } else {
        let SentForm(sent) = match SentForm::from_request(request, &()).await {
            Ok(form) => form,
            Err(never) => match never {},
        };
        (sent, None)
    };
    let form = SentForm(sent);
    visit.admit(&form)?;
    let SentForm(sent) = form;
    let which = Which::from_code(sent.get("table")).ok_or(Fault::BadRequest)?;
    let table = match file {
        Some(file) => Source::file(&name(&file.file), &String::from_utf8_lossy(&file.bytes)),
        None => Source::file(&name(sent.get("name")), sent.get("text")),
    };
    match sent.get("do") {
        "check" => Ok(check(visit, &sent, which, &table)),
        "apply" => apply(visit, &sent, which, Some(table)).await,
        "back" => apply(visit, &sent, which, None).await,
        _ => Err(Fault::BadRequest),
    }
}

/// The name of a file without its folders, short enough for a page.
fn name(given: &str) -> String {
    let name = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect();
    if name.is_empty() { "table.csv".to_owned() } else { name }
}

fn check(visit: &Visit, sent: &Sent, which: Which, table: &Source) -> Response {
    let (lang, now) = (visit.lang, visit.app.services.timetable.now());
    let found = match changes::changes(&now, which, table) {
        Ok(found) => found,
        Err(error) => {
            let text = lang.fill("limits.broken", &[("why", &error.to_string())]);
            return overview(visit, sent, &text).show(StatusCode::UNPROCESSABLE_ENTITY);
        }
    };
    let title = lang.fill("limits.would", &[("table", label(visit, which)), ("n", &found.count().to_string())]);
    let mut page = Sheet::new(visit, lang.say("admin.limits")).intro(lang.say("limits.would_way")).table(Table {
        id: "changes",
        title,
        heads: ["limits.about", "limits.now", "limits.then"].map(|key| lang.say(key)).into(),
        rows: rows(visit, &found),
        empty: lang.say("limits.same"),
        ..Table::default()
    });
    if found.count() > 0 {
        page = page.form(PlainForm {
            action: HERE.to_owned(),
            title: lang.say("limits.apply"),
            intro: lang.fill("limits.apply_way", &[("name", &table.name)]),
            hidden: vec![
                ("do", "apply".to_owned()),
                ("table", which.code().to_owned()),
                ("name", table.name.clone()),
                ("text", table.text.clone()),
            ],
            button: lang.say("limits.apply"),
            tone: "main",
            ..PlainForm::default()
        });
    }
    page.button(HERE, lang.say("limits.not_now")).show(StatusCode::OK)
}

async fn apply(visit: &Visit, sent: &Sent, which: Which, table: Option<Source>) -> Result<Response, Fault> {
    let shared = &visit.app.services.timetable;
    // Once more: the form may come from yesterday.
    let wanted = table.clone().unwrap_or_else(|| shared.file(which).clone());
    if let Err(error) = shared.now().with(which, wanted) {
        let text = visit.lang.fill("limits.broken", &[("why", &error.to_string())]);
        return Ok(overview(visit, sent, &text).show(StatusCode::UNPROCESSABLE_ENTITY));
    }
    let (by, now) = (visit.viewer.user.clone(), visit.app.services.security.now());
    let (store, shared) = (visit.app.services.store.clone(), shared.clone());
    // A task of its own: whoever closes the browser meanwhile must not leave the old table in force.
    let done = tokio::spawn(async move {
        store
            .write::<_, Fault, _>(move |tx| {
                Box::pin(async move { Ok(timetables::publish(tx, &by, which, table.as_ref(), now).await?) })
            })
            .await?;
        store.read::<_, Fault, _>(move |tx| Box::pin(async move { Ok(shared.load(tx).await?) })).await
    });
    done.await.map_err(|error| Fault::broken(&error))??;
    Ok(saved(HERE))
}

fn label(visit: &Visit, which: Which) -> &'static str {
    visit.lang.say(match which {
        Which::Calendar => "limits.calendar",
        Which::Limits => "limits.limits",
    })
}

fn rows(visit: &Visit, found: &Changes) -> Vec<Vec<Cell>> {
    let lang = visit.lang;
    let none = || Cell::of(lang.say("app.none"));
    let of = |group: &str, code: Option<&String>| {
        code.map_or_else(none, |code| match code.split_once(' ') {
            Some((value, unit)) => Cell::of(format!("{value} {}", lang.word("limit_unit", unit))),
            None => Cell::of(lang.word(group, code)),
        })
    };
    match found {
        Changes::Days(days) => {
            let row = |it: &Change<LocalDay>| {
                vec![Cell::of(it.about.to_string()), of("day_kind", it.now.as_ref()), of("day_kind", it.then.as_ref())]
            };
            days.iter().map(row).collect()
        }
        Changes::Rules(rules) => {
            let row = |it: &Change<LimitRule>| {
                vec![Cell::of(about(visit, &it.about)), of("", it.now.as_ref()), of("", it.then.as_ref())]
            };
            rules.iter().map(row).collect()
        }
    }
}

/// What a rule is for: `处置 · 暴露垃圾 · 紧急`.
fn about(visit: &Visit, rule: &LimitRule) -> String {
    let lang = visit.lang;
    let mut parts = vec![lang.word("clock", rule.clock.code())];
    parts.extend(rule.category.as_ref().map(|key| choices::name(&visit.directory, &key.to_string())));
    parts.extend(rule.level.map(|level| lang.word("level", level.code())));
    parts.extend(rule.org.as_ref().map(|org| choices::place(&visit.directory, org.as_str())));
    parts.join(" · ")
}

fn overview(visit: &Visit, sent: &Sent, problem: &str) -> Sheet {
    let (lang, now) = (visit.lang, visit.app.services.timetable.now());
    let limit = |rule: &LimitRule| {
        let unit = lang.word("limit_unit", rule.limit.unit.code());
        vec![Cell::of(about(visit, rule)), Cell::of(format!("{} {unit}", rule.limit.value))]
    };
    let page = Sheet::new(visit, lang.say("admin.limits"))
        .intro(lang.say("limits.intro"))
        .problem(problem)
        .facts(facts(visit, &now))
        .table(Table {
            id: "limits",
            title: lang.say("limits.limits").to_owned(),
            heads: vec![lang.say("limits.about"), lang.say("limits.limit")],
            rows: now.timetable.limits.rules().iter().map(limit).collect(),
            empty: lang.say("limits.no_limit"),
            ..Table::default()
        })
        .table(calendar(visit, &now))
        .form(upload(visit, sent));
    let editions = Which::ALL.into_iter().filter(|which| now.source(*which).edition.is_some());
    let page = editions.fold(page, |page, which| {
        page.form(PlainForm {
            action: HERE.to_owned(),
            title: lang.say(match which {
                Which::Calendar => "limits.back_calendar",
                Which::Limits => "limits.back_limits",
            }),
            intro: lang.fill("limits.back_way", &[("name", &visit.app.services.timetable.file(which).name)]),
            hidden: vec![("do", "back".to_owned()), ("table", which.code().to_owned())],
            button: lang.say("limits.back"),
            folded: true,
            ..PlainForm::default()
        })
    });
    page.read_only(!exchanged::may(visit))
}

/// Where both tables are from, and the hours of a working day.
fn facts(visit: &Visit, now: &InForce) -> Vec<(&'static str, String)> {
    let lang = visit.lang;
    let from = |source: &Source| match &source.edition {
        None => lang.fill("limits.from_file", &[("name", &source.name)]),
        Some((number, at, by)) => lang.fill(
            "limits.from_edition",
            &[
                ("n", &number.to_string()),
                ("name", &source.name),
                ("by", by),
                ("at", &words::when(*at, visit.app.services.security.now())),
            ],
        ),
    };
    let minutes = now.timetable.calendar.minutes_a_day();
    let hours = lang.fill("limits.a_day", &[("h", &(minutes / 60).to_string()), ("m", &(minutes % 60).to_string())]);
    let spans = if now.hours.is_empty() { hours } else { format!("{}（{hours}）", now.hours.join("，")) };
    vec![
        (lang.say("limits.limits"), from(&now.limits)),
        (lang.say("limits.calendar"), from(&now.calendar)),
        (lang.say("limits.hours"), spans),
    ]
}

/// The days of this year and later that differ from Monday to Friday.
fn calendar(visit: &Visit, now: &InForce) -> Table {
    let lang = visit.lang;
    let year = visit.now.local_day().civil().0;
    let days = Timetable::days(&now.calendar.name, &now.calendar.text).unwrap_or_default();
    // Days that follow each other are one line.
    let mut spans: Vec<(LocalDay, LocalDay, &str)> = Vec::new();
    for (day, kind) in days.into_iter().filter(|(day, _)| day.civil().0 >= year) {
        match spans.last_mut().filter(|(_, last, of)| *of == kind && last.end() == day.start()) {
            Some((_, last, _)) => *last = day,
            None => spans.push((day, day, kind)),
        }
    }
    let span = |(first, last, kind): (LocalDay, LocalDay, &str)| {
        let days = match first == last {
            true => first.to_string(),
            false => lang.fill("list.for_period", &[("from", &first.to_string()), ("to", &last.to_string())]),
        };
        vec![Cell::of(days), Cell::of(lang.word("day_kind", kind))]
    };
    Table {
        id: "calendar",
        title: lang.say("limits.calendar").to_owned(),
        note: lang.fill("limits.calendar_way", &[("year", &year.to_string())]),
        heads: vec![lang.say("overview.day"), lang.say("limits.kind")],
        rows: spans.into_iter().map(span).collect(),
        empty: lang.say("limits.no_day"),
    }
}

fn upload(visit: &Visit, sent: &Sent) -> PlainForm {
    let lang = visit.lang;
    let current = sent.given("table").unwrap_or(Which::Limits.code());
    let choice = |which: Which| Choice::new(which.code(), label(visit, which), current);
    let tables = Which::ALL.map(choice).into();
    let optional = |field: Field| Field { optional: lang.say("act.optional"), ..field };
    PlainForm {
        action: HERE.to_owned(),
        title: lang.say("limits.check"),
        intro: lang.say("limits.check_way").to_owned(),
        hidden: vec![("do", "check".to_owned())],
        fields: vec![
            Field::new("table", lang.say("limits.table"), Kind::Radio(tables), current).needed(),
            optional(Field::new("file", lang.say("limits.file"), Kind::File(".csv,text/csv"), "")),
            optional(
                Field::new("text", lang.say("limits.paste"), Kind::Pasted, sent.get("text"))
                    .hinted(lang.say("limits.paste_hint")),
            ),
        ],
        button: lang.say("limits.check"),
        tone: "main",
        ..PlainForm::default()
    }
}
