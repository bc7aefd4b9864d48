//! The review queue (审核): one case at a time, overdue and oldest first, until nothing waits.
//!
//! A reviewer sees the photo pair, the words, what is odd, and decides; the next case opens by itself. The address
//! remembers filter and place, so that whoever passes over a case goes on behind it, and a reload changes nothing.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::CaseId;
use xunge_client_core::workflow::Verb;

use super::act::Attempt;
use super::around::{self, Around};
use super::case::{self, Loaded};
use super::choices;
use super::fault::Fault;
use super::field::{Choice, Group, Kind, VerbForm};
use super::forms::Bench;
use super::held;
use super::lang::Lang;
use super::look::{self, Look};
use super::meanwhile;
use super::news::Asker;
use super::page::{Notice, Page, show};
use super::queue::{self, Place, Queue};
use super::sent::Sent;
use super::visit::Visit;
use super::{photo, words};
use crate::reference::taxonomy::XIXIA;

#[derive(Template)]
#[template(path = "review.html")]
struct ReviewPage {
    p: Page,
    waiting: String,
    ordered: String,
    colleagues: Vec<(String, String)>,
    oldest: String,
    overdue: String,
    own_day: String,
    modes: Vec<Group>,
    categories: Vec<Group>,
    filtered: bool,
    preload: Vec<String>,
    case: Option<Look>,
    around: Around,
    forms: Vec<VerbForm>,
    cannot: String,
    skip: String,
    reviews: bool,
    keys: String,
    watch: String,
    news: String,
    empty: &'static str,
    empty_way: &'static str,
    onward: Option<(String, String)>,
}

/// `GET /review`.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = page(&visit, &query).await;
    visit.answer(answer)
}

async fn page(visit: &Visit, query: &Sent) -> Result<Response, Fault> {
    let place = Place::read(query);
    let queue = queue::read(visit, &place).await?;
    let user = &visit.viewer.user;
    let mut free = queue.next.iter().filter(|it| visit.desks.other(it.id, user, visit.now).is_none());
    // Where every next case is on somebody's desk, the oldest is shown all the same, and whose it is.
    let shown = free.next().or(queue.next.first());
    let loaded = match shown {
        Some(item) => Some(case::load(visit, item.id).await?),
        None => None,
    };
    // The next pair is fetched while this one is looked at.
    let preload = match free.next() {
        Some(item) => pair_of(visit, item.id).await?,
        None => Vec::new(),
    };
    let around = around_of(visit, &place, loaded.as_ref()).await?;
    let page = draw(visit, &place, &queue, loaded.as_ref(), around, Err(preload));
    match shown.filter(|_| visit.reviews()) {
        Some(item) => visit.desks.look(item.id, user, &visit.viewer.name, visit.now),
        None => visit.desks.leave(user),
    }
    Ok(page)
}

/// The same case again after a decision was refused.
pub(crate) async fn again(visit: &Visit, id: CaseId, back: &str, attempt: &Attempt) -> Result<Response, Fault> {
    let query = Sent::of_link(back);
    let place = Place::read(&query);
    let queue = queue::read(visit, &place).await?;
    let loaded = case::load(visit, id).await?;
    let around = around_of(visit, &place, Some(&loaded)).await?;
    Ok(draw(visit, &place, &queue, Some(&loaded), around, Ok(attempt)))
}

async fn around_of(visit: &Visit, place: &Place, loaded: Option<&Loaded>) -> Result<Around, Fault> {
    match loaded {
        Some(loaded) => around::look(visit, loaded, &place.link(place.after)).await,
        None => Ok(Around::default()),
    }
}

/// Addresses of the photos a reviewer will look at next.
async fn pair_of(visit: &Visit, id: CaseId) -> Result<Vec<String>, Fault> {
    let Loaded { detail, .. } = case::load(visit, id).await?;
    let (pair, _) = photo::slots(visit, &detail);
    let here = pair.into_iter().filter_map(|slot| slot.photo).filter(|photo| photo.present);
    Ok(here.map(|photo| photo.shown).collect())
}

