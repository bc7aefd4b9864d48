//! Bytes to bodies and back, with every limit checked before anything is believed.

use minicbor::data::Type;
use thiserror::Error;

pub use super::packer::Packer;
use super::{limits, packer};

/// Why bytes are not a body of this protocol.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WireError {
    /// More bytes than allowed.
    #[error("{what} has {found} bytes or more, {allowed} are allowed")]
    TooLarge {
        /// Which part.
        what: &'static str,
        /// Bytes allowed.
        allowed: usize,
        /// Bytes found so far.
        found: usize,
    },
    /// The compressed frame is broken, has a forbidden window, or something follows it.
    #[error("the compressed frame is broken: {0}")]
    Frame(String),
    /// The CBOR breaks a rule of the protocol.
    #[error("the body is malformed at byte {at}: {why}")]
    Malformed {
        /// Position in the body.
        at: usize,
        /// Which rule.
        why: String,
    },
    /// A list has more entries than allowed.
    #[error("{what} has {found} entries, {allowed} are allowed")]
    TooMany {
        /// Which list.
        what: &'static str,
        /// Entries allowed.
        allowed: usize,
        /// Entries found.
        found: usize,
    },
}

/// Encodes and compresses a body.
pub fn pack<T: minicbor::Encode<()>>(body: &T) -> Vec<u8> {
    compress(&encode(body))
}

/// Encodes a body without compressing it.
pub fn encode<T: minicbor::Encode<()>>(body: &T) -> Vec<u8> {
    minicbor::to_vec(body).expect("writing into a vector can not fail")
}

/// One zstd frame; the level pays for the link, not for the CPU.
pub fn compress(body: &[u8]) -> Vec<u8> {
    compress_at(body, level(body.len()))
}

/// One zstd frame of a level.
pub fn compress_at(body: &[u8], level: i32) -> Vec<u8> {
    // Above the log of [`limits`] a receiver refuses; only bodies over 1 MiB could ask for more.
    packer::compress(body, level)
}

/// The zstd level worth its time for a body of so many bytes over a weak link.
pub fn level(bytes: usize) -> i32 {
    if bytes < limits::BEST_COMPRESSION_BELOW { 19 } else { 9 }
}

/// Decompresses and decodes a body, refusing whatever [`limits`] does not allow.
pub fn unpack<T: for<'b> minicbor::Decode<'b, ()>>(frame: &[u8]) -> Result<T, WireError> {
    decode(&decompress(frame, limits::DECOMPRESSED)?)
}

/// Decodes a body that is not compressed.
pub fn decode<T: for<'b> minicbor::Decode<'b, ()>>(body: &[u8]) -> Result<T, WireError> {
    check_shape(body)?;
    minicbor::decode(body)
        .map_err(|error| WireError::Malformed { at: error.position().unwrap_or(0), why: error.to_string() })
}

/// Decompresses exactly one zstd frame with nothing behind it, at most `allowed` bytes.
pub fn decompress(frame: &[u8], allowed: usize) -> Result<Vec<u8>, WireError> {
    let found = packer::decompress(frame, limits::WINDOW_LOG, allowed + 1);
    let (body, followed) = found.map_err(|error| WireError::Frame(error.to_string()))?;
    match body.len() {
        found if found > allowed => Err(WireError::TooLarge { what: "the decompressed body", allowed, found }),
        _ if followed => Err(WireError::Frame("something follows the frame".to_owned())),
        _ => Ok(body),
    }
}

/// Refuses CBOR the protocol does not use: indefinite lengths, tags, floats, duplicate or unordered keys, deep nesting,
/// trailing bytes. What passes has exactly one reading.
pub fn check_shape(body: &[u8]) -> Result<(), WireError> {
    let mut decoder = minicbor::Decoder::new(body);
    check_value(&mut decoder, 0)?;
    match decoder.position() {
        end if end == body.len() => Ok(()),
        at => Err(malformed(at, "bytes follow the body")),
    }
}

fn malformed(at: usize, why: impl Into<String>) -> WireError {
    WireError::Malformed { at, why: why.into() }
}

