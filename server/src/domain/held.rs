//! Voids that may still be taken back (待生效的作废).
//!
//! The ledger only grows, and only the duty leader may reinstate a void. So a void from the console is first held for
//! [`HOLD_MS`]: a row beside the ledger that its author may delete. When it is due, the server carries it out with the
//! version its author judged and under the idempotency key of the form: in one transaction the row goes and the event
//! comes, so a crash loses neither and repeats nothing.
//!
//! A held void decides nothing. The case is reported until it is carried out, and whoever decides meanwhile, at a desk,
//! through the API or on a phone, decides: the row goes, and its author is told.

use std::collections::BTreeSet;

use xunge_client_core::model::{CaseId, Millis, Sha256};
use xunge_client_core::workflow::{Command, Payload, Verb};

use super::commands::{self, CommandError, Key, Wish};
use super::people::Viewer;
use super::scope::{Keys, Scope};
use super::services::Services;
use crate::params;
use crate::store::{Row, StoreError, Tx};

/// How long a void may be taken back: long enough to see that it was the wrong key.
pub const HOLD_MS: i64 = 10_000;

/// A void that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The case.
    pub case: CaseId,
    /// User who voided it.
    pub user: String,
    /// Their name.
    pub name: String,
    /// Category of the case, `scheme:kind:code`, as it is counted; empty if it has none.
    pub category: String,
    /// Its case number, if it has one.
    pub case_no: Option<String>,
    /// When it takes effect.
    pub due_at: Millis,
}

impl Held {
    /// Whole seconds until it takes effect; 0 once it is due.
    pub fn seconds_left(&self, now: Millis) -> i64 {
        (self.due_at.0.saturating_sub(now.0).max(0) + 999) / 1_000
    }
}

/// Why a void was not held.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    /// It could not be done at once either.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// Somebody else's void of the case waits already.
    #[error("{} holds a void of this case", .0.user)]
    Other(Held),
}

impl From<StoreError> for HoldError {
    fn from(error: StoreError) -> Self {
        Self::Command(error.into())
    }
}

/// Holds a void. A repeat of the same form changes nothing; another void of the same author takes its place.
///
/// # Errors
/// [`HoldError`]; nothing was written then. What the workflow would refuse is refused now and not in ten seconds.
pub async fn hold(services: &Services, viewer: &Viewer, wish: Wish) -> Result<(), HoldError> {
    let (viewer, shared, now) = (viewer.clone(), services.directory.clone(), services.business.now());
    services
        .store
        .write::<_, HoldError, _>(move |tx| {
            Box::pin(async move {
                if commands::repeated(tx, &viewer.user, &wish.key).await?.is_some() {
                    return Ok(());
                }
                let directory = shared.get(tx).await?;
                let command = Command::new(wish.verb, wish.payload).at_version(wish.expected_version);
                commands::would(tx, &directory, &viewer, wish.case, &command, now).await?;
                if let Some(other) = of_case(tx, wish.case).await?.filter(|held| held.user != viewer.user) {
                    return Err(HoldError::Other(other));
                }
                let payload = serde_json::to_string(&command.payload).expect("a payload is plain data");
                let due = now.plus_ms(HOLD_MS);
                tx.execute(
                    "INSERT INTO held_void (case_id, user_id, version, payload, key, route, body_hash, held_at, due_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (case_id) DO UPDATE SET
                     version = excluded.version, payload = excluded.payload, key = excluded.key,
                     route = excluded.route, body_hash = excluded.body_hash,
                     due_at = CASE WHEN held_void.key = excluded.key THEN held_void.due_at ELSE excluded.due_at END",
                    params![
                        wish.case.as_bytes(),
                        &viewer.user,
                        wish.expected_version,
                        payload,
                        &wish.key.key,
                        &wish.key.route,
                        wish.key.body.as_bytes(),
                        now.0,
                        due.0
                    ],
                )
                .await?;
                Ok(())
            })
        })
        .await?;
    services.held.notify_one();
    Ok(())
}

/// Takes one's own void back; false if it has taken effect, was overtaken, or never was.
pub async fn take_back(services: &Services, user: &str, case: CaseId) -> Result<bool, StoreError> {
    let user = user.to_owned();
    let sql = "DELETE FROM held_void WHERE case_id = ?1 AND user_id = ?2";
    let deleted = services.store.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move { tx.execute(sql, params![case.as_bytes(), &user]).await })
    });
    Ok(deleted.await? > 0)
}

const COLUMNS: &str = "SELECT h.case_id, h.user_id, COALESCE(u.name, h.user_id), c.category, c.case_no, h.due_at
    FROM held_void h JOIN case_row c ON c.id = h.case_id LEFT JOIN user_account u ON u.id = h.user_id";

fn read(row: &Row) -> Result<Held, StoreError> {
    Ok(Held {
        case: CaseId::from_bytes(row.array(0)?),
        user: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        category: row.text(3)?.to_owned(),
        case_no: row.opt_text(4)?.map(str::to_owned),
        due_at: Millis(row.int(5)?),
    })
}

/// Every void that waits, the first to take effect first. There are as many as reviewers void in ten seconds.
pub async fn all(tx: &mut dyn Tx) -> Result<Vec<Held>, StoreError> {
    let rows = tx.query(&format!("{COLUMNS} ORDER BY h.due_at, h.case_id"), params![]).await?;
    rows.iter().map(read).collect()
}

