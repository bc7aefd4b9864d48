//! Databases of older versions, damaged: what a phone or a server finds after years, a bad disk, a copy cut short.
//!
//! An input is a whole database file. The goldens have every schema that was released, and ones killed half-way through
//! a migration by something that does not know transactions.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use xunge_client_core::doc::Edit;
use xunge_client_core::doc::testing::{Dice, mutate};
use xunge_client_core::model::{CaseId, CategoryRef, Millis, Mode, Point};
use xunge_client_core::store::{self as phone, ListQuery, Step};
use xunge_server::store::{self as server, Options, StoreError};

use super::district;
use super::sync::Still;
use crate::ages::Program;
use crate::fuzz::{Outcome, Target};

/// Bytes of a page: small, so that damage meets more than empty space.
const PAGE: usize = 1024;
/// Where a file says which SQLite wrote it last.
const WRITER: std::ops::Range<usize> = 96..100;
/// Tables whose rows are somebody's work.
const PHONE_TABLES: &[&str] = &["case_local", "intent", "change_out", "request", "event", "photo"];
const SERVER_TABLES: &[&str] =
    &["user_account", "user_grid", "org_node", "unit", "taxonomy", "device", "case_row", "case_event"];

/// Opening a database of any age.
pub(super) struct Migration {
    program: Program,
    folder: tempfile::TempDir,
    promised: Vec<i64>,
}

impl Migration {
    pub(super) fn phone() -> Self {
        Self::of(Program::Phone)
    }

    pub(super) fn server() -> Self {
        Self::of(Program::Server)
    }

    fn of(program: Program) -> Self {
        Self { program, folder: tempfile::tempdir().unwrap(), promised: vec![] }
    }

    fn tables(&self) -> &'static [&'static str] {
        match self.program {
            Program::Phone => PHONE_TABLES,
            Program::Server => SERVER_TABLES,
        }
    }

    fn open_phone(path: &Path) -> Result<(), Outcome> {
        let refused = |error: phone::StoreError| Outcome::refused(&error);
        let store = phone::Store::open(path, Arc::new(Still::default())).map_err(refused)?;
        let (items, _) = store.list(&ListQuery::default()).map_err(refused)?;
        for item in &items {
            store.detail(item.id).map_err(refused)?;
        }
        store.tasks().map_err(refused)?;
        store.unsent().map_err(refused)?;
        store.phone().map_err(refused)?;
        Ok(())
    }

    fn open_server(path: &Path) -> Result<(), Outcome> {
        let options = Options { create: false, inline: true, ..Options::default() };
        let store = server::Store::open(path, &options).map_err(|error| Outcome::refused(&error))?;
        let read = store.read_blocking::<_, StoreError, _>(|tx| {
            Box::pin(async move {
                tx.query("SELECT id, state, received_at FROM case_row", &[]).await?;
                tx.query("SELECT * FROM case_event", &[]).await?;
                tx.query("SELECT value FROM meta WHERE key = 'server_epoch'", &[]).await
            })
        });
        read.map(drop).map_err(|error| Outcome::refused(&error))
    }
}

