//! Takes a change body apart and puts it together again, right or wrong.
//!
//! The gate's own reader refuses what is wrong; this one is for making it.

/// The parts of a change body. Nothing here is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgery {
    /// Hashes the change builds on.
    pub deps: Vec<[u8; 32]>,
    /// The writing actor, of any length.
    pub actor: Vec<u8>,
    /// Sequence number.
    pub seq: u64,
    /// Number of the first operation.
    pub start_op: u64,
    /// Commit time.
    pub time: i64,
    /// Commit message.
    pub message: Vec<u8>,
    /// Other actors the columns refer to.
    pub others: Vec<Vec<u8>>,
    /// Columns by specification.
    pub columns: Vec<(u64, Vec<u8>)>,
    /// Bytes behind the columns, where an author stands.
    pub trailer: Vec<u8>,
}

impl Forgery {
    /// Takes a body apart; `None` if it is cut short. Lengths that lie are not followed.
    pub fn of(body: &[u8]) -> Option<Self> {
        let mut rest = body;
        let deps = (0..count(&mut rest)?).map(|_| take(&mut rest, 32)?.try_into().ok()).collect::<Option<_>>()?;
        let actor = prefixed(&mut rest)?;
        let (seq, start_op) = (unsigned(&mut rest)?, unsigned(&mut rest)?);
        let time = signed(&mut rest)?;
        let message = prefixed(&mut rest)?;
        let others = (0..count(&mut rest)?).map(|_| prefixed(&mut rest)).collect::<Option<_>>()?;
        let layout: Vec<(u64, usize)> =
            (0..count(&mut rest)?).map(|_| Some((unsigned(&mut rest)?, count(&mut rest)?))).collect::<Option<_>>()?;
        let columns = layout.into_iter().map(|(spec, length)| Some((spec, take(&mut rest, length)?.to_vec())));
        let columns = columns.collect::<Option<_>>()?;
        Some(Self { deps, actor, seq, start_op, time, message, others, columns, trailer: rest.to_vec() })
    }

    /// Puts the body together, with lengths that fit.
    pub fn to_body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        write_unsigned(&mut body, self.deps.len() as u64);
        body.extend(self.deps.iter().flatten());
        write_prefixed(&mut body, &self.actor);
        write_unsigned(&mut body, self.seq);
        write_unsigned(&mut body, self.start_op);
        write_signed(&mut body, self.time);
        write_prefixed(&mut body, &self.message);
        write_unsigned(&mut body, self.others.len() as u64);
        self.others.iter().for_each(|other| write_prefixed(&mut body, other));
        write_unsigned(&mut body, self.columns.len() as u64);
        for (spec, data) in &self.columns {
            write_unsigned(&mut body, *spec);
            write_unsigned(&mut body, data.len() as u64);
        }
        self.columns.iter().for_each(|(_, data)| body.extend(data));
        body.extend(&self.trailer);
        body
    }

    /// The data of the column with this specification; an empty one is added if there is none.
    pub fn column(&mut self, spec: u64) -> &mut Vec<u8> {
        let index = self.columns.iter().position(|(known, _)| *known >= spec).unwrap_or(self.columns.len());
        if self.columns.get(index).is_none_or(|(known, _)| *known != spec) {
            self.columns.insert(index, (spec, Vec::new()));
        }
        &mut self.columns[index].1
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

fn unsigned(rest: &mut &[u8]) -> Option<u64> {
    let length = rest.iter().position(|byte| byte & 0x80 == 0)? + 1;
    let bytes = take(rest, length)?;
    bytes.iter().take(10).enumerate().map(|(i, byte)| u64::from(byte & 0x7f).checked_shl(7 * i as u32)).sum()
}

fn signed(rest: &mut &[u8]) -> Option<i64> {
    let before = rest.len();
    let raw = unsigned(rest)?;
    let bits = 7 * (before - rest.len()) as u32;
    let unused = 64_u32.saturating_sub(bits);
    Some((raw << unused) as i64 >> unused)
}

fn count(rest: &mut &[u8]) -> Option<usize> {
    let count = usize::try_from(unsigned(rest)?).ok()?;
    (count <= rest.len()).then_some(count)
}

fn prefixed(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = count(rest)?;
    Some(take(rest, length)?.to_vec())
}

/// Appends an unsigned LEB128 number.
pub fn write_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a signed LEB128 number.
pub fn write_signed(out: &mut Vec<u8>, mut value: i64) {
    while !(-0x40..0x40).contains(&value) {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8 & 0x7f);
}

fn write_prefixed(out: &mut Vec<u8>, bytes: &[u8]) {
    write_unsigned(out, bytes.len() as u64);
    out.extend(bytes);
}
