//! What the inspector did, typed. Changes are made from this, and made again after a refusal.

use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use super::StoreError;
use super::views::RefusedWords;
use crate::doc::Edit;
use crate::doc::gate::GateCode;
use crate::model::{CaseId, Facts, IntentId, Millis, PhotoHash};

/// One thing done to a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Action {
    /// Edits of the facts, attached photos among them.
    Edit(Vec<Edit>),
    /// A photo taken off again before it was ever sent.
    Detach(PhotoHash),
    /// The wish to report the case.
    Submit,
    /// Something asked of the ledger; its row is in `request`.
    Request(String),
}

/// An edit the server did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RefusedEdit {
    /// The field, as [`field_of`] names it.
    pub(super) field: String,
    /// The server's code.
    pub(super) code: String,
    /// Which photo, where only some of an intent are refused; none for all that the field names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) photo: Option<PhotoHash>,
}

impl RefusedEdit {
    fn of(edit: &Edit, code: &str) -> Self {
        let photo = if let Edit::AddPhoto(photo, _) = edit { Some(*photo) } else { None };
        Self { field: field_of(edit).to_owned(), code: code.to_owned(), photo }
    }

    fn is_of(&self, edit: &Edit) -> bool {
        let same_photo = |photo| matches!(edit, Edit::AddPhoto(other, _) if photo == other);
        self.field == field_of(edit) && self.photo.as_ref().is_none_or(same_photo)
    }
}

/// Edits of one intent that are not part of any change yet.
#[derive(Debug)]
pub(super) struct Unsent {
    pub(super) id: IntentId,
    pub(super) seq: i64,
    pub(super) action: Action,
    pub(super) refused: Vec<RefusedEdit>,
}

impl Action {
    fn kind(&self) -> &'static str {
        match self {
            Self::Edit(_) => "edit",
            Self::Detach(_) => "detach",
            Self::Submit => "submit",
            Self::Request(_) => "request",
        }
    }

    fn body(&self) -> Result<String, StoreError> {
        Ok(match self {
            Self::Edit(edits) => serde_json::to_string(edits)?,
            Self::Detach(photo) => serde_json::to_string(photo)?,
            Self::Submit => "null".to_owned(),
            Self::Request(verb) => serde_json::to_string(verb)?,
        })
    }

    fn read(kind: &str, body: &str) -> Result<Self, StoreError> {
        Ok(match kind {
            "edit" => Self::Edit(serde_json::from_str(body)?),
            "detach" => Self::Detach(serde_json::from_str(body)?),
            "submit" => Self::Submit,
            "request" => Self::Request(serde_json::from_str(body)?),
            other => return Err(StoreError::damaged(format!("an intent of kind {other}"))),
        })
    }
}

impl Unsent {
    /// Repeats what was done on `facts`, without what the server refused.
    pub(super) fn apply_to(&self, facts: &mut Facts) {
        match &self.action {
            Action::Edit(edits) => self.surviving(edits).for_each(|edit| edit.apply_to(facts)),
            Action::Detach(photo) => drop(facts.photos.remove(photo)),
            Action::Submit | Action::Request(_) => {}
        }
    }

    /// Edits the server has not refused.
    pub(super) fn surviving<'a>(&'a self, edits: &'a [Edit]) -> impl Iterator<Item = &'a Edit> {
        edits.iter().filter(|edit| !self.refused.iter().any(|refused| refused.is_of(edit)))
    }
}

/// Writes an intent down; answers its place in the order of doing.
pub(super) fn append(
    tx: &Transaction<'_>,
    id: IntentId,
    case: CaseId,
    action: &Action,
    at: Millis,
) -> Result<i64, StoreError> {
    const SQL: &str = "INSERT INTO intent (id, case_id, kind, body, at, state) VALUES (?1, ?2, ?3, ?4, ?5, 'pending')";
    let values = rusqlite::params![id.as_bytes(), case.as_bytes(), action.kind(), action.body()?, at.0];
    tx.prepare_cached(SQL)?.execute(values)?;
    Ok(tx.last_insert_rowid())
}

/// Edits of `case` that are in no change yet, in the order of doing.
pub(super) fn unsent(tx: &Transaction<'_>, case: CaseId) -> Result<Vec<Unsent>, StoreError> {
    in_state(tx, case, "pending")
}

/// Edits of `case` in `state`, in the order of doing.
pub(super) fn in_state(tx: &Transaction<'_>, case: CaseId, state: &str) -> Result<Vec<Unsent>, StoreError> {
    const SQL: &str = "SELECT seq, kind, body, refused, id FROM intent \
                       WHERE case_id = ?1 AND state = ?2 AND kind IN ('edit', 'detach') ORDER BY seq";
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query((case.as_bytes(), state))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let kind: String = row.get(1)?;
        let body: String = row.get(2)?;
        let refused: Option<String> = row.get(3)?;
        let refused = refused.map(|json| serde_json::from_str(&json)).transpose()?.unwrap_or_default();
        found.push(Unsent {
            id: IntentId::from_bytes(row.get(4)?),
            seq: row.get(0)?,
            action: Action::read(&kind, &body)?,
            refused,
        });
    }
    Ok(found)
}

