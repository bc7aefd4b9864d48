//! One case as pages show it: photos, facts, what is odd, what happened.

use std::collections::BTreeMap;

use xunge_client_core::model::{CoordSys, Millis, Mode, PhotoRole};
use xunge_client_core::workflow::deadline::{Clock, Standing};
use xunge_client_core::workflow::{AskKind, Ledger, TaskKind};

use super::case::Loaded;
use super::choices;
use super::disputes::{self, ConflictLook, LateLook};
use super::flash::short;
use super::held;
use super::history::{self, Step};
use super::lang::Lang;
use super::list::mode_class;
use super::photo::{self, Slot};
use super::svg::{Sketch, sketch};
use super::visit::Visit;
use super::words;
use crate::domain::cases::CaseDetail;
use crate::domain::clocks::{self, ClockView};
use crate::domain::external::External;

/// People by user name.
pub(crate) type Names = BTreeMap<String, String>;

/// A case, ready to be drawn.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// Address of its page.
    pub(crate) href: String,
    /// The end of its id.
    pub(crate) short_id: String,
    /// Name of its category.
    pub(crate) category: String,
    /// Class of its mode's tag.
    pub(crate) mode_class: &'static str,
    /// Its mode, decided or claimed, in words.
    pub(crate) claim: String,
    /// Its state in words.
    pub(crate) state: String,
    /// Somebody's void of it waits and may still be taken back.
    pub(crate) held: bool,
    /// When it was received, in words.
    pub(crate) received: String,
    /// What the reporter wrote.
    pub(crate) description: String,
    /// How it was fixed.
    pub(crate) handle_note: String,
    /// Where, in words.
    pub(crate) place: String,
    /// What is going on beside its state.
    pub(crate) notices: Vec<String>,
    /// What looked odd on arrival, in words.
    pub(crate) flags: Vec<String>,
    /// Registers with more than one value.
    pub(crate) conflicts: Vec<ConflictLook>,
    /// What was edited after the decision.
    pub(crate) late: Vec<LateLook>,
    /// Label and value of everything else.
    pub(crate) facts: Vec<FactRow>,
    /// Remarks and supplements.
    pub(crate) remarks: Vec<RemarkGroup>,
    /// Sketch of its grid; empty without a point.
    pub(crate) map: String,
    /// Before and after, side by side.
    pub(crate) pair: Vec<Slot>,
    /// There is no after photo and none is missing.
    pub(crate) lone: bool,
    /// All other photos.
    pub(crate) more_photos: Vec<Slot>,
    /// How many have arrived.
    pub(crate) photos_note: String,
    /// Some have not.
    pub(crate) photos_missing: bool,
    /// Its ledger.
    pub(crate) history: Vec<Step>,
}

/// One fact.
#[derive(Debug, Clone)]
pub(crate) struct FactRow {
    /// Its name.
    pub(crate) label: &'static str,
    /// Its value.
    pub(crate) value: String,
    /// What is to be known about it.
    pub(crate) note: String,
}

/// Remarks of a kind.
#[derive(Debug, Clone)]
pub(crate) struct RemarkGroup {
    /// Which kind.
    pub(crate) label: &'static str,
    /// Each with its time.
    pub(crate) lines: Vec<String>,
}

/// Makes a case ready to be drawn.
pub(crate) fn at(visit: &Visit, loaded: &Loaded) -> Look {
    let Loaded { detail, events, names, .. } = loaded;
    let (lang, item, ledger) = (visit.lang, &detail.item, &detail.ledger);
    let mode = ledger.counted_mode();
    let claim = match (ledger.mode, ledger.mode_claim) {
        (Some(mode), _) => lang.word("mode", mode.code()),
        (None, Mode::SelfHandled) => lang.say("review.claim_self").to_owned(),
        (None, Mode::Forwarded) => lang.say("review.claim_forwarded").to_owned(),
    };
    let category = item.category.as_deref().map(|key| choices::name(&visit.directory, key));
    let received = format!(
        "{}（{}）",
        lang.fill("review.received", &[("at", &words::when(ledger.received_at, visit.now))]),
        words::ago(lang, ledger.received_at, visit.now)
    );
    let (pair, more_photos) = photo::slots(visit, detail);
    Look {
        href: format!("/cases/{}", item.id),
        short_id: item.case_no.clone().unwrap_or_else(|| short(item.id)),
        category: category.unwrap_or_else(|| lang.say("overview.no_category").to_owned()),
        mode_class: mode_class(mode.code()),
        claim,
        state: lang.word("state", &item.state),
        held: loaded.held.is_some(),
        received,
        description: detail.facts.description.clone(),
        handle_note: detail.facts.handle_note.clone(),
        place: detail.facts.location_text.clone(),
        notices: notices(visit, loaded),
        flags: item.flags.iter().map(|flag| lang.word("flag", flag)).collect(),
        conflicts: disputes::conflicts(visit, loaded),
        late: disputes::late(visit, loaded),
        facts: facts(visit, detail, names),
        remarks: remarks(visit, detail),
        map: map(visit, detail),
        lone: pair.iter().any(|slot| slot.photo.is_none() && !slot.warn),
        pair,
        more_photos,
        photos_note: words::photos(lang, item.photos),
        photos_missing: item.photos.present < item.photos.expected,
        history: history::steps(visit, events, names),
    }
}

