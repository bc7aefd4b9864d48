//! Opening SQLite so that "saved" means saved.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::StoreError;

/// How long a write waits for another process; a sync transaction of a full page takes well under a second.
const BUSY_MS: u32 = 10_000;

/// Statements kept prepared; the whole store has fewer different ones.
const STATEMENT_CACHE: usize = 128;

/// Opens or creates a database file.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    let connection = Connection::open(path)?;
    // A flush of the log at every commit: with NORMAL a power cut may take back a change that was already sent.
    connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Emptying the log at every close would cost a one-command process three more flushes than its save.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    prepare(connection)
}

/// Opens a database in memory.
pub(super) fn in_memory() -> Result<Connection, StoreError> {
    prepare(Connection::open_in_memory()?)
}

fn prepare(connection: Connection) -> Result<Connection, StoreError> {
    connection.busy_timeout(std::time::Duration::from_millis(BUSY_MS.into()))?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // Deleted rows hold places and words of people.
    connection.pragma_update(None, "secure_delete", "FAST")?;
    // Plans that do not depend on values: otherwise SQLite compiles a kept statement anew for every new value.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    Ok(connection)
}

/// Moves the log into the file and truncates it; false if another reader keeps part of the log.
pub(super) fn checkpoint(connection: &Connection) -> Result<bool, StoreError> {
    // Answers a row: busy, pages, moved.
    let busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(!busy)
}

/// Takes out of the log what a commit that failed may have left there; best effort, the failure was told already.
///
/// Its rows can lie there whole although flushing them failed. Whoever opens the database next would take them for
/// committed and write behind them, and a power cut would then take all of it.
pub(super) fn forget_failed(connection: &Connection) {
    let _ = checkpoint(connection);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_that_another_process_still_reads_is_not_said_to_be_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("phone.db");
        let (one, other) = (open(&path).unwrap(), open(&path).unwrap());
        one.busy_timeout(std::time::Duration::ZERO).unwrap();
        one.execute_batch("CREATE TABLE word (text TEXT)").unwrap();
        other.execute_batch("BEGIN; SELECT * FROM word").unwrap();
        one.execute_batch("INSERT INTO word VALUES ('a')").unwrap();
        assert!(!checkpoint(&one).unwrap());
        other.execute_batch("COMMIT").unwrap();
        assert!(checkpoint(&one).unwrap());
    }
}
