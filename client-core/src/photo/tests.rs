use image::{GrayImage, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::synthetic::{Moment, scene};
use super::*;

mod exif_bytes;
mod hostile;
mod metadata;
mod pictures;

fn take(bytes: &[u8]) -> Result<Intake, PhotoError> {
    intake(bytes, &Limits::default())
}

fn decoded(jpeg: &[u8]) -> RgbImage {
    image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).unwrap().into_rgb8()
}

fn written(picture: impl Into<image::DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

/// White with a red block in the top left corner, so that every turn shows.
fn marked_corner(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        if x < width / 4 && y < height / 4 { Rgb([220, 20, 20]) } else { Rgb([240, 240, 240]) }
    })
}

/// The hardest picture to compress.
fn noise(width: u32, height: u32) -> RgbImage {
    let mut state = 1u32;
    RgbImage::from_fn(width, height, |_, _| {
        Rgb(std::array::from_fn(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        }))
    })
}

/// Puts a segment right behind the start mark.
fn with_segment(jpeg: &[u8], marker: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, marker], &length, payload, &jpeg[2..]].concat()
}

fn with_exif(jpeg: &[u8], tiff: &[u8]) -> Vec<u8> {
    with_segment(jpeg, 0xE1, &[b"Exif\0\0", tiff].concat())
}

fn assert_sound(out: &Intake, limits: &Limits) {
    assert!(out.preview.len() <= limits.preview_bytes, "preview of {} bytes", out.preview.len());
    assert!(out.width.max(out.height) <= limits.upload_side);
    assert_eq!(out.sha256, <[u8; 32]>::from(Sha256::digest(&out.upload)));
    assert_eq!(decoded(&out.upload).dimensions(), (out.width, out.height));
    let preview = decoded(&out.preview);
    assert!(preview.width().max(preview.height()) <= 320);
    assert_eq!(metadata_segments(&out.upload), []);
    assert_eq!(metadata_segments(&out.preview), []);
}
