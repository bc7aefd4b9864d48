//! The list of cases, newest first, in pages.
//!
//! Every page costs about the same at ten thousand cases and at a million. Each branch of the scope is read by itself
//! through one index, chosen here by how few cases its value usually has; the other conditions are written so that
//! the engine can not choose their index instead. The branches' first rows are then merged.
//!
//! A search for words reads at most [`SCANNED`] cases of a branch; the page may then be short while `next` goes on.

use serde::Serialize;
use xunge_client_core::model::{CaseId, CategoryRef, LocalDay, Mode, OrgCode};
use xunge_client_core::workflow::State;

use super::{CaseItem, ITEM_COLUMNS, item};
use crate::domain::scope::{Branch, Column, Keys, Scope};
use crate::params;
use crate::store::{StoreError, Tx, Value};

/// Cases of one branch a search for words looks through per page: about 10 ms.
const SCANNED: i64 = 5_000;

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only this state.
    pub state: Option<State>,
    /// Only this mode, decided or until then claimed.
    pub mode: Option<Mode>,
    /// Only this reporting unit.
    pub unit: Option<OrgCode>,
    /// Only this handling unit.
    pub handler: Option<OrgCode>,
    /// Only this category.
    pub category: Option<CategoryRef>,
    /// Only this cell grid.
    pub grid: Option<OrgCode>,
    /// Received on this local day or later.
    pub from: Option<LocalDay>,
    /// Received on this local day or earlier.
    pub to: Option<LocalDay>,
    /// Words in description or place; a case number or id finds that case.
    pub q: Option<String>,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Most cases on the page, 1 to 200.
    pub limit: usize,
}

/// The key of the last case of a page, written `received_at.id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    received_at: i64,
    id: CaseId,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}.{}", self.received_at, self.id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
        let (received_at, id) = parts.ok_or_else(|| format!("`{text}` is not a cursor of this list"))?;
        Ok(Self { received_at, id })
    }
}

/// One page of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    /// Newest first.
    pub items: Vec<CaseItem>,
    /// Pass as `after` for the next page; none at the end.
    pub next: Option<String>,
}

/// Lists cases of a scope. `district` is the caller's own: states and categories are indexed by district.
pub async fn list(tx: &mut dyn Tx, scope: &Scope, district: &str, filter: &Filter) -> Result<Page, StoreError> {
    if let Some(found) = by_name(tx, scope, filter).await? {
        return Ok(found);
    }
    let mut items: Vec<CaseItem> = Vec::new();
    let mut more = false;
    let mut scanned_to: Option<Cursor> = None;
    for branch in scope.branches() {
        let query = Query::new(branch, district, filter);
        let rows = tx.query(&query.sql(filter.q.is_some(), false), &query.params(filter)).await?;
        more |= rows.len() > filter.limit;
        for row in &rows {
            items.push(item(row)?);
        }
        if filter.q.is_some() {
            let end = tx.query(&query.sql(true, true), &query.params(filter)).await?;
            if let Some(row) = end.first() {
                let end = Cursor { received_at: row.int(0)?, id: CaseId::from_bytes(row.array(1)?) };
                scanned_to = scanned_to.max(Some(end));
            }
        }
    }
    items.sort_by_key(|item| std::cmp::Reverse(key(item)));
    items.dedup_by_key(|item| item.id);
    if let Some(end) = scanned_to {
        // What lies behind the end of any branch's search is found again by the next page, in order.
        items.retain(|item| key(item) >= end);
    }
    more |= items.len() > filter.limit;
    items.truncate(filter.limit);
    let next = match (more && items.len() == filter.limit, scanned_to) {
        (true, _) => items.last().map(key),
        (false, end) => end,
    };
    Ok(Page { items, next: next.map(|cursor| cursor.to_string()) })
}

fn key(item: &CaseItem) -> Cursor {
    Cursor { received_at: item.received_at, id: item.id }
}

/// A search for a case number or an id is a look-up.
async fn by_name(tx: &mut dyn Tx, scope: &Scope, filter: &Filter) -> Result<Option<Page>, StoreError> {
    let Some(q) = filter.q.as_deref().map(str::trim) else { return Ok(None) };
    let sql = |column: &str| format!("SELECT {ITEM_COLUMNS}, {} FROM case_row WHERE {column} = ?1", Keys::COLUMNS);
    let rows = if let Ok(id) = q.parse::<CaseId>() {
        tx.query(&sql("id"), params![id.as_bytes()]).await?
    } else if q.len() == 20 && q.bytes().all(|byte| byte.is_ascii_digit()) {
        tx.query(&sql("case_no"), params![q]).await?
    } else {
        return Ok(None);
    };
    let mut page = Page::default();
    for row in &rows {
        if scope.covers(&Keys::read(row, super::ITEM_WIDTH)?) {
            page.items.push(item(row)?);
        }
    }
    Ok(Some(page))
}

/// The statement for one branch.
struct Query {
    conditions: Vec<(Condition, Value)>,
}

