//! What can go wrong in the store, in words that both engines share.

/// A failure of the store.
///
/// Callers match on the kind and never read driver texts: the same mistake has the same variant on every engine.
/// `Clone`, because one failed commit is reported to every write that shared it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum StoreError {
    /// A row with this key exists already.
    #[error("a row with the same {what} exists already")]
    Unique {
        /// Column list (SQLite: `table.column, ...`) or constraint name.
        what: String,
    },
    /// A row points at something that does not exist, or is still pointed at.
    #[error("a row refers to another row that does not exist")]
    ForeignKey,
    /// A value breaks a rule of its column: missing, out of range, of the wrong type.
    #[error("a value breaks a rule of the schema: {what}")]
    Check {
        /// The constraint as the engine names it.
        what: String,
    },
    /// An append-only table refused an update or a deletion.
    #[error("{what}")]
    AppendOnly {
        /// The engine's message, which names the table.
        what: String,
    },
    /// Two transactions met; running the body again is safe and expected to help.
    #[error("another transaction changed the same rows; try again")]
    Serialization,
    /// The database stayed locked by another process for longer than the busy timeout.
    #[error("the database is locked by another process")]
    Busy,
    /// No space is left on the disk.
    #[error("the disk is full")]
    Full,
    /// The file is damaged or is no database at all.
    #[error("the database file is damaged: {message}")]
    Corrupt {
        /// What the engine found.
        message: String,
    },
    /// Exactly one row was expected.
    #[error("expected one row, found {found}")]
    RowCount {
        /// Number of rows that came.
        found: usize,
    },
    /// A column holds another type than the code expects.
    #[error("column {column} holds {found}, expected {expected}")]
    Column {
        /// Name of the column, or its index if there is no such column.
        column: String,
        /// What was asked for.
        expected: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// The body of a transaction panicked; its writes were undone.
    #[error("a transaction body panicked: {message}")]
    Panicked {
        /// The panic message.
        message: String,
    },
    /// The store is closed.
    #[error("the store is closed")]
    Closed,
    /// The database was written by a newer version of this program.
    #[error(
        "the database has schema version {found}, this program knows versions up to {known}; \
         start the newer program again or restore a backup made before the upgrade"
    )]
    NewerSchema {
        /// Version found in the database.
        found: i64,
        /// Newest version this program knows.
        known: i64,
    },
    /// A migration that was already applied has another text in this program.
    #[error("migration {name} differs from the one this database was built with")]
    MigrationChanged {
        /// File name of the migration.
        name: String,
    },
    /// The file does not exist and creating it was not asked for.
    #[error("there is no database at {path}")]
    Missing {
        /// The path that was tried.
        path: String,
    },
    /// Anything else the driver said.
    #[error("database: {message} (code {code})")]
    Driver {
        /// The engine's own code: SQLite extended result code; 0 where there is none.
        code: i64,
        /// The engine's own text, for logs only.
        message: String,
    },
}

impl StoreError {
    /// Tells whether the same write may succeed when it is simply sent again later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Serialization | Self::Busy | Self::Full)
    }
}
