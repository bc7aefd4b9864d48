//! What a reviewer decided today (我的今日): for the person at the desk, not for a ranking.

use xunge_client_core::model::Millis;
use xunge_client_core::workflow::Verb;

use crate::params;
use crate::store::{StoreError, Tx};

/// How often a town office's reviewer used each verb since `since`, most often first. What was taken back later counts:
/// it was work all the same.
pub async fn decided(tx: &mut dyn Tx, user: &str, since: Millis) -> Result<Vec<(Verb, i64)>, StoreError> {
    // The role is spelt out, because the index is partial on it.
    let rows = tx
        .query(
            "SELECT verb, COUNT(*) FROM case_event WHERE role = 'town_office' AND actor = ?1 AND at >= ?2 \
             GROUP BY verb ORDER BY 2 DESC, 1",
            params![user, since.0],
        )
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        if let Some(verb) = Verb::from_code(row.text(0)?) {
            found.push((verb, row.int(1)?));
        }
    }
    Ok(found)
}
