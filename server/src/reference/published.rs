//! The report of 银川市西夏区 for November 2023, as published, row by row.
//!
//! The demo replays this month and has to arrive at the same figures; nothing here is used to compute them.

use std::sync::LazyLock;

use serde::Deserialize;
use xunge_client_core::model::{CategoryRef, Kind, LocalMonth};

use super::taxonomy::{Category, Taxonomy, XIXIA};

/// A published category row: a major (大类) if `minor` is `None`, else a minor (小类).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedCategory {
    /// Name of the major.
    pub major: String,
    /// Name of the minor.
    pub minor: Option<String>,
    /// The category in the tree `xixia-2023`.
    pub key: CategoryRef,
    /// Cases of the month.
    pub count: u64,
    /// Month-on-month (环比) in percent, as printed: `-4.43`.
    pub mom: String,
    /// Cases of October, derived: the one integer whose rounded change is `mom`.
    pub implied_prev_count: u64,
}

/// A row of the unit table: the six units with the fewest reports.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PublishedUnit {
    /// Full name of the reporting unit.
    pub unit: String,
    /// Cases reported (上报总数), void included.
    pub reported: u64,
    /// Cases voided (作废数).
    pub void: u64,
    /// Cases filed (立案数).
    pub filed: u64,
}

/// A 12345 intake channel.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Channel {
    /// Stable code of the channel.
    pub code: String,
    /// Name as printed.
    pub channel: String,
    /// Orders of the month.
    pub count: u64,
}

/// Valid fire alerts of one unit; 超范围 is the bucket of alerts outside the district.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FireUnit {
    /// Name as printed.
    pub unit: String,
    /// Alerts a person confirmed.
    pub valid_fires: u64,
}

/// A headline figure.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Headline {
    /// Stable code of the metric.
    pub metric: String,
    /// As printed; the number of decimals is part of the publication.
    pub value: String,
    /// `case`, `alert`, `%` or `pp`.
    pub unit: String,
}

/// Everything the report publishes that we can check.
#[derive(Debug, Clone)]
pub struct Published {
    /// The month reported.
    pub month: LocalMonth,
    /// 3 majors, each followed by its minors: 19 rows.
    pub categories: Vec<PublishedCategory>,
    /// Six units, fewest reports first.
    pub units: Vec<PublishedUnit>,
    /// Ten channels, most orders first.
    pub channels: Vec<Channel>,
    /// Valid fire alerts by unit, the out-of-area bucket last.
    pub fire_units: Vec<FireUnit>,
    /// Headline figures.
    pub headline: Vec<Headline>,
    /// The figures of the month before that the report implies.
    pub derived_before: Vec<Headline>,
}

impl Published {
    /// November 2023.
    pub fn november_2023() -> &'static Published {
        static REPORT: LazyLock<Published> = LazyLock::new(|| Published {
            month: LocalMonth::new(2023, 11).expect("November is a month"),
            categories: categories(super::rows(include_str!("../../data/xixia_2023_11_categories.csv"))),
            units: super::rows(include_str!("../../data/xixia_2023_11_units.csv")),
            channels: super::rows(include_str!("../../data/xixia_2023_11_channels.csv")),
            fire_units: super::rows(include_str!("../../data/xixia_2023_11_fire_units.csv")),
            headline: super::rows(include_str!("../../data/xixia_2023_11_headline.csv")),
            derived_before: super::rows(include_str!("../../data/xixia_2023_10_derived.csv")),
        });
        &REPORT
    }

    /// A headline figure as printed.
    pub fn figure(&self, metric: &str) -> Option<&str> {
        self.headline.iter().find(|row| row.metric == metric).map(|row| row.value.as_str())
    }

    /// A headline count.
    ///
    /// # Panics
    /// If the report has no such count; metrics are named in code only.
    pub fn count(&self, metric: &str) -> u64 {
        let text = self.figure(metric).expect("metrics are named in code and covered by a test");
        text.parse().expect("counts are integers")
    }

    /// The minors with their counts.
    pub fn minors(&self) -> impl Iterator<Item = &PublishedCategory> {
        self.categories.iter().filter(|row| row.minor.is_some())
    }

    /// The majors with their counts.
    pub fn majors(&self) -> impl Iterator<Item = &PublishedCategory> {
        self.categories.iter().filter(|row| row.minor.is_none())
    }
}