/// What the server did not take of edits of `case`, as a person would say it. Words that were said again as a supplement are
/// not among them; a photo can not be said again.
pub(super) fn refused_words(tx: &Transaction<'_>, case: CaseId) -> Result<Vec<RefusedWords>, StoreError> {
    const SQL: &str = "SELECT body, refused, at FROM intent \
                       WHERE case_id = ?1 AND kind = 'edit' AND refused IS NOT NULL ORDER BY seq";
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query([case.as_bytes()])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let edits: Vec<Edit> = serde_json::from_str(&row.get::<_, String>(0)?)?;
        let refused: Vec<RefusedEdit> = serde_json::from_str(&row.get::<_, String>(1)?)?;
        let at = Millis(row.get(2)?);
        for edit in &edits {
            let Some(RefusedEdit { code, .. }) = refused.iter().find(|refused| refused.is_of(edit)) else { continue };
            let text = match edit {
                Edit::AddPhoto(_, fact) => Some(format!("照片：{}", fact.role.zh())),
                _ if *code == GateCode::FieldFrozen.code() => None,
                said => said.in_words(),
            };
            found.extend(text.map(|text| RefusedWords { text, at, code: code.clone() }));
        }
    }
    Ok(found)
}

/// How many times the facts of `case` were edited.
pub(super) fn count(tx: &Transaction<'_>, case: CaseId) -> Result<u32, StoreError> {
    const SQL: &str = "SELECT COUNT(*) FROM intent WHERE case_id = ?1 AND kind IN ('edit', 'detach')";
    Ok(tx.prepare_cached(SQL)?.query_row([case.as_bytes()], |row| row.get(0))?)
}

/// Moves the edits of `case` up to `upto` from one state to the next.
pub(super) fn advance(tx: &Transaction<'_>, case: CaseId, upto: i64, from: &str, to: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE intent SET state = ?4 \
                       WHERE case_id = ?1 AND seq <= ?2 AND state = ?3 AND kind IN ('edit', 'detach')";
    tx.prepare_cached(SQL)?.execute((case.as_bytes(), upto, from, to))?;
    Ok(())
}

/// Settles the wish to report `case`, or one request.
pub(super) fn settle(tx: &Transaction<'_>, case: CaseId, kind: &str, state: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE intent SET state = ?3 WHERE case_id = ?1 AND kind = ?2";
    tx.prepare_cached(SQL)?.execute((case.as_bytes(), kind, state))?;
    Ok(())
}

/// Settles one request.
pub(super) fn settle_one(tx: &Transaction<'_>, id: IntentId, state: &str) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE intent SET state = ?2 WHERE id = ?1")?.execute((id.as_bytes(), state))?;
    Ok(())
}

/// Notes which of the edits of an intent are refused; the intent stays, only their repeating stops.
pub(super) fn refuse(
    tx: &Transaction<'_>,
    intent: &Unsent,
    edits: &[Edit],
    out: &[&Edit],
    code: &str,
) -> Result<(), StoreError> {
    let mut refused = intent.refused.clone();
    for edit in out {
        let entry = RefusedEdit::of(edit, code);
        if !refused.contains(&entry) {
            refused.push(entry);
        }
    }
    let all = edits.iter().all(|edit| refused.iter().any(|entry| entry.is_of(edit)));
    const SQL: &str =
        "UPDATE intent SET refused = ?2, state = CASE WHEN ?3 THEN 'refused' ELSE state END WHERE seq = ?1";
    tx.prepare_cached(SQL)?.execute((intent.seq, serde_json::to_string(&refused)?, all))?;
    Ok(())
}

/// The name under which the gate reports a fault of this edit.
pub(super) fn field_of(edit: &Edit) -> &'static str {
    match edit {
        Edit::CategoryClaim(_) => "category_claim",
        Edit::Description(_) => "description",
        Edit::LocationText(_) => "location_text",
        Edit::Point(_) => "lon_e6",
        Edit::AccuracyM(_) => "accuracy_m",
        Edit::CoordSys(_) => "coord_sys",
        Edit::LocationSource(_) => "location_source",
        Edit::FixAgeS(_) => "fix_age_s",
        Edit::GridClaim(_) => "grid_claim",
        Edit::ModeClaim(_) => "mode_claim",
        Edit::HandleNote(_) => "handle_note",
        Edit::DiscoveredAt(_) => "discovered_at",
        Edit::HandledAt(_) => "handled_at",
        Edit::AddPhoto(..) => "photos",
        Edit::AddRemark(..) => "remarks",
        Edit::AddSupplement(..) => "supplements",
    }
}
