//! Bringing a database up to date: forward only, one transaction per migration.
//!
//! Migrations are files that are only ever added. `schema_version` remembers which ones ran and the SHA-256 of their
//! text, so a program with an edited migration is told so instead of working on tables it does not know. Killed half
//! way, a migration has left nothing behind and runs again at the next start. A damaged database is not brought forward:
//! rows that can not be seen would be left out, and a backup from before would be needed anyway.

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::{
    StoreError,
    dialect::{Dialect, split},
    sqlite::connection::{batch, error},
};

/// One file of `migrations/`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Migration {
    pub(super) version: i64,
    name: &'static str,
    pub(super) text: &'static str,
}

/// All migrations, oldest first, versions 1, 2, 3, …
pub(super) const MIGRATIONS: &[Migration] = &[
    Migration { version: 1, name: "0001_foundation.sql", text: include_str!("migrations/0001_foundation.sql") },
    Migration { version: 2, name: "0002_own_day.sql", text: include_str!("migrations/0002_own_day.sql") },
    Migration { version: 3, name: "0003_heard.sql", text: include_str!("migrations/0003_heard.sql") },
    Migration { version: 4, name: "0004_preview.sql", text: include_str!("migrations/0004_preview.sql") },
    Migration { version: 5, name: "0005_dispatch_rule.sql", text: include_str!("migrations/0005_dispatch_rule.sql") },
    Migration { version: 6, name: "0006_held_void.sql", text: include_str!("migrations/0006_held_void.sql") },
    Migration { version: 7, name: "0007_nearby.sql", text: include_str!("migrations/0007_nearby.sql") },
    Migration { version: 8, name: "0008_administration.sql", text: include_str!("migrations/0008_administration.sql") },
    Migration { version: 9, name: "0009_search.sql", text: include_str!("migrations/0009_search.sql") },
    Migration { version: 10, name: "0010_saved_filter.sql", text: include_str!("migrations/0010_saved_filter.sql") },
    Migration { version: 11, name: "0011_numbers.sql", text: include_str!("migrations/0011_numbers.sql") },
    Migration { version: 12, name: "0012_streets.sql", text: include_str!("migrations/0012_streets.sql") },
    Migration { version: 13, name: "0013_maps.sql", text: include_str!("migrations/0013_maps.sql") },
    Migration { version: 14, name: "0014_appeals.sql", text: include_str!("migrations/0014_appeals.sql") },
    Migration {
        version: 15,
        name: "0015_retired_category.sql",
        text: include_str!("migrations/0015_retired_category.sql"),
    },
    Migration { version: 16, name: "0016_external.sql", text: include_str!("migrations/0016_external.sql") },
    Migration { version: 17, name: "0017_phones.sql", text: include_str!("migrations/0017_phones.sql") },
    Migration { version: 18, name: "0018_photo_offer.sql", text: include_str!("migrations/0018_photo_offer.sql") },
];

/// Applies what is missing.
pub(crate) fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    apply(connection, MIGRATIONS)
}

pub(super) fn apply(connection: &mut Connection, migrations: &[Migration]) -> Result<(), StoreError> {
    batch(
        connection,
        "CREATE TABLE IF NOT EXISTS schema_version (
             version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, applied_by TEXT NOT NULL) STRICT",
    )?;
    let (found, known) = check(connection, migrations)?;
    if (1..known).contains(&found) {
        check_whole(connection)?;
    }
    for migration in migrations.iter().filter(|migration| migration.version > found) {
        apply_one(connection, *migration)?;
    }
    Ok(())
}

/// Reads every page; only before a migration, since it takes as long as the database is large.
fn check_whole(connection: &Connection) -> Result<(), StoreError> {
    match connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0)).map_err(error)? {
        whole if whole == "ok" => Ok(()),
        message => Err(StoreError::Corrupt { message }),
    }
}

/// Refuses a database that a newer or a different program built; gives its version and the newest one.
fn check(connection: &Connection, migrations: &[Migration]) -> Result<(i64, i64), StoreError> {
    let known = migrations.last().map_or(0, |last| last.version);
    let found: i64 = connection
        .query_row("SELECT COALESCE(MAX(version), 0) FROM schema_version", [], |row| row.get(0))
        .map_err(error)?;
    if found > known {
        return Err(StoreError::NewerSchema { found, known });
    }
    for migration in migrations {
        if applied(connection, migration.version)?.is_some_and(|checksum| checksum != migration.checksum()) {
            return Err(StoreError::MigrationChanged { name: migration.name.to_owned() });
        }
    }
    Ok((found, known))
}

