//! One stream of a list: led by one index, in the order of the list, everything else checked on the rows.

use xunge_client_core::model::CaseId;

use super::ITEM_COLUMNS;
use super::lead::{Condition, Lead, Source, Sql};
use super::list::{Cursor, Filter, Order};
use super::search::{self, beginning_with, ordinals};
use crate::store::{Row, StoreError, Tx, Value};

/// A place in a stream.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Key(Cursor),
    Ordinal(i64),
}

impl Place {
    /// The cursor of this place.
    pub(super) async fn cursor(self, tx: &mut dyn Tx) -> Result<Cursor, StoreError> {
        match self {
            Self::Key(cursor) => Ok(cursor),
            Self::Ordinal(ordinal) => {
                let sql = "SELECT received_at, id FROM case_row WHERE ordinal = ?1";
                let row = tx.query_one(sql, &[Value::from(ordinal)]).await?;
                Ok(Cursor { at: row.int(0)?, id: CaseId::from_bytes(row.array(1)?) })
            }
        }
    }
}

/// How wide a stream is where it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Width {
    /// Rows, as many as were looked for at most.
    pub(super) rows: u64,
    /// Rows to a day.
    pub(super) density: f64,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Query {
    lead: Lead,
    conditions: Vec<Condition>,
    order: Order,
    /// Where it begins, not included.
    start: Place,
    /// Where it ends: included if it runs down, not included if it runs up.
    until: i64,
}

impl Query {
    /// A stream of a list. `after` is the ordinal of the case where the page before ended; needed where words lead.
    pub(super) fn new(lead: Lead, mut conditions: Vec<Condition>, filter: &Filter, after: Option<i64>) -> Self {
        conditions.extend(lead.also.clone());
        let from = filter.from.map_or(i64::MIN, |day| day.start().0);
        let to = filter.to.map_or(i64::MAX, |day| day.end().0);
        let key = |at, byte| Cursor { at, id: CaseId::from_bytes([byte; 16]) };
        // The first day is a place to begin behind, like the end of the page before: whichever is further on.
        let down = |first: Cursor| Place::Key(filter.after.map_or(first, |after| after.min(first)));
        let up = |first: Cursor| Place::Key(filter.after.map_or(first, |after| after.max(first)));
        let (start, until) = match (lead.is_of_rows(), filter.order) {
            (true, Order::NewestFirst) => (down(key(to, 0)), from),
            (true, Order::OldestFirst) => (up(key(from.saturating_sub(1), 0xff)), to),
            (true, Order::Deadline) => {
                let (from, to) = filter.due.unwrap_or((i64::MIN, i64::MAX));
                (up(key(from.saturating_sub(1), 0xff)), to)
            }
            (false, order) => {
                conditions.extend(filter.from.map(|day| Condition::ReceivedFrom(day.start().0)));
                conditions.extend(filter.to.map(|day| Condition::ReceivedBefore(day.end().0)));
                let (low, high) = ordinals(from, to);
                if order == Order::NewestFirst {
                    (Place::Ordinal(after.map_or(high, |after| after.min(high))), low)
                } else {
                    let first = low.saturating_sub(1);
                    (Place::Ordinal(after.map_or(first, |after| after.max(first))), high)
                }
            }
        };
        Self { lead, conditions, order: filter.order, start, until }
    }

    /// Nothing is to be checked: every row it reads is shown.
    pub(super) fn is_plain(&self) -> bool {
        self.conditions.is_empty()
    }

