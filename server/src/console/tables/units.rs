//! Reporting units: for the chart, and with everything that is published about them.

use super::{FigureRow, FigureTable, Lists, Part, month_on_month, rate};
use crate::console::lang::Lang;
use crate::console::link;
use crate::console::month::Before;
use crate::console::svg::Bar;
use crate::domain::counts::Figures;
use crate::domain::counts::query::{Table, TableRow};

/// Units for their chart, most reports first.
pub(crate) fn bars(lang: Lang, table: &Table) -> Vec<Bar> {
    let mut rows: Vec<_> = table.rows.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.figures.reported));
    let bar = |row: &&TableRow| Bar {
        name: unit_name(lang, &row.name, &row.key),
        tip: format!(
            "{} · {} {} · {} {}",
            unit_name(lang, &row.name, &row.key),
            lang.say("figure.self_handled"),
            row.figures.self_handled,
            lang.say("figure.forwarded"),
            row.figures.forwarded
        ),
        self_handled: row.figures.self_handled,
        forwarded: row.figures.forwarded,
    };
    rows.iter().map(bar).collect()
}

/// What the chart of units says, in words.
pub(crate) fn units_message(lang: Lang, bars: &[Bar]) -> String {
    let Some(first) = bars.first() else { return lang.say("overview.nothing").to_owned() };
    let most = (first.self_handled + first.forwarded).to_string();
    lang.fill("overview.chart_units_text", &[("n", &bars.len().to_string()), ("unit", &first.name), ("most", &most)])
}

fn unit_name(lang: Lang, name: &str, key: &str) -> String {
    match (name, key) {
        ("", "") => lang.say("overview.no_unit").to_owned(),
        ("", key) => key.to_owned(),
        (name, _) => name.to_owned(),
    }
}

/// The table of units, most reports first.
pub(crate) fn units(lang: Lang, lists: &Lists, table: &Table, before: &Before, year: &Before) -> FigureTable {
    let mut rows: Vec<_> = table.rows.iter().collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.figures.reported));
    let cells = |figures: &Figures, [before, year]: [Option<i64>; 2], more: &[(&str, &str)]| {
        let mut cells = vec![lists.cell(figures.reported, Part::All, more)];
        cells.push(month_on_month(lang, figures.reported, before));
        cells.push(month_on_month(lang, figures.reported, year));
        cells.extend(lists.split(figures, more));
        cells.push(rate(lang, figures));
        cells
    };
    let month = lists.month.to_string();
    let row = |row: &&TableRow| FigureRow {
        name: unit_name(lang, &row.name, &row.key),
        href: (!row.key.is_empty()).then(|| link::with("/", [("month", month.as_str()), ("unit", &row.key)])),
        class: "",
        cells: match row.key.as_str() {
            "" => cells(&row.figures, [None, None], &[("without", "unit")]),
            key => cells(&row.figures, [before.unit(key), year.unit(key)], &[("unit", key)]),
        },
    };
    FigureTable {
        caption: lang.say("overview.by_unit").to_owned(),
        class: "wide-table",
        heads: [
            "overview.unit",
            "figure.reported",
            "figure.change",
            "figure.year",
            "figure.self_handled",
            "figure.forwarded",
            "figure.void",
            "figure.filed",
            "figure.pending",
            "figure.closed",
            "figure.close_rate",
        ]
        .map(|key| lang.say(key))
        .to_vec(),
        rows: rows.iter().map(row).collect(),
        total: Some(FigureRow {
            name: lang.say("figure.total").to_owned(),
            cells: cells(&table.total, [before.reported(), year.reported()], &[]),
            ..FigureRow::default()
        }),
    }
}
