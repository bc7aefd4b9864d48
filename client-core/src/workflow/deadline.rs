//! The four clocks of a case (时钟): how long a review, a signature, the handling and a check may take.
//!
//! Limits are data: a rule may name a category, a unit and a level, or leave them open; the closest rule counts. A limit
//! in working time runs in the office's [`WorkCalendar`], for an urgent case (急要件) day and night.
//!
//! | clock | starts | stops | deadline |
//! |---|---|---|---|
//! | review 审核 | received | filed or void | by rule |
//! | sign 签收 | dispatched | signed | by rule |
//! | handle 处置 | dispatched | handled | `due_at` of the ledger: dispatched with it, moved by extensions and pauses |
//! | check 核查 | handled | checked, or closed without | by rule |

mod rules;

use serde::{Deserialize, Serialize};

pub use self::rules::{Limit, LimitRule, LimitUnit, Limits};
use super::ledger::Ledger;
use super::state::State;
use crate::model::{CategoryRef, Millis, OrgCode, WorkCalendar, coded};

coded! {
    /// What is timed.
    Clock {
        /// From receipt to filing or void.
        Review = "review", "审核";
        /// From dispatch to the unit's signature.
        Sign = "sign", "签收";
        /// From dispatch to the unit's feedback.
        Handle = "handle", "处置";
        /// From feedback to the recheck.
        Check = "check", "核查";
    }
}

coded! {
    /// How a clock stands.
    Standing {
        /// There is time.
        InTime = "in_time", "时限内";
        /// 80 % of the time has passed.
        Warning = "warning", "即将超时";
        /// The deadline has passed.
        Overdue = "overdue", "已超时";
        /// Suspended, deferred, or the unit waits for an answer.
        Paused = "paused", "暂停计时";
    }
}

/// Share of a limit after which people are warned, in hundredths (`domain.md` 2.2b).
const WARNING_PERCENT: i64 = 80;

/// One clock of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Which.
    pub clock: Clock,
    /// When it started.
    pub since: Millis,
    /// When the warning begins.
    pub warning_at: Millis,
    /// Its deadline.
    pub due_at: Millis,
    /// When it stopped, if it has.
    pub stopped_at: Option<Millis>,
    /// It does not run now, and nobody is late.
    pub paused: bool,
}

impl Reading {
    /// How it stands, or stood when it stopped.
    pub fn standing(&self, now: Millis) -> Standing {
        match self.stopped_at.unwrap_or(now) {
            _ if self.paused => Standing::Paused,
            at if at > self.due_at => Standing::Overdue,
            at if at >= self.warning_at && self.stopped_at.is_none() => Standing::Warning,
            _ => Standing::InTime,
        }
    }
}

/// What clocks are read by: rules, the office's working time, and the keys by which a category is looked up, closest
/// first (the minor, its major, what it maps to).
#[derive(Debug, Clone, Copy)]
pub struct Timing<'a> {
    /// The rules.
    pub limits: &'a Limits,
    /// Working time.
    pub calendar: &'a WorkCalendar,
    /// Keys of the case's category.
    pub categories: &'a [CategoryRef],
}

impl Timing<'_> {
    /// The deadline of a clock that starts at `since`; `None` if no rule covers it.
    pub fn due(&self, clock: Clock, since: Millis, level: super::Level, unit: Option<&OrgCode>) -> Option<Millis> {
        let limit = self.limits.closest(clock, self.categories, level, unit)?;
        Some(limit.end(self.calendar, since, level))
    }

    /// Every clock that runs or ran on a case, in the order of the table above. A clock without a limit is left out.
    pub fn readings(&self, ledger: &Ledger) -> Vec<Reading> {
        Clock::ALL.iter().filter_map(|clock| self.reading(ledger, *clock)).collect()
    }

    fn reading(&self, ledger: &Ledger, clock: Clock) -> Option<Reading> {
        let (unit, office) = (ledger.handler.as_ref(), ledger.office.as_ref());
        let by_rule = |since, of| self.due(clock, since, ledger.level, of);
        let (since, stopped_at, due_at) = match clock {
            Clock::Review => {
                let since = ledger.received_at;
                (since, ledger.filed_at.or(ledger.void_at), by_rule(since, office)?)
            }
            Clock::Sign => {
                let since = ledger.dispatched_at?;
                (since, ledger.signed_at.or(ledger.closed_at), by_rule(since, unit)?)
            }
            Clock::Handle => (ledger.dispatched_at?, ledger.handled_at.or(ledger.closed_at), ledger.due_at?),
            Clock::Check => {
                let since = ledger.handled_at?;
                (since, ledger.checked_at.or(ledger.closed_at), by_rule(since, office)?)
            }
        };
        let warning_at = self.warning(since, due_at, ledger.level);
        let handling = matches!(clock, Clock::Handle | Clock::Sign) && !ledger.is_final();
        let paused = handling && stopped_at.is_none() && is_paused(ledger);
        Some(Reading { clock, since, warning_at, due_at, stopped_at, paused })
    }

    /// When 80 % of the time between two instants has passed.
    fn warning(&self, since: Millis, due_at: Millis, level: super::Level) -> Millis {
        if level == super::Level::Urgent {
            return since.plus_ms((due_at.0 - since.0) / 100 * WARNING_PERCENT);
        }
        let minutes = self.calendar.between(since, due_at) * WARNING_PERCENT / 100 / 60_000;
        // A deadline somebody set outside working hours may leave no working minute at all.
        self.calendar.after(since, u32::try_from(minutes).unwrap_or(u32::MAX)).min(due_at)
    }
}

/// 挂账, 缓办, or a return nobody has answered.
fn is_paused(ledger: &Ledger) -> bool {
    let returning = ledger.ask.as_ref().is_some_and(|ask| ask.kind == super::AskKind::Return);
    let handled = matches!(ledger.state, State::Handling | State::Dispatched);
    handled && (ledger.suspended.is_some() || ledger.deferred.is_some() || returning)
}
