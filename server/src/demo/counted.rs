//! The month as the server counts it: the answers of `/v1/counts`, put into the form of the published tables.
//!
//! Which rows a table has follows from the counts alone: the majors with most cases and their minors, most first; the
//! units with fewest reports, fewest first. From the report comes only how many rows it prints.

use std::collections::BTreeMap;

use serde::Deserialize;
use xunge_client_core::model::CategoryRef;

use super::compare::{CategoryFigure, Figures, UnitFigure};
use crate::domain::counts::change;
use crate::reference::taxonomy::Taxonomy;

/// Decimals of a change against the month before, as the report prints it.
const MOM_DECIMALS: u32 = 2;

/// An answer of `/v1/counts`.
#[derive(Debug, Deserialize)]
pub(super) struct Counts {
    total: Total,
    #[serde(default)]
    rows: Vec<Row>,
}

#[derive(Debug, Deserialize)]
struct Total {
    reported: u64,
    self_handled: u64,
    forwarded: u64,
    closed: u64,
    close_rate: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Row {
    key: String,
    name: String,
    reported: u64,
    void: u64,
    filed: u64,
}

/// How many rows the tables print.
pub(super) struct Tables {
    pub(super) majors: usize,
    pub(super) units: usize,
}

/// Puts the counts by unit and by category into tables; `before` is what the edition of the
/// month before held, by category as `scheme:kind:code`.
pub(super) fn figures(
    by_unit: Counts,
    by_category: &Counts,
    before: &BTreeMap<String, i64>,
    tables: &Tables,
) -> Figures {
    let Total { reported, self_handled, forwarded, closed, close_rate } = by_unit.total;
    let mut units = by_unit.rows;
    units.retain(|row| !row.key.is_empty());
    units.sort_by(|one, other| (one.reported, &one.key).cmp(&(other.reported, &other.key)));
    units.truncate(tables.units);
    let unit = |row: Row| UnitFigure { unit: row.name, reported: row.reported, void: row.void, filed: row.filed };
    Figures {
        reported,
        self_handled,
        forwarded,
        closed,
        close_rate,
        categories: categories(&by_category.rows, before, tables.majors),
        units: units.into_iter().map(unit).collect(),
    }
}

fn categories(rows: &[Row], before: &BTreeMap<String, i64>, majors: usize) -> Vec<CategoryFigure> {
    let taxonomy = Taxonomy::builtin();
    let mut minors: BTreeMap<&CategoryRef, Vec<(u64, CategoryRef)>> = BTreeMap::new();
    for row in rows {
        let Ok(key) = row.key.parse::<CategoryRef>() else { continue };
        let Some(major) = taxonomy.major_of(&key) else { continue };
        minors.entry(&major.key).or_default().push((row.reported, key));
    }
    let mut tables: Vec<_> = minors
        .into_iter()
        .map(|(major, rows)| (rows.iter().map(|(count, _)| count).sum::<u64>(), major, rows))
        .collect();
    tables.sort_by_key(|(count, major, _)| (std::cmp::Reverse(*count), *major));
    tables.truncate(majors);
    let name = |key: &CategoryRef| taxonomy.get(key).map_or_else(|| key.to_string(), |entry| entry.name_zh.clone());
    let mom = |key: &CategoryRef, count: u64| change(count as i64, *before.get(&key.to_string())?, MOM_DECIMALS);
    let mut figures = Vec::new();
    for (count, major, mut rows) in tables {
        let shown = name(major);
        figures.push(CategoryFigure { major: shown.clone(), minor: None, count, mom: mom(major, count) });
        rows.sort_by_key(|(count, key)| (std::cmp::Reverse(*count), key.clone()));
        figures.extend(rows.into_iter().filter(|(count, key)| *count > 0 && key != major).map(|(count, key)| {
            CategoryFigure { major: shown.clone(), minor: Some(name(&key)), count, mom: mom(&key, count) }
        }));
    }
    figures
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::demo::compare::differences;
    use crate::demo::figures::previous_edition;
    use crate::reference::published::Published;

    fn row(key: &str, name: &str, reported: u64, void: u64) -> serde_json::Value {
        json!({"key": key, "name": name, "reported": reported, "void": void, "filed": reported - void})
    }

    /// `/v1/counts` as it has to answer for the published month, rows in no useful order.
    fn answers(report: &Published) -> (Counts, Counts) {
        let total = json!({"reported": 8093, "self_handled": 7390, "forwarded": 703, "closed": 8064,
            "close_rate": "99.64", "void": 61});
        let mut categories: Vec<_> =
            report.minors().map(|minor| row(&minor.key.to_string(), "", minor.count, 0)).collect();
        categories.reverse();
        let rest = format!("{}:event:XX9901", report.categories[0].key.scheme);
        categories.push(row(&rest, "", 331, 0));
        let mut units: Vec<_> =
            report.units.iter().rev().map(|unit| row(&unit.unit, &unit.unit, unit.reported, unit.void)).collect();
        units.insert(3, row("U1", "别处", 6_528, 0));
        units.push(row("", "", 0, 0));
        let counts = |rows| serde_json::from_value(json!({"total": total, "rows": rows})).unwrap();
        (counts(units), counts(categories))
    }

    fn october(report: &Published) -> BTreeMap<String, i64> {
        let edition = previous_edition(report, &"640105".parse().unwrap());
        edition.categories.into_iter().map(|(key, count)| (key.to_string(), count as i64)).collect()
    }

    #[test]
    fn counts_that_meet_the_report_give_its_tables_with_every_change_as_printed() {
        let report = Published::november_2023();
        let (units, categories) = answers(report);
        let computed = figures(units, &categories, &october(report), &Tables { majors: 3, units: 6 });
        assert_eq!(differences(&Figures::published(report), &computed), []);
    }

    #[test]
    fn without_the_edition_of_october_there_is_no_change() {
        let report = Published::november_2023();
        let (units, categories) = answers(report);
        let computed = figures(units, &categories, &BTreeMap::new(), &Tables { majors: 3, units: 6 });
        assert_eq!(differences(&Figures::published(report), &computed).len(), 19);
    }
}
