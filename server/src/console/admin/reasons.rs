//! Reasons for a void (作废原因): the fixed ones and the district's own, in use or retired.

use axum::http::StatusCode;
use axum::response::Response;

use super::exchanged;
use super::sheet::{Cell, PlainForm, Sheet, Table, saved};
use crate::console::fault::Fault;
use crate::console::field::{Field, Kind};
use crate::console::forms::reason_words;
use crate::console::sent::{Sent, SentForm};
use crate::console::visit::Visit;
use crate::console::words;
use crate::domain::void_reasons::{self, Reason, ReasonProblem};

/// Address of the page.
const HERE: &str = "/admin/reasons";

/// `GET /admin/reasons`.
pub(crate) async fn get(visit: Visit) -> Response {
    let answer = super::keeper(&visit).map(|()| sheet(&visit, &Sent::default(), None).show(StatusCode::OK));
    visit.answer(answer)
}

/// `POST /admin/reasons`: adds one, retires one, or takes one back into use.
pub(crate) async fn post(visit: Visit, form: SentForm) -> Response {
    let answer = act(&visit, form).await;
    visit.answer(answer)
}

async fn act(visit: &Visit, form: SentForm) -> Result<Response, Fault> {
    super::district_keeper(visit)?;
    visit.admit(&form)?;
    let SentForm(sent) = form;
    let (by, now) = (visit.viewer.user.clone(), visit.app.services.security.now());
    let store = &visit.app.services.store;
    match sent.get("do") {
        what @ ("retire" | "restore") => {
            let (key, retired) = (sent.get("key").to_owned(), what == "retire");
            let done = store.write::<_, Fault, _>(move |tx| {
                Box::pin(async move { Ok(void_reasons::set_retired(tx, &by, &key, retired, now).await?) })
            });
            if done.await? { Ok(saved(HERE)) } else { Err(Fault::BadRequest) }
        }
        "add" => {
            let (zh, en) = (sent.get("zh").to_owned(), sent.get("en").to_owned());
            if let Err(problem) = void_reasons::check(visit.directory.void_reasons(), &zh, &en) {
                return Ok(sheet(visit, &sent, Some(problem)).show(StatusCode::UNPROCESSABLE_ENTITY));
            }
            store
                .write::<_, Fault, _>(move |tx| {
                    Box::pin(async move { Ok(void_reasons::add(tx, &by, &zh, &en, now).await?) })
                })
                .await?;
            Ok(saved(HERE))
        }
        _ => Err(Fault::BadRequest),
    }
}

fn sheet(visit: &Visit, sent: &Sent, problem: Option<ReasonProblem>) -> Sheet {
    let lang = visit.lang;
    let title = lang.say("admin.reasons").to_owned();
    let wrong = |of: ReasonProblem, key| if problem == Some(of) { lang.say(key) } else { "" };
    let line = |name: &str, key, problem| {
        Field::new(name, lang.say(key), Kind::Line("text"), sent.get(name)).needed().faulty(problem)
    };
    Sheet::new(visit, title.clone())
        .intro(lang.say("reason.intro"))
        .problem(if problem.is_some() { lang.say("admin.refused") } else { "" })
        .table(Table {
            id: "reasons",
            title,
            heads: ["reason.words", "reason.code", "reason.state", "admin.change"].map(|key| lang.say(key)).into(),
            rows: visit.directory.void_reasons().all().iter().map(|reason| row(visit, reason)).collect(),
            ..Table::default()
        })
        .form(PlainForm {
            action: HERE.to_owned(),
            title: lang.say("reason.add"),
            intro: lang.say("reason.add_way").to_owned(),
            hidden: vec![("do", "add".to_owned())],
            fields: vec![
                line("zh", "reason.zh", wrong(ReasonProblem::Zh, "reason.bad_zh")),
                line("en", "reason.en", wrong(ReasonProblem::En, "reason.bad_en")),
            ],
            button: lang.say("reason.add"),
            tone: "main",
            ..PlainForm::default()
        })
        .read_only(!exchanged::may(visit))
}

fn row(visit: &Visit, reason: &Reason) -> Vec<Cell> {
    let lang = visit.lang;
    let state = match reason.retired_at {
        Some(at) => {
            Cell::tagged(lang.say("reason.retired"), "warn").and(words::when(at, visit.app.services.security.now()))
        }
        None => Cell::of(lang.say("reason.in_use")),
    };
    let (what, label) = match reason.retired_at {
        Some(_) => ("restore", "reason.restore"),
        None => ("retire", "reason.retire"),
    };
    let form = reason.may_retire().then(|| PlainForm {
        action: HERE.to_owned(),
        hidden: vec![("do", what.to_owned()), ("key", reason.key.clone())],
        button: lang.say(label),
        ..PlainForm::default()
    });
    vec![
        Cell::of(reason_words(lang, reason)),
        Cell { code: true, ..Cell::of(&*reason.key) },
        state,
        Cell { form, ..Cell::default() },
    ]
}
