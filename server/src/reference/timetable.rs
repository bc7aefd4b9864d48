//! Working time and time limits of an office: the built-in example, or an operator's own files.
//!
//! `calendar.csv`: `date,kind,name`, kind `holiday` or `makeup`. `time_limits.csv`: `clock,category,level,org,value,unit`,
//! where an empty column leaves that open (docs/OPERATIONS.md, "Working time and time limits").

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use xunge_client_core::model::{CalendarError, CategoryRef, LocalDay, OrgCode, WorkCalendar};
use xunge_client_core::workflow::Level;
use xunge_client_core::workflow::deadline::{Clock, Limit, LimitRule, LimitUnit, Limits, Timing};

/// The built-in calendar: name and content.
pub const CALENDAR: (&str, &str) = ("calendar.csv", include_str!("../../data/calendar.csv"));
/// The built-in example of limits: name and content.
pub const LIMITS: (&str, &str) = ("time_limits_example.csv", include_str!("../../data/time_limits_example.csv"));
/// Half past eight to noon, half past two to six.
const HOURS: [(u32, u32); 2] = [(510, 720), (870, 1_080)];

/// When an office works and how long it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timetable {
    /// Working time.
    pub calendar: WorkCalendar,
    /// Time limits.
    pub limits: Limits,
}

/// Why a file makes no timetable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimetableError {
    /// A row that can not be read.
    #[error("{file}, {what}")]
    Row {
        /// Which file.
        file: String,
        /// Line, column and reason.
        what: String,
    },
    /// A day that stands there twice.
    #[error("{file}: {day} stands there twice")]
    Twice {
        /// Which file.
        file: String,
        /// The day.
        day: LocalDay,
    },
    /// Working hours that can not be read.
    #[error("working_hours: `{0}` is not a span like 08:30-12:00")]
    Span(String),
    /// Working hours that make no day.
    #[error("working_hours: {0}")]
    Hours(#[from] CalendarError),
}

#[derive(Deserialize)]
struct DayRow {
    date: LocalDay,
    kind: DayKind,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum DayKind {
    Holiday,
    Makeup,
}

#[derive(Deserialize)]
struct LimitRow {
    clock: Clock,
    category: Option<CategoryRef>,
    level: Option<Level>,
    org: Option<OrgCode>,
    value: u32,
    unit: LimitUnit,
}

impl Timetable {
    /// The holidays of 2023 to 2026, office hours, and an example of limits; what a server without files of its own uses.
    pub fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Timetable> =
            LazyLock::new(|| Timetable::of(&[], None, None).expect("a test reads the built-in tables"));
        &BUILTIN
    }

    /// Reads spans like `08:30-12:00`, and files by name and content; what is left out is the built-in one.
    ///
    /// # Errors
    /// [`TimetableError`], which names file, line and reason.
    pub fn of(
        hours: &[String],
        calendar: Option<(&str, &str)>,
        limits: Option<(&str, &str)>,
    ) -> Result<Self, TimetableError> {
        let spans = hours.iter().map(|text| span(text)).collect::<Result<Vec<_>, _>>()?;
        let spans = if spans.is_empty() { HOURS.to_vec() } else { spans };
        let (file, text) = calendar.unwrap_or(CALENDAR);
        let days: Vec<DayRow> = rows(file, text)?;
        let mut seen = BTreeSet::new();
        if let Some(twice) = days.iter().find(|row| !seen.insert(row.date)) {
            return Err(TimetableError::Twice { file: file.to_owned(), day: twice.date });
        }
        let of_kind = |kind| days.iter().filter(move |row| row.kind == kind).map(|row| row.date);
        let calendar = WorkCalendar::new(&spans, of_kind(DayKind::Holiday), of_kind(DayKind::Makeup))?;
        let (file, text) = limits.unwrap_or(LIMITS);
        let limits = rows::<LimitRow>(file, text)?.into_iter().map(LimitRule::from).collect();
        Ok(Self { calendar, limits: Limits::new(limits) })
    }

    /// The days of a calendar that differ from Monday to Friday, with `holiday` or `makeup`.
    ///
    /// # Errors
    /// [`TimetableError::Row`].
    pub fn days(file: &str, text: &str) -> Result<Vec<(LocalDay, &'static str)>, TimetableError> {
        let days: Vec<DayRow> = rows(file, text)?;
        let kind = |kind| if kind == DayKind::Holiday { "holiday" } else { "makeup" };
        Ok(days.into_iter().map(|row| (row.date, kind(row.kind))).collect())
    }

