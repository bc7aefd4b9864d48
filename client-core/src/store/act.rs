//! What an inspector does to a case: checked, written down and made visible in one transaction.

use rusqlite::Transaction;
use thiserror::Error;

use super::case_row::{CaseRow, Local, Submit};
use super::intents::{self, Action};
use super::views::CaseItem;
use super::{Store, StoreError, lists, phone_row, photos};
use crate::doc::gate::GateCode;
use crate::doc::{DocError, Edit};
use crate::model::{CaseId, Facts, IntentId, Millis, PhotoFact, PhotoHash, Sha256};
use crate::workflow::{Command, Context, Ledger, Payload, Refusal, Verb, decide};

/// A photo whose bytes are durable beside the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPhoto {
    /// Its name.
    pub sha256: PhotoHash,
    /// What goes into the facts.
    pub fact: PhotoFact,
    /// Hash of the file it was made from.
    pub original: Sha256,
    /// A small JPEG for lists.
    pub preview: Vec<u8>,
}

/// One thing done to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Edits the facts.
    Edit(Vec<Edit>),
    /// Adds a photo.
    Attach(NewPhoto),
    /// Takes a photo off that was never sent.
    Detach(PhotoHash),
    /// Reports the case.
    Submit,
    /// Asks something of the ledger.
    Request {
        /// What.
        verb: Verb,
        /// With what.
        payload: Box<Payload>,
    },
}