fn check_value(decoder: &mut minicbor::Decoder<'_>, depth: usize) -> Result<(), WireError> {
    let at = decoder.position();
    let broken = |error: minicbor::decode::Error| malformed(at, error.to_string());
    if depth > limits::DEPTH {
        return Err(malformed(at, format!("nested deeper than {}", limits::DEPTH)));
    }
    match decoder.datatype().map_err(broken)? {
        Type::Array => {
            let length = decoder.array().map_err(broken)?.ok_or_else(|| malformed(at, "indefinite length"))?;
            (0..length).try_for_each(|_| check_value(decoder, depth + 1))
        }
        Type::Map => {
            let length = decoder.map().map_err(broken)?.ok_or_else(|| malformed(at, "indefinite length"))?;
            let mut last = None;
            (0..length).try_for_each(|_| {
                let at = decoder.position();
                let key = decoder.u32().map_err(|_| malformed(at, "a key that is no small integer"))?;
                if last.is_some_and(|last| key <= last) {
                    return Err(malformed(at, format!("key {key} repeated or out of order")));
                }
                last = Some(key);
                check_value(decoder, depth + 1)
            })
        }
        Type::Bool
        | Type::Null
        | Type::U8
        | Type::U16
        | Type::U32
        | Type::U64
        | Type::I8
        | Type::I16
        | Type::I32
        | Type::I64
        | Type::Bytes
        | Type::String => decoder.skip().map_err(broken),
        other => Err(malformed(at, format!("a {other}, which this protocol does not use"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_survives_packing() {
        let body: Vec<u32> = (0..1_000).collect();
        assert_eq!(unpack::<Vec<u32>>(&pack(&body)), Ok(body));
    }

    #[test]
    fn a_bomb_is_stopped_at_the_limit() {
        let frame = zstd::bulk::compress(&vec![0; 200 << 20], 19).unwrap();
        assert!(frame.len() < limits::COMPRESSED);
        // Its window is larger than 1 MiB, so nothing is reserved at all.
        assert!(matches!(unpack::<Vec<u32>>(&frame), Err(WireError::Frame(_))));
        let mut small_window = zstd::bulk::Compressor::new(3).unwrap();
        small_window.set_parameter(zstd::zstd_safe::CParameter::WindowLog(20)).unwrap();
        let frame = small_window.compress(&vec![0; 8 << 20]).unwrap();
        assert!(matches!(unpack::<Vec<u32>>(&frame), Err(WireError::TooLarge { .. })));
    }

    #[test]
    fn a_second_frame_or_a_stray_byte_is_refused() {
        let mut frame = pack(&vec![1u32]);
        frame.push(0);
        assert!(matches!(unpack::<Vec<u32>>(&frame), Err(WireError::Frame(_))));
        let twice = [pack(&vec![1u32]), pack(&vec![2u32])].concat();
        assert!(matches!(unpack::<Vec<u32>>(&twice), Err(WireError::Frame(_))));
    }

    #[test]
    fn every_cut_of_a_frame_is_refused() {
        let frame = pack(&(0..300).collect::<Vec<u32>>());
        for end in 0..frame.len() {
            assert!(unpack::<Vec<u32>>(&frame[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn shapes_the_protocol_does_not_use_are_refused() {
        for (name, body) in [
            ("indefinite array", vec![0x9f, 0x01, 0xff]),
            ("indefinite map", vec![0xbf, 0x00, 0x01, 0xff]),
            ("duplicate key", vec![0xa2, 0x00, 0x01, 0x00, 0x02]),
            ("text key", vec![0xa1, 0x61, 0x61, 0x01]),
            ("float", vec![0xfb, 0, 0, 0, 0, 0, 0, 0, 0]),
            ("tag", vec![0xc1, 0x01]),
            ("trailing", vec![0x01, 0x01]),
            ("deep", [vec![0x81; 10], vec![0x01]].concat()),
            ("a list that claims 2^60 entries", vec![0x9b, 0x10, 0, 0, 0, 0, 0, 0, 0]),
        ] {
            assert!(matches!(check_shape(&body), Err(WireError::Malformed { .. })), "{name}");
        }
    }
}
