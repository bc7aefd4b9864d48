//! Figures of the report that the demo takes over instead of computing: hotline, fire alerts, the month before.

use xunge_client_core::model::{CategoryRef, LocalDay, LocalMonth, OrgCode};

use crate::reference::published::{Headline, Published};

/// Where the figures come from, printed beside them.
const SOURCE: &str = "西夏区 2023 年 11 月运行调度分析监测报告";
const DERIVED: &str = "由 2023 年 11 月报告推算";

/// One figure that is entered, not counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalFigure {
    /// The part of the tree it is about.
    pub scope: OrgCode,
    /// Its month.
    pub period: LocalMonth,
    /// Stable code of the metric.
    pub metric: &'static str,
    /// What the metric is split by: a channel code or a unit name; empty for a total.
    pub key: String,
    /// Name of the key as printed; empty for a total.
    pub name: String,
    /// As printed, so with its number of decimals.
    pub value: String,
    /// `case`, `alert`, `%` or `pp`.
    pub unit: String,
    /// Cut-off day of a figure that grows later (截止日).
    pub as_of: Option<LocalDay>,
    /// Origin, for readers.
    pub source: &'static str,
}

impl ExternalFigure {
    /// Metric and key in one word, unique within scope and period: `hotline_channel:app`.
    pub fn full_metric(&self) -> String {
        match self.key.as_str() {
            "" => self.metric.to_owned(),
            key => format!("{}:{key}", self.metric),
        }
    }
}

/// Metrics of the headline that are not counted from cases: name in the report, stable code.
///
/// Rates and sums that follow from other figures are left out: the report engine computes them.
const TAKEN_OVER: [(&str, &str); 7] = [
    ("hotline_accepted", "hotline_accepted"),
    ("hotline_closed_asof_2023_12_07", "hotline_closed_asof"),
    ("hotline_in_progress", "hotline_in_progress"),
    ("hotline_satisfaction", "hotline_satisfaction"),
    ("hotline_repeat_ge3", "hotline_repeat_ge3"),
    ("fire_alerts_detected", "fire_detected"),
    ("fire_alerts_valid", "fire_valid"),
];

/// Hotline and fire figures of the month, and the two of the month before that its changes need.
pub fn external_figures(report: &Published, scope: &OrgCode) -> Vec<ExternalFigure> {
    let figure = |period, metric, key: &str, name: &str, row: &Headline, source| ExternalFigure {
        scope: scope.clone(),
        period,
        metric,
        key: key.to_owned(),
        name: name.to_owned(),
        value: row.value.clone(),
        unit: row.unit.clone(),
        as_of: (metric == "hotline_closed_asof" || metric == "hotline_in_progress")
            .then(|| LocalDay::new(2023, 12, 7).expect("a day of the calendar")),
        source,
    };
    let count =
        |value: u64, unit: &str| Headline { metric: String::new(), value: value.to_string(), unit: unit.into() };
    let mut figures = Vec::new();
    for (rows, period, source) in
        [(&report.headline, report.month, SOURCE), (&report.derived_before, report.month.previous(), DERIVED)]
    {
        for row in rows {
            if let Some((_, metric)) = TAKEN_OVER.iter().find(|(name, _)| *name == row.metric) {
                figures.push(figure(period, metric, "", "", row, source));
            }
        }
    }
    for row in &report.channels {
        let value = count(row.count, "case");
        figures.push(figure(report.month, "hotline_channel", &row.code, &row.channel, &value, SOURCE));
    }
    for row in &report.fire_units {
        let value = count(row.valid_fires, "alert");
        figures.push(figure(report.month, "fire_valid_by_unit", &row.unit, &row.unit, &value, SOURCE));
    }
    figures
}

/// What the edition of the month before held, as far as the report implies it: 环比 is taken against it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousEdition {
    /// Report template.
    pub template: &'static str,
    /// Its scope.
    pub scope: OrgCode,
    /// Its month.
    pub period: LocalMonth,
    /// Cases of each published major and minor.
    pub categories: Vec<(CategoryRef, u64)>,
    /// Origin, for readers.
    pub source: &'static str,
}

/// The October edition, from the counts that the published changes imply.
pub fn previous_edition(report: &Published, scope: &OrgCode) -> PreviousEdition {
    PreviousEdition {
        template: "monthly-district",
        scope: scope.clone(),
        period: report.month.previous(),
        categories: report.categories.iter().map(|row| (row.key.clone(), row.implied_prev_count)).collect(),
        source: DERIVED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures() -> Vec<ExternalFigure> {
        external_figures(Published::november_2023(), &"640105".parse().unwrap())
    }

    fn total(metric: &str) -> u64 {
        figures().iter().filter(|figure| figure.metric == metric).map(|f| f.value.parse::<u64>().unwrap()).sum()
    }

    #[test]
    fn parts_add_up_to_the_totals_taken_over() {
        assert_eq!(total("hotline_channel"), 2709);
        assert_eq!(total("fire_valid_by_unit"), total("fire_valid"));
        assert_eq!(total("hotline_closed_asof") + total("hotline_in_progress"), 2709);
        assert_eq!(total("hotline_accepted"), 2709 + 2832);
    }

    #[test]
    fn nothing_that_can_be_counted_from_cases_is_taken_over() {
        assert!(figures().iter().all(|figure| !figure.metric.starts_with("grid")));
        let unique: std::collections::BTreeSet<_> = figures().iter().map(|f| (f.period, f.full_metric())).collect();
        assert_eq!((figures().len(), unique.len()), (9 + 10 + 5, 9 + 10 + 5));
    }

    #[test]
    fn the_october_edition_has_every_published_category() {
        let october = previous_edition(Published::november_2023(), &"640105".parse().unwrap());
        assert_eq!((october.period.to_string().as_str(), october.categories.len()), ("2023-10", 19));
    }
}
