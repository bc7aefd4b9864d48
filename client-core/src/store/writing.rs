//! What a case has to say: changes that were sent without an answer, and unsent edits made into fresh ones.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction};

use super::apart::apart;
use super::case_row::{Attention, CaseRow, Submit};
use super::intents::{self, Action, Unsent};
use super::{Store, StoreError, changes, feed, outbox, photos};
use crate::doc::gate::GateCode;
use crate::doc::{DocError, Edit, FieldDoc};
use crate::model::{ActorId, CaseId, ChangeHash, Facts, PhotoHash};
use crate::sync::Outgoing;

/// How much of one case may go at once.
#[derive(Debug, Clone, Copy)]
pub(super) struct Most {
    pub(super) changes: usize,
    /// Before compression. The first change goes whatever it weighs.
    pub(super) bytes: usize,
}

impl Most {
    pub(super) const EVERYTHING: Self = Self { changes: usize::MAX, bytes: usize::MAX };
}

impl Store {
    /// The unacknowledged changes of a case, its unsent edits among them, as far as they fit; none if there is nothing to
    /// send. A case that can not be read is shown, and sends what was written down before.
    pub(super) fn outgoing(
        &self,
        tx: &Transaction<'_>,
        case: CaseId,
        user: Option<&str>,
        most: Most,
    ) -> Result<Option<Outgoing>, StoreError> {
        let mut found = match apart(tx, case, || self.all_of(tx, case, user, most.changes))? {
            Some(found) => found,
            None => written_before(tx, case)?,
        };
        if let Some(outgoing) = &mut found {
            outgoing.cut(outgoing.fitting(most.changes, most.bytes));
        }
        Ok(found)
    }

    fn all_of(
        &self,
        tx: &Transaction<'_>,
        case: CaseId,
        user: Option<&str>,
        most: usize,
    ) -> Result<Option<Outgoing>, StoreError> {
        let Some(mut row) = CaseRow::load(tx, case)? else { return Ok(None) };
        let mut outgoing = Outgoing::of(case, changes::unacked(tx, case)?, row.submit == Submit::Wanted);
        // Edits wait as they are while as many changes wait as one request takes: later they need fewer.
        if outgoing.changes.len() < most && !intents::unsent(tx, case)?.is_empty() {
            self.add_fresh(tx, &mut row, user, &mut outgoing)?;
        }
        if outgoing.changes.is_empty() && !outgoing.submit {
            // Edits that take back each other, or only requests: nothing to send as facts.
            intents::advance(tx, case, i64::MAX, "pending", "acked")?;
            if !outbox::has_pending_request(tx, case)? {
                row.dirty_since = None;
                row.save(tx, user)?;
            }
            return Ok(None);
        }
        Ok(Some(outgoing))
    }

    /// Makes changes of the unsent edits.
    fn add_fresh(
        &self,
        tx: &Transaction<'_>,
        row: &mut CaseRow,
        user: Option<&str>,
        outgoing: &mut Outgoing,
    ) -> Result<(), StoreError> {
        if row.base_doc().is_err() {
            self.sound_doc(tx, row)?;
            feed::refresh_facts(tx, row)?;
            row.save(tx, user)?;
        }
        let mut doc = row.base_doc()?;
        let known = feed::known_facts(tx, row, &doc)?;
        if give_up_surplus(tx, row, &doc, &known)? {
            row.save(tx, user)?;
        }
        let unsent = intents::unsent(tx, row.id)?;
        let fresh =
            write_edits(&mut doc, self.actor_for(row.id), &row.facts, &known, &unsent).map_err(StoreError::damaged)?;
        if let Some(last) = unsent.last().filter(|_| !fresh.is_empty()) {
            outgoing.base_rev = row.base_rev;
            outgoing.fresh = fresh.len();
            outgoing.upto = last.seq;
            outgoing.snapshot = Some(doc.save());
            outgoing.changes.extend(fresh);
        }
        Ok(())
    }
}

/// What was sent of a case without an answer; none if nothing was.
fn written_before(tx: &Transaction<'_>, case: CaseId) -> Result<Option<Outgoing>, StoreError> {
    let changes = changes::unacked(tx, case)?;
    let mut statement = tx.prepare_cached("SELECT submit = 1 FROM case_local WHERE id = ?1")?;
    let submit = statement.query_row([case.as_bytes()], |row| row.get(0)).optional()?;
    Ok((!changes.is_empty()).then(|| Outgoing::of(case, changes, submit.unwrap_or(false))))
}

