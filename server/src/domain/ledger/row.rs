//! The projection row of a case: what lists show and filter by. Always equal to a fold of its events.

use std::collections::BTreeSet;

use xunge_client_core::model::{CaseId, CategoryRef, ChangeHash, CoordSys, OrgCode, OrgLevel, PhotoRole, Point};
use xunge_client_core::workflow::{Ledger, Refusal};

use super::{Case, LedgerError};
use crate::domain::cases::search;
use crate::domain::clocks;
use crate::domain::work::Work;
use crate::params;
use crate::store::chain::Hash;
use crate::store::{StoreError, Tx, Value};

/// The columns that follow the facts and not the ledger.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Heads of the field document.
    pub heads: Vec<ChangeHash>,
    /// Description, place, remarks and supplements in lower case, for searching.
    pub text: String,
    /// The category as the facts claim it now.
    pub category: Option<CategoryRef>,
    /// Where, in WGS-84.
    pub point: Option<Point>,
    /// The facts name an after photo.
    pub has_after: bool,
    /// Photos the facts name.
    pub photos_expected: u32,
    /// Those whose bytes are here.
    pub photos_present: u32,
}

impl Facts {
    /// The columns for these facts; photos are counted as absent.
    pub fn of(heads: Vec<ChangeHash>, facts: &xunge_client_core::model::Facts) -> Self {
        Self {
            heads,
            text: words(facts),
            category: facts.category_claim.clone(),
            point: facts.point.map(|point| point.to_wgs84(facts.coord_sys.unwrap_or(CoordSys::Wgs84))),
            has_after: facts.photos_with(PhotoRole::After).next().is_some(),
            photos_expected: facts.photos.len() as u32,
            photos_present: 0,
        }
    }
}

/// What a case is found by, a line each.
fn words(facts: &xunge_client_core::model::Facts) -> String {
    let mut text = format!("{}\n{}", facts.description, facts.location_text).trim().to_lowercase();
    for remark in facts.remarks.values().chain(facts.supplements.values()) {
        text.push('\n');
        text.push_str(&remark.text.to_lowercase());
    }
    text
}

/// Reads the JSON of a ledger.
pub(crate) fn ledger(json: &str) -> Result<Ledger, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Check { what: format!("case_row.ledger: {error}") })
}

/// Reads heads stored end to end.
pub(crate) fn heads(bytes: &[u8]) -> Result<Vec<ChangeHash>, StoreError> {
    ChangeHash::split(bytes).ok_or_else(|| StoreError::Check { what: "heads".to_owned() })
}

/// Columns that follow the ledger and may change, in the order of [`changing`].
macro_rules! changing_columns {
    () => {
        "state, version, case_no, mode_claim, mode, category, category_final, office, street, community, grid, handler, \
         level, task_user, holder, filed_at, closed_at, void_reason, due_at, flags, sent_back, master_case, \
         event_hash, ledger, deadline_at, appealed_at"
    };
}

/// Columns that follow the ledger and never change, in the order of [`fixed`].
macro_rules! fixed_columns {
    () => {
        "unit, reporter, source, received_at, received_day, discovered_at"
    };
}

pub(crate) const CHANGING_COLUMNS: &str = changing_columns!();
pub(crate) const FIXED_COLUMNS: &str = fixed_columns!();

/// Inserts the row of a new case, with its place among all cases and the words it is found by.
pub async fn insert(
    tx: &mut dyn Tx,
    work: &Work,
    id: CaseId,
    ledger: &Ledger,
    facts: &Facts,
    hash: &Hash,
) -> Result<(), StoreError> {
    const SQL: &str = concat!(
        "INSERT INTO case_row (",
        changing_columns!(),
        ", ",
        fixed_columns!(),
        ", id, district, updated_at, has_after, photos_expected, photos_present, heads, text, lon_e6, lat_e6,
         category_claim, ordinal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17,
         ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, ?38, ?39,
         ?40, ?41, ?42, ?43, ?44)"
    );
    let ordinal = search::next_ordinal(tx, ledger.received_at).await?;
    let mut params = changing(ledger, hash);
    params.extend(fixed(ledger));
    params.extend([
        Value::from(id.as_bytes()),
        Value::from(&work.district),
        Value::from(work.now.0),
        Value::from(facts.has_after),
        Value::from(facts.photos_expected),
        Value::from(facts.photos_present),
        Value::from(ChangeHash::concat(&facts.heads)),
        Value::from(&facts.text),
        Value::from(facts.point.map(|point| point.lon_e6)),
        Value::from(facts.point.map(|point| point.lat_e6)),
        Value::from(facts.category.as_ref().map(ToString::to_string).unwrap_or_default()),
        Value::from(ordinal),
    ]);
    tx.execute(SQL, &params).await?;
    let grams = search::of_case(&facts.text, ledger.case_no.as_deref());
    search::replace(tx, ordinal, &BTreeSet::new(), &grams).await
}

