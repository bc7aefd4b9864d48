//! When and where a photo was taken, read from its Exif segment.
//!
//! The segment comes from outside and is worth less than the photo: whatever is wrong with it only drops the metadata.
//! The parser keeps one record per directory entry, and directories may overlap, so 64 KB of hostile Exif can ask it
//! for gigabytes. [`is_modest`] walks the directories first and counts entries as often as the parser would keep them.
//!
//! Source: JEITA CP-3451 (Exif 2.32), TIFF 6.0.

use exif::{Exif, In, Rational, Reader, Tag, Value};

use super::{chunks, layout::Layout};

/// A segment of a JPEG cannot be larger; PNG and WebP get no more.
const MAX_BYTES: usize = 1 << 16;
/// A camera writes about 60 entries, with interoperability and thumbnail directories about 100.
const MAX_ENTRIES: usize = 1_000;
/// China keeps one time in all its provinces; cameras without a time zone mean it.
const SHANGHAI_MINUTES: i64 = 8 * 60;

/// What a photo tells about itself; it goes into the case's facts, never into the upload copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhotoMeta {
    /// When the camera took it, Unix milliseconds (DateTimeOriginal; Asia/Shanghai when it names no offset).
    pub taken_at_ms: Option<i64>,
    /// Longitude east, 1e-6 degrees, WGS-84; present with `lat_e6` only.
    pub lon_e6: Option<i32>,
    /// Latitude north, 1e-6 degrees, WGS-84; present with `lon_e6` only.
    pub lat_e6: Option<i32>,
    /// Radius of the position's error as the camera gives it, metres, rounded up.
    pub accuracy_m: Option<u32>,
    /// How the sensor was held, Exif 1 to 8; 1 is upright. The upload copy is upright already.
    pub orientation: u8,
}

impl Default for PhotoMeta {
    fn default() -> Self {
        Self { taken_at_ms: None, lon_e6: None, lat_e6: None, accuracy_m: None, orientation: 1 }
    }
}

/// Reads the metadata of a JPEG.
pub(super) fn of_jpeg(layout: &Layout<'_>) -> PhotoMeta {
    layout.exif().map(of_tiff).unwrap_or_default()
}

/// Reads the metadata of a PNG from its `eXIf` chunk.
pub(super) fn of_png(png: &[u8]) -> PhotoMeta {
    chunks::png(png).find(|(kind, _)| kind == b"eXIf").map(|(_, data)| of_tiff(data)).unwrap_or_default()
}

/// Reads the metadata of a WebP from its `EXIF` chunk.
pub(super) fn of_webp(webp: &[u8]) -> PhotoMeta {
    let found = chunks::webp(webp).find(|(kind, _)| kind == b"EXIF");
    // Some writers keep the mark that only JPEG needs.
    found.map(|(_, data)| of_tiff(data.strip_prefix(b"Exif\0\0").unwrap_or(data))).unwrap_or_default()
}

fn of_tiff(tiff: &[u8]) -> PhotoMeta {
    if tiff.len() > MAX_BYTES || !is_modest(tiff) {
        return PhotoMeta::default();
    }
    // One bad entry (makers' notes often are) must not cost the others.
    let read = Reader::new().continue_on_error(true).read_raw(tiff.to_vec());
    let Ok(exif) = read.or_else(|error| error.distill_partial_result(|_| ())) else { return PhotoMeta::default() };
    let position = position(&exif);
    PhotoMeta {
        taken_at_ms: taken_at_ms(&exif),
        lon_e6: position.map(|(lon, _)| lon),
        lat_e6: position.map(|(_, lat)| lat),
        accuracy_m: position.and_then(|_| accuracy_m(&exif)),
        orientation: orientation(&exif),
    }
}

/// Tells whether the parser would keep at most [`MAX_ENTRIES`] entries.
fn is_modest(tiff: &[u8]) -> bool {
    let little = tiff.starts_with(b"II");
    let Some(mut next) = number(tiff, 4, 4, little) else { return false };
    let mut budget = MAX_ENTRIES;
    // The parser itself stops at eight directories in a row.
    for _ in 0..8 {
        if next == 0 {
            break;
        }
        let Some(after) = spend(tiff, next, little, &[0x8769, 0x8825], &mut budget) else { return false };
        next = after;
    }
    true
}

/// Counts the entries of a directory and of those it points to; returns the next one, `None` when it is too much.
fn spend(tiff: &[u8], at: usize, little: bool, pointers: &[usize], budget: &mut usize) -> Option<usize> {
    let Some(count) = number(tiff, at, 2, little) else { return Some(0) };
    for entry in (0..count).map(|index| at + 2 + index * 12) {
        if entry + 12 > tiff.len() {
            return Some(0);
        }
        *budget = budget.checked_sub(1)?;
        if pointers.contains(&number(tiff, entry, 2, little)?) {
            // One LONG, as the standard says; anything else the parser might read as another place.
            if (number(tiff, entry + 2, 2, little)?, number(tiff, entry + 4, 4, little)?) != (4, 1) {
                return None;
            }
            // Interoperability is the only directory below Exif.
            let below: &[usize] = if pointers.len() > 1 { &[0xA005] } else { &[] };
            spend(tiff, number(tiff, entry + 8, 4, little)?, little, below, budget)?;
        }
    }
    Some(number(tiff, at + 2 + count * 12, 4, little).unwrap_or(0))
}

