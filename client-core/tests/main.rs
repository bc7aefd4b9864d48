//! Stories about phones, told from outside the crate.

#![cfg(feature = "device")]
#![allow(clippy::unwrap_used, reason = "a test may stop where it stands")]

mod phone;