fn applied(connection: &Connection, version: i64) -> Result<Option<String>, StoreError> {
    match connection.query_row("SELECT checksum FROM schema_version WHERE version = ?1", [version], |row| row.get(0)) {
        Ok(checksum) => Ok(Some(checksum)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(cause) => Err(error(cause)),
    }
}

fn apply_one(connection: &mut Connection, migration: Migration) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(error)?;
    // Asked inside the transaction: another process may just have done it.
    if applied(&transaction, migration.version)?.is_none() {
        for statement in split(migration.text) {
            for sql in Dialect::Sqlite.spell(&statement) {
                batch(&transaction, &sql)?;
            }
        }
        transaction
            .execute(
                "INSERT INTO schema_version (version, name, checksum, applied_by) VALUES (?1, ?2, ?3, ?4)",
                (migration.version, migration.name, migration.checksum(), env!("CARGO_PKG_VERSION")),
            )
            .map_err(error)?;
    }
    transaction.commit().map_err(error)
}

impl Migration {
    /// SHA-256 of the file, in hex. Line ends are made equal first: a checkout may turn them.
    fn checksum(&self) -> String {
        hex::encode(Sha256::digest(self.text.replace("\r\n", "\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Migration = Migration { version: 1, name: "0001_first.sql", text: "CREATE TABLE a (x BIGINT);" };
    const SECOND: Migration =
        Migration { version: 2, name: "0002_second.sql", text: "CREATE TABLE b (x BIGINT);\nDROP TABLE a;" };

    fn tables(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'schema_version' ORDER BY name")
            .unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn migrations_are_numbered_without_gaps_and_apply_to_an_empty_database_once() {
        for (expected, migration) in (1..).zip(MIGRATIONS) {
            assert_eq!(migration.version, expected);
            assert!(migration.name.starts_with(&format!("{expected:04}_")));
        }
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        let first = tables(&connection);
        assert!(first.iter().any(|name| name == "case_event"));
        migrate(&mut connection).unwrap();
        assert_eq!(tables(&connection), first);
    }

    #[test]
    fn months_of_streets_are_made_from_the_counters_that_are_there() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &MIGRATIONS[..11]).unwrap();
        for (grid, filed) in [("640105001001001", 1), ("640105001002001", 2), ("640105002001001", 4), ("", 8)] {
            let sql = "INSERT INTO count_month (district, month, grid, unit, category, s_pending, s_filed,
                s_case_closed, s_void, f_pending, f_filed, f_case_closed, f_void)
                VALUES ('640105', '2023-11', ?1, 'U640105001', 'c', 0, ?2, 0, 0, 0, 0, 0, 100)";
            connection.execute(sql, (grid, filed)).unwrap();
        }
        migrate(&mut connection).unwrap();
        let sql = "SELECT street, month || ' ' || unit || ' ' || category, s_filed, f_void FROM tally_street";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap();
        let rows: Vec<(String, String, i64, i64)> = rows.map(Result::unwrap).collect();
        let key = "2023-11 U640105001 c";
        let expected = [("", 8, 100), ("640105001", 3, 200), ("640105002", 4, 100)];
        assert_eq!(rows, expected.map(|(street, filed, void)| (street.to_owned(), key.to_owned(), filed, void)));
    }

    #[test]
    fn months_and_days_of_a_map_are_made_from_the_counters_that_are_there() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &MIGRATIONS[..12]).unwrap();
        let cells = "s_pending, s_filed, s_case_closed, s_void, f_pending, f_filed, f_case_closed, f_void";
        let rows =
            [("01", "a", "U1", "c", 1), ("01", "a", "U1", "d", 2), ("01", "", "U1", "c", 4), ("02", "a", "U2", "c", 8)];
        for (day, grid, unit, category, filed) in rows {
            let sql = format!(
                "INSERT INTO count_day (district, day, grid, unit, category, {cells})
                 VALUES ('640105', '2023-11-' || ?1, ?2, ?3, ?4, 0, ?5, 0, 0, 0, 0, 0, 100)"
            );
            connection.execute(&sql, (day, grid, unit, category, filed)).unwrap();
        }
        let sums = cells.split(", ").map(|cell| format!("SUM({cell})")).collect::<Vec<_>>().join(", ");
        let months = format!(
            "INSERT INTO tally_grid (district, month, grid, unit, {cells})
             SELECT district, substr(day, 1, 7), grid, unit, {sums} FROM count_day GROUP BY district, 2, grid, unit"
        );
        assert_eq!(connection.execute(&months, []).unwrap(), 3);
        migrate(&mut connection).unwrap();
        let read = |sql: &str| -> Vec<(String, i64, i64)> {
            let mut statement = connection.prepare(sql).unwrap();
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
            rows.map(Result::unwrap).collect()
        };
        let row = |key: &str, filed, void| (key.to_owned(), filed, void);
        assert_eq!(
            read("SELECT district || ' ' || month || ' ' || grid, s_filed, f_void FROM tally_map_month"),
            [row("640105 2023-11 ", 4, 100), row("640105 2023-11 a", 11, 300)]
        );
        assert_eq!(
            read("SELECT district || ' ' || day || ' ' || grid, s_filed, f_void FROM tally_map_day"),
            [row("640105 2023-11-01 ", 4, 100), row("640105 2023-11-01 a", 3, 200), row("640105 2023-11-02 a", 8, 100)]
        );
    }

