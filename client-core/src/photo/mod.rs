//! From the camera's file to what leaves the phone.
//!
//! A normal run: the first bytes tell the format; the header tells the size, and what is too large is refused before
//! anything is allocated; the Exif segment gives time, place and how the phone was held; the picture is decoded, shrunk
//! to 1600 pixels, turned upright and written again as JPEG. Written again means: without Exif, XMP, IPTC, profile,
//! thumbnail or comment, which name the inspector's phone and sometimes their home. A preview of at most 10 kB goes
//! along; it travels before the photo does. A baseline JPEG that is small, upright and cheap already keeps its
//! compressed data and only loses the other segments: no quality is lost and nothing is encoded.
//!
//! What can go wrong: content that is no photo, whatever its name says; a header that announces a billion pixels; a
//! file that ends early (half a picture is refused, not shown with a grey half); hostile Exif, which costs only the
//! metadata. Every refusal is a [`PhotoError`] with a way out, and the caller still has the file.
//!
//! Bytes in, bytes out: no files, clock, threads or network, so that a browser can run it too. On one machine the same
//! bytes give the same copy; machines with other vector instructions may differ in the last bit, which is why the hash
//! of the copy, made once, names it from then on.

mod chunks;
mod decode;
mod encode;
mod error;
mod exif;
mod layout;
mod sniff;
pub mod synthetic;
#[cfg(test)]
mod tests;
mod turn;

use image::RgbImage;
use sha2::{Digest, Sha256};

pub use self::error::PhotoError;
pub use self::exif::PhotoMeta;
use self::layout::Layout;
pub use self::layout::{MetadataKind, MetadataSegment, metadata_segments};
use self::sniff::Format;

/// What may come in and what goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Largest file taken in, bytes.
    pub max_file_bytes: u64,
    /// Largest picture decoded, pixels.
    pub max_pixels: u64,
    /// Most memory one decoding may ask for, bytes.
    pub max_alloc_bytes: u64,
    /// Longest side of the upload copy, pixels.
    pub upload_side: u32,
    /// JPEG quality of the upload copy, 1 to 100.
    pub upload_quality: u8,
    /// Largest JPEG that keeps its compressed data when its size and kind allow it, bytes.
    pub keep_bytes: usize,
    /// Largest preview, bytes.
    pub preview_bytes: usize,
}

impl Default for Limits {
    /// The limits of a phone.
    ///
    /// 50 x 2^20 pixels, so that the 8192 x 6144 of "50 megapixel" sensors pass. Quality 78 at 1600 pixels gives about
    /// 300 kB for a noisy street; a JPEG of that size costs the link no more when kept as it is.
    fn default() -> Self {
        Self {
            max_file_bytes: 64 << 20,
            max_pixels: 50 << 20,
            max_alloc_bytes: 192 << 20,
            upload_side: 1600,
            upload_quality: 78,
            keep_bytes: 300_000,
            preview_bytes: 10_000,
        }
    }
}

impl Limits {
    fn check_file(&self, bytes: usize) -> Result<(), PhotoError> {
        let bytes = bytes as u64;
        let limit = self.max_file_bytes;
        if bytes > limit { Err(PhotoError::FileTooLarge { bytes, limit }) } else { Ok(()) }
    }

    fn check_pixels(&self, width: u32, height: u32) -> Result<(), PhotoError> {
        let limit = self.max_pixels;
        let pixels = u64::from(width) * u64::from(height);
        if pixels > limit { Err(PhotoError::TooManyPixels { width, height, limit }) } else { Ok(()) }
    }

    fn check_memory(&self, needed: u64) -> Result<(), PhotoError> {
        let limit = self.max_alloc_bytes;
        if needed > limit { Err(PhotoError::TooMuchMemory { needed, limit }) } else { Ok(()) }
    }

    fn for_image(&self) -> image::Limits {
        let mut limits = image::Limits::no_limits();
        limits.max_alloc = Some(self.max_alloc_bytes);
        limits
    }
}

