//! The server of Xunge (巡格): the city grid management store.
#![forbid(unsafe_code)]

pub mod reference;
