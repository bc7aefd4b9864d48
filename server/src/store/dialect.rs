//! The few words in which the engines differ.
//!
//! Migrations are written once, in the words below, and each engine gets its own spelling:
//! - types: `TEXT BIGINT DOUBLE PRECISION BLOB`;
//! - `-- @append_only` above a `CREATE TABLE`: the table refuses UPDATE and DELETE;
//! - `-- @clustered` above a `CREATE TABLE`: small rows that are read in the order of their primary key.

/// A database engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Embedded, the one that is built.
    Sqlite,
}

/// One statement of a migration, with the directives found above it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The statement without comments and without its semicolon.
    pub(crate) sql: String,
    /// The table refuses UPDATE and DELETE.
    pub(crate) append_only: bool,
    /// The table lies in the order of its primary key.
    pub(crate) clustered: bool,
}

/// Splits a migration into statements; comments go, directives are kept.
///
/// Knows `--` comments and quoted strings. A migration holds no other construct that could contain a semicolon.
pub(crate) fn split(text: &str) -> Vec<Statement> {
    let mut found = Vec::new();
    let mut current = Statement::default();
    for line in text.lines() {
        let (code, comment) = cut_comment(line);
        if let Some(comment) = comment {
            current.append_only |= comment.trim() == "@append_only";
            current.clustered |= comment.trim() == "@clustered";
        }
        let mut quoted = false;
        for c in code.chars() {
            quoted ^= c == '\'';
            if c == ';' && !quoted {
                let mut done = std::mem::take(&mut current);
                done.sql = done.sql.trim().to_owned();
                found.push(done);
            } else {
                current.sql.push(c);
            }
        }
        current.sql.push('\n');
    }
    assert!(current.sql.trim().is_empty(), "a migration ends with a semicolon");
    found
}

fn cut_comment(line: &str) -> (&str, Option<&str>) {
    let mut quoted = false;
    for (at, c) in line.char_indices() {
        quoted ^= c == '\'';
        if !quoted && line[at..].starts_with("--") {
            return (&line[..at], Some(&line[at + 2..]));
        }
    }
    (line, None)
}

impl Dialect {
    /// Spells one statement of a migration for this engine.
    pub(crate) fn spell(self, statement: &Statement) -> Vec<String> {
        let Self::Sqlite = self;
        let own_types = || statement.sql.replace("BIGINT", "INTEGER").replace("DOUBLE PRECISION", "REAL");
        let Some(table) = created_table(&statement.sql) else {
            let adds = statement.sql.starts_with("ALTER TABLE ");
            return vec![if adds { own_types() } else { statement.sql.clone() }];
        };
        // STRICT makes SQLite refuse a text in a number column, as PostgreSQL does by nature.
        let mut sql = own_types();
        sql.push_str(if statement.clustered { " STRICT, WITHOUT ROWID" } else { " STRICT" });
        let mut spelled = vec![sql];
        if statement.append_only {
            spelled.extend(["UPDATE", "DELETE"].map(|change| {
                format!(
                    "CREATE TRIGGER {table}_no_{} BEFORE {change} ON {table} \
                     BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
                    change.to_lowercase()
                )
            }));
        }
        spelled
    }
}

fn created_table(sql: &str) -> Option<&str> {
    let rest = sql.strip_prefix("CREATE TABLE ")?;
    rest.split(|c: char| c == '(' || c.is_whitespace()).next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_and_dashes_in_strings_and_comments_do_not_split() {
        let found = split("-- one; two\nINSERT INTO t VALUES ('a;b--c'); -- end;\nDELETE FROM t;\n");
        let sql: Vec<&str> = found.iter().map(|statement| statement.sql.as_str()).collect();
        assert_eq!(sql, ["INSERT INTO t VALUES ('a;b--c')", "DELETE FROM t"]);
    }

    #[test]
    fn a_directive_belongs_to_the_statement_below_it() {
        let found = split("-- Why.\n-- @append_only\nCREATE TABLE a (x BIGINT);\nCREATE TABLE b (x BLOB);");
        assert_eq!((found[0].append_only, found[1].append_only), (true, false));
    }

    #[test]
    fn a_column_that_comes_later_has_the_same_types() {
        let spelled = Dialect::Sqlite.spell(&split("ALTER TABLE a ADD COLUMN x BIGINT NOT NULL DEFAULT 0;").remove(0));
        assert_eq!(spelled, ["ALTER TABLE a ADD COLUMN x INTEGER NOT NULL DEFAULT 0"]);
    }

    #[test]
    fn sqlite_tables_are_strict_and_append_only_tables_get_both_triggers() {
        let spelled = Dialect::Sqlite.spell(&split("-- @append_only\nCREATE TABLE a (x BIGINT);").remove(0));
        assert_eq!(spelled[0], "CREATE TABLE a (x INTEGER) STRICT");
        assert!(spelled[1].starts_with("CREATE TRIGGER a_no_update BEFORE UPDATE ON a"));
        assert!(spelled[2].starts_with("CREATE TRIGGER a_no_delete BEFORE DELETE ON a"));
    }
}