impl Target for Migration {
    fn name(&self) -> &'static str {
        match self.program {
            Program::Phone => "migration-phone",
            Program::Server => "migration-server",
        }
    }

    fn promise(&self) -> &'static str {
        "a damaged database is refused by name; one that opens, and that SQLite finds whole, has every row; an older one is \
         not brought forward unless it is whole"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        ages(self.program)
    }

    fn mutate(&self, input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
        let pages = input.len().div_ceil(PAGE).max(1);
        for _ in 0..=dice.below(3) {
            let at = dice.below(pages) * PAGE;
            match dice.below(9) {
                0 => input.truncate(dice.below(input.len() + 1)),
                1 => input.truncate(at),
                2 => input.iter_mut().skip(at).take(PAGE).for_each(|byte| *byte = 0),
                3 => {
                    let page: Vec<u8> = other.iter().skip(at).take(PAGE).copied().collect();
                    input.iter_mut().skip(at).zip(page).for_each(|(byte, new)| *byte = new);
                }
                // Headers of the file and of its trees.
                4 | 5 => flip(input, dice.below(100), dice),
                6 | 7 => flip(input, at + dice.below(16), dice),
                _ => flip(input, dice.below(pages * PAGE), dice),
            }
        }
        if dice.one_in(20) {
            mutate::one_byte(input, dice);
        }
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let path = self.folder.path().join("damaged.db");
        for rest in ["damaged.db-wal", "damaged.db-shm"] {
            let _ = std::fs::remove_file(self.folder.path().join(rest));
        }
        if self.promised.is_empty() {
            std::fs::write(&path, today(self.program, &self.folder.path().join("today.db"))).unwrap();
            self.promised = counts(&path, self.tables()).expect("the golden database is whole");
        }
        std::fs::write(&path, input).unwrap();
        let opened = match self.program {
            Program::Phone => Self::open_phone(&path),
            Program::Server => Self::open_server(&path),
        };
        if let Err(refused) = opened {
            return Ok(refused);
        }
        if input.is_empty() {
            return Ok(Outcome::Accepted);
        }
        match counts(&path, self.tables()) {
            Some(found) if found == self.promised => Ok(Outcome::Accepted),
            Some(found) => Err(format!("{found:?} rows instead of {:?}, and nobody was told", self.promised)),
            None => Ok(Outcome::Refused("damage is found by SQLite's own check".to_owned())),
        }
    }

    fn cost(&self) -> u64 {
        match self.program {
            Program::Phone => 20,
            Program::Server => 40,
        }
    }
}

fn flip(bytes: &mut [u8], at: usize, dice: &mut Dice) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = if dice.one_in(2) { *byte ^ (1 << dice.below(8)) } else { dice.bits() as u8 };
    }
}

/// Rows of each table; `None` if SQLite finds the file damaged.
fn counts(path: &Path, tables: &[&str]) -> Option<Vec<i64>> {
    let connection = Connection::open(path).ok()?;
    let whole: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).ok()?;
    let count =
        |table: &&str| connection.query_row(&format!("SELECT COUNT(*) FROM {table}"), [], |row| row.get(0)).ok();
    (whole == "ok").then(|| tables.iter().map(count).collect())?
}

/// The file as one with small pages, the same whatever SQLite and program wrote it.
fn compact(path: &Path) -> Vec<u8> {
    let connection = Connection::open(path).unwrap();
    let of_server = connection.table_exists(None, "schema_version").unwrap();
    let named = if of_server { "UPDATE schema_version SET applied_by = 'any'" } else { "" };
    let sql =
        format!("PRAGMA synchronous = OFF; PRAGMA journal_mode = DELETE; PRAGMA page_size = {PAGE}; {named}; VACUUM");
    connection.execute_batch(&sql).unwrap();
    drop(connection);
    let mut bytes = std::fs::read(path).unwrap();
    bytes[WRITER].fill(0);
    bytes
}

/// The database of today, then with the same rows every schema that was released, each also with the next one begun.
fn ages(program: Program) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let newest = folder.path().join("newest.db");
    let mut all = vec![today(program, &newest)];
    for version in (1..program.newest()).rev() {
        for half in [false, true] {
            let path = folder.path().join(format!("{version}-{half}.db"));
            program.age(&newest, &path, version, half).unwrap();
            all.push(compact(&path));
        }
    }
    all
}

/// Makes the database of today at `path`.
fn today(program: Program, path: &Path) -> Vec<u8> {
    match program {
        Program::Phone => fill(path),
        Program::Server => district::fill(path),
    }
    compact(path)
}

