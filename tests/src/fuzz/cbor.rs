//! CBOR as a tree, to damage it where raw damage would only break a length.

use xunge_client_core::doc::testing::{Dice, mutate};

/// Deepest nesting followed; what lies deeper stays as it is.
const DEPTH: usize = 16;

/// A value; nothing of it is checked.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// A number: major type 0 or 1 and its argument.
    Number(u8, u64),
    /// Bytes (2) or text (3).
    Bytes(u8, Vec<u8>),
    /// An array.
    Array(Vec<Item>),
    /// A map.
    Map(Vec<(Item, Item)>),
    /// Anything else, as it is written.
    Raw(Vec<u8>),
}

impl Item {
    /// Reads one value; `None` if it is cut short.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        read(&mut rest, 0)
    }

    /// Writes it, with lengths that fit.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Number(major, value) => head(out, *major, *value),
            Self::Bytes(major, bytes) => {
                head(out, *major, bytes.len() as u64);
                out.extend(bytes);
            }
            Self::Array(items) => {
                head(out, 4, items.len() as u64);
                items.iter().for_each(|item| item.write(out));
            }
            Self::Map(entries) => {
                head(out, 5, entries.len() as u64);
                for (key, value) in entries {
                    key.write(out);
                    value.write(out);
                }
            }
            Self::Raw(bytes) => out.extend(bytes),
        }
    }

    /// Damages one value somewhere in the tree.
    pub fn damage(&mut self, dice: &mut Dice) {
        let into = !dice.one_in(4);
        match self {
            Self::Array(items) if into && !items.is_empty() => {
                let at = dice.below(items.len());
                items[at].damage(dice);
            }
            Self::Map(entries) if into && !entries.is_empty() => {
                let at = dice.below(entries.len());
                entries[at].1.damage(dice);
            }
            _ => self.damage_here(dice),
        }
    }

    fn damage_here(&mut self, dice: &mut Dice) {
        if dice.one_in(12) {
            *self = strange(self, dice);
            return;
        }
        match self {
            Self::Number(major, value) => {
                *value = mutate::interesting(*value, dice);
                *major ^= u8::from(dice.one_in(6));
            }
            Self::Bytes(major, bytes) => {
                mutate::damage(bytes, &[], dice);
                *major ^= u8::from(dice.one_in(12));
            }
            Self::Array(items) => shuffle(items, dice),
            Self::Map(entries) => match dice.below(3) {
                0 if !entries.is_empty() => {
                    let at = dice.below(entries.len());
                    entries[at].0.damage_here(dice);
                }
                _ => shuffle(entries, dice),
            },
            Self::Raw(bytes) => mutate::one_byte(bytes, dice),
        }
    }
}

/// Repeats, removes or swaps entries.
fn shuffle<T: Clone>(entries: &mut Vec<T>, dice: &mut Dice) {
    if entries.is_empty() {
        return;
    }
    let (at, other) = (dice.below(entries.len()), dice.below(entries.len()));
    match dice.below(4) {
        0 => drop(entries.remove(at)),
        1 => entries.swap(at, other),
        2 => entries.insert(other, entries[at].clone()),
        _ => {
            let many = vec![entries[at].clone(); *dice.pick(&[3, 65, 513, 2_000])];
            entries.splice(at..at, many);
        }
    }
}

/// Something the protocol does not use, or a length that lies.
fn strange(item: &Item, dice: &mut Dice) -> Item {
    let mut bytes = item.to_bytes();
    match dice.below(8) {
        0 => bytes.insert(0, 0xc0),
        1 => bytes = vec![0xfb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0],
        2 => bytes = vec![0xf6],
        3 => bytes = [vec![0x81; *dice.pick(&[7, 8, 9, 60_000])], bytes].concat(),
        4 => bytes = [vec![0x9f], bytes, vec![0xff]].concat(),
        // A list, a map, bytes, of which only the length is there.
        5 => bytes = [vec![0x9b, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], bytes].concat(),
        6 => bytes = [vec![0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], bytes].concat(),
        _ => bytes = [vec![0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], bytes].concat(),
    }
    Item::Raw(bytes)
}

fn head(out: &mut Vec<u8>, major: u8, value: u64) {
    let major = major << 5;
    match value {
        0..24 => out.push(major | value as u8),
        24..0x100 => out.extend([major | 24, value as u8]),
        0x100..0x1_0000 => {
            out.push(major | 25);
            out.extend((value as u16).to_be_bytes());
        }
        0x1_0000..0x1_0000_0000 => {
            out.push(major | 26);
            out.extend((value as u32).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend(value.to_be_bytes());
        }
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn read(rest: &mut &[u8], depth: usize) -> Option<Item> {
    let whole = *rest;
    let first = take(rest, 1)?[0];
    let (major, short) = (first >> 5, first & 0x1f);
    let value = match short {
        0..24 => u64::from(short),
        24..28 => take(rest, 1 << (short - 24))?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)),
        _ => return None,
    };
    let length = usize::try_from(value).ok()?;
    let fits = |rest: &[u8]| length <= rest.len() && depth < DEPTH;
    Some(match major {
        0 | 1 => Item::Number(major, value),
        2 | 3 => Item::Bytes(major, take(rest, length)?.to_vec()),
        4 if fits(rest) => Item::Array((0..length).map(|_| read(rest, depth + 1)).collect::<Option<_>>()?),
        5 if fits(rest) => {
            let entry = |_| Some((read(rest, depth + 1)?, read(rest, depth + 1)?));
            Item::Map((0..length).map(entry).collect::<Option<_>>()?)
        }
        7 => Item::Raw(whole[..whole.len() - rest.len()].to_vec()),
        _ => return None,
    })
}

/// Damages the CBOR value in `bytes`, or, if it is none, the bytes.
pub fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    match Item::read(bytes) {
        Some(mut item) => {
            for _ in 0..*dice.pick(&[1, 1, 1, 2, 3]) {
                item.damage(dice);
            }
            *bytes = item.to_bytes();
        }
        None => mutate::damage(bytes, &[], dice),
    }
}
