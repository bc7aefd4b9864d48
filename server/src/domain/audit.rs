//! The audit trail (审计): who did what outside the ledger as well. Append-only and chained.
//!
//! Log-ins, accounts, phones, exports, unmasked contacts. Written in the transaction of the act it tells of, so that
//! neither exists without the other.

use xunge_client_core::model::Millis;

use crate::params;
use crate::store::{Row, Store, StoreError, Tx, Value, chain};

/// Name of the chain, part of every hash.
pub const CHAIN: &str = "audit";

/// Who does what the server does by itself.
pub const SERVER: &str = "server";

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry<'a> {
    /// When.
    pub at: Millis,
    /// Id of the user, `cli` for the command line, [`SERVER`], `-` for nobody known.
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

/// What to list; empty for whatever it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only what this user did.
    pub actor: String,
    /// Only this action; one that ends in a dot stands for all that begin so.
    pub action: String,
    /// Only what was done to this.
    pub subject: String,
    /// At this time or later.
    pub from: Option<Millis>,
    /// Before this time.
    pub to: Option<Millis>,
    /// Only older lines than this one: where the page before ended.
    pub before: Option<i64>,
    /// Most lines.
    pub limit: usize,
}

/// A line of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number.
    pub seq: i64,
    /// When, Unix milliseconds.
    pub at: i64,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To what.
    pub subject: String,
    /// More about it, JSON.
    pub detail: String,
    /// Its hash, hex.
    pub hash: String,
}

/// A page of the trail, newest first, and whether there is more.
pub async fn list(tx: &mut dyn Tx, filter: &Filter) -> Result<(Vec<Line>, bool), StoreError> {
    /// Conditions that no index serves; the texts around them differ by the index that leads.
    macro_rules! sql {
        ($lead:literal) => {
            concat!(
                "SELECT seq, at, actor, action, subject, detail, hash FROM audit WHERE ",
                $lead,
                " AND seq < ?3 AND at >= ?4 AND at < ?5 AND (?6 = '' OR action = ?6 OR action LIKE ?7)
                 AND (?1 = '' OR actor = ?1) AND (?2 = '' OR subject = ?2) ORDER BY seq DESC LIMIT ?8"
            )
        };
    }
    let sql = match (filter.subject.is_empty(), filter.actor.is_empty()) {
        (false, _) => sql!("subject = ?2"),
        (true, false) => sql!("actor = ?1"),
        (true, true) => sql!("seq > 0"),
    };
    // Only our own forms end an action in a dot; letters that a pattern reads in its own way are no action.
    let plain = filter.action.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte == b'.');
    let begins = if plain && filter.action.ends_with('.') { format!("{}%", filter.action) } else { String::new() };
    let rows = tx
        .query(
            sql,
            params![
                &filter.actor,
                &filter.subject,
                filter.before.unwrap_or(i64::MAX),
                filter.from.map_or(i64::MIN, |at| at.0),
                filter.to.map_or(i64::MAX, |at| at.0),
                &filter.action,
                &begins,
                i64::try_from(filter.limit).unwrap_or(i64::MAX).saturating_add(1),
            ],
        )
        .await?;
    let mut lines = rows.iter().map(line).collect::<Result<Vec<_>, _>>()?;
    let more = lines.len() > filter.limit;
    lines.truncate(filter.limit);
    Ok((lines, more))
}

fn line(row: &Row) -> Result<Line, StoreError> {
    Ok(Line {
        seq: row.int(0)?,
        at: row.int(1)?,
        actor: row.text(2)?.to_owned(),
        action: row.text(3)?.to_owned(),
        subject: row.text(4)?.to_owned(),
        detail: row.text(5)?.to_owned(),
        hash: hex::encode(row.blob(6)?),
    })
}

/// What a check of the chain found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Lines looked at.
    pub lines: u64,
    /// The first line that is not as it was written, and why.
    pub broken: Option<(i64, String)>,
}

