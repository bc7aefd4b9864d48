//! The demo: 西夏区, November 2023, replayed through real phones and a real server.
//!
//! First a plan is drawn up, pure and seeded: who reports what, where and when, and what the offices do about it
//! ([`plan`]). The published figures decide how many cases of each kind there are; the seed decides which. Then the
//! plan is carried out, and what the server counts is held against the report. The plan carries no total of its own:
//! [`check`] counts it case by case, as the server will.
//!
//! | module | what it gives |
//! |---|---|
//! | [`plan`] | [`plan::DemoPlan`]: phones, cases, office acts, grouped into rounds of the business clock |
//! | [`check`] | a recount of the plan against the published rows |
//! | [`figures`] | what is taken over instead of computed: hotline, fire alerts, the October edition |
//! | [`run`] | one demo from beginning to end: server, phones, the month, the counts |
//! | [`compare`] | published and counted figures, member by member |
//! | [`show`] | what people read of it |

mod acts;
mod calendar;
mod cast;
pub mod check;
pub mod compare;
mod counted;
mod error;
mod fate;
pub mod figures;
mod link;
mod month;
mod offices;
mod patrol;
mod patrols;
mod phones;
mod phrases;
mod picture;
pub mod plan;
mod rng;
pub mod run;
mod script;
pub mod show;
mod staff;
mod stage;
mod steps;
mod taken_over;
mod text;
pub mod trouble;
mod usage;
mod writer;
