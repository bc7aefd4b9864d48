//! The overview's figures as rows and cells, each with the address of the cases it counts.

mod categories;
mod days;
mod grids;
mod units;

use xunge_client_core::model::{LocalDay, LocalMonth, Mode};
use xunge_client_core::workflow::State;

use super::lang::Lang;
use super::month::Before;
use super::{choices, link, words};
use crate::domain::counts::{Figures, change};

pub(crate) use categories::categories;
pub(crate) use days::{days, days_message, thirds};
pub(crate) use grids::{Grids, Metric, grids, places};
pub(crate) use units::{bars, units, units_message};

/// A number, and where its cases are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Cell {
    /// As shown.
    pub(crate) text: String,
    /// Where to.
    pub(crate) href: Option<String>,
}

/// One of the large figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    /// Class of its colour.
    pub(crate) class: &'static str,
    /// Its name.
    pub(crate) label: &'static str,
    /// The number.
    pub(crate) cell: Cell,
    /// What stands below it.
    pub(crate) note: String,
}

/// A row of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FigureRow {
    /// Its name.
    pub(crate) name: String,
    /// Where the name leads.
    pub(crate) href: Option<String>,
    /// Class: `major`, `minor`, `weekend` or none.
    pub(crate) class: &'static str,
    /// The numbers.
    pub(crate) cells: Vec<Cell>,
}

/// A table of figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct FigureTable {
    /// What it shows.
    pub(crate) caption: String,
    /// Class of the table.
    pub(crate) class: &'static str,
    /// Heads of its columns.
    pub(crate) heads: Vec<&'static str>,
    /// Its rows.
    pub(crate) rows: Vec<FigureRow>,
    /// The row of sums.
    pub(crate) total: Option<FigureRow>,
}

/// A way of being counted, as the list of cases knows it.
#[derive(Debug, Clone, Copy)]
enum Part {
    All,
    Mode(Mode),
    State(State),
    Outcome(&'static str),
}

const SELF: Part = Part::Mode(Mode::SelfHandled);
const FORWARDED: Part = Part::Mode(Mode::Forwarded);
const VOID: Part = Part::State(State::Void);
const PENDING: Part = Part::Outcome("pending");
const FILED: Part = Part::Outcome("filed");
const CLOSED: Part = Part::Outcome("closed");

/// Addresses of the lists behind the figures of a scope and month.
#[derive(Debug, Clone)]
pub(crate) struct Lists {
    /// What every list is narrowed by: the unit, where the scope is one.
    pub(crate) own: Option<(&'static str, String)>,
    /// The month.
    pub(crate) month: LocalMonth,
}

impl Lists {
    /// A number with its list; nothing is behind a zero.
    fn cell(&self, n: i64, part: Part, more: &[(&str, &str)]) -> Cell {
        self.cell_between(n, part, (self.month.first(), self.month.last()), more)
    }

    fn cell_between(&self, n: i64, part: Part, days: (LocalDay, LocalDay), more: &[(&str, &str)]) -> Cell {
        let (from, to) = (days.0.to_string(), days.1.to_string());
        let (mode, states) = match part {
            Part::All => ("", String::new()),
            Part::Mode(mode) => (mode.code(), String::new()),
            Part::State(state) => ("", state.code().to_owned()),
            Part::Outcome(outcome) => ("", choices::states_of(outcome).unwrap_or_default()),
        };
        let own = self.own.iter().map(|(name, value)| (*name, value.as_str()));
        let parts = [("from", from.as_str()), ("to", &to), ("mode", mode), ("state", &states)];
        let href = link::with("/cases", parts.into_iter().chain(own).chain(more.iter().copied()));
        Cell { text: n.to_string(), href: (n != 0).then_some(href) }
    }

    /// The six ways a row of reports is split, after the number of reports itself.
    fn split(&self, figures: &Figures, more: &[(&str, &str)]) -> [Cell; 6] {
        [
            self.cell(figures.self_handled, SELF, more),
            self.cell(figures.forwarded, FORWARDED, more),
            self.cell(figures.void, VOID, more),
            self.cell(figures.filed, FILED, more),
            self.cell(figures.pending, PENDING, more),
            self.cell(figures.closed, CLOSED, more),
        ]
    }
}

fn plain(text: String) -> Cell {
    Cell { text, href: None }
}

fn rate(lang: Lang, figures: &Figures) -> Cell {
    plain(figures.close_rate.as_ref().map_or_else(|| lang.say("app.none").to_owned(), |rate| format!("{rate}%")))
}

/// The same month a year before (同比).
pub(crate) fn year_before(month: LocalMonth) -> LocalMonth {
    (0..12).fold(month, |month, _| month.previous())
}

/// 环比 and 同比: against nothing it is "new", against an unknown it is a dash.
fn month_on_month(lang: Lang, now: i64, before: Option<i64>) -> Cell {
    plain(match before {
        None => lang.say("change.none").to_owned(),
        Some(0) if now > 0 => lang.say("change.from_zero").to_owned(),
        Some(before) => {
            change(now, before, 2).map_or_else(|| lang.say("change.none").to_owned(), |it| words::change(&it))
        }
    })
}

/// The large figures.
pub(crate) fn totals(lang: Lang, lists: &Lists, total: &Figures, before: &Before, year: &Before) -> Vec<Figure> {
    let [own, forwarded, void, filed, pending, closed] = lists.split(total, &[]);
    let figure = |class, key, cell| Figure { class, label: lang.say(key), cell, note: String::new() };
    let note = |now: i64, of: fn(&Before) -> Option<i64>| {
        let moved = |key: &str, then: &Before| {
            let then = of(then)?;
            Some(format!("{} {}", lang.say(key), month_on_month(lang, now, Some(then)).text))
        };
        let parts: Vec<String> =
            [moved("figure.change", before), moved("figure.year", year)].into_iter().flatten().collect();
        parts.join(" · ")
    };
    let with_note = |figure, note| Figure { note, ..figure };
    vec![
        with_note(
            figure("", "figure.reported", lists.cell(total.reported, Part::All, &[])),
            note(total.reported, Before::reported),
        ),
        with_note(figure("self", "figure.self_handled", own), note(total.self_handled, Before::self_handled)),
        with_note(figure("forwarded", "figure.forwarded", forwarded), note(total.forwarded, Before::forwarded)),
        figure("", "figure.void", void),
        figure("", "figure.filed", filed),
        figure("", "figure.pending", pending),
        figure("", "figure.closed", closed),
        figure("", "figure.close_rate", rate(lang, total)),
    ]
}
