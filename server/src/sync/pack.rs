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

#[cfg(test)]
mod tests {
    use xunge_client_core::model::CaseId;

    use super::*;

    /// Seed 406 of the simulator: a bit of `gone` was flipped, and a phone kept a case of which it was never told again.
    #[test]
    fn no_flipped_bit_of_an_answer_is_believed() {
        let gone = vec![CaseId::from_bytes([0x5a; 16]), CaseId::from_bytes([7; 16])];
        let answer = SyncDown { epoch: 1, cursor: 50, gone, ..SyncDown::default() };
        let frame = compress(&codec::encode(&answer));
        let believed = (0..frame.len() * 8).filter(|bit| {
            let mut damaged = frame.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            codec::unpack::<SyncDown>(&damaged).is_ok_and(|down| down != answer)
        });
        assert_eq!(believed.collect::<Vec<_>>(), [0; 0]);
        assert_eq!(codec::unpack(&frame), Ok(answer));
    }
}