#[derive(Deserialize)]
struct CategoryRow {
    category: String,
    subcategory: Option<String>,
    count: u64,
    mom_pct: String,
    implied_prev_count: u64,
}

fn categories(rows: Vec<CategoryRow>) -> Vec<PublishedCategory> {
    let taxonomy = Taxonomy::builtin();
    let major_named = |name: &str| taxonomy.scheme(XIXIA).find(|entry| entry.is_major() && entry.name_zh == name);
    rows.into_iter()
        .map(|row| {
            let major = major_named(&row.category).expect("every published major is in the tree");
            let entry: &Category = match &row.subcategory {
                None => major,
                Some(name) => taxonomy
                    .minors(&major.key)
                    .find(|minor| minor.name_zh == *name)
                    .expect("every published minor is in the tree"),
            };
            debug_assert_eq!(entry.key.kind, Kind::Event);
            PublishedCategory {
                key: entry.key.clone(),
                major: row.category,
                minor: row.subcategory,
                count: row.count,
                mom: row.mom_pct,
                implied_prev_count: row.implied_prev_count,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Change in percent with two decimals, half away from zero, in integers.
    fn change(now: u64, before: u64) -> String {
        let (now, before) = (i128::from(now), i128::from(before));
        let scaled = (now - before) * 10_000;
        let half_up = (scaled.abs() * 2 + before) / (before * 2);
        let sign = if scaled < 0 { "-" } else { "" };
        format!("{sign}{}.{:02}", half_up / 100, half_up % 100)
    }

    #[test]
    fn month_on_month_of_every_category_is_reproduced_to_the_last_digit() {
        for row in &Published::november_2023().categories {
            assert_eq!(change(row.count, row.implied_prev_count), row.mom, "{}", row.key);
            for other in [row.implied_prev_count - 1, row.implied_prev_count + 1] {
                assert_ne!(change(row.count, other), row.mom, "{} is not the only integer", row.key);
            }
        }
    }

    #[test]
    fn minors_add_up_to_their_majors_in_both_months() {
        let report = Published::november_2023();
        assert_eq!((report.majors().count(), report.minors().count()), (3, 16));
        for major in report.majors() {
            let minors: Vec<_> = report.minors().filter(|minor| minor.major == major.major).collect();
            assert_eq!(minors.iter().map(|minor| minor.count).sum::<u64>(), major.count);
            assert_eq!(minors.iter().map(|minor| minor.implied_prev_count).sum::<u64>(), major.implied_prev_count);
        }
        assert_eq!(report.majors().map(|major| major.count).sum::<u64>(), 7762);
    }

    #[test]
    fn the_published_tables_agree_with_the_headline() {
        let report = Published::november_2023();
        assert_eq!(report.count("grid_self_handled") + report.count("grid_forwarded"), report.count("grid_reported"));
        assert_eq!(report.channels.iter().map(|row| row.count).sum::<u64>(), report.count("hotline_accepted"));
        assert_eq!(report.fire_units.iter().map(|row| row.valid_fires).sum::<u64>(), report.count("fire_alerts_valid"));
        assert!(report.units.iter().all(|row| row.reported == row.void + row.filed));
        assert!(report.units.is_sorted_by_key(|row| row.reported));
        assert_eq!(report.units.iter().map(|row| row.void).sum::<u64>(), 61);
    }

    #[test]
    fn the_october_hotline_figure_gives_the_published_change() {
        let report = Published::november_2023();
        let october = report.derived_before.iter().find(|row| row.metric == "hotline_accepted").unwrap();
        let change = change(report.count("hotline_accepted"), october.value.parse().unwrap());
        assert_eq!(Some(change.as_str()), report.figure("hotline_mom"));
    }
}
