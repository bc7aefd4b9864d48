//! Ledger events as rows, and the ledger folded from them.

use rusqlite::Transaction;

use super::answer::Applying;
use super::case_row::{Attention, CaseRow, Submit};
use super::{StoreError, census};
use crate::model::{CaseId, Facts, Millis, Mode};
use crate::wire::WireEvent;
use crate::workflow::{Event, Ledger, Payload, Source, State, Verb, apply};

/// The code shown when an event is of a kind this app does not know.
const NEWER_SERVER: &str = "app_outdated";

/// Adds events and folds what continues the ledger. Events known already, or below the ledger's version, change nothing.
pub(super) fn add(applying: &mut Applying<'_, '_>, row: &mut CaseRow, events: &[WireEvent]) -> Result<(), StoreError> {
    let Some(first) = events.first() else { return Ok(()) };
    begin_epoch(applying, row, first.version)?;
    const SQL: &str = "INSERT INTO event (case_id, version, body) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING";
    for event in events {
        let body = String::from_utf8_lossy(&event.event);
        let values = (row.id.as_bytes(), event.version, body.as_ref());
        let added = applying.tx.prepare_cached(SQL)?.execute(values)?;
        applying.outcome.received += added as u32;
        applying.outcome.progress |= added > 0;
        // The server's own word on the report replaces what this phone made of it.
        const REPORT: &str = "UPDATE event SET body = ?2 WHERE case_id = ?1 AND version = 1 AND ?3 = 1 AND body <> ?2";
        let values = (row.id.as_bytes(), body.as_ref(), event.version);
        if applying.tx.prepare_cached(REPORT)?.execute(values)? > 0 {
            row.ledger = None;
        }
    }
    // The office decided on a report whose acceptance this phone never heard of: the report did arrive.
    let first_kept = first_version(applying.tx, row.id)?;
    if row.own && first_kept.is_some_and(|version| version > 1) {
        row.submit = Submit::Acked;
        let server_time = applying.phone.server_time;
        return derive_submit(applying, row, server_time);
    }
    fold(applying.tx, row)
}

/// Writes the event the server does not echo: this phone's own report, accepted as sent.
pub(super) fn derive_submit(applying: &mut Applying<'_, '_>, row: &mut CaseRow, at: Millis) -> Result<(), StoreError> {
    let Some(user) = &applying.phone.user else { return Ok(()) };
    // As they were taken: neither edits made while the report was under way, nor what goes with a later request because the
    // first had no room for it.
    let facts = if row.base.is_some() {
        let doc = row.sound_doc(applying.tx)?;
        let of_part = !row.acked_heads.is_empty() && doc.heads() != row.acked_heads;
        let taken = if of_part { doc.facts_at(&row.acked_heads) } else { None };
        taken.unwrap_or_else(|| doc.facts().0)
    } else {
        row.facts.clone()
    };
    let payload = Payload {
        mode_claim: Some(facts.mode_claim.unwrap_or(Mode::Forwarded)),
        category_claim: facts.category_claim,
        grid: facts.grid_claim.as_deref().and_then(|code| code.parse().ok()),
        discovered_at: facts.discovered_at,
        source: Some(Source::Inspector),
        unit: user.unit.clone(),
        reporter: Some(user.id.clone()),
        ..Payload::default()
    };
    let event = Event {
        version: 1,
        verb: Verb::Submit,
        actor: user.id.clone(),
        role: user.role,
        device: None,
        at,
        from: None,
        to: State::Reported,
        payload,
        heads: Vec::new(),
    };
    begin_epoch(applying, row, u32::MAX)?;
    const SQL: &str = "INSERT INTO event (case_id, version, body) VALUES (?1, 1, ?2) ON CONFLICT DO NOTHING";
    let body = serde_json::to_string(&event)?;
    applying.tx.prepare_cached(SQL)?.execute((row.id.as_bytes(), body))?;
    fold(applying.tx, row)
}