fn number(tiff: &[u8], at: usize, width: usize, little: bool) -> Option<usize> {
    let bytes = tiff.get(at..at.checked_add(width)?)?;
    let step = |value: usize, byte: &u8| value << 8 | usize::from(*byte);
    Some(if little { bytes.iter().rev().fold(0, step) } else { bytes.iter().fold(0, step) })
}

fn orientation(exif: &Exif) -> u8 {
    let value = exif.get_field(Tag::Orientation, In::PRIMARY).and_then(|field| field.value.get_uint(0));
    value.and_then(|value| u8::try_from(value).ok()).filter(|value| (1..=8).contains(value)).unwrap_or(1)
}

fn taken_at_ms(exif: &Exif) -> Option<i64> {
    let pairs = [
        (Tag::DateTimeOriginal, Tag::OffsetTimeOriginal, Tag::SubSecTimeOriginal),
        (Tag::DateTimeDigitized, Tag::OffsetTimeDigitized, Tag::SubSecTimeDigitized),
    ];
    pairs.iter().find_map(|(time, offset, fraction)| {
        let mut when = exif::DateTime::from_ascii(text(exif, *time)?).ok()?;
        // A bad offset or fraction is as good as none.
        let _ = text(exif, *offset).map(|offset| when.parse_offset(offset));
        let _ = text(exif, *fraction).map(|fraction| when.parse_subsec(fraction));
        unix_ms(&when)
    })
}

fn unix_ms(when: &exif::DateTime) -> Option<i64> {
    let every = |years| when.year.is_multiple_of(years);
    let leap = every(4) && (!every(100) || every(400));
    let days_of_month = match when.month {
        2 => 28 + u8::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    // A camera whose battery was out says 1970 or 2000; no phone of ours is older than 2000.
    let plausible = (2000..=2100).contains(&when.year)
        && (1..=days_of_month).contains(&when.day)
        && when.hour < 24
        && when.minute < 60
        && when.second <= 60;
    let minutes_east = when.offset.map_or(SHANGHAI_MINUTES, i64::from);
    if !plausible || minutes_east.abs() > 14 * 60 {
        return None;
    }
    let days = days_since_1970(when.year.into(), when.month.into(), when.day.into());
    let minutes = (days * 24 + i64::from(when.hour)) * 60 + i64::from(when.minute) - minutes_east;
    let ms = when.nanosecond.map_or(0, |nanoseconds| i64::from(nanoseconds / 1_000_000));
    Some((minutes * 60 + i64::from(when.second)) * 1000 + ms)
}

/// Counts days in the Gregorian calendar, years beginning in March so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

/// Returns longitude and latitude, 1e-6 degrees.
///
/// Cameras without a fix write 0, 0, a point in the sea off Africa: that is no position.
fn position(exif: &Exif) -> Option<(i32, i32)> {
    let lon = degrees(exif, Tag::GPSLongitude, Tag::GPSLongitudeRef, b"EW", 180.0)?;
    let lat = degrees(exif, Tag::GPSLatitude, Tag::GPSLatitudeRef, b"NS", 90.0)?;
    ((lon, lat) != (0, 0)).then_some((lon, lat))
}

fn degrees(exif: &Exif, tag: Tag, reference: Tag, sides: &[u8; 2], bound: f64) -> Option<i32> {
    let Value::Rational(parts) = &exif.get_field(tag, In::PRIMARY)?.value else { return None };
    let side = text(exif, reference)?.first()?.to_ascii_uppercase();
    let sign = if side == sides[0] {
        1.0
    } else if side == sides[1] {
        -1.0
    } else {
        return None;
    };
    let mut value = ratio(parts.first()?)?;
    for (part, unit) in parts.get(1..)?.iter().zip([60.0, 3600.0]) {
        // Some cameras give decimal minutes and 0/0 seconds.
        value += ratio(part).unwrap_or(0.0) / unit;
    }
    (value <= bound).then(|| (sign * value * 1e6).round() as i32)
}

fn accuracy_m(exif: &Exif) -> Option<u32> {
    let Value::Rational(parts) = &exif.get_field(Tag::GPSHPositioningError, In::PRIMARY)?.value else { return None };
    let metres = ratio(parts.first()?)?;
    (metres <= 1_000_000.0).then(|| metres.ceil() as u32)
}

fn ratio(value: &Rational) -> Option<f64> {
    (value.denom != 0).then(|| value.to_f64())
}

fn text(exif: &Exif, tag: Tag) -> Option<&[u8]> {
    match &exif.get_field(tag, In::PRIMARY)?.value {
        Value::Ascii(lines) => lines.first().map(Vec::as_slice),
        _ => None,
    }
}
