//! The list of cases in pages, from either end or by deadline.
//!
//! Every page costs about the same at ten thousand cases and at a million. A [`plan`] chooses what leads: the narrowest
//! thing asked for, each value of it read by itself through its index, in the order of the list; everything else is
//! checked on the rows. The streams' first rows are then merged.
//!
//! Conditions that are rare together may let many rows pass by: a page looks at no more than [`EXAMINED`] of them and may
//! then be short, or empty, while `next` goes on.

use std::collections::BTreeMap;

use serde::Serialize;
use xunge_client_core::model::{CaseId, CategoryRef, LocalDay, Millis, Mode, OrgCode};
use xunge_client_core::workflow::State;

use super::plan::Plan;
use super::query::{Place, Query};
use super::{CaseItem, ITEM_COLUMNS, ITEM_WIDTH, item};
use crate::domain::scope::{Keys, Scope};
use crate::params;
use crate::store::{StoreError, Tx};

/// Most rows a page looks at.
pub const EXAMINED: u64 = 20_000;
/// Rows a stream looks at first; four times as many each time the page is not full yet.
const FIRST_STEP: u64 = 500;

/// What comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As lists are read.
    #[default]
    NewestFirst,
    /// As a review queue is worked off.
    OldestFirst,
    /// What is due next, and before it what is overdue. Only cases whose deadline runs.
    Deadline,
}

impl Order {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::NewestFirst, Self::OldestFirst, Self::Deadline];

    /// As an address says it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::NewestFirst => "newest",
            Self::OldestFirst => "oldest",
            Self::Deadline => "deadline",
        }
    }

    /// The value with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.code() == code)
    }
}

/// Deadlines that run, by how near they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// 已超时: passed.
    Overdue,
    /// 即将到期: not passed, but within the next [`Due::SOON_MS`].
    Soon,
}

impl Due {
    /// Every value.
    pub const ALL: [Self; 2] = [Self::Overdue, Self::Soon];
    /// A day: what is due by this time tomorrow.
    pub const SOON_MS: i64 = 86_400_000;

    /// As an address says it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Soon => "soon",
        }
    }

    /// The value with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|due| due.code() == code)
    }

    /// The deadlines meant at a moment: from the first to before the second, in milliseconds.
    pub fn between(self, now: Millis) -> (i64, i64) {
        match self {
            Self::Overdue => (i64::MIN, now.0),
            Self::Soon => (now.0, now.0 + Self::SOON_MS),
        }
    }
}

/// Something a case may lack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Without {
    /// No reporting unit.
    Unit,
    /// No category that anybody knows.
    Category,
    /// Outside every grid.
    Grid,
}

impl Without {
    /// Every value.
    pub const ALL: [Self; 3] = [Self::Unit, Self::Category, Self::Grid];

    /// As an address says it; also the column that is empty then.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unit => "unit",
            Self::Category => "category",
            Self::Grid => "grid",
        }
    }

    /// The value with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|without| without.code() == code)
    }
}

/// What to list. Every member narrows the list further.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only these states; empty for all.
    pub states: Vec<State>,
    /// Only this mode, decided or until then claimed.
    pub mode: Option<Mode>,
    /// Only this reporting unit.
    pub unit: Option<OrgCode>,
    /// Only this handling unit.
    pub handler: Option<OrgCode>,
    /// Only these categories; empty for all. [`Directory::minors`] lists those of a major.
    ///
    /// [`Directory::minors`]: crate::domain::directory::Directory::minors
    pub categories: Vec<CategoryRef>,
    /// Only below this place: a cell grid, a community or a street.
    pub grid: Option<OrgCode>,
    /// Only cases that lack these: what a table of figures shows as "none".
    pub without: Vec<Without>,
    /// Only what this user reported.
    pub reporter: Option<String>,
    /// Received on this local day or later.
    pub from: Option<LocalDay>,
    /// Received on this local day or earlier.
    pub to: Option<LocalDay>,
    /// Only deadlines from the first to before the second, in milliseconds ([`Due::between`]).
    pub due: Option<(i64, i64)>,
    /// Only cases whose reporter objects and waits for an answer.
    pub appealed: bool,
    /// Only cases that were sent back, or only those that were not.
    pub sent_back: Option<bool>,
    /// Words in description, place and remarks, four digits and more also in the case number; a whole case number or id
    /// finds that case.
    pub q: Option<String>,
    /// What comes first.
    pub order: Order,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Most cases on the page, 1 to 200.
    pub limit: usize,
}

/// The key of the last case of a page, written `at.id`: its time of receipt, or its deadline if that is the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub(super) at: i64,
    pub(super) id: CaseId,
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}.{}", self.at, self.id)
    }
}

impl std::str::FromStr for Cursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('.').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
        let (at, id) = parts.ok_or_else(|| format!("`{text}` is not a cursor of this list"))?;
        Ok(Self { at, id })
    }
}

/// One page of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Page {
    /// In the order asked for.
    pub items: Vec<CaseItem>,
    /// Pass as `after` for the next page, also behind a short one; none at the end.
    pub next: Option<String>,
    /// Most rows that were looked at for it; nothing outsiders need.
    #[serde(skip)]
    pub examined: u64,
}

