//! What a server really has, read from its database beside it.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use xunge_client_core::model::CaseId;

use crate::process::{json_of, run};

/// What was promised beside what is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Reports phones showed as saved.
    pub saved: u64,
    /// Those the server does not have.
    pub lost: u64,
    /// Cases nobody reported, submits beyond one a case, and whatever `verify` finds.
    pub wrong: u64,
}

/// The ids of all cases.
pub fn cases(data: &Path) -> BTreeSet<CaseId> {
    let connection = open(data);
    let mut statement = connection.prepare("SELECT id FROM case_row").unwrap();
    let ids = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    ids.map(|id| CaseId::from_bytes(id.unwrap().try_into().unwrap())).collect()
}

/// Photos that cases name and that are not there.
pub fn photos_missing(data: &Path) -> u64 {
    count(data, "SELECT COUNT(*) FROM photo WHERE present = 0")
}

/// Counts something.
pub fn count(data: &Path, sql: &str) -> u64 {
    open(data).query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
}

/// Compares what was saved with a stopped server, and verifies that.
pub fn tally(data: &Path, saved: &BTreeSet<CaseId>) -> Tally {
    let there = cases(data);
    let submits = count(data, "SELECT COUNT(*) FROM case_event WHERE verb = 'submit'");
    let verified = json_of(&run("xunge-server", &["verify", "--data", data.to_str().unwrap(), "--json"]));
    let found = verified["differences"].as_array().unwrap_or_else(|| panic!("verify ends with {verified}"));
    found.iter().take(5).for_each(|difference| eprintln!("verify: {difference}"));
    let differences = found.len() as u64;
    Tally {
        saved: saved.len() as u64,
        lost: saved.difference(&there).count() as u64,
        wrong: there.difference(saved).count() as u64 + submits.abs_diff(there.len() as u64) + differences,
    }
}

fn open(data: &Path) -> Connection {
    let path = data.join("xunge.db");
    Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the database opens")
}
