//! Values and rows: the five types that SQLite and PostgreSQL have in common.

use std::sync::Arc;

use super::StoreError;

/// One parameter or one column of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// SQL NULL.
    #[default]
    Null,
    /// BIGINT. Times are Unix milliseconds, booleans 0 or 1.
    Int(i64),
    /// DOUBLE PRECISION.
    Real(f64),
    /// TEXT.
    Text(String),
    /// BLOB (BYTEA on PostgreSQL).
    Blob(Vec<u8>),
}

impl Value {
    /// Names the type, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int(_) => "int",
            Self::Real(_) => "real",
            Self::Text(_) => "text",
            Self::Blob(_) => "blob",
        }
    }
}

macro_rules! value_from {
    ($($source:ty => |$name:ident| $make:expr),+ $(,)?) => {
        $(impl From<$source> for Value {
            fn from($name: $source) -> Self {
                $make
            }
        })+
    };
}

value_from! {
    i64 => |n| Self::Int(n),
    i32 => |n| Self::Int(n.into()),
    u32 => |n| Self::Int(n.into()),
    u16 => |n| Self::Int(n.into()),
    u8 => |n| Self::Int(n.into()),
    bool => |b| Self::Int(b.into()),
    f64 => |n| Self::Real(n),
    &str => |s| Self::Text(s.to_owned()),
    String => |s| Self::Text(s),
    &String => |s| Self::Text(s.clone()),
    Vec<u8> => |b| Self::Blob(b),
    &Vec<u8> => |b| Self::Blob(b.clone()),
    &[u8] => |b| Self::Blob(b.to_vec()),
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(bytes: [u8; N]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(bytes: &[u8; N]) -> Self {
        Self::Blob(bytes.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Builds the parameters of a statement: `tx.execute(sql, params![id, 3, None::<i64>])`.
///
/// Gives `&[Value]`; every argument is anything with `Into<Value>`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::Value::from($value)),*] as &[$crate::store::Value]
    };
}

/// One row of an answer, read by column index starting at 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Column names joined by newlines, shared by all rows of one answer.
    ///
    /// One allocation per query instead of one per column: names are only read for an error message.
    columns: Arc<str>,
    values: Vec<Value>,
}

impl Row {
    /// Makes a row from newline-joined column names and as many values; engines call this.
    pub(crate) fn new(columns: Arc<str>, values: Vec<Value>) -> Self {
        Self { columns, values }
    }

    /// Number of columns.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Tells whether the row has no column at all.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All values in column order.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// Gives the values away, in column order.
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }

    /// An integer that must be there.
    pub fn int(&self, index: usize) -> Result<i64, StoreError> {
        self.opt_int(index)?.ok_or_else(|| self.wrong(index, "int"))
    }

    /// An integer or NULL.
    pub fn opt_int(&self, index: usize) -> Result<Option<i64>, StoreError> {
        match self.value(index, "int")? {
            Value::Null => Ok(None),
            Value::Int(n) => Ok(Some(*n)),
            _ => Err(self.wrong(index, "int")),
        }
    }

    /// A boolean stored as 0 or 1.
    pub fn bool(&self, index: usize) -> Result<bool, StoreError> {
        match self.value(index, "0 or 1")? {
            Value::Int(0) => Ok(false),
            Value::Int(1) => Ok(true),
            _ => Err(self.wrong(index, "0 or 1")),
        }
    }

    /// A floating point number that must be there.
    pub fn real(&self, index: usize) -> Result<f64, StoreError> {
        self.opt_real(index)?.ok_or_else(|| self.wrong(index, "real"))
    }

    /// A floating point number or NULL.
    pub fn opt_real(&self, index: usize) -> Result<Option<f64>, StoreError> {
        match self.value(index, "real")? {
            Value::Null => Ok(None),
            Value::Real(n) => Ok(Some(*n)),
            _ => Err(self.wrong(index, "real")),
        }
    }

    /// A text that must be there.
    pub fn text(&self, index: usize) -> Result<&str, StoreError> {
        self.opt_text(index)?.ok_or_else(|| self.wrong(index, "text"))
    }

    /// A text or NULL.
    pub fn opt_text(&self, index: usize) -> Result<Option<&str>, StoreError> {
        match self.value(index, "text")? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(self.wrong(index, "text")),
        }
    }

    /// Bytes that must be there.
    pub fn blob(&self, index: usize) -> Result<&[u8], StoreError> {
        self.opt_blob(index)?.ok_or_else(|| self.wrong(index, "blob"))
    }

    /// Bytes or NULL.
    pub fn opt_blob(&self, index: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.value(index, "blob")? {
            Value::Null => Ok(None),
            Value::Blob(bytes) => Ok(Some(bytes)),
            _ => Err(self.wrong(index, "blob")),
        }
    }

    /// Exactly `N` bytes that must be there: ids, hashes, keys.
    pub fn array<const N: usize>(&self, index: usize) -> Result<[u8; N], StoreError> {
        self.opt_array(index)?.ok_or_else(|| self.wrong(index, "blob"))
    }

    /// Exactly `N` bytes or NULL.
    pub fn opt_array<const N: usize>(&self, index: usize) -> Result<Option<[u8; N]>, StoreError> {
        let Some(bytes) = self.opt_blob(index)? else { return Ok(None) };
        match bytes.try_into() {
            Ok(array) => Ok(Some(array)),
            Err(_) => Err(StoreError::Column {
                column: self.column(index),
                expected: "blob of fixed length",
                found: "blob of another length",
            }),
        }
    }

    fn value(&self, index: usize, expected: &'static str) -> Result<&Value, StoreError> {
        self.values.get(index).ok_or_else(|| StoreError::Column {
            column: self.column(index),
            expected,
            found: "no such column",
        })
    }

    fn column(&self, index: usize) -> String {
        self.columns.split('\n').nth(index).map_or_else(|| format!("#{index}"), str::to_owned)
    }

    fn wrong(&self, index: usize, expected: &'static str) -> StoreError {
        let found = self.values.get(index).map_or("no such column", Value::kind);
        StoreError::Column { column: self.column(index), expected, found }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row::new("id\nnote\nhash".into(), vec![Value::from("c1"), Value::Null, Value::from([7_u8; 4])])
    }

    #[test]
    fn a_getter_names_the_column_and_the_type_it_found() {
        let error = row().int(0).unwrap_err();
        assert_eq!(error, StoreError::Column { column: "id".into(), expected: "int", found: "text" });
        assert_eq!(error.to_string(), "column id holds text, expected int");
    }

    #[test]
    fn a_null_is_an_error_only_where_a_value_must_be() {
        assert_eq!(row().opt_text(1), Ok(None));
        assert_eq!(row().text(1), Err(StoreError::Column { column: "note".into(), expected: "text", found: "null" }));
    }

    #[test]
    fn a_column_past_the_end_is_named_by_its_index() {
        assert_eq!(
            row().opt_int(3),
            Err(StoreError::Column { column: "#3".into(), expected: "int", found: "no such column" })
        );
    }

    #[test]
    fn a_hash_of_the_wrong_length_is_an_error_not_a_shorter_hash() {
        assert_eq!(row().array::<4>(2), Ok([7; 4]));
        let error = row().array::<32>(2).unwrap_err();
        assert_eq!(error.to_string(), "column hash holds blob of another length, expected blob of fixed length");
    }

    #[test]
    fn a_boolean_is_only_zero_or_one() {
        let row = Row::new("a\nb\nc".into(), vec![Value::from(true), Value::from(false), Value::Int(2)]);
        assert_eq!((row.bool(0), row.bool(1)), (Ok(true), Ok(false)));
        assert!(row.bool(2).is_err());
    }

    #[test]
    fn an_option_becomes_its_value_or_null() {
        assert_eq!(params![Some("x"), None::<i64>, 3], &[Value::from("x"), Value::Null, Value::Int(3)]);
    }
}
