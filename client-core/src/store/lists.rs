//! Reading: what the screens show.

use rusqlite::{Row, Transaction};
use serde::Serialize;

use super::case_row::{CaseRow, Local, Submit};
use super::{Store, StoreError, intents, outbox, phone_row, reference};
use crate::model::{CaseId, CategoryRef, Conflict, Facts, IntentId, LocalDay, Millis, Mode, PhotoHash, PhotoRole};
use crate::workflow::{Ledger, Verb, offers};

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CaseItem {
    /// The case.
    pub id: CaseId,
    /// `draft`, `submitted` (not on the server yet), or the ledger's state.
    pub state: String,
    /// Decided, until then claimed.
    pub mode: Option<Mode>,
    /// Decided, until then claimed.
    pub category: Option<CategoryRef>,
    /// Its name, if the reference data has it.
    pub category_name: Option<String>,
    /// The description.
    pub text: String,
    /// When it was made, by the phone's clock.
    pub created_at: Millis,
    /// When it was submitted here.
    pub submitted_at: Option<Millis>,
    /// 案卷号.
    pub case_no: Option<String>,
    /// Ledger version, 0 while the server has not confirmed it.
    pub version: u32,
    /// True while something of it is only on this phone.
    pub unsent: bool,
    /// Photos its facts name.
    pub photos: usize,
    /// Deadline in force.
    pub due_at: Option<Millis>,
    /// Why it is void.
    pub void_reason: Option<String>,
    /// Code of what the inspector has to look at.
    pub attention: Option<String>,
    /// The field at fault.
    pub attention_field: Option<String>,
}

/// Which cases to list, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only those that wait for the inspector's eye.
    pub attention: bool,
    /// Only drafts, or only what is none.
    pub drafts: Option<bool>,
    /// Only those reported by the signed-in user.
    pub mine: bool,
    /// After this position, as the page before said.
    pub after: Option<i64>,
    /// Most lines; 0 means 50.
    pub limit: u32,
}

/// A case with everything the phone knows.
#[derive(Debug, Clone)]
pub struct CaseDetail {
    /// Its line.
    pub item: CaseItem,
    /// What the field saw, unsent edits included.
    pub facts: Facts,
    /// Registers that several people set without knowing of each other.
    pub conflicts: Vec<Conflict>,
    /// What the office decided; none before the server confirmed the case.
    pub ledger: Option<Ledger>,
    /// Photos and how far each got.
    pub photos: Vec<PhotoStatus>,
    /// What was asked of the ledger, oldest first.
    pub requests: Vec<RequestStatus>,
    /// What the signed-in user could ask now.
    pub offers: Vec<Verb>,
    /// How often its facts were edited here, the first draft included.
    pub edits: u32,
}

/// A photo of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhotoStatus {
    /// Its name.
    pub sha256: PhotoHash,
    /// What it shows.
    pub role: PhotoRole,
    /// Its size.
    pub bytes: u64,
    /// Bytes the server confirmed; the size for photos of other phones.
    pub sent: u64,
    /// `waiting`, `sent`, `refused`, or `elsewhere` for a photo of another phone.
    pub state: String,
    /// Why it was refused.
    pub code: Option<String>,
}

/// Something asked of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RequestStatus {
    /// Its name.
    pub intent: IntentId,
    /// What was asked.
    pub verb: String,
    /// When, by the phone's clock.
    pub at: Millis,
    /// `pending`, `accepted` or `refused`.
    pub state: String,
    /// Why it was refused.
    pub code: Option<String>,
    /// The member at fault.
    pub field: Option<String>,
}

/// Something that waits for the signed-in user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Task {
    /// `verify`, `check`, or `complete` for a report the office sent back.
    pub kind: String,
    /// What the office wants.
    pub missing: Option<String>,
    /// The case.
    #[serde(flatten)]
    pub case: CaseItem,
}

/// Where a case of this phone is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatusItem {
    /// The case.
    pub id: CaseId,
    /// Always true: it is saved here.
    pub on_phone: bool,
    /// True after an answer whose digest covers everything of it.
    pub on_server: bool,
    /// True once the office decided on it.
    pub reviewed: bool,
    /// Its photos.
    pub photos: Counted,
}

/// Photos of a case, and how many of them are on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counted {
    /// All.
    pub total: u32,
    /// Fully sent.
    pub sent: u32,
}

/// What is only on this phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Unsent {
    /// Cases.
    pub cases: u32,
    /// Photos.
    pub photos: u32,
}

