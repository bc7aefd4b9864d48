//! Lists, tasks, where each report is, and the inspector's own counts.

use rusqlite::{Row, Transaction};

use super::apart::DAMAGED;
use super::case_row::{Attention, CaseRow, Local, Submit};
use super::views::{CaseItem, Counted, ListQuery, MyCounts, OnlyHere, StatusItem, Task, Unsent};
use super::{Store, StoreError, outbox, reference};
use crate::model::{CaseId, Facts, LocalDay, Millis};
use crate::workflow::{Ledger, Outcome};

impl Store {
    /// A page of cases, newest first, and where the next one begins.
    pub fn list(&self, query: &ListQuery) -> Result<(Vec<CaseItem>, Option<i64>), StoreError> {
        const SQL: &str = include_str!("sql/list_cases.sql");
        let limit = if query.limit == 0 { 50 } else { query.limit };
        self.read(|tx| {
            let mut statement = tx.prepare_cached(SQL)?;
            let after = query.after.unwrap_or(i64::MAX);
            let values = rusqlite::params![after, query.attention, query.drafts, query.mine, i64::from(limit) + 1];
            let mut rows = statement.query(values)?;
            let (mut items, mut last, mut more) = (Vec::new(), None, None);
            while let Some(row) = rows.next()? {
                if items.len() == limit as usize {
                    more = last;
                    break;
                }
                last = Some(row.get(0)?);
                items.push(read_item(tx, row)?);
            }
            Ok((items, more))
        })
    }

    /// What waits for the signed-in user, oldest first.
    pub fn tasks(&self) -> Result<Vec<Task>, StoreError> {
        self.read(|tx| {
            let mut statement =
                tx.prepare_cached("SELECT id, task FROM case_local WHERE task IS NOT NULL ORDER BY ord")?;
            let mut rows = statement.query([])?;
            let mut tasks = Vec::new();
            while let Some(found) = rows.next()? {
                let row = readable(tx, CaseId::from_bytes(found.get(0)?))?;
                let mut case = item_of(&row);
                complete(tx, &mut case)?;
                let missing = row.ledger.and_then(|ledger| ledger.needs_more);
                tasks.push(Task { kind: found.get(1)?, missing, case });
            }
            Ok(tasks)
        })
    }

