//! One case that can not be read stops no other.
//!
//! Bit-rot in the rows of a case, or a fault of the document library, shows when somebody works with that case: while
//! everything that waits is collected, while an answer about many cases is applied. What was begun of the case is taken
//! back then, the inspector is shown that something is wrong with it, and the others go on.

use rusqlite::Transaction;

use super::StoreError;
use crate::model::CaseId;

/// The code shown of a case that can not be read.
pub(super) const DAMAGED: &str = "case_damaged";

/// Runs the part of a transaction that is about one case; none if its rows are damaged, and then nothing of the part is
/// written.
pub(super) fn apart<T>(
    tx: &Transaction<'_>,
    case: CaseId,
    part: impl FnOnce() -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    tx.prepare_cached("SAVEPOINT apart")?.execute([])?;
    let done = part();
    if done.is_err() {
        tx.prepare_cached("ROLLBACK TO apart")?.execute([])?;
    }
    tx.prepare_cached("RELEASE apart")?.execute([])?;
    match done {
        Ok(done) => Ok(Some(done)),
        Err(StoreError::Damaged(_)) => {
            // What was to be looked at before says more.
            const SHOW: &str = "UPDATE case_local SET attention = ?2, attention_at = NULL \
                                WHERE id = ?1 AND attention IS NULL";
            tx.prepare_cached(SHOW)?.execute((case.as_bytes(), DAMAGED))?;
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
