//! What is to be sent: collected, and written down before it leaves.

use std::collections::BTreeMap;

use rusqlite::Transaction;

use super::case_row::{CaseRow, Submit};
use super::intents::{self, Action};
use super::{Store, StoreError, census, feed, phone_row, photos};
use crate::doc::{DocError, Edit, FieldDoc};
use crate::model::{ActorId, CaseId, ChangeHash, Facts, IntentId, Millis};
use crate::sync::{Batch, Outgoing, Room, Sent, Tally};
use crate::wire::{Request, limits};

impl Store {
    /// Reads what waits, as far as there is room. Unsent edits become changes here, in memory only.
    pub fn collect(&self, room: &Room) -> Result<Batch, StoreError> {
        self.write(|tx| {
            let phone = phone_row::load(tx)?;
            let (epoch, cursor, counter) = (phone.epoch, phone.cursor, phone.counter);
            let waiting = tally(tx)?;
            let mut batch = Batch {
                epoch,
                cursor,
                counter,
                heard: phone.heard,
                reference: phone.reference,
                waiting,
                ..Batch::default()
            };
            let mut bytes = self.collect_cases(tx, room, &phone, &mut batch)?;
            self.collect_requests(tx, room, limits::REQUESTS, &mut batch, &mut bytes)?;
            batch.plan = self.plan(tx, room.at)?;
            (batch.photos, batch.held) = photos::waiting(tx, room, &batch.plan)?;
            batch.census_due = census::is_due(&phone);
            if batch.cases.is_empty() && batch.requests.is_empty() && !batch.text_left {
                batch.census = census::ask(tx, &phone, room.counting)?;
            }
            Ok(batch)
        })
    }

    fn collect_cases(
        &self,
        tx: &Transaction<'_>,
        room: &Room,
        phone: &phone_row::PhoneRow,
        batch: &mut Batch,
    ) -> Result<usize, StoreError> {
        let user = phone.user.as_ref().map(|user| user.id.as_str());
        let mut bytes = 0;
        for case in dirty_cases(tx)? {
            if room.parked_cases.contains(&case) {
                continue;
            }
            if bytes >= room.bytes || batch.cases.len() == limits::FRAMES {
                batch.text_left = true;
                break;
            }
            let Some(mut row) = CaseRow::load(tx, case)? else { continue };
            let mut found = outgoing(tx, &row, self.actor_for(case));
            if matches!(found, Err(StoreError::Damaged(_))) && row.base_doc().is_err() {
                self.sound_doc(tx, &mut row)?;
                feed::refresh_facts(tx, &mut row)?;
                row.save(tx, user)?;
                found = outgoing(tx, &row, self.actor_for(case));
            }
            match found? {
                Some(outgoing) => {
                    bytes += outgoing.bytes();
                    batch.cases.push(outgoing);
                }
                // Edits that take back each other, or only requests: nothing to send as facts.
                None => {
                    intents::advance(tx, case, i64::MAX, "pending", "acked")?;
                    if !has_pending_request(tx, case)? {
                        row.dirty_since = None;
                        row.save(tx, user)?;
                    }
                }
            }
        }
        Ok(bytes)
    }

