//! The list of cases (案件): every number of the overview opens here with exactly its cases.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{CategoryRef, LocalDay, Millis, Mode, OrgCode, OrgLevel};
use xunge_client_core::workflow::State;

use super::choices;
use super::fault::Fault;
use super::field::{Choice, Field, Kind};
use super::flash::short;
use super::lang::Lang;
use super::page::{Page, show};
use super::sent::Sent;
use super::visit::Visit;
use super::{link, words};
use crate::domain::cases::{self, CaseItem, Filter, Order};
use crate::reference::org::UnitKind;
use crate::reference::taxonomy::XIXIA;

/// Cases on a page: two screens of an office monitor.
const PAGE: usize = 50;
/// Characters of a description in a row: two lines.
const EXCERPT: usize = 48;
/// What the list can be asked by, in the order of the form.
const NAMES: [&str; 9] = ["q", "state", "mode", "unit", "category", "grid", "from", "to", "order"];
/// What the address says for the oldest first.
const OLDEST: &str = "oldest";

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    p: Page,
    summary: String,
    filters: Vec<Field>,
    ignored: Vec<String>,
    sorted: &'static str,
    rows: Vec<ListRow>,
    first: Option<String>,
    next: Option<String>,
}

struct ListRow {
    href: String,
    iso: String,
    received: String,
    category: String,
    text: String,
    flags: Vec<String>,
    mode: String,
    mode_class: &'static str,
    state: String,
    due: String,
    unit: String,
    photos: String,
    no: String,
}

/// `GET /cases`.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = page(&visit, &query).await;
    visit.answer(answer)
}

async fn page(visit: &Visit, query: &Sent) -> Result<Response, Fault> {
    let (filter, ignored) = read(visit, query);
    let (scope, district, asked) = (visit.scope.clone(), visit.district(), filter.clone());
    let found = visit
        .app
        .services
        .store
        .read::<_, Fault, _>(move |tx| Box::pin(async move { Ok(cases::list(tx, &scope, &district, &asked).await?) }))
        .await?;
    let kept = |after: &str| {
        let given = NAMES.iter().map(|name| (*name, query.get(name)));
        link::with("/cases", given.chain([("after", after)]))
    };
    let rows: Vec<ListRow> = found.items.iter().map(|item| row(visit, item)).collect();
    let page = ListPage {
        p: visit.page(visit.lang.say("list.title")),
        summary: summary(visit.lang, &filter, rows.len()),
        filters: filters(visit, query),
        ignored,
        sorted: visit.lang.say(match filter.order {
            Order::NewestFirst => "list.sorted",
            Order::OldestFirst => "list.sorted_oldest",
        }),
        first: filter.after.is_some().then(|| kept("")),
        next: found.next.as_deref().map(kept),
        rows,
    };
    Ok(show(StatusCode::OK, &page))
}

fn summary(lang: Lang, filter: &Filter, rows: usize) -> String {
    let count = lang.fill("list.count", &[("n", &rows.to_string())]);
    match (filter.from, filter.to) {
        (Some(from), Some(to)) => {
            let period = lang.fill("list.for_period", &[("from", &from.to_string()), ("to", &to.to_string())]);
            format!("{period} · {count}")
        }
        _ => count,
    }
}

/// What the address asks for, and what in it could not be read. An address typed by hand shows a list all the same.
fn read(visit: &Visit, query: &Sent) -> (Filter, Vec<String>) {
    let lang = visit.lang;
    let mut ignored = Vec::new();
    let mut wrong = |key: &str| ignored.push(lang.fill("list.bad_filter", &[("field", lang.say(key))]));
    let mut states = Vec::new();
    for state in query.get("state").split(',').map(str::trim).filter(|state| !state.is_empty()) {
        match State::from_code(state) {
            Some(state) => states.push(state),
            None => wrong("list.state"),
        }
    }
    let mode = query.given("mode").map(|code| Mode::from_code(code).ok_or("list.mode"));
    let unit = query.given("unit").map(|code| code.parse::<OrgCode>().map_err(|_| "list.unit"));
    let handler = query.given("handler").map(|code| code.parse::<OrgCode>().map_err(|_| "list.unit"));
    let category = query.given("category").map(|key| key.parse::<CategoryRef>().map_err(|_| "list.category"));
    let is_grid = |code: &OrgCode| code.level() == Some(OrgLevel::Grid);
    let grid = query.given("grid").map(|code| code.parse().ok().filter(is_grid).ok_or("list.grid"));
    let from = query.given("from").map(|day| day.parse::<LocalDay>().map_err(|_| "list.from"));
    let to = query.given("to").map(|day| day.parse::<LocalDay>().map_err(|_| "list.to"));
    macro_rules! good {
        ($($value:ident)+) => { $(let $value = $value.and_then(|it| it.map_err(&mut wrong).ok());)+ };
    }
    good!(mode unit handler category grid from to);
    let filter = Filter {
        states,
        mode,
        unit,
        handler,
        categories: category.map(|key| choices::with_minors(&visit.directory, &key)).unwrap_or_default(),
        grid,
        from,
        to,
        q: query.given("q").map(str::to_owned),
        order: if query.get("order") == OLDEST { Order::OldestFirst } else { Order::NewestFirst },
        after: query.parsed("after").ok().flatten(),
        limit: PAGE,
        ..Filter::default()
    };
    (filter, ignored)
}