/// Recomputes the chain from its first line; the trail may grow meanwhile.
///
/// What a chain can not see is a missing tail; `verify` counts the lines against the ledger.
pub async fn check(store: &Store) -> Result<Checked, StoreError> {
    /// Lines read at once: a reader is not kept from others for longer.
    const PAGE: usize = 1_000;
    const SQL: &str = "SELECT seq, at, actor, action, subject, detail, prev_hash, hash FROM audit WHERE seq > ?1
        ORDER BY seq LIMIT 1000";
    let (mut walk, mut after, mut lines) = (chain::Walk::new(CHAIN), 0, 0);
    loop {
        let rows = store
            .read::<_, StoreError, _>(move |tx| Box::pin(async move { tx.query(SQL, params![after]).await }))
            .await?;
        for row in &rows {
            after = row.int(0)?;
            lines += 1;
            if let Err(broken) = walk.step(&row.array(6)?, &row.values()[..6], &row.array(7)?) {
                return Ok(Checked { lines, broken: Some((after, broken.to_string())) });
            }
        }
        if rows.len() < PAGE {
            return Ok(Checked { lines, broken: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn trail(store: &Store, lines: &'static [(&'static str, &'static str, &'static str)]) {
        let write = store.write::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                for (n, (actor, action, subject)) in lines.iter().enumerate() {
                    append(tx, &Entry { at: Millis(n as i64), actor, action, subject, detail: "{}" }).await?;
                }
                Ok(())
            })
        });
        write.await.unwrap();
    }

    async fn numbers(store: &Store, filter: Filter) -> (Vec<i64>, bool) {
        let read = store.read::<_, StoreError, _>(move |tx| {
            let filter = filter.clone();
            Box::pin(async move { list(tx, &filter).await })
        });
        let (lines, more) = read.await.unwrap();
        (lines.iter().map(|line| line.seq).collect(), more)
    }

    #[tokio::test]
    async fn the_trail_is_read_newest_first_by_whatever_is_asked_for() {
        let store = Store::in_memory().unwrap();
        trail(
            &store,
            &[
                ("admin", "user.added", "ma"),
                ("li", "case.file", "01"),
                ("admin", "user.disabled", "ma"),
                ("li", "case.void", "02"),
                ("-", "login.failed", "-"),
            ],
        )
        .await;
        let all = Filter { limit: 10, ..Filter::default() };
        let of = |actor: &str, action: &str, subject: &str| Filter {
            actor: actor.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            ..all.clone()
        };
        for (filter, expected) in [
            (all.clone(), vec![5, 4, 3, 2, 1]),
            (of("admin", "", ""), vec![3, 1]),
            (of("", "case.", ""), vec![4, 2]),
            (of("", "case.file", ""), vec![2]),
            (of("", "%.", ""), vec![]),
            (of("", "", "ma"), vec![3, 1]),
            (of("admin", "user.added", "ma"), vec![1]),
            (of("li", "", "ma"), vec![]),
            (Filter { from: Some(Millis(1)), to: Some(Millis(3)), ..all.clone() }, vec![3, 2]),
        ] {
            assert_eq!(numbers(&store, filter.clone()).await, (expected, false), "{filter:?}");
        }
        let page = Filter { limit: 2, ..all.clone() };
        assert_eq!(numbers(&store, page.clone()).await, (vec![5, 4], true));
        assert_eq!(numbers(&store, Filter { before: Some(4), ..page.clone() }).await, (vec![3, 2], true));
        assert_eq!(numbers(&store, Filter { before: Some(2), ..page }).await, (vec![1], false));
    }

    #[tokio::test]
    async fn a_changed_line_is_named_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trail.db");
        let options = crate::store::Options::default();
        let store = Store::open(&path, &options).unwrap();
        trail(&store, &[("a", "user.added", "x"), ("a", "user.enabled", "x"), ("a", "user.disabled", "x")]).await;
        assert_eq!(check(&store).await.unwrap(), Checked { lines: 3, broken: None });
        let change = "DROP TRIGGER audit_no_update";
        for sql in [change, "UPDATE audit SET actor = 'b' WHERE seq = 2"] {
            store
                .write::<_, StoreError, _>(move |tx| Box::pin(async move { tx.execute(sql, &[]).await }))
                .await
                .unwrap();
        }
        let found = check(&store).await.unwrap();
        assert_eq!(found.broken.map(|(seq, _)| seq), Some(2));
    }

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