    /// What clocks are read by, for a category whose keys are `categories`, closest first.
    pub fn timing<'a>(&'a self, categories: &'a [CategoryRef]) -> Timing<'a> {
        Timing { limits: &self.limits, calendar: &self.calendar, categories }
    }
}

impl From<LimitRow> for LimitRule {
    fn from(row: LimitRow) -> Self {
        let LimitRow { clock, category, level, org, value, unit } = row;
        Self { clock, category, level, org, limit: Limit { value, unit } }
    }
}

fn rows<T: DeserializeOwned>(file: &str, text: &str) -> Result<Vec<T>, TimetableError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let broken = |error: csv::Error| TimetableError::Row { file: file.to_owned(), what: error.to_string() };
    reader.deserialize().collect::<Result<_, _>>().map_err(broken)
}

/// `08:30-12:00` in minutes after midnight; `24:00` ends a day.
fn span(text: &str) -> Result<(u32, u32), TimetableError> {
    let minute = |text: &str| {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        (minute < 60 && hour * 60 + minute <= 1_440).then_some(hour * 60 + minute)
    };
    let both = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    both.ok_or_else(|| TimetableError::Span(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> LocalDay {
        text.parse().unwrap()
    }

    #[test]
    fn the_built_in_calendar_knows_the_holidays_and_the_days_worked_instead() {
        let calendar = &Timetable::builtin().calendar;
        for off in ["2023-10-02", "2024-02-12", "2025-01-29", "2026-10-07", "2026-11-29"] {
            assert!(!calendar.is_working_day(day(off)), "{off}");
        }
        for worked in ["2023-10-07", "2024-09-29", "2025-02-08", "2026-02-28", "2026-11-27"] {
            assert!(calendar.is_working_day(day(worked)), "{worked}");
        }
        assert_eq!(calendar.minutes_a_day(), 420);
    }

    #[test]
    fn exposed_litter_has_four_working_hours_and_everything_has_some_limit() {
        let table = Timetable::builtin();
        let litter = ["xixia-2023:event:XX0201", "gb47678.5-2026:event:06010"].map(|key| key.parse().unwrap());
        let limit = |clock, keys: &[CategoryRef]| table.limits.closest(clock, keys, Level::Normal, None).unwrap();
        assert_eq!(limit(Clock::Handle, &litter), Limit { value: 4, unit: LimitUnit::WorkHour });
        for clock in Clock::ALL {
            limit(*clock, &[]);
        }
    }

    #[test]
    fn a_district_brings_its_own_hours_days_and_limits() {
        let calendar = ("days.csv", "date,kind,name\n2026-11-30,holiday,建县日\n");
        let limits = ("limits.csv", "clock,category,level,org,value,unit\nreview,,urgent,640105001,10,minute\n");
        let hours = ["00:00-24:00".to_owned()];
        let table = Timetable::of(&hours, Some(calendar), Some(limits)).unwrap();
        assert!(!table.calendar.is_working_day(day("2026-11-30")));
        assert_eq!(table.calendar.minutes_a_day(), 1_440);
        let office: OrgCode = "640105001".parse().unwrap();
        let found = |level| table.limits.closest(Clock::Review, &[], level, Some(&office));
        assert_eq!((found(Level::Urgent).map(|limit| limit.value), found(Level::Normal)), (Some(10), None));
    }

    #[test]
    fn what_can_not_be_read_is_named_with_its_file_and_line() {
        let of = |hours: &[&str], calendar: &str, limits: &str| {
            let hours: Vec<String> = hours.iter().map(|text| (*text).to_owned()).collect();
            Timetable::of(&hours, Some(("days.csv", calendar)), Some(("limits.csv", limits))).unwrap_err().to_string()
        };
        let (days, limits) = ("date,kind,name\n", "clock,category,level,org,value,unit\n");
        assert!(of(&["8-12"], days, limits).contains("`8-12`"));
        assert!(of(&["12:00-08:30"], days, limits).contains("in order"));
        let wrong = of(&[], &format!("{days}2026-02-30,holiday,x\n"), limits);
        assert!(wrong.starts_with("days.csv") && wrong.contains("line: 2"), "{wrong}");
        assert!(of(&[], &format!("{days}2026-01-01,holiday,x\n2026-01-01,makeup,x\n"), limits).contains("twice"));
        assert!(of(&[], days, &format!("{limits}rest,,,,1,day\n")).contains("limits.csv"));
        assert!(of(&[], days, &format!("{limits}sign,litter,,,1,day\n")).contains("is not a category"));
    }
}
