//! One row of `case_local`: what the phone knows of a case.

use rusqlite::{OptionalExtension, Row, Transaction};

use super::{StoreError, census, changes, feed};
use crate::doc::FieldDoc;
use crate::doc::gate::{Policy, admit};
use crate::model::{CaseId, ChangeHash, Facts, Millis, Mode};
use crate::workflow::{Ledger, TaskKind};

/// This phone's side of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Local {
    /// Never leaves the phone.
    Draft,
    /// Reported, here or elsewhere.
    Submitted,
}

/// How far the wish to report a case got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Submit {
    /// Not asked for: a draft, or a case of someone else.
    No = 0,
    /// To be sent, or sent without an answer.
    Wanted = 1,
    /// The server confirmed it.
    Acked = 2,
}

/// Why the inspector has to look at a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Attention {
    pub(super) code: String,
    pub(super) field: Option<String>,
}

/// A case as stored. Load, change, save: the derived columns follow.
#[derive(Debug, Clone)]
pub(super) struct CaseRow {
    pub(super) id: CaseId,
    pub(super) own: bool,
    pub(super) local: Local,
    pub(super) created_at: Millis,
    pub(super) submitted_at: Option<Millis>,
    pub(super) submit: Submit,
    pub(super) dirty_since: Option<Millis>,
    /// The document with every change sent or pulled; none before the first.
    pub(super) base: Option<Vec<u8>>,
    pub(super) base_rev: i64,
    /// Base and unsent edits.
    pub(super) facts: Facts,
    pub(super) acked_heads: Vec<ChangeHash>,
    pub(super) repairs: u32,
    pub(super) ledger: Option<Ledger>,
    pub(super) ledger_epoch: u64,
    pub(super) attention: Option<Attention>,
}

impl CaseRow {
    /// A case this phone learns of now.
    pub(super) fn new(id: CaseId, own: bool, local: Local, at: Millis) -> Self {
        Self {
            id,
            own,
            local,
            created_at: at,
            submitted_at: None,
            submit: Submit::No,
            dirty_since: None,
            base: None,
            base_rev: 0,
            facts: Facts::default(),
            acked_heads: Vec::new(),
            repairs: 0,
            ledger: None,
            ledger_epoch: 0,
            attention: None,
        }
    }

    /// The row of `case`, if the phone knows it.
    pub(super) fn load(tx: &Transaction<'_>, case: CaseId) -> Result<Option<Self>, StoreError> {
        let mut statement = tx.prepare_cached(include_str!("sql/load_case.sql"))?;
        let found = statement.query_row([case.as_bytes()], |row| Ok(Self::read(row))).optional()?.transpose()?;
        let Some((mut row, facts)) = found else { return Ok(None) };
        row.facts = match facts {
            Some(facts) => facts,
            // They follow from the document and the unsent edits.
            None => {
                let doc = row.base_doc().or_else(|_| row.doc_of_own(tx))?;
                feed::shown_facts(tx, &row, &doc)?
            }
        };
        Ok(Some(row))
    }

    /// The row without its facts, and the facts if they can be read.
    fn read(row: &Row<'_>) -> Result<(Self, Option<Facts>), StoreError> {
        let code: Option<String> = row.get(15)?;
        let ledger: Option<String> = row.get(13)?;
        let heads: Option<Vec<u8>> = row.get(11)?;
        let facts = row.get_ref(10)?.as_str().ok().and_then(|json| serde_json::from_str(json).ok());
        let is_dirty: bool = row.get(6)?;
        let read = Self {
            id: CaseId::from_bytes(row.get(0)?),
            own: row.get(1)?,
            local: if row.get_ref(2)?.as_str().unwrap_or_default() == "draft" {
                Local::Draft
            } else {
                Local::Submitted
            },
            created_at: Millis(row.get(3)?),
            submitted_at: row.get::<_, Option<i64>>(4)?.map(Millis),
            submit: match row.get(5)? {
                0 => Submit::No,
                1 => Submit::Wanted,
                _ => Submit::Acked,
            },
            dirty_since: row.get::<_, Option<i64>>(7)?.map(Millis).filter(|_| is_dirty),
            base: row.get(8)?,
            base_rev: row.get(9)?,
            facts: Facts::default(),
            // Of the next answer at the latest they are written anew.
            acked_heads: heads.and_then(|heads| ChangeHash::split(&heads)).unwrap_or_default(),
            repairs: row.get(12)?,
            // Folded from the event rows: one that is damaged is folded anew.
            ledger: ledger.and_then(|json| serde_json::from_str(&json).ok()),
            ledger_epoch: row.get::<_, i64>(14)? as u64,
            attention: code.map(|code| Ok::<_, StoreError>(Attention { code, field: row.get(16)? })).transpose()?,
        };
        Ok((read, facts))
    }

