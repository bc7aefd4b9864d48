//! Photos: what a phone takes in, what the server makes copies of, what a photo says of itself.

use std::sync::OnceLock;

use xunge_client_core::doc::testing::{Dice, mutate};
use xunge_client_core::photo::synthetic::{self, Moment};
use xunge_client_core::photo::{self, Limits, PhotoError};
use xunge_server::blobs::derive;

use crate::fuzz::{Outcome, Target};

/// Taking a photo into a report.
pub(super) struct Intake;

/// Making a copy for looking at.
pub(super) struct Derive;

/// The metadata of a photo that is otherwise sound.
pub(super) struct Exif;

fn specimens() -> Vec<Vec<u8>> {
    let picture = synthetic::scene(8, Moment::Before, 48, 32);
    let jpeg = |change: &dyn Fn(&mut jpeg_encoder::Encoder<&mut Vec<u8>>)| {
        let mut file = Vec::new();
        let mut encoder = jpeg_encoder::Encoder::new(&mut file, 60);
        change(&mut encoder);
        encoder.encode(picture.as_raw(), 48, 32, jpeg_encoder::ColorType::Rgb).unwrap();
        file
    };
    let other = |format| {
        let mut file = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut file, format).unwrap();
        file.into_inner()
    };
    vec![
        synthetic::jpeg(8, Moment::After, 64, 48),
        jpeg(&|_| {}),
        jpeg(&|encoder| encoder.set_progressive(true)),
        jpeg(&|encoder| encoder.set_restart_interval(2)),
        with_exif(&tiff()),
        other(image::ImageFormat::Png),
        other(image::ImageFormat::WebP),
    ]
}

/// A phone's own limits, but for the budget: sizes that damage makes up may be valid and huge.
fn small() -> Limits {
    Limits { max_pixels: 1 << 20, max_alloc_bytes: 16 << 20, ..Limits::default() }
}

/// What must hold of an upload copy or any other copy.
fn is_clean(copy: &[u8]) -> Result<(), String> {
    if !photo::metadata_segments(copy).is_empty() {
        return Err("the copy carries metadata".to_owned());
    }
    let picture = image::load_from_memory_with_format(copy, image::ImageFormat::Jpeg)
        .map_err(|error| format!("the copy is no JPEG: {error}"))?;
    let side = picture.width().max(picture.height());
    if side > small().upload_side { Err(format!("the copy has a side of {side}")) } else { Ok(()) }
}

fn refused(error: &PhotoError) -> Result<Outcome, String> {
    match error {
        PhotoError::Broken { reason } if reason.contains("gave up") => Err("a decoder panicked".to_owned()),
        other => Ok(Outcome::Refused(other.code().to_owned())),
    }
}

impl Target for Intake {
    fn name(&self) -> &'static str {
        "image-intake"
    }

    fn promise(&self) -> &'static str {
        "a photo is refused by name, or its copy is a JPEG within the limits without metadata, and taking the copy in again \
         changes nothing"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        specimens()
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let taken = match photo::intake(input, &small()) {
            Ok(taken) => taken,
            Err(error) => return refused(&error),
        };
        is_clean(&taken.upload)?;
        is_clean(&taken.preview)?;
        if taken.preview.len() > small().preview_bytes {
            return Err(format!("the preview has {} bytes", taken.preview.len()));
        }
        let again = photo::intake(&taken.upload, &small()).map_err(|error| format!("its copy is refused: {error}"))?;
        match (again.width, again.height) == (taken.width, taken.height) {
            true => Ok(Outcome::Accepted),
            false => Err("its copy has another size".to_owned()),
        }
    }

    fn memory(&self) -> usize {
        40 << 20
    }

    fn cost(&self) -> u64 {
        4
    }
}

impl Target for Derive {
    fn name(&self) -> &'static str {
        "server-derive"
    }

    fn promise(&self) -> &'static str {
        "an original gets no copy, or copies that are JPEGs within the limits without metadata"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        specimens()
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        for size in [derive::Size::Thumb, derive::Size::Full] {
            match derive::copy(input, size) {
                Ok(copy) => is_clean(&copy)?,
                Err(error) => return refused(&error),
            }
        }
        Ok(Outcome::Accepted)
    }

    /// The server's budget for one decoding, the picture beside it, and its copies.
    fn memory(&self) -> usize {
        110 << 20
    }

    fn cost(&self) -> u64 {
        8
    }
}