/// `今天已办 12 件：自处审核通过 8 · 立案 3 · 作废 1`; empty before the first decision of the day.
fn own_day_line(lang: Lang, own_day: &[(Verb, i64)]) -> String {
    let total: i64 = own_day.iter().map(|(_, n)| n).sum();
    if total == 0 {
        return String::new();
    }
    let parts: Vec<String> =
        own_day.iter().map(|(verb, n)| format!("{} {n}", lang.word("verb", verb.code()))).collect();
    lang.fill("review.own_day", &[("n", &total.to_string()), ("parts", &parts.join(" · "))])
}

fn draw(
    visit: &Visit,
    place: &Place,
    queue: &Queue,
    loaded: Option<&Loaded>,
    around: Around,
    attempt: Result<&Attempt, Vec<String>>,
) -> Response {
    let lang = visit.lang;
    let (attempt, preload) = match attempt {
        Ok(attempt) => (Some(attempt), Vec::new()),
        Err(preload) => (None, preload),
    };
    let here = place.link(place.after);
    // A refused form was sent to the case's address, but its reader is still in the queue.
    let visit = &visit.at(&here);
    let case = loaded.map(|it| look::at(visit, it));
    let forms =
        loaded.map(|it| Bench { visit, detail: &it.detail, inspectors: &it.inspectors, back: &here, attempt }.review());
    let count = queue.whole.total;
    let in_order = [("m", &*queue.whole.cases.len().to_string()), ("n", &count.to_string())];
    let ordered = if queue.whole.more() { lang.fill("review.ordered", &in_order) } else { String::new() };
    let overdue = match queue.whole.overdue {
        0 => String::new(),
        n => lang.fill("review.overdue", &[("n", &n.to_string())]),
    };
    let oldest = queue.whole.oldest().map(|at| match visit.now.0 - at.0 {
        ms if ms < 60_000 => lang.say("review.oldest_new").to_owned(),
        ms => lang.fill("review.oldest", &[("age", &words::age(lang, ms))]),
    });
    let own = loaded.is_some_and(|it| it.detail.item.reporter == visit.viewer.user);
    let (empty, empty_way, onward) = match (count, place.is_filtered()) {
        (1.., _) => {
            let start = (place.link(None), lang.say("review.from_start").to_owned());
            (lang.say("review.passed"), lang.say("review.passed_way"), Some(start))
        }
        (0, true) => {
            let clear = ("/review".to_owned(), lang.say("review.clear").to_owned());
            (lang.say("review.empty_filtered"), "", Some(clear))
        }
        (0, false) => (lang.say("review.empty"), lang.say("review.empty_way"), None),
    };
    let all = |key: &str, current: &str| Choice::new("", lang.say(key), current);
    let top = all("review.all_categories", &place.category);
    // "The next one is shown" would be a lie where nothing is left.
    let notice = visit.flash.map(|flash| flash.notice(lang)).map(|notice| match loaded {
        Some(_) => notice,
        None => Notice { way: notice.way.replace(lang.say("act.done_next"), ""), ..notice },
    });
    let watch = loaded.map(|it| meanwhile::href(it.detail.item.id, it.detail.item.version, None));
    let page = ReviewPage {
        p: queue.held.on(visit, Page { notice, ..visit.page(lang.say("review.title")) }),
        waiting: lang.fill("review.waiting", &[("n", &count.to_string())]),
        ordered,
        colleagues: queue.colleagues.iter().map(|it| held::of_colleague(visit, it)).collect(),
        oldest: oldest.unwrap_or_default(),
        overdue,
        modes: choices::modes(lang, lang.say("review.all_modes"), place.mode()),
        categories: choices::categories(&visit.directory, XIXIA, Some(top), true, &place.category),
        filtered: place.is_filtered(),
        preload,
        skip: loaded.map_or_else(|| here.clone(), |it| place.link(Some(it.detail.item.cursor()))),
        reviews: visit.reviews(),
        case,
        around,
        cannot: lang.say(if own { "review.own" } else { "review.cannot" }).to_owned(),
        forms: forms.unwrap_or_default(),
        own_day: own_day_line(lang, &queue.own_day),
        watch: watch.unwrap_or_default(),
        news: Asker::Review.href(visit.now),
        keys: lang.fill("review.keys", &[("keys", lang.say("review.keys_alt"))]),
        empty,
        empty_way,
        onward,
    };
    show(attempt.map_or(StatusCode::OK, |attempt| attempt.status), &page)
}