    fn collect_requests(
        &self,
        tx: &Transaction<'_>,
        room: &Room,
        most: usize,
        batch: &mut Batch,
        bytes: &mut usize,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "SELECT intent, case_id, verb, seen_version, payload FROM request WHERE state = 'pending' ORDER BY seq";
        let mut statement = tx.prepare_cached(SQL)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let case = CaseId::from_bytes(row.get(1)?);
            if room.parked_cases.contains(&case) {
                continue;
            }
            if *bytes >= room.bytes || batch.requests.len() == most {
                batch.text_left = true;
                break;
            }
            let payload: String = row.get(4)?;
            *bytes += payload.len() + 64;
            let row_of_case = CaseRow::load(tx, case)?;
            let heads = row_of_case.map(|mut row| row.sound_doc(tx).map(|doc| doc.heads())).transpose()?;
            batch.requests.push(Request {
                intent: IntentId::from_bytes(row.get(0)?),
                case,
                verb: row.get(2)?,
                seen_version: row.get(3)?,
                heads: heads.unwrap_or_default().into_iter().take(16).collect(),
                payload: payload.into_bytes().into(),
            });
        }
        Ok(())
    }

    /// Writes down what is about to leave: the proof's number, fresh changes, and that they may be sent from now on.
    ///
    /// # Errors
    /// [`StoreError::Moved`] if another process sent or pulled meanwhile; nothing was written, collect again.
    pub fn mark_sent(&self, sent: &Sent) -> Result<(), StoreError> {
        self.write(|tx| {
            phone_row::use_counter(tx, sent.counter)?;
            self.write_mobile_data(tx)?;
            let fresh = sent.cases.iter().filter(|outgoing| outgoing.fresh > 0);
            fresh.into_iter().try_for_each(|outgoing| keep_fresh(tx, outgoing))
        })
    }

    /// Every request that waits, oldest first.
    pub fn waiting_requests(&self) -> Result<Vec<Request>, StoreError> {
        self.read(|tx| {
            let mut batch = Batch::default();
            let room = Room { bytes: usize::MAX, ..Room::default() };
            self.collect_requests(tx, &room, usize::MAX, &mut batch, &mut 0)?;
            Ok(batch.requests)
        })
    }

    /// Uses up a number for a proof outside sync.
    pub fn next_counter(&self) -> Result<u64, StoreError> {
        self.write(|tx| {
            let counter = phone_row::load(tx)?.counter + 1;
            phone_row::use_counter(tx, counter)?;
            Ok(counter)
        })
    }
}

/// The unacknowledged changes of a case, with its unsent edits as a fresh one; `None` if there is nothing to send.
fn outgoing(tx: &Transaction<'_>, row: &CaseRow, actor: ActorId) -> Result<Option<Outgoing>, StoreError> {
    let submit = row.submit == Submit::Wanted;
    let mut changes = unacked(tx, row.id)?;
    let room = limits::CHANGES_PER_CASE;
    let mut outgoing =
        Outgoing { case: row.id, changes: vec![], submit, fresh: 0, snapshot: None, upto: 0, base_rev: row.base_rev };
    let unsent = intents::unsent(tx, row.id)?;
    if let Some(last) = unsent.last().filter(|_| changes.len() < room) {
        let mut doc = row.base_doc()?;
        let known = feed::known_facts(tx, row, &doc)?;
        let fresh = write_edits(&mut doc, actor, &row.facts, &known, &unsent).map_err(StoreError::damaged)?;
        if !fresh.is_empty() {
            outgoing.fresh = fresh.len();
            outgoing.upto = last.seq;
            outgoing.snapshot = Some(doc.save());
            changes.extend(fresh);
        }
    }
    if changes.len() > room {
        // What does not fit waits for the next request; changes not stored yet may not be cut in the middle.
        outgoing.fresh = 0;
        outgoing.snapshot = None;
        changes.truncate(room);
    }
    if changes.is_empty() && !submit {
        return Ok(None);
    }
    outgoing.changes = changes;
    Ok(Some(outgoing))
}

