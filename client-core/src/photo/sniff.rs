//! What a file is by its first bytes; names and announced types are not evidence.

use super::PhotoError;

/// The formats a photo may come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Jpeg,
    Png,
    WebP,
}

/// Names the format of a photo, or tells what the file is instead.
pub(super) fn sniff(bytes: &[u8]) -> Result<Format, PhotoError> {
    if bytes.is_empty() {
        return Err(PhotoError::Empty);
    }
    if bytes.starts_with(b"\xFF\xD8\xFF") {
        return Ok(Format::Jpeg);
    }
    if bytes.starts_with(b"\x89PNG\r\n\x1A\n") {
        return Ok(Format::Png);
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(Format::WebP);
    }
    Err(other_picture(bytes)
        .map(|found| PhotoError::OtherFormat { found })
        .or_else(|| other_file(bytes).map(|found| PhotoError::NotAPhoto { found }))
        .unwrap_or(PhotoError::Unrecognised))
}

fn other_picture(bytes: &[u8]) -> Option<&'static str> {
    if bytes.get(4..8) == Some(b"ftyp") {
        return match bytes.get(8..12)? {
            b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => Some("HEIC"),
            b"avif" | b"avis" => Some("AVIF"),
            _ => None,
        };
    }
    let starts: [(&[u8], &str); 7] = [
        (b"GIF8", "GIF"),
        (b"BM", "BMP"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"\xFF\x0A", "JPEG XL"),
        (b"\0\0\0\x0CJXL ", "JPEG XL"),
        (b"\0\0\0\x0CjP  ", "JPEG 2000"),
    ];
    starts.iter().find(|(magic, _)| bytes.starts_with(magic)).map(|(_, name)| *name)
}

fn other_file(bytes: &[u8]) -> Option<&'static str> {
    let starts: [(&[u8], &str); 7] = [
        (b"PK\x03\x04", "ZIP"),
        (b"%PDF", "PDF"),
        (b"\x7FELF", "ELF"),
        (b"MZ", "EXE"),
        (b"\x1F\x8B", "GZIP"),
        (b"7z\xBC\xAF", "7Z"),
        (b"Rar!", "RAR"),
    ];
    if let Some((_, name)) = starts.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Some(name);
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        return Some("MP4");
    }
    markup(bytes)
}

/// Recognises markup, which browsers would run if it were served as a picture.
fn markup(bytes: &[u8]) -> Option<&'static str> {
    let head = bytes.get(..512).unwrap_or(bytes);
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start().to_ascii_lowercase();
    let contains = |word: &[u8]| head.windows(word.len()).any(|window| window == word);
    match () {
        () if !head.starts_with(b"<") => None,
        () if contains(b"<svg") => Some("SVG"),
        () if contains(b"<html") || contains(b"<!doctype html") || contains(b"<script") => Some("HTML"),
        () => Some("XML"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lying_file_is_named_for_what_it_is() {
        let cases: [(&[u8], &str); 8] = [
            (b"GIF89a\x01\0", "GIF"),
            (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIC"),
            (b"\xEF\xBB\xBF <?xml version=\"1.0\"?><svg xmlns=\"x\">", "SVG"),
            (b"<!DOCTYPE html><html>", "HTML"),
            (b"PK\x03\x04\x14\0", "ZIP"),
            (b"%PDF-1.7", "PDF"),
            (b"\0\0\0\x18ftypmp42", "MP4"),
            (b"MZ\x90\0", "EXE"),
        ];
        for (bytes, name) in cases {
            match sniff(bytes) {
                Err(PhotoError::OtherFormat { found } | PhotoError::NotAPhoto { found }) => assert_eq!(found, name),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn nothing_and_noise_are_told_apart() {
        assert_eq!(sniff(b""), Err(PhotoError::Empty));
        assert_eq!(sniff(b"\0\0\0\0\0\0\0\0"), Err(PhotoError::Unrecognised));
        assert_eq!(sniff(b"\xFF"), Err(PhotoError::Unrecognised));
    }
}
