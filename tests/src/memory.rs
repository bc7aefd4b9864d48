//! Memory as a program asks for it, counted thread by thread.
//!
//! A program that wants it names [`Counting`] as its global allocator. What C libraries take is not seen here; their
//! bounds show in a process's high-water mark ([`high_water`]).

// The one trait that cannot be implemented without it; every call goes to the system's allocator unchanged.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    static NOW: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, with a count of what each thread holds.
#[derive(Debug)]
pub struct Counting;

/// Starts counting on this thread from here.
pub fn begin() {
    NOW.set(0);
    PEAK.set(0);
}

/// Most bytes this thread held at once since [`begin`], beyond what it held then.
pub fn peak() -> usize {
    PEAK.get()
}

/// Most bytes a process ever had in memory (`VmHWM`); this process for `None`.
pub fn high_water(pid: Option<u32>) -> u64 {
    let who = pid.map_or("self".to_owned(), |pid| pid.to_string());
    told(&who).expect("Linux tells what a process used")
}

/// The same of a process that may have ended; `None` then.
pub fn high_water_if_alive(pid: u32) -> Option<u64> {
    told(&pid.to_string())
}

fn told(who: &str) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{who}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}

fn grown(bytes: usize) {
    // A thread that is ending counts no more.
    let _ = NOW.try_with(|now| {
        now.set(now.get() + bytes);
        let _ = PEAK.try_with(|peak| peak.set(peak.get().max(now.get())));
    });
}

fn shrunk(bytes: usize) {
    // What was there before, or came from another thread, is not owed.
    let _ = NOW.try_with(|now| now.set(now.get().saturating_sub(bytes)));
}

// SAFETY: every method hands its arguments to `System` and returns what that returns; counting touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grown(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        shrunk(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        shrunk(layout.size());
        grown(size);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}