/// Those of them whose case lies in a scope.
pub async fn within(tx: &mut dyn Tx, scope: &Scope, all: Vec<Held>) -> Result<Vec<Held>, StoreError> {
    let sql = format!("SELECT {} FROM case_row WHERE id = ?1", Keys::COLUMNS);
    let mut found = Vec::new();
    for held in all {
        let row = tx.query_one(&sql, params![held.case.as_bytes()]).await?;
        if scope.covers(&Keys::read(&row, 0)?) {
            found.push(held);
        }
    }
    Ok(found)
}

/// The void of a case that waits.
pub async fn of_case(tx: &mut dyn Tx, case: CaseId) -> Result<Option<Held>, StoreError> {
    let row = tx.query_opt(&format!("{COLUMNS} WHERE h.case_id = ?1"), params![case.as_bytes()]).await?;
    row.as_ref().map(read).transpose()
}

/// Drops the held void of a case that `user` has just decided on; its author, if another, will be told.
pub(super) async fn overtaken(tx: &mut dyn Tx, case: CaseId, user: &str, now: Millis) -> Result<(), StoreError> {
    let sql = "DELETE FROM held_void WHERE case_id = ?1 RETURNING user_id";
    let Some(row) = tx.query_opt(sql, params![case.as_bytes()]).await? else { return Ok(()) };
    let author = row.text(0)?;
    if author == user { Ok(()) } else { dropped(tx, author, case, now).await }
}

async fn dropped(tx: &mut dyn Tx, author: &str, case: CaseId, now: Millis) -> Result<(), StoreError> {
    let sql = "INSERT INTO dropped_void (user_id, case_id, at) VALUES (?1, ?2, ?3)
        ON CONFLICT (user_id, case_id) DO UPDATE SET at = excluded.at";
    tx.execute(sql, params![author, case.as_bytes(), now.0]).await?;
    Ok(())
}

/// The cases whose voids came to nothing and whose author has not been told.
pub async fn to_tell(tx: &mut dyn Tx, user: &str) -> Result<BTreeSet<CaseId>, StoreError> {
    let rows = tx.query("SELECT case_id FROM dropped_void WHERE user_id = ?1", params![user]).await?;
    rows.iter().map(|row| Ok(CaseId::from_bytes(row.array(0)?))).collect()
}

/// Notes that the author was told of these.
pub async fn told(services: &Services, user: &str, cases: BTreeSet<CaseId>) -> Result<(), StoreError> {
    let user = user.to_owned();
    let sql = "DELETE FROM dropped_void WHERE user_id = ?1 AND case_id = ?2";
    let write = services.store.write::<(), StoreError, _>(move |tx| {
        Box::pin(async move {
            for case in &cases {
                tx.execute(sql, params![&user, case.as_bytes()]).await?;
            }
            Ok(())
        })
    });
    write.await
}

/// Carries out what is due, and gives when the next one is.
///
/// One that fails stays and is tried again by the next call; it keeps no other waiting.
pub async fn carry_out(services: &Services) -> Result<Option<Millis>, StoreError> {
    let now = services.business.now();
    let read = services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let sql = "SELECT case_id FROM held_void WHERE due_at <= ?1 ORDER BY due_at, case_id";
            let rows = tx.query(sql, params![now.0]).await?;
            rows.iter().map(|row| Ok(CaseId::from_bytes(row.array(0)?))).collect::<Result<Vec<_>, _>>()
        })
    });
    for case in read.await? {
        if let Err(error) = one(services, case, now).await {
            tracing::warn!(case.id = %case, error.cause = %error, "a held void could not be carried out");
        }
    }
    let next = services.store.read::<_, StoreError, _>(|tx| {
        Box::pin(async move { tx.query_one("SELECT MIN(due_at) FROM held_void", params![]).await?.opt_int(0) })
    });
    Ok(next.await?.map(Millis))
}

async fn one(services: &Services, case: CaseId, now: Millis) -> Result<(), CommandError> {
    let shared = services.directory.clone();
    let write = services.store.write::<(), CommandError, _>(move |tx| {
        Box::pin(async move {
            let sql = "DELETE FROM held_void WHERE case_id = ?1 AND due_at <= ?2
                RETURNING user_id, version, payload, key, route, body_hash";
            // Taken back, or carried out by another process.
            let Some(row) = tx.query_opt(sql, params![case.as_bytes(), now.0]).await? else { return Ok(()) };
            let user = row.text(0)?;
            // An account closed meanwhile: what its owner did before is still theirs.
            let Some(viewer) = Viewer::load_closed(tx, user).await? else { return Ok(()) };
            let broken = |what: &str| StoreError::Check { what: format!("held_void {case}: {what}") };
            let version = u32::try_from(row.int(1)?).map_err(|_| broken("version"))?;
            let payload: Payload = serde_json::from_str(row.text(2)?).map_err(|_| broken("payload"))?;
            let body = Sha256::from_bytes(row.array(5)?);
            let key = Key { key: row.text(3)?.to_owned(), route: row.text(4)?.to_owned(), body };
            let directory = shared.get(tx).await?;
            let command = Command::new(Verb::Void, payload).at_version(version);
            match commands::within(tx, &directory, &viewer, case, &command, now).await {
                Ok(done) => Ok(commands::remember(tx, user, &key, &commands::answer(&done), now).await?),
                Err(CommandError::Store(failed)) => Err(failed.into()),
                Err(_) => Ok(dropped(tx, user, case, now).await?),
            }
        })
    });
    write.await
}

#[cfg(test)]
#[path = "tests/held.rs"]
mod tests;
