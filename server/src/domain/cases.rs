//! Cases as offices and programs see them: the list, one case, its events.

mod detail;
mod fill;
mod lead;
mod list;
mod plan;
mod points;
mod query;
pub mod saved;
pub(crate) mod search;

use serde::Serialize;
use xunge_client_core::model::CaseId;

use crate::store::{Row, StoreError};

pub use detail::{CaseDetail, EventView, PhotoView, detail, events};
pub use fill::fill_blocking;
pub use list::{Brief, Cursor, Due, EXAMINED, Filter, Order, Page, Without, every, list};
pub use points::{Pin, pins};
pub use search::{SEARCHABLE, is_searchable};

/// How many photos a case names, and how many have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PhotoCount {
    /// Named.
    pub expected: u32,
    /// Here.
    pub present: u32,
}

/// A void of a case that may still be taken back and has decided nothing yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct HeldVoid {
    /// User who voided it.
    pub by: String,
    /// When it takes effect, Unix milliseconds.
    pub due_at: i64,
}

/// A case in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct CaseItem {
    /// Its id.
    #[schema(value_type = String)]
    pub id: CaseId,
    /// 案卷号, once filed.
    pub case_no: Option<String>,
    /// State code.
    pub state: String,
    /// Mode as decided.
    pub mode: Option<String>,
    /// Mode as claimed.
    pub mode_claim: String,
    /// Category as decided, until then as claimed: `scheme:kind:code`.
    pub category: Option<String>,
    /// Reporting unit.
    pub unit: Option<String>,
    /// Reviewing office.
    pub office: Option<String>,
    /// Handling unit.
    pub handler: Option<String>,
    /// Cell grid.
    pub grid: Option<String>,
    /// User who reported.
    pub reporter: String,
    /// When the server received it, Unix milliseconds.
    pub received_at: i64,
    /// When the problem was found, by the reporter's clock.
    pub discovered_at: Option<i64>,
    /// When it was filed.
    pub filed_at: Option<i64>,
    /// When it was closed.
    pub closed_at: Option<i64>,
    /// Deadline for handling, also after it was handled.
    pub due_at: Option<i64>,
    /// The same while it runs: dispatched, not handled, not paused.
    pub deadline_at: Option<i64>,
    /// Ledger version.
    pub version: u32,
    /// Photos named and arrived.
    pub photos: PhotoCount,
    /// What looked odd, and `late_edit` for facts edited after the decision.
    pub flags: Vec<String>,
    /// Sent back (退回补充): waits for its reporter.
    pub sent_back: bool,
    /// Description, place and remarks, as they are searched: in lower case, a line each.
    pub text: String,
    /// A void that waits; left out where none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_void: Option<HeldVoid>,
}

impl CaseItem {
    /// Where this case stands in a list by time of receipt.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.received_at, id: self.id }
    }
}

/// The columns to select for [`item`].
pub(crate) const ITEM_COLUMNS: &str = "id, case_no, state, mode, mode_claim, category, unit, office, handler, grid, \
     reporter, received_at, discovered_at, filed_at, closed_at, due_at, version, photos_expected, photos_present, \
     flags, late_edited_at, sent_back, text, deadline_at, \
     (SELECT h.user_id FROM held_void AS h WHERE h.case_id = id), \
     (SELECT h.due_at FROM held_void AS h WHERE h.case_id = id)";

/// Number of columns in [`ITEM_COLUMNS`].
pub(crate) const ITEM_WIDTH: usize = 26;

/// Reads an item from a row that selects [`ITEM_COLUMNS`] first.
pub(crate) fn item(row: &Row) -> Result<CaseItem, StoreError> {
    let text = |index| row.opt_text(index).map(|text| text.filter(|text| !text.is_empty()).map(str::to_owned));
    let count = |index| row.int(index).map(|n| u32::try_from(n).unwrap_or(0));
    let mut flags: Vec<String> = serde_json::from_str(row.text(19)?).unwrap_or_default();
    if row.opt_int(20)?.is_some() {
        flags.push("late_edit".to_owned());
    }
    Ok(CaseItem {
        id: CaseId::from_bytes(row.array(0)?),
        case_no: text(1)?,
        state: row.text(2)?.to_owned(),
        mode: text(3)?,
        mode_claim: row.text(4)?.to_owned(),
        category: text(5)?,
        unit: text(6)?,
        office: text(7)?,
        handler: text(8)?,
        grid: text(9)?,
        reporter: row.text(10)?.to_owned(),
        received_at: row.int(11)?,
        discovered_at: row.opt_int(12)?,
        filed_at: row.opt_int(13)?,
        closed_at: row.opt_int(14)?,
        due_at: row.opt_int(15)?,
        version: count(16)?,
        photos: PhotoCount { expected: count(17)?, present: count(18)? },
        flags,
        sent_back: row.bool(21)?,
        text: row.text(22)?.to_owned(),
        deadline_at: row.opt_int(23)?,
        held_void: match (row.opt_text(24)?, row.opt_int(25)?) {
            (Some(by), Some(due_at)) => Some(HeldVoid { by: by.to_owned(), due_at }),
            _ => None,
        },
    })
}
