//! The published figures beside the counted ones, member by member.

use serde::Serialize;
use serde_json::Value;

use super::check::Difference;
use crate::reference::published::Published;

/// The figures of a month, as published or as counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// All received (上报).
    pub reported: u64,
    /// Fixed on the spot (自发自处).
    pub self_handled: u64,
    /// Forwarded (平台流转).
    pub forwarded: u64,
    /// Done (办结): closed or void.
    pub closed: u64,
    /// `closed / reported` in percent (办结率).
    pub close_rate: Option<String>,
    /// The majors with most cases, each followed by its minors.
    pub categories: Vec<CategoryFigure>,
    /// The units that reported least.
    pub units: Vec<UnitFigure>,
}

/// One row of the category table; a major if `minor` is `None`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CategoryFigure {
    /// Name of the major (大类).
    pub major: String,
    /// Name of the minor (小类).
    pub minor: Option<String>,
    /// Cases.
    pub count: u64,
    /// Change against the month before in percent (环比).
    pub mom: Option<String>,
}

/// One row of the unit table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UnitFigure {
    /// Full name of the reporting unit.
    pub unit: String,
    /// 上报总数, void included.
    pub reported: u64,
    /// 作废数.
    pub void: u64,
    /// 立案数.
    pub filed: u64,
}

impl Figures {
    /// The figures a report published.
    pub fn published(report: &Published) -> Self {
        let category = |row: &crate::reference::published::PublishedCategory| CategoryFigure {
            major: row.major.clone(),
            minor: row.minor.clone(),
            count: row.count,
            mom: Some(row.mom.clone()),
        };
        let unit = |row: &crate::reference::published::PublishedUnit| UnitFigure {
            unit: row.unit.clone(),
            reported: row.reported,
            void: row.void,
            filed: row.filed,
        };
        Self {
            reported: report.count("grid_reported"),
            self_handled: report.count("grid_self_handled"),
            forwarded: report.count("grid_forwarded"),
            closed: report.count("grid_closed"),
            close_rate: report.figure("grid_close_rate").map(str::to_owned),
            categories: report.categories.iter().map(category).collect(),
            units: report.units.iter().map(unit).collect(),
        }
    }
}

/// Every member in which the two differ; empty if they are equal.
///
/// Walks whatever members there are, so that one added later is compared without anybody remembering to.
pub fn differences(published: &Figures, computed: &Figures) -> Vec<Difference> {
    let json = |figures| serde_json::to_value(figures).expect("figures are numbers and texts");
    let (Value::Object(published), Value::Object(computed)) = (json(published), json(computed)) else {
        unreachable!("a struct becomes an object")
    };
    let mut found = Vec::new();
    for (member, expected) in &published {
        let kind = match member.as_str() {
            "categories" => "category",
            "units" => "unit",
            _ => "headline",
        };
        walk(kind, member, Some(expected), computed.get(member), &mut found);
    }
    found
}

fn walk(kind: &'static str, subject: &str, expected: Option<&Value>, found: Option<&Value>, out: &mut Vec<Difference>) {
    match (expected, found) {
        (Some(Value::Array(expected)), Some(Value::Array(found))) => {
            for nth in 0..expected.len().max(found.len()) {
                let (expected, found) = (expected.get(nth), found.get(nth));
                let name = expected.or(found).map(row_name).unwrap_or_default();
                walk(kind, &format!("{subject}[{nth}] {name}"), expected, found, out);
            }
        }
        (Some(Value::Object(expected)), Some(Value::Object(found))) => {
            for (member, value) in expected {
                walk(kind, &format!("{subject}.{member}"), Some(value), found.get(member), out);
            }
        }
        _ if expected == found => {}
        _ => out.push(Difference { kind, subject: subject.to_owned(), expected: shown(expected), found: shown(found) }),
    }
}

/// What a person calls a row of a table.
fn row_name(row: &Value) -> String {
    let names = ["unit", "major", "minor"].map(|member| row.get(member).and_then(Value::as_str));
    names.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Figures {
        Figures::published(Published::november_2023())
    }

    /// The differences after `change` was made to the counted side.
    fn after(change: impl Fn(&mut Figures)) -> Vec<(&'static str, String, String, String)> {
        let mut computed = figures();
        change(&mut computed);
        let found = differences(&figures(), &computed);
        found.into_iter().map(|one| (one.kind, one.subject, one.expected, one.found)).collect()
    }

    fn only(differences: &[(&'static str, String, String, String)]) -> (&'static str, String, String, String) {
        assert_eq!(differences.len(), 1, "{differences:?}");
        differences[0].clone()
    }

    #[test]
    fn the_report_equals_itself() {
        assert_eq!(after(|_| {}), []);
    }

    #[test]
    fn every_headline_member_is_compared() {
        type Change = (&'static str, fn(&mut Figures));
        let one_more: [Change; 4] = [
            ("reported", |figures| figures.reported += 1),
            ("self_handled", |figures| figures.self_handled += 1),
            ("forwarded", |figures| figures.forwarded += 1),
            ("closed", |figures| figures.closed += 1),
        ];
        for (member, change) in one_more {
            assert_eq!(only(&after(change)).1, member);
        }
        let rate = only(&after(|figures| figures.close_rate = Some("99.65".to_owned())));
        assert_eq!(rate, ("headline", "close_rate".into(), "99.64".into(), "99.65".into()));
        let none = only(&after(|figures| figures.close_rate = None));
        assert_eq!((none.2.as_str(), none.3.as_str()), ("99.64", "-"));
    }

    #[test]
    fn every_member_of_every_row_is_compared() {
        for nth in 0..figures().categories.len() {
            assert_eq!(only(&after(|figures| figures.categories[nth].count += 1)).0, "category");
            let mom = only(&after(|figures| figures.categories[nth].mom = Some("0.00".to_owned())));
            assert!(mom.1.ends_with(".mom"), "{}", mom.1);
            only(&after(|figures| figures.categories[nth].minor = Some("别的".to_owned())));
            only(&after(|figures| figures.categories[nth].major.clear()));
        }
        for nth in 0..figures().units.len() {
            let members: [fn(&mut UnitFigure); 4] =
                [|row| row.reported += 1, |row| row.void += 1, |row| row.filed += 1, |row| row.unit.clear()];
            for change in members {
                assert_eq!(only(&after(|figures| change(&mut figures.units[nth]))).0, "unit");
            }
        }
    }

    #[test]
    fn rows_that_are_missing_or_too_many_are_named() {
        let missing = only(&after(|figures| drop(figures.units.pop())));
        assert_eq!((missing.0, missing.3.as_str()), ("unit", "-"));
        assert!(missing.1.starts_with("units[5] ") && missing.2.contains("reported"), "{missing:?}");
        let extra = only(&after(|figures| {
            let row = figures.categories[0].clone();
            figures.categories.push(row);
        }));
        assert_eq!((extra.0, extra.2.as_str()), ("category", "-"));
    }

    #[test]
    fn rows_in_another_order_are_not_the_published_table() {
        assert!(!after(|figures| figures.units.swap(0, 1)).is_empty());
        assert!(!after(|figures| figures.categories.swap(1, 2)).is_empty());
    }
}
