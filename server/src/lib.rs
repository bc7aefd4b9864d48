//! The server of Xunge (巡格): the city grid management store.
//!
//! Where to find what:
//! - [`auth`]: who is asking: accounts, passwords, phones, tokens.
//! - [`blobs`]: photos as bytes: received in pieces, stored by hash, shown small.
//! - [`demo`]: one published month, replayed through real phones; the plan and its recount.
//! - [`domain`]: the rules of the trade, without HTTP.
//! - [`reference`]: category trees, org files and the example district, as data.
//! - [`store`]: the database behind one small seam; SQL, migrations, hash chains. Knows no rule of the trade.
//! - [`clock`], [`entropy`]: the only two places that ask the machine for time and randomness.
#![forbid(unsafe_code)]

pub mod auth;
pub mod blobs;
pub mod clock;
pub mod demo;
pub mod domain;
pub mod entropy;
pub mod reference;
pub mod store;