/// How the signed-in user's reports of a period stand, as this phone knows them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct MyCounts {
    /// Reports, the void ones included.
    pub reported: u32,
    /// Of these fixed on the spot.
    pub self_handled: u32,
    /// Of these forwarded.
    pub forwarded: u32,
    /// Void.
    pub void: u32,
    /// Filed, closed ones included.
    pub filed: u32,
    /// Not decided yet.
    pub pending: u32,
    /// Closed.
    pub case_closed: u32,
    /// Not on the server yet; part of `pending`.
    pub unsent: u32,
}

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

    /// Everything the phone knows of a case.
    pub fn detail(&self, case: CaseId) -> Result<Option<CaseDetail>, StoreError> {
        self.read(|tx| {
            let Some(row) = CaseRow::load(tx, case)? else { return Ok(None) };
            let user = phone_row::load(tx)?.user;
            let offers = user.map(|user| offers(row.ledger.as_ref(), &user.actor())).unwrap_or_default();
            let mut item = item_of(&row);
            name_category(tx, &mut item)?;
            Ok(Some(CaseDetail {
                item,
                conflicts: row.base_doc()?.facts().1,
                photos: photo_statuses(tx, &row)?,
                requests: requests(tx, case)?,
                edits: intents::count(tx, case)?,
                offers: offers.into_iter().filter(|verb| verb.is_request() && row.ledger.is_some()).collect(),
                facts: row.facts,
                ledger: row.ledger,
            }))
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
                let Some(row) = CaseRow::load(tx, CaseId::from_bytes(found.get(0)?))? else { continue };
                let mut case = item_of(&row);
                name_category(tx, &mut case)?;
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

impl MyCounts {
    fn add(&mut self, mode: Option<&str>, outcome: &str, n: u32) {
        self.reported += n;
        match mode {
            Some("self_handled") => self.self_handled += n,
            _ => self.forwarded += n,
        }
        match outcome {
            "void" => self.void += n,
            "filed" => self.filed += n,
            "case_closed" => {
                self.filed += n;
                self.case_closed += n;
            }
            "unsent" => {
                self.pending += n;
                self.unsent += n;
            }
            _ => self.pending += n,
        }
    }
}

/// The line of a case, without the name of its category.
pub(super) fn item_of(row: &CaseRow) -> CaseItem {
    let ledger = row.ledger.as_ref();
    let decided = ledger.and_then(Ledger::counted_category).cloned();
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
        unsent: row.dirty_since.is_some() || row.submit == Submit::Wanted,
        photos: row.facts.photos.len(),
        due_at: ledger.and_then(|ledger| ledger.due_at),
        void_reason: ledger.and_then(|ledger| ledger.void_reason).map(|reason| reason.code().to_owned()),
        attention: row.attention.as_ref().map(|attention| attention.code.clone()),
        attention_field: row.attention.as_ref().and_then(|attention| attention.field.clone()),
    }
}

fn read_item(tx: &Transaction<'_>, row: &Row<'_>) -> Result<CaseItem, StoreError> {
    let facts: Facts = serde_json::from_str(row.get_ref(4)?.as_str().map_err(StoreError::damaged)?)?;
    let ledger: Option<String> = row.get(5)?;
    let local = if row.get_ref(2)?.as_str().unwrap_or_default() == "draft" { Local::Draft } else { Local::Submitted };
    let mut case = CaseRow::new(CaseId::from_bytes(row.get(1)?), true, local, Millis(row.get(3)?));
    case.facts = facts;
    case.ledger = ledger.map(|json| serde_json::from_str(&json)).transpose()?;
    case.submitted_at = row.get::<_, Option<i64>>(6)?.map(Millis);
    case.dirty_since = row.get::<_, bool>(7)?.then_some(Millis(0));
    let mut item = item_of(&case);
    item.attention = row.get(8)?;
    item.attention_field = row.get(9)?;
    name_category(tx, &mut item)?;
    Ok(item)
}

fn name_category(tx: &Transaction<'_>, item: &mut CaseItem) -> Result<(), StoreError> {
    if let Some(category) = &item.category {
        item.category_name = reference::category_name(tx, category)?;
    }
    Ok(())
}

fn photo_statuses(tx: &Transaction<'_>, row: &CaseRow) -> Result<Vec<PhotoStatus>, StoreError> {
    const SQL: &str = "SELECT sent, state, code FROM photo WHERE case_id = ?1 AND sha256 = ?2";
    let mut statement = tx.prepare_cached(SQL)?;
    let mut statuses = Vec::with_capacity(row.facts.photos.len());
    for (sha256, fact) in &row.facts.photos {
        let mut rows = statement.query((row.id.as_bytes(), sha256.as_bytes()))?;
        let (sent, state, code) = match rows.next()? {
            Some(found) => (found.get::<_, i64>(0)?.unsigned_abs(), found.get(1)?, found.get(2)?),
            None => (fact.bytes, "elsewhere".to_owned(), None),
        };
        statuses.push(PhotoStatus { sha256: *sha256, role: fact.role, bytes: fact.bytes, sent, state, code });
    }
    Ok(statuses)
}

fn requests(tx: &Transaction<'_>, case: CaseId) -> Result<Vec<RequestStatus>, StoreError> {
    const SQL: &str = "SELECT intent, verb, at, state, code, field FROM request WHERE case_id = ?1 ORDER BY seq";
    let mut statement = tx.prepare_cached(SQL)?;
    let rows = statement.query_map([case.as_bytes()], |row| {
        Ok(RequestStatus {
            intent: IntentId::from_bytes(row.get(0)?),
            verb: row.get(1)?,
            at: Millis(row.get(2)?),
            state: row.get(3)?,
            code: row.get(4)?,
            field: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}
