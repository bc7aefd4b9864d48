//! The seam: everything above the store speaks SQL through [`Tx`] and nothing else.

use std::pin::Pin;

use super::{Row, StoreError, Value};

/// What a transaction body returns: `Box::pin(async move { .. })`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An open transaction.
///
/// SQL is the dialect both engines share (`?1` placeholders, no driver words); statements are prepared once and kept,
/// so a statement must be a constant text with its values in `params`, never put together from them.
///
/// On SQLite every future is ready at once. A body may await nothing else than its `Tx`: the store polls it once and
/// treats "pending" as a programming error.
#[async_trait::async_trait]
pub trait Tx: Send {
    /// Runs a statement and gives all its rows, `RETURNING` included.
    async fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError>;

    /// Runs a statement without rows and gives the number of rows it changed.
    async fn execute(&mut self, sql: &str, params: &[Value]) -> Result<u64, StoreError>;

    /// Gives the only row, or [`StoreError::RowCount`] if there is none or more than one.
    async fn query_one(&mut self, sql: &str, params: &[Value]) -> Result<Row, StoreError> {
        let mut rows = self.query(sql, params).await?;
        match rows.pop() {
            Some(row) if rows.is_empty() => Ok(row),
            last => Err(StoreError::RowCount { found: rows.len() + usize::from(last.is_some()) }),
        }
    }

    /// Gives the only row or nothing, and [`StoreError::RowCount`] if there is more than one.
    async fn query_opt(&mut self, sql: &str, params: &[Value]) -> Result<Option<Row>, StoreError> {
        let mut rows = self.query(sql, params).await?;
        match rows.pop() {
            last if rows.is_empty() => Ok(last),
            _ => Err(StoreError::RowCount { found: rows.len() + 1 }),
        }
    }
}
