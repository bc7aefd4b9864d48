//! The server of Xunge (巡格): the city grid management store.
//!
//! Where to find what:
//! - [`demo`]: one published month, replayed through real phones; the plan and its recount.
//! - [`reference`]: category trees, org files and the example district, as data.
//! - [`store`]: the database behind one small seam; SQL, migrations, hash chains. Knows no rule of the trade.
#![forbid(unsafe_code)]

pub mod demo;
pub mod reference;
pub mod store;