    /// Where every report of this phone is, newest first.
    pub fn status_items(&self) -> Result<Vec<StatusItem>, StoreError> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached(include_str!("sql/status_items.sql"))?;
            let rows = statement.query_map([], |row| {
                Ok(StatusItem {
                    id: CaseId::from_bytes(row.get(0)?),
                    on_phone: true,
                    on_server: row.get(1)?,
                    reviewed: row.get(2)?,
                    photos: Counted { total: row.get(3)?, sent: row.get(4)? },
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// How much is only on this phone; drafts are not counted, they are not meant to leave it.
    pub fn unsent(&self) -> Result<Unsent, StoreError> {
        self.read(|tx| {
            let tally = outbox::tally(tx)?;
            Ok(Unsent { cases: tally.cases, photos: tally.photos })
        })
    }

    /// Everything a wipe would take for good: what waits, and what is not meant to leave or was not taken.
    pub fn only_here(&self) -> Result<OnlyHere, StoreError> {
        self.read(|tx| {
            let tally = outbox::tally(tx)?;
            let mut statement = tx.prepare_cached(include_str!("sql/only_here.sql"))?;
            Ok(statement.query_row([], |row| {
                let (drafts, refused_words, refused_photos) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(OnlyHere { cases: tally.cases, photos: tally.photos, drafts, refused_words, refused_photos })
            })?)
        })
    }

    /// The signed-in user's reports received from `from` to `to`, both days included.
    pub fn my_counts(&self, from: LocalDay, to: LocalDay) -> Result<MyCounts, StoreError> {
        const SQL: &str = "SELECT mode, outcome, COUNT(*) FROM case_local \
                           WHERE mine = 1 AND day BETWEEN ?1 AND ?2 AND outcome <> 'draft' GROUP BY mode, outcome";
        self.read(|tx| {
            let mut statement = tx.prepare_cached(SQL)?;
            let mut rows = statement.query((from.number(), to.number()))?;
            let mut counts = MyCounts::default();
            while let Some(row) = rows.next()? {
                let mode: Option<String> = row.get(0)?;
                let outcome: String = row.get(1)?;
                counts.add(mode.as_deref(), &outcome, row.get(2)?);
            }
            Ok(counts)
        })
    }
}

/// The line of a case, without what [`complete`] adds.
pub(super) fn item_of(row: &CaseRow) -> CaseItem {
    let ledger = row.ledger.as_ref();
    let decided = ledger.and_then(Ledger::counted_category).cloned();
    let unsent = row.dirty_since.is_some() || row.submit == Submit::Wanted;
    CaseItem {
        id: row.id,
        state: ledger.map_or(row.local_code(), |ledger| ledger.state.code()).to_owned(),
        mode: row.mode(),
        category: decided.or_else(|| row.facts.category_claim.clone()),
        category_name: None,
        text: row.facts.description.clone(),
        created_at: row.created_at,
        submitted_at: row.submitted_at,
        case_no: ledger.and_then(|ledger| ledger.case_no.clone()),
        version: ledger.map_or(0, |ledger| ledger.version),
        unsent,
        on_server: ledger.is_some() && !unsent,
        reviewed: ledger.is_some_and(|ledger| ledger.outcome() != Outcome::Pending),
        photos: row.facts.photos.len(),
        own_photos: Counted::default(),
        due_at: ledger.and_then(|ledger| ledger.due_at),
        void_reason: ledger.and_then(|ledger| ledger.void_reason).map(|reason| reason.code().to_owned()),
        attention: row.attention.as_ref().map(|attention| attention.code.clone()),
        attention_field: row.attention.as_ref().and_then(|attention| attention.field.clone()),
    }
}

fn read_item(tx: &Transaction<'_>, row: &Row<'_>) -> Result<CaseItem, StoreError> {
    let id = CaseId::from_bytes(row.get(1)?);
    let Some(facts) = row.get_ref(4)?.as_str().ok().and_then(|json| serde_json::from_str::<Facts>(json).ok()) else {
        let mut item = item_of(&readable(tx, id)?);
        complete(tx, &mut item)?;
        return Ok(item);
    };
    let ledger: Option<String> = row.get(5)?;
    let local = if row.get_ref(2)?.as_str().unwrap_or_default() == "draft" { Local::Draft } else { Local::Submitted };
    let mut case = CaseRow::new(id, true, local, Millis(row.get(3)?));
    case.facts = facts;
    // One that is damaged is folded anew by whoever works on the case.
    case.ledger = ledger.and_then(|json| serde_json::from_str(&json).ok());
    case.submitted_at = row.get::<_, Option<i64>>(6)?.map(Millis);
    case.dirty_since = row.get::<_, bool>(7)?.then_some(Millis(0));
    let mut item = item_of(&case);
    item.attention = row.get(8)?;
    item.attention_field = row.get(9)?;
    complete(tx, &mut item)?;
    Ok(item)
}

/// A case for a list; one whose rows can not be read is a line to look at.
fn readable(tx: &Transaction<'_>, case: CaseId) -> Result<CaseRow, StoreError> {
    match CaseRow::load(tx, case) {
        Ok(Some(row)) => Ok(row),
        Ok(None) | Err(StoreError::Damaged(_)) => {
            let attention = Some(Attention { code: DAMAGED.to_owned(), field: None });
            Ok(CaseRow { attention, ..CaseRow::new(case, true, Local::Submitted, Millis(0)) })
        }
        Err(error) => Err(error),
    }
}

/// Adds the name of its category to a line, and how far its photos got.
pub(super) fn complete(tx: &Transaction<'_>, item: &mut CaseItem) -> Result<(), StoreError> {
    const PHOTOS: &str = "SELECT COUNT(*), COUNT(*) FILTER (WHERE state = 'sent') FROM photo WHERE case_id = ?1";
    item.own_photos = tx
        .prepare_cached(PHOTOS)?
        .query_row([item.id.as_bytes()], |row| Ok(Counted { total: row.get(0)?, sent: row.get(1)? }))?;
    if let Some(category) = &item.category {
        item.category_name = reference::category_name(tx, category)?;
    }
    Ok(())
}
