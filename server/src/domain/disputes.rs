//! What phones say about one case that does not fit together: values written at once, and edits after a decision.
//!
//! The field document keeps every value and every past state. Who wrote what is found by replaying its changes; that is
//! done only for the few documents that have something to tell.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use xunge_client_core::doc::FieldDoc;
use xunge_client_core::doc::gate::{Policy, admit};
use xunge_client_core::model::{CaseId, ChangeHash, Facts, Millis};

use super::cases::EventView;
use crate::params;
use crate::store::{StoreError, Tx};

/// A value of a register, with who wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Name of the register.
    pub register: String,
    /// The value as text, as conflicts give it.
    pub value: String,
    /// User whose phone wrote it last.
    pub user: String,
    /// When it arrived; when it was written nobody knows, phones do not say.
    pub at: Millis,
}

/// A register that was edited after the office had judged the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LateEdit {
    /// Name of the register.
    pub register: String,
    /// What the office judged; none if the register was empty.
    pub judged: Option<String>,
    /// What it holds now; none if it was emptied.
    pub now: Option<String>,
}

/// Who wrote each of the values that do not fit together.
pub async fn writers(
    tx: &mut dyn Tx,
    case: CaseId,
    conflicts: &BTreeMap<String, Vec<String>>,
) -> Result<Vec<Written>, StoreError> {
    if conflicts.is_empty() {
        return Ok(Vec::new());
    }
    let Some(doc) = document(tx, case).await? else { return Ok(Vec::new()) };
    let rows = tx
        .query("SELECT hash, user_id, received_at FROM change_row WHERE case_id = ?1", params![case.as_bytes()])
        .await?;
    let mut received = BTreeMap::new();
    for row in &rows {
        received.insert(ChangeHash::from_bytes(row.array(0)?), (row.text(1)?.to_owned(), Millis(row.int(2)?)));
    }
    let mut found: BTreeMap<(String, String), (String, Millis)> = BTreeMap::new();
    let mut replayed = FieldDoc::new();
    for (hash, body) in doc.change_bodies_since(&[]) {
        let touched = admit(&mut replayed, &[&body], &Policy::from_server()).touched;
        let then = doc.facts_at(&[hash]).map(|facts| registers(&facts)).unwrap_or_default();
        for (register, values) in conflicts.iter().filter(|(register, _)| touched.contains(register.as_str())) {
            let value = then.get(register).filter(|value| values.contains(value));
            if let Some((value, writer)) = value.zip(received.get(&hash)) {
                found.insert((register.clone(), value.clone()), writer.clone());
            }
        }
    }
    let written = |((register, value), (user, at))| Written { register, value, user, at };
    Ok(found.into_iter().map(written).collect())
}

/// What was edited after the newest decision before `edited_at`; empty if the document no longer has what was judged.
pub async fn late(
    tx: &mut dyn Tx,
    case: CaseId,
    events: &[EventView],
    edited_at: Option<i64>,
) -> Result<Vec<LateEdit>, StoreError> {
    let Some(edited_at) = edited_at else { return Ok(Vec::new()) };
    let deciding = |it: &&EventView| it.event.to.is_final() || it.event.payload.case_no.is_some();
    let judged = events.iter().rev().filter(deciding).find(|it| it.event.at.0 <= edited_at);
    let (Some(judged), Some(doc)) = (judged, document(tx, case).await?) else { return Ok(Vec::new()) };
    let Some(then) = doc.facts_at(&judged.event.heads) else { return Ok(Vec::new()) };
    let (then, now) = (registers(&then), registers(&doc.facts().0));
    let names: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let changed = names.into_iter().filter(|name| then.get(*name) != now.get(*name));
    Ok(changed
        .map(|name| LateEdit { register: name.clone(), judged: then.get(name).cloned(), now: now.get(name).cloned() })
        .collect())
}

async fn document(tx: &mut dyn Tx, case: CaseId) -> Result<Option<FieldDoc>, StoreError> {
    let row = tx.query_opt("SELECT snapshot FROM doc WHERE case_id = ?1", params![case.as_bytes()]).await?;
    let doc = row.map(|row| row.blob(0).map(|snapshot| FieldDoc::load(snapshot).ok())).transpose()?;
    Ok(doc.flatten())
}

/// Every register that holds something, as text, by the name it has in the document.
fn registers(facts: &Facts) -> BTreeMap<String, String> {
    let Ok(Json::Object(members)) = serde_json::to_value(facts) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for (name, value) in members {
        match value {
            Json::String(text) => drop(found.insert(name, text)),
            Json::Number(number) => drop(found.insert(name, number.to_string())),
            // Longitude and latitude are registers of their own; photos and remarks only grow.
            Json::Object(point) if name == "point" => {
                found.extend(point.into_iter().map(|(name, number)| (name, number.to_string())));
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
#[path = "tests/disputes.rs"]
mod tests;
