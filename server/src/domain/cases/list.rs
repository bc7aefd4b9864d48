//! The list of cases, newest first, in pages.
//!
//! Every page costs about the same at ten thousand cases and at a million. Each branch of the scope is read by itself
//! through one index, chosen here by how few cases its value usually has; the other conditions are written so that
//! the engine can not choose their index instead. The branches' first rows are then merged.
//!
//! A search for words reads at most five thousand cases of a branch; the page may then be short while `next` goes on.

use serde::Serialize;
use xunge_client_core::model::{CaseId, CategoryRef, LocalDay, Mode, OrgCode};
use xunge_client_core::workflow::State;

use super::query::Query;
use super::{CaseItem, ITEM_COLUMNS, item};
use crate::domain::scope::{Keys, Scope};
use crate::params;
use crate::store::{StoreError, Tx};

/// Which end of the list comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As lists are read.
    #[default]
    NewestFirst,
    /// As a review queue is worked off.
    OldestFirst,
}

/// What to list.
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
    /// Only this cell grid.
    pub grid: Option<OrgCode>,
    /// Received on this local day or later.
    pub from: Option<LocalDay>,
    /// Received on this local day or earlier.
    pub to: Option<LocalDay>,
    /// Only cases that were sent back, or only those that were not.
    pub sent_back: Option<bool>,
    /// Words in description or place; a case number or id finds that case.
    pub q: Option<String>,
    /// Which end comes first.
    pub order: Order,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Most cases on the page, 1 to 200.
    pub limit: usize,
}

/// The key of the last case of a page, written `received_at.id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub(super) received_at: i64,
    pub(super) id: CaseId,
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
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
    let newest_first = filter.order == Order::NewestFirst;
    let mut items: Vec<CaseItem> = Vec::new();
    let mut more = false;
    // Where the search for words of the least far branch stopped.
    let mut scanned_to: Option<Cursor> = None;
    for query in Query::all(scope, district, filter) {
        let rows = tx.query(&query.sql(filter, false), &query.params(filter)).await?;
        more |= rows.len() > filter.limit;
        for row in &rows {
            items.push(item(row)?);
        }
        if filter.q.is_some()
            && let Some(row) = tx.query(&query.sql(filter, true), &query.params(filter)).await?.first()
        {
            let end = Cursor { received_at: row.int(0)?, id: CaseId::from_bytes(row.array(1)?) };
            scanned_to =
                Some(scanned_to.map_or(end, |least| if newest_first { least.max(end) } else { least.min(end) }));
        }
    }
    items.sort_by_key(CaseItem::cursor);
    if newest_first {
        items.reverse();
    }
    items.dedup_by_key(|item| item.id);
    if let Some(end) = scanned_to {
        // What lies behind the end of any branch's search is found again by the next page, in order.
        items.retain(|item| if newest_first { item.cursor() >= end } else { item.cursor() <= end });
    }
    more |= items.len() > filter.limit;
    items.truncate(filter.limit);
    let next = match (more && items.len() == filter.limit, scanned_to) {
        (true, _) => items.last().map(CaseItem::cursor),
        (false, end) => end,
    };
    Ok(Page { items, next: next.map(|cursor| cursor.to_string()) })
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

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
