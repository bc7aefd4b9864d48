//! The list of cases (案件): every number of the overview opens here with exactly its cases.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{Millis, Mode};

use super::choices;
use super::fault::Fault;
use super::field::{Field, Kind};
use super::filter::{self, Asked};
use super::flash::short;
use super::lang::Lang;
use super::page::{Page, show};
use super::register;
use super::saved;
use super::sent::Sent;
use super::visit::Visit;
use super::words;
use crate::domain::cases::{self, CaseItem, Due, Filter, Order};
use crate::domain::external::{self, External, Numbered};
use crate::domain::people;

/// Cases on a page: two screens of an office monitor.
const PAGE: usize = 50;
/// Characters of a description in a row: two lines.
const EXCERPT: usize = 48;

#[derive(Template)]
#[template(path = "list.html")]
struct ListPage {
    p: Page,
    /// Where its reader registers a case.
    register: Option<&'static str>,
    summary: String,
    quick: Vec<Quick>,
    saved: Vec<saved::Link>,
    /// The query that can be kept under a name; none for the whole list.
    query: Option<String>,
    filters: Vec<Field>,
    folded: Vec<Field>,
    unfolded: bool,
    ignored: Vec<String>,
    /// Cases that have what was typed as their number in another system: where, and what they are.
    numbered: Vec<(String, String)>,
    sorted: &'static str,
    rows: Vec<ListRow>,
    first: Option<String>,
    next: Option<String>,
    /// The page is short though the list goes on.
    short: bool,
}

/// A list that is often asked for.
struct Quick {
    href: String,
    label: String,
    here: bool,
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
    held: bool,
    due: String,
    due_class: &'static str,
    unit: String,
    handler: String,
    photos: String,
    no: String,
}

/// `GET /cases`.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = page(&visit, &query).await;
    visit.answer(answer)
}

async fn page(visit: &Visit, query: &Sent) -> Result<Response, Fault> {
    let Asked { filter, wrong } = filter::read(visit, query);
    let lang = visit.lang;
    let mut ignored: Vec<String> =
        wrong.iter().map(|key| lang.fill("list.bad_filter", &[("field", lang.say(key))])).collect();
    let (scope, district, user) = (visit.scope.clone(), visit.district(), visit.viewer.user.clone());
    let mut asked = Filter { limit: PAGE, ..filter };
    let named = asked.reporter.take();
    let number = query.given("q").filter(|_| asked.after.is_none()).map(|typed| typed.trim().to_owned());
    let found = visit.app.services.store.read::<_, Fault, _>(move |tx| {
        Box::pin(async move {
            let unknown = match &named {
                Some(name) => {
                    asked.reporter = people::called(tx, name).await?;
                    asked.reporter.is_none()
                }
                None => false,
            };
            let found = cases::list(tx, &scope, &district, &asked).await?;
            let numbered = match &number {
                Some(number) => external::numbered(tx, &scope, number).await?,
                None => Vec::new(),
            };
            Ok((found, unknown, numbered, asked, cases::saved::all(tx, &user).await?))
        })
    });
    let (found, unknown, numbered, filter, kept_lists) = found.await?;
    if unknown {
        ignored.push(lang.fill("list.no_reporter", &[("name", query.get("reporter"))]));
    }
    let kept = |after: &str| filter::href(filter::kept(query).chain([("after", after)]));
    let here = saved::canonical(query);
    let rows: Vec<ListRow> = found.items.iter().map(|item| row(visit, item)).collect();
    let (filters, folded) = filter::fields(visit, query);
    let page = ListPage {
        p: visit.page(lang.say("list.title")),
        register: visit.registers().then_some(register::PATH),
        summary: summary(lang, &filter, rows.len()),
        quick: quick(visit, query),
        saved: saved::links(kept_lists, &here),
        query: here.split_once('?').map(|(_, query)| query.to_owned()),
        filters,
        folded,
        unfolded: filter::unfolded(query),
        ignored,
        numbered: numbered.iter().map(|it| (format!("/cases/{}", it.case), of_number(lang, it))).collect(),
        sorted: lang.say(match filter.order {
            Order::NewestFirst => "list.sorted",
            Order::OldestFirst => "list.sorted_oldest",
            Order::Deadline => "list.sorted_deadline",
        }),
        first: filter.after.is_some().then(|| kept("")),
        short: found.next.is_some() && rows.len() < PAGE,
        next: found.next.as_deref().map(kept),
        rows,
    };
    Ok(show(StatusCode::OK, &page))
}