/// What is going on beside the state: questions, pauses, tasks, objections.
fn notices(visit: &Visit, loaded: &Loaded) -> Vec<String> {
    let Loaded { detail, names, .. } = loaded;
    let (lang, ledger) = (visit.lang, &detail.ledger);
    let with = |key: &str, text: &str| format!("{}：{text}", lang.say(key));
    let who = |user: &str| names.get(user).cloned().unwrap_or_else(|| user.to_owned());
    let mut lines = Vec::new();
    lines.extend(loaded.held.as_ref().map(|it| held::said(visit, it)));
    lines.extend(
        visit
            .desks
            .other(detail.item.id, &visit.viewer.user, visit.now)
            .map(|it| lang.fill("review.colleague", &[("who", &it.name), ("n", &it.minutes_left.to_string())])),
    );
    lines.extend(ledger.needs_more.as_ref().map(|text| lang.fill("review.needs_more", &[("text", text)])));
    lines.extend(void_reason(lang, ledger));
    lines.extend(ledger.ask.as_ref().map(|ask| {
        let key = if ask.kind == AskKind::Return { "case.ask_return" } else { "case.ask_extend" };
        let until = ask.due_at.map(|due| lang.fill("case.until", &[("at", &words::when(due, visit.now))]));
        format!("{} {}", with(key, &ask.reason), until.unwrap_or_default()).trim_end().to_owned()
    }));
    lines.extend(ledger.suspended.as_ref().map(|it| with("case.suspended", &it.reason)));
    lines.extend(ledger.deferred.as_ref().map(|it| with("case.deferred", &it.reason)));
    lines.extend(ledger.appeal.as_ref().map(|appeal| with("case.appeal", &appeal.text)));
    lines.extend(
        ledger
            .route_wish
            .as_ref()
            .map(|wish| lang.fill("case.route_wish", &[("mode", &lang.word("mode", wish.mode.code()))])),
    );
    lines.extend(ledger.task.as_ref().map(|task| {
        let name = who(&task.assignee);
        match task.kind {
            TaskKind::Verify => lang.fill("case.task_verify", &[("name", &name)]),
            TaskKind::Check => lang.fill("case.task_check", &[("name", &name)]),
        }
    }));
    lines
}

/// Why it is void, in a line; none if it is not.
pub(crate) fn void_reason(lang: Lang, ledger: &Ledger) -> Option<String> {
    let words = lang.word("void_reason", ledger.void_reason?.code());
    let text = ledger.void_text.as_ref().map(|text| format!("（{text}）")).unwrap_or_default();
    Some(format!("{}：{words}{text}", lang.say("case.void_reason")))
}

fn facts(visit: &Visit, detail: &CaseDetail, names: &Names) -> Vec<FactRow> {
    let (lang, facts, ledger, item) = (visit.lang, &detail.facts, &detail.ledger, &detail.item);
    let mut rows = Vec::new();
    let mut row = |key: &str, value: String, note: String| {
        if !value.is_empty() {
            rows.push(FactRow { label: lang.say(key), value, note });
        }
    };
    let org = |code: Option<&str>| code.map(|code| choices::place(&visit.directory, code)).unwrap_or_default();
    let time = |at: Option<Millis>| at.map(|at| words::when(at, visit.now)).unwrap_or_default();
    let none = String::new;
    let own = ledger.category_claim.as_ref().map(ToString::to_string);
    if ledger.category.as_ref().map(ToString::to_string) != own && ledger.category.is_some() {
        let claim = own.map(|key| choices::name(&visit.directory, &key));
        row("case.category_claim", claim.unwrap_or_default(), none());
    }
    let grid = item.grid.as_deref();
    let grid_name = grid.map_or_else(|| lang.say("case.grid_none").to_owned(), |grid| org(Some(grid)));
    row("case.grid", grid_name, grid.unwrap_or_default().to_owned());
    if let Some(point) = facts.point {
        row("case.coordinates", words::point(point), point_note(visit, detail));
    }
    row("case.reporter", names.get(&item.reporter).cloned().unwrap_or_else(|| item.reporter.clone()), none());
    row("case.unit", org(item.unit.as_deref()), none());
    if item.office != item.unit {
        row("case.office", org(item.office.as_deref()), none());
    }
    row("case.source", lang.word("source", ledger.source.code()), none());
    for External { system, number } in &detail.external {
        row("case.external", number.clone(), system.clone());
    }
    row("case.discovered", time(facts.discovered_at.or(ledger.discovered_at)), none());
    row("case.handled", time(facts.handled_at), none());
    row("case.received", time(Some(ledger.received_at)), none());
    row("case.filed_at", time(ledger.filed_at), none());
    row("case.handler", org(ledger.handler.as_ref().map(|unit| unit.as_str())), none());
    if ledger.handler.is_none() {
        row("case.handler_suggested", org(ledger.handler_suggested.as_ref().map(|unit| unit.as_str())), none());
    }
    for clock in clocks::of(&visit.app.services, &visit.directory, ledger, visit.now) {
        row(clock_label(clock.reading.clock), time(Some(clock.reading.due_at)), clock_note(lang, &clock));
    }
    if ledger.due_at.is_some() && !ledger.is_final() {
        row("case.level", lang.word("level", ledger.level.code()), none());
    }
    let how = ledger.close_type.map(|it| lang.word("close_type", it.code())).unwrap_or_default();
    row("case.closed_at", time(ledger.closed_at), how);
    row(
        "case.satisfaction",
        ledger.satisfaction.map(|it| lang.word("satisfaction", it.code())).unwrap_or_default(),
        none(),
    );
    row("case.master", ledger.master_case_id.map(|id| id.to_string()).unwrap_or_default(), none());
    row("case.id", item.id.to_string(), format!("{} {}", lang.say("case.version"), item.version));
    rows
}