/// Forgets what a server before a restore had decided, from `version` on.
fn begin_epoch(applying: &Applying<'_, '_>, row: &mut CaseRow, version: u32) -> Result<(), StoreError> {
    let epoch = applying.phone.epoch;
    if row.ledger_epoch == epoch {
        return Ok(());
    }
    // Without news (`u32::MAX`), or with news of a report that waits and is not told itself, the restored server took
    // the report anew, as it is now.
    let anew = version == u32::MAX || row.submit == Submit::Wanted;
    let keep_below = if anew { 1 } else { version };
    const SQL: &str = "DELETE FROM event WHERE case_id = ?1 AND version >= ?2";
    applying.tx.prepare_cached(SQL)?.execute((row.id.as_bytes(), keep_below))?;
    row.ledger = None;
    row.ledger_epoch = epoch;
    Ok(())
}

/// Continues the ledger with the events that follow it; versions never go back.
fn fold(tx: &Transaction<'_>, row: &mut CaseRow) -> Result<(), StoreError> {
    const SQL: &str = "SELECT version, body FROM event WHERE case_id = ?1 AND version > ?2 ORDER BY version";
    let version = row.ledger.as_ref().map_or(0, |ledger| ledger.version);
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query((row.id.as_bytes(), version))?;
    while let Some(found) = rows.next()? {
        let expected = row.ledger.as_ref().map_or(1, |ledger| ledger.version + 1);
        // A gap: the rest stays in its rows until what is missing arrives.
        if found.get::<_, u32>(0)? != expected {
            census::suspect(tx)?;
            break;
        }
        let body: String = found.get(1)?;
        let event = serde_json::from_str::<Event>(&body).map_err(|error| error.to_string());
        match event.and_then(|event| apply(row.ledger.clone(), &event).map_err(|error| error.to_string())) {
            Ok(ledger) => row.ledger = Some(ledger),
            Err(_) => {
                row.attention = Some(Attention { code: NEWER_SERVER.to_owned(), field: None });
                break;
            }
        }
    }
    Ok(())
}

/// What the event rows of a case say, read anew.
pub(super) struct History {
    /// Rows without a gap from the first.
    pub(super) version: u32,
    /// The ledger that follows from them, as far as this app understands them.
    pub(super) ledger: Option<Ledger>,
    /// When the last of them happened.
    pub(super) last_at: Option<Millis>,
}

/// Reads all event rows of a case.
pub(super) fn history(tx: &Transaction<'_>, case: CaseId) -> Result<History, StoreError> {
    let mut history = History { version: 0, ledger: None, last_at: None };
    let mut understood = true;
    let mut statement = tx.prepare_cached("SELECT version, body FROM event WHERE case_id = ?1 ORDER BY version")?;
    let mut rows = statement.query([case.as_bytes()])?;
    while let Some(row) = rows.next()? {
        if row.get::<_, u32>(0)? != history.version + 1 {
            break;
        }
        history.version += 1;
        let body = row.get_ref(1)?.as_bytes().unwrap_or_default();
        let event = serde_json::from_slice::<Event>(body).ok();
        history.last_at = event.as_ref().map(|event| event.at).or(history.last_at);
        let next = event.filter(|_| understood).and_then(|event| apply(history.ledger.clone(), &event).ok());
        understood = next.is_some();
        history.ledger = next.or(history.ledger);
    }
    Ok(history)
}

fn first_version(tx: &Transaction<'_>, case: CaseId) -> Result<Option<u32>, StoreError> {
    const SQL: &str = "SELECT MIN(version) FROM event WHERE case_id = ?1";
    Ok(tx.prepare_cached(SQL)?.query_row([case.as_bytes()], |row| row.get(0))?)
}

/// The facts an office took down when the case was born there.
pub(super) fn intake(tx: &Transaction<'_>, case: CaseId) -> Result<Option<Facts>, StoreError> {
    const SQL: &str = "SELECT body FROM event WHERE case_id = ?1 AND version = 1";
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query([case.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let event = serde_json::from_str::<Event>(row.get_ref(0)?.as_str().map_err(StoreError::damaged)?);
    Ok(event.ok().and_then(|event| event.payload.facts).map(|facts| *facts))
}
