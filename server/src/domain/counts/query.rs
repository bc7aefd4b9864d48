//! Asks the counters: which part of the tree, which days, split by what.
//!
//! Whole months come from the month tables, the rest from days; of a month asked for in part, whichever is less is
//! read: its days, or the month minus its other days. So any two dates cost at most 31 days beside the months.
//! Months of a street are read by street, everything else below a district by the range of its grids.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use xunge_client_core::model::{CategoryRef, LocalDay, LocalMonth, Mode, OrgCode, OrgLevel};

use super::{Cells, Figures};
use crate::domain::directory::{Directory, below};
use crate::store::{Row, StoreError, Tx, Value};

/// What rows a table of figures has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// One row per reporting unit.
    Unit,
    /// One row per category.
    Category,
    /// One row per local day of receipt.
    Day,
    /// One row per mode.
    Mode,
    /// One row per cell grid.
    Grid,
}

impl By {
    /// Every value.
    pub const ALL: [Self; 5] = [Self::Unit, Self::Category, Self::Day, Self::Mode, Self::Grid];

    /// The value of the query parameter `by`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Category => "category",
            Self::Day => "day",
            Self::Mode => "mode",
            Self::Grid => "grid",
        }
    }

    /// The value with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.code() == code)
    }
}

/// A question to the counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// A place or a reporting unit.
    pub scope: OrgCode,
    /// First local day of receipt.
    pub from: LocalDay,
    /// Last local day of receipt, included.
    pub to: LocalDay,
    /// Rows; none for the total alone.
    pub by: Option<By>,
}

/// Figures of a scope and period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Table {
    /// As asked.
    #[schema(value_type = String)]
    pub scope: OrgCode,
    /// As asked.
    #[schema(value_type = String, format = Date)]
    pub from: LocalDay,
    /// As asked.
    #[schema(value_type = String, format = Date)]
    pub to: LocalDay,
    /// The sum of all rows.
    pub total: Figures,
    /// In the order of their keys; the residual row has the key `""`.
    pub rows: Vec<TableRow>,
}

/// One row of figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct TableRow {
    /// Unit code, category, day, mode or grid.
    pub key: String,
    /// Its name; empty for the residual and for what the reference data does not know.
    pub name: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// Answers a question from the counters.
pub async fn table(tx: &mut dyn Tx, directory: &Directory, ask: &Ask) -> Result<Table, StoreError> {
    let mut rows: BTreeMap<String, Cells> = BTreeMap::new();
    for district in districts(directory, &ask.scope) {
        for piece in pieces(ask.from, ask.to, ask.by == Some(By::Day)) {
            for piece in piece.for_ask(ask) {
                collect(tx, ask, &district, &piece, &mut rows).await?;
            }
        }
    }
    rows.retain(|_, cells| !cells.is_zero());
    let mut total = Cells::default();
    rows.values().for_each(|cells| total.add(1, cells));
    let rows = match ask.by {
        None => Vec::new(),
        Some(By::Mode) => {
            let of_mode = |mode: &Mode| row(directory, By::Mode, mode.code().to_owned(), &total.of_mode(*mode));
            Mode::ALL.iter().map(of_mode).collect()
        }
        Some(by) => rows.into_iter().map(|(key, cells)| row(directory, by, key, &cells)).collect(),
    };
    Ok(Table { scope: ask.scope.clone(), from: ask.from, to: ask.to, total: Figures::from(&total), rows })
}

fn row(directory: &Directory, by: By, key: String, cells: &Cells) -> TableRow {
    let name = match by {
        By::Unit | By::Grid => directory.name_of(&key).to_owned(),
        By::Category => key
            .parse::<CategoryRef>()
            .ok()
            .and_then(|key| directory.category(&key).map(|category| category.name.clone()))
            .unwrap_or_default(),
        By::Day => key.clone(),
        By::Mode => Mode::from_code(&key).map(|mode| mode.zh().to_owned()).unwrap_or_default(),
    };
    TableRow { key, name, figures: Figures::from(cells) }
}

