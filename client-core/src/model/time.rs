//! Times and local days. All times are Unix milliseconds; a day is a day in Asia/Shanghai.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

const DAY_MS: i64 = 86_400_000;
/// Asia/Shanghai is UTC+8 all year since 1991; cases are younger than that.
const SHANGHAI_MS: i64 = 8 * 3_600_000;

/// 9999-12-31, in days since 1970.
const FARTHEST_DAY: i64 = 2_932_896;

/// Unix milliseconds (UTC).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    minicbor::Encode,
    minicbor::Decode,
)]
#[serde(transparent)]
#[cbor(transparent)]
pub struct Millis(#[n(0)] pub i64);

impl Millis {
    /// The Asia/Shanghai day this instant lies in.
    ///
    /// A phone may state any instant; beyond the year 9999 in either direction the last day of that era stands for it.
    pub fn local_day(self) -> LocalDay {
        let days = self.0.saturating_add(SHANGHAI_MS).div_euclid(DAY_MS);
        LocalDay(days.clamp(-FARTHEST_DAY, FARTHEST_DAY) as i32)
    }

    /// Wall time in Asia/Shanghai, `2023-11-30 08:05`, for people.
    pub fn local_text(self) -> String {
        let minutes = self.0.saturating_add(SHANGHAI_MS).rem_euclid(DAY_MS) / 60_000;
        format!("{} {:02}:{:02}", self.local_day(), minutes / 60, minutes % 60)
    }

    /// This instant moved by `ms` milliseconds, saturating: phones state times of any year.
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

/// Why a text is not a day or a month.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not a {expected}")]
pub struct TimeError {
    /// The text as given.
    pub text: String,
    /// What was expected, with its form.
    pub expected: &'static str,
}

/// A day in Asia/Shanghai, written `2023-11-30`; the unit of all periods.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDay(i32);

impl LocalDay {
    /// Builds a day of the Gregorian calendar; `None` if there is no such day.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Self> {
        let candidate = Self(days_from_civil(year, month, day));
        ((1..=12).contains(&month) && candidate.civil() == (year, month, day)).then_some(candidate)
    }

    /// The first instant of the day.
    pub fn start(self) -> Millis {
        Millis(i64::from(self.0) * DAY_MS - SHANGHAI_MS)
    }

    /// The first instant of the next day.
    pub fn end(self) -> Millis {
        self.plus_days(1).start()
    }

    /// The day `days` later (or earlier, if negative).
    pub fn plus_days(self, days: i32) -> Self {
        Self(self.0 + days)
    }

    /// Year, month 1-12, day 1-31.
    pub fn civil(self) -> (i32, u32, u32) {
        civil_from_days(self.0)
    }

    /// The month the day lies in.
    pub fn month(self) -> LocalMonth {
        let (year, month, _) = self.civil();
        LocalMonth { year, month }
    }

    /// The day this many days after 1970-01-01.
    pub fn from_number(days: i32) -> Self {
        Self(days)
    }

    /// Days since 1970-01-01, for arithmetic.
    pub fn number(self) -> i32 {
        self.0
    }

    /// 0 = Monday … 6 = Sunday.
    pub fn weekday(self) -> u32 {
        (self.0 + 3).rem_euclid(7) as u32
    }
}

/// A calendar month, written `2023-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalMonth {
    year: i32,
    month: u32,
}

impl LocalMonth {
    /// Builds a month; `None` unless `month` is 1 to 12.
    pub fn new(year: i32, month: u32) -> Option<Self> {
        (1..=12).contains(&month).then_some(Self { year, month })
    }

    /// First day.
    pub fn first(self) -> LocalDay {
        LocalDay(days_from_civil(self.year, self.month, 1))
    }

    /// Last day.
    pub fn last(self) -> LocalDay {
        self.next().first().plus_days(-1)
    }

    /// The month after.
    pub fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year + 1, month: 1 },
            month => Self { year: self.year, month: month + 1 },
        }
    }

    /// The month before.
    pub fn previous(self) -> Self {
        match self.month {
            1 => Self { year: self.year - 1, month: 12 },
            month => Self { year: self.year, month: month - 1 },
        }
    }

    /// The same month of the year before, for 同比.
    pub fn year_before(self) -> Self {
        Self { year: self.year - 1, ..self }
    }
}

/// Days since 1970-01-01 (H. Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i32, month: u32, day: u32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let shifted = (month as i32 + 9) % 12;
    let day_of_year = (153 * shifted + 2) / 5 + day as i32 - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i32) -> (i32, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * shifted + 2) / 5 + 1) as u32;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u32;
    (year_of_era + era * 400 + i32::from(month <= 2), month, day)
}

impl fmt::Display for LocalDay {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(out, "{year:04}-{month:02}-{day:02}")
    }
}

impl fmt::Display for LocalMonth {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:04}-{:02}", self.year, self.month)
    }
}

fn digits<const N: usize>(text: &str, widths: [usize; N]) -> Option<[u32; N]> {
    let mut parts = text.split('-');
    let mut numbers = [0; N];
    for (number, width) in numbers.iter_mut().zip(widths) {
        let part = parts.next().filter(|part| part.len() == width && part.bytes().all(|b| b.is_ascii_digit()))?;
        *number = part.parse().ok()?;
    }
    parts.next().is_none().then_some(numbers)
}

impl FromStr for LocalDay {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        digits(text, [4, 2, 2])
            .and_then(|[year, month, day]| Self::new(year as i32, month, day))
            .ok_or_else(|| TimeError { text: text.to_owned(), expected: "day like 2023-11-30" })
    }
}

impl FromStr for LocalMonth {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        digits(text, [4, 2])
            .and_then(|[year, month]| Self::new(year as i32, month))
            .ok_or_else(|| TimeError { text: text.to_owned(), expected: "month like 2023-11" })
    }
}

macro_rules! serde_as_text {
    ($name:ident) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
serde_as_text!(LocalDay);
serde_as_text!(LocalMonth);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_local_midnight() {
        let day: LocalDay = "2023-11-01".parse().unwrap();
        assert_eq!(day.start(), Millis(1_698_768_000_000));
        assert_eq!(Millis(day.start().0 - 1).local_day().to_string(), "2023-10-31");
        assert_eq!(day.start().local_text(), "2023-11-01 00:00");
        assert_eq!(day.weekday(), 2, "a Wednesday");
    }

    #[test]
    fn an_absurd_clock_has_a_day_too() {
        assert_eq!(Millis(i64::MAX).local_day().to_string(), "9999-12-31");
        assert!(!Millis(i64::MIN).local_text().is_empty());
    }

    #[test]
    fn every_day_of_two_centuries_survives_its_text_form() {
        let first = LocalDay::new(1900, 1, 1).unwrap();
        for offset in 0..73_414 {
            let day = first.plus_days(offset);
            assert_eq!(day.to_string().parse(), Ok(day));
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in ["2023-02-29", "2023-13-01", "2023-00-10", "2023-1-1", "2023-11-31", "x", "2023-11-01-01"] {
            assert!(text.parse::<LocalDay>().is_err(), "{text}");
        }
    }

    #[test]
    fn months_know_their_neighbours() {
        let month: LocalMonth = "2024-01".parse().unwrap();
        assert_eq!(month.previous().to_string(), "2023-12");
        assert_eq!(month.next().last().to_string(), "2024-02-29");
        assert_eq!(month.year_before().to_string(), "2023-01");
    }
}
