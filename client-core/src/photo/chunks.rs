//! The chunks of PNG and WebP files, walked without trusting their lengths.

/// The chunks of a PNG as far as they are whole: kind and data.
pub(super) fn png(file: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = file.get(8..).unwrap_or_default();
    std::iter::from_fn(move || {
        let ([l3, l2, l1, l0, kind @ ..], body) = rest.split_first_chunk::<8>()?;
        let length = u32::from_be_bytes([*l3, *l2, *l1, *l0]) as usize;
        let data = body.get(..length)?;
        // The check sum follows the data.
        rest = body.get(length + 4..).unwrap_or_default();
        Some((*kind, data))
    })
}

/// The chunks of a WebP as far as they are whole: kind and data.
pub(super) fn webp(file: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = file.get(12..).unwrap_or_default();
    std::iter::from_fn(move || {
        let ([k0, k1, k2, k3, length @ ..], body) = rest.split_first_chunk::<8>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let data = body.get(..length)?;
        // Chunks are padded to even lengths.
        rest = body.get(length + length % 2..).unwrap_or_default();
        Some(([*k0, *k1, *k2, *k3], data))
    })
}

/// What a WebP says about its size; each of its parts may say something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WebpPart {
    /// Width and height of the canvas or of a picture on it, pixels.
    Size(u32, u32),
    /// It moves.
    Animation,
}

/// Reads the size of every picture in a WebP, as the decoder would allocate it.
pub(super) fn webp_parts(file: &[u8]) -> impl Iterator<Item = WebpPart> {
    webp(file).filter_map(|(kind, data)| match (&kind, data) {
        (b"VP8X", [_, _, _, _, w0, w1, w2, h0, h1, h2, ..]) => {
            let side = |low: &u8, middle: &u8, high: &u8| u32::from_le_bytes([*low, *middle, *high, 0]) + 1;
            Some(WebpPart::Size(side(w0, w1, w2), side(h0, h1, h2)))
        }
        // Three bytes of frame tag, three of start code.
        (b"VP8 ", [_, _, _, _, _, _, w0, w1, h0, h1, ..]) => {
            let side = |low: &u8, high: &u8| u32::from(u16::from_le_bytes([*low, *high]) & 0x3FFF);
            Some(WebpPart::Size(side(w0, w1), side(h0, h1)))
        }
        (b"VP8L", [0x2F, bits @ ..]) => {
            let bits = u32::from_le_bytes(*bits.first_chunk()?);
            Some(WebpPart::Size((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
        }
        (b"ANIM" | b"ANMF", _) => Some(WebpPart::Animation),
        _ => None,
    })
}
