//! Performs what the engine decides: database work on blocking threads, requests on the network.
//!
//! [`core`] joins engine and store and needs neither threads nor sockets: tests drive it by hand. [`worker`] runs it
//! on tokio against a [`Transport`](crate::transport::Transport). [`host`] is the machine: clock, randomness, files.

pub mod core;
pub mod dial;
pub mod host;
mod listeners;
mod traces;
mod worker;

pub use listeners::{Listener, Listeners, Subscription};
pub use worker::{SyncReport, Worker};