impl Target for Exif {
    fn name(&self) -> &'static str {
        "exif"
    }

    fn promise(&self) -> &'static str {
        "whatever the metadata says, the photo is taken, and time and place are plausible or missing"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let big = tiff();
        let mut pointing_at_itself = big.clone();
        pointing_at_itself[4..8].copy_from_slice(&8u32.to_le_bytes());
        vec![big, pointing_at_itself, b"MM\0\x2a\0\0\0\x08\0\0\0\0\0\0".to_vec()]
    }

    fn mutate(&self, input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
        mutate::damage(input, other, dice);
        if dice.one_in(16) {
            // Entries as many as fit, each pointing somewhere.
            let entry: [u8; 12] = dice.bytes();
            let many = dice.below(5_000);
            input.extend(entry.iter().cycle().take(many * 12));
        }
        input.truncate(65_000);
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let taken =
            photo::intake(&with_exif(input), &small()).map_err(|error| format!("it cost the photo: {error}"))?;
        is_clean(&taken.upload)?;
        let meta = taken.meta;
        let time = meta.taken_at_ms.is_none_or(|ms| (946_000_000_000..4_134_000_000_000).contains(&ms));
        let place = meta.lon_e6.is_some() == meta.lat_e6.is_some()
            && meta.lon_e6.is_none_or(|lon| lon.abs() <= 180_000_000)
            && meta.lat_e6.is_none_or(|lat| lat.abs() <= 90_000_000)
            && (1..=8).contains(&meta.orientation);
        match (time && place, meta.taken_at_ms) {
            (false, _) => Err(format!("implausible: {meta:?}")),
            (true, Some(_)) => Ok(Outcome::Accepted),
            (true, None) => Ok(Outcome::Refused("no time".to_owned())),
        }
    }
}

/// A small JPEG with this as its Exif segment.
fn with_exif(tiff: &[u8]) -> Vec<u8> {
    static PLAIN: OnceLock<Vec<u8>> = OnceLock::new();
    let plain = PLAIN.get_or_init(|| synthetic::jpeg(8, Moment::Before, 16, 16));
    let length = (tiff.len() + 8) as u16;
    [&plain[..2], &[0xff, 0xe1], &length.to_be_bytes(), b"Exif\0\0", tiff, &plain[2..]].concat()
}

/// Orientation, a time with its offset, a position: little-endian TIFF.
fn tiff() -> Vec<u8> {
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value].concat()
    };
    let at = |offset: u32| offset.to_le_bytes();
    let directory =
        |entries: &[Vec<u8>]| [&(entries.len() as u16).to_le_bytes()[..], &entries.concat(), &[0; 4]].concat();
    // 8: first directory of 3 entries (42 bytes); 50: Exif (30); 80: GPS (54); 134: data.
    let first =
        directory(&[entry(0x0112, 3, 1, [1, 0, 0, 0]), entry(0x8769, 4, 1, at(50)), entry(0x8825, 4, 1, at(80))]);
    let exif = directory(&[entry(0x9003, 2, 20, at(134)), entry(0x9011, 2, 7, at(154))]);
    let gps = directory(&[
        entry(1, 2, 2, *b"N\0\0\0"),
        entry(2, 5, 3, at(162)),
        entry(3, 2, 2, *b"E\0\0\0"),
        entry(4, 5, 3, at(186)),
    ]);
    let degrees =
        |parts: [u32; 3]| parts.iter().flat_map(|part| [part.to_le_bytes(), 1u32.to_le_bytes()].concat()).collect();
    let (north, east): (Vec<u8>, Vec<u8>) = (degrees([38, 30, 5]), degrees([106, 10, 7]));
    [b"II\x2a\0\x08\0\0\0".to_vec(), first, exif, gps, b"2023:11:07 09:30:15\0+08:00\0\0".to_vec(), north, east]
        .concat()
}
