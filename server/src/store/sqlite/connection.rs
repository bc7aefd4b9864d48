//! Opening a SQLite connection the way this server needs it, and translating what SQLite says.

use std::{path::Path, sync::Arc, time::Duration};

use rusqlite::{
    CachedStatement, Connection, OpenFlags,
    config::DbConfig,
    ffi::{self, ErrorCode},
    types::{ToSqlOutput, ValueRef},
};

use crate::store::{Row, StoreError, Value, tx::Tx};

/// Statements kept prepared per connection; the whole server has fewer different ones.
const STATEMENT_CACHE: usize = 512;

/// How long to wait for another process (a `verify` or `backup` beside a running server) before giving up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// What a connection is for; decides its flags and memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The one writer; creates the file if `create`.
    Writer {
        /// Create the file if it is not there.
        create: bool,
    },
    /// One that only reads: of the pool, or opened for a copy or a check-up.
    Reader,
}

/// Opens a connection to a file.
pub(crate) fn open(path: &Path, purpose: Purpose) -> Result<Connection, StoreError> {
    let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_EXRESCODE;
    match purpose {
        Purpose::Writer { create } => {
            if !create && !path.exists() {
                return Err(StoreError::Missing { path: path.display().to_string() });
            }
            flags |= OpenFlags::SQLITE_OPEN_READ_WRITE;
            flags.set(OpenFlags::SQLITE_OPEN_CREATE, create);
        }
        Purpose::Reader => flags |= OpenFlags::SQLITE_OPEN_READ_ONLY,
    }
    let connection = Connection::open_with_flags(path, flags).map_err(error)?;
    prepare(&connection)?;
    if let Purpose::Writer { .. } = purpose {
        // FULL: a commit is on the disk before its answer goes out, otherwise "synced" would be a lie after a power cut.
        // A checkpoint every 16 MiB keeps its extra fsyncs rare; the limit cuts the log back after a long reader.
        batch(
            &connection,
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4096;
             PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -65536;",
        )?;
    } else {
        batch(&connection, "PRAGMA query_only = ON; PRAGMA cache_size = -16384; PRAGMA mmap_size = 268435456;")?;
    }
    Ok(connection)
}

/// Opens a private database in memory.
pub(crate) fn open_in_memory() -> Result<Connection, StoreError> {
    let connection = Connection::open_in_memory().map_err(error)?;
    prepare(&connection)?;
    Ok(connection)
}

fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    connection.busy_timeout(BUSY_TIMEOUT).map_err(error)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).map_err(error)?;
    // Plans that do not depend on values: otherwise SQLite compiles a kept statement anew for every new value, which was
    // an eighth of all work. Nothing is lost: without ANALYZE a value says nothing about a plan.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(error)?;
    // recursive_triggers: without it INSERT OR REPLACE deletes rows behind the back of the append-only triggers.
    batch(
        connection,
        "PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA trusted_schema = OFF;
         PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;",
    )
}

/// Runs statements without parameters.
pub(crate) fn batch(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.execute_batch(sql).map_err(error)
}

/// Runs one constant statement through the statement cache.
pub(crate) fn run(connection: &Connection, sql: &str) -> Result<(), StoreError> {
    connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(drop).map_err(error)
}

/// A transaction on one connection.
pub(crate) struct SqliteTx<'c> {
    connection: &'c mut Connection,
    reading: bool,
    /// The last failure, kept to explain a transaction that SQLite rolled back on its own.
    last_error: Option<StoreError>,
}

impl<'c> SqliteTx<'c> {
    pub(crate) fn new(connection: &'c mut Connection) -> Self {
        Self { connection, reading: false, last_error: None }
    }

    /// One that refuses to write, on a connection that could. Not by `PRAGMA query_only`, after which SQLite compiles
    /// every prepared statement anew.
    pub(crate) fn reading(connection: &'c mut Connection) -> Self {
        Self { connection, reading: true, last_error: None }
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'_>, rusqlite::Error> {
        let statement = self.connection.prepare_cached(sql)?;
        if self.reading && !statement.readonly() {
            let code = ffi::Error::new(ffi::SQLITE_READONLY);
            return Err(rusqlite::Error::SqliteFailure(code, Some("a reading body wants to write".to_owned())));
        }
        Ok(statement)
    }

    pub(crate) fn take_error(&mut self) -> Option<StoreError> {
        self.last_error.take()
    }

    fn keep<T>(&mut self, result: Result<T, rusqlite::Error>) -> Result<T, StoreError> {
        result.map_err(|cause| {
            let cause = error(cause);
            self.last_error = Some(cause.clone());
            cause
        })
    }

    fn rows(&self, sql: &str, params: &[Value]) -> Result<Vec<Row>, rusqlite::Error> {
        let mut statement = self.prepare(sql)?;
        let width = statement.column_count();
        let mut columns: Option<Arc<str>> = None;
        let mut found = Vec::new();
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        while let Some(row) = rows.next()? {
            let columns = columns.get_or_insert_with(|| {
                let names: Vec<&str> = row.as_ref().column_names().collect();
                names.join("\n").into()
            });
            let mut values = Vec::with_capacity(width);
            for index in 0..width {
                values.push(owned(row.get_ref(index)?)?);
            }
            found.push(Row::new(Arc::clone(columns), values));
        }
        Ok(found)
    }

    fn change(&self, sql: &str, params: &[Value]) -> Result<u64, rusqlite::Error> {
        let changed = self.prepare(sql)?.execute(rusqlite::params_from_iter(params))?;
        Ok(changed as u64)
    }
}

#[async_trait::async_trait]
impl Tx for SqliteTx<'_> {
    async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let rows = self.rows(sql, params);
        self.keep(rows)
    }

    async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError> {
        let changed = self.change(sql, params);
        self.keep(changed)
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(n) => ValueRef::Integer(*n),
            Self::Real(n) => ValueRef::Real(*n),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

fn owned(value: ValueRef<'_>) -> Result<Value, rusqlite::Error> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::Int(n),
        ValueRef::Real(n) => Value::Real(n),
        ValueRef::Text(text) => Value::Text(std::str::from_utf8(text)?.to_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    })
}

/// Translates a driver error; the only place that reads SQLite's codes and texts.
pub(crate) fn error(cause: rusqlite::Error) -> StoreError {
    let message = cause.to_string();
    let Some(code) = cause.sqlite_error() else { return StoreError::Driver { code: 0, message } };
    // "UNIQUE constraint failed: case_row.case_no" -> "case_row.case_no"
    let what = || message.split_once("failed: ").map_or_else(|| message.clone(), |(_, what)| what.to_owned());
    match code.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            StoreError::Unique { what: what() }
        }
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => StoreError::ForeignKey,
        ffi::SQLITE_CONSTRAINT_TRIGGER => StoreError::AppendOnly { what: message },
        ffi::SQLITE_BUSY_SNAPSHOT => StoreError::Serialization,
        _ => match code.code {
            ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch => StoreError::Check { what: what() },
            ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => StoreError::Busy,
            ErrorCode::DiskFull => StoreError::Full,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => StoreError::Corrupt { message },
            _ => StoreError::Driver { code: code.extended_code.into(), message },
        },
    }
}
