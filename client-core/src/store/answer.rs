//! An answer of the server, applied in one transaction together with the cursor.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Transaction;

use super::apart::{DAMAGED, apart};
use super::case_row::{Attention, CaseRow, Submit};
use super::{Store, StoreError, census, changes, events, feed, intents, outbox, phone_row, photos, repair};
use crate::doc::{FieldDoc, gate};
use crate::model::{CaseId, ChangeHash, IntentId, Millis};
use crate::sync::{Answer, Fate, Outcome, Refused, Verdict};
use crate::wire::RequestResult;

/// How long changes of a colleague's case wait for that colleague's phone after the server was restored.
const COLLEAGUE_MS: i64 = 7 * 86_400_000;

/// What an answer means for a pushed case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// The server holds all that was pushed.
    Held,
    /// Something else has to be sent, and can be at once.
    Again,
    /// Sending the same again now would change nothing.
    Stuck,
}

/// What every step of one answer needs.
pub(super) struct Applying<'a, 'c> {
    pub(super) tx: &'a Transaction<'c>,
    pub(super) phone: phone_row::PhoneRow,
    pub(super) now: Millis,
    pub(super) outcome: Outcome,
}

impl Applying<'_, '_> {
    pub(super) fn user(&self) -> Option<&str> {
        self.phone.user.as_ref().map(|user| user.id.as_str())
    }

    /// Writes a case back, with its dirty mark recomputed.
    pub(super) fn save(&mut self, row: &mut CaseRow) -> Result<(), StoreError> {
        row.dirty_since = match outbox::is_dirty(self.tx, row)? {
            true => row.dirty_since.or(Some(self.now)),
            false => None,
        };
        self.outcome.changed.insert(row.id);
        row.save(self.tx, self.user())
    }

    fn refuse(&mut self, row: &mut CaseRow, intent: Option<IntentId>, code: &str, field: Option<&str>) {
        let (code, field) = (code.to_owned(), field.map(str::to_owned));
        row.attention = Some(Attention { code: code.clone(), field: field.clone() });
        self.outcome.refused.push(Refused { case: row.id, intent, code, field });
        self.outcome.progress = true;
    }
}

impl Store {
    /// Applies an answer; all of it or nothing. Applying it twice changes nothing more.
    ///
    /// # Errors
    /// [`StoreError::Moved`] for an answer to what is not the newest request of this phone.
    pub fn apply(&self, answer: &Answer) -> Result<Outcome, StoreError> {
        self.write(|tx| {
            let phone = phone_row::load(tx)?;
            // Another process of this phone asked meanwhile; what it was told may not be taken back.
            if phone.counter != answer.counter {
                return Err(StoreError::Moved);
            }
            let phone = phone_row::PhoneRow { server_time: answer.server_time, ..phone };
            let mut applying = Applying { tx, phone, now: answer.now, outcome: Outcome::default() };
            if applying.epoch(answer)? {
                // Who brings a change that the restored server has forgotten is taken for the owner of its actor.
                self.renew_all_actors();
            }
            for item in &answer.feed {
                let whole = census::is_whole(answer, item);
                if apart(tx, item.case, || feed::apply(&mut applying, item, whole))?.is_none() {
                    applying.outcome.changed.insert(item.case);
                    census::suspect(tx)?;
                }
            }
            for verdict in &answer.verdicts {
                let case = verdict.pushed.case;
                if apart(tx, case, || self.verdict(&mut applying, verdict))?.is_none() {
                    applying.outcome.stuck.push(case);
                }
            }
            for result in &answer.results {
                applying.result(result)?;
            }
            for (photo, bytes, complete) in &answer.photos {
                applying.outcome.progress |= photos::advance(tx, photo, *bytes, *complete)?;
            }
            for case in &answer.gone {
                applying.gone(*case)?;
            }
            census::missing(&mut applying, answer)?;
            for case in forget_gone(tx)? {
                // It may come back from a restored server without what was written here: a number used twice.
                self.renew_actor(case);
                applying.outcome.changed.insert(case);
                applying.outcome.progress = true;
            }
            applying.position(answer)?;
            Ok(applying.outcome)
        })
    }

