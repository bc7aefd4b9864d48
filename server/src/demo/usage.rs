//! How long and how much of the processor.

use std::time::{Duration, Instant};

/// Ticks a second in `/proc/self/stat`: `USER_HZ`, 100 on every Linux.
const TICKS: f64 = 100.0;

/// Measures from its beginning on.
pub(super) struct Watch {
    began: Instant,
    cpu_before: Option<f64>,
}

impl Watch {
    #[allow(clippy::disallowed_methods, reason = "the demo prints how long it took; nothing is decided by it")]
    pub(super) fn start() -> Self {
        Self { began: Instant::now(), cpu_before: cpu_seconds() }
    }

    /// Real time so far.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// Processor time of this process so far, server and phones together; `None` where the system does not tell.
    pub(super) fn cpu_seconds(&self) -> Option<f64> {
        Some(cpu_seconds()? - self.cpu_before?)
    }
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