/// Turns unsent edits into changes on top of `doc`: one, unless they are more than one change may hold.
fn write_edits(
    doc: &mut FieldDoc,
    actor: ActorId,
    facts: &Facts,
    known: &Facts,
    unsent: &[intents::Unsent],
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

fn keep_fresh(tx: &Transaction<'_>, outgoing: &Outgoing) -> Result<(), StoreError> {
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
    let fresh = &outgoing.changes[outgoing.changes.len() - outgoing.fresh..];
    for (number, (hash, body)) in (1..).zip(fresh) {
        let upto = if number == fresh.len() { outgoing.upto } else { so_far };
        statement.execute((outgoing.case.as_bytes(), hash.as_bytes(), body, upto))?;
    }
    intents::advance(tx, outgoing.case, outgoing.upto, "pending", "sent")
}

/// Bodies of all changes of this phone, in causal order.
pub(super) fn written(tx: &Transaction<'_>, case: CaseId) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut statement = tx.prepare_cached("SELECT body FROM change_out WHERE case_id = ?1 ORDER BY ord")?;
    let rows = statement.query_map([case.as_bytes()], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Changes of this phone the server has not acknowledged, in causal order.
pub(super) fn unacked(tx: &Transaction<'_>, case: CaseId) -> Result<Vec<(ChangeHash, Vec<u8>)>, StoreError> {
    const SQL: &str = "SELECT hash, body FROM change_out WHERE case_id = ?1 AND acked = 0 ORDER BY ord";
    let mut statement = tx.prepare_cached(SQL)?;
    let rows = statement.query_map([case.as_bytes()], |row| Ok((ChangeHash::from_bytes(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Makes every change the phone knows of a case one it brings itself, in causal order; answers how many there are.
///
/// What was acknowledged stays so. A foreign change holds none of this phone's intents: it may be taken where this phone's
/// own is refused, and then nothing of them is held.
pub(super) fn carry(tx: &Transaction<'_>, row: &CaseRow) -> Result<usize, StoreError> {
    let mut own = BTreeMap::new();
    let mut statement = tx.prepare_cached("SELECT hash, upto, acked FROM change_out WHERE case_id = ?1")?;
    let mut rows = statement.query([row.id.as_bytes()])?;
    while let Some(found) = rows.next()? {
        own.insert(ChangeHash::from_bytes(found.get(0)?), (found.get::<_, i64>(1)?, found.get::<_, bool>(2)?));
    }
    // Of a damaged document, what was written here is all that is left to bring.
    let Ok(doc) = row.base_doc() else { return Ok(own.len()) };
    tx.prepare_cached("DELETE FROM change_out WHERE case_id = ?1")?.execute([row.id.as_bytes()])?;
    const CHANGE: &str =
        "INSERT INTO change_out (case_id, ord, hash, body, upto, acked) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    let mut insert = tx.prepare_cached(CHANGE)?;
    let bodies = doc.change_bodies_since(&[]);
    for (ord, (hash, body)) in (1_i64..).zip(&bodies) {
        let (upto, acked) = own.get(hash).copied().unwrap_or_default();
        insert.execute((row.id.as_bytes(), ord, hash.as_bytes(), body, upto, acked))?;
    }
    Ok(bodies.len())
}

/// True while something of the case waits: an unsent edit, an unacknowledged change, a submit, a request.
pub(super) fn is_dirty(tx: &Transaction<'_>, row: &CaseRow) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM change_out WHERE case_id = ?1 AND acked = 0) OR EXISTS \
         (SELECT 1 FROM intent WHERE case_id = ?1 AND state = 'pending' AND kind IN ('edit', 'detach'))";
    let waits: bool = tx.prepare_cached(SQL)?.query_row([row.id.as_bytes()], |found| found.get(0))?;
    Ok(waits || row.submit == Submit::Wanted || has_pending_request(tx, row.id)?)
}

fn has_pending_request(tx: &Transaction<'_>, case: CaseId) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM request WHERE case_id = ?1 AND state = 'pending')";
    Ok(tx.prepare_cached(SQL)?.query_row([case.as_bytes()], |row| row.get(0))?)
}

fn dirty_cases(tx: &Transaction<'_>) -> Result<Vec<CaseId>, StoreError> {
    let mut statement = tx.prepare_cached("SELECT id FROM case_local WHERE dirty = 1 ORDER BY ord")?;
    let rows = statement.query_map([], |row| row.get(0).map(CaseId::from_bytes))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Everything that waits on this phone.
pub(super) fn tally(tx: &Transaction<'_>) -> Result<Tally, StoreError> {
    const SQL: &str = "SELECT COUNT(*), COALESCE(MIN(dirty_since), 0) FROM case_local WHERE dirty = 1";
    let (cases, oldest) = tx.prepare_cached(SQL)?.query_row([], |row| Ok((row.get(0)?, Millis(row.get(1)?))))?;
    let (photos, oldest_photo) = photos::count_waiting(tx)?;
    Ok(Tally { cases, photos, oldest, oldest_photo })
}