    /// The place `step` rows behind `from`; none if the stream ends before.
    pub(super) async fn end_of(
        &self,
        tx: &mut dyn Tx,
        from: Option<Place>,
        step: u64,
    ) -> Result<Option<Place>, StoreError> {
        let mut sql = Sql::default();
        let columns = if self.lead.is_of_rows() { format!("{}, c.id", self.key()) } else { self.key().to_owned() };
        sql.put("SELECT ").put(&columns).put(" FROM ");
        self.candidates(&mut sql, from, None, false);
        sql.put(self.in_order()).put(" LIMIT 1 OFFSET ").bind(i64::try_from(step).unwrap_or(i64::MAX) - 1);
        let rows = tx.query(&sql.text, &sql.params).await?;
        let place = |row: &Row| {
            Ok(match self.lead.is_of_rows() {
                true => Place::Key(Cursor { at: row.int(0)?, id: CaseId::from_bytes(row.array(1)?) }),
                false => Place::Ordinal(row.int(0)?),
            })
        };
        rows.first().map(place).transpose()
    }

    /// The statement for the rows behind `from` up to `end`, included, that fit: the item's columns, then the time the
    /// list is sorted by.
    pub(super) fn rows(&self, from: Option<Place>, end: Option<Place>, limit: usize) -> Sql {
        let mut sql = Sql::default();
        sql.put("SELECT ").put(ITEM_COLUMNS).put(", ").put(self.time()).put(" FROM ");
        self.candidates(&mut sql, from, end, true);
        self.check(&mut sql);
        sql.put(self.in_order()).put(" LIMIT ").bind(limit as i64);
        sql
    }

    /// The statement for everything that fits, in these columns of `c`.
    pub(super) fn every(&self, columns: &str) -> Sql {
        let mut sql = Sql::default();
        sql.put("SELECT ").put(columns).put(" FROM ");
        self.candidates(&mut sql, None, None, true);
        self.check(&mut sql);
        sql
    }

    /// How wide it is, looking at no more than `enough` rows.
    pub(super) async fn width(&self, tx: &mut dyn Tx, enough: u64) -> Result<Width, StoreError> {
        let mut sql = Sql::default();
        sql.put("SELECT COUNT(*), MIN(at), MAX(at) FROM (SELECT ").put(self.key()).put(" AS at FROM ");
        self.candidates(&mut sql, None, None, false);
        sql.put(self.in_order()).put(" LIMIT ").bind(i64::try_from(enough).unwrap_or(i64::MAX)).put(") AS few");
        let row = tx.query_one(&sql.text, &sql.params).await?;
        let rows = u64::try_from(row.int(0)?).unwrap_or_default();
        let day = 86_400_000.0 * if self.lead.is_of_rows() { 1.0 } else { search::PER_MS as f64 };
        let days = match (row.opt_int(1)?, row.opt_int(2)?) {
            (Some(first), Some(last)) if rows >= enough => (last - first) as f64 / day,
            // All of it: over a year if nobody says how long.
            _ => 365.0,
        };
        Ok(Width { rows, density: rows as f64 / days.max(0.01) })
    }

