//! The two clocks of the server.
//!
//! [`Business`] dates what people did: events, receipts, deadlines, periods. The demo and the simulator may set it.
//! [`Security`] dates what protects the server: tokens, cookies, codes, throttles. It is always real: whoever may
//! move the month of a replayed report must not thereby revive an expired token.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use xunge_client_core::model::Millis;

/// The clock of cases and reports; clones share it.
#[derive(Clone, Debug)]
pub struct Business(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    pace: Pace,
    /// The newest time handed out. A host whose clock is set back must not date an event before the one it follows.
    last: Millis,
}

#[derive(Clone, Copy, Debug)]
enum Pace {
    /// Runs with the host's clock, this many milliseconds ahead of it.
    Ahead(i64),
    /// Stands still until it is moved.
    Standing(Millis),
}

impl Business {
    /// The host's clock.
    pub fn real() -> Self {
        Self::at_pace(Pace::Ahead(0))
    }

    /// A clock that reads `start` now and runs on at the pace of the host's.
    pub fn from(start: Millis) -> Self {
        Self::at_pace(ahead(start))
    }

    /// A clock that reads `at` until it is moved.
    pub fn standing(at: Millis) -> Self {
        Self::at_pace(Pace::Standing(at))
    }

    /// What time it is.
    pub fn now(&self) -> Millis {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = match state.pace {
            Pace::Ahead(ms) => host().plus_ms(ms),
            Pace::Standing(at) => at,
        };
        state.last = state.last.max(now);
        state.last
    }

    /// Sets the clock; it goes on running if it ran. The only way to make it go back.
    pub fn set(&self, at: Millis) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.pace = match state.pace {
            Pace::Ahead(_) => ahead(at),
            Pace::Standing(_) => Pace::Standing(at),
        };
        state.last = at;
    }

    /// Sets the clock and lets it run from there.
    pub fn run_from(&self, at: Millis) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = State { pace: ahead(at), last: at };
    }

    /// Moves the clock `ms` milliseconds on.
    pub fn advance(&self, ms: i64) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.pace = match state.pace {
            Pace::Ahead(ahead) => Pace::Ahead(ahead.saturating_add(ms)),
            Pace::Standing(at) => Pace::Standing(at.plus_ms(ms)),
        };
    }

    fn at_pace(pace: Pace) -> Self {
        Self(Arc::new(Mutex::new(State { pace, last: Millis(i64::MIN) })))
    }
}

fn ahead(start: Millis) -> Pace {
    Pace::Ahead(start.0.saturating_sub(host().0))
}

/// The clock of tokens, codes and throttles.
#[derive(Clone, Copy, Debug, Default)]
pub struct Security;

impl Security {
    /// What time it is, by the host.
    pub fn now(self) -> Millis {
        host()
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place of the server that looks at the host's clock")]
fn host() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_only_when_it_is_moved() {
        let clock = Business::standing(Millis(1_000));
        assert_eq!(clock.now(), Millis(1_000));
        clock.clone().advance(500);
        assert_eq!(clock.now(), Millis(1_500));
        clock.set(Millis(10));
        assert_eq!(clock.now(), Millis(10));
    }

    #[test]
    fn a_clock_of_another_month_runs_on_from_there() {
        let start = Millis(1_698_768_000_000);
        let clock = Business::from(start);
        let later = clock.now();
        assert!(later >= start && later < start.plus_ms(60_000));
        clock.run_from(Millis(5));
        assert!(clock.now() < Millis(60_000));
    }

    #[test]
    fn moving_the_business_clock_leaves_the_security_clock_alone() {
        let before = Security.now();
        Business::real().advance(i64::from(u32::MAX));
        let after = Security.now();
        assert!(after >= before && after < before.plus_ms(60_000));
    }
}
