//! The least a database takes for what the server keeps of a case: the same rows in a bare SQLite file.
//!
//! The rows are those the server wrote in the same run, read from its database: the case, its events, its changes, its
//! document and its lines of the feed. They go into tables of the same shape without any further index, as many cases
//! in a transaction as a push had, durable as the server's. Gate, merging, counters, search and audience are what the
//! server does beyond that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use xunge_tests::cpu;

/// What a case has rows in, and the column that names it.
const TABLES: [(&str, &str); 5] =
    [("case_row", "id"), ("case_event", "case_id"), ("change_row", "case_id"), ("doc", "case_id"), ("feed", "case_id")];

type Row = (&'static str, Vec<Value>);

/// What a server has of all cases at one moment.
#[derive(Debug)]
pub(super) struct Kept {
    /// By case.
    rows: BTreeMap<Vec<u8>, Vec<Row>>,
    /// What makes the tables.
    shapes: Vec<String>,
}

impl Kept {
    /// Reads a database, of a running server too.
    pub(super) fn read(database: &Path) -> Self {
        let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut kept = Self { rows: BTreeMap::new(), shapes: vec![] };
        for (table, case) in TABLES {
            let shape = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?1";
            kept.shapes.push(connection.query_row(shape, [table], |row| row.get(0)).unwrap());
            let mut select = connection.prepare(&format!("SELECT {case}, * FROM {table}")).unwrap();
            let columns = select.column_count();
            let mut rows = select.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                let values = (1..columns).map(|column| row.get_unwrap(column)).collect();
                kept.rows.entry(row.get_unwrap(0)).or_default().push((table, values));
            }
        }
        kept
    }

    /// What it takes to write all of it: processor time of this thread, with `batch` cases in a transaction.
    pub(super) fn written(&self, batch: usize) -> Duration {
        let all: Vec<&Vec<Row>> = self.rows.values().collect();
        let (file, _folder) = self.empty();
        write(&file, all.chunks(batch).map(|cases| cases.iter().flat_map(|rows| rows.iter())))
    }

    /// What it takes to make `later` of it: rows that are new or other than they were.
    pub(super) fn updated(&self, later: &Self, batch: usize) -> Duration {
        let (file, _folder) = self.empty();
        write(&file, std::iter::once(self.rows.values().flatten()));
        let none = vec![];
        let changed: Vec<Vec<&Row>> = later
            .rows
            .iter()
            .map(|(case, rows)| {
                let known: BTreeSet<String> =
                    self.rows.get(case).unwrap_or(&none).iter().map(|row| format!("{row:?}")).collect();
                rows.iter().filter(|row| !known.contains(&format!("{row:?}"))).collect()
            })
            .collect();
        write(&file, changed.chunks(batch).map(|cases| cases.iter().flatten().copied()))
    }

    /// The tables without rows, durable as the server's are.
    fn empty(&self) -> (Connection, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let file = Connection::open(folder.path().join("bare.db")).unwrap();
        file.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
        file.pragma_update(None, "synchronous", "FULL").unwrap();
        // A child may come before its parent here.
        file.pragma_update(None, "foreign_keys", false).unwrap();
        self.shapes.iter().for_each(|shape| file.execute_batch(shape).unwrap());
        (file, folder)
    }
}

/// Writes each of the parts in one transaction.
fn write<'r, P: Iterator<Item = &'r Row>>(file: &Connection, parts: impl Iterator<Item = P>) -> Duration {
    let before = cpu::of_thread();
    for part in parts {
        file.execute_batch("BEGIN IMMEDIATE").unwrap();
        for (table, values) in part {
            let places = vec!["?"; values.len()].join(", ");
            let sql = format!("INSERT OR REPLACE INTO {table} VALUES ({places})");
            file.prepare_cached(&sql).unwrap().execute(rusqlite::params_from_iter(values)).unwrap();
        }
        file.execute_batch("COMMIT").unwrap();
    }
    cpu::of_thread() - before
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_rows_are_written_and_only_what_changed_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("xunge.db");
        let server = Connection::open(&path).unwrap();
        for (table, case) in TABLES {
            server.execute_batch(&format!("CREATE TABLE {table} ({case} BLOB PRIMARY KEY, x TEXT)")).unwrap();
            server.execute_batch(&format!("INSERT INTO {table} VALUES (x'01', 'a'), (x'02', 'b')")).unwrap();
        }
        let first = Kept::read(&path);
        server.execute_batch("UPDATE doc SET x = 'c' WHERE case_id = x'02'").unwrap();
        let later = Kept::read(&path);
        assert_eq!((first.rows.len(), first.rows[&vec![1]].len()), (2, TABLES.len()));
        assert_ne!(first.rows[&vec![2]], later.rows[&vec![2]]);
        let (file, _folder) = first.empty();
        write(&file, std::iter::once(first.rows.values().flatten()));
        let count = |table: &str| -> i64 {
            file.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).unwrap()
        };
        assert!(TABLES.iter().all(|(table, _)| count(table) == 2));
        assert!(first.written(1) > Duration::ZERO && first.updated(&later, 1) > Duration::ZERO);
    }
}
