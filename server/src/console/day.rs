//! A reviewer's own day (我的今日): a few figures, and the very decisions behind each of them.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::Millis;
use xunge_client_core::workflow::Verb;

use super::choices;
use super::fault::Fault;
use super::flash::short;
use super::link;
use super::page::{Page, show};
use super::queue::{self, Place};
use super::sent::Sent;
use super::visit::Visit;
use super::words;
use crate::domain::own_day::{self, Act};

/// Address of the page.
pub(crate) const PATH: &str = "/review/day";
/// The figures that are sums of one verb, in the page's order.
const VERBS: [Verb; 4] = [Verb::File, Verb::ApproveSelfHandled, Verb::Void, Verb::SendBack];

#[derive(Template)]
#[template(path = "day.html")]
struct DayPage {
    p: Page,
    heading: String,
    figures: Vec<Figure>,
    listed: String,
    rows: Vec<ActRow>,
}

struct Figure {
    label: String,
    value: String,
    href: String,
    note: String,
}

struct ActRow {
    iso: String,
    at: String,
    verb: String,
    href: String,
    category: String,
    no: String,
    took: String,
}

/// `GET /review/day`, `?verb=` for the decisions of one kind.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = page(&visit, &query).await;
    visit.answer(answer)
}

async fn page(visit: &Visit, query: &Sent) -> Result<Response, Fault> {
    if !visit.reviews() {
        return Err(Fault::Role);
    }
    let lang = visit.lang;
    let queue = queue::read(visit, &Place::default()).await?;
    let (user, morning) = (visit.viewer.user.clone(), visit.now.local_day().start());
    let store = &visit.app.services.store;
    let acts = store
        .read::<_, Fault, _>(move |tx| Box::pin(async move { Ok(own_day::acts(tx, &user, morning).await?) }))
        .await?;
    let wanted = Verb::from_code(query.get("verb"));
    let rows: Vec<ActRow> = acts
        .iter()
        .filter(|it| wanted.map_or(it.is_review(), |verb| it.verb == verb))
        .map(|it| row(visit, it))
        .collect();
    let what = wanted.map_or_else(|| lang.say("day.reviewed").to_owned(), |verb| lang.word("verb", verb.code()));
    let waits = queue.held.on(visit, visit.page(lang.say("day.title")));
    let page = DayPage {
        heading: lang
            .fill("day.heading", &[("name", &visit.viewer.name), ("day", &words::day(lang, visit.now.local_day()))]),
        figures: figures(visit, &queue, &acts),
        listed: lang.fill("day.listed", &[("what", &what), ("n", &rows.len().to_string())]),
        rows,
        p: waits,
    };
    Ok(show(StatusCode::OK, &page))
}

fn figures(visit: &Visit, queue: &queue::Queue, acts: &[Act]) -> Vec<Figure> {
    let lang = visit.lang;
    let figure = |label: String, value: String, href: String| Figure { label, value, href, note: String::new() };
    let count = |of: &dyn Fn(&Act) -> bool| acts.iter().filter(|it| of(it)).count().to_string();
    let held = queue.held.own(&visit.viewer.user);
    let mut list = vec![figure(lang.say("day.reviewed").to_owned(), count(&Act::is_review), PATH.to_owned())];
    list.extend(VERBS.iter().map(|verb| {
        let href = link::with(PATH, [("verb", verb.code())]);
        let mut one = figure(lang.word("verb", verb.code()), count(&|it: &Act| it.verb == *verb), href);
        if *verb == Verb::Void && held > 0 {
            one.note = lang.fill("day.held", &[("n", &held.to_string())]);
        }
        one
    }));
    let none = || lang.say("app.none").to_owned();
    let median = own_day::median_minutes(acts);
    let median = median.map_or_else(none, |n| lang.fill("age.minutes", &[("n", &n.to_string())]));
    list.push(figure(lang.say("day.median").to_owned(), median, String::new()));
    list.push(figure(lang.say("day.waiting").to_owned(), queue.whole.total.to_string(), "/review".to_owned()));
    let oldest = queue.whole.cases.iter().min_by_key(|it| it.item.cursor());
    list.push(match oldest {
        Some(it) => figure(
            lang.say("day.oldest").to_owned(),
            words::age(lang, visit.now.0.saturating_sub(it.item.received_at)),
            format!("/cases/{}", it.item.id),
        ),
        None => figure(lang.say("day.oldest").to_owned(), none(), String::new()),
    });
    let overdue = figure(lang.say("day.overdue").to_owned(), queue.whole.overdue.to_string(), "/review".to_owned());
    let note = match queue.whole.more() {
        true => lang.fill("day.overdue_of", &[("m", &queue.whole.cases.len().to_string())]),
        false => lang.say("day.overdue_way").to_owned(),
    };
    list.push(Figure { note, ..overdue });
    // A zero has nothing behind it.
    list.iter_mut().filter(|it| it.value == "0").for_each(|it| it.href.clear());
    list
}

fn row(visit: &Visit, act: &Act) -> ActRow {
    let lang = visit.lang;
    let took: Millis = Millis(act.at.0.saturating_sub(act.received_at.0));
    ActRow {
        iso: words::iso(act.at),
        at: words::when(act.at, visit.now),
        verb: lang.word("verb", act.verb.code()),
        href: format!("/cases/{}", act.case),
        category: match act.category.as_str() {
            "" => lang.say("overview.no_category").to_owned(),
            key => choices::name(&visit.directory, key),
        },
        no: act.case_no.clone().unwrap_or_else(|| short(act.case)),
        took: words::age(lang, took.0),
    }
}
