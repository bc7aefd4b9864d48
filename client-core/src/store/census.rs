//! The daily count of everything in view, and what is done with cases the server tells whole because of it.
//!
//! What is counted is read back and checked first: the document has to load, the ledger has to follow from its events.
//! A case that fails is counted as version 0, which no server holds, so it is told whole. What is told is added to what
//! is here; own changes the server turns out not to hold are offered again, and so is an own report it does not know.
//! Only other people's cases that are not among what was told leave the phone, as if the server had said "gone".

use std::collections::BTreeSet;

use rusqlite::Transaction;

use super::answer::Applying;
use super::apart::apart;
use super::case_row::{CaseRow, Submit};
use super::phone_row::PhoneRow;
use super::{StoreError, changes, events, intents};
use crate::doc::{FieldDoc, chunk};
use crate::model::{CaseId, ChangeHash, Millis};
use crate::sync::{Answer, Counting};
use crate::wire::census::{self, Count, Counted};
use crate::wire::{Census, CensusReply, FeedItem, limits};
use crate::workflow::Ledger;

/// The mark in `census_day` of a phone that is to count with its next sync.
const AT_ONCE: i32 = 1;

/// Notes that something here was found damaged: the next sync counts, whatever day it is.
pub(super) fn suspect(tx: &Transaction<'_>) -> Result<(), StoreError> {
    tx.prepare_cached("UPDATE phone SET census_day = ?1 WHERE census_day > ?1")?.execute([AT_ONCE])?;
    Ok(())
}

/// True if this phone has not counted on the day it last heard of. A day later than that is one of a wrong clock.
pub(super) fn is_due(phone: &PhoneRow) -> bool {
    let day = phone.server_time.local_day().number();
    phone.epoch != 0 && phone.census_day != 0 && phone.census_day != day
}

/// What this phone holds, if that is to be said now.
pub(super) fn ask(tx: &Transaction<'_>, phone: &PhoneRow, counting: Counting) -> Result<Option<Census>, StoreError> {
    let day = phone.server_time.local_day().number();
    let from = match counting {
        Counting::IfDue if is_due(phone) => None,
        Counting::From(from) => Some(from),
        Counting::IfDue | Counting::No => return Ok(None),
    };
    let except = left_out(tx)?;
    if except.len() > limits::CENSUS_EXCEPT {
        return Ok(None);
    }
    let held = held(tx, census::since(day), |case| !except.contains(case))?;
    let count = Count::of(day, held.into_iter().map(|held| held.counted).collect());
    Ok(Some(Census {
        day,
        root: count.root(),
        buckets: from.map(|_| count.buckets()),
        from: from.filter(|from| *from > 0),
        except: (!except.is_empty()).then_some(except),
    }))
}

/// Cases with unsent work. Not those whose document was damaged and made anew without some of this phone's own work: what
/// that builds on only the server can tell.
fn left_out(tx: &Transaction<'_>) -> Result<Vec<CaseId>, StoreError> {
    const SQL: &str = "SELECT id, base, submit = 1 FROM case_local WHERE dirty = 1 AND state = 'submitted'";
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query([])?;
    let mut left_out = Vec::new();
    while let Some(row) = rows.next()? {
        let (case, base): (_, Option<Vec<u8>>) = (CaseId::from_bytes(row.get(0)?), row.get(1)?);
        // A report the server may not have can not be told by it.
        let waits = row.get(2)?;
        if waits || holds(&changes::unacked(tx, case)?, base.as_deref()) {
            left_out.push(case);
        }
    }
    Ok(left_out)
}

fn holds(own: &[(ChangeHash, Vec<u8>)], base: Option<&[u8]>) -> bool {
    let doc = base.map_or(Ok(FieldDoc::new()), FieldDoc::load);
    doc.is_ok_and(|doc| own.iter().all(|(hash, _)| doc.knows(hash)))
}

/// A case as it is counted, and whether it is this phone's own report.
struct Held {
    counted: Counted,
    own: bool,
}

