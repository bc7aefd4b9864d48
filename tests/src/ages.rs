//! Databases of today as older versions of their program left them: the same rows, in a schema that was released.

use std::path::Path;

use rusqlite::Connection;

/// Whose database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Phone,
    Server,
}

impl Program {
    /// The table that remembers migrations, and their number in it.
    fn memory(self) -> (&'static str, &'static str) {
        match self {
            Self::Phone => ("migration", "number"),
            Self::Server => ("schema_version", "version"),
        }
    }

    /// The newest schema; the first one is 1.
    pub(crate) fn newest(self) -> u32 {
        match self {
            Self::Phone => xunge_client_core::store::older::newest(),
            Self::Server => xunge_server::store::older::newest(),
        }
    }

    /// Which migrations a database remembers.
    pub(crate) fn remembers(self, path: &Path) -> rusqlite::Result<Vec<u32>> {
        let (table, number) = self.memory();
        let look = Connection::open(path)?;
        let mut statement = look.prepare(&format!("SELECT {number} FROM {table} ORDER BY 1"))?;
        statement.query_map([], |row| row.get(0))?.collect()
    }

    /// Writes the rows of `newest` into a new database `old` with the schema `version`; with `half` something began the
    /// next migration and did not remember it.
    pub(crate) fn age(self, newest: &Path, old: &Path, version: u32, half: bool) -> Result<(), String> {
        match self {
            Self::Phone => {
                xunge_client_core::store::older::leave(old, version, half).map_err(|error| error.to_string())
            }
            Self::Server => xunge_server::store::older::leave(old, version, half).map_err(|error| error.to_string()),
        }?;
        self.copy(newest, old).map_err(|error| error.to_string())
    }

    /// Copies what tables and columns both have.
    fn copy(self, from: &Path, to: &Path) -> rusqlite::Result<()> {
        let to = Connection::open(to)?;
        to.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF")?;
        to.execute("ATTACH ?1 AS newest", [from.to_str().expect("a path of ours")])?;
        let sql = "SELECT old.name, (SELECT group_concat(c.name) FROM pragma_table_info(old.name, 'main') c
                WHERE c.name IN (SELECT name FROM pragma_table_info(old.name, 'newest')))
            FROM main.sqlite_schema old JOIN newest.sqlite_schema new ON new.name = old.name
            WHERE old.type = 'table' AND new.type = 'table' AND old.name <> ?1 AND old.name NOT LIKE 'sqlite_%'";
        let mut statement = to.prepare(sql)?;
        let tables = statement.query_map([self.memory().0], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let tables: Vec<(String, String)> = tables.collect::<rusqlite::Result<_>>()?;
        drop(statement);
        let each = tables.iter().map(|(table, columns)| {
            format!("DELETE FROM {table}; INSERT INTO {table} ({columns}) SELECT {columns} FROM newest.{table};")
        });
        to.execute_batch(&format!("BEGIN; {} COMMIT", each.collect::<String>()))
    }
}
