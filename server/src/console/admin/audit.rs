//! The audit log (审计日志): who did what, newest first, and whether anybody changed it since.

use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{LocalDay, Millis};
use xunge_client_core::workflow::Verb;

use super::sheet::{Cell, PlainForm, Sheet, Table};
use crate::console::fault::Fault;
use crate::console::field::{Choice, Field, Kind};
use crate::console::lang::Lang;
use crate::console::sent::{Sent, SentForm};
use crate::console::visit::Visit;
use crate::console::{choices, link, words};
use crate::domain::audit::{self, Filter, Line};

/// Lines on a page.
const PAGE: usize = 100;
/// What the log can be asked by, in the order of the form.
const NAMES: [&str; 5] = ["actor", "action", "subject", "from", "to"];
/// What is noted beside the verbs of cases; `words` has a sentence for each.
const ACTIONS: [&str; 24] = [
    "login.done",
    "login.failed",
    "user.added",
    "user.disabled",
    "user.enabled",
    "user.password",
    "user.logged_out",
    "user.grids",
    "device.code",
    "device.enrolled",
    "device.revoked",
    "device.cloned",
    "quarantine.kept",
    "quarantine.released",
    "quarantine.dropped",
    "quarantine.expired",
    "dispatch_rule.set",
    "dispatch_rule.removed",
    "void_reason.added",
    "void_reason.retired",
    "void_reason.restored",
    "timetable.published",
    "org.applied",
    "categories.applied",
];

/// `GET /admin/audit`.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = page(&visit, &query).await.map(|sheet| sheet.show(StatusCode::OK));
    visit.answer(answer)
}

/// `POST /admin/audit/check`: recomputes the whole chain.
pub(crate) async fn check(visit: Visit, form: SentForm) -> Response {
    let answer = checked(&visit, form).await;
    visit.answer(answer)
}

async fn checked(visit: &Visit, form: SentForm) -> Result<Response, Fault> {
    reader(visit)?;
    visit.admit(&form)?;
    let lang = visit.lang;
    let found = audit::check(&visit.app.services.store).await?;
    let visit = visit.at("/admin/audit");
    let page = page(&visit, &Sent::default()).await?;
    let n = found.lines.to_string();
    Ok(match found.broken {
        None => page.intro(&lang.fill("audit.whole", &[("n", &n)])).show(StatusCode::OK),
        Some((seq, why)) => {
            let text = lang.fill("audit.broken", &[("n", &seq.to_string()), ("why", &why)]);
            page.problem(&text).show(StatusCode::OK)
        }
    })
}

fn reader(visit: &Visit) -> Result<(), Fault> {
    if visit.reads_audit() { Ok(()) } else { Err(Fault::Role) }
}

async fn page(visit: &Visit, query: &Sent) -> Result<Sheet, Fault> {
    reader(visit)?;
    let lang = visit.lang;
    let day = |name| query.parsed::<LocalDay>(name).ok().flatten();
    let filter = Filter {
        actor: query.get("actor").to_owned(),
        action: query.get("action").to_owned(),
        subject: query.get("subject").to_owned(),
        from: day("from").map(LocalDay::start),
        to: day("to").map(LocalDay::end),
        before: query.parsed("before").ok().flatten(),
        limit: PAGE,
    };
    let asked = filter.clone();
    let store = &visit.app.services.store;
    let (lines, more) =
        store.read::<_, Fault, _>(move |tx| Box::pin(async move { Ok(audit::list(tx, &asked).await?) })).await?;
    let kept = |before: &str| {
        link::with("/admin/audit", NAMES.map(|name| (name, query.get(name))).into_iter().chain([("before", before)]))
    };
    let next = more.then(|| lines.last().map(|last| kept(&last.seq.to_string()))).flatten();
    let title = lang.say("admin.audit").to_owned();
    Ok(Sheet::new(visit, title.clone())
        .intro(lang.say("audit.intro"))
        .filters("/admin/audit", filters(visit, query))
        .table(Table {
            id: "audit",
            title,
            heads: ["audit.at", "audit.actor", "audit.action", "audit.subject", "audit.detail", "audit.hash"]
                .map(|key| lang.say(key))
                .into(),
            rows: lines.iter().map(|line| row(visit, line)).collect(),
            empty: lang.say("audit.none"),
            ..Table::default()
        })
        .pages(filter.before.is_some().then(|| kept("")), next)
        .form(PlainForm {
            action: "/admin/audit/check".to_owned(),
            title: lang.say("audit.check"),
            intro: lang.say("audit.check_way").to_owned(),
            button: lang.say("audit.check"),
            ..PlainForm::default()
        }))
}

fn filters(visit: &Visit, query: &Sent) -> Vec<Field> {
    let lang = visit.lang;
    let current = query.get("action");
    let all = Choice::new("", lang.say("list.all"), current);
    let cases = Choice::new("case.", lang.say("audit.cases"), current);
    let others = ACTIONS.iter().map(|action| Choice::new(*action, words_of(lang, action), current));
    let mut actions: Vec<Choice> = [all, cases].into_iter().chain(others).collect();
    if !current.is_empty() && !actions.iter().any(|choice| choice.chosen) {
        actions.push(Choice::new(current, words_of(lang, current), current));
    }
    let line = |name, key| Field::new(name, lang.say(key), Kind::Line("text"), query.get(name));
    // A day that is none can not stand in a field for days.
    let day = |name: &str, key| {
        let good = query.parsed::<LocalDay>(name).is_ok();
        Field::new(name, lang.say(key), Kind::Line("date"), if good { query.get(name) } else { "" })
    };
    vec![
        line("actor", "audit.actor"),
        Field::new("action", lang.say("audit.action"), Kind::Choice(vec![choices::ungrouped(actions)]), ""),
        line("subject", "audit.subject"),
        day("from", "audit.from"),
        day("to", "list.to"),
    ]
}

/// What an action is called.
fn words_of(lang: Lang, action: &str) -> String {
    match action.strip_prefix("case.").and_then(Verb::from_code) {
        Some(verb) => lang.word("verb", verb.code()),
        None => lang.word("audit_action", action),
    }
}

fn row(visit: &Visit, line: &Line) -> Vec<Cell> {
    let at = Millis(line.at);
    let subject = if line.action.starts_with("case.") {
        Cell::link(&*line.subject, format!("/cases/{}", line.subject))
    } else {
        Cell { code: true, ..Cell::of(&*line.subject) }
    };
    let detail = if line.detail == "{}" { String::new() } else { line.detail.clone() };
    vec![
        Cell::of(words::when(at, visit.app.services.security.now())).and(format!("#{}", line.seq)),
        Cell::of(&*line.actor),
        Cell::of(words_of(visit.lang, &line.action)),
        subject,
        Cell { code: true, ..Cell::of(detail) },
        Cell { code: true, ..Cell::of(&line.hash[..8]) },
    ]
}