    fn verdict(&self, applying: &mut Applying<'_, '_>, verdict: &Verdict) -> Result<(), StoreError> {
        let Some(mut row) = CaseRow::load(applying.tx, verdict.pushed.case)? else { return Ok(()) };
        let before = applying.outcome.refused.len();
        let mut found = match verdict.rejected.as_slice() {
            [] => applying.fate(&mut row, verdict)?,
            _ if applying.is_not_theirs(verdict) && applying.is_forgotten(&row) => applying.forgotten(&mut row)?,
            _ => {
                repair::repair(self, applying, &mut row, verdict)?;
                Found::Again
            }
        };
        if let Some(result) = &verdict.submit {
            applying.submit_result(&mut row, result)?;
            if result.version == 0 {
                found = Found::Stuck;
            }
        } else if verdict.pushed.submit && found == Found::Held {
            applying.submitted(&mut row)?;
        }
        let settled = !outbox::is_dirty(applying.tx, &row)? && applying.outcome.refused.len() == before;
        match found {
            Found::Stuck => applying.outcome.stuck.push(row.id),
            Found::Held | Found::Again if settled => applying.outcome.confirmed.push(row.id),
            Found::Held | Found::Again => {}
        }
        applying.save(&mut row)
    }
}

impl Applying<'_, '_> {
    /// A restored server has forgotten: offer everything of this phone again. True if it was restored.
    fn epoch(&mut self, answer: &Answer) -> Result<bool, StoreError> {
        let known = std::mem::replace(&mut self.phone.epoch, answer.epoch);
        if known == answer.epoch || known == 0 {
            return Ok(false);
        }
        self.outcome.new_epoch = true;
        // What it forgot beside what this phone offers again shows when both are compared.
        census::suspect(self.tx)?;
        self.outcome.progress = true;
        self.tx.execute_batch(include_str!("sql/offer_again.sql"))?;
        self.carry_all()?;
        const DIRTY: &str = "UPDATE case_local SET dirty = 1, dirty_since = COALESCE(dirty_since, ?1) \
             WHERE submit = 1 OR id IN (SELECT case_id FROM change_out) OR id IN (SELECT case_id FROM request)";
        self.tx.execute(DIRTY, [self.now.0])?;
        Ok(true)
    }

