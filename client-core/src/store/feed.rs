//! News of a case: events of the office, changes by others.

use rusqlite::Transaction;

use super::answer::Applying;
use super::case_row::{Attention, CaseRow, Local, Submit};
use super::{StoreError, census, changes, events, intents};
use crate::doc::FieldDoc;
use crate::doc::gate::{Admission, Policy, admit};
use crate::model::Facts;
use crate::wire::FeedItem;

/// The code shown when a change from the server did not pass the gate: a damaged or hostile page.
const DAMAGED: &str = "news_damaged";

/// Applies one item, news of a case or (`whole`) all of it. What the gate refuses is left out and shown, and asked for
/// again by the next count; it never stops the rest.
pub(super) fn apply(applying: &mut Applying<'_, '_>, item: &FeedItem, whole: bool) -> Result<(), StoreError> {
    let known = CaseRow::load(applying.tx, item.case)?;
    let mut row = match known {
        Some(row) => {
            // It is in view, or in view again.
            const IN_VIEW: &str = "UPDATE case_local SET gone = 0 WHERE id = ?1 AND gone = 1";
            applying.tx.prepare_cached(IN_VIEW)?.execute([item.case.as_bytes()])?;
            row
        }
        None => {
            let row = CaseRow::new(item.case, false, Local::Submitted, applying.now);
            row.save(applying.tx, applying.user())?;
            row
        }
    };
    if whole {
        census::renew(applying, &mut row, item)?;
    }
    admit_news(applying, &mut row, item, whole)?;
    events::add(applying, &mut row, &item.events)?;
    if row.local == Local::Draft && !item.events.is_empty() {
        // A copy of this phone, or this phone before it was restored, reported the draft.
        row.local = Local::Submitted;
        row.submit = Submit::Acked;
        row.submitted_at.get_or_insert(applying.now);
    }
    refresh_facts(applying.tx, &mut row)?;
    applying.save(&mut row)
}

fn admit_news(
    applying: &mut Applying<'_, '_>,
    row: &mut CaseRow,
    item: &FeedItem,
    whole: bool,
) -> Result<(), StoreError> {
    if item.changes.is_empty() {
        return Ok(());
    }
    let mut doc = row.sound_doc(applying.tx)?;
    let bodies: Vec<&[u8]> = item.changes.iter().map(|body| body.as_slice()).collect();
    let mut admission = admit(&mut doc, &bodies, &Policy::from_server());
    if whole
        && !admission.rejected.is_empty()
        && let Some(anew) = anew(applying.tx, row, &bodies)?
    {
        admission = anew;
    }
    if !admission.rejected.is_empty() || !admission.needs.is_empty() {
        row.attention = Some(Attention { code: DAMAGED.to_owned(), field: None });
        census::suspect(applying.tx)?;
    } else if whole && row.attention.as_ref().is_some_and(|attention| attention.code == DAMAGED) {
        row.attention = None;
    }
    if whole {
        // A document that was made anew after damage lacks what this phone wrote on top of what it lost.
        let own = changes::written(applying.tx, row.id)?;
        let own: Vec<&[u8]> = own.iter().map(Vec::as_slice).collect();
        admission.snapshot = admit(&mut doc, &own, &Policy::from_server()).snapshot.or(admission.snapshot);
    }
    if let Some(snapshot) = admission.snapshot {
        applying.outcome.received += admission.accepted.len() as u32;
        applying.outcome.progress = true;
        row.set_base(Some(snapshot));
    }
    Ok(())
}

/// The document of what was told and what this phone wrote, if that fits together.
///
/// What somebody else is said to have written may stand in the way of what they did write. Which of the two it is, is the
/// server's to say; what this phone wrote is not.
fn anew(tx: &Transaction<'_>, row: &CaseRow, told: &[&[u8]]) -> Result<Option<Admission>, StoreError> {
    let mut doc = FieldDoc::new();
    let mut admission = admit(&mut doc, told, &Policy::from_server());
    let own = changes::written(tx, row.id)?;
    let own: Vec<&[u8]> = own.iter().map(Vec::as_slice).collect();
    let kept = admit(&mut doc, &own, &Policy::from_server());
    admission.snapshot = kept.snapshot.clone().or(admission.snapshot);
    let fits = |admission: &Admission| admission.rejected.is_empty() && admission.needs.is_empty();
    Ok((fits(&admission) && fits(&kept)).then_some(admission))
}

/// The facts as shown: what the office took down, the document over it, unsent edits on top.
pub(super) fn refresh_facts(tx: &Transaction<'_>, row: &mut CaseRow) -> Result<(), StoreError> {
    let doc = row.sound_doc(tx)?;
    row.facts = shown_facts(tx, row, &doc)?;
    Ok(())
}

/// The facts as shown of a case with this document.
pub(super) fn shown_facts(tx: &Transaction<'_>, row: &CaseRow, doc: &FieldDoc) -> Result<Facts, StoreError> {
    let mut facts = known_facts(tx, row, doc)?;
    for unsent in intents::unsent(tx, row.id)? {
        unsent.apply_to(&mut facts);
    }
    Ok(facts)
}

/// The facts without unsent edits.
pub(super) fn known_facts(tx: &Transaction<'_>, row: &CaseRow, doc: &FieldDoc) -> Result<Facts, StoreError> {
    let written = doc.facts().0;
    let intake = if row.own { None } else { events::intake(tx, row.id)? };
    Ok(intake.map_or(written.clone(), |intake| over(intake, written)))
}

/// `top` where it says something, `below` elsewhere.
fn over(below: Facts, top: Facts) -> Facts {
    let text = |top: String, below: String| if top.is_empty() { below } else { top };
    let moved = top.point.is_some();
    Facts {
        category_claim: top.category_claim.or(below.category_claim),
        description: text(top.description, below.description),
        location_text: text(top.location_text, below.location_text),
        // What belongs to a point is only read with that point.
        accuracy_m: if moved { top.accuracy_m } else { below.accuracy_m },
        coord_sys: if moved { top.coord_sys } else { below.coord_sys },
        location_source: if moved { top.location_source } else { below.location_source },
        fix_age_s: if moved { top.fix_age_s } else { below.fix_age_s },
        point: top.point.or(below.point),
        grid_claim: top.grid_claim.or(below.grid_claim),
        mode_claim: top.mode_claim.or(below.mode_claim),
        handle_note: text(top.handle_note, below.handle_note),
        discovered_at: top.discovered_at.or(below.discovered_at),
        handled_at: top.handled_at.or(below.handled_at),
        photos: below.photos.into_iter().chain(top.photos).collect(),
        remarks: below.remarks.into_iter().chain(top.remarks).collect(),
        supplements: below.supplements.into_iter().chain(top.supplements).collect(),
    }
    .said_once()
}
