//! Days of a month: for the chart, and by the ten-day periods (上旬、中旬、下旬) offices speak in.

use std::collections::BTreeMap;

use xunge_client_core::model::{LocalDay, LocalMonth};

use super::{FORWARDED, FigureRow, FigureTable, Lists, Part, SELF};
use crate::console::lang::Lang;
use crate::console::svg::Day;
use crate::console::words;
use crate::domain::counts::Figures;
use crate::domain::counts::query::Table;

/// Every day of the month, those without reports too.
fn every_day(month: LocalMonth, table: &Table) -> Vec<(LocalDay, Figures)> {
    let known: BTreeMap<&str, &Figures> = table.rows.iter().map(|row| (row.key.as_str(), &row.figures)).collect();
    let days = month.last().number() - month.first().number();
    let figures = |day: LocalDay| known.get(day.to_string().as_str()).map(|it| (*it).clone()).unwrap_or_default();
    (0..=days).map(|n| month.first().plus_days(n)).map(|day| (day, figures(day))).collect()
}

fn is_weekend(day: LocalDay) -> bool {
    day.weekday() >= 5
}

/// The month for its chart.
pub(crate) fn days(lang: Lang, month: LocalMonth, table: &Table) -> Vec<Day> {
    let day = |(day, figures): (LocalDay, Figures)| Day {
        label: day.civil().2.to_string(),
        tip: format!(
            "{} · {} {} · {} {}",
            words::day(lang, day),
            lang.say("figure.self_handled"),
            figures.self_handled,
            lang.say("figure.forwarded"),
            figures.forwarded
        ),
        weekend: is_weekend(day),
        self_handled: figures.self_handled,
        forwarded: figures.forwarded,
    };
    every_day(month, table).into_iter().map(day).collect()
}

/// What the chart of days says, in words.
pub(crate) fn days_message(lang: Lang, month: LocalMonth, table: &Table) -> String {
    let days = every_day(month, table);
    // The first of equal days, as one reads a chart.
    let most = |of: fn(&Figures) -> i64| {
        let best = days.iter().rev().max_by_key(|(_, figures)| of(figures));
        best.map(|(day, figures)| (words::day(lang, *day), of(figures).to_string())).unwrap_or_default()
    };
    let ((self_day, own), (forwarded_day, forwarded)) = (most(|it| it.self_handled), most(|it| it.forwarded));
    lang.fill(
        "overview.chart_days_text",
        &[
            ("days", &days.len().to_string()),
            ("self_day", &self_day),
            ("self", &own),
            ("forwarded_day", &forwarded_day),
            ("forwarded", &forwarded),
        ],
    )
}

/// The month as three tables, by the ten-day periods (上旬、中旬、下旬) offices speak in.
pub(crate) fn thirds(lang: Lang, lists: &Lists, month: LocalMonth, table: &Table) -> Vec<FigureTable> {
    let days = every_day(month, table);
    let third = |caption: &str, numbers: std::ops::RangeInclusive<u32>| {
        let within: Vec<_> = days.iter().filter(|(day, _)| numbers.contains(&day.civil().2)).collect();
        let cells = |days: (LocalDay, LocalDay), [all, own, forwarded]: [i64; 3]| {
            vec![
                lists.cell_between(own, SELF, days, &[]),
                lists.cell_between(forwarded, FORWARDED, days, &[]),
                lists.cell_between(all, Part::All, days, &[]),
            ]
        };
        let rows = within.iter().map(|(day, figures)| FigureRow {
            name: words::day(lang, *day),
            class: if is_weekend(*day) { "weekend" } else { "" },
            cells: cells((*day, *day), [figures.reported, figures.self_handled, figures.forwarded]),
            href: None,
        });
        let sum = |of: fn(&Figures) -> i64| within.iter().map(|(_, figures)| of(figures)).sum();
        let sums = [sum(|it| it.reported), sum(|it| it.self_handled), sum(|it| it.forwarded)];
        let ends = within.first().zip(within.last()).map(|(first, last)| (first.0, last.0));
        FigureTable {
            caption: lang.say(caption).to_owned(),
            class: "",
            heads: ["overview.day", "figure.self_handled", "figure.forwarded", "figure.reported"]
                .map(|key| lang.say(key))
                .to_vec(),
            rows: rows.collect(),
            total: ends.map(|ends| FigureRow {
                name: lang.say("overview.subtotal").to_owned(),
                cells: cells(ends, sums),
                ..FigureRow::default()
            }),
        }
    };
    vec![third("overview.early", 1..=10), third("overview.middle", 11..=20), third("overview.late", 21..=31)]
}
