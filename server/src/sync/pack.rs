//! Packs answers.
//!
//! Phones pack at level 19: their uplink is the slowest part of the whole system, and each packs little. The server packs
//! for all of them, and there the same level was two thirds of its CPU time under load.

use std::cell::RefCell;

use xunge_client_core::wire::SyncDown;
use xunge_client_core::wire::codec::{self, Packer};

use crate::domain::services::Bench;

/// Level of answers.
const LEVEL: i32 = 6;
/// Above this an answer takes a millisecond or more, and is packed away from the threads that serve connections.
const LARGE: usize = 32 * 1024;

thread_local! {
    static PACKER: RefCell<Packer> = RefCell::new(Packer::new(LEVEL));
}

/// One zstd frame with an answer.
pub(super) async fn pack(bench: &Bench, answer: &SyncDown) -> Vec<u8> {
    let body = codec::encode(answer);
    if body.len() < LARGE { compress(&body) } else { bench.run(move || compress(&body)).await }
}

fn compress(body: &[u8]) -> Vec<u8> {
    PACKER.with_borrow_mut(|packer| packer.compress(body))
}
