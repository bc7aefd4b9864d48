//! What is to be sent: collected, and written down before it leaves.

use rusqlite::Transaction;

use super::apart::apart;
use super::case_row::{CaseRow, Submit};
use super::writing::{self, Most};
use super::{Store, StoreError, census, phone_row, photos};
use crate::model::{CaseId, IntentId, Millis};
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
            let most = Most { changes: limits::CHANGES_PER_CASE, bytes: room.bytes - bytes };
            if let Some(outgoing) = self.outgoing(tx, case, user, most)? {
                bytes += outgoing.bytes();
                batch.text_left |= outgoing.is_part;
                batch.cases.push(outgoing);
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
            let heads = || CaseRow::load(tx, case)?.map(|mut row| Ok(row.sound_doc(tx)?.heads())).transpose();
            let heads = apart(tx, case, heads)?.flatten();
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
        self.write_with_mobile_data(|tx| {
            phone_row::use_counter(tx, sent.counter)?;
            sent.cases.iter().try_for_each(|outgoing| writing::keep_fresh(tx, outgoing))
        })
    }

    /// Every case with something to send, oldest first.
    pub fn waiting_cases(&self) -> Result<Vec<CaseId>, StoreError> {
        self.read(dirty_cases)
    }

    /// Everything of a case that waits, written down as if it was sent; none if there is nothing.
    pub fn freeze(&self, case: CaseId) -> Result<Option<Outgoing>, StoreError> {
        self.write(|tx| {
            let user = phone_row::load(tx)?.user.map(|user| user.id);
            let outgoing = self.outgoing(tx, case, user.as_deref(), Most::EVERYTHING)?;
            outgoing.iter().try_for_each(|outgoing| writing::keep_fresh(tx, outgoing))?;
            Ok(outgoing)
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

/// True while something of the case waits: an unsent edit, an unacknowledged change, a submit, a request.
pub(super) fn is_dirty(tx: &Transaction<'_>, row: &CaseRow) -> Result<bool, StoreError> {
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM change_out WHERE case_id = ?1 AND acked = 0) OR EXISTS \
         (SELECT 1 FROM intent WHERE case_id = ?1 AND state = 'pending' AND kind IN ('edit', 'detach'))";
    let waits: bool = tx.prepare_cached(SQL)?.query_row([row.id.as_bytes()], |found| found.get(0))?;
    Ok(waits || row.submit == Submit::Wanted || has_pending_request(tx, row.id)?)
}

pub(super) fn has_pending_request(tx: &Transaction<'_>, case: CaseId) -> Result<bool, StoreError> {
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
