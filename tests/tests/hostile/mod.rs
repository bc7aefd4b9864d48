//! What strangers send: refused by name, and the server goes on.

mod bombs;
mod fuzz;
mod strangers;
