//! Damage to bytes and numbers.

use super::dice::Dice;

/// Numbers at the borders where parsers and counters break.
const BORDERS: [u64; 12] = [0, 1, 2, 127, 128, 512, 513, 1 << 16, 1 << 30, u32::MAX as u64 - 1, 1 << 32, u64::MAX];
/// Bytes at such borders.
const BYTES: [u8; 5] = [0x00, 0x01, 0x7f, 0x80, 0xff];

/// Changes, inserts or removes one byte; something empty gets one.
pub fn one_byte(bytes: &mut Vec<u8>, dice: &mut Dice) {
    if bytes.is_empty() {
        bytes.push(dice.bits() as u8);
    }
    let at = dice.below(bytes.len());
    match dice.below(6) {
        0 => bytes[at] = dice.bits() as u8,
        1 => bytes[at] ^= 1 << dice.below(8),
        2 => bytes.insert(at, dice.bits() as u8),
        3 => drop(bytes.remove(at)),
        4 => bytes[at] = *dice.pick(&BYTES),
        _ => bytes[at] = bytes[at].wrapping_add(if dice.one_in(2) { 1 } else { 0xff }),
    }
}

/// Overwrites a stretch with a stretch of something else.
pub fn splice(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    if bytes.is_empty() || other.is_empty() {
        return;
    }
    let from = dice.below(other.len());
    let until = (from + 1 + dice.below(24)).min(other.len());
    let at = dice.below(bytes.len());
    let end = (at + until - from).min(bytes.len());
    bytes.splice(at..end, other[from..until].iter().copied());
}

/// One to four damages of any kind; `other` is something of the same family to take pieces from.
pub fn damage(bytes: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    for _ in 0..*dice.pick(&[1, 1, 1, 2, 2, 3, 4]) {
        let stretch = |dice: &mut Dice, length: usize| {
            let from = dice.below(length + 1);
            from..(from + dice.below(32)).min(length)
        };
        match dice.below(12) {
            0 => splice(bytes, other, dice),
            1 => bytes.truncate(dice.below(bytes.len() + 1)),
            2 => {
                let range = stretch(dice, bytes.len());
                let piece = bytes[range.clone()].to_vec();
                bytes.splice(range.start..range.start, piece);
            }
            3 => drop(bytes.drain(stretch(dice, bytes.len()))),
            4 => bytes.extend((0..dice.below(8)).map(|_| dice.bits() as u8)),
            _ => one_byte(bytes, dice),
        }
    }
}

/// A number near `value`, or one of those that break things.
pub fn interesting(value: u64, dice: &mut Dice) -> u64 {
    match dice.below(4) {
        0 => value.wrapping_add(1),
        1 => value.wrapping_sub(1),
        2 => *dice.pick(&BORDERS),
        _ => dice.bits() >> dice.below(64),
    }
}
