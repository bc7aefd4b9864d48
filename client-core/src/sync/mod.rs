//! The sync engine: decides what happens next, does nothing itself.
//!
//! [`Engine::handle`] takes what happened and answers what to do: collect, persist, send, sleep. Time and randomness
//! are arguments, so a whole fleet fits into one test and a run is the same every time. A driver performs the effects
//! in order and completes a [`Effect::Persist`] before the [`Effect::Send`] behind it.
//!
//! A normal run:
//!
//! ```text
//! Wake ─► Collect ─► Collected ─► Persist(Sent), Send ─► Answered ─► Persist(Answer) ─► Applied
//!            ▲                                                                            │
//!            └── more to send, more to fetch ◄──── Upload ×2 ◄──── reference data ◄───────┘
//! ```
//!
//! What goes wrong is classified once ([`retry`]): the network (again, with back-off and smaller pages), a server that
//! wants us to wait, or a refusal. A page the server can not digest is halved until the one case at fault stands alone;
//! that case is parked and the others go on. Nothing is remembered of what was sent, only of what was acknowledged, so
//! any request may be lost, repeated or late.

mod check;
mod data;
mod effect;
mod engine;
mod event;
mod page;
mod parking;
pub mod policy;
pub mod retry;
mod session;
pub mod trace;
mod uploads;

pub use data::{Answer, Batch, Counting, Fate, Outcome, Outgoing, Pushed, Refused, Room, Sent, Tally, Verdict};
pub use effect::{Effect, Notice, Outbound, OutboundKind, Stop, Summary, Upload, Write};
pub use engine::{Engine, Identity, Settings};
pub use event::{Event, Reason, Response, StoreFailure, UploadEnd};
pub use policy::{DataPlan, DataRules, Leave, Link};
