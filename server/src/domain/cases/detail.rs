//! One case with everything known of it, and its events with their chain.

use std::collections::BTreeMap;

use serde::Serialize;
use xunge_client_core::model::{CaseId, Facts, PhotoHash};
use xunge_client_core::workflow::{Event, Ledger, Verb, offers};

use super::{CaseItem, ITEM_COLUMNS, ITEM_WIDTH, item};
use crate::domain::dispatch::{self, Suggestion};
use crate::domain::external::{self, External};
use crate::domain::people::Viewer;
use crate::domain::photos::PREVIEW;
use crate::domain::scope::{Keys, Scope};
use crate::domain::{facts, ledger};
use crate::params;
use crate::store::{StoreError, Tx};

/// A case, fully.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseDetail {
    /// What the list shows.
    #[serde(flatten)]
    pub item: CaseItem,
    /// What the field saw; for a case born at the office what was written down there.
    pub facts: Facts,
    /// Registers two writers set without knowing of each other: every value, the winning one first.
    pub conflicts: BTreeMap<String, Vec<String>>,
    /// Everything decided.
    pub ledger: Ledger,
    /// Its photos.
    pub photo_list: Vec<PhotoView>,
    /// When facts were last edited after the decision.
    pub late_edited_at: Option<i64>,
    /// Numbers other systems gave it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub external: Vec<External>,
    /// Verbs the viewer could use now.
    pub offers: Vec<Verb>,
    /// Which unit to send it to, for whoever may.
    pub suggestion: Option<Suggestion>,
}

/// A photo of a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PhotoView {
    /// Its name.
    pub sha256: PhotoHash,
    /// What it shows.
    pub role: String,
    /// Media type.
    pub mime: String,
    /// Size in bytes.
    pub bytes: i64,
    /// Width in pixels.
    pub w: i64,
    /// Height in pixels.
    pub h: i64,
    /// When it was taken, as stated.
    pub taken_at: Option<i64>,
    /// Its bytes are here.
    pub present: bool,
    /// They are not, but a preview of it is.
    pub preview: bool,
}

/// An event with its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EventView {
    /// The event.
    #[serde(flatten)]
    pub event: Event,
    /// Hash of the event before it, hex.
    pub prev_hash: String,
    /// Its own hash, hex.
    pub hash: String,
}

/// Reads a case; none if it does not exist or lies outside the scope.
pub async fn detail(
    tx: &mut dyn Tx,
    scope: &Scope,
    viewer: &Viewer,
    id: CaseId,
) -> Result<Option<CaseDetail>, StoreError> {
    let sql = format!("SELECT {ITEM_COLUMNS}, {}, ledger FROM case_row WHERE id = ?1", Keys::COLUMNS);
    let Some(row) = tx.query_opt(&sql, params![id.as_bytes()]).await? else { return Ok(None) };
    if !scope.covers(&Keys::read(&row, ITEM_WIDTH)?) {
        return Ok(None);
    }
    let ledger = ledger::row::ledger(row.text(ITEM_WIDTH + 10)?)?;
    let (facts, conflicts) = facts::shown(tx, id, &ledger).await?;
    let offers = offers(Some(&ledger), &viewer.actor());
    let suggestion = if offers.contains(&Verb::Dispatch) {
        dispatch::suggest(&dispatch::rules(tx, row.text(ITEM_WIDTH)?).await?, &ledger)
    } else {
        None
    };
    let conflicts = conflicts.into_iter().map(|conflict| (conflict.field, conflict.values)).collect();
    Ok(Some(CaseDetail {
        item: item(&row)?,
        facts,
        conflicts,
        offers,
        suggestion,
        ledger,
        photo_list: photos(tx, id).await?,
        late_edited_at: row.opt_int(20)?,
        external: external::of_case(tx, id).await?,
    }))
}

async fn photos(tx: &mut dyn Tx, id: CaseId) -> Result<Vec<PhotoView>, StoreError> {
    let sql = format!(
        "SELECT sha256, role, mime, size_bytes, width, height, taken_at, present,
         CASE WHEN {PREVIEW} IS NULL THEN 0 ELSE 1 END FROM photo WHERE case_id = ?1 ORDER BY role, sha256"
    );
    let rows = tx.query(&sql, params![id.as_bytes()]).await?;
    let view = |row: &crate::store::Row| {
        Ok(PhotoView {
            sha256: PhotoHash::from_bytes(row.array(0)?),
            role: row.text(1)?.to_owned(),
            mime: row.text(2)?.to_owned(),
            bytes: row.int(3)?,
            w: row.int(4)?,
            h: row.int(5)?,
            taken_at: row.opt_int(6)?,
            present: row.bool(7)?,
            preview: row.bool(8)?,
        })
    };
    rows.iter().map(view).collect()
}

/// Reads the events of a case in order; none if it does not exist or lies outside the scope.
pub async fn events(tx: &mut dyn Tx, scope: &Scope, id: CaseId) -> Result<Option<Vec<EventView>>, StoreError> {
    let sql = format!("SELECT {} FROM case_row WHERE id = ?1", Keys::COLUMNS);
    let keys = tx.query_opt(&sql, params![id.as_bytes()]).await?.map(|row| Keys::read(&row, 0)).transpose()?;
    if !keys.is_some_and(|keys| scope.covers(&keys)) {
        return Ok(None);
    }
    let sql = format!("SELECT {} FROM case_event WHERE case_id = ?1 ORDER BY version", ledger::EVENT_COLUMNS);
    let rows = tx.query(&sql, params![id.as_bytes()]).await?;
    let view = |row: &crate::store::Row| {
        Ok::<_, StoreError>(EventView {
            event: ledger::event(row, 0)?,
            prev_hash: hex::encode(row.blob(10)?),
            hash: hex::encode(row.blob(11)?),
        })
    };
    rows.iter().map(view).collect::<Result<_, _>>().map(Some)
}
