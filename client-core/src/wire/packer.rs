//! zstd contexts that live from one frame to the next, one a thread.
//!
//! A fresh context allocates and clears up to some megabytes for each frame, whatever its size: for a request of two
//! hundred bytes that was as much work as compressing it. Nothing of one frame is left for the next but the memory.

use std::cell::RefCell;
use std::io::{self, BufRead, Read};

use zstd::bulk::Compressor;
use zstd::stream::read::Decoder;
use zstd::zstd_safe::{CParameter, DCtx};

thread_local! {
    static PACKING: RefCell<Compressor<'static>> = RefCell::new(compressor(1));
    static UNPACKING: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

fn compressor(level: i32) -> Compressor<'static> {
    Compressor::new(level).expect("memory for the tables is there")
}

fn packed(by: &mut Compressor<'static>, body: &[u8]) -> Vec<u8> {
    by.compress(body).expect("compressing memory into memory can not fail")
}

/// One frame of a zstd level, without a checksum.
pub(super) fn compress(body: &[u8], level: i32) -> Vec<u8> {
    PACKING.with_borrow_mut(|packing| {
        packing.set_compression_level(level).expect("every level is a level");
        packed(packing, body)
    })
}

/// The first `most` bytes of exactly one frame, and whether anything follows the frame if that was all of it.
pub(super) fn decompress(frame: &[u8], window_log: u32, most: usize) -> io::Result<(Vec<u8>, bool)> {
    UNPACKING.with_borrow_mut(|unpacking| {
        let mut decoder = Decoder::with_context(frame, unpacking).single_frame();
        decoder.window_log_max(window_log)?;
        let mut body = Vec::with_capacity((frame.len() * 4).min(most));
        decoder.by_ref().take(most as u64).read_to_end(&mut body)?;
        let followed = !decoder.finish().fill_buf()?.is_empty();
        Ok((body, followed))
    })
}

/// A compressor of its own for whoever packs answers: nothing signs those, so its frames carry zstd's checksum.
pub struct Packer(Compressor<'static>);

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}

impl Packer {
    /// A packer of this zstd level.
    pub fn new(level: i32) -> Self {
        let mut compressor = compressor(level);
        compressor.set_parameter(CParameter::ChecksumFlag(true)).expect("zstd knows its checksum");
        Self(compressor)
    }

    /// One zstd frame, as [`super::codec::compress`] makes it but for level and checksum.
    pub fn compress(&mut self, body: &[u8]) -> Vec<u8> {
        packed(&mut self.0, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::codec::{decompress, encode, unpack};
    use crate::wire::limits;

    #[test]
    fn a_packer_forgets_the_frame_before() {
        let bodies: [Vec<u32>; 3] = [(0..20_000).collect(), vec![], (5..900).collect()];
        let mut packer = Packer::new(6);
        for body in bodies.iter().chain(&bodies) {
            let frame = packer.compress(&encode(body));
            assert_eq!(frame, Packer::new(6).compress(&encode(body)));
            assert_eq!(unpack::<Vec<u32>>(&frame).as_ref(), Ok(body));
        }
    }

    #[test]
    fn a_frame_that_broke_leaves_nothing_for_the_next_one() {
        let body: Vec<u8> = (0..40_000_u32).flat_map(|n| (n * n).to_le_bytes()).collect();
        let frame = compress(&body, 19);
        for end in [frame.len() / 3, frame.len() - 1] {
            assert!(decompress(&frame[..end], limits::DECOMPRESSED).is_err());
            assert_eq!(decompress(&frame, limits::DECOMPRESSED).as_ref(), Ok(&body));
        }
        assert!(decompress(&frame, 1_000).is_err());
        assert_eq!(decompress(&compress(b"x", 19), 1_000).as_deref(), Ok(&b"x"[..]));
    }
}
