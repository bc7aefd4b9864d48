//! Each case: its chain of events, their fold, its row, its document.

use std::collections::BTreeSet;

use xunge_client_core::model::{CaseId, ChangeHash, Facts};
use xunge_client_core::workflow::{Event, Ledger, apply};

use super::{Known, Report, columns, documents, page_of_ids};
use crate::domain::counts::Standing;
use crate::domain::ledger::{self, CHAIN, EVENT_COLUMNS};
use crate::params;
use crate::store::chain::{Hash, Walk};
use crate::store::{Row, StoreError, Tx};

/// Columns an event's hash covers.
const HASHED: usize = 12;

pub(super) async fn check(tx: &mut dyn Tx, report: &mut Report, known: &mut Known) -> Result<(), StoreError> {
    let mut after = Vec::new();
    loop {
        const SQL: &str = "SELECT id FROM case_row WHERE id > ?1 ORDER BY id LIMIT 1000";
        let ids = page_of_ids(tx, SQL, &after).await?;
        let Some(last) = ids.last() else { break };
        after = last.to_vec();
        for id in ids {
            one(tx, report, known, CaseId::from_bytes(id)).await?;
        }
    }
    let orphans = "SELECT DISTINCT case_id FROM case_event WHERE case_id NOT IN (SELECT id FROM case_row) LIMIT 1000";
    for row in tx.query(orphans, &[]).await? {
        let case = row.array(0).map(|id| CaseId::from_bytes(id).to_string()).unwrap_or_default();
        report.differs("event", format!("case {case}"), "a case row", "events without a case");
    }
    Ok(())
}

async fn one(tx: &mut dyn Tx, report: &mut Report, known: &mut Known, case: CaseId) -> Result<(), StoreError> {
    report.counted("cases", 1);
    known.cases.insert(case);
    let Some((ledger, hash, mut past)) = fold(tx, report, known, case).await? else { return Ok(()) };
    let Some(district) = columns::check(tx, report, case, &ledger, &hash).await? else { return Ok(()) };
    if let Some(number) = &ledger.case_no
        && !known.numbers.insert(number.clone())
    {
        report.differs("case_no", format!("case {case}"), "a number of its own", number);
    }
    let standing = Standing::of(&ledger);
    let leaves = known.leaves.entry(district.clone()).or_default();
    leaves.entry(standing.leaf).or_default().add(1, &standing.cells);
    past.district = district;
    documents::check(tx, report, known, case, &past).await
}

/// What the events of a case say that its facts must agree with.
#[derive(Debug, Default)]
pub(super) struct Past {
    /// The district of the case.
    pub(super) district: String,
    /// Facts written down at the office.
    pub(super) written: Option<Facts>,
    /// Every head an event judged.
    pub(super) evidence: BTreeSet<ChangeHash>,
    /// When each event happened.
    pub(super) times: BTreeSet<i64>,
    /// Whether the case was decided after each version, the first being 1.
    pub(super) decided: Vec<bool>,
    /// When it was first decided.
    pub(super) first_decided: Option<i64>,
}

/// Walks the chain and folds it; none if there is nothing to fold.
async fn fold(
    tx: &mut dyn Tx,
    report: &mut Report,
    known: &mut Known,
    case: CaseId,
) -> Result<Option<(Ledger, Hash, Past)>, StoreError> {
    let sql = format!(
        "SELECT case_id, version, district, verb, actor, role, device, at, from_state, to_state, payload, heads,
         prev_hash, hash, {EVENT_COLUMNS} FROM case_event WHERE case_id = ?1 ORDER BY version"
    );
    let rows = tx.query(&sql, params![case.as_bytes()]).await;
    let Some(rows) = report.unreadable("event", format!("case {case}"), rows)? else { return Ok(None) };
    let mut walk = Walk::new(CHAIN);
    let mut folded: Option<Ledger> = None;
    let mut past = Past::default();
    for row in &rows {
        report.counted("events", 1);
        let subject = format!("case {case} event {}", row.int(1).unwrap_or_default());
        let Some((event, hash)) = report.unreadable("event", &subject, step(&mut walk, row))? else {
            return Ok(None);
        };
        known.events.insert((case, event.version), hash);
        past.evidence.extend(event.heads.iter().copied());
        past.times.insert(event.at.0);
        if event.version == 1 {
            past.written = event.payload.facts.as_deref().cloned();
        }
        let version = folded.as_ref().map_or(0, |ledger| ledger.version);
        match apply(folded.take(), &event) {
            Ok(next) => {
                let decided = next.filed_at.is_some() || next.is_final();
                past.first_decided = past.first_decided.or(decided.then_some(event.at.0));
                past.decided.push(decided);
                folded = Some(next);
            }
            Err(error) => {
                report.differs("event", subject, format!("a step from version {version}"), error.to_string());
                return Ok(None);
            }
        }
    }
    if folded.is_none() {
        report.differs("event", format!("case {case}"), "at least one event", "none");
    }
    Ok(folded.map(|ledger| (ledger, walk.head(), past)))
}

fn step(walk: &mut Walk, row: &Row) -> Result<(Event, Hash), StoreError> {
    let (previous, hash) = (row.array(HASHED)?, row.array(HASHED + 1)?);
    let event = ledger::event(row, HASHED + 2);
    walk.step(&previous, &row.values()[..HASHED], &hash)
        .map_err(|broken| StoreError::Check { what: broken.to_string() })?;
    Ok((event?, hash))
}
