//! Reads a change body without the library.
//!
//! Foreign bytes are parsed here and nowhere else: what the library gets to see are the operations found
//! here, through its safe editing calls. A body it would not have written the same way gives another
//! hash and is refused, so this reader may be strict: it knows only what a field document uses (map
//! operations with plain scalars) and refuses the rest of the format, compressed columns included.

use super::code::GateCode;
use super::column::{Malformed, Reader, all_false, delta, rle};
use super::limits;
use crate::model::{ActorId, ChangeHash};

/// A change as its body states it; nothing of it is checked against a document yet.
#[derive(Debug)]
pub(super) struct Body<'a> {
    pub(super) deps: Vec<ChangeHash>,
    pub(super) actor: ActorId,
    pub(super) seq: u64,
    pub(super) start_op: u64,
    pub(super) ops: Vec<Op<'a>>,
}

/// One operation on a map.
#[derive(Debug)]
pub(super) struct Op<'a> {
    /// The map written to; `None` is the root.
    pub(super) object: Option<OpId>,
    pub(super) key: &'a str,
    pub(super) action: Action<'a>,
    /// The values this operation replaces.
    pub(super) replaces: Vec<OpId>,
}

/// What an operation does under its key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Action<'a> {
    Put(Scalar<'a>),
    MakeMap,
    Delete,
}

/// The scalars a field document knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Scalar<'a> {
    Text(&'a str),
    Int(i64),
    /// Any other type of the library: never valid.
    Foreign,
}

/// The name of an operation, and of the map it made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct OpId {
    pub(super) counter: u64,
    pub(super) actor: ActorId,
}

/// Column specifications of the change format: `id << 4 | type`; bit 3 would mean deflated.
mod column_spec {
    pub(super) const OBJECT_ACTOR: u64 = 0x01;
    pub(super) const OBJECT_COUNTER: u64 = 0x02;
    pub(super) const KEY: u64 = 0x15;
    pub(super) const INSERT: u64 = 0x34;
    pub(super) const ACTION: u64 = 0x42;
    pub(super) const VALUE_META: u64 = 0x56;
    pub(super) const VALUE: u64 = 0x57;
    pub(super) const PRED_COUNT: u64 = 0x70;
    pub(super) const PRED_ACTOR: u64 = 0x71;
    pub(super) const PRED_COUNTER: u64 = 0x73;

    pub(super) const ALL: [u64; 10] =
        [OBJECT_ACTOR, OBJECT_COUNTER, KEY, INSERT, ACTION, VALUE_META, VALUE, PRED_COUNT, PRED_ACTOR, PRED_COUNTER];
}

impl From<Malformed> for GateCode {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl<'a> Body<'a> {
    /// Parses `bytes`; refuses anything a field document's writer never produces.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, GateCode> {
        let mut reader = Reader(bytes);
        let deps = read_deps(&mut reader)?;
        let actor = read_actor(&mut reader)?;
        let seq = reader.unsigned()?;
        let start_op = reader.unsigned()?;
        let (time, message_length) = (reader.signed()?, reader.unsigned()?);
        if time != 0 || message_length != 0 {
            return Err(GateCode::Metadata);
        }
        if seq == 0 || start_op == 0 || start_op > limits::MAX_START_OP {
            return Err(GateCode::BadCounter);
        }
        let actors = read_actors(&mut reader, actor)?;
        let columns = Columns::read(&mut reader)?;
        if !reader.is_empty() {
            // Bytes after the columns are the author's place.
            return Err(GateCode::Metadata);
        }
        Ok(Self { deps, actor, seq, start_op, ops: columns.ops(&actors)? })
    }
}

fn read_deps(reader: &mut Reader<'_>) -> Result<Vec<ChangeHash>, Malformed> {
    let count = reader.length(limits::MAX_DEPS)?;
    let mut deps: Vec<ChangeHash> = Vec::with_capacity(count);
    for _ in 0..count {
        let dep = ChangeHash::from_bytes(reader.array()?);
        if deps.last().is_some_and(|last| *last >= dep) {
            return Err(Malformed);
        }
        deps.push(dep);
    }
    Ok(deps)
}

fn read_actor(reader: &mut Reader<'_>) -> Result<ActorId, Malformed> {
    match reader.length(ActorId::BYTES)? {
        ActorId::BYTES => Ok(ActorId::from_bytes(reader.array()?)),
        _ => Err(Malformed),
    }
}

/// Every actor the columns may name by index: the author of the change first.
fn read_actors(reader: &mut Reader<'_>, author: ActorId) -> Result<Vec<ActorId>, Malformed> {
    let count = reader.length(limits::MAX_OTHER_ACTORS)?;
    let mut actors = vec![author];
    for _ in 0..count {
        actors.push(read_actor(reader)?);
    }
    Ok(actors)
}