fn filters(visit: &Visit, query: &Sent) -> Vec<Field> {
    let lang = visit.lang;
    let all = |current: &str| Choice::new("", lang.say("list.all"), current);
    let kind = |name: &str, current: &str| match name {
        "state" => Kind::Choice(choices::states(lang, current)),
        "mode" => Kind::Choice(choices::modes(lang, lang.say("list.all"), current)),
        "order" => Kind::Choice(vec![choices::ungrouped(vec![
            Choice::new("", lang.say("list.newest"), current),
            Choice::new(OLDEST, lang.say("list.oldest"), current),
        ])]),
        "unit" => {
            Kind::Choice(choices::units(&visit.directory, |kind| kind != UnitKind::Handling, all(current), current))
        }
        "category" => Kind::Choice(choices::categories(&visit.directory, XIXIA, Some(all(current)), true, current)),
        "from" | "to" => Kind::Line("date"),
        _ => Kind::Line("text"),
    };
    let label = |name: &str| match name {
        "state" => lang.say("list.state"),
        "mode" => lang.say("list.mode"),
        "unit" => lang.say("list.unit"),
        "category" => lang.say("list.category"),
        "grid" => lang.say("list.grid"),
        "from" => lang.say("list.from"),
        "to" => lang.say("list.to"),
        "order" => lang.say("list.order"),
        _ => lang.say("list.q"),
    };
    let field = |name: &&str| Field {
        id: format!("f-{name}"),
        name: (*name).to_owned(),
        label: label(name).to_owned(),
        kind: kind(name, query.get(name)),
        value: match kind(name, query.get(name)) {
            // A day that is none can not stand in a field for days; it is named above the list.
            Kind::Line("date") if query.parsed::<LocalDay>(name).is_err() => String::new(),
            _ => query.get(name).to_owned(),
        },
        required: false,
        optional: "",
        hint: String::new(),
        problem: String::new(),
    };
    NAMES.iter().map(field).collect()
}

fn row(visit: &Visit, item: &CaseItem) -> ListRow {
    let lang = visit.lang;
    let mode = item.mode.as_deref().unwrap_or(&item.mode_claim);
    let received = Millis(item.received_at);
    let open = item.state != State::Closed.code() && item.state != State::Void.code();
    let due = item.due_at.filter(|_| open).map(Millis).map(|due| {
        let late = if due < visit.now { format!(" {}", lang.say("case.overdue")) } else { String::new() };
        format!("{} {}{late}", lang.say("list.due"), words::when(due, visit.now))
    });
    ListRow {
        href: format!("/cases/{}", item.id),
        iso: words::iso(received),
        received: words::when(received, visit.now),
        category: item
            .category
            .as_deref()
            .map_or_else(|| lang.say("overview.no_category").to_owned(), |key| choices::name(&visit.directory, key)),
        text: excerpt(&item.text),
        flags: item.flags.iter().map(|flag| lang.word("flag_short", flag)).collect(),
        mode: lang.word("mode", mode),
        mode_class: mode_class(mode),
        state: lang.word("state", &item.state),
        due: due.unwrap_or_default(),
        unit: choices::place(&visit.directory, item.unit.as_deref().unwrap_or_default()),
        photos: format!("{}/{}", item.photos.present, item.photos.expected),
        no: item.case_no.clone().unwrap_or_else(|| short(item.id)),
    }
}

/// The beginning of what was written, without the place that follows it.
fn excerpt(text: &str) -> String {
    let words = text.lines().next().unwrap_or_default();
    match words.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

/// Class of a mode's tag.
pub(crate) fn mode_class(mode: &str) -> &'static str {
    if mode == Mode::SelfHandled.code() { "self" } else { "forwarded" }
}
