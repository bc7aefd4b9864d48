//! Handling limits of one city (处置时限): a sample for the limit table, not a national rule.

use std::sync::LazyLock;

use serde::Deserialize;

/// Unit of a handling limit; both follow the working calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitUnit {
    /// Working hours (工作时).
    WorkHour,
    /// Working days (工作日).
    WorkDay,
}

/// One row of the sample.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LocalLimit {
    /// What is to be handled, as that city names it.
    pub name_zh: String,
    /// Code in `gb47678.5-2026`; `None` where the city's item has none.
    pub national_code: Option<String>,
    /// How many units.
    pub limit_value: u32,
    /// Hours or days.
    pub limit_unit: LimitUnit,
    /// What counts as done.
    pub note: String,
}

/// The sample compiled in from `server/data/handle_hours_local_example.csv`.
pub fn local_example() -> &'static [LocalLimit] {
    static ROWS: LazyLock<Vec<LocalLimit>> =
        LazyLock::new(|| super::rows(include_str!("../../data/handle_hours_local_example.csv")));
    &ROWS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exposed_litter_is_due_in_four_working_hours_in_the_sample() {
        let litter = local_example().iter().find(|row| row.name_zh == "暴露垃圾").unwrap();
        assert_eq!((litter.limit_value, litter.limit_unit), (4, LimitUnit::WorkHour));
        assert_eq!(litter.national_code.as_deref(), Some("06010"));
        assert_eq!(local_example().len(), 10);
    }
}
