//! The feed: what happened, in the order it was committed. A phone reads it after its cursor.
//!
//! One normal run: a push or a decision collects [`Entry`]s; at the end of its transaction [`append`] takes as many
//! positions as it needs from the district's head, chains the rows and notes whom each concerns. A phone that syncs
//! asks [`page`] for the rows after its cursor that concern it; a new phone first walks the rows by which cases came
//! into its view, newest first ([`snapshot`]).
//!
//! A position is taken inside the event's transaction, so positions appear in commit order: a phone that has
//! everything up to its cursor never misses a row that commits later with a lower number.

pub mod audience;
pub mod census;
#[cfg(test)]
mod census_tests;
mod items;
pub mod lost;
#[cfg(test)]
mod lost_tests;
pub mod page;
pub mod snapshot;
#[cfg(test)]
mod tests;

use xunge_client_core::model::{CaseId, ChangeHash, DeviceId};

use self::audience::Audience;
use crate::params;
use crate::store::chain::{self, Hash};
use crate::store::{StoreError, Tx, Value};

/// Name of the chain, part of every hash.
pub const CHAIN: &str = "feed";

/// What a row tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A report accepted exactly as its phone sent it; that phone is not told again.
    Submit,
    /// A decision.
    Ledger,
    /// Facts alone.
    Changes,
}

impl Kind {
    /// The stored code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Submit => "submit",
            Self::Ledger => "ledger",
            Self::Changes => "changes",
        }
    }
}

/// One thing that happened to one case.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The case.
    pub case: CaseId,
    /// What it tells of.
    pub kind: Kind,
    /// Version and hash of the ledger event, if there was one.
    pub event: Option<(u32, Hash)>,
    /// Accepted changes, each after those it builds on.
    pub changes: Vec<ChangeHash>,
    /// The phone it came from.
    pub origin: Option<DeviceId>,
    /// Whom it concerns.
    pub audience: Audience,
}

/// Appends rows to a district's feed and gives the new head position.
pub async fn append(tx: &mut dyn Tx, district: &str, entries: &[Entry]) -> Result<i64, StoreError> {
    let head = tx
        .query_one(
            "INSERT INTO feed_head (district, position, hash) VALUES (?1, ?2, ?3) ON CONFLICT (district)
             DO UPDATE SET position = feed_head.position + excluded.position RETURNING position, hash",
            params![district, entries.len() as i64, chain::GENESIS],
        )
        .await?;
    let (last, mut hash): (i64, Hash) = (head.int(0)?, head.array(1)?);
    for (position, entry) in (last - entries.len() as i64 + 1..).zip(entries) {
        let previous = hash;
        let mut params = fields(district, position, entry);
        // Whom it concerns lies in another table; hashed with the row, it can not be changed there either.
        params.push(Value::from(entry.audience.to_text()));
        hash = chain::link(CHAIN, &previous, &params);
        params.pop();
        params.extend([Value::from(previous), Value::from(hash)]);
        tx.execute(
            "INSERT INTO feed (district, position, case_id, kind, version, event_hash, changes, origin_device,
             prev_hash, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            &params,
        )
        .await?;
        for (audience, joins) in entry.audience.rows() {
            tx.execute(
                "INSERT INTO feed_audience (district, audience, position, joins) VALUES (?1, ?2, ?3, ?4)",
                params![district, audience, position, joins],
            )
            .await?;
        }
    }
    tx.execute("UPDATE feed_head SET hash = ?2 WHERE district = ?1", params![district, hash]).await?;
    Ok(last)
}

/// What the hash of a row covers beside its audience, in the order of its columns; `verify` hashes the same.
fn fields(district: &str, position: i64, entry: &Entry) -> Vec<Value> {
    let changes = (!entry.changes.is_empty())
        .then(|| entry.changes.iter().flat_map(|hash| *hash.as_bytes()).collect::<Vec<u8>>());
    vec![
        Value::from(district),
        Value::from(position),
        Value::from(entry.case.as_bytes()),
        Value::from(entry.kind.code()),
        Value::from(entry.event.map(|(version, _)| version)),
        Value::from(entry.event.map(|(_, hash)| hash)),
        Value::from(changes),
        Value::from(entry.origin.map(|device| *device.as_bytes())),
    ]
}

/// The newest position of a district; 0 if nothing ever happened there.
pub async fn head(tx: &mut dyn Tx, district: &str) -> Result<i64, StoreError> {
    let rows = tx.query("SELECT position FROM feed_head WHERE district = ?1", params![district]).await?;
    rows.first().map_or(Ok(0), |row| row.int(0))
}
