//! Databases as older programs left them, for tests that bring them forward.
//!
//! Only the schema, as its migrations made it: whoever asks fills in the rows.

use std::path::Path;

use rusqlite::Connection;

use super::{
    StoreError,
    dialect::{Dialect, split},
    migrate::{MIGRATIONS, apply},
    sqlite::connection::{batch, error},
};

/// The newest schema there is; the first one is 1.
pub fn newest() -> u32 {
    MIGRATIONS.len() as u32
}

/// Makes a new database with the schema `version`.
///
/// With `half` the first statement of the next migration ran too, and nothing remembers it: what something leaves that
/// does not know transactions.
///
/// # Errors
/// Whatever SQLite says.
pub fn leave(path: &Path, version: u32, half: bool) -> Result<(), StoreError> {
    let (old, newer) = MIGRATIONS.split_at(version as usize);
    let mut connection = Connection::open(path).map_err(error)?;
    apply(&mut connection, old)?;
    let first = newer.first().filter(|_| half).and_then(|next| split(next.text).into_iter().next());
    let spelled = first.map(|statement| Dialect::Sqlite.spell(&statement)).unwrap_or_default();
    spelled.first().map_or(Ok(()), |sql| batch(&connection, sql))
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
                let newest = open(path).query_row("SELECT MAX(version) FROM schema_version", [], |row| row.get(0));
                assert_eq!(newest, Ok(version));
            }
            apply(&mut open(&whole), MIGRATIONS).unwrap();
            assert!(apply(&mut open(&half), MIGRATIONS).is_err(), "{version}");
        }
    }
}
