//! Writing JPEGs: the upload copy, and a preview that always fits one small message.

use image::RgbImage;
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder, SamplingFactor};

use super::turn;

/// Longest side of a preview, pixels.
pub(super) const PREVIEW_SIDE: u32 = 320;
/// From the best to the worst that is still worth looking at; below it a smaller picture shows more.
const PREVIEW_QUALITIES: [u8; 8] = [76, 68, 60, 52, 44, 36, 28, 20];

/// Encodes a picture with halved colours, baseline, all components in one scan.
///
/// With its own Huffman tables the encoder would write one scan for each component: 1 % smaller, but decoders of the
/// day (zune-jpeg 0.5.15) silently turn such a file green. Progressive is 7 % larger on noisy streets.
pub(super) fn jpeg(picture: &RgbImage, quality: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(picture.as_raw().len() / 8);
    let mut encoder = Encoder::new(&mut out, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    let (width, height) = picture.dimensions();
    let [width, height] = [width, height].map(|side| u16::try_from(side).expect("pictures are shrunk first"));
    encoder.encode(picture.as_raw(), width, height, ColorType::Rgb).expect("a Vec takes every write");
    out
}

/// Encodes a picture of at most 320 pixels a side into at most `max_bytes`.
///
/// Takes the best quality that fits; where even the worst does not (leaves, gravel, noise), halves the sides.
pub(super) fn preview(picture: &RgbImage, max_bytes: usize) -> Vec<u8> {
    let mut side = PREVIEW_SIDE;
    let mut small =
        if picture.width().max(picture.height()) > side { turn::shrunk(picture, side) } else { picture.clone() };
    loop {
        match best_that_fits(&small, max_bytes) {
            Some(jpeg) => return jpeg,
            // 16 x 16 pixels of anything are some hundred bytes and two headers.
            None if side <= 16 => return jpeg(&small, 1),
            None => {
                side /= 2;
                small = turn::shrink(small, side);
            }
        }
    }
}

fn best_that_fits(picture: &RgbImage, max_bytes: usize) -> Option<Vec<u8>> {
    let mut best = None;
    let (mut low, mut high) = (0, PREVIEW_QUALITIES.len());
    while low < high {
        let middle = (low + high) / 2;
        let candidate = jpeg(picture, PREVIEW_QUALITIES[middle]);
        if candidate.len() <= max_bytes {
            best = Some(candidate);
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    best
}
