//! What the end-to-end tests and the figures share: real processes, a weak link, an HTTP client.
//!
//! | module | what it gives |
//! |---|---|
//! | [`process`] | `xunge-server` and `xunge` as real processes on a free port and a fresh folder |
//! | [`link`], [`weather`] | a loopback proxy that is slow, late, still for a while, or cut; links people know by name |
//! | [`tls`] | the proxy that speaks TLS before a server |
//! | [`http`] | a small client for the JSON API |
//! | [`browser`] | a real Chromium, driven through chromedriver |
//! | [`bombs`] | small requests that ask for a lot, against a real server |
//! | [`fault`] | disks that fail, stop and forget, under the real phone and server |
//! | [`scene`] | an example district with its log-ins and enrolled phones |
//! | [`fleet`], [`tap`] | phones of this process whose waits cost no time; what they send, hear and lose |
//! | [`kills`], [`cuts`], [`rollbacks`], [`drops`], [`rush`] | campaigns: processes killed, answers cut, a server put back, one answer lost, everybody at once |
//! | [`ledger`] | what a stopped or running server really has, read from its database |
//! | [`pusher`] | devices that only push, for loading the server |
//! | [`office`] | a district with a million cases, kept for figures |
//! | [`dictionary`] | what a trained dictionary would save |
//! | [`fuzz`] | everything that takes bytes from strangers, against what must hold |
//! | [`sink`], [`cpu`], [`memory`] | the lower bound's server, and what a process used |
//! | [`sim`] | a whole city on one thread: phones, server, network and disks by the dice |
//! | [`workload`] | W, the workload all sync figures are stated for |

// Test programs may look at clocks, print, and unwrap: a failure here is a failed test.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

pub(crate) mod ages;
pub mod bombs;
pub mod browser;
pub mod cpu;
pub mod cuts;
pub mod dictionary;
pub mod drops;
#[cfg(target_os = "linux")]
pub mod fault;
pub mod fleet;
pub mod fuzz;
pub mod http;
pub mod kills;
pub mod ledger;
pub mod link;
pub mod memory;
pub mod office;
pub mod process;
pub mod pusher;
pub mod rollbacks;
pub mod rush;
pub mod scene;
pub mod sim;
pub mod sink;
pub mod tap;
pub mod tls;
pub mod weather;
pub mod workload;
