//! The desk (待办): what waits for whoever looks, the most urgent first.
//!
//! A unit sees what it has to sign, handle, do again, and what it asked for; a dispatcher what was filed and where a
//! rule would send it; a duty leader what units ask and reporters object to, with the answer beside each. The rest of
//! the work is on the case.

mod leader;

use askama::Template;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::Response;
use xunge_client_core::model::{Millis, Role};
use xunge_client_core::workflow::deadline::Standing;
use xunge_client_core::workflow::{AskKind, Ledger, Level, State};

use super::fault::Fault;
use super::field::{Kind, VerbForm};
use super::flash::short;
use super::page::{Page, go, show};
use super::sent::SentForm;
use super::visit::Visit;
use super::{act, choices, link, suggested, words};
use crate::domain::clocks::{self, ClockView};
use crate::domain::desk::{self, DeskCase};
use crate::domain::dispatch::{self, DispatchRule};
use crate::domain::scope::Column;

/// Address of the desk.
pub(crate) const HERE: &str = "/desk";
/// Characters of a description in a row: two lines.
const EXCERPT: usize = 48;

#[derive(Template)]
#[template(path = "desk.html")]
struct DeskPage {
    p: Page,
    summary: Vec<(&'static str, String)>,
    sections: Vec<Section>,
    /// No section has a case.
    nothing: bool,
    empty: &'static str,
    empty_way: &'static str,
}

/// Cases that wait for the same thing.
struct Section {
    id: &'static str,
    title: &'static str,
    count: String,
    rows: Vec<Row>,
    /// What it says when it has no case; sections that say nothing then are left out.
    empty: &'static str,
    /// Where all of it is, and why to go there.
    more: Option<(String, &'static str)>,
}

/// A case that waits.
struct Row {
    href: String,
    no: String,
    category: String,
    text: String,
    place: String,
    since: String,
    due: String,
    tone: &'static str,
    standing: &'static str,
    note: String,
    urgent: bool,
    forms: Vec<VerbForm>,
    rank: (u8, i64),
}

/// `GET /desk`.
pub(crate) async fn get(visit: Visit) -> Response {
    let answer = page(&visit).await;
    visit.answer(answer)
}

/// `GET /desk/{id}`: whoever reloads the address of a refused form gets the case.
pub(crate) async fn back(Path(id): Path<String>) -> Response {
    go(&format!("/cases/{}", link::encode(&id)))
}

/// `POST /desk/{id}`: as on the case's page, and then back to the desk.
pub(crate) async fn post(visit: Visit, path: Path<String>, form: SentForm) -> Response {
    let mut answer = act::post(visit, path, form).await;
    if answer.status() == StatusCode::SEE_OTHER {
        answer.headers_mut().insert(header::LOCATION, header::HeaderValue::from_static(HERE));
    }
    answer
}

async fn page(visit: &Visit) -> Result<Response, Fault> {
    let (sections, beyond) = match visit.viewer.role {
        Role::HandlingUnit => of_unit(visit).await?,
        Role::Dispatcher => (of_dispatcher(visit).await?, Vec::new()),
        Role::DutyLeader => (leader::sections(visit).await?, Vec::new()),
        _ => return Err(Fault::Role),
    };
    let lang = visit.lang;
    let shown = sections.iter().flat_map(|it| &it.rows).map(|row| row.tone);
    let tones: Vec<&str> = if beyond.is_empty() { shown.collect() } else { beyond };
    let mut summary = Vec::new();
    for (tone, key) in [("bad", "desk.overdue_n"), ("warn", "desk.nearly_n")] {
        let n = tones.iter().filter(|it| **it == tone).count();
        if n > 0 {
            summary.push((tone, lang.fill(key, &[("n", &n.to_string())])));
        }
    }
    let page = DeskPage {
        p: visit.page(lang.say("nav.desk")),
        summary,
        nothing: sections.iter().all(|section| section.rows.is_empty()),
        sections: sections.into_iter().filter(|it| !it.rows.is_empty() || !it.empty.is_empty()).collect(),
        empty: lang.say("desk.empty"),
        empty_way: lang.say("desk.empty_way"),
    };
    Ok(show(StatusCode::OK, &page))
}

/// The unit's inbox (收件箱); where it has more in hand than is listed, also how all of it stands.
async fn of_unit(visit: &Visit) -> Result<(Vec<Section>, Vec<&'static str>), Fault> {
    let Some(unit) = visit.viewer.unit.clone() else { return Ok(Default::default()) };
    let (district, code) = (visit.district(), unit.to_string());
    let store = &visit.app.services.store;
    let (cases, all) = store
        .read::<_, Fault, _>(move |tx| {
            Box::pin(async move {
                let cases = desk::of_unit(tx, &district, &code).await?;
                let all = match desk::IN_HAND.into_iter().any(|state| fills(&cases, state)) {
                    true => desk::ledgers_of_unit(tx, &district, &code).await?,
                    false => Vec::new(),
                };
                Ok((cases, all))
            })
        })
        .await?;
    let kinds = [
        ("rework", "desk.rework", State::Handling),
        ("sign", "desk.sign", State::Dispatched),
        ("handle", "desk.handle", State::Handling),
        ("asked", "desk.asked", State::Handling),
        ("resting", "desk.resting", State::Handling),
    ];
    let (lang, mut sections) = (visit.lang, Vec::new());
    for (id, title, state) in kinds {
        let rows: Vec<Row> = cases.iter().filter(|it| kind(it) == id).map(|it| row(visit, it)).collect();
        let filled = fills(&cases, state);
        let list = link::with("/cases", [("state", state.code()), ("handler", unit.as_str())]);
        sections.push(section(visit, id, title, rows, filled.then_some((list, lang.say("desk.more")))));
    }
    let stands = |ledger: &Ledger| standing(visit, ledger).map_or("", |clock| tone(clock.standing).0);
    Ok((sections, all.iter().map(stands).collect()))
}

/// As many cases of this state as are listed at most.
fn fills(cases: &[DeskCase], state: State) -> bool {
    cases.iter().filter(|it| it.ledger.state == state).count() == desk::MOST
}

/// The clock of a case that presses most.
fn standing(visit: &Visit, ledger: &Ledger) -> Option<ClockView> {
    let readings = clocks::of(&visit.app.services, &visit.directory, ledger, visit.now);
    clocks::most_pressing(&readings).copied()
}

/// How a standing is shown, the key of its word, and its place in line.
fn tone(standing: Standing) -> (&'static str, &'static str, u8) {
    match standing {
        Standing::Overdue => ("bad", "case.overdue", 0),
        Standing::Warning => ("warn", "case.nearly_due", 1),
        Standing::InTime => ("", "", 2),
        Standing::Paused => ("", "case.paused", 3),
    }
}

/// Where a case of a unit belongs.
fn kind(case: &DeskCase) -> &'static str {
    let ledger = &case.ledger;
    match ledger.state {
        _ if ledger.ask.is_some() => "asked",
        State::Dispatched => "sign",
        _ if ledger.suspended.is_some() || ledger.deferred.is_some() => "resting",
        _ if ledger.rework_count > 0 => "rework",
        _ => "handle",
    }
}

async fn of_dispatcher(visit: &Visit) -> Result<Vec<Section>, Fault> {
    let scope = visit.scope.clone();
    let store = &visit.app.services.store;
    let (cases, rules) = store
        .read::<_, Fault, _>(move |tx| {
            Box::pin(async move {
                let mut rules: Vec<DispatchRule> = Vec::new();
                for branch in scope.branches().iter().filter(|branch| branch.column == Column::District) {
                    rules.extend(dispatch::rules(tx, &branch.value).await?);
                }
                Ok((desk::to_dispatch(tx, &scope).await?, rules))
            })
        })
        .await?;
    let rows: Vec<Row> = cases
        .iter()
        .map(|case| {
            let suggestion = dispatch::suggest(&rules, &case.ledger);
            // What was marked urgent is not to wait behind what came first.
            let urgent = case.ledger.level == Level::Urgent;
            let rank = (u8::from(!urgent), case.item.filed_at.unwrap_or_default());
            Row { note: suggested::words(visit, suggestion.as_ref()), rank, ..row(visit, case) }
        })
        .collect();
    let list = || (link::with("/cases", [("state", State::Filed.code())]), visit.lang.say("desk.more"));
    let more = (rows.len() >= desk::MOST).then(list);
    Ok(vec![section(visit, "dispatch", "desk.dispatch", rows, more)])
}

/// A section with its rows, the most urgent first; `more` is where all of it is, and why to go there.
fn section(
    visit: &Visit,
    id: &'static str,
    title: &'static str,
    mut rows: Vec<Row>,
    more: Option<(String, &'static str)>,
) -> Section {
    rows.sort_by_key(|row| row.rank);
    let count = visit.lang.fill("desk.count", &[("n", &rows.len().to_string())]);
    Section { id, title: visit.lang.say(title), count, rows, empty: "", more }
}

/// What is the same for every case that waits.
fn row(visit: &Visit, case: &DeskCase) -> Row {
    let (lang, item, ledger) = (visit.lang, &case.item, &case.ledger);
    let clock = standing(visit, ledger);
    let (tone, standing, rank) = tone(clock.map_or(Standing::InTime, |clock| clock.standing));
    let due = clock.map(|clock| words::when(clock.reading.due_at, visit.now)).unwrap_or_default();
    let category = item.category.as_deref().map(|key| choices::name(&visit.directory, key));
    let since = match ledger.state {
        State::Filed => ("desk.filed_since", ledger.filed_at),
        _ => ("desk.dispatched_since", ledger.dispatched_at),
    };
    let ago = since.1.map(|at| lang.fill(since.0, &[("age", &words::ago(lang, at, visit.now))]));
    Row {
        href: format!("/cases/{}", item.id),
        no: item.case_no.clone().unwrap_or_else(|| short(item.id)),
        category: category.unwrap_or_else(|| lang.say("overview.no_category").to_owned()),
        text: words::excerpt(&item.text, EXCERPT),
        place: choices::place(&visit.directory, item.grid.as_deref().unwrap_or_default()),
        since: ago.unwrap_or_default(),
        due,
        tone,
        standing: if standing.is_empty() { "" } else { lang.say(standing) },
        note: asked(visit, case),
        urgent: ledger.level == Level::Urgent,
        forms: Vec::new(),
        rank: (rank, clock.map_or(i64::MAX, |clock| clock.reading.due_at.0)),
    }
}

/// What the unit asked for, or why the case rests, or how often it had to be done again.
fn asked(visit: &Visit, case: &DeskCase) -> String {
    let (lang, ledger) = (visit.lang, &case.ledger);
    let until = |at: Option<Millis>| at.map(|at| lang.fill("case.until", &[("at", &words::when(at, visit.now))]));
    let mut parts = Vec::new();
    if let Some(ask) = &ledger.ask {
        let key = if ask.kind == AskKind::Return { "case.ask_return" } else { "case.ask_extend" };
        let unit = ledger.handler.as_ref().map(|unit| choices::place(&visit.directory, unit.as_str()));
        parts.extend(unit.filter(|_| visit.viewer.role == Role::DutyLeader));
        parts.push(format!("{}：{} {}", lang.say(key), ask.reason, until(ask.due_at).unwrap_or_default()));
    }
    parts.extend(ledger.suspended.as_ref().map(|it| format!("{}：{}", lang.say("case.suspended"), it.reason)));
    parts.extend(ledger.deferred.as_ref().map(|it| format!("{}：{}", lang.say("case.deferred"), it.reason)));
    if ledger.rework_count > 0 {
        parts.push(lang.fill("desk.rework_n", &[("n", &ledger.rework_count.to_string())]));
    }
    parts.join(" · ").trim_end().to_owned()
}