/// The districts a scope reaches into.
fn districts(directory: &Directory, scope: &OrgCode) -> Vec<String> {
    match scope.level() {
        Some(OrgLevel::City) => {
            directory.districts().filter(|it| scope.contains(it)).map(ToString::to_string).collect()
        }
        Some(_) => scope.at(OrgLevel::District).iter().map(ToString::to_string).collect(),
        None => match directory.unit(scope) {
            Some(unit) => vec![unit.district.to_string()],
            None => directory.districts().map(ToString::to_string).collect(),
        },
    }
}

/// A range of days or months to add or to take away.
#[derive(Debug, PartialEq, Eq)]
struct Piece {
    sign: i64,
    months: bool,
    from: String,
    to: String,
}

impl Piece {
    /// The same in the pieces that an answer is read in. Below a district only a part of the grids is wanted, and that
    /// part lies together within each day or month alone: read over several, all grids in between would be passed by.
    fn for_ask(self, ask: &Ask) -> Vec<Self> {
        if !is_below_district(&ask.scope) || self.is_of_street(ask) {
            return vec![self];
        }
        let one = |text: String| Self { from: text.clone(), to: text, ..self };
        match (self.months, self.from.parse::<LocalMonth>(), self.from.parse::<LocalDay>()) {
            (true, Ok(first), _) => std::iter::successors(Some(first), |month| Some(month.next()))
                .map(|month| month.to_string())
                .take_while(|month| *month <= self.to)
                .map(one)
                .collect(),
            (false, _, Ok(first)) => std::iter::successors(Some(first), |day| Some(day.plus_days(1)))
                .map(|day| day.to_string())
                .take_while(|day| *day <= self.to)
                .map(one)
                .collect(),
            _ => vec![self],
        }
    }

    /// True for months of a street without its grids: one table has these added up, with the street before the month.
    fn is_of_street(&self, ask: &Ask) -> bool {
        self.months && ask.scope.level() == Some(OrgLevel::Street) && ask.by != Some(By::Grid)
    }
}

fn is_below_district(scope: &OrgCode) -> bool {
    matches!(scope.level(), Some(OrgLevel::Street | OrgLevel::Community | OrgLevel::Grid))
}

/// Cuts a period into few pieces.
fn pieces(from: LocalDay, to: LocalDay, only_days: bool) -> Vec<Piece> {
    let days =
        |sign, from: LocalDay, to: LocalDay| Piece { sign, months: false, from: from.to_string(), to: to.to_string() };
    let months =
        |from: LocalMonth, to: LocalMonth| Piece { sign: 1, months: true, from: from.to_string(), to: to.to_string() };
    if from > to {
        return Vec::new();
    }
    if only_days {
        return vec![days(1, from, to)];
    }
    let mut pieces = Vec::new();
    let (mut first, mut last) = (from.month(), to.month());
    let mut partial = |month: LocalMonth| {
        let (begin, end) = (from.max(month.first()), to.min(month.last()));
        let whole = month.last().number() - month.first().number() + 1;
        let asked = end.number() - begin.number() + 1;
        if 2 * asked <= whole {
            pieces.push(days(1, begin, end));
            return;
        }
        pieces.push(months(month, month));
        if begin > month.first() {
            pieces.push(days(-1, month.first(), begin.plus_days(-1)));
        }
        if end < month.last() {
            pieces.push(days(-1, end.plus_days(1), month.last()));
        }
    };
    if from > first.first() || (first == last && to < last.last()) {
        partial(first);
        first = first.next();
    }
    if first <= last && to < last.last() {
        partial(last);
        last = last.previous();
    }
    if first <= last {
        pieces.push(months(first, last));
    }
    pieces
}

async fn collect(
    tx: &mut dyn Tx,
    ask: &Ask,
    district: &str,
    piece: &Piece,
    rows: &mut BTreeMap<String, Cells>,
) -> Result<(), StoreError> {
    let (sql, params, grouped) = statement(ask, district, piece);
    for row in tx.query(&sql, &params).await? {
        let key = if grouped { row.text(Cells::COLUMNS)?.to_owned() } else { String::new() };
        rows.entry(key).or_default().add(piece.sign, &cells(&row)?);
    }
    Ok(())
}