/// A photo ready to be attached to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    /// The upload copy: JPEG, upright, longest side at most [`Limits::upload_side`], no metadata.
    pub upload: Vec<u8>,
    /// A JPEG of at most [`Limits::preview_bytes`] and 320 pixels a side, no metadata.
    pub preview: Vec<u8>,
    /// SHA-256 of `upload`; names the photo everywhere.
    pub sha256: [u8; 32],
    /// Width of `upload`, pixels.
    pub width: u32,
    /// Height of `upload`, pixels.
    pub height: u32,
    /// Media type of `upload`: always `image/jpeg`.
    pub mime: &'static str,
    /// SHA-256 of the bytes that came in, to recognise the same file chosen twice.
    pub original_sha256: [u8; 32],
    /// Time, place and orientation the file told.
    pub meta: PhotoMeta,
}

/// Makes the upload copy and the preview of a photo.
///
/// # Errors
/// A [`PhotoError`] when the bytes are no JPEG, PNG or WebP, exceed a limit, end early or are damaged.
pub fn intake(bytes: &[u8], limits: &Limits) -> Result<Intake, PhotoError> {
    let Opened { meta, picture, kept } = open(bytes, limits)?;
    let picture = turn::upright(turn::shrink(picture, limits.upload_side), meta.orientation);
    let upload = match kept {
        Some(kept) if kept.len() <= limits.keep_bytes => kept,
        Some(kept) => smaller(kept, encode::jpeg(&picture, limits.upload_quality)),
        None => encode::jpeg(&picture, limits.upload_quality),
    };
    let is_own_preview = upload.len() <= limits.preview_bytes && picture.width().max(picture.height()) <= 320;
    let preview = if is_own_preview { upload.clone() } else { encode::preview(&picture, limits.preview_bytes) };
    let sha256 = Sha256::digest(&upload).into();
    let original_sha256 = if upload == bytes { sha256 } else { Sha256::digest(bytes).into() };
    let (width, height) = picture.dimensions();
    Ok(Intake { upload, preview, sha256, width, height, mime: "image/jpeg", original_sha256, meta })
}

/// A decoded photo as it lies in its file.
struct Opened {
    meta: PhotoMeta,
    picture: RgbImage,
    /// The stripped file, where it can be the upload copy.
    kept: Option<Vec<u8>>,
}

fn open(bytes: &[u8], limits: &Limits) -> Result<Opened, PhotoError> {
    limits.check_file(bytes.len())?;
    let (meta, picture) = match sniff::sniff(bytes)? {
        Format::Jpeg => return open_jpeg(bytes, limits),
        Format::Png => (exif::of_png(bytes), decode::png(bytes, limits)?),
        Format::WebP => (exif::of_webp(bytes), decode::webp(bytes, limits)?),
    };
    Ok(Opened { meta, picture, kept: None })
}

fn open_jpeg(bytes: &[u8], limits: &Limits) -> Result<Opened, PhotoError> {
    let layout = Layout::of(bytes)?;
    let meta = exif::of_jpeg(&layout);
    let frame = layout.frame();
    let may_stay = meta.orientation == 1 && frame.width.max(frame.height) <= limits.upload_side;
    let kept = if may_stay { layout.stripped() } else { None };
    let picture = decode::jpeg(bytes, &layout, limits)?;
    Ok(Opened { meta, picture, kept })
}

/// Names the media type of a photo by its first bytes; some hundred of them are enough.
///
/// # Errors
/// `Empty`, `OtherFormat`, `NotAPhoto` or `Unrecognised` when it is no JPEG, PNG or WebP.
pub fn media_type(head: &[u8]) -> Result<&'static str, PhotoError> {
    Ok(match sniff::sniff(head)? {
        Format::Jpeg => "image/jpeg",
        Format::Png => "image/png",
        Format::WebP => "image/webp",
    })
}

/// Makes a small upright JPEG of a stored photo, longest side at most 320 pixels, no metadata.
///
/// For whoever shows photos from outside: it goes through the same checks as [`intake`].
///
/// # Errors
/// As for [`intake`].
pub fn thumb(bytes: &[u8], limits: &Limits) -> Result<Vec<u8>, PhotoError> {
    let Opened { meta, picture, .. } = open(bytes, limits)?;
    let small = turn::shrink(picture, encode::PREVIEW_SIDE);
    Ok(encode::jpeg(&turn::upright(small, meta.orientation), limits.upload_quality))
}

fn smaller(one: Vec<u8>, other: Vec<u8>) -> Vec<u8> {
    if one.len() <= other.len() { one } else { other }
}
