//! Working time (工作时间): the hours of an office, its week, and the days that differ from it.
//!
//! Deadlines are counted in working minutes. Which days are worked is data: every autumn the State Council's office
//! announces the holidays of the next year and the weekend days that are worked instead (调休).

use std::collections::BTreeSet;

use thiserror::Error;

use super::{LocalDay, Millis};

const MINUTE_MS: i64 = 60_000;
const DAY_MINUTES: u32 = 24 * 60;
/// How far a count looks ahead: no limit of the trade lasts longer, and a calendar of holidays only must not hang.
const FARTHEST_DAYS: i32 = 40 * 366;

/// Why working hours make no calendar.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CalendarError {
    /// No minute of a day is worked, so no deadline would ever come.
    #[error("the working hours are empty: give at least one span like 08:30-12:00")]
    NoHours,
    /// A span that ends before it begins, overlaps the one before or leaves the day.
    #[error("the working hours {from}-{to} (minutes after midnight) are not in order within one day")]
    Order {
        /// Begin, minutes after local midnight.
        from: u32,
        /// End, minutes after local midnight.
        to: u32,
    },
}

/// When an office works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkCalendar {
    hours: Vec<(u32, u32)>,
    holidays: BTreeSet<LocalDay>,
    makeup_days: BTreeSet<LocalDay>,
}

impl WorkCalendar {
    /// A calendar of `hours` (spans in minutes after local midnight, in order) from Monday to Friday, except on
    /// `holidays`, and on `makeup_days` whatever day of the week they are.
    ///
    /// # Errors
    /// [`CalendarError`] for hours that are empty or not in order.
    pub fn new(
        hours: &[(u32, u32)],
        holidays: impl IntoIterator<Item = LocalDay>,
        makeup_days: impl IntoIterator<Item = LocalDay>,
    ) -> Result<Self, CalendarError> {
        let mut free = 0;
        for &(from, to) in hours {
            if from < free || to <= from || to > DAY_MINUTES {
                return Err(CalendarError::Order { from, to });
            }
            free = to;
        }
        if hours.is_empty() {
            return Err(CalendarError::NoHours);
        }
        let (holidays, makeup_days) = (holidays.into_iter().collect(), makeup_days.into_iter().collect());
        Ok(Self { hours: hours.to_vec(), holidays, makeup_days })
    }

    /// True for a day on which the office works. A day that is listed as both is worked: somebody has to come.
    pub fn is_working_day(&self, day: LocalDay) -> bool {
        self.makeup_days.contains(&day) || (day.weekday() < 5 && !self.holidays.contains(&day))
    }

    /// Working minutes of one working day.
    pub fn minutes_a_day(&self) -> u32 {
        self.hours.iter().map(|(from, to)| to - from).sum()
    }

    /// The instant by which `minutes` of working time have passed since `from`.
    ///
    /// It always lies in working time, at the end of a span rather than at the start of the next one, so that "by six
    /// in the evening" does not read "by half past eight tomorrow". For 0 minutes it is `from`.
    pub fn after(&self, from: Millis, minutes: u32) -> Millis {
        let mut left = i64::from(minutes) * MINUTE_MS;
        if left == 0 {
            return from;
        }
        for (begin, end) in self.spans(from.local_day()) {
            let begin = begin.0.max(from.0);
            if end.0 <= begin {
                continue;
            }
            if end.0 - begin >= left {
                return Millis(begin + left);
            }
            left -= end.0 - begin;
        }
        // Decades of holidays: better a deadline than none.
        from.local_day().plus_days(FARTHEST_DAYS).start()
    }

    /// Working milliseconds between two instants; 0 if `to` is not after `from`.
    pub fn between(&self, from: Millis, to: Millis) -> i64 {
        let spans = self.spans(from.local_day()).take_while(|(begin, _)| *begin < to);
        spans.map(|(begin, end)| (end.0.min(to.0) - begin.0.max(from.0)).max(0)).sum()
    }

