//! How long and how much of the processor.

use std::time::Instant;

use serde::Serialize;

/// Ticks a second in `/proc/self/stat`: `USER_HZ`, 100 on every Linux.
const TICKS: f64 = 100.0;

/// A part of the demo and what it took; processor time is `None` where the system does not tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// `prepare`, `join`, `month` or `count`; `total` for all of them.
    pub name: &'static str,
    /// Real time in seconds.
    pub seconds: f64,
    /// Processor time of this process in seconds, server and phones together.
    pub cpu_seconds: Option<f64>,
}

/// Measures one phase after the other.
pub(super) struct Watch {
    whole: Mark,
    phase: Mark,
    phases: Vec<Phase>,
}

#[derive(Clone, Copy)]
struct Mark {
    at: Instant,
    cpu: Option<f64>,
}

impl Watch {
    pub(super) fn start() -> Self {
        let now = Mark::now();
        Self { whole: now, phase: now, phases: Vec::new() }
    }

    /// Ends the phase that runs, and begins the next.
    pub(super) fn ended(&mut self, name: &'static str) {
        let now = Mark::now();
        self.phases.push(self.phase.until(now, name));
        self.phase = now;
    }

    /// The phases, and all of the time since the beginning.
    pub(super) fn read(self) -> (Vec<Phase>, Phase) {
        (self.phases, self.whole.until(Mark::now(), "total"))
    }
}

impl Mark {
    #[allow(clippy::disallowed_methods, reason = "the demo prints how long it took; nothing is decided by it")]
    fn now() -> Self {
        Self { at: Instant::now(), cpu: cpu_seconds() }
    }

    fn until(self, end: Self, name: &'static str) -> Phase {
        let seconds = hundredths(end.at.duration_since(self.at).as_secs_f64());
        let cpu_seconds = end.cpu.zip(self.cpu).map(|(end, begin)| hundredths(end - begin));
        Phase { name, seconds, cpu_seconds }
    }
}

fn hundredths(seconds: f64) -> f64 {
    (seconds * 100.0).round() / 100.0
}

/// User and system time of this process.
fn cpu_seconds() -> Option<f64> {
    of_stat(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// Fields 14 and 15, counted behind the command, which may hold blanks and brackets itself.
fn of_stat(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let ticks = |field: Option<&str>| field?.parse::<f64>().ok();
    Some((ticks(fields.next())? + ticks(fields.next())?) / TICKS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_found_behind_any_command() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 7 7 20 0 1 0 100 1000 100";
        assert_eq!(of_stat(stat), Some(3.0));
        assert_eq!(of_stat(""), None);
        assert_eq!(of_stat("1 (a) S"), None);
    }
}