/// The raw column data, by position in [`column_spec::ALL`].
struct Columns<'a> {
    data: [&'a [u8]; column_spec::ALL.len()],
}

impl<'a> Columns<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let count = reader.length(column_spec::ALL.len())?;
        let mut lengths = [0; column_spec::ALL.len()];
        let mut next = 0;
        for _ in 0..count {
            let spec = reader.unsigned()?;
            // Searching only behind the last hit makes the order strictly ascending.
            let found = column_spec::ALL[next..].iter().position(|known| *known == spec).ok_or(Malformed)?;
            lengths[next + found] = reader.length(limits::MAX_BODY_BYTES)?;
            next += found + 1;
        }
        let mut data = [&[][..]; column_spec::ALL.len()];
        for (column, length) in data.iter_mut().zip(lengths) {
            *column = reader.take(length)?;
        }
        Ok(Self { data })
    }

    fn get(&self, spec: u64) -> &'a [u8] {
        let index = column_spec::ALL.iter().position(|known| *known == spec);
        index.map_or(&[], |index| self.data[index])
    }

    /// Turns columns into rows. The action column says how many there are.
    fn ops(&self, actors: &[ActorId]) -> Result<Vec<Op<'a>>, Malformed> {
        let actions = rle(self.get(column_spec::ACTION), limits::MAX_OPS, Reader::unsigned)?;
        let rows = actions.len();
        if rows == 0 {
            return Err(Malformed);
        }
        all_false(self.get(column_spec::INSERT), rows)?;
        let objects = self.objects(rows, actors)?;
        let keys = padded(rle(self.get(column_spec::KEY), rows, |r| r.text(limits::MAX_KEY_BYTES))?, rows)?;
        let metas = padded(rle(self.get(column_spec::VALUE_META), rows, Reader::unsigned)?, rows)?;
        let mut replaced = self.replaced(rows, actors)?.into_iter();
        let mut values = Reader(self.get(column_spec::VALUE));
        let mut ops = Vec::with_capacity(rows);
        for row in 0..rows {
            let scalar = read_scalar(&mut values, metas[row].ok_or(Malformed)?)?;
            let action = match (actions[row].ok_or(Malformed)?, scalar) {
                (action::MAKE_MAP, None) => Action::MakeMap,
                (action::SET, scalar) => Action::Put(scalar.unwrap_or(Scalar::Foreign)),
                (action::DELETE, None) => Action::Delete,
                _ => return Err(Malformed),
            };
            let replaces = replaced.next().ok_or(Malformed)?;
            ops.push(Op { object: objects[row], key: keys[row].ok_or(Malformed)?, action, replaces });
        }
        if values.is_empty() { Ok(ops) } else { Err(Malformed) }
    }

    fn objects(&self, rows: usize, actors: &[ActorId]) -> Result<Vec<Option<OpId>>, Malformed> {
        let counters = padded(rle(self.get(column_spec::OBJECT_COUNTER), rows, Reader::unsigned)?, rows)?;
        let indexes = padded(rle(self.get(column_spec::OBJECT_ACTOR), rows, Reader::unsigned)?, rows)?;
        let pairs = counters.into_iter().zip(indexes);
        pairs
            .map(|pair| match pair {
                (None, None) => Ok(None),
                (Some(counter), Some(index)) => Ok(Some(OpId { counter, actor: actor_at(actors, index)? })),
                _ => Err(Malformed),
            })
            .collect()
    }

    fn replaced(&self, rows: usize, actors: &[ActorId]) -> Result<Vec<Vec<OpId>>, Malformed> {
        let counts = rle(self.get(column_spec::PRED_COUNT), rows, Reader::unsigned)?;
        let indexes = rle(self.get(column_spec::PRED_ACTOR), limits::MAX_PREDS, Reader::unsigned)?;
        let counters = delta(self.get(column_spec::PRED_COUNTER), limits::MAX_PREDS)?;
        if counts.len() != rows || indexes.len() != counters.len() {
            return Err(Malformed);
        }
        let mut ids = indexes.into_iter().zip(counters);
        let mut groups = Vec::with_capacity(rows);
        for count in counts {
            let count = usize::try_from(count.ok_or(Malformed)?).map_err(|_| Malformed)?;
            if count > ids.len() {
                return Err(Malformed);
            }
            let group = ids.by_ref().take(count).map(|(index, counter)| {
                let actor = actor_at(actors, index.ok_or(Malformed)?)?;
                Ok(OpId { counter, actor })
            });
            groups.push(group.collect::<Result<_, _>>()?);
        }
        if ids.len() == 0 { Ok(groups) } else { Err(Malformed) }
    }
}