    /// What the stream runs along.
    fn key(&self) -> &'static str {
        if self.lead.is_of_rows() { self.time() } else { "g.ordinal" }
    }

    /// The time a list is sorted by.
    fn time(&self) -> &'static str {
        if self.order == Order::Deadline { "c.deadline_at" } else { "c.received_at" }
    }

    fn in_order(&self) -> &'static str {
        match (self.lead.is_of_rows(), self.order) {
            (true, Order::NewestFirst) => " ORDER BY c.received_at DESC, c.id DESC",
            (true, Order::OldestFirst) => " ORDER BY c.received_at, c.id",
            (true, Order::Deadline) => " ORDER BY c.deadline_at, c.id",
            (false, Order::NewestFirst) => " ORDER BY g.ordinal DESC",
            (false, _) => " ORDER BY g.ordinal",
        }
    }

    /// Signs of the bounds: beyond where it begins, before where it ends, up to a place that is included.
    fn signs(&self) -> [&'static str; 3] {
        match self.order {
            Order::NewestFirst => ["<", ">=", ">="],
            Order::OldestFirst | Order::Deadline => [">", "<", "<="],
        }
    }

    /// What leads, from `from` to `end`; words without the rows they are looked up for, unless `with_rows`.
    fn candidates(&self, sql: &mut Sql, from: Option<Place>, end: Option<Place>, with_rows: bool) {
        let from = from.unwrap_or(self.start);
        // The words lead and their cases are looked up, never the other way round.
        let rows = if with_rows { " CROSS JOIN case_row AS c" } else { "" };
        match &self.lead.source {
            Source::Rows(columns) => return self.candidates_of_rows(sql, columns, from, end),
            Source::Appeals(district) => {
                // Looked up by id: no index of all cases can take this for a scan of its own.
                sql.put("case_row AS c WHERE c.id IN (SELECT a.id FROM case_row AS a WHERE a.district = ");
                sql.bind(district).put(" AND a.appealed_at IS NOT NULL)");
                return self.between(sql, from, end);
            }
            Source::Pair(pair) => {
                sql.put("case_gram AS g").put(rows).put(" WHERE g.gram = ").bind(pair).put(" AND ");
                self.within(sql, "g.ordinal", from, end);
            }
            Source::Letter(letter) => {
                let (low, high) = beginning_with(letter);
                sql.put("(SELECT DISTINCT ordinal FROM case_gram WHERE gram >= ").bind(low).put(" AND gram < ");
                sql.bind(high).put(" AND ");
                self.within(sql, "ordinal", from, end);
                sql.put(") AS g").put(rows).put(" WHERE g.ordinal IS NOT NULL");
            }
        }
        if with_rows {
            sql.put(" AND c.ordinal = g.ordinal");
        }
    }

    fn candidates_of_rows(&self, sql: &mut Sql, columns: &[(&'static str, Value)], from: Place, end: Option<Place>) {
        sql.put("case_row AS c WHERE ");
        for (index, (column, value)) in columns.iter().enumerate() {
            match index {
                0 => drop(sql.put("c.").put(column).put(" = ").bind(value.clone())),
                // This index begins with the district, as the one of all cases does, and SQLite takes both for equally
                // good: a word to its planner. An engine with statistics of its own does without.
                _ => drop(sql.put(" AND unlikely(c.").put(column).put(" = ").bind(value.clone()).put(")")),
            }
        }
        if self.order == Order::Deadline {
            sql.put(" AND c.deadline_at IS NOT NULL");
        }
        self.between(sql, from, end);
    }

    /// Bounds the keys of rows.
    fn between(&self, sql: &mut Sql, from: Place, end: Option<Place>) {
        // One bound on each side and no more: with two on the side of the cursor SQLite read the whole district for
        // fifty open cases (28 ms instead of 0.3 ms at eight thousand cases, and growing with them).
        let [beyond, until, within] = self.signs();
        let key = self.time();
        let pair = |sql: &mut Sql, sign: &str, cursor: Cursor| {
            sql.put(" AND (").put(key).put(", c.id) ").put(sign).put(" (").bind(cursor.at).put(", ");
            sql.bind(cursor.id.as_bytes()).put(")");
        };
        if let Place::Key(from) = from {
            pair(sql, beyond, from);
        }
        match end {
            Some(Place::Key(end)) => pair(sql, within, end),
            _ => drop(sql.put(" AND ").put(key).put(" ").put(until).put(" ").bind(self.until)),
        }
    }

    fn check(&self, sql: &mut Sql) {
        for condition in &self.conditions {
            sql.put(" AND ");
            condition.write(sql);
        }
    }

    fn within(&self, sql: &mut Sql, ordinal: &str, from: Place, end: Option<Place>) {
        let [beyond, until, within] = self.signs();
        if let Place::Ordinal(from) = from {
            sql.put(ordinal).put(" ").put(beyond).put(" ").bind(from).put(" AND ");
        }
        let (sign, bound) = match end {
            Some(Place::Ordinal(end)) => (within, end),
            _ => (until, self.until),
        };
        sql.put(ordinal).put(" ").put(sign).put(" ").bind(bound);
    }
}
