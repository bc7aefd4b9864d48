//! The parts of a JPEG file: what must be decoded, and what only tells about its owner.
//!
//! A JPEG is a row of segments, then compressed data, then an end mark. Phones add segments that name the place, the
//! time, the serial number and a thumbnail of the uncropped scene, and put whole further pictures behind the end mark
//! (motion photos, gain maps). [`Layout`] finds them all in one pass without decoding anything, tells a file that ends
//! too early, and can write the picture again without them, losing no quality.
//!
//! Source: ITU-T T.81 (JPEG) annex B, ITU-T T.871 (JFIF).

use std::ops::Range;

use super::PhotoError;

/// A camera file has some ten segments, one with a depth map a few hundred.
const MAX_SEGMENTS: usize = 4096;

const APP0: u8 = 0xE0;
const APP1: u8 = 0xE1;
const APP2: u8 = 0xE2;
const APP13: u8 = 0xED;
const APP14: u8 = 0xEE;
const COM: u8 = 0xFE;
const DHT: u8 = 0xC4;
const DQT: u8 = 0xDB;
const DRI: u8 = 0xDD;
const EOI: u8 = 0xD9;
const SOF0: u8 = 0xC0;
const SOF2: u8 = 0xC2;
const SOI: u8 = 0xD8;
const SOS: u8 = 0xDA;
/// Stands for bytes between two segments that belong to neither.
const STRAY: u8 = 0;

/// JFIF 1.1, square pixels, no thumbnail: tells every decoder that the colours are YCbCr, and nothing else.
const PLAIN_JFIF: [u8; 18] = *b"\xFF\xE0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0";

/// What a segment that is not needed for decoding holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataKind {
    /// Camera, time and place.
    Exif,
    /// Adobe's XML, main or extended.
    Xmp,
    /// Photoshop resources with press captions.
    Iptc,
    /// A colour profile.
    Icc,
    /// Free text.
    Comment,
    /// A small picture of the scene, perhaps before it was cropped.
    Thumbnail,
    /// Another application segment; the number of the APPn.
    Application(u8),
    /// Bytes behind the end of the picture.
    Trailer,
    /// Bytes that are no part of a JPEG; the rest of the file when it cannot be followed further.
    Unreadable,
}

/// One stretch of a file that is not needed to show the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetadataSegment {
    /// What it holds.
    pub kind: MetadataKind,
    /// Where it starts, bytes from the start of the file.
    pub offset: usize,
    /// Its length with its marker, bytes.
    pub bytes: usize,
}

/// Lists everything in a JPEG that is not needed to show it; an empty list proves that it tells nothing more.
///
/// What cannot be followed is listed as [`MetadataKind::Unreadable`], so damaged files never look clean.
#[must_use]
pub fn metadata_segments(jpeg: &[u8]) -> Vec<MetadataSegment> {
    let mut layout = Layout::new(jpeg);
    let outcome = layout.walk();
    let mut found: Vec<_> = layout
        .segments
        .iter()
        .filter_map(|segment| {
            let kind = segment.metadata_kind(jpeg)?;
            Some(MetadataSegment { kind, offset: segment.start, bytes: segment.end - segment.start })
        })
        .collect();
    let kind = if outcome.is_ok() { MetadataKind::Trailer } else { MetadataKind::Unreadable };
    if outcome.is_err() || layout.end < jpeg.len() {
        found.push(MetadataSegment { kind, offset: layout.end, bytes: jpeg.len() - layout.end });
    }
    found
}

/// The frame header of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    marker: u8,
    precision: u8,
    pub(super) width: u32,
    pub(super) height: u32,
    components: Vec<Component>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Component {
    id: u8,
    horizontal: u32,
    vertical: u32,
}

#[derive(Debug, Clone, Copy)]
struct Segment {
    marker: u8,
    start: usize,
    end: usize,
}

/// Where the parts of one JPEG lie.
#[derive(Debug)]
pub(super) struct Layout<'a> {
    jpeg: &'a [u8],
    segments: Vec<Segment>,
    frames: Vec<Frame>,
    scans: Vec<Range<usize>>,
    /// Number of components in the first scan.
    first_scan_components: usize,
    /// Where the walk stands; behind the end mark once it is done.
    end: usize,
}

impl<'a> Layout<'a> {
    /// Walks a JPEG from its first to its end mark.
    ///
    /// # Errors
    /// `Truncated` when the file ends first, `Broken` when it cannot be followed or has not exactly one frame.
    pub(super) fn of(jpeg: &'a [u8]) -> Result<Self, PhotoError> {
        let mut layout = Self::new(jpeg);
        layout.walk()?;
        match (layout.frames.len(), layout.scans.len()) {
            (1, 1..) => Ok(layout),
            (frames, scans) => Err(PhotoError::broken(format!("{frames} frame headers, {scans} scans"))),
        }
    }

    fn new(jpeg: &'a [u8]) -> Self {
        Self { jpeg, segments: Vec::new(), frames: Vec::new(), scans: Vec::new(), first_scan_components: 0, end: 0 }
    }

