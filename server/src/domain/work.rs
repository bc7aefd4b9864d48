//! What a transaction writes once at its end: counters, feed and audit.
//!
//! A push of a hundred reports moves few counters and appends to one feed and one trail. Each of those has a head
//! that the next row needs; so the steps collect, and [`Work::finish`] writes all of it together.

use xunge_client_core::model::Millis;

use super::audit;
use super::counts::Standing;
use super::counts::post::Movements;
use super::feed;
use crate::params;
use crate::store::chain::{self, Hash};
use crate::store::{StoreError, Tx, Value};

/// The collected consequences of the steps of one transaction. Steps without [`Work::finish`] are a mistake.
#[derive(Debug)]
#[must_use = "counters, feed and audit are written by `finish`"]
pub struct Work {
    /// The district all steps lie in.
    pub district: String,
    /// The business time of all steps.
    pub now: Millis,
    movements: Movements,
    feed: Vec<feed::Entry>,
    acts: Vec<Act>,
}

#[derive(Debug)]
struct Act {
    actor: String,
    action: String,
    subject: String,
    detail: String,
}

impl Work {
    /// Starts collecting for a district.
    pub fn new(district: impl Into<String>, now: Millis) -> Self {
        let (movements, feed, acts) = (Movements::default(), Vec::new(), Vec::new());
        Self { district: district.into(), now, movements, feed, acts }
    }

    /// Notes that a case is counted elsewhere now.
    pub fn moved(&mut self, before: Option<&Standing>, after: &Standing) {
        self.movements.moved(before, after);
    }

    /// Notes something for the feed.
    pub fn tell(&mut self, entry: feed::Entry) {
        self.feed.push(entry);
    }

    /// Notes something for the audit trail.
    pub fn audit(
        &mut self,
        actor: impl Into<String>,
        action: impl Into<String>,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) {
        let (actor, action) = (actor.into(), action.into());
        self.acts.push(Act { actor, action, subject: subject.into(), detail: detail.into() });
    }

    /// Writes counters, feed and audit.
    pub async fn finish(self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        self.movements.write(tx, &self.district).await?;
        if !self.feed.is_empty() {
            feed::append(tx, &self.district, &self.feed).await?;
        }
        if !self.acts.is_empty() {
            write_acts(tx, self.now, &self.acts).await?;
        }
        Ok(())
    }
}

async fn write_acts(tx: &mut dyn Tx, at: Millis, acts: &[Act]) -> Result<(), StoreError> {
    let last = tx.query_opt("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", params![]).await?;
    let (mut seq, mut hash): (i64, Hash) = match last {
        Some(row) => (row.int(0)?, row.array(1)?),
        None => (0, chain::GENESIS),
    };
    for act in acts {
        seq += 1;
        let entry =
            audit::Entry { at, actor: &act.actor, action: &act.action, subject: &act.subject, detail: &act.detail };
        let mut params = audit::fields(seq, &entry).to_vec();
        let previous = hash;
        hash = chain::link(audit::CHAIN, &previous, &params);
        params.extend([Value::from(previous), Value::from(hash)]);
        tx.execute(
            "INSERT INTO audit (seq, at, actor, action, subject, detail, prev_hash, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            &params,
        )
        .await?;
    }
    Ok(())
}