    /// Makes everything known of the cases this phone may write its own to bring, whoever wrote it: their writers' phones
    /// may be gone, or have forgotten it too.
    fn carry_all(&mut self) -> Result<(), StoreError> {
        const SQL: &str = "SELECT id FROM case_local WHERE state = 'submitted' AND base IS NOT NULL";
        let mut statement = self.tx.prepare_cached(SQL)?;
        let cases = statement.query_map([], |row| row.get(0).map(CaseId::from_bytes))?;
        for case in cases.collect::<Result<Vec<_>, _>>()? {
            apart(self.tx, case, || {
                let Some(row) = CaseRow::load(self.tx, case)? else { return Ok(()) };
                let by_ledger = || Some(row.ledger.as_ref()?.may_write_facts(self.user()?));
                if row.own || by_ledger().unwrap_or(false) {
                    changes::carry(self.tx, &row)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Notes what the server holds of a pushed case.
    fn fate(&mut self, row: &mut CaseRow, verdict: &Verdict) -> Result<Found, StoreError> {
        let hashes = &verdict.pushed.hashes;
        match &verdict.fate {
            Fate::Held => {
                row.acked_heads = hashes.last().copied().into_iter().collect();
                self.acknowledge(row, hashes)?;
                Ok(Found::Held)
            }
            Fate::Differs(heads) => {
                let doc = row.sound_doc(self.tx)?;
                let held = held_under(self.tx, row.id, &doc, heads, hashes)?;
                row.acked_heads = heads.iter().filter(|head| doc.knows(head)).copied().collect();
                self.acknowledge(row, &held)?;
                Ok(if held.len() == hashes.len() { Found::Held } else { Found::Stuck })
            }
            Fate::Needed => {
                // What is missing may be somebody else's, and their phone may be gone: who builds on it brings it.
                let all = changes::carry(self.tx, row)?;
                let everything_was_sent = all.starts_with(hashes) && row.submit != Submit::Acked;
                self.offer_again(row)?;
                self.outcome.progress |= !everything_was_sent;
                // A restored server asks whom it has not told so yet for everything.
                Ok(if everything_was_sent && !self.outcome.new_epoch { Found::Stuck } else { Found::Again })
            }
        }
    }

    /// Makes all of a case waiting again.
    pub(super) fn offer_again(&mut self, row: &mut CaseRow) -> Result<(), StoreError> {
        self.tx.execute("UPDATE change_out SET acked = 0 WHERE case_id = ?1", [row.id.as_bytes()])?;
        // What was acknowledged may be refused now; then it has to be repeated, or shown.
        const UPTO: &str = "SELECT COALESCE(MAX(upto), 0) FROM change_out WHERE case_id = ?1";
        let upto = self.tx.query_row(UPTO, [row.id.as_bytes()], |found| found.get(0))?;
        intents::advance(self.tx, row.id, upto, "acked", "sent")?;
        if row.submit == Submit::Acked {
            row.submit = Submit::Wanted;
        }
        row.acked_heads.clear();
        Ok(())
    }

    fn is_not_theirs(&self, verdict: &Verdict) -> bool {
        verdict.rejected.iter().all(|rejected| rejected.code == "not_yours")
    }

    /// True if "not yours" may only mean that the server does not know the case any more: its user reported it, or a
    /// colleague did and the server was restored since.
    ///
    /// A colleague's phone is waited for a week. If the case is still not ours then, the restored server has forgotten
    /// the task and not the case; the inspector has to hear of it, and the bytes lie in the server's quarantine.
    fn is_forgotten(&self, row: &CaseRow) -> bool {
        let own_report = row.submit == Submit::Acked;
        let others = row.submit == Submit::No && row.ledger_epoch != self.phone.epoch;
        // A clock that was set back since then would wait for ever.
        let waited = row.dirty_since.map_or(0, |since| self.now.0.saturating_sub(since.0).saturating_abs());
        own_report || (others && waited < COLLEAGUE_MS)
    }

    /// Brings a forgotten case back; a colleague's has to be brought by their phone first.
    fn forgotten(&mut self, row: &mut CaseRow) -> Result<Found, StoreError> {
        if row.submit == Submit::No {
            return Ok(Found::Stuck);
        }
        self.offer_again(row)?;
        self.outcome.progress = true;
        Ok(Found::Again)
    }

    /// Marks changes as held by the server, and the intents they came from.
    pub(super) fn acknowledge(&mut self, row: &mut CaseRow, hashes: &[ChangeHash]) -> Result<(), StoreError> {
        const ACK: &str =
            "UPDATE change_out SET acked = 1 WHERE case_id = ?1 AND hash = ?2 AND acked = 0 RETURNING upto";
        let mut statement = self.tx.prepare_cached(ACK)?;
        let mut upto = None;
        for hash in hashes {
            let mut rows = statement.query((row.id.as_bytes(), hash.as_bytes()))?;
            while let Some(found) = rows.next()? {
                upto = upto.max(Some(found.get(0)?));
            }
        }
        if let Some(upto) = upto {
            intents::advance(self.tx, row.id, upto, "sent", "acked")?;
            row.repairs = 0;
            self.outcome.progress = true;
        }
        Ok(())
    }

    /// The case is reported: its first event is written here, since the server does not echo it.
    fn submitted(&mut self, row: &mut CaseRow) -> Result<(), StoreError> {
        if row.submit == Submit::Wanted {
            row.submit = Submit::Acked;
            self.outcome.progress = true;
            intents::settle(self.tx, row.id, "submit", "acked")?;
        }
        if row.attention.as_ref().is_some_and(|attention| attention.field.as_deref() == Some("submit")) {
            row.attention = None;
        }
        let server_time = self.phone.server_time;
        events::derive_submit(self, row, server_time)
    }

    fn submit_result(&mut self, row: &mut CaseRow, result: &RequestResult) -> Result<(), StoreError> {
        let code = result.code.as_deref();
        if result.version > 0 {
            row.submit = Submit::Acked;
            self.outcome.progress = true;
            intents::settle(self.tx, row.id, "submit", "acked")?;
            // The server opened the case although it could not use all that was sent.
            if let Some(code) = code {
                self.refuse(row, None, code, result.field.as_deref());
            }
        } else {
            let known = row.attention.as_ref().map(|attention| attention.code.as_str()) == code;
            if !known {
                self.refuse(row, None, code.unwrap_or("refused"), Some("submit"));
            }
        }
        Ok(())
    }

    /// The decision on a request.
    fn result(&mut self, result: &RequestResult) -> Result<(), StoreError> {
        let accepted = result.version > 0;
        let state = if accepted { "accepted" } else { "refused" };
        const SQL: &str = "UPDATE request SET state = ?2, version = ?3, code = ?4, field = ?5 \
                           WHERE intent = ?1 AND state = 'pending' RETURNING case_id";
        let values = rusqlite::params![result.intent.as_bytes(), state, result.version, result.code, result.field];
        let mut statement = self.tx.prepare_cached(SQL)?;
        let mut rows = statement.query(values)?;
        let Some(case) = rows.next()?.map(|row| row.get(0)).transpose()?.map(CaseId::from_bytes) else {
            return Ok(());
        };
        drop(rows);
        self.outcome.progress = true;
        intents::settle_one(self.tx, result.intent, if accepted { "acked" } else { "refused" })?;
        apart(self.tx, case, || {
            let Some(mut row) = CaseRow::load(self.tx, case)? else { return Ok(()) };
            if !accepted {
                let code = result.code.as_deref().unwrap_or("refused");
                self.refuse(&mut row, Some(result.intent), code, result.field.as_deref());
            }
            self.save(&mut row)
        })?;
        Ok(())
    }

    /// Notes that a case left the scope; it stays while work of this phone would go with it.
    pub(super) fn gone(&mut self, case: CaseId) -> Result<(), StoreError> {
        if leaves(self.tx, case)? {
            self.outcome.changed.insert(case);
        }
        Ok(())
    }

    fn position(&mut self, answer: &Answer) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE phone SET epoch = ?1, cursor = ?2, server_time = ?3, last_sync = ?4, heard = ?5, \
                           blocked = NULL, census_day = COALESCE(?6, census_day)";
        let (epoch, cursor) = (answer.epoch as i64, answer.cursor as i64);
        self.outcome.progress |= cursor != self.phone.cursor as i64;
        self.tx.prepare_cached(SQL)?.execute((
            epoch,
            cursor,
            answer.server_time.0,
            answer.now.0,
            answer.counter as i64,
            census::day_after(&self.phone, answer),
        ))?;
        Ok(())
    }
}

/// Marks a case as out of view; true if it was not yet. A draft is in nobody's view but this phone's.
///
/// Words and photos that were refused would go with it. Whoever worked on the case since has not seen them for that: they
/// are shown once more, and stay until they are read.
pub(super) fn leaves(tx: &Transaction<'_>, case: CaseId) -> Result<bool, StoreError> {
    const LEAVES: &str = "UPDATE case_local SET gone = 1 WHERE id = ?1 AND gone = 0 AND state = 'submitted'";
    if tx.prepare_cached(LEAVES)?.execute([case.as_bytes()])? == 0 {
        return Ok(false);
    }
    let refused = match intents::refused_words(tx, case) {
        Ok(words) => match words.into_iter().next() {
            Some(words) => Some(words.code),
            None => photos::why_refused(tx, case)?,
        },
        Err(StoreError::Damaged(_)) => Some(DAMAGED.to_owned()),
        Err(error) => return Err(error),
    };
    if let Some(code) = refused {
        const SHOW: &str = "UPDATE case_local SET attention = ?2 WHERE id = ?1 AND attention IS NULL";
        tx.prepare_cached(SHOW)?.execute((case.as_bytes(), code))?;
    }
    Ok(true)
}

/// Forgets cases marked as gone, as far as nothing of this phone goes with them, not even a refusal nobody has seen.
pub(super) fn forget_gone(tx: &Transaction<'_>) -> Result<Vec<CaseId>, StoreError> {
    let mut statement = tx.prepare_cached(include_str!("sql/forget_gone.sql"))?;
    let rows = statement.query_map([], |row| row.get(0).map(CaseId::from_bytes))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Those of `hashes` that a server with these heads holds for sure.
pub(super) fn held_under(
    tx: &Transaction<'_>,
    case: CaseId,
    doc: &FieldDoc,
    heads: &[ChangeHash],
    hashes: &[ChangeHash],
) -> Result<Vec<ChangeHash>, StoreError> {
    let missing: BTreeSet<ChangeHash> = doc.change_bodies_since(heads).into_iter().map(|(hash, _)| hash).collect();
    let mut held: BTreeSet<ChangeHash> =
        hashes.iter().filter(|hash| doc.knows(hash) && !missing.contains(hash)).copied().collect();
    if hashes.iter().any(|hash| !doc.knows(hash)) {
        // A document that was made anew after damage lacks what was written on top of what it lost. What a head of the
        // server's builds on is there too.
        let pushed: BTreeMap<ChangeHash, Vec<u8>> =
            changes::unacked(tx, case)?.into_iter().filter(|(hash, _)| hashes.contains(hash)).collect();
        let mut reached = heads.to_vec();
        while let Some(hash) = reached.pop() {
            if let Some(body) = pushed.get(&hash).filter(|_| held.insert(hash)) {
                reached.extend(gate::claim(body).into_iter().flat_map(|claim| claim.deps));
            }
        }
    }
    Ok(hashes.iter().filter(|hash| held.contains(hash)).copied().collect())
}