    /// Writes the row, new or not. `user` is who is signed in; tasks are theirs.
    pub(super) fn save(&self, tx: &Transaction<'_>, user: Option<&str>) -> Result<(), StoreError> {
        const SQL: &str = include_str!("sql/save_case.sql");
        let ledger = self.ledger.as_ref().map(serde_json::to_string).transpose()?;
        tx.prepare_cached(SQL)?.execute(rusqlite::params![
            self.id.as_bytes(),
            self.own,
            self.local_code(),
            self.created_at.0,
            self.submitted_at.map(|at| at.0),
            self.submit as i64,
            self.dirty_since.is_some(),
            self.dirty_since.map(|at| at.0),
            self.base,
            self.base_rev,
            serde_json::to_string(&self.facts)?,
            (!self.acked_heads.is_empty()).then(|| ChangeHash::concat(&self.acked_heads)),
            self.repairs,
            ledger,
            self.ledger_epoch as i64,
            self.attention.as_ref().map(|attention| &attention.code),
            self.attention.as_ref().and_then(|attention| attention.field.as_ref()),
            self.is_mine(user),
            self.day(),
            self.mode().map(Mode::code),
            self.outcome(),
            self.task(user),
        ])?;
        Ok(())
    }

    /// The document without unsent edits.
    pub(super) fn base_doc(&self) -> Result<FieldDoc, StoreError> {
        match &self.base {
            Some(snapshot) => FieldDoc::load(snapshot).map_err(StoreError::damaged),
            None => Ok(FieldDoc::new()),
        }
    }

    /// The same for whoever goes on with it: a document that is damaged begins again from what this phone wrote, and the
    /// next sync brings the rest.
    pub(super) fn sound_doc(&mut self, tx: &Transaction<'_>) -> Result<FieldDoc, StoreError> {
        if let Ok(doc) = self.base_doc() {
            return Ok(doc);
        }
        let doc = self.doc_of_own(tx)?;
        self.set_base((doc.change_count() > 0).then(|| doc.save()));
        const SQL: &str = "UPDATE case_local SET base = ?2, base_rev = ?3 WHERE id = ?1";
        tx.prepare_cached(SQL)?.execute((self.id.as_bytes(), &self.base, self.base_rev))?;
        census::suspect(tx)?;
        Ok(doc)
    }

    /// The document as far as what this phone wrote makes one.
    fn doc_of_own(&self, tx: &Transaction<'_>) -> Result<FieldDoc, StoreError> {
        let mut doc = FieldDoc::new();
        let bodies = changes::written(tx, self.id)?;
        let bodies: Vec<&[u8]> = bodies.iter().map(Vec::as_slice).collect();
        admit(&mut doc, &bodies, &Policy::from_server());
        Ok(doc)
    }

    /// Replaces the document without unsent edits.
    pub(super) fn set_base(&mut self, snapshot: Option<Vec<u8>>) {
        self.base = snapshot;
        self.base_rev += 1;
    }

    pub(super) fn local_code(&self) -> &'static str {
        match self.local {
            Local::Draft => "draft",
            Local::Submitted => "submitted",
        }
    }

    /// The mode the case is counted under here: decided, until then claimed.
    pub(super) fn mode(&self) -> Option<Mode> {
        self.ledger.as_ref().map(Ledger::counted_mode).or(self.facts.mode_claim)
    }

    fn is_mine(&self, user: Option<&str>) -> bool {
        self.own || self.ledger.as_ref().is_some_and(|ledger| user == Some(ledger.reporter.as_str()))
    }

    fn day(&self) -> i32 {
        let own_time = self.submitted_at.unwrap_or(self.created_at);
        self.ledger.as_ref().map_or(own_time, |ledger| ledger.received_at).local_day().number()
    }

    fn outcome(&self) -> &'static str {
        match (self.local, &self.ledger) {
            (_, Some(ledger)) => ledger.outcome().code(),
            (Local::Draft, None) => "draft",
            (Local::Submitted, None) => "unsent",
        }
    }

    /// What waits for the signed-in user.
    fn task(&self, user: Option<&str>) -> Option<&'static str> {
        let (ledger, user) = (self.ledger.as_ref()?, user?);
        let sent_back = ledger.needs_more.is_some() && ledger.reporter == user;
        match &ledger.task {
            Some(task) if task.assignee == user && task.kind == TaskKind::Verify => Some("verify"),
            Some(task) if task.assignee == user => Some("check"),
            _ if sent_back && !ledger.is_final() => Some("complete"),
            _ => None,
        }
    }
}
