//! Databases as older apps left them, for tests that bring them forward.
//!
//! Only the schema, as its migrations made it: whoever asks fills in the rows.

use std::path::Path;

use rusqlite::Connection;

use super::{StoreError, migrate};

/// The newest schema there is; the first one is 1.
pub fn newest() -> u32 {
    migrate::ALL.last().map_or(0, |last| last.number)
}

/// Makes a new database with the schema `version`.
///
/// With `half` the first statement of the next migration ran too, and nothing remembers it: what something leaves that
/// does not know transactions.
///
/// # Errors
/// Whatever SQLite says.
pub fn leave(path: &Path, version: u32, half: bool) -> Result<(), StoreError> {
    let (old, newer) = migrate::ALL.split_at(version as usize);
    let mut connection = Connection::open(path)?;
    migrate::run(&mut connection, old)?;
    if half && let Some(next) = newer.first() {
        // Comments hold semicolons too; no text of a migration holds two dashes.
        let code: Vec<&str> = next.sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        connection.execute_batch(code.join("\n").split(';').next().unwrap_or_default())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_schema_is_what_its_migrations_made_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        for version in 1..newest() {
            let (whole, half) =
                (folder.path().join(format!("{version}")), folder.path().join(format!("{version}-half")));
            leave(&whole, version, false).unwrap();
            leave(&half, version, true).unwrap();
            let open = |path: &Path| Connection::open(path).unwrap();
            for path in [&whole, &half] {
                let newest = open(path).query_row("SELECT MAX(number) FROM migration", [], |row| row.get(0));
                assert_eq!(newest, Ok(version));
            }
            migrate::run(&mut open(&whole), migrate::ALL).unwrap();
            assert!(migrate::run(&mut open(&half), migrate::ALL).is_err(), "{version}");
        }
    }
}
