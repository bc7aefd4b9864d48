//! The heart of Xunge (巡格): what a case is, what may be done with it, and how phones and server talk about it.
//!
//! The default build is the half both sides share; it has no I/O, no clock and no randomness.
//!
//! | module | what it gives |
//! |---|---|
//! | [`model`] | plain data: ids, times, facts, categories, grids, org codes, roles |
//! | [`workflow`] | the case state machine as a table: `decide`, `apply`, refusals with reasons |
//! | [`doc`] | the Automerge field document of a case, and the gate every foreign change passes |
//! | [`wire`] | Sync v1: envelope, bodies, limits, device proof |
//!
//! Feature `device` adds what only a phone needs: `store`, `sync`, `photo`, `transport`, `driver` and the
//! `client` facade. Feature `cli` adds the binary `xunge`, a phone in a terminal.

#[cfg(feature = "device")]
pub mod client;
pub mod doc;
#[cfg(feature = "device")]
pub mod driver;
pub mod failpoint;
pub mod model;
#[cfg(feature = "device")]
pub mod photo;
#[cfg(feature = "device")]
pub mod platform;
#[cfg(feature = "device")]
pub mod store;
#[cfg(feature = "device")]
pub mod sync;
#[cfg(feature = "device")]
pub mod transport;
pub mod wire;
pub mod workflow;
