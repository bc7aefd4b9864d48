//! The server of Xunge (巡格): the city grid management store.
//!
//! Where to find what:
//! - [`reference`]: category trees, org files and the example district, as data.
//! - [`store`]: the database behind one small seam; SQL, migrations, hash chains. Knows no rule of the trade.
#![forbid(unsafe_code)]

pub mod reference;
pub mod store;
