//! From bytes to upright-to-be RGB pixels, within limits checked before anything is allocated.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::codecs::{png::PngDecoder, webp::WebPDecoder};
use image::{DynamicImage, ImageDecoder, ImageError, RgbImage};
use zune_jpeg::zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};

use super::chunks::{self, WebpPart};
use super::{Limits, PhotoError, layout::Layout};

/// A progressive JPEG of a camera has about ten scans; each costs a pass over all pixels.
const MAX_SCANS: usize = 64;

/// Decodes a JPEG.
///
/// In strict mode: the lenient one fills what is missing with grey and calls it success. The plain kind is decoded from
/// its [stripped](Layout::stripped) form, so what is kept of it is known to be a picture.
pub(super) fn jpeg(jpeg: &[u8], layout: &Layout<'_>, limits: &Limits) -> Result<RgbImage, PhotoError> {
    if layout.is_misread() {
        return Err(PhotoError::OtherFormat { found: "non-interleaved JPEG" });
    }
    let frame = layout.frame();
    limits.check_pixels(frame.width, frame.height)?;
    limits.check_memory(layout.decode_bytes())?;
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(MAX_SCANS)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let plain = layout.without_end();
    let input = plain.as_deref().unwrap_or(jpeg);
    guarded(|| {
        let mut decoder = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(input), options);
        decoder.decode_headers().map_err(PhotoError::broken)?;
        if decoder.output_buffer_size() != Some(frame.width as usize * frame.height as usize * 3) {
            return Err(PhotoError::broken("two sizes in one file"));
        }
        let pixels = decoder.decode().map_err(PhotoError::broken)?;
        Ok(RgbImage::from_raw(frame.width, frame.height, pixels).expect("three bytes a pixel were just decoded"))
    })
}

/// Decodes a PNG.
pub(super) fn png(png: &[u8], limits: &Limits) -> Result<RgbImage, PhotoError> {
    // The size stands right behind the signature; the decoder would first read the chunks that follow.
    let size = png.get(16..24).ok_or(PhotoError::Truncated)?;
    let number = |bytes: &[u8]| bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
    limits.check_pixels(number(&size[..4]), number(&size[4..]))?;
    guarded(|| rgb(PngDecoder::with_limits(Cursor::new(png), limits.for_image()).map_err(refusal)?, limits))
}

/// Decodes a WebP.
///
/// Its canvas and its picture each give a size, and the decoder allocates for the one before it compares them.
pub(super) fn webp(webp: &[u8], limits: &Limits) -> Result<RgbImage, PhotoError> {
    let announced = webp.get(4..8).ok_or(PhotoError::Truncated)?;
    let announced = announced.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte));
    if webp.len() < announced + 8 {
        return Err(PhotoError::Truncated);
    }
    for part in chunks::webp_parts(webp) {
        match part {
            WebpPart::Size(width, height) => limits.check_pixels(width, height)?,
            WebpPart::Animation => return Err(PhotoError::OtherFormat { found: "animated WebP" }),
        }
    }
    guarded(|| {
        let mut decoder = WebPDecoder::new(Cursor::new(webp)).map_err(refusal)?;
        decoder.set_limits(limits.for_image()).map_err(refusal)?;
        rgb(decoder, limits)
    })
}

fn rgb(decoder: impl ImageDecoder, limits: &Limits) -> Result<RgbImage, PhotoError> {
    let (width, height) = decoder.dimensions();
    limits.check_pixels(width, height)?;
    // Both the decoded picture and its RGB copy are in memory for a moment.
    let copy = u64::from(width) * u64::from(height) * 3;
    limits.check_memory(decoder.total_bytes().saturating_add(copy))?;
    let decoded = DynamicImage::from_decoder(decoder).map_err(refusal)?;
    Ok(if decoded.color().has_alpha() { on_white(decoded) } else { decoded.into_rgb8() })
}

/// Lays a picture with transparent parts on white paper, as an office prints it.
fn on_white(picture: DynamicImage) -> RgbImage {
    let rgba = picture.into_rgba8();
    let (width, height) = rgba.dimensions();
    let mut pixels = Vec::with_capacity(width as usize * height as usize * 3);
    for pixel in rgba.pixels() {
        let [colours @ .., alpha] = pixel.0;
        let alpha = u32::from(alpha);
        pixels.extend(colours.map(|colour| ((u32::from(colour) * alpha + 255 * (255 - alpha) + 127) / 255) as u8));
    }
    RgbImage::from_raw(width, height, pixels).expect("three bytes were pushed for each pixel")
}

fn refusal(error: ImageError) -> PhotoError {
    match error {
        ImageError::IoError(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => PhotoError::Truncated,
        other => PhotoError::broken(other),
    }
}

/// Turns a decoder's panic into a refusal: a photo must never take the reports on the phone down with it.
fn guarded(decode: impl FnOnce() -> Result<RgbImage, PhotoError>) -> Result<RgbImage, PhotoError> {
    catch_unwind(AssertUnwindSafe(decode)).unwrap_or_else(|_| Err(PhotoError::broken("the decoder gave up")))
}
