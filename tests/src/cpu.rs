//! CPU time of a process, as the kernel accounts it.

use std::process::Command;
use std::time::Duration;

/// User and system seconds of a process so far; this process for `None`.
///
/// Read from the process table (fields 14 and 15 of `stat`), so it counts every thread and nothing else on the machine.
pub fn seconds(pid: Option<u32>) -> f64 {
    let who = pid.map_or("self".to_owned(), |pid| pid.to_string());
    sum(&who, &[11, 12])
}

/// User and system seconds of this process and of the children it has seen end (fields 16 and 17 as well).
pub fn with_children() -> f64 {
    sum("self", &[11, 12, 13, 14])
}

/// What this thread has been on a processor for so far, to the nanosecond; what other threads do is not in it.
pub fn of_thread() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells what a thread used");
    Duration::from_nanos(told.split(' ').next().and_then(|ns| ns.parse().ok()).expect("nanoseconds"))
}

fn sum(who: &str, fields_of_stat: &[usize]) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{who}/stat")).expect("Linux tells what a process used");
    // The name in parentheses may hold spaces; the numbers begin behind the last one.
    let fields: Vec<&str> = stat.rsplit(')').next().expect("a name").split_whitespace().collect();
    let ticks = fields_of_stat.iter().map(|index| fields[*index].parse::<f64>().expect("ticks"));
    ticks.sum::<f64>() / ticks_per_second()
}

fn ticks_per_second() -> f64 {
    let output = Command::new("getconf").arg("CLK_TCK").output().expect("getconf is part of every Linux");
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}
