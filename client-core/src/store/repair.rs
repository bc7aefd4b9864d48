//! What happens after the server refused changes: the report is never destroyed, only what was refused is left out.
//!
//! The document goes back to what the server accepts, the intents behind the refused changes become unsent again, and
//! the next request carries what survives as one change of a new actor. A field at fault is dropped and shown; a
//! sealed case gets the words as a supplement; a fault of the bytes is repeated once as it is. If that is refused too,
//! the edits are given up: they stay readable as refused intents. So a repair ends after at most two round trips.

use std::collections::BTreeSet;

use rusqlite::Transaction;

use super::answer::{Applying, held_under};
use super::case_row::{Attention, CaseRow};
use super::intents::{self, Action, field_of};
use super::{Store, StoreError, feed};
use crate::doc::gate::{GateCode, Policy, admit};
use crate::doc::{Edit, FieldDoc};
use crate::model::{CaseId, ChangeHash, Facts, IntentId, Millis, Remark, Sha256, Ulid};
use crate::sync::{Fate, Refused, Verdict};
use crate::wire::Rejected;

/// What to do with the edits behind a refused change.
#[derive(Debug, PartialEq, Eq)]
enum Remedy<'a> {
    /// Do the same again as somebody else.
    Repeat,
    /// Leave one field out.
    Drop(&'a str),
    /// The case is sealed: keep the words as a supplement.
    Supplement,
    /// Give all of it up.
    GiveUp,
}

/// Takes refused changes out of a case.
pub(super) fn repair(
    store: &Store,
    applying: &mut Applying<'_, '_>,
    row: &mut CaseRow,
    verdict: &Verdict,
) -> Result<(), StoreError> {
    let doc = without_refused(applying.tx, row, &verdict.rejected)?;
    let kept = keep_only(applying.tx, row.id, &doc)?;
    if let Fate::Differs(heads) = &verdict.fate {
        let held = held_under(applying.tx, row.id, &doc, heads, &verdict.pushed.hashes)?;
        applying.acknowledge(row, &held)?;
        row.acked_heads = heads.iter().filter(|head| doc.knows(head)).copied().collect();
    }
    row.repairs += 1;
    for rejected in decisive(&verdict.rejected) {
        let remedy = remedy(rejected, row.repairs);
        let lost = treat(store, applying, row, kept, &remedy, &rejected.code)?;
        if remedy != Remedy::Repeat || lost {
            row.attention = Some(Attention { code: rejected.code.clone(), field: rejected.field.clone() });
        }
        let (code, field) = (rejected.code.clone(), rejected.field.clone());
        applying.outcome.refused.push(Refused { case: row.id, intent: None, code, field });
    }
    const AGAIN: &str = "UPDATE intent SET state = 'pending' \
                         WHERE case_id = ?1 AND seq > ?2 AND state = 'sent' AND kind IN ('edit', 'detach')";
    applying.tx.prepare_cached(AGAIN)?.execute((row.id.as_bytes(), kept))?;
    store.renew_actor(row.id);
    row.set_base((doc.change_count() > 0).then(|| doc.save()));
    feed::refresh_facts(applying.tx, row)?;
    applying.outcome.progress = true;
    Ok(())
}

/// Refusals with a cause of their own; one for all changes that share it.
fn decisive(rejected: &[Rejected]) -> impl Iterator<Item = &Rejected> {
    let mut seen = BTreeSet::new();
    let own_cause = move |entry: &&Rejected| {
        entry.code != GateCode::DependsOnRejected.code() && seen.insert((entry.code.clone(), entry.field.clone()))
    };
    rejected.iter().filter(own_cause)
}

fn remedy(rejected: &Rejected, repairs: u32) -> Remedy<'_> {
    let code = GateCode::from_code(&rejected.code);
    match (code, rejected.field.as_deref()) {
        _ if repairs > 2 => Remedy::GiveUp,
        (Some(GateCode::FieldFrozen), _) => Remedy::Supplement,
        (Some(GateCode::DocumentFull), _) => Remedy::GiveUp,
        // A colleague's came first: those that still fit are told apart once theirs are known here.
        (Some(GateCode::TooManyPhotos), _) if repairs == 1 => Remedy::Repeat,
        (_, Some("v")) => Remedy::GiveUp,
        (_, Some("lat_e6")) => Remedy::Drop("lon_e6"),
        (_, Some(field)) => Remedy::Drop(field),
        // The bytes were at fault, not what they say.
        (Some(_), None) if repairs == 1 => Remedy::Repeat,
        _ => Remedy::GiveUp,
    }
}

