//! Categories: majors by their number, below each its minors by theirs.

use std::collections::BTreeMap;

use super::{Cell, FigureRow, FigureTable, Lists, Part, month_on_month, plain};
use crate::console::choices;
use crate::console::month::{Before, major_of};
use crate::console::visit::Visit;
use crate::domain::counts::Figures;
use crate::domain::counts::query::{Table, TableRow};

/// A major with the minors below it that were reported.
#[derive(Default)]
struct Group<'a> {
    figures: Figures,
    minors: Vec<&'a TableRow>,
}

/// The table of categories.
pub(crate) fn categories(visit: &Visit, lists: &Lists, table: &Table, before: &Before, year: &Before) -> FigureTable {
    let lang = visit.lang;
    let mut groups: BTreeMap<String, Group<'_>> = BTreeMap::new();
    for row in &table.rows {
        let major = major_of(&visit.directory, &row.key).map(|key| key.to_string());
        let group = groups.entry(major.clone().unwrap_or_else(|| row.key.clone())).or_default();
        group.figures = group.figures.plus(&row.figures);
        if major.is_some() {
            group.minors.push(row);
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, group)| std::cmp::Reverse(group.figures.reported));
    let line = |class, key: &str, figures: &Figures| {
        let cells = match key {
            "" => cells(visit, lists, figures, [None, None], &[("without", "category")]),
            key => {
                let then = [before.category(key), year.category(key)];
                cells(visit, lists, figures, then, &[("category", key)])
            }
        };
        FigureRow { name: name(visit, key), href: None, class, cells }
    };
    let mut rows = Vec::new();
    for (key, mut group) in groups {
        rows.push(line("major", &key, &group.figures));
        group.minors.sort_by_key(|row| std::cmp::Reverse(row.figures.reported));
        rows.extend(group.minors.iter().map(|row| line("minor", &row.key, &row.figures)));
    }
    let heads = [
        "overview.category",
        "figure.reported",
        "figure.before",
        "figure.change",
        "figure.year",
        "figure.self_handled",
        "figure.forwarded",
        "figure.void",
        "figure.filed",
        "figure.pending",
    ];
    FigureTable {
        caption: lang.say("overview.by_category").to_owned(),
        class: "wide-table",
        heads: heads.map(|key| lang.say(key)).to_vec(),
        rows,
        total: Some(FigureRow {
            name: lang.say("figure.total").to_owned(),
            cells: cells(visit, lists, &table.total, [before.reported(), year.reported()], &[]),
            ..FigureRow::default()
        }),
    }
}

fn cells(
    visit: &Visit,
    lists: &Lists,
    figures: &Figures,
    [before, year]: [Option<i64>; 2],
    more: &[(&str, &str)],
) -> Vec<Cell> {
    let none = || visit.lang.say("app.none").to_owned();
    let mut cells = vec![
        lists.cell(figures.reported, Part::All, more),
        plain(before.map_or_else(none, |n| n.to_string())),
        month_on_month(visit.lang, figures.reported, before),
        month_on_month(visit.lang, figures.reported, year),
    ];
    // 办结 is the units' business; without it the table fits a page.
    cells.extend(lists.split(figures, more).into_iter().take(5));
    cells
}

fn name(visit: &Visit, key: &str) -> String {
    match key {
        "" => visit.lang.say("overview.no_category").to_owned(),
        key => choices::name(&visit.directory, key),
    }
}
