//! Bytes to bodies and back, with every limit checked before anything is believed.

use std::io::{BufRead, Read};

use minicbor::data::Type;
use thiserror::Error;

use super::limits;

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
    let level = if body.len() < limits::BEST_COMPRESSION_BELOW { 19 } else { 9 };
    // Above this log a receiver refuses; only bodies over 1 MiB could ask for more.
    zstd::bulk::compress(body, level).expect("compressing memory into memory can not fail")
}

/// A compressor that keeps its tables from one frame to the next, for whoever packs many.
///
/// A fresh one allocates and clears up to some megabytes for each frame, whatever its size.
pub struct Packer(zstd::bulk::Compressor<'static>);

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packer").finish_non_exhaustive()
    }
}

impl Packer {
    /// A packer of this zstd level.
    pub fn new(level: i32) -> Self {
        Self(zstd::bulk::Compressor::new(level).expect("memory for the tables is there"))
    }

    /// One zstd frame, as [`compress`] makes it but for the level.
    pub fn compress(&mut self, body: &[u8]) -> Vec<u8> {
        self.0.compress(body).expect("compressing memory into memory can not fail")
    }
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
    let broken = |error: std::io::Error| WireError::Frame(error.to_string());
    let mut decoder = zstd::stream::read::Decoder::with_buffer(frame).map_err(broken)?.single_frame();
    decoder.window_log_max(limits::WINDOW_LOG).map_err(broken)?;
    let mut body = Vec::with_capacity((frame.len() * 4).min(allowed));
    decoder.by_ref().take(allowed as u64 + 1).read_to_end(&mut body).map_err(broken)?;
    if body.len() > allowed {
        return Err(WireError::TooLarge { what: "the decompressed body", allowed, found: body.len() });
    }
    let mut rest = decoder.finish();
    match rest.fill_buf() {
        Ok([]) => Ok(body),
        _ => Err(WireError::Frame("something follows the frame".to_owned())),
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
    fn a_packer_forgets_the_frame_before() {
        let bodies: [Vec<u32>; 3] = [(0..20_000).collect(), vec![], (5..900).collect()];
        let mut packer = Packer::new(6);
        for body in bodies.iter().chain(&bodies) {
            let frame = packer.compress(&encode(body));
            assert_eq!(frame, Packer::new(6).compress(&encode(body)));
            assert_eq!(unpack::<Vec<u32>>(&frame).as_ref(), Ok(body));
        }
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