/// Marks the edits a remedy leaves out; true if any was.
fn treat(
    store: &Store,
    applying: &Applying<'_, '_>,
    row: &CaseRow,
    kept: i64,
    remedy: &Remedy<'_>,
    code: &str,
) -> Result<bool, StoreError> {
    if *remedy == Remedy::Repeat {
        return Ok(false);
    }
    let mut said: Vec<Edit> = Vec::new();
    let mut lost = false;
    for intent in intents::in_state(applying.tx, row.id, "sent")?.into_iter().filter(|intent| intent.seq > kept) {
        let Action::Edit(edits) = &intent.action else { continue };
        let leave_out = |edit: &&Edit| match remedy {
            Remedy::Drop(field) => field_of(edit) == *field,
            Remedy::Supplement => !edit.is_supplement(),
            _ => true,
        };
        let out: Vec<&Edit> = intent.surviving(edits).filter(leave_out).collect();
        if out.is_empty() {
            continue;
        }
        lost = true;
        if *remedy == Remedy::Supplement {
            said.extend(instead(intent.id, &out, applying.now));
        }
        intents::refuse(applying.tx, &intent, edits, &out, code)?;
    }
    if !said.is_empty() {
        let id = store.new_intent(applying.now);
        intents::append(applying.tx, id, row.id, &Action::Edit(said), applying.now)?;
    }
    Ok(lost)
}

/// What was left out of an intent, as supplements: a remark under its own id, the rest in words.
fn instead(intent: IntentId, out: &[&Edit], now: Millis) -> Vec<Edit> {
    let mut said = Vec::new();
    let mut words = Vec::new();
    for edit in out {
        match edit {
            Edit::AddRemark(id, remark) => said.push(Edit::AddSupplement(id.clone(), remark.clone())),
            other => words.extend(other.in_words()),
        }
    }
    said.extend(supplements(intent, &words.join("\n"), now));
    said
}

/// Words of any length as supplements, each as long as one may be.
///
/// Their keys follow from what was done and said: a copy of this phone, or this phone put back to a backup, says the same
/// under the same key, and so once.
fn supplements(intent: IntentId, words: &str, now: Millis) -> Vec<Edit> {
    let chars: Vec<char> = words.chars().collect();
    let pieces = chars.chunks(Facts::MAX_TEXT_CHARS);
    let supplement = |piece: &[char]| {
        let text: String = piece.iter().collect();
        let digest = Sha256::of(&[intent.as_bytes(), text.as_bytes()].concat());
        let mut key = *intent.as_bytes();
        // The time of the intent stays in front: keys sort by it.
        key[6..].copy_from_slice(&digest.as_bytes()[..10]);
        Edit::AddSupplement(Facts::remark_key(Ulid::from_bytes(key)), Remark { text, at: now })
    };
    pieces.map(supplement).collect()
}

/// The document without refused changes and without whatever builds on them.
fn without_refused(tx: &Transaction<'_>, row: &mut CaseRow, rejected: &[Rejected]) -> Result<FieldDoc, StoreError> {
    let refused: BTreeSet<ChangeHash> = rejected.iter().map(|entry| entry.hash).collect();
    let bodies = row.sound_doc(tx)?.change_bodies_since(&[]);
    let good: Vec<&[u8]> =
        bodies.iter().filter(|(hash, _)| !refused.contains(hash)).map(|(_, body)| body.as_slice()).collect();
    let mut doc = FieldDoc::new();
    // Changes whose dependencies are gone hang in the air and are left out with them.
    admit(&mut doc, &good, &Policy::from_server());
    Ok(doc)
}

/// Forgets changes of this phone that `doc` lacks; answers the last intent the remaining ones hold.
fn keep_only(tx: &Transaction<'_>, case: CaseId, doc: &FieldDoc) -> Result<i64, StoreError> {
    let mut statement = tx.prepare_cached("SELECT ord, hash, upto FROM change_out WHERE case_id = ?1 ORDER BY ord")?;
    let mut rows = statement.query([case.as_bytes()])?;
    let (mut gone, mut kept) = (Vec::new(), 0_i64);
    while let Some(row) = rows.next()? {
        if doc.knows(&ChangeHash::from_bytes(row.get(1)?)) {
            kept = row.get::<_, i64>(2)?.max(kept);
        } else {
            gone.push(row.get::<_, i64>(0)?);
        }
    }
    for ord in gone {
        tx.execute("DELETE FROM change_out WHERE case_id = ?1 AND ord = ?2", (case.as_bytes(), ord))?;
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_come_too_late_are_said_under_one_key_by_every_copy_of_a_phone() {
        let remark = |text: &str| Remark { text: text.to_owned(), at: Millis(1) };
        let late = [Edit::AddRemark("its own".to_owned(), remark("一")), Edit::Description("二".to_owned())];
        let late: Vec<&Edit> = late.iter().collect();
        let keys = |intent: u8, now: i64| -> Vec<String> {
            let said = instead(IntentId::from_bytes([intent; 16]), &late, Millis(now));
            let key = |edit| match edit {
                Edit::AddSupplement(key, _) => key,
                other => panic!("{other:?}"),
            };
            said.into_iter().map(key).collect()
        };
        // Another copy of the phone notices it later.
        assert_eq!(keys(3, 5), keys(3, 9));
        assert_eq!((keys(3, 5).len(), keys(3, 5)[0].as_str()), (2, "its own"));
        assert_ne!(keys(3, 5)[1], keys(4, 5)[1], "the same words of another day are said once more");
    }
}
