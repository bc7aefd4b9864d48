//! A phone against a scripted server: virtual clock, seeded randomness, a network that does what the story says.

mod machine;
mod server;
mod world;

mod census;
mod cost;
mod crowded;
mod damaged;
mod data_plan;
mod drafting;
mod faults;
mod full_disk;
mod hostile;
mod online;
mod overtaking;
mod parts;
mod previews;
mod repairs;
mod restart;
mod syncing;
mod tracing;
mod uploads;