fn fill(path: &Path) {
    let store = phone::Store::open(path, Arc::new(Still::default())).unwrap();
    super::sync::enrol(&store);
    let category: CategoryRef = "xixia-2023:event:XX0201".parse().unwrap();
    for number in 0..6u8 {
        let edits = vec![
            Edit::CategoryClaim(Some(category.clone())),
            Edit::ModeClaim(Some(Mode::Forwarded)),
            Edit::Description(format!("第{number}处路面破损,约两平方米")),
            Edit::Point(Some(Point { lon_e6: 106_100_000, lat_e6: 38_500_000 + i32::from(number) })),
        ];
        let steps = if number < 4 { vec![Step::Edit(edits), Step::Submit] } else { vec![Step::Edit(edits)] };
        let at = Millis(1_700_000_000_000 + i64::from(number));
        store.act(CaseId::from_bytes([number; 16]), true, &steps, at).unwrap();
    }
    store.checkpoint().unwrap();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use xunge_server::domain::cases;

    use super::*;

    /// Columns in which a program keeps what it learns again; an older schema can not hold it.
    const LEARNT: [(&str, &str); 2] =
        [("phone", "heard, link, data_rules, census_day, reference"), ("case_local", "gone")];
    /// Tables that no older one is made from: what phones have heard, and rules that an installation begins with.
    const LATER: [&str; 2] = ["device_heard", "dispatch_rule"];

    /// Opens it as its program does.
    fn bring_forward(program: Program, path: &Path) {
        match program {
            Program::Phone => Migration::open_phone(path).unwrap(),
            Program::Server => {
                let store = server::Store::open(path, &Options { inline: true, ..Options::default() }).unwrap();
                cases::fill_blocking(&store).unwrap();
                store.close_blocking().unwrap();
            }
        }
    }

    /// Each table's rows as text, in order.
    fn tables(path: &Path) -> BTreeMap<String, Vec<String>> {
        let look = Connection::open(path).unwrap();
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
            AND name <> 'schema_version'";
        let mut names = look.prepare(names).unwrap();
        let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let rows = |table: &String| {
            let new = LEARNT.iter().find(|(name, _)| name == table).map_or("", |(_, columns)| columns);
            let mut statement = look.prepare(&format!("SELECT * FROM {table}")).unwrap();
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let text = |row: &rusqlite::Row<'_>| -> rusqlite::Result<String> {
                let kept = columns.iter().enumerate().filter(|(_, name)| !new.split(", ").any(|new| new == *name));
                kept.map(|(at, name)| Ok(format!("{name}={:?} ", row.get_ref(at)?))).collect()
            };
            let mut rows: Vec<String> = statement.query_map([], text).unwrap().map(Result::unwrap).collect();
            rows.sort();
            rows
        };
        names.iter().map(|name| (name.clone(), rows(name))).collect()
    }

    #[test]
    fn whatever_version_wrote_a_database_the_newest_finds_the_same_in_every_table() {
        let mut wrong = vec![];
        for program in [Program::Phone, Program::Server] {
            let folder = tempfile::tempdir().unwrap();
            let newest = folder.path().join("newest.db");
            today(program, &newest);
            assert_eq!(program.remembers(&newest).unwrap(), (1..=program.newest()).collect::<Vec<_>>());
            bring_forward(program, &newest);
            let promised = tables(&newest);
            for version in 1..program.newest() {
                let old = folder.path().join(format!("{version}.db"));
                program.age(&newest, &old, version, false).unwrap();
                assert_eq!(program.remembers(&old).unwrap(), (1..=version).collect::<Vec<_>>());
                bring_forward(program, &old);
                let found = tables(&old);
                let differ =
                    promised.iter().filter(|(table, rows)| !LATER.contains(&table.as_str()) && found[*table] != **rows);
                wrong.extend(differ.map(|(table, rows)| {
                    let ours = found[table].iter().find(|row| !rows.contains(row));
                    let theirs = rows.iter().find(|row| !found[table].contains(row));
                    format!("{program:?} from {version}, {table}: {ours:?} instead of {theirs:?}")
                }));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn the_goldens_hold_every_schema_and_are_the_same_each_time() {
        for program in [Program::Phone, Program::Server] {
            let all = ages(program);
            assert_eq!(all.len() as u32, 2 * program.newest() - 1, "{program:?}: today, and the older ones twice");
            assert_eq!(all, ages(program));
            let folder = tempfile::tempdir().unwrap();
            let of = |bytes: &Vec<u8>| {
                let path = folder.path().join("golden.db");
                std::fs::write(&path, bytes).unwrap();
                program.remembers(&path).unwrap().len() as u32
            };
            let versions: Vec<u32> = all.iter().map(of).collect();
            let older = (1..program.newest()).rev().flat_map(|version| [version; 2]);
            assert_eq!(versions, std::iter::once(program.newest()).chain(older).collect::<Vec<_>>());
        }
    }
}
