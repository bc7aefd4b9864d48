//! The clocks of a case as offices see them: the workflow's readings, by the district's own limits and working time.

use serde::Serialize;
use xunge_client_core::model::{CategoryRef, Millis, OrgCode};
use xunge_client_core::workflow::deadline::{Clock, Reading, Standing};
use xunge_client_core::workflow::{AskKind, Ledger, Level, State};

use super::directory::Directory;
use super::services::Services;

/// One clock with its standing at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ClockView {
    /// The clock.
    #[serde(flatten)]
    pub reading: Reading,
    /// How it stands now, or stood when it stopped.
    pub standing: Standing,
}

/// Every clock that runs or ran on a case.
pub fn of(services: &Services, directory: &Directory, ledger: &Ledger, now: Millis) -> Vec<ClockView> {
    let categories = ledger.counted_category().map(|key| directory.keys(key)).unwrap_or_default();
    let readings = services.timetable.now().timetable.timing(&categories).readings(ledger);
    readings.into_iter().map(|reading| ClockView { reading, standing: reading.standing(now) }).collect()
}

/// The clock that presses most: of those that run, the one that stands worst, and of those the first to end.
pub fn most_pressing(clocks: &[ClockView]) -> Option<&ClockView> {
    let rank = |standing| match standing {
        Standing::Overdue => 0,
        Standing::Warning => 1,
        Standing::InTime => 2,
        Standing::Paused => 3,
    };
    let running = clocks.iter().filter(|clock| clock.reading.stopped_at.is_none());
    running.min_by_key(|clock| (rank(clock.standing), clock.reading.due_at))
}

/// When a case that is dispatched now has to be handled.
pub fn handling_due(
    services: &Services,
    directory: &Directory,
    category: Option<&CategoryRef>,
    level: Level,
    handler: Option<&OrgCode>,
    now: Millis,
) -> Option<Millis> {
    let categories = category.map(|key| directory.keys(key)).unwrap_or_default();
    services.timetable.now().timetable.timing(&categories).due(Clock::Handle, now, level, handler)
}

/// The handling deadline of a case while it runs: dispatched, not yet handled, not paused. Lists are sorted by it.
///
/// Only from the ledger, so that `verify` can recount it: the deadline itself was fixed when the case was dispatched, with
/// the limits and the calendar of that day.
pub fn running_deadline(ledger: &Ledger) -> Option<Millis> {
    let runs = matches!(ledger.state, State::Dispatched | State::Handling) && ledger.handled_at.is_none();
    let returning = ledger.ask.as_ref().is_some_and(|ask| ask.kind == AskKind::Return);
    let paused = ledger.suspended.is_some() || ledger.deferred.is_some() || returning;
    ledger.due_at.filter(|_| runs && !paused)
}
