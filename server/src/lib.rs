//! The server of Xunge (巡格): the city grid management store.
//!
//! Where to find what:
//! - [`api`]: the JSON API for phones, offices and other systems.
//! - [`auth`]: who is asking: accounts, passwords, phones, tokens, permissions.
//! - [`blobs`]: photos as bytes: uploads, storage by hash, copies to look at.
//! - [`cli`]: the commands of the binary.
//! - [`console`]: the pages offices work with.
//! - [`demo`]: one published month, replayed through real phones; the plan and its recount.
//! - [`domain`]: the rules of the trade, without HTTP.
//! - [`reference`]: category trees, org files and the example district, as data.
//! - [`sync`]: one signed request of a phone, both ways.
//! - [`store`]: the database behind one small seam; SQL, migrations, hash chains. Knows no rule of the trade.
//! - [`backup`]: copies of an installation, and putting one back.
//! - [`app`]: an open installation; [`config`] and [`datadir`]: what it is opened from; [`serve`]: how it is served.
//! - [`error`]: what HTTP answers when something is wrong.
//! - [`jobs`]: what a server does by itself; [`metrics`], [`telemetry`]: what operators see.
//! - [`clock`], [`entropy`]: the only two places that ask the machine for time and randomness.
#![forbid(unsafe_code)]

pub mod api;
pub mod app;
pub mod auth;
pub mod backup;
pub mod blobs;
pub mod cli;
pub mod clock;
pub mod config;
pub mod console;
pub mod datadir;
pub mod demo;
pub mod domain;
pub mod entropy;
pub mod error;
pub mod jobs;
pub mod metrics;
pub mod reference;
pub mod serve;
pub mod store;
pub mod streams;
pub mod sync;
pub mod telemetry;
#[cfg(test)]
mod testing;