/// Puts a statement together from constant words; there are few different ones, and no value is ever among them.
fn statement(ask: &Ask, district: &str, piece: &Piece) -> (String, Vec<Value>, bool) {
    let below_district = is_below_district(&ask.scope);
    let of_street = piece.is_of_street(ask);
    let with_grid = below_district || ask.by == Some(By::Grid);
    let with_category = ask.by == Some(By::Category);
    let with_unit = ask.by == Some(By::Unit) || ask.scope.is_unit();
    // The smallest table that still tells apart what is asked for.
    let table = match (with_grid, with_category, piece.months) {
        _ if of_street => "tally_street",
        (true, true, true) => "count_month",
        (true, true, false) => "count_day",
        (true, false, true) if with_unit => "tally_grid",
        (true, false, false) if with_unit => "count_day",
        (true, false, true) => "tally_map_month",
        (true, false, false) => "tally_map_day",
        (false, _, true) => "tally_month",
        (false, true, false) => "tally_day",
        (false, false, false) => "tally_unit",
    };
    let period = if piece.months { "month" } else { "day" };
    let key = match ask.by {
        Some(By::Unit) => Some("unit"),
        Some(By::Category) => Some("category"),
        Some(By::Day) => Some("day"),
        Some(By::Grid) => Some("grid"),
        Some(By::Mode) | None => None,
    };
    let mut sql = String::from("SELECT ");
    for (index, column) in COLUMNS.iter().enumerate() {
        let comma = if index == 0 { "" } else { ", " };
        let _ = write!(sql, "{comma}CAST(COALESCE(SUM({column}), 0) AS BIGINT)");
    }
    if let Some(key) = key {
        let _ = write!(sql, ", {key}");
    }
    let mut params = vec![Value::from(district)];
    let mut bind = |value: Value| {
        params.push(value);
        params.len()
    };
    let _ = write!(sql, " FROM {table} WHERE district = ?1 AND {period}");
    // One day or month is said as such: behind a range of them the grids of the key are of no use to an index.
    let _ = if piece.from == piece.to {
        write!(sql, " = ?{}", bind(Value::from(&piece.from)))
    } else {
        write!(sql, " BETWEEN ?{} AND ?{}", bind(Value::from(&piece.from)), bind(Value::from(&piece.to)))
    };
    if ask.scope.is_unit() {
        let _ = write!(sql, " AND unit = ?{}", bind(Value::from(ask.scope.as_str())));
    } else if of_street {
        let _ = write!(sql, " AND street = ?{}", bind(Value::from(ask.scope.as_str())));
    } else if below_district {
        let (low, high) = below(&ask.scope);
        let _ = write!(sql, " AND grid >= ?{} AND grid < ?{}", bind(Value::from(low)), bind(Value::from(high)));
    }
    if let Some(key) = key {
        let _ = write!(sql, " GROUP BY {key}");
    }
    (sql, params, key.is_some())
}

/// The cells' columns, in the order of [`Cells::columns`].
pub(crate) const COLUMNS: [&str; Cells::COLUMNS] =
    ["s_pending", "s_filed", "s_case_closed", "s_void", "f_pending", "f_filed", "f_case_closed", "f_void"];