    /// Returns the only frame header.
    pub(super) fn frame(&self) -> &Frame {
        &self.frames[0]
    }

    /// Tells whether the components lie in scans of their own although their sizes differ.
    ///
    /// Valid, but no camera writes it, and zune-jpeg 0.5.15 decodes it to green stripes without a word
    /// (zune-image issues 419 and 422): refused until the decoder can.
    pub(super) fn is_misread(&self) -> bool {
        let frame = self.frame();
        let in_own_scans = frame.marker != SOF2 && self.first_scan_components != frame.components.len();
        in_own_scans && frame.components.iter().any(|c| (c.horizontal, c.vertical) != (1, 1))
    }

    /// Returns the bytes the decoder needs for pixels and, where it must keep the whole picture, coefficients.
    pub(super) fn decode_bytes(&self) -> u64 {
        let frame = self.frame();
        let pixels = u64::from(frame.width) * u64::from(frame.height) * 3;
        let in_one_pass = frame.marker != SOF2 && self.first_scan_components == frame.components.len();
        if in_one_pass { pixels } else { pixels + frame.coefficient_bytes() }
    }

    /// Returns the TIFF structure of the first Exif segment.
    pub(super) fn exif(&self) -> Option<&'a [u8]> {
        self.segments
            .iter()
            .filter(|segment| segment.marker == APP1)
            .find_map(|segment| segment.payload(self.jpeg).strip_prefix(b"Exif\0\0"))
    }

    /// Writes the same compressed picture without anything else, or `None` when its kind asks for decoding.
    ///
    /// Only the plain kind that cameras write qualifies: baseline, 8 bit, one scan, grey or YCbCr. In others the
    /// meaning of the data may hang on the very segments that are dropped (Adobe's colour transform).
    pub(super) fn stripped(&self) -> Option<Vec<u8>> {
        self.with_ending(&[0xFF, EOI])
    }

    /// Writes what [`Layout::stripped`] writes, for a decoder that shall notice when data is missing.
    ///
    /// Behind an end mark zune-jpeg makes up zeros as long as it likes; the end of its input it reports. So there is
    /// no end mark, only some zeros to read ahead into (it keeps 8 bytes).
    pub(super) fn without_end(&self) -> Option<Vec<u8>> {
        self.with_ending(&[0; 12])
    }

    fn with_ending(&self, ending: &[u8]) -> Option<Vec<u8>> {
        let [scan] = self.scans.as_slice() else { return None };
        if !self.is_plain() {
            return None;
        }
        let mut out = Vec::with_capacity(scan.len() + 1024);
        out.extend_from_slice(&[0xFF, SOI]);
        out.extend_from_slice(&PLAIN_JFIF);
        for segment in &self.segments {
            match segment.marker {
                DQT | DHT | DRI | SOF0 => out.extend_from_slice(&self.jpeg[segment.start..segment.end]),
                SOS => out.extend_from_slice(&self.jpeg[segment.start..scan.end]),
                _ => {}
            }
        }
        out.extend_from_slice(ending);
        Some(out)
    }

    fn is_plain(&self) -> bool {
        let frame = self.frame();
        let ids: Vec<u8> = frame.components.iter().map(|component| component.id).collect();
        let adobe_transform = self.segments.iter().filter(|segment| segment.marker == APP14).find_map(|segment| {
            let payload = segment.payload(self.jpeg);
            payload.starts_with(b"Adobe").then(|| payload.get(11).copied().unwrap_or(u8::MAX))
        });
        frame.marker == SOF0
            && frame.precision == 8
            && self.first_scan_components == ids.len()
            && match ids.len() {
                1 => true,
                3 => ids != b"RGB" && matches!(adobe_transform, None | Some(1)),
                _ => false,
            }
    }

    fn walk(&mut self) -> Result<(), PhotoError> {
        if !self.jpeg.starts_with(&[0xFF, SOI]) {
            return Err(PhotoError::broken("no start mark"));
        }
        self.end = 2;
        loop {
            let start = self.next_marker()?;
            let marker = self.jpeg[start + 1];
            match marker {
                EOI => {
                    self.end = start + 2;
                    return Ok(());
                }
                SOI => return Err(PhotoError::broken("a second start mark")),
                // TEM and the restart marks stand alone.
                0x01 | 0xD0..=0xD7 => self.end = start + 2,
                _ => self.segment(marker, start)?,
            }
            if self.segments.len() > MAX_SEGMENTS {
                return Err(PhotoError::broken("too many segments"));
            }
        }
    }

    /// Finds the next marker and notes what lies before it; fill bytes (FF) may precede a marker.
    fn next_marker(&mut self) -> Result<usize, PhotoError> {
        let mut at = self.end;
        loop {
            match (self.jpeg.get(at), self.jpeg.get(at + 1)) {
                (Some(0xFF), Some(&code)) if code != 0xFF && code != 0 => break,
                (Some(_), Some(_)) => at += 1,
                _ => return Err(PhotoError::Truncated),
            }
        }
        if self.jpeg[self.end..at].iter().any(|byte| *byte != 0xFF) {
            self.segments.push(Segment { marker: STRAY, start: self.end, end: at });
        }
        self.end = at;
        Ok(at)
    }

    fn segment(&mut self, marker: u8, start: usize) -> Result<(), PhotoError> {
        let length = self.jpeg.get(start + 2..start + 4).ok_or(PhotoError::Truncated)?;
        let length = usize::from(u16::from_be_bytes([length[0], length[1]]));
        if length < 2 {
            return Err(PhotoError::broken("a segment shorter than its own length"));
        }
        let end = start + 2 + length;
        if end > self.jpeg.len() {
            return Err(PhotoError::Truncated);
        }
        let segment = Segment { marker, start, end };
        self.segments.push(segment);
        self.end = end;
        match marker {
            SOF0..=0xCF if !matches!(marker, DHT | 0xC8 | 0xCC) => {
                let frame = Frame::parse(marker, segment.payload(self.jpeg))
                    .ok_or_else(|| PhotoError::broken("a frame header that makes no sense"))?;
                self.frames.push(frame);
            }
            SOS => self.scan(segment)?,
            _ => {}
        }
        Ok(())
    }

    fn scan(&mut self, header: Segment) -> Result<(), PhotoError> {
        let mut at = header.end;
        loop {
            let skip = self.jpeg[at..].iter().position(|byte| *byte == 0xFF).ok_or(PhotoError::Truncated)?;
            at += skip;
            match self.jpeg.get(at + 1) {
                // A stuffed FF of the data, or a restart mark.
                Some(0x00 | 0xD0..=0xD7) => at += 2,
                Some(0xFF) => at += 1,
                Some(_) => break,
                None => return Err(PhotoError::Truncated),
            }
        }
        if self.scans.is_empty() {
            self.first_scan_components = header.payload(self.jpeg).first().copied().unwrap_or(0).into();
        }
        self.scans.push(header.end..at);
        self.end = at;
        Ok(())
    }
}

