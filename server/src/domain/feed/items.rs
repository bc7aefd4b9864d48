//! Reads what a feed row tells of: events without their chain, bodies of changes.

use std::collections::BTreeSet;

use minicbor::bytes::ByteVec;
use xunge_client_core::doc::FieldDoc;
use xunge_client_core::model::{CaseId, ChangeHash, DeviceId};
use xunge_client_core::wire::{FeedItem, WireEvent};
use xunge_client_core::workflow::apply;

use crate::domain::ledger::{self, EVENT_COLUMNS};
use crate::params;
use crate::store::{Row, StoreError, Tx};

/// A row of the feed.
#[derive(Debug)]
pub(super) struct FeedRow {
    pub(super) case: CaseId,
    pub(super) submit: bool,
    pub(super) version: Option<i64>,
    pub(super) changes: Vec<ChangeHash>,
    pub(super) origin: Option<DeviceId>,
}

/// Reads the row at a position.
pub(super) async fn row(tx: &mut dyn Tx, district: &str, position: i64) -> Result<FeedRow, StoreError> {
    const SQL: &str =
        "SELECT case_id, kind, version, changes, origin_device FROM feed WHERE district = ?1 AND position = ?2";
    let row = tx.query_one(SQL, params![district, position]).await?;
    let changes = row.opt_blob(3)?.unwrap_or_default();
    Ok(FeedRow {
        case: CaseId::from_bytes(row.array(0)?),
        submit: row.text(1)? == "submit",
        version: row.opt_int(2)?,
        changes: ChangeHash::split(changes).ok_or_else(|| StoreError::Check { what: "feed.changes".to_owned() })?,
        origin: row.opt_array(4)?.map(DeviceId::from_bytes),
    })
}

/// Where a case stands, as far as its visibility goes.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) open: bool,
    pub(super) own: bool,
    /// Reported by this person, and so never purged from their phones.
    pub(super) reported: bool,
    pub(super) visible: bool,
    pub(super) version: i64,
    pub(super) touched_at: i64,
}

/// Asks whether a person with these keys sees a case now. The same rule as [`super::audience::keys`], on columns.
pub(super) async fn standing(tx: &mut dyn Tx, case: CaseId, keys: &[String]) -> Result<Standing, StoreError> {
    const SQL: &str =
        "SELECT state, grid, reporter, holder, task_user, updated_at, version FROM case_row WHERE id = ?1";
    let row = tx.query_one(SQL, params![case.as_bytes()]).await?;
    let open = !matches!(row.text(0)?, "closed" | "void");
    let own_key = keys.first().map(String::as_str).unwrap_or_default();
    let is_me = |user: Option<&str>| user.is_some_and(|user| own_key.strip_prefix("u:") == Some(user));
    let reported = is_me(row.opt_text(2)?);
    let own = reported || is_me(row.opt_text(3)?) || is_me(row.opt_text(4)?);
    let grid = row.text(1)?;
    let in_grid = open && keys.iter().skip(1).any(|key| key.strip_prefix("g:") == Some(grid));
    Ok(Standing { open, own, reported, visible: own || in_grid, version: row.int(6)?, touched_at: row.int(5)? })
}

/// The version with which a case last came into the view of a person with these keys; 0 if it never did.
pub(super) async fn came_into_view(tx: &mut dyn Tx, case: CaseId, keys: &[String]) -> Result<i64, StoreError> {
    let sql = format!("SELECT {EVENT_COLUMNS} FROM case_event WHERE case_id = ?1 ORDER BY version");
    let (mut ledger, mut seen, mut came) = (None, false, 0);
    for row in tx.query(&sql, params![case.as_bytes()]).await? {
        let next = apply(ledger, &ledger::event(&row, 0)?)
            .map_err(|error| StoreError::Check { what: format!("case {case}: {error}") })?;
        let sees = super::audience::sees(keys, &next);
        if sees && !seen {
            came = i64::from(next.version);
        }
        (ledger, seen) = (Some(next), sees);
    }
    Ok(came)
}

