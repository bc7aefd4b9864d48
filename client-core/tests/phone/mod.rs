//! A phone against a scripted server: virtual clock, seeded randomness, a network that does what the story says.

mod machine;
mod server;
mod world;

mod drafting;
mod faults;
mod repairs;
mod restart;
mod syncing;
