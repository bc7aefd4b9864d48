//! The server from outside: the real router over a real data folder, and the real binary.
// Test programs may look at the clock: they wait for a condition with a deadline.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used, reason = "a test that can not go on says so by panicking")]

mod access;
mod backups;
mod cases;
mod enrolment;
mod forgeries;
mod pages;
mod passwords;
mod phone;
mod problems;
mod process;
mod register;
mod site;
mod stream;