/// Every case that is counted and `wanted`: in view, and open or ended after `since`.
fn held(tx: &Transaction<'_>, since: Millis, wanted: impl Fn(&CaseId) -> bool) -> Result<Vec<Held>, StoreError> {
    const SQL: &str = "SELECT id, own, base, ledger FROM case_local WHERE state = 'submitted' AND gone = 0";
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query([])?;
    let mut held = Vec::new();
    while let Some(row) = rows.next()? {
        let case = CaseId::from_bytes(row.get(0)?);
        if !wanted(&case) {
            continue;
        }
        let (base, ledger): (Option<Vec<u8>>, Option<String>) = (row.get(2)?, row.get(3)?);
        let ledger = ledger.and_then(|json| serde_json::from_str::<Ledger>(&json).ok());
        let history = events::history(tx, case)?;
        let ended = ledger.as_ref().is_some_and(Ledger::is_final);
        if ended && history.last_at.is_some_and(|at| at < since) {
            continue;
        }
        let doc = base.map_or(Ok(FieldDoc::new()), |base| FieldDoc::load(&base));
        let sound = doc.is_ok() && ledger.is_some() && history.ledger == ledger;
        let heads = doc.map(|doc| doc.heads()).unwrap_or_default();
        let version = if sound { history.version } else { 0 };
        held.push(Held { counted: Counted { case, version, heads }, own: row.get(1)? });
    }
    Ok(held)
}

/// Makes room for a case that is told whole: its ledger is written anew, and own changes that are not in `item` wait
/// again.
pub(super) fn renew(applying: &mut Applying<'_, '_>, row: &mut CaseRow, item: &FeedItem) -> Result<(), StoreError> {
    let told = item.events.last().map_or(0, |event| event.version);
    let here = row.ledger.as_ref().map_or(0, |ledger| ledger.version);
    // Within an epoch no version is taken back, whoever says so.
    if told >= here || row.ledger_epoch != applying.phone.epoch {
        applying.tx.prepare_cached("DELETE FROM event WHERE case_id = ?1")?.execute([row.id.as_bytes()])?;
        row.ledger = None;
    }
    let there: BTreeSet<ChangeHash> = item.changes.iter().map(|body| chunk::hash_of_body(body)).collect();
    let mut statement = applying.tx.prepare_cached("SELECT hash, upto FROM change_out WHERE case_id = ?1")?;
    let own =
        statement.query_map([row.id.as_bytes()], |found| Ok((ChangeHash::from_bytes(found.get(0)?), found.get(1)?)))?;
    let own: Vec<(ChangeHash, i64)> = own.collect::<Result<_, _>>()?;
    const AGAIN: &str = "UPDATE change_out SET acked = 0 WHERE case_id = ?1 AND hash = ?2";
    for (hash, upto) in own.into_iter().filter(|(hash, _)| !there.contains(hash)) {
        applying.tx.prepare_cached(AGAIN)?.execute((row.id.as_bytes(), hash.as_bytes()))?;
        intents::advance(applying.tx, row.id, upto, "acked", "sent")?;
    }
    Ok(())
}

/// What the phone holds in the buckets that were told, and was not told of.
pub(super) fn missing(applying: &mut Applying<'_, '_>, answer: &Answer) -> Result<(), StoreError> {
    let Some((census, Some(reply))) = &answer.census else { return Ok(()) };
    if reply.told.is_none() {
        return Ok(());
    }
    let told: BTreeSet<CaseId> = answer.feed.iter().map(|item| item.case).collect();
    let wanted = |case: &CaseId| reply.tells(case) && !told.contains(case) && !census.leaves_out(case);
    for held in held(applying.tx, census::since(census.day), wanted)? {
        apart(applying.tx, held.counted.case, || missing_one(applying, &held))?;
    }
    Ok(())
}

fn missing_one(applying: &mut Applying<'_, '_>, held: &Held) -> Result<(), StoreError> {
    let Some(mut row) = CaseRow::load(applying.tx, held.counted.case)? else { return Ok(()) };
    if held.own && row.submit == Submit::Acked {
        applying.offer_again(&mut row)?;
        applying.outcome.progress = true;
        return applying.save(&mut row);
    }
    applying.gone(row.id)
}

/// True if the item tells all of a case.
pub(super) fn is_whole(answer: &Answer, item: &FeedItem) -> bool {
    matches!(&answer.census, Some((_, Some(reply))) if reply.tells(&item.case))
}

/// The day of the count that ended with this answer, if one did; a new phone begins with the day after its first answer.
pub(super) fn day_after(phone: &PhoneRow, answer: &Answer) -> Option<i32> {
    let today = || answer.server_time.local_day().number().max(AT_ONCE);
    count_ended(answer).or_else(|| (phone.census_day == 0).then(today))
}

fn count_ended(answer: &Answer) -> Option<i32> {
    let ended = |reply: &CensusReply| reply.next.is_none();
    match &answer.census {
        Some((census, Some(reply))) if ended(reply) => Some(census.day),
        // A server that does not count; one that does says nothing only when it has news.
        Some((census, None)) if answer.feed.is_empty() && answer.gone.is_empty() => Some(census.day),
        _ => None,
    }
}
