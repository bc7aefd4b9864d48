//! The table of time limits (时限表): category x level x unit.

use serde::{Deserialize, Serialize};

use super::Clock;
use crate::model::{CategoryRef, Millis, OrgCode, WorkCalendar, coded};
use crate::workflow::Level;

coded! {
    /// What a limit is counted in.
    LimitUnit {
        /// 工作分钟.
        WorkMinute = "work_minute", "工作分钟";
        /// 工作时.
        WorkHour = "work_hour", "工作时";
        /// 工作日: as many working minutes as one day has, for each.
        WorkDay = "work_day", "工作日";
        /// Minutes by the clock, day and night.
        Minute = "minute", "分钟";
        /// Hours by the clock.
        Hour = "hour", "小时";
        /// 24 hours each.
        Day = "day", "天";
    }
}

/// How long something may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// How many units.
    pub value: u32,
    /// Which.
    pub unit: LimitUnit,
}

impl Limit {
    /// When it is used up. For an urgent case working time is time by the clock: an hour is an hour, a working day 24.
    pub fn end(self, calendar: &WorkCalendar, since: Millis, level: Level) -> Millis {
        let by_the_clock = |minutes: u32| since.plus_ms(i64::from(self.value) * i64::from(minutes) * 60_000);
        let urgent = level == Level::Urgent;
        let working = |minutes: u32| calendar.after(since, self.value.saturating_mul(minutes));
        match self.unit {
            LimitUnit::Minute => by_the_clock(1),
            LimitUnit::Hour => by_the_clock(60),
            LimitUnit::Day => by_the_clock(24 * 60),
            LimitUnit::WorkMinute if urgent => by_the_clock(1),
            LimitUnit::WorkHour if urgent => by_the_clock(60),
            LimitUnit::WorkDay if urgent => by_the_clock(24 * 60),
            LimitUnit::WorkMinute => working(1),
            LimitUnit::WorkHour => working(60),
            LimitUnit::WorkDay => working(calendar.minutes_a_day()),
        }
    }
}

/// One row of the table. What it leaves open it says about everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitRule {
    /// Which clock.
    pub clock: Clock,
    /// Only this category, or every minor of this major.
    pub category: Option<CategoryRef>,
    /// Only this level.
    pub level: Option<Level>,
    /// Only this unit: the handling one for `sign` and `handle`, the reviewing office for the others.
    pub org: Option<OrgCode>,
    /// How long.
    #[serde(flatten)]
    pub limit: Limit,
}

/// The table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits(Vec<LimitRule>);

impl Limits {
    /// A table of these rules.
    pub fn new(rules: Vec<LimitRule>) -> Self {
        Self(rules)
    }

    /// Its rules, as given.
    pub fn rules(&self) -> &[LimitRule] {
        &self.0
    }

    /// The limit of the closest rule: the nearest category first, then one that names the unit, then one that names
    /// the level; of equals the later one.
    pub fn closest(
        &self,
        clock: Clock,
        categories: &[CategoryRef],
        level: Level,
        org: Option<&OrgCode>,
    ) -> Option<Limit> {
        let fits = |rule: &&LimitRule| {
            rule.clock == clock
                && rule.level.is_none_or(|wanted| wanted == level)
                && rule.org.as_ref().is_none_or(|wanted| Some(wanted) == org)
                && rule.category.as_ref().is_none_or(|wanted| categories.contains(wanted))
        };
        let nearness = |rule: &&LimitRule| {
            let category = rule.category.as_ref().and_then(|wanted| categories.iter().position(|key| key == wanted));
            (category.map_or(0, |index| categories.len() - index), rule.org.is_some(), rule.level.is_some())
        };
        self.0.iter().filter(fits).max_by_key(nearness).map(|rule| rule.limit)
    }
}