    /// The spans of working time from the morning of a day on.
    fn spans(&self, first: LocalDay) -> impl Iterator<Item = (Millis, Millis)> + '_ {
        let days =
            (0..FARTHEST_DAYS).map(move |offset| first.plus_days(offset)).filter(|day| self.is_working_day(*day));
        days.flat_map(|day| {
            let at = move |minute: u32| day.start().plus_ms(i64::from(minute) * MINUTE_MS);
            self.hours.iter().map(move |(from, to)| (at(*from), at(*to)))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> LocalDay {
        text.parse().unwrap()
    }

    fn at(day_text: &str, hour: i64, minute: i64) -> Millis {
        day(day_text).start().plus_ms((hour * 60 + minute) * MINUTE_MS)
    }

    /// Half past eight to noon, half past two to six; National Day 2023 with its two working weekend days.
    fn office() -> WorkCalendar {
        let holidays = (0..8).map(|offset| day("2023-09-29").plus_days(offset));
        let makeup = [day("2023-10-07"), day("2023-10-08")];
        WorkCalendar::new(&[(510, 720), (870, 1_080)], holidays, makeup).unwrap()
    }

    #[test]
    fn four_working_hours_from_friday_afternoon_end_on_monday_morning() {
        let office = office();
        assert_eq!(office.after(at("2023-11-03", 16, 0), 240), at("2023-11-06", 10, 30));
        assert_eq!(office.minutes_a_day(), 420);
    }

    #[test]
    fn a_limit_that_is_used_up_at_closing_time_ends_then_and_not_tomorrow() {
        let office = office();
        assert_eq!(office.after(at("2023-11-06", 8, 30), 420), at("2023-11-06", 18, 0));
        assert_eq!(office.after(at("2023-11-06", 8, 30), 210), at("2023-11-06", 12, 0));
    }

    #[test]
    fn a_report_at_night_begins_to_count_in_the_morning() {
        let office = office();
        assert_eq!(office.after(at("2023-11-06", 23, 10), 60), at("2023-11-07", 9, 30));
        assert_eq!(office.after(at("2023-11-07", 12, 30), 30), at("2023-11-07", 15, 0));
    }

    #[test]
    fn holidays_stop_the_clock_and_weekend_days_that_are_worked_instead_run_it() {
        let office = office();
        // The Thursday before the holiday; the Saturday after it is worked.
        assert_eq!(office.after(at("2023-09-28", 17, 0), 120), at("2023-10-07", 9, 30));
        assert!(!office.is_working_day(day("2023-10-04")));
        assert!(office.is_working_day(day("2023-10-08")));
        assert!(!office.is_working_day(day("2023-10-14")), "an ordinary Saturday");
    }

    #[test]
    fn hours_that_make_no_day_are_refused() {
        let none: [LocalDay; 0] = [];
        let made = |hours: &[(u32, u32)]| WorkCalendar::new(hours, none, none);
        assert_eq!(made(&[]), Err(CalendarError::NoHours));
        for hours in [&[(720, 510)][..], &[(510, 720), (700, 900)], &[(510, 1_441)], &[(510, 510)]] {
            assert!(matches!(made(hours), Err(CalendarError::Order { .. })), "{hours:?}");
        }
    }

    #[test]
    fn a_calendar_of_holidays_only_still_ends() {
        let never = (0..FARTHEST_DAYS + 10).map(|offset| day("2023-01-01").plus_days(offset));
        let office = WorkCalendar::new(&[(0, 1_440)], never, []).unwrap();
        assert!(office.after(at("2023-01-01", 0, 0), 1) > at("2060-01-01", 0, 0));
    }

    proptest! {
        #[test]
        fn what_is_counted_ahead_is_counted_back(start in 0..40_000_000i64, minutes in 0..20_000u32) {
            let office = office();
            let from = at("2023-09-01", 0, 0).plus_ms(start * 1_000 % (90 * 86_400_000));
            let due = office.after(from, minutes);
            prop_assert_eq!(office.between(from, due), i64::from(minutes) * MINUTE_MS);
            prop_assert!(due >= from);
        }

        #[test]
        fn parts_of_a_limit_add_up(minutes in 1..5_000u32, more in 1..5_000u32) {
            let office = office();
            let from = at("2023-09-25", 7, 0);
            prop_assert_eq!(office.after(office.after(from, minutes), more), office.after(from, minutes + more));
        }
    }
}
