//! The rules of the trade on the server, over the store and without HTTP.

pub mod audit;
