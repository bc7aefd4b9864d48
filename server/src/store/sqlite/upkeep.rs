//! Copies and check-ups of a database while it is in use.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use rusqlite::Connection;

use crate::store::StoreError;

use super::connection::{batch, error};

/// Writes a copy of one snapshot to a new file, without holding up the writer.
///
/// `VACUUM INTO` reads inside one transaction, so the copy is a state that really was, however long it takes. It gets
/// its name only when it is whole and flushed: a backup that a power cut can empty or halve is none.
pub(crate) fn copy(connection: &Connection, to: &Path) -> Result<(), StoreError> {
    let part = to.with_added_extension("part");
    let Some(name) = part.to_str() else {
        return Err(StoreError::Driver { code: 0, message: "the path of the copy is not UTF-8".to_owned() });
    };
    if to.exists() {
        return Err(StoreError::Unique { what: format!("file {}", to.display()) });
    }
    // What a copy that was interrupted has left.
    match fs::remove_file(&part) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(unwritten(cause)),
        _ => {}
    }
    // Would forbid writing the other file too; the connection was opened read-only, which protects this one.
    batch(connection, "PRAGMA query_only = OFF")?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let copied = connection.execute("VACUUM INTO ?1", [name]).map_err(error).and_then(|_| {
        File::open(&part)
            .and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&part, to))
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(unwritten)
    });
    if copied.is_err() {
        let _ = fs::remove_file(&part);
    }
    copied
}

#[allow(clippy::needless_pass_by_value, reason = "the shape that map_err calls")]
fn unwritten(cause: io::Error) -> StoreError {
    match cause.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => StoreError::Driver { code: 0, message: format!("cannot write the copy: {cause}") },
    }
}

/// Reads every page and every reference, and tells what is wrong; nothing if the file is sound.
pub(crate) fn findings(connection: &Connection) -> Result<Vec<String>, StoreError> {
    let mut found = column(connection, "PRAGMA integrity_check", |row| row.get(0))?;
    found.retain(|line| line != "ok");
    found.extend(column(connection, "PRAGMA foreign_key_check", |row| {
        Ok(format!("a row of {} refers to a missing row of {}", row.get::<_, String>(0)?, row.get::<_, String>(2)?))
    })?);
    Ok(found)
}

fn column(
    connection: &Connection,
    sql: &str,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<String>,
) -> Result<Vec<String>, StoreError> {
    let mut statement = connection.prepare(sql).map_err(error)?;
    let rows = statement.query_map([], read).map_err(error)?;
    rows.collect::<Result<_, _>>().map_err(error)
}
