//! Numbered migrations, forward only; each is remembered with its checksum.
//!
//! All that are missing run in one transaction: a phone killed half-way has the old database or the new one. A
//! database of a newer app is refused as a whole, because writing into it would lose what that app knows. So is a
//! damaged one: a step that copies or counts rows would leave out what it can not see, and the loss would look like the
//! truth from then on.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior};

use super::StoreError;
use crate::model::Sha256;

/// One step; the text is never edited once released, only followed by another.
pub(super) struct Migration {
    pub(super) number: u32,
    pub(super) sql: &'static str,
}

/// Every step, in order.
pub(super) const ALL: &[Migration] = &[
    Migration { number: 1, sql: include_str!("migrations/0001_first.sql") },
    Migration { number: 2, sql: include_str!("migrations/0002_gone.sql") },
    Migration { number: 3, sql: include_str!("migrations/0003_heard.sql") },
    Migration { number: 4, sql: include_str!("migrations/0004_preview.sql") },
    Migration { number: 5, sql: include_str!("migrations/0005_data_plan.sql") },
    Migration { number: 6, sql: include_str!("migrations/0006_census.sql") },
    Migration { number: 7, sql: include_str!("migrations/0007_retired_category.sql") },
];

/// Brings the database to the newest version of `migrations`.
pub(super) fn run(connection: &mut Connection, migrations: &[Migration]) -> Result<(), StoreError> {
    let known = migrations.last().map_or(0, |last| last.number);
    if is_current(connection, migrations)? {
        return Ok(());
    }
    check_whole(connection)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(
        "CREATE TABLE IF NOT EXISTS migration (number INTEGER PRIMARY KEY, checksum BLOB NOT NULL) STRICT",
    )?;
    let found: u32 = tx.query_row("SELECT COALESCE(MAX(number), 0) FROM migration", [], |row| row.get(0))?;
    if found > known {
        return Err(StoreError::TooNew { found, known });
    }
    for migration in migrations {
        let stored: Option<[u8; 32]> = tx
            .query_row("SELECT checksum FROM migration WHERE number = ?1", [migration.number], |row| row.get(0))
            .optional()?;
        match stored {
            Some(stored) if stored == checksum(migration) => {}
            Some(_) => return Err(StoreError::ForeignMigration { number: migration.number }),
            None => {
                tx.execute_batch(migration.sql)?;
                let values = (migration.number, checksum(migration));
                tx.execute("INSERT INTO migration (number, checksum) VALUES (?1, ?2)", values)?;
            }
        }
    }
    // The number is also in the file's header, so that the usual start reads no table at all.
    tx.pragma_update(None, "user_version", known)?;
    tx.commit()?;
    Ok(())
}

/// Reads every page; only before a migration, since it takes as long as the database is large.
fn check_whole(connection: &Connection) -> Result<(), StoreError> {
    match connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))? {
        whole if whole == "ok" => Ok(()),
        found => Err(StoreError::Damaged(found)),
    }
}

fn is_current(connection: &Connection, migrations: &[Migration]) -> Result<bool, StoreError> {
    let Some(last) = migrations.last() else { return Ok(true) };
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version != last.number {
        return Ok(false);
    }
    let stored: [u8; 32] =
        connection.query_row("SELECT checksum FROM migration WHERE number = ?1", [version], |row| row.get(0))?;
    Ok(stored == checksum(last))
}

fn checksum(migration: &Migration) -> [u8; 32] {
    *Sha256::of(migration.sql.as_bytes()).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Migration = Migration { number: 1, sql: "CREATE TABLE a (x INTEGER) STRICT" };
    const SECOND: Migration = Migration { number: 2, sql: "ALTER TABLE a ADD COLUMN y INTEGER" };
    const BROKEN: Migration = Migration { number: 3, sql: "CREATE TABLE b (x INTEGER) STRICT; SELECT nothing" };

    fn version(connection: &Connection) -> u32 {
        connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_database_is_brought_forward_step_by_step_and_only_once() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[FIRST]).unwrap();
        connection.execute("INSERT INTO a (x) VALUES (7)", []).unwrap();
        run(&mut connection, &[FIRST, SECOND]).unwrap();
        run(&mut connection, &[FIRST, SECOND]).unwrap();
        assert_eq!(version(&connection), 2);
        assert_eq!(connection.query_row("SELECT x FROM a WHERE y IS NULL", [], |row| row.get::<_, i64>(0)), Ok(7));
    }

    #[test]
    fn a_database_of_a_newer_app_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[FIRST, SECOND]).unwrap();
        assert!(matches!(run(&mut connection, &[FIRST]), Err(StoreError::TooNew { found: 2, known: 1 })));
        assert_eq!(version(&connection), 2);
    }

    #[test]
    fn a_migration_that_was_edited_is_noticed() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[FIRST]).unwrap();
        let edited = Migration { number: 1, sql: "CREATE TABLE a (x TEXT) STRICT" };
        assert!(matches!(run(&mut connection, &[edited]), Err(StoreError::ForeignMigration { number: 1 })));
    }

    #[test]
    fn a_migration_that_fails_half_way_leaves_the_old_database() {
        let mut connection = Connection::open_in_memory().unwrap();
        run(&mut connection, &[FIRST]).unwrap();
        assert!(run(&mut connection, &[FIRST, SECOND, BROKEN]).is_err());
        assert_eq!(version(&connection), 1);
        assert!(connection.prepare("SELECT y FROM a").is_err());
    }

    #[test]
    fn a_damaged_database_is_refused_and_not_brought_forward() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let mut connection = Connection::open(&path).unwrap();
        run(&mut connection, &[FIRST]).unwrap();
        connection.execute("INSERT INTO a (x) VALUES (7), (8)", []).unwrap();
        let page: i64 =
            connection.query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'a'", [], |row| row.get(0)).unwrap();
        drop(connection);
        // Two rows become one: nothing that only reads the table would notice.
        let mut bytes = std::fs::read(&path).unwrap();
        let count = (page as usize - 1) * 4096 + 4;
        assert_eq!(bytes[count], 2);
        bytes[count] = 1;
        std::fs::write(&path, bytes).unwrap();
        let mut connection = Connection::open(&path).unwrap();
        assert!(matches!(run(&mut connection, &[FIRST, SECOND]), Err(StoreError::Damaged(_))));
        assert_eq!(version(&connection), 1);
    }

    #[test]
    fn every_released_migration_has_its_number() {
        assert!(ALL.iter().zip(1..).all(|(migration, number)| migration.number == number));
    }
}
