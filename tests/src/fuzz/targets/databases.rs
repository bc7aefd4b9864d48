//! Databases of older versions, damaged: what a phone or a server finds after years, a bad disk, a copy cut short.
//!
//! An input is a whole database file. The goldens have every schema that was released, and ones killed half-way through
//! a migration by something that does not know transactions.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use xunge_client_core::doc::Edit;
use xunge_client_core::doc::testing::{Dice, mutate};
use xunge_client_core::model::{CaseId, CategoryRef, Millis, Mode, Point};
use xunge_client_core::store::{self as phone, ListQuery, Step};
use xunge_server::store::{self as server, Options, StoreError};

use super::office;
use super::sync::Still;
use crate::fuzz::{Outcome, Target};

/// Bytes of a page: small, so that damage meets more than empty space.
const PAGE: usize = 1024;
/// The phone's migrations as released.
const PHONE: [&str; 4] = [
    include_str!("../../../../client-core/src/store/migrations/0001_first.sql"),
    include_str!("../../../../client-core/src/store/migrations/0002_gone.sql"),
    include_str!("../../../../client-core/src/store/migrations/0003_heard.sql"),
    include_str!("../../../../client-core/src/store/migrations/0004_preview.sql"),
];
/// Tables whose rows are somebody's work.
const PHONE_TABLES: &[&str] = &["case_local", "intent", "change_out", "request", "event", "photo"];
const SERVER_TABLES: &[&str] = &["user_account", "user_grid", "org_node", "unit", "taxonomy", "case_row"];

/// Opening a database of any age.
pub(super) struct Migration {
    of_phone: bool,
    folder: tempfile::TempDir,
    promised: Vec<i64>,
}

impl Migration {
    pub(super) fn phone() -> Self {
        Self { of_phone: true, folder: tempfile::tempdir().unwrap(), promised: vec![] }
    }

    pub(super) fn server() -> Self {
        Self { of_phone: false, ..Self::phone() }
    }

    fn tables(&self) -> &'static [&'static str] {
        if self.of_phone { PHONE_TABLES } else { SERVER_TABLES }
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
        if self.of_phone { "migration-phone" } else { "migration-server" }
    }

    fn promise(&self) -> &'static str {
        "a damaged database is refused by name; one that opens, and that SQLite finds whole, has every row; an older one is \
         not brought forward unless it is whole"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        if self.of_phone { phones() } else { servers() }
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
            std::fs::write(&path, &self.seeds()[0]).unwrap();
            self.promised = counts(&path, self.tables()).expect("the golden database is whole");
        }
        std::fs::write(&path, input).unwrap();
        let opened = if self.of_phone { Self::open_phone(&path) } else { Self::open_server(&path) };
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
        if self.of_phone { 20 } else { 40 }
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

/// The file as one with small pages.
fn compact(path: &Path) -> Vec<u8> {
    let connection = Connection::open(path).unwrap();
    let sql = format!("PRAGMA journal_mode = DELETE; PRAGMA page_size = {PAGE}; VACUUM");
    connection.execute_batch(&sql).unwrap();
    drop(connection);
    std::fs::read(path).unwrap()
}

/// A phone with six reports, in every schema that was released, and between them.
fn phones() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let newest = folder.path().join("newest.db");
    fill(&newest);
    let mut all = vec![compact(&newest)];
    for (version, next) in PHONE.iter().enumerate().skip(1) {
        let path = folder.path().join(format!("{version}.db"));
        let old = Connection::open(&path).unwrap();
        older(&old, &newest, version);
        drop(old);
        all.push(compact(&path));
        // The first statement of the next migration, and nothing that remembers it.
        let half = Connection::open(&path).unwrap();
        half.execute_batch(next.split_inclusive(';').next().unwrap()).unwrap();
        drop(half);
        all.push(compact(&path));
    }
    all
}

