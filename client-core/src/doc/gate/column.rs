//! Numbers and columns of the change format, read under limits.
//!
//! Every reader here is total: any bytes give a value or [`Malformed`], in time and memory bounded by
//! the limit passed in. A run of a billion rows costs two bytes to write, so limits are checked before
//! anything is allocated.

/// The bytes do not follow the format, or exceed a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed;

/// What is left to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        let (first, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*first)
    }

    /// The next `length` bytes.
    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*taken)
    }

    /// An unsigned LEB128 number in its shortest form (a padded one is a second spelling of the same change).
    pub(super) fn unsigned(&mut self) -> Result<u64, Malformed> {
        let mut value = 0;
        for shift in (0..).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift > 63 || bits << shift >> shift != bits {
                return Err(Malformed);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return if byte == 0 && shift > 0 { Err(Malformed) } else { Ok(value) };
            }
        }
        Err(Malformed)
    }

    /// A signed LEB128 number in its shortest form.
    pub(super) fn signed(&mut self) -> Result<i64, Malformed> {
        let mut value: i64 = 0;
        let mut previous = 0;
        for shift in (0..=63).step_by(7) {
            let byte = self.byte()?;
            let bits = i64::from(byte & 0x7f);
            value |= bits << shift;
            if byte & 0x80 == 0 {
                let negative = byte & 0x40 != 0;
                let adds_nothing = (byte == 0 && previous & 0x40 == 0) || (byte == 0x7f && previous & 0x40 != 0);
                let past_the_end = shift == 63 && !matches!(byte, 0 | 0x7f);
                if past_the_end || (shift > 0 && adds_nothing) {
                    return Err(Malformed);
                }
                return Ok(if negative && shift < 57 { value | -1 << (shift + 7) } else { value });
            }
            previous = byte;
        }
        Err(Malformed)
    }

    /// An unsigned number of at most `limit`, as a length or count.
    pub(super) fn length(&mut self, limit: usize) -> Result<usize, Malformed> {
        let length = usize::try_from(self.unsigned()?).map_err(|_| Malformed)?;
        if length <= limit { Ok(length) } else { Err(Malformed) }
    }

    /// A length-prefixed UTF-8 text of at most `limit` bytes.
    pub(super) fn text(&mut self, limit: usize) -> Result<&'a str, Malformed> {
        let length = self.length(limit)?;
        std::str::from_utf8(self.take(length)?).map_err(|_| Malformed)
    }
}

/// Decodes a run-length column of at most `max_rows` rows; `None` is a null.
///
/// Runs are `n > 0`: n times the value that follows; `n < 0`: -n values that follow; `0 n`: n nulls.
pub(super) fn rle<'a, T: Copy>(
    bytes: &'a [u8],
    max_rows: usize,
    read: impl Fn(&mut Reader<'a>) -> Result<T, Malformed>,
) -> Result<Vec<Option<T>>, Malformed> {
    let mut reader = Reader(bytes);
    let mut rows = Vec::new();
    while !reader.is_empty() {
        let run = reader.signed()?;
        let nulls = run == 0;
        let count = if nulls { reader.unsigned()? } else { run.unsigned_abs() };
        let count = usize::try_from(count).map_err(|_| Malformed)?;
        if count == 0 || count > max_rows - rows.len() {
            return Err(Malformed);
        }
        if nulls {
            rows.resize(rows.len() + count, None);
        } else if run > 0 {
            let value = read(&mut reader)?;
            rows.resize(rows.len() + count, Some(value));
        } else {
            for _ in 0..count {
                rows.push(Some(read(&mut reader)?));
            }
        }
    }
    Ok(rows)
}

/// Decodes a run-length column of differences into the running sums; nulls are refused.
pub(super) fn delta(bytes: &[u8], max_rows: usize) -> Result<Vec<u64>, Malformed> {
    let mut sum: i64 = 0;
    let steps = rle(bytes, max_rows, Reader::signed)?;
    steps
        .into_iter()
        .map(|step| {
            sum = sum.checked_add(step.ok_or(Malformed)?).ok_or(Malformed)?;
            u64::try_from(sum).map_err(|_| Malformed)
        })
        .collect()
}

/// Reads a boolean column that must be false in each of `rows` rows: one run of that length.
pub(super) fn all_false(bytes: &[u8], rows: usize) -> Result<(), Malformed> {
    let mut reader = Reader(bytes);
    let run = reader.length(rows)?;
    if run == rows && reader.is_empty() { Ok(()) } else { Err(Malformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_their_shortest_form_only() {
        assert_eq!(Reader(&[0xe5, 0x8e, 0x26]).unsigned(), Ok(624_485));
        assert_eq!(Reader(&[0xff; 9]).unsigned(), Err(Malformed));
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(Reader(&max).unsigned(), Ok(u64::MAX));
        assert_eq!(Reader(&[0x80, 0x00]).unsigned(), Err(Malformed), "padded");
        assert_eq!(Reader(&[0x7f]).signed(), Ok(-1));
        assert_eq!(Reader(&[0xff, 0x7f]).signed(), Err(Malformed), "padded");
        assert_eq!(Reader(&[0x80, 0x7f]).signed(), Ok(-128));
        let min = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
        assert_eq!(Reader(&min).signed(), Ok(i64::MIN));
    }

    #[test]
    fn a_run_longer_than_the_limit_is_refused_before_it_is_allocated() {
        let billion_nulls = [0x00, 0x80, 0x94, 0xeb, 0xdc, 0x03];
        assert_eq!(rle(&billion_nulls, 512, |r| r.unsigned()), Err(Malformed));
        assert_eq!(rle(&[3, 7, 0, 2, 0x7f, 9], 512, |r| r.unsigned()).unwrap().len(), 6);
    }

    #[test]
    fn differences_add_up() {
        assert_eq!(delta(&[2, 5, 0x7f, 0x7d], 512), Ok(vec![5, 10, 7]));
        assert_eq!(delta(&[1, 0x7f], 512), Err(Malformed), "below zero");
    }
}