/// Gives up the unsent photos the case has no room for, the last ones first: somebody else's came meanwhile. They stay in
/// their intents and in their files; the inspector is shown why. True if there were any.
fn give_up_surplus(tx: &Transaction<'_>, row: &mut CaseRow, doc: &FieldDoc, known: &Facts) -> Result<bool, StoreError> {
    let code = GateCode::TooManyPhotos.code();
    let room = Facts::MAX_PHOTOS.saturating_sub(doc.photo_count());
    let (mut taken, mut surplus) = (BTreeSet::new(), BTreeSet::new());
    for intent in intents::unsent(tx, row.id)? {
        let Action::Edit(edits) = &intent.action else { continue };
        let mut too_many = |photo: &PhotoHash| {
            if known.photos.contains_key(photo) || !row.facts.photos.contains_key(photo) {
                return false;
            }
            let fits = taken.contains(photo) || taken.len() < room;
            if fits {
                taken.insert(*photo)
            } else {
                surplus.insert(*photo)
            };
            !fits
        };
        let no_room = |edit: &&Edit| matches!(edit, Edit::AddPhoto(photo, _) if too_many(photo));
        let out: Vec<&Edit> = intent.surviving(edits).filter(no_room).collect();
        if !out.is_empty() {
            intents::refuse(tx, &intent, edits, &out, code)?;
        }
    }
    for photo in &surplus {
        row.facts.photos.remove(photo);
        photos::give_up(tx, row.id, photo, code)?;
    }
    if surplus.is_empty() {
        return Ok(false);
    }
    row.attention = Some(Attention { code: code.to_owned(), field: Some("photos".to_owned()) });
    Ok(true)
}

/// Turns unsent edits into changes on top of `doc`: one, unless they are more than one change may hold.
fn write_edits(
    doc: &mut FieldDoc,
    actor: ActorId,
    facts: &Facts,
    known: &Facts,
    unsent: &[Unsent],
) -> Result<Vec<(ChangeHash, Vec<u8>)>, DocError> {
    let conflicts = doc.facts().1;
    let mut edits = Edit::between(known, facts);
    // A register with concurrent values is settled by writing it, even with the value that wins already.
    for conflict in &conflicts {
        let last = unsent.iter().rev().find_map(|intent| match &intent.action {
            Action::Edit(done) => {
                intent.surviving(done).filter(|edit| intents::field_of(edit) == conflict.field).last()
            }
            _ => None,
        });
        if let Some(edit) = last.filter(|edit| !edits.contains(edit)) {
            edits.push(edit.clone());
        }
    }
    let mut written = Vec::new();
    write_group(doc, actor, &edits, &mut written)?;
    Ok(written)
}

fn write_group(
    doc: &mut FieldDoc,
    actor: ActorId,
    edits: &[Edit],
    written: &mut Vec<(ChangeHash, Vec<u8>)>,
) -> Result<(), DocError> {
    match doc.edit(actor, edits) {
        Ok(None) => Ok(()),
        Ok(Some(hash)) => {
            let body = doc.change_body(&hash).expect("the document holds the change it just wrote");
            written.push((hash, body));
            Ok(())
        }
        Err(DocError::TooLarge) if edits.len() > 1 => {
            let (first, rest) = edits.split_at(edits.len() / 2);
            write_group(doc, actor, first, written)?;
            write_group(doc, actor, rest, written)
        }
        Err(error) => Err(error),
    }
}

/// Stores the fresh changes of a case, those for a later request too.
///
/// # Errors
/// [`StoreError::Moved`] if the case is not as it was when they were made.
pub(super) fn keep_fresh(tx: &Transaction<'_>, outgoing: &Outgoing) -> Result<(), StoreError> {
    if outgoing.snapshot.is_none() {
        return Ok(());
    }
    const BASE: &str = "UPDATE case_local SET base = ?2, base_rev = base_rev + 1 WHERE id = ?1 AND base_rev = ?3";
    let values = (outgoing.case.as_bytes(), &outgoing.snapshot, outgoing.base_rev);
    if tx.prepare_cached(BASE)?.execute(values)? == 0 {
        return Err(StoreError::Moved);
    }
    const CHANGE: &str = "INSERT INTO change_out (case_id, ord, hash, body, upto) \
         SELECT ?1, COALESCE(MAX(ord), 0) + 1, ?2, ?3, ?4 FROM change_out WHERE case_id = ?1";
    // Edits that needed several changes count as held once the last one is: a refusal of that one repeats them all,
    // and what an earlier one wrote is found written.
    const SO_FAR: &str = "SELECT COALESCE(MAX(upto), 0) FROM change_out WHERE case_id = ?1";
    let so_far: i64 = tx.prepare_cached(SO_FAR)?.query_row([outgoing.case.as_bytes()], |row| row.get(0))?;
    let mut statement = tx.prepare_cached(CHANGE)?;
    let sent = &outgoing.changes[outgoing.changes.len() - outgoing.fresh..];
    let last = sent.len() + outgoing.later.len();
    for (number, (hash, body)) in (1..).zip(sent.iter().chain(&outgoing.later)) {
        let upto = if number == last { outgoing.upto } else { so_far };
        statement.execute((outgoing.case.as_bytes(), hash.as_bytes(), body, upto))?;
    }
    intents::advance(tx, outgoing.case, outgoing.upto, "pending", "sent")
}