/// An item and about how many bytes it is.
#[derive(Debug)]
pub(super) struct Weighed {
    pub(super) item: FeedItem,
    pub(super) bytes: usize,
}

impl Weighed {
    pub(super) fn new(case: CaseId) -> Self {
        Self { item: FeedItem { case, events: Vec::new(), changes: Vec::new() }, bytes: 24 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.item.events.is_empty() && self.item.changes.is_empty()
    }

    fn push_change(&mut self, body: Vec<u8>) {
        self.bytes += body.len() + 3;
        self.item.changes.push(body.into());
    }

    /// Adds one event.
    pub(super) async fn add_event(&mut self, tx: &mut dyn Tx, version: i64) -> Result<(), StoreError> {
        let case = self.item.case;
        let row = tx.query_one(ONE_EVENT, params![case.as_bytes(), version]).await?;
        self.push_event(&row)
    }

    /// Adds changes by name.
    pub(super) async fn add_changes(&mut self, tx: &mut dyn Tx, hashes: &[ChangeHash]) -> Result<(), StoreError> {
        let case = self.item.case;
        for hash in hashes {
            let sql = "SELECT bytes FROM change_row WHERE case_id = ?1 AND hash = ?2";
            let row = tx.query_one(sql, params![case.as_bytes(), hash.as_bytes()]).await?;
            self.push_change(row.blob(0)?.to_vec());
        }
        Ok(())
    }

    /// Adds everything: all events, except the report itself if the phone knows it as sent, and all changes but those
    /// it has just brought.
    pub(super) async fn add_all(
        &mut self,
        tx: &mut dyn Tx,
        brought: &BTreeSet<ChangeHash>,
        knows_report: bool,
    ) -> Result<(), StoreError> {
        let case = self.item.case;
        for row in tx.query(ALL_EVENTS, params![case.as_bytes()]).await? {
            if !(knows_report && row.int(0)? == 1) {
                self.push_event(&row)?;
            }
        }
        let row = tx.query_opt("SELECT snapshot FROM doc WHERE case_id = ?1", params![case.as_bytes()]).await?;
        let Some(row) = row else { return Ok(()) };
        // The document knows the causal order; rows lie in the order of their hashes.
        let doc = FieldDoc::load(row.blob(0)?).map_err(|error| StoreError::Check { what: error.to_string() })?;
        for (hash, body) in doc.change_bodies_since(&[]) {
            if !brought.contains(&hash) {
                self.push_change(body);
            }
        }
        Ok(())
    }

    /// Writes an event's JSON around the stored payload: what a phone reads as [`xunge_client_core::workflow::Event`].
    fn push_event(&mut self, row: &Row) -> Result<(), StoreError> {
        let version = row.int(0)?;
        let from = row.opt_text(5)?.map_or("null".to_owned(), |state| format!("\"{state}\""));
        let json = format!(
            r#"{{"version":{version},"verb":"{}","actor":{},"role":"{}","at":{},"from":{from},"to":"{}","payload":{}}}"#,
            row.text(1)?,
            serde_json::Value::from(row.text(2)?),
            row.text(3)?,
            row.int(4)?,
            row.text(6)?,
            row.text(7)?,
        );
        self.bytes += json.len() + 8;
        let version =
            u32::try_from(version).map_err(|_| StoreError::Check { what: "case_event.version".to_owned() })?;
        self.item.events.push(WireEvent { version, event: ByteVec::from(json.into_bytes()) });
        Ok(())
    }
}

const ONE_EVENT: &str = "SELECT version, verb, actor, role, at, from_state, to_state, payload FROM case_event
    WHERE case_id = ?1 AND version = ?2";
const ALL_EVENTS: &str = "SELECT version, verb, actor, role, at, from_state, to_state, payload FROM case_event
    WHERE case_id = ?1 ORDER BY version";
