//! Attacks and honest histories, as a library.
//!
//! Not part of the product: it is here for the tests of this crate, and behind feature `testing` for the
//! programs that publish figures. Everything is a function of its seed.

mod dice;
pub mod forge;
mod fuzz;
mod honest;
mod judge;
pub mod mutate;

pub use dice::Dice;
pub use fuzz::{FuzzReport, Known, Life, fuzz, mutate_change};
pub use honest::{HonestReport, honest};
pub use judge::{Door, Verdict, judge};