fn clock_label(clock: Clock) -> &'static str {
    match clock {
        Clock::Review => "case.due_review",
        Clock::Sign => "case.due_sign",
        Clock::Handle => "case.due",
        Clock::Check => "case.due_check",
    }
}

/// How a clock stands: late, nearly late, at rest, or done in time. While there is time nothing is said.
fn clock_note(lang: Lang, clock: &ClockView) -> String {
    let key = match (clock.standing, clock.reading.stopped_at) {
        (Standing::InTime, None) => return String::new(),
        (Standing::InTime, Some(_)) => "case.done_in_time",
        (Standing::Overdue, Some(_)) => "case.done_late",
        (Standing::Overdue, None) => "case.overdue",
        (Standing::Warning, _) => "case.nearly_due",
        (Standing::Paused, _) => "case.paused",
    };
    lang.say(key).to_owned()
}

/// How the point was found, and in which system it is stated.
fn point_note(visit: &Visit, detail: &CaseDetail) -> String {
    let (lang, facts) = (visit.lang, &detail.facts);
    let mut parts = Vec::new();
    parts.push(lang.word("coord_sys", facts.coord_sys.unwrap_or(CoordSys::Wgs84).code()));
    parts.extend(facts.location_source.map(|source| lang.word("location_source", source.code())));
    parts.extend(facts.accuracy_m.map(|m| lang.fill("case.accuracy", &[("m", &m.to_string())])));
    let age =
        facts.fix_age_s.filter(|seconds| *seconds >= 60).map(|seconds| words::age(lang, i64::from(seconds) * 1_000));
    parts.extend(age.map(|age| lang.fill("case.fix_age", &[("age", &age)])));
    parts.join(" · ")
}

fn remarks(visit: &Visit, detail: &CaseDetail) -> Vec<RemarkGroup> {
    let groups = [("case.remarks", &detail.facts.remarks), ("case.supplements", &detail.facts.supplements)];
    let filled = groups.into_iter().filter(|(_, list)| !list.is_empty());
    filled
        .map(|(key, list)| RemarkGroup {
            label: visit.lang.say(key),
            lines: list.values().map(|it| format!("{} {}", words::when(it.at, visit.now), it.text)).collect(),
        })
        .collect()
}

fn map(visit: &Visit, detail: &CaseDetail) -> String {
    let Some(point) = detail.facts.point else { return String::new() };
    let point = point.to_wgs84(detail.facts.coord_sys.unwrap_or(CoordSys::Wgs84));
    let own = detail.ledger.grid.as_ref().filter(|grid| visit.directory.place(grid).is_some());
    // Neighbours of a grid share its street; drawing a whole district would only cost time.
    let street = own.map(|grid| grid.as_str()[..9].to_owned()).unwrap_or_default();
    let others = visit.directory.places().filter(|(code, _)| {
        code.as_str().len() == 15 && code.as_str().starts_with(&street) && Some(*code) != own && !street.is_empty()
    });
    let name = own.map(|grid| visit.directory.name_of(grid.as_str())).unwrap_or_default();
    let picture = Sketch {
        own: own.and_then(|grid| visit.directory.place(grid)).and_then(|place| place.polygon.as_ref()),
        others: others.filter_map(|(_, place)| place.polygon.as_ref()).collect(),
        point,
        name,
    };
    let title = visit.lang.say("case.map");
    sketch(title, &format!("{name} {}", words::point(point)), &picture)
}

/// True for photos that belong to the pair.
pub(crate) fn is_pair(role: &str) -> bool {
    role == PhotoRole::Before.code() || role == PhotoRole::After.code()
}