/// Why something can not be done to a case. Nothing was written.
#[derive(Debug, Error)]
pub enum ActError {
    /// The phone does not know the case.
    #[error("case {0} is not on this phone")]
    UnknownCase(CaseId),
    /// Only a draft is submitted.
    #[error("the case was submitted before")]
    AlreadySubmitted,
    /// The report lacks something it can not be without.
    #[error("the report lacks {}", .0.join(", "))]
    Incomplete(Vec<&'static str>),
    /// The office decided on these facts; only remarks and photos are added now.
    #[error("the case is filed; its base facts stay")]
    Filed,
    /// Someone else's case.
    #[error("the case belongs to someone else")]
    NotYours,
    /// The photo was sent, or is not part of the case.
    #[error("the photo can not be taken off any more")]
    PhotoStays,
    /// A value nobody would accept.
    #[error("`{field}` can not be set: {code}")]
    BadValue {
        /// The field.
        field: String,
        /// The code the gate would answer.
        code: GateCode,
    },
    /// The ledger does not allow it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Nobody is signed in.
    #[error("this phone is not enrolled")]
    NotEnrolled,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long a closed or void case takes more than supplements, counted from its end.
const LATE_MS: i64 = 7 * 86_400_000;

impl Store {
    /// Does `steps` to a new or known case, in one transaction; answers the case as a list shows it.
    ///
    /// # Errors
    /// [`ActError`]; nothing was written then.
    pub fn act(&self, case: CaseId, create: bool, steps: &[Step], now: Millis) -> Result<CaseItem, ActError> {
        self.write(|tx| {
            let phone = phone_row::load(tx)?;
            let user = phone.user.as_ref().map(|user| user.id.as_str());
            let mut row = match CaseRow::load(tx, case)? {
                Some(row) => row,
                None if create => {
                    let row = CaseRow::new(case, true, Local::Draft, now);
                    // The intents below refer to it.
                    row.save(tx, user)?;
                    row
                }
                None => return Err(ActError::UnknownCase(case)),
            };
            let mut edits = Vec::new();
            for step in steps {
                self.step(tx, &mut row, step, &mut edits, &phone, now)?;
            }
            self.note_edits(tx, &mut row, &mut edits, now)?;
            row.save(tx, user)?;
            let mut item = lists::item_of(&row);
            lists::complete(tx, &mut item)?;
            Ok(item)
        })
    }

    /// Deletes a draft: rows now, photo files at the next sweep.
    pub fn discard(&self, case: CaseId) -> Result<(), ActError> {
        self.write(|tx| match CaseRow::load(tx, case)? {
            None => Err(ActError::UnknownCase(case)),
            Some(row) if row.local != Local::Draft => Err(ActError::AlreadySubmitted),
            Some(_) => {
                tx.execute("DELETE FROM case_local WHERE id = ?1", [case.as_bytes()]).map_err(StoreError::from)?;
                Ok(())
            }
        })
    }

    /// Marks a case as one the inspector has to look at, or as looked at.
    pub fn set_attention(&self, case: CaseId, code: Option<&str>) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE case_local SET attention = ?2, attention_at = NULL WHERE id = ?1";
        self.write(|tx| Ok(tx.execute(SQL, (case.as_bytes(), code)).map(drop)?))
    }

    fn step(
        &self,
        tx: &Transaction<'_>,
        row: &mut CaseRow,
        step: &Step,
        edits: &mut Vec<Edit>,
        phone: &phone_row::PhoneRow,
        now: Millis,
    ) -> Result<(), ActError> {
        match step {
            Step::Edit(wanted) => wanted.iter().try_for_each(|edit| {
                let edit = fitting(row, edit, now)?;
                edits.push(apply(row, edit, phone)?);
                Ok(())
            }),
            Step::Attach(photo) => {
                let edit = fitting(row, &Edit::AddPhoto(photo.sha256, photo.fact.clone()), now)?;
                edits.push(apply(row, edit, phone)?);
                Ok(photos::insert(tx, row.id, photo)?)
            }
            Step::Detach(photo) => {
                self.note_edits(tx, row, edits, now)?;
                let known = self.sound_doc(tx, row)?.facts().0.photos.contains_key(photo);
                if known || row.facts.photos.remove(photo).is_none() {
                    return Err(ActError::PhotoStays);
                }
                photos::delete(tx, row.id, photo)?;
                // A change with this photo in it may be about to leave; it is made again without.
                row.base_rev += 1;
                intents::append(tx, self.new_intent(now), row.id, &Action::Detach(*photo), now)?;
                Ok(())
            }
            Step::Submit => {
                self.note_edits(tx, row, edits, now)?;
                self.submit(tx, row, now)
            }
            Step::Request { verb, payload } => {
                self.note_edits(tx, row, edits, now)?;
                self.request(tx, row, *verb, payload, phone, now)
            }
        }
    }

    /// Writes the edits so far down as one intent.
    fn note_edits(
        &self,
        tx: &Transaction<'_>,
        row: &mut CaseRow,
        edits: &mut Vec<Edit>,
        now: Millis,
    ) -> Result<(), StoreError> {
        if edits.is_empty() {
            return Ok(());
        }
        intents::append(tx, self.new_intent(now), row.id, &Action::Edit(std::mem::take(edits)), now)?;
        if row.local == Local::Submitted {
            row.dirty_since.get_or_insert(now);
        }
        // The inspector has been here: what was refused is dealt with, or will be refused again. Of a case that left the
        // view nothing can be dealt with, and what was refused would leave with it: that stays until it is read.
        if !is_out_of_view(tx, row.id)? {
            row.attention = None;
        }
        Ok(())
    }

    fn submit(&self, tx: &Transaction<'_>, row: &mut CaseRow, now: Millis) -> Result<(), ActError> {
        if row.local != Local::Draft {
            return Err(ActError::AlreadySubmitted);
        }
        let missing = missing(&row.facts);
        if !missing.is_empty() {
            return Err(ActError::Incomplete(missing));
        }
        intents::append(tx, self.new_intent(now), row.id, &Action::Submit, now)?;
        row.local = Local::Submitted;
        row.submit = Submit::Wanted;
        row.submitted_at = Some(now);
        row.dirty_since = Some(now);
        Ok(())
    }

    fn request(
        &self,
        tx: &Transaction<'_>,
        row: &mut CaseRow,
        verb: Verb,
        payload: &Payload,
        phone: &phone_row::PhoneRow,
        now: Millis,
    ) -> Result<(), ActError> {
        let user = phone.user.as_ref().ok_or(ActError::NotEnrolled)?;
        let Some(ledger) = row.ledger.clone() else {
            let (state, version) = (None, 0);
            return Err(Refusal::WrongState { verb, state, version }.into());
        };
        // The server is the authority; asking here first spares a round trip that is refused for sure.
        let command = Command::new(verb, payload.clone()).at_version(ledger.version);
        let heads = self.sound_doc(tx, row)?.heads();
        let context = Context { heads: heads.clone(), case_id: Some(row.id), ..Context::at(now) };
        decide(Some(&ledger), &command, &user.actor(), &context)?;
        let id: IntentId = self.new_intent(now);
        intents::append(tx, id, row.id, &Action::Request(verb.code().to_owned()), now)?;
        const SQL: &str = "INSERT INTO request (intent, case_id, verb, seen_version, payload, at, state) \
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'pending')";
        let json = serde_json::to_string(payload).map_err(StoreError::from)?;
        let values = rusqlite::params![id.as_bytes(), row.id.as_bytes(), verb.code(), ledger.version, json, now.0];
        tx.prepare_cached(SQL).and_then(|mut insert| insert.execute(values)).map_err(StoreError::from)?;
        row.dirty_since.get_or_insert(now);
        Ok(())
    }
}

/// True if the server said that the user does not see the case any more.
fn is_out_of_view(tx: &Transaction<'_>, case: CaseId) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM case_local WHERE id = ?1 AND gone = 1)";
    Ok(tx.prepare_cached(SQL)?.query_row([case.as_bytes()], |row| row.get(0))?)
}

/// The edit in the form the case still takes: a remark on a sealed case becomes a supplement.
fn fitting(row: &CaseRow, edit: &Edit, now: Millis) -> Result<Edit, ActError> {
    let Some(ledger) = &row.ledger else { return Ok(edit.clone()) };
    match edit {
        Edit::AddSupplement(..) => Ok(edit.clone()),
        Edit::AddRemark(id, remark) if is_sealed(ledger, now) => Ok(Edit::AddSupplement(id.clone(), remark.clone())),
        Edit::AddRemark(..) => Ok(edit.clone()),
        Edit::AddPhoto(..) if !ledger.is_final() => Ok(edit.clone()),
        _ if ledger.filed_at.is_none() && !ledger.is_final() => Ok(edit.clone()),
        _ => Err(ActError::Filed),
    }
}

/// Checks an edit and makes it visible.
fn apply(row: &mut CaseRow, edit: Edit, phone: &phone_row::PhoneRow) -> Result<Edit, ActError> {
    may_write(row, phone)?;
    edit.check().map_err(|error| match error {
        DocError::Refused { field, code } => ActError::BadValue { field, code },
        other => ActError::Store(StoreError::damaged(other)),
    })?;
    let photos = row.facts.photos.len();
    edit.apply_to(&mut row.facts);
    // Colleagues' photos that came meanwhile may be more already; whatever else is said goes on.
    if row.facts.photos.len() > photos.max(Facts::MAX_PHOTOS) {
        return Err(ActError::BadValue { field: "photos".to_owned(), code: GateCode::TooManyPhotos });
    }
    Ok(edit)
}

/// What a report can not be without; everything else is the office's judgement.
fn missing(facts: &Facts) -> Vec<&'static str> {
    let mut missing = Vec::new();
    let mut need = |there: bool, name| {
        if !there {
            missing.push(name);
        }
    };
    need(facts.category_claim.is_some(), "category");
    need(facts.mode_claim.is_some(), "mode");
    need(facts.point.is_some() || !facts.location_text.trim().is_empty(), "location");
    need(!facts.description.trim().is_empty() || !facts.photos.is_empty(), "text");
    missing
}

fn may_write(row: &CaseRow, phone: &phone_row::PhoneRow) -> Result<(), ActError> {
    let by_ledger = || {
        let user = phone.user.as_ref()?;
        Some(row.ledger.as_ref()?.may_write_facts(&user.id))
    };
    if row.own || by_ledger().unwrap_or(false) { Ok(()) } else { Err(ActError::NotYours) }
}

fn is_sealed(ledger: &Ledger, now: Millis) -> bool {
    let ended = ledger.closed_at.or(ledger.void_at);
    ledger.is_final() && ended.is_some_and(|at| now.0.saturating_sub(at.0) > LATE_MS)
}
