//! What a list is read by, and what is then checked on its rows.

use std::fmt::Write as _;

use xunge_client_core::model::{Mode, OrgCode, OrgLevel};

use crate::store::Value;

/// What a stream of a list is read by.
#[derive(Clone, Debug)]
pub(super) struct Lead {
    pub(super) source: Source,
    /// Checked on its rows: where a place has no index, that of the place above it leads.
    pub(super) also: Option<Condition>,
}

#[derive(Clone, Debug)]
pub(super) enum Source {
    /// Cases with these values in these columns, through the index of the columns.
    Rows(Vec<(&'static str, Value)>),
    /// Cases of a district whose reporter objects, through the index of open appeals.
    Appeals(String),
    /// Cases that have a pair of characters.
    Pair(String),
    /// Cases that have a pair beginning with this character.
    Letter(String),
}

/// What is checked on a row.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    /// One of these columns has its value.
    AnyOf(Vec<(&'static str, Value)>),
    /// The column has one of these values.
    In(&'static str, Vec<Value>),
    /// Decided, or until then claimed.
    Mode(Mode),
    /// Sent back or not.
    SentBack(bool),
    /// Its reporter objects and has no answer yet.
    Appealed,
    /// Received then or later, in milliseconds.
    ReceivedFrom(i64),
    /// Received before.
    ReceivedBefore(i64),
    /// A deadline that runs, from the first to before the second.
    Deadline(i64, i64),
    /// The text contains this pattern, or the number if it may.
    Says(String, bool),
    /// The case has this pair too; only where words lead.
    HasPair(String),
}

impl Lead {
    /// Every case with this value in a column that has an index of its own.
    pub(super) fn column(column: &'static str, value: Value) -> Self {
        Self { source: Source::Rows(vec![(column, value)]), also: None }
    }

    /// Every case of a district with this value in a column that is indexed by district.
    pub(super) fn in_district(district: &str, column: &'static str, value: Value) -> Self {
        Self { source: Source::Rows(vec![("district", Value::from(district)), (column, value)]), also: None }
    }

    /// Every case below a place.
    pub(super) fn place(code: &OrgCode) -> Self {
        let text = code.as_str();
        match code.level() {
            Some(OrgLevel::District) => Self::column("district", Value::from(text)),
            Some(OrgLevel::Street) => Self::column("street", Value::from(text)),
            // Has no index; the street above it leads.
            Some(OrgLevel::Community) => Self {
                also: Some(Condition::below(code)),
                ..Self::column("street", Value::from(text.get(..9).unwrap_or_default()))
            },
            _ => Self::column("grid", Value::from(text)),
        }
    }

    /// Every case of a district whose reporter objects.
    pub(super) fn appeals(district: &str) -> Self {
        Self { source: Source::Appeals(district.to_owned()), also: None }
    }

    /// Every case with this pair of characters.
    pub(super) fn pair(pair: &str) -> Self {
        Self { source: Source::Pair(pair.to_owned()), also: None }
    }

    /// Every case with this character.
    pub(super) fn letter(letter: &str) -> Self {
        Self { source: Source::Letter(letter.to_owned()), also: None }
    }

    /// The pair of characters it is read by.
    pub(super) fn as_pair(&self) -> Option<&str> {
        match &self.source {
            Source::Pair(pair) => Some(pair),
            _ => None,
        }
    }

    /// It gives rows of the table of cases, in the order of the list's key.
    pub(super) fn is_of_rows(&self) -> bool {
        matches!(self.source, Source::Rows(_) | Source::Appeals(_))
    }
}

impl Condition {
    /// The case lies below a place.
    pub(super) fn below(code: &OrgCode) -> Self {
        let column = match code.level() {
            Some(OrgLevel::District) => "district",
            Some(OrgLevel::Street) => "street",
            Some(OrgLevel::Community) => "community",
            _ => "grid",
        };
        Self::In(column, vec![Value::from(code.as_str())])
    }

    /// Writes it behind an AND. COALESCE hides a column from its index, on every engine: one index leads and no other.
    pub(super) fn write(&self, sql: &mut Sql) {
        match self {
            Self::AnyOf(columns) => {
                sql.put("(");
                for (index, (column, value)) in columns.iter().enumerate() {
                    sql.put(if index == 0 { "" } else { " OR " });
                    sql.put("COALESCE(c.").put(column).put(", '') = ").bind(value.clone());
                }
                sql.put(if columns.is_empty() { "1 = 0)" } else { ")" });
            }
            Self::In(column, values) => {
                sql.put("COALESCE(c.").put(column).put(", '') IN (");
                for (index, value) in values.iter().enumerate() {
                    sql.put(if index == 0 { "" } else { ", " }).bind(value.clone());
                }
                sql.put(")");
            }
            Self::Mode(mode) => drop(sql.put("COALESCE(c.mode, c.mode_claim) = ").bind(mode.code())),
            Self::SentBack(wanted) => drop(sql.put("c.sent_back = ").bind(*wanted)),
            Self::Appealed => drop(sql.put("c.appealed_at IS NOT NULL")),
            Self::ReceivedFrom(at) => drop(sql.put("COALESCE(c.received_at, 0) >= ").bind(*at)),
            Self::ReceivedBefore(at) => drop(sql.put("COALESCE(c.received_at, 0) < ").bind(*at)),
            Self::Deadline(from, to) => {
                sql.put("c.deadline_at IS NOT NULL AND COALESCE(c.deadline_at, 0) >= ").bind(*from);
                sql.put(" AND COALESCE(c.deadline_at, 0) < ").bind(*to);
            }
            Self::Says(pattern, false) => drop(sql.put("c.text LIKE ").bind(pattern).put(" ESCAPE '\\'")),
            Self::Says(pattern, true) => {
                sql.put("(c.text LIKE ").bind(pattern).put(" ESCAPE '\\' OR COALESCE(c.case_no, '') LIKE ");
                sql.bind(pattern).put(" ESCAPE '\\')");
            }
            Self::HasPair(pair) => {
                sql.put("EXISTS (SELECT 1 FROM case_gram AS too WHERE too.gram = ").bind(pair);
                sql.put(" AND too.ordinal = g.ordinal)");
            }
        }
    }
}

/// A statement under way, with its values: there are few different texts, and no value is ever among their words.
#[derive(Debug, Default)]
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) params: Vec<Value>,
}

impl Sql {
    /// Adds words.
    pub(super) fn put(&mut self, words: &str) -> &mut Self {
        self.text.push_str(words);
        self
    }

    /// Adds a mark and its value.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.params.push(value.into());
        write!(self.text, "?{}", self.params.len()).expect("writing to a String does not fail");
        self
    }
}