/// A case with its place in the list.
type Placed = (Cursor, CaseItem);

/// Lists cases of a scope. `district` is the caller's own: states, categories and deadlines are indexed by district.
pub async fn list(tx: &mut dyn Tx, scope: &Scope, district: &str, filter: &Filter) -> Result<Page, StoreError> {
    if let Some(found) = by_name(tx, scope, filter).await? {
        return Ok(found);
    }
    let plan = Plan::make(tx, scope, district, filter).await?;
    let mut page = Page { examined: plan.examined, ..Page::default() };
    let mut found: Vec<Placed> = Vec::new();
    let mut more = false;
    // Where the stream that got least far stopped without an end.
    let mut stopped: Option<Cursor> = None;
    let share = (EXAMINED / plan.queries.len().max(1) as u64).max(1);
    let ahead = |a: &Cursor, b: &Cursor| if filter.order == Order::NewestFirst { b.cmp(a) } else { a.cmp(b) };
    let in_order = plan.queries.len() == 1;
    for query in plan.queries {
        let read = read(tx, &query, filter, share).await?;
        page.examined += read.examined;
        more |= read.found.len() > filter.limit;
        found.extend(read.found);
        if let Some(end) = read.stopped {
            stopped = Some(stopped.map_or(end, |least| std::cmp::min_by(least, end, ahead)));
        }
    }
    if !in_order {
        found.sort_by(|(a, _), (b, _)| ahead(a, b));
        found.dedup_by_key(|(_, item)| item.id);
        // What lies behind the end of any stream is found again by the next page, in order.
        found.retain(|(cursor, _)| stopped.as_ref().is_none_or(|end| ahead(cursor, end).is_le()));
    }
    more |= found.len() > filter.limit;
    found.truncate(filter.limit);
    let next = match (more && found.len() == filter.limit, stopped) {
        (true, _) => found.last().map(|(cursor, _)| *cursor),
        (false, end) => end,
    };
    page.next = next.map(|cursor| cursor.to_string());
    page.items = found.into_iter().map(|(_, item)| item).collect();
    Ok(page)
}

/// What the clock of a review goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Brief {
    /// When the server received it, Unix milliseconds.
    pub received_at: i64,
    /// Category as decided, until then as claimed; empty if there is none.
    pub category: String,
    /// Code of the level.
    pub level: String,
    /// Reviewing office; empty if there is none.
    pub office: String,
}

/// Every case of a list, without order, limit and place: for what is few, as what waits for an office is.
pub async fn every(
    tx: &mut dyn Tx,
    scope: &Scope,
    district: &str,
    filter: &Filter,
) -> Result<BTreeMap<CaseId, Brief>, StoreError> {
    let plan = Plan::make(tx, scope, district, &Filter { after: None, ..filter.clone() }).await?;
    let mut found = BTreeMap::new();
    for query in plan.queries {
        let sql = query.every("c.id, c.received_at, c.category, c.level, c.office");
        for row in tx.query(&sql.text, &sql.params).await? {
            let text = |index| row.opt_text(index).map(|text| text.unwrap_or_default().to_owned());
            let brief = Brief { received_at: row.int(1)?, category: text(2)?, level: text(3)?, office: text(4)? };
            found.insert(CaseId::from_bytes(row.array(0)?), brief);
        }
    }
    Ok(found)
}

/// What one stream gave.
#[derive(Default)]
struct Stream {
    found: Vec<Placed>,
    /// Where it stopped because its share of rows was used up.
    stopped: Option<Cursor>,
    examined: u64,
}

/// Reads a stream until the page is full, the stream ends, or `share` rows were looked at: in growing steps, so that a
/// page that fills at once costs little.
async fn read(tx: &mut dyn Tx, query: &Query, filter: &Filter, share: u64) -> Result<Stream, StoreError> {
    let mut stream = Stream::default();
    let mut from: Option<Place> = None;
    let mut step = FIRST_STEP;
    loop {
        let step_now = step.min(share - stream.examined);
        let end = if query.is_plain() { None } else { query.end_of(tx, from, step_now).await? };
        let sql = query.rows(from, end, filter.limit + 1 - stream.found.len());
        let rows = tx.query(&sql.text, &sql.params).await?;
        stream.examined += if query.is_plain() { rows.len() as u64 } else { step_now };
        for row in &rows {
            let item = item(row)?;
            stream.found.push((Cursor { at: row.int(ITEM_WIDTH)?, id: item.id }, item));
        }
        let Some(end) = end.filter(|_| stream.found.len() <= filter.limit) else { return Ok(stream) };
        if stream.examined >= share {
            stream.stopped = Some(end.cursor(tx).await?);
            return Ok(stream);
        }
        from = Some(end);
        step *= 4;
    }
}

/// A search for a whole case number or an id is a look-up.
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
    let mut page = Page { examined: rows.len() as u64, ..Page::default() };
    for row in &rows {
        if scope.covers(&Keys::read(row, ITEM_WIDTH)?) {
            page.items.push(item(row)?);
        }
    }
    Ok(Some(page))
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