/// What a condition compares; `driving` ones may use their index.
#[derive(Clone, Copy, PartialEq)]
struct Condition {
    subject: Subject,
    driving: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Subject {
    Is(Column),
    State { open: bool },
    Category,
}

impl Subject {
    /// How few cases have one value of this, fewest first. Orders of magnitude for a district with a million cases.
    fn rank(self) -> u32 {
        match self {
            Self::Is(Column::Task | Column::Holder) => 0,
            Self::State { open: true } => 1,
            Self::Is(Column::Grid) => 2,
            Self::Is(Column::Handler) => 3,
            Self::Is(Column::Reporter) => 4,
            Self::Category => 5,
            Self::Is(Column::Unit) => 6,
            Self::Is(Column::Office) => 7,
            Self::Is(Column::Street) => 8,
            Self::State { open: false } => 9,
            Self::Is(Column::District) => 10,
            // Has no index; the street above it drives.
            Self::Is(Column::Community) => 11,
        }
    }

    fn column(self) -> &'static str {
        match self {
            Self::Is(column) => column.name(),
            Self::State { .. } => "state",
            Self::Category => "category",
        }
    }
}

impl Query {
    fn new(branch: &Branch, district: &str, filter: &Filter) -> Self {
        let mut wanted = vec![(Subject::Is(branch.column), Value::from(&branch.value))];
        if branch.column == Column::Community {
            wanted.push((Subject::Is(Column::Street), Value::from(branch.value.get(..9).unwrap_or_default())));
        }
        if branch.column != Column::District {
            wanted.push((Subject::Is(Column::District), Value::from(district)));
        }
        let code = |code: &OrgCode| Value::from(code.as_str());
        wanted.extend(filter.unit.as_ref().map(|it| (Subject::Is(Column::Unit), code(it))));
        wanted.extend(filter.handler.as_ref().map(|it| (Subject::Is(Column::Handler), code(it))));
        wanted.extend(filter.grid.as_ref().map(|it| (Subject::Is(Column::Grid), code(it))));
        wanted.extend(filter.category.as_ref().map(|it| (Subject::Category, Value::from(it.to_string()))));
        let open = filter.state.is_some_and(|state| !state.is_final());
        wanted.extend(filter.state.map(|state| (Subject::State { open }, Value::from(state.code()))));
        let best = wanted.iter().map(|(subject, _)| *subject).min_by_key(|subject| subject.rank());
        // State and category are indexed together with the district.
        let with_district = matches!(best, Some(Subject::State { .. } | Subject::Category));
        let drives =
            |subject: Subject| Some(subject) == best || (with_district && subject == Subject::Is(Column::District));
        let conditions = wanted
            .into_iter()
            .map(|(subject, value)| (Condition { subject, driving: drives(subject) }, value))
            .collect();
        Self { conditions }
    }

    /// The statement's text; `end` asks for the key at which a search for words stops instead of the matches.
    fn sql(&self, search: bool, end: bool) -> String {
        let mut sql = String::new();
        for (index, (condition, _)) in self.conditions.iter().enumerate() {
            let column = condition.subject.column();
            let mark = index + FIXED + 1;
            let and = if index == 0 { "" } else { " AND " };
            // COALESCE hides a column from its index, on every engine.
            sql += &match condition.driving {
                true => format!("{and}{column} = ?{mark}"),
                false => format!("{and}COALESCE({column}, '') = ?{mark}"),
            };
        }
        let rows = format!(
            "FROM case_row WHERE {sql} AND received_at >= ?1 AND received_at < ?2 AND (received_at, id) < (?3, ?4)
             AND (?5 = '' OR COALESCE(mode, mode_claim) = ?5) ORDER BY received_at DESC, id DESC"
        );
        match (search, end) {
            (false, _) => format!("SELECT {ITEM_COLUMNS} {rows} LIMIT ?6"),
            (true, true) => format!("SELECT received_at, id {rows} LIMIT 1 OFFSET {}", SCANNED - 1),
            (true, false) => format!(
                "SELECT {ITEM_COLUMNS} FROM (SELECT {ITEM_COLUMNS}, text {rows} LIMIT {SCANNED}) AS found
                 WHERE text LIKE ?7 ESCAPE '\\' ORDER BY received_at DESC, id DESC LIMIT ?6"
            ),
        }
    }

    fn params(&self, filter: &Filter) -> Vec<Value> {
        let after = filter.after.unwrap_or(Cursor { received_at: i64::MAX, id: CaseId::from_bytes([0xff; 16]) });
        let mut params = vec![
            Value::from(filter.from.map_or(i64::MIN, |day| day.start().0)),
            Value::from(filter.to.map_or(i64::MAX, |day| day.end().0)),
            Value::from(after.received_at),
            Value::from(after.id.as_bytes()),
            Value::from(filter.mode.map_or("", Mode::code)),
            Value::from(filter.limit as i64 + 1),
            Value::from(pattern(filter.q.as_deref().unwrap_or_default())),
        ];
        params.extend(self.conditions.iter().map(|(_, value)| value.clone()));
        params
    }
}

/// Parameters that every statement has before those of its conditions.
const FIXED: usize = 7;

/// The words as a pattern in which their own wildcards mean themselves.
fn pattern(words: &str) -> String {
    let mut pattern = String::from("%");
    for c in words.trim().to_lowercase().chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}