/// `12345 热线 YC2023-42：案件 6401052023…`.
fn of_number(lang: Lang, it: &Numbered) -> String {
    let External { system, number } = &it.external;
    let no = it.case_no.clone().unwrap_or_else(|| short(it.case));
    lang.fill("list.numbered", &[("system", system), ("number", number), ("no", &no)])
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

/// The lists an office opens every day: one per thing to do, and what is late or soon will be.
fn quick(visit: &Visit, query: &Sent) -> Vec<Quick> {
    let pending = choices::states_of("pending").unwrap_or_default();
    let lists: [(&str, &[(&str, &str)]); 9] = [
        ("list.all", &[]),
        ("quick.pending", &[("state", &pending), ("order", "oldest")]),
        ("quick.to_dispatch", &[("state", "filed"), ("order", "oldest")]),
        ("quick.running", &[("state", "dispatched,handling"), ("order", "deadline")]),
        ("quick.overdue", &[("due", Due::Overdue.code()), ("order", "deadline")]),
        ("quick.soon", &[("due", Due::Soon.code()), ("order", "deadline")]),
        ("quick.to_check", &[("state", "handled,rechecking"), ("order", "oldest")]),
        ("quick.void", &[("state", "void")]),
        ("quick.appeals", &[(filter::APPEAL, "open")]),
    ];
    let here = saved::canonical(query);
    let quick = |(key, members): (&str, &[(&str, &str)])| {
        let in_order = filter::names().filter_map(|name| members.iter().find(|(member, _)| *member == name));
        let href = filter::href(in_order.copied());
        Quick { here: href == here, href, label: visit.lang.say(key).to_owned() }
    };
    lists.into_iter().map(quick).collect()
}

fn row(visit: &Visit, item: &CaseItem) -> ListRow {
    let lang = visit.lang;
    let mode = item.mode.as_deref().unwrap_or(&item.mode_claim);
    let received = Millis(item.received_at);
    let standing = Due::ALL.into_iter().find(|due| {
        let (from, to) = due.between(visit.now);
        item.deadline_at.is_some_and(|at| (from..to).contains(&at))
    });
    let due = item.deadline_at.map(Millis).map(|due| {
        let late =
            if standing == Some(Due::Overdue) { format!(" {}", lang.say("case.overdue")) } else { String::new() };
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
        text: words::excerpt(&item.text, EXCERPT),
        flags: item.flags.iter().map(|flag| lang.word("flag_short", flag)).collect(),
        mode: lang.word("mode", mode),
        mode_class: mode_class(mode),
        state: lang.word("state", &item.state),
        held: item.held_void.is_some(),
        due: due.unwrap_or_default(),
        due_class: standing.map_or("soft", Due::code),
        unit: choices::place(&visit.directory, item.unit.as_deref().unwrap_or_default()),
        handler: item.handler.as_deref().map(|unit| choices::place(&visit.directory, unit)).unwrap_or_default(),
        photos: format!("{}/{}", item.photos.present, item.photos.expected),
        no: item.case_no.clone().unwrap_or_else(|| short(item.id)),
    }
}

/// Class of a mode's tag.
pub(crate) fn mode_class(mode: &str) -> &'static str {
    if mode == Mode::SelfHandled.code() { "self" } else { "forwarded" }
}
