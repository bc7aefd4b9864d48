//! The case state machine: a table, a decision, a fold. No I/O, no clock, no randomness.
//!
//! A normal run: an inspector's report reaches the server, which decides the verb `submit` and appends the
//! [`Event`]; [`apply`] makes it version 1 of the [`Ledger`]. A town office sends a [`Command`]; [`decide`] looks up its
//! [`Rule`] in [`TABLE`], refuses with a reason or returns the next event. Events are never changed, so [`fold`] over
//! them gives the same ledger for ever: that is how `verify` recounts every published number.
//!
//! What goes wrong is a [`Refusal`]: a stable code, Chinese and English words, a way out. Two offices that decide at
//! once meet in `expected_version`: the second hears `stale_version` or `wrong_state` and sees where the case stands.
//!
//! The phone asks [`offers`] what its user could do; the server is the authority. Facts (photos, words, places) are not
//! here but in [`crate::doc`], and nothing a phone can write there changes a ledger.

mod apply;
mod codes;
mod command;
pub mod deadline;
mod decide;
mod defaults;
mod effects;
mod ledger;
mod member;
mod offers;
mod payload;
mod refusal;
mod rule;
mod standing;
mod state;
pub mod table;
mod values;

#[cfg(test)]
mod tests;

pub use apply::{ApplyError, apply, fold};
pub use codes::{AskKind, CloseType, Level, Satisfaction, Source, TaskKind, Verdict, VoidReason};
pub use command::{Actor, Command, Context, Event};
pub use decide::{check_outside, decide};
pub use ledger::{Appeal, Ask, Ledger, Overlay, RouteWish, Task};
pub use member::Member;
pub use offers::offers;
pub use payload::Payload;
pub use refusal::{Refusal, Separation, Why};
pub use rule::{Need, Only, Rule, To};
pub use state::{Outcome, State, Verb};
pub use table::TABLE;
