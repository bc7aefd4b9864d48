//! Real processes, real files, real Chromium. Lower-level promises are tested beside the code that keeps them.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, missing_docs)]

mod bindings;
mod campaigns;
mod categories;
mod console;
mod crash;
mod failpoints;
#[cfg(target_os = "linux")]
mod fault;
mod figures;
mod hostile;
mod journey;
mod layers;
mod rescue;
mod sim;