impl Frame {
    fn parse(marker: u8, payload: &[u8]) -> Option<Self> {
        let [precision, h1, h0, w1, w0, count, rest @ ..] = payload else { return None };
        let components: Vec<Component> = rest
            .chunks_exact(3)
            .map(|c| Component { id: c[0], horizontal: u32::from(c[1] >> 4), vertical: u32::from(c[1] & 15) })
            .collect();
        let sampling_known =
            components.iter().all(|c| (1..=4).contains(&c.horizontal) && (1..=4).contains(&c.vertical));
        let frame = Self {
            marker,
            precision: *precision,
            width: u32::from(u16::from_be_bytes([*w1, *w0])),
            height: u32::from(u16::from_be_bytes([*h1, *h0])),
            components,
        };
        let complete = rest.len() == usize::from(*count) * 3 && (1..=4).contains(count);
        (complete && sampling_known && frame.width > 0 && frame.height > 0).then_some(frame)
    }

    fn coefficient_bytes(&self) -> u64 {
        let across = self.components.iter().map(|c| c.horizontal).max().unwrap_or(1);
        let down = self.components.iter().map(|c| c.vertical).max().unwrap_or(1);
        let units = u64::from(self.width.div_ceil(8 * across)) * u64::from(self.height.div_ceil(8 * down));
        let blocks_a_unit: u32 = self.components.iter().map(|c| c.horizontal * c.vertical).sum();
        units * u64::from(blocks_a_unit) * 64 * 2
    }
}

impl Segment {
    fn payload<'a>(&self, jpeg: &'a [u8]) -> &'a [u8] {
        jpeg.get(self.start + 4..self.end).unwrap_or_default()
    }

    fn metadata_kind(&self, jpeg: &[u8]) -> Option<MetadataKind> {
        let payload = self.payload(jpeg);
        Some(match self.marker {
            // Needed for decoding: tables, frame, scan, restart interval, number of lines, colour transform.
            SOF0..=0xCF | SOS | DQT | DRI | 0xDC => return None,
            APP0 if payload.starts_with(b"JFIF\0") && payload.len() == 14 => return None,
            APP14 if payload.starts_with(b"Adobe") && payload.len() == 12 => return None,
            APP0 => MetadataKind::Thumbnail,
            APP1 if payload.starts_with(b"Exif\0") => MetadataKind::Exif,
            APP1 if payload.starts_with(b"http://ns.adobe.com/") => MetadataKind::Xmp,
            APP2 if payload.starts_with(b"ICC_PROFILE\0") => MetadataKind::Icc,
            APP13 if payload.starts_with(b"Photoshop ") => MetadataKind::Iptc,
            APP1..=0xEF => MetadataKind::Application(self.marker - APP0),
            COM => MetadataKind::Comment,
            _ => MetadataKind::Unreadable,
        })
    }
}