/// The rows of `newest` in the schema of `version`.
fn older(old: &Connection, newest: &Path, version: usize) {
    old.execute_batch("CREATE TABLE migration (number INTEGER PRIMARY KEY, checksum BLOB NOT NULL) STRICT").unwrap();
    for (number, sql) in (1..).zip(&PHONE[..version]) {
        old.execute_batch(sql).unwrap();
        let checksum: [u8; 32] = Sha256::digest(sql.as_bytes()).into();
        old.execute("INSERT INTO migration VALUES (?1, ?2)", (number, checksum)).unwrap();
    }
    old.pragma_update(None, "user_version", version as i64).unwrap();
    old.execute("ATTACH ?1 AS newest", [newest.to_str().unwrap()]).unwrap();
    let sql = "SELECT m.name, (SELECT group_concat(c.name) FROM pragma_table_info(m.name) c) FROM sqlite_schema m
        WHERE m.type = 'table' AND m.name <> 'migration'";
    let mut statement = old.prepare(sql).unwrap();
    let tables = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let tables: Vec<(String, String)> = tables.map(Result::unwrap).collect();
    drop(statement);
    for (table, columns) in tables {
        let sql = format!("DELETE FROM {table}; INSERT INTO {table} ({columns}) SELECT {columns} FROM newest.{table}");
        old.execute_batch(&sql).unwrap();
    }
    old.execute_batch("DETACH newest").unwrap();
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

/// The example district with reports, in every schema that was released, and between them.
fn servers() -> Vec<Vec<u8>> {
    /// What takes a database back by one version, what a half-way migration leaves, and what takes that away.
    const BACK: [[&str; 3]; 15] = [
        [
            "DROP INDEX external_ref_case; DROP INDEX external_ref_number; DELETE FROM schema_version WHERE version = 16",
            "CREATE INDEX external_ref_case ON external_ref (case_id)",
            "DROP INDEX external_ref_case",
        ],
        [
            "ALTER TABLE taxonomy DROP COLUMN retired; DELETE FROM schema_version WHERE version = 15",
            "ALTER TABLE taxonomy ADD COLUMN retired INTEGER",
            "ALTER TABLE taxonomy DROP COLUMN retired",
        ],
        [
            "DROP INDEX case_row_appeal; ALTER TABLE case_row DROP COLUMN appealed_at;
             DELETE FROM schema_version WHERE version = 14",
            "ALTER TABLE case_row ADD COLUMN appealed_at INTEGER",
            "ALTER TABLE case_row DROP COLUMN appealed_at",
        ],
        [
            "DROP TABLE tally_map_day; DROP TABLE tally_map_month; DELETE FROM schema_version WHERE version = 13",
            "CREATE TABLE tally_map_day (x INTEGER)",
            "DROP TABLE tally_map_day",
        ],
        [
            "DROP TABLE tally_street; DELETE FROM schema_version WHERE version = 12",
            "CREATE TABLE tally_street (x INTEGER)",
            "DROP TABLE tally_street",
        ],
        [
            "DELETE FROM schema_version WHERE version = 11",
            "DROP TABLE case_gram",
            "CREATE TABLE case_gram (gram TEXT, ordinal INTEGER)",
        ],
        [
            "DROP TABLE saved_filter; DELETE FROM schema_version WHERE version = 10",
            "CREATE TABLE saved_filter (x INTEGER)",
            "DROP TABLE saved_filter",
        ],
        [
            "DROP INDEX case_row_ordinal; DROP INDEX case_row_deadline; DROP INDEX case_row_deadline_office;
             DROP INDEX case_row_deadline_handler; DROP TABLE case_gram; DROP TABLE tally_grid; DROP TABLE tally_unit;
             ALTER TABLE case_row DROP COLUMN ordinal; ALTER TABLE case_row DROP COLUMN deadline_at;
             DELETE FROM schema_version WHERE version = 9",
            "CREATE TABLE case_gram (x INTEGER)",
            "DROP TABLE case_gram",
        ],
        [
            "DROP TABLE timetable_edition; DROP INDEX audit_actor; ALTER TABLE user_account DROP COLUMN password_once;
             DELETE FROM schema_version WHERE version = 8",
            "CREATE INDEX audit_actor ON audit (at)",
            "DROP INDEX audit_actor",
        ],
        [
            "DROP INDEX case_row_nearby; DROP INDEX case_row_master; ALTER TABLE case_row DROP COLUMN master_case;
             DELETE FROM schema_version WHERE version = 7",
            "ALTER TABLE case_row ADD COLUMN master_case TEXT",
            "ALTER TABLE case_row DROP COLUMN master_case",
        ],
        [
            "DROP TABLE held_void; DROP TABLE dropped_void; DELETE FROM schema_version WHERE version = 6",
            "CREATE TABLE dropped_void (x INTEGER)",
            "DROP TABLE dropped_void",
        ],
        [
            "DROP TABLE dispatch_rule; DELETE FROM schema_version WHERE version = 5",
            "CREATE TABLE dispatch_rule (x INTEGER)",
            "DROP TABLE dispatch_rule",
        ],
        [
            "DROP TABLE photo_preview; DELETE FROM schema_version WHERE version = 4",
            "CREATE TABLE photo_preview (x INTEGER)",
            "DROP TABLE photo_preview",
        ],
        [
            "DROP TABLE device_heard; DELETE FROM schema_version WHERE version = 3",
            "CREATE TABLE device_heard (x INTEGER)",
            "DROP TABLE device_heard",
        ],
        [
            "DROP INDEX case_event_desk; DELETE FROM schema_version WHERE version = 2",
            "CREATE INDEX case_event_desk ON case_event (actor)",
            "DROP INDEX case_event_desk",
        ],
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("newest.db");
    let store = server::Store::open(&path, &Options { inline: true, ..Options::default() }).unwrap();
    office::install_into(&store);
    store.close_blocking().unwrap();
    let thin = Connection::open(&path).unwrap();
    // The trees of a whole district would hide the rest.
    let sql = "DELETE FROM taxonomy WHERE code NOT LIKE '%21'; DELETE FROM user_grid WHERE user_id NOT IN
        (SELECT id FROM user_account ORDER BY id LIMIT 20);
        DELETE FROM user_account WHERE id NOT IN (SELECT id FROM user_account ORDER BY id LIMIT 20);
        UPDATE org_node SET polygon = NULL; DELETE FROM org_node WHERE level = 'grid'";
    thin.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    thin.execute_batch(sql).unwrap();
    drop(thin);
    let mut all = vec![compact(&path)];
    for [back, half, undo] in BACK {
        for sql in [back, half] {
            let connection = Connection::open(&path).unwrap();
            connection.execute_batch(sql).unwrap();
            drop(connection);
            all.push(compact(&path));
        }
        Connection::open(&path).unwrap().execute_batch(undo).unwrap();
    }
    all
}
