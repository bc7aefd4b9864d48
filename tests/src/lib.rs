//! What the end-to-end tests and the figures share: real processes, a weak link, an HTTP client.
//!
//! | module | what it gives |
//! |---|---|
//! | [`process`] | `xunge-server` and `xunge` as real processes on a free port and a fresh folder |
//! | [`link`] | a loopback proxy that is slow, late, or cut |
//! | [`http`] | a small client for the JSON API |
//! | [`browser`] | a real Chromium, driven through chromedriver |
//! | [`scene`] | an example district with its log-ins and enrolled phones |
//! | [`pusher`] | devices that only push, for loading the server |
//! | [`sink`], [`cpu`] | the lower bound's server, and what a process used |
//! | [`sim`] | a whole city on one thread: phones, server, network and disks by the dice |
//! | [`workload`] | W, the workload all sync figures are stated for |

// Test programs may look at clocks, print, and unwrap: a failure here is a failed test.
#![allow(clippy::disallowed_methods, clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)]

pub mod browser;
pub mod cpu;
pub mod http;
pub mod link;
pub mod process;
pub mod pusher;
pub mod scene;
pub mod sim;
pub mod sink;
pub mod workload;
