//! The audit trail (审计): who did what outside the ledger as well. Append-only and chained.
//!
//! Log-ins, accounts, phones, exports, unmasked contacts. Written in the transaction of the act it tells of, so that
//! neither exists without the other.

use xunge_client_core::model::Millis;

use crate::params;
use crate::store::{StoreError, Tx, Value, chain};

/// Name of the chain, part of every hash.
pub const CHAIN: &str = "audit";

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// When.
    pub at: Millis,
    /// Id of the user, `cli` for the command line, `-` for nobody known.
    pub actor: &'a str,
    /// What was done, as a dotted word: `login.failed`, `user.disabled`.
    pub action: &'a str,
    /// What it was done to, by id.
    pub subject: &'a str,
    /// More about it as JSON; no names, phone numbers or secrets.
    pub detail: &'a str,
}

/// Appends one act to the trail.
pub async fn append(tx: &mut dyn Tx, entry: &Entry<'_>) -> Result<(), StoreError> {
    let last = tx.query_opt("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", params![]).await?;
    let (seq, previous) = match last {
        Some(row) => (row.int(0)? + 1, row.array(1)?),
        None => (1, chain::GENESIS),
    };
    let fields = fields(seq, entry);
    let hash = chain::link(CHAIN, &previous, &fields);
    let mut params = fields.to_vec();
    params.extend([Value::from(previous), Value::from(hash)]);
    tx.execute(
        "INSERT INTO audit (seq, at, actor, action, subject, detail, prev_hash, hash) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        &params,
    )
    .await?;
    Ok(())
}

/// What the hash of a row covers, in this order; `verify` hashes the same.
pub fn fields(seq: i64, entry: &Entry<'_>) -> [Value; 6] {
    [
        Value::from(seq),
        Value::from(entry.at.0),
        Value::from(entry.actor),
        Value::from(entry.action),
        Value::from(entry.subject),
        Value::from(entry.detail),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn the_trail_is_one_unbroken_chain() {
        let store = Store::in_memory().unwrap();
        for n in 0..5 {
            store
                .write::<_, StoreError, _>(move |tx| {
                    Box::pin(async move {
                        let subject = n.to_string();
                        let entry =
                            Entry { at: Millis(n), actor: "cli", action: "test", subject: &subject, detail: "{}" };
                        append(tx, &entry).await
                    })
                })
                .await
                .unwrap();
        }
        let rows = store
            .read::<_, StoreError, _>(|tx| {
                Box::pin(async move {
                    tx.query("SELECT seq, at, actor, action, subject, detail, prev_hash, hash FROM audit", params![])
                        .await
                })
            })
            .await
            .unwrap();
        let mut walk = chain::Walk::new(CHAIN);
        for row in &rows {
            let previous = row.array(6).unwrap();
            walk.step(&previous, &row.values()[..6], &row.array(7).unwrap()).unwrap();
        }
        assert_eq!(rows.len(), 5);
    }
}