    #[test]
    fn every_table_says_why_it_exists() {
        for migration in MIGRATIONS {
            let mut above = "";
            for line in migration.text.lines() {
                assert!(
                    !line.starts_with("CREATE TABLE") || (above.starts_with("-- ") && !above.ends_with("---")),
                    "{}: no comment above {line}",
                    migration.name
                );
                above = if line.starts_with("-- @") { above } else { line };
            }
        }
    }

    #[test]
    fn no_constraint_waits_for_the_commit_where_it_would_hurt_other_writes() {
        for migration in MIGRATIONS {
            assert!(!migration.text.to_uppercase().contains("DEFERRABLE"), "{}", migration.name);
        }
    }

    #[test]
    fn an_older_database_gets_only_what_it_lacks() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &[FIRST]).unwrap();
        connection.execute("INSERT INTO a VALUES (1)", []).unwrap();
        apply(&mut connection, &[FIRST]).unwrap();
        assert_eq!(connection.query_row("SELECT x FROM a", [], |row| row.get(0)), Ok(1));
        apply(&mut connection, &[FIRST, SECOND]).unwrap();
        assert_eq!(tables(&connection), ["b"]);
    }

    #[test]
    fn a_database_from_a_newer_program_is_refused_and_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &[FIRST, SECOND]).unwrap();
        assert_eq!(apply(&mut connection, &[FIRST]), Err(StoreError::NewerSchema { found: 2, known: 1 }));
        assert_eq!(tables(&connection), ["b"]);
    }

    #[test]
    fn an_edited_migration_is_named() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &[FIRST]).unwrap();
        let edited = Migration { text: "CREATE TABLE a (x TEXT);", ..FIRST };
        let refused = apply(&mut connection, &[edited, SECOND]);
        assert_eq!(refused, Err(StoreError::MigrationChanged { name: "0001_first.sql".into() }));
        assert_eq!(tables(&connection), ["a"]);
    }

    #[test]
    fn a_migration_that_fails_half_way_leaves_nothing_behind() {
        let mut connection = Connection::open_in_memory().unwrap();
        apply(&mut connection, &[FIRST]).unwrap();
        let broken = Migration { text: "CREATE TABLE b (x BIGINT);\nDROP TABLE missing;", ..SECOND };
        assert!(apply(&mut connection, &[FIRST, broken]).is_err());
        assert_eq!(tables(&connection), ["a"]);
        apply(&mut connection, &[FIRST, SECOND]).unwrap();
        assert_eq!(tables(&connection), ["b"]);
    }

    #[test]
    fn a_damaged_database_is_refused_and_not_brought_forward() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let mut connection = Connection::open(&path).unwrap();
        apply(&mut connection, &[FIRST]).unwrap();
        connection.execute("INSERT INTO a VALUES (7), (8)", []).unwrap();
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
        assert!(matches!(apply(&mut connection, &[FIRST, SECOND]), Err(StoreError::Corrupt { .. })));
        assert_eq!(tables(&connection), ["a"]);
    }

    #[test]
    fn line_ends_of_a_checkout_do_not_change_a_checksum() {
        let turned = Migration { text: "CREATE TABLE b (x BIGINT);\r\nDROP TABLE a;", ..SECOND };
        assert_eq!(turned.checksum(), SECOND.checksum());
    }
}