/// Numbers of the action column.
mod action {
    pub(super) const MAKE_MAP: u64 = 0;
    pub(super) const SET: u64 = 1;
    pub(super) const DELETE: u64 = 3;
}

/// Low four bits of a value's meta number; the rest is its length in bytes.
mod value_type {
    pub(super) const NULL: u64 = 0;
    pub(super) const FALSE: u64 = 1;
    pub(super) const TRUE: u64 = 2;
    pub(super) const UNSIGNED: u64 = 3;
    pub(super) const SIGNED: u64 = 4;
    pub(super) const FLOAT: u64 = 5;
    pub(super) const TEXT: u64 = 6;
    pub(super) const COUNTER: u64 = 8;
    pub(super) const TIME: u64 = 9;
}

/// Reads the value that `meta` describes; `None` is a null.
fn read_scalar<'a>(values: &mut Reader<'a>, meta: u64) -> Result<Option<Scalar<'a>>, Malformed> {
    let length = usize::try_from(meta >> 4).map_err(|_| Malformed)?;
    let mut raw = Reader(values.take(length)?);
    match meta & 0x0f {
        // The library passes over these without their bytes, and would read every value after them from elsewhere.
        value_type::NULL | value_type::FALSE | value_type::TRUE if length != 0 => Err(Malformed),
        value_type::NULL => Ok(None),
        value_type::TEXT => std::str::from_utf8(raw.0).map(|text| Some(Scalar::Text(text))).map_err(|_| Malformed),
        value_type::SIGNED => {
            let number = raw.signed()?;
            if raw.is_empty() { Ok(Some(Scalar::Int(number))) } else { Err(Malformed) }
        }
        // Never allowed in a register, but what the library can not read is malformed rather than a bad value.
        value_type::UNSIGNED => raw.unsigned().and_then(|_| nothing_left(&raw)),
        value_type::COUNTER | value_type::TIME => raw.signed().and_then(|_| nothing_left(&raw)),
        value_type::FLOAT if length != 8 => Err(Malformed),
        _ => Ok(Some(Scalar::Foreign)),
    }
}

fn nothing_left<'a>(raw: &Reader<'_>) -> Result<Option<Scalar<'a>>, Malformed> {
    if raw.is_empty() { Ok(Some(Scalar::Foreign)) } else { Err(Malformed) }
}

/// A column that is all null is left out of the chunk: it reads as that many nulls.
fn padded<T: Copy>(mut column: Vec<Option<T>>, rows: usize) -> Result<Vec<Option<T>>, Malformed> {
    if column.is_empty() {
        column.resize(rows, None);
    }
    if column.len() == rows { Ok(column) } else { Err(Malformed) }
}

fn actor_at(actors: &[ActorId], index: u64) -> Result<ActorId, Malformed> {
    let index = usize::try_from(index).map_err(|_| Malformed)?;
    actors.get(index).copied().ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The low four bits of a meta number name the type, the rest is the length in bytes.
    fn read(kind: u64, bytes: &[u8]) -> Result<Option<Scalar<'_>>, Malformed> {
        read_scalar(&mut Reader(bytes), (bytes.len() as u64) << 4 | kind)
    }

    #[test]
    fn a_value_that_has_no_bytes_may_not_bring_some() {
        assert!(matches!(read(value_type::NULL, &[]), Ok(None)));
        for kind in [value_type::FALSE, value_type::TRUE] {
            assert!(matches!(read(kind, &[]), Ok(Some(Scalar::Foreign))), "{kind}");
        }
        for kind in [value_type::NULL, value_type::FALSE, value_type::TRUE] {
            assert!(read(kind, &[7]).is_err(), "{kind}");
        }
    }

    #[test]
    fn a_number_that_the_library_can_not_read_is_malformed_and_not_merely_a_bad_value() {
        assert!(matches!(read(value_type::FLOAT, &[0; 8]), Ok(Some(Scalar::Foreign))));
        for length in [0, 1, 6, 7, 9, 12] {
            assert!(read(value_type::FLOAT, &vec![0; length]).is_err(), "a float of {length} bytes");
        }
        for kind in [value_type::UNSIGNED, value_type::SIGNED, value_type::COUNTER, value_type::TIME] {
            assert!(read(kind, &[5]).is_ok(), "{kind}");
            assert!(read(kind, &[]).is_err() && read(kind, &[5, 5]).is_err() && read(kind, &[0x80]).is_err(), "{kind}");
        }
    }
}
