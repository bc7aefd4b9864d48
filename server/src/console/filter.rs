//! What a list can be asked by: read from an address, and drawn as the fields of a form.

use xunge_client_core::model::{CategoryRef, LocalDay, Mode, OrgCode};
use xunge_client_core::workflow::State;

use super::field::{Choice, Field, Kind};
use super::sent::Sent;
use super::visit::Visit;
use super::{choices, link};
use crate::domain::cases::{self, Due, Filter, Order, Without};
use crate::domain::desk::APPEALABLE;
use crate::reference::org::UnitKind;
use crate::reference::taxonomy::XIXIA;

/// The members of the address, in the order of the form.
pub(crate) const NAMES: [&str; 12] =
    ["q", "state", "due", "mode", "unit", "handler", "category", "grid", "reporter", "from", "to", "order"];
/// What only numbers lead to: cases that lack something.
const WITHOUT: &str = "without";
/// `open` for cases whose reporter waits for an answer.
pub(crate) const APPEAL: &str = "appeal";
/// Members that only links lead to. Kept by the form, hidden.
const HIDDEN: [&str; 2] = [WITHOUT, APPEAL];
/// Those of the form that are always in sight; the others are folded away while nobody uses them.
const SHOWN: usize = 8;

/// What an address asks for.
pub(crate) struct Asked {
    /// As the domain knows it; `reporter` as it was typed, `limit` still open.
    pub(crate) filter: Filter,
    /// Keys of the members that could not be read.
    pub(crate) wrong: Vec<&'static str>,
}

/// Reads an address. One that was typed by hand shows a list all the same: what can not be read is left out and named.
pub(crate) fn read(visit: &Visit, query: &Sent) -> Asked {
    let mut wrong = Vec::new();
    let mut states = Vec::new();
    for state in query.get("state").split(',').map(str::trim).filter(|state| !state.is_empty()) {
        match State::from_code(state) {
            Some(state) => states.push(state),
            None => wrong.push("list.state"),
        }
    }
    let org = |name, key| query.given(name).map(|code| code.parse::<OrgCode>().map_err(|_| key));
    let day = |name, key| query.given(name).map(|day| day.parse::<LocalDay>().map_err(|_| key));
    let mode = query.given("mode").map(|code| Mode::from_code(code).ok_or("list.mode"));
    let (unit, handler) = (org("unit", "list.unit"), org("handler", "list.handler"));
    let category = query.given("category").map(|key| key.parse::<CategoryRef>().map_err(|_| "list.category"));
    let is_place = |code: &OrgCode| code.level().is_some();
    let grid = org("grid", "list.grid").map(|code| code.and_then(|it| Some(it).filter(is_place).ok_or("list.grid")));
    let (from, to) = (day("from", "list.from"), day("to", "list.to"));
    let due = query.given("due").map(|code| Due::from_code(code).ok_or("list.due_filter"));
    let q = query.given("q").map(|typed| cases::is_searchable(typed).then(|| typed.to_owned()).ok_or("list.q"));
    let order = query.given("order").map(|code| Order::from_code(code).ok_or("list.order"));
    macro_rules! good {
        ($($value:ident)+) => {
            $(let $value = $value.and_then(|it| it.map_err(|key: &'static str| wrong.push(key)).ok());)+
        };
    }
    good!(q mode unit handler category grid from to due order);
    let appealed = query.get(APPEAL) == "open";
    if appealed && states.is_empty() {
        states.extend(APPEALABLE);
    }
    let lacking = |code: &str| Without::from_code(code.trim());
    let filter = Filter {
        without: query.get(WITHOUT).split(',').filter_map(lacking).collect(),
        states,
        appealed,
        mode,
        unit,
        handler,
        categories: category.map(|key| choices::with_minors(&visit.directory, &key)).unwrap_or_default(),
        grid,
        reporter: query.given("reporter").map(str::to_owned),
        from,
        to,
        due: due.map(|due| due.between(visit.now)),
        q,
        order: order.unwrap_or_default(),
        after: query.parsed("after").ok().flatten(),
        ..Filter::default()
    };
    Asked { filter, wrong }
}

/// The members of an address without the place in the list, in one order and without empty ones.
pub(crate) fn kept(query: &Sent) -> impl Iterator<Item = (&str, &str)> {
    names().map(|name| (name, query.get(name)))
}

/// Every member of an address but the place in the list, in its order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.iter().chain(&HIDDEN).copied()
}

/// The address of a list that is asked by these members.
pub(crate) fn href<'a>(members: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    link::with("/cases", members)
}

/// The fields of the form: those always in sight, and the others.
pub(crate) fn fields(visit: &Visit, query: &Sent) -> (Vec<Field>, Vec<Field>) {
    let mut shown: Vec<Field> = NAMES.iter().map(|name| field(visit, query, name)).collect();
    let mut folded = shown.split_off(SHOWN);
    for name in HIDDEN {
        if let Some(value) = query.given(name) {
            let kept = field(visit, query, "order");
            folded.push(Field { name: name.to_owned(), value: value.to_owned(), kind: Kind::Hidden, ..kept });
        }
    }
    (shown, folded)
}

/// True if one of the folded fields is used.
pub(crate) fn unfolded(query: &Sent) -> bool {
    NAMES[SHOWN..].iter().any(|name| query.given(name).is_some())
}

fn field(visit: &Visit, query: &Sent, name: &str) -> Field {
    let kind = kind(visit, name, query.get(name));
    let label = match name {
        "due" => "list.due_filter",
        "q" => "list.q",
        "state" => "list.state",
        "mode" => "list.mode",
        "unit" => "list.unit",
        "handler" => "list.handler",
        "category" => "list.category",
        "grid" => "list.grid",
        "reporter" => "list.reporter",
        "from" => "list.from",
        "to" => "list.to",
        _ => "list.order",
    };
    Field {
        id: format!("f-{name}"),
        name: name.to_owned(),
        label: visit.lang.say(label).to_owned(),
        value: match kind {
            // A day that is none can not stand in a field for days; it is named above the list.
            Kind::Line("date") if query.parsed::<LocalDay>(name).is_err() => String::new(),
            _ => query.get(name).to_owned(),
        },
        kind,
        required: false,
        optional: "",
        hint: String::new(),
        problem: String::new(),
    }
}

fn kind(visit: &Visit, name: &str, current: &str) -> Kind {
    let lang = visit.lang;
    let all = || Choice::new("", lang.say("list.all"), current);
    let plain = |choices: Vec<Choice>| Kind::Choice(vec![choices::ungrouped(choices)]);
    let units = |of: fn(UnitKind) -> bool| Kind::Choice(choices::units(&visit.directory, of, all(), current));
    match name {
        "state" => Kind::Choice(choices::states(lang, current)),
        "mode" => Kind::Choice(choices::modes(lang, lang.say("list.all"), current)),
        "due" => {
            let each = Due::ALL.iter().map(|due| Choice::new(due.code(), lang.word("due", due.code()), current));
            plain(std::iter::once(all()).chain(each).collect())
        }
        "order" => {
            let each = Order::ALL.iter().map(|order| {
                let value = if *order == Order::default() { "" } else { order.code() };
                Choice::new(value, lang.word("order", order.code()), current)
            });
            plain(each.collect())
        }
        "unit" => units(|kind| kind != UnitKind::Handling),
        "handler" => units(|_| true),
        "category" => Kind::Choice(choices::categories(&visit.directory, XIXIA, Some(all()), true, current)),
        "from" | "to" => Kind::Line("date"),
        _ => Kind::Line("text"),
    }
}