/// Moves the row on, if it is still where the step began.
pub(super) async fn update(
    tx: &mut dyn Tx,
    work: &Work,
    case: &Case,
    ledger: &Ledger,
    hash: &Hash,
) -> Result<(), LedgerError> {
    const SQL: &str = concat!(
        "UPDATE case_row SET (",
        changing_columns!(),
        ", updated_at) = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
         ?21, ?22, ?23, ?24, ?25, ?26, CASE WHEN updated_at > ?27 THEN updated_at ELSE ?27 END)
         WHERE id = ?28 AND version = ?29"
    );
    let mut params = changing(ledger, hash);
    params.extend([Value::from(work.now.0), Value::from(case.id.as_bytes()), Value::from(case.ledger.version)]);
    match tx.execute(SQL, &params).await? {
        1 => Ok(numbered(tx, case, ledger).await?),
        _ => Err(Refusal::StaleVersion { state: Some(case.ledger.state), version: case.ledger.version }.into()),
    }
}

/// A case that got its number is found by it.
async fn numbered(tx: &mut dyn Tx, case: &Case, ledger: &Ledger) -> Result<(), StoreError> {
    if case.ledger.case_no == ledger.case_no {
        return Ok(());
    }
    let (text, ordinal) = searched(tx, case.id).await?;
    let grams = |ledger: &Ledger| search::of_case(&text, ledger.case_no.as_deref());
    search::replace(tx, ordinal, &grams(&case.ledger), &grams(ledger)).await
}

/// Moves the words a case is found by; before the row's text is written.
pub(crate) async fn reworded(tx: &mut dyn Tx, case: &Case, text: &str) -> Result<(), StoreError> {
    let (before, ordinal) = searched(tx, case.id).await?;
    if before == text {
        return Ok(());
    }
    let grams = |text: &str| search::of_case(text, case.ledger.case_no.as_deref());
    search::replace(tx, ordinal, &grams(&before), &grams(text)).await
}

/// Text and ordinal of a case as its row has them.
async fn searched(tx: &mut dyn Tx, id: CaseId) -> Result<(String, i64), StoreError> {
    let row = tx.query_one("SELECT text, ordinal FROM case_row WHERE id = ?1", params![id.as_bytes()]).await?;
    Ok((row.text(0)?.to_owned(), row.int(1)?))
}

/// The values of [`CHANGING_COLUMNS`] that a ledger gives.
pub(crate) fn changing(ledger: &Ledger, hash: &Hash) -> Vec<Value> {
    let at = |level| ledger.grid.as_ref().and_then(|grid| grid.at(level)).map(|code| code.to_string());
    let category = |key: Option<&CategoryRef>| key.map(ToString::to_string);
    vec![
        Value::from(ledger.state.code()),
        Value::from(ledger.version),
        Value::from(ledger.case_no.clone()),
        Value::from(ledger.mode_claim.code()),
        Value::from(ledger.mode.map(|mode| mode.code())),
        Value::from(category(ledger.counted_category()).unwrap_or_default()),
        Value::from(category(ledger.category.as_ref())),
        Value::from(code(ledger.office.as_ref())),
        Value::from(at(OrgLevel::Street).unwrap_or_default()),
        Value::from(at(OrgLevel::Community).unwrap_or_default()),
        Value::from(code(ledger.grid.as_ref())),
        Value::from(ledger.handler.as_ref().map(|unit| unit.as_str())),
        Value::from(ledger.level.code()),
        Value::from(ledger.task.as_ref().map(|task| &task.assignee)),
        Value::from(ledger.holder.as_ref()),
        Value::from(ledger.filed_at.map(|at| at.0)),
        Value::from(ledger.closed_at.map(|at| at.0)),
        Value::from(ledger.void_reason.map(|reason| reason.code())),
        Value::from(ledger.due_at.map(|at| at.0)),
        Value::from(serde_json::to_string(&ledger.flags).expect("texts are always JSON")),
        Value::from(ledger.needs_more.is_some()),
        Value::from(ledger.master_case_id.map(|id| id.to_string())),
        Value::from(hash),
        Value::from(serde_json::to_string(ledger).expect("a ledger is plain data")),
        Value::from(clocks::running_deadline(ledger).map(|at| at.0)),
        Value::from(ledger.appeal.as_ref().map(|appeal| appeal.at.0)),
    ]
}

/// The values of [`FIXED_COLUMNS`] that a ledger gives.
pub(crate) fn fixed(ledger: &Ledger) -> Vec<Value> {
    vec![
        Value::from(code(ledger.unit.as_ref())),
        Value::from(&ledger.reporter),
        Value::from(ledger.source.code()),
        Value::from(ledger.received_at.0),
        Value::from(ledger.received_at.local_day().to_string()),
        Value::from(ledger.discovered_at.map(|at| at.0)),
    ]
}

fn code(code: Option<&OrgCode>) -> &str {
    code.map(OrgCode::as_str).unwrap_or_default()
}