/// Reads cells from a row that selects them from column 0 on.
pub(crate) fn cells(row: &Row) -> Result<Cells, StoreError> {
    let mut columns = [0; Cells::COLUMNS];
    for (index, column) in columns.iter_mut().enumerate() {
        *column = row.int(index)?;
    }
    Ok(Cells::from_columns(columns))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Days a cut covers, each with how often.
    fn covered(pieces: &[Piece]) -> BTreeMap<LocalDay, i64> {
        let mut days = BTreeMap::new();
        for piece in pieces {
            let (from, to): (LocalDay, LocalDay) = if piece.months {
                let month = |text: &str| text.parse::<LocalMonth>().unwrap();
                (month(&piece.from).first(), month(&piece.to).last())
            } else {
                (piece.from.parse().unwrap(), piece.to.parse().unwrap())
            };
            for number in 0..=to.number() - from.number() {
                *days.entry(from.plus_days(number)).or_default() += piece.sign;
            }
        }
        days.retain(|_, n| *n != 0);
        days
    }

    #[test]
    fn every_period_is_covered_exactly_once_and_reads_few_days() {
        let start = LocalDay::new(2023, 10, 20).unwrap();
        for offset in 0..50 {
            for length in 0..130 {
                let (from, to) = (start.plus_days(offset), start.plus_days(offset + length));
                let pieces = pieces(from, to, false);
                let days = covered(&pieces);
                let expected: BTreeSet<_> = (0..=length).map(|n| from.plus_days(n)).collect();
                assert!(days.keys().eq(expected.iter()) && days.values().all(|n| *n == 1), "{from} {to} {pieces:?}");
                let read: i32 = pieces
                    .iter()
                    .filter(|piece| !piece.months)
                    .map(|piece| {
                        let day = |text: &str| text.parse::<LocalDay>().unwrap().number();
                        day(&piece.to) - day(&piece.from) + 1
                    })
                    .sum();
                assert!(read <= 31, "{from} {to} reads {read} days");
            }
        }
    }

    #[tokio::test]
    async fn a_place_below_a_district_is_read_by_its_own_rows_of_the_key() {
        let store = crate::store::Store::in_memory().unwrap();
        for (scope, by) in [
            ("640105001", Some(By::Category)),
            ("640105001", Some(By::Grid)),
            ("640105001002", None),
            ("640105001002003", Some(By::Unit)),
        ] {
            let ask = Ask {
                scope: scope.parse().unwrap(),
                from: LocalDay::new(2022, 12, 20).unwrap(),
                to: LocalDay::new(2023, 11, 30).unwrap(),
                by,
            };
            for piece in pieces(ask.from, ask.to, false).into_iter().flat_map(|piece| piece.for_ask(&ask)) {
                let (sql, params, _) = statement(&ask, "640105", &piece);
                let steps = crate::testing::plan_of(&store, &sql, params).await;
                let key = if piece.is_of_street(&ask) {
                    "tally_street USING PRIMARY KEY (district=? AND street=? AND month>? AND month<?)"
                } else {
                    "AND grid>? AND grid<?"
                };
                assert!(steps[0].contains(key), "{steps:?}");
            }
        }
    }

    #[test]
    fn a_table_is_read_that_tells_apart_no_more_than_is_asked_for() {
        let read = |scope: &str, by| {
            let (from, to) = (LocalDay::new(2023, 10, 3).unwrap(), LocalDay::new(2023, 11, 30).unwrap());
            let ask = Ask { scope: scope.parse().unwrap(), from, to, by };
            let pieces = pieces(from, to, by == Some(By::Day)).into_iter().flat_map(|piece| piece.for_ask(&ask));
            let table = |piece: Piece| {
                let (sql, ..) = statement(&ask, "640105", &piece);
                sql.split_once(" FROM ").unwrap().1.split(' ').next().unwrap().to_owned()
            };
            pieces.map(table).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
        };
        let grid = Some(By::Grid);
        assert_eq!(read("640105", grid), "tally_map_day tally_map_month");
        assert_eq!(read("640105001", grid), "tally_map_day tally_map_month");
        assert_eq!(read("640105001002", Some(By::Mode)), "tally_map_day tally_map_month");
        assert_eq!(read("640105001002003", Some(By::Day)), "tally_map_day");
        assert_eq!(read("640105001002", Some(By::Unit)), "count_day tally_grid");
        assert_eq!(read("U640105005", grid), "count_day tally_grid");
        assert_eq!(read("640105001002", Some(By::Category)), "count_day count_month");
        assert_eq!(read("640105001", None), "tally_map_day tally_street");
        assert_eq!(read("640105", None), "tally_month tally_unit");
        assert_eq!(read("640105", Some(By::Category)), "tally_day tally_month");
    }

    #[test]
    fn a_period_that_ends_before_it_begins_is_empty() {
        let day = LocalDay::new(2023, 11, 1).unwrap();
        assert!(pieces(day, day.plus_days(-1), false).is_empty());
    }
}
