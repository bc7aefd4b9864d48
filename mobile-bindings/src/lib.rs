//! What Kotlin, Swift and Python see of the phone.
//!
//! A thin facade: one long-lived object, plain records, a listener, typed errors. No rules of the trade live here.
//! Calls block until they are done and may be made from any thread; news arrives at a listener on a background
//! thread. Photos cross as file paths, not as bytes.
//!
//! | module | what it gives |
//! |---|---|
//! | [`client`] | the object `Xunge` |
//! | [`records`] | plain data across the border |
//! | [`listeners`] | news, and the handle that ends a subscription |
//! | [`fault`] | why a call did not do what it was asked |

// Errors cross the border by value; a box would not survive it.
#![allow(clippy::result_large_err)]

pub mod client;
pub mod fault;
pub mod listeners;
pub mod records;

uniffi::setup_scaffolding!();
