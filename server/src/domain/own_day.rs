//! What a reviewer decided today (我的今日): for the person at the desk, not for a ranking.

use xunge_client_core::model::{CaseId, Millis};
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

/// One decision of a reviewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// On which case.
    pub case: CaseId,
    /// What.
    pub verb: Verb,
    /// When.
    pub at: Millis,
    /// When the case was received.
    pub received_at: Millis,
    /// Its category, `scheme:kind:code`; empty if it has none.
    pub category: String,
    /// Its number, if it has one.
    pub case_no: Option<String>,
}

impl Act {
    /// True if it answered a report: what counts as reviewed.
    pub fn is_review(&self) -> bool {
        matches!(self.verb, Verb::File | Verb::ApproveSelfHandled | Verb::Void | Verb::SendBack | Verb::MergeDuplicate)
    }
}

/// Every decision of a town office's reviewer since `since`, the newest first.
pub async fn acts(tx: &mut dyn Tx, user: &str, since: Millis) -> Result<Vec<Act>, StoreError> {
    let rows = tx
        .query(
            "SELECT e.case_id, e.verb, e.at, c.received_at, c.category, c.case_no FROM case_event e \
             JOIN case_row c ON c.id = e.case_id WHERE e.role = 'town_office' AND e.actor = ?1 AND e.at >= ?2 \
             ORDER BY e.at DESC, e.case_id, e.version DESC",
            params![user, since.0],
        )
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        let Some(verb) = Verb::from_code(row.text(1)?) else { continue };
        found.push(Act {
            case: CaseId::from_bytes(row.array(0)?),
            verb,
            at: Millis(row.int(2)?),
            received_at: Millis(row.int(3)?),
            category: row.text(4)?.to_owned(),
            case_no: row.opt_text(5)?.map(str::to_owned),
        });
    }
    Ok(found)
}

/// The median of the whole minutes from receipt to review, the lower of two in the middle; none without a review.
pub fn median_minutes(acts: &[Act]) -> Option<i64> {
    let took = |it: &Act| (it.at.0.saturating_sub(it.received_at.0)).max(0) / 60_000;
    let mut minutes: Vec<i64> = acts.iter().filter(|it| it.is_review()).map(took).collect();
    minutes.sort_unstable();
    minutes.get(minutes.len().checked_sub(1)? / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn act(verb: Verb, minutes: i64) -> Act {
        let (case, received_at) = (CaseId::from_bytes([1; 16]), Millis(1_000));
        Act {
            case,
            verb,
            at: received_at.plus_ms(minutes * 60_000 + 59_999),
            received_at,
            category: String::new(),
            case_no: None,
        }
    }

    #[test]
    fn the_median_is_of_reviews_alone_and_one_slow_case_does_not_move_it() {
        assert_eq!(median_minutes(&[]), None);
        assert_eq!(median_minutes(&[act(Verb::Close, 5)]), None, "ends a case, reviews no report");
        let acts = [act(Verb::File, 5), act(Verb::Void, 9_000), act(Verb::SendBack, 7), act(Verb::Urge, 1)];
        assert_eq!(median_minutes(&acts), Some(7));
        assert_eq!(median_minutes(&acts[..2]), Some(5));
    }
}
