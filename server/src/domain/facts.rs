//! The facts of a case as readers show them: what the field saw over what the office wrote down.
//!
//! A case born at the office has its facts in the payload of its first event, where nobody can change them. A phone
//! that adds something starts the field document; register by register, that is what is shown then.

use xunge_client_core::doc::FieldDoc;
use xunge_client_core::model::{CaseId, Conflict, Facts};
use xunge_client_core::workflow::{Ledger, Payload, Source};

use crate::params;
use crate::store::{StoreError, Tx};

/// What the office wrote down; none for a case that a phone reported.
pub async fn written(tx: &mut dyn Tx, id: CaseId, ledger: &Ledger) -> Result<Option<Facts>, StoreError> {
    if ledger.source == Source::Inspector {
        return Ok(None);
    }
    let sql = "SELECT payload FROM case_event WHERE case_id = ?1 AND version = 1";
    let Some(row) = tx.query_opt(sql, params![id.as_bytes()]).await? else { return Ok(None) };
    let payload: Payload = serde_json::from_str(row.text(0)?)
        .map_err(|error| StoreError::Check { what: format!("case {id}: {error}") })?;
    Ok(payload.facts.map(|facts| *facts))
}

/// The facts as they are shown, and the registers two writers set without knowing of each other.
pub async fn shown(tx: &mut dyn Tx, id: CaseId, ledger: &Ledger) -> Result<(Facts, Vec<Conflict>), StoreError> {
    let row = tx.query_opt("SELECT snapshot FROM doc WHERE case_id = ?1", params![id.as_bytes()]).await?;
    let doc = row.map(|row| row.blob(0).map(|snapshot| FieldDoc::load(snapshot).ok())).transpose()?.flatten();
    let (seen, conflicts) = doc.map(|doc| doc.facts()).unwrap_or_default();
    Ok((over(written(tx, id, ledger).await?, seen), conflicts))
}

/// What the field saw over what the office wrote down, register by register.
pub fn over(written: Option<Facts>, seen: Facts) -> Facts {
    let Some(base) = written else { return seen };
    let words = |seen: String, base: String| if seen.is_empty() { base } else { seen };
    let with_point = seen.point.is_some();
    Facts {
        category_claim: seen.category_claim.or(base.category_claim),
        description: words(seen.description, base.description),
        location_text: words(seen.location_text, base.location_text),
        // A point, its system and its accuracy belong together.
        coord_sys: if with_point { seen.coord_sys } else { base.coord_sys },
        accuracy_m: if with_point { seen.accuracy_m } else { base.accuracy_m },
        location_source: if with_point { seen.location_source } else { base.location_source },
        fix_age_s: if with_point { seen.fix_age_s } else { base.fix_age_s },
        point: seen.point.or(base.point),
        grid_claim: seen.grid_claim.or(base.grid_claim),
        mode_claim: seen.mode_claim.or(base.mode_claim),
        handle_note: words(seen.handle_note, base.handle_note),
        discovered_at: seen.discovered_at.or(base.discovered_at),
        handled_at: seen.handled_at.or(base.handled_at),
        photos: base.photos.into_iter().chain(seen.photos).collect(),
        remarks: base.remarks.into_iter().chain(seen.remarks).collect(),
        supplements: base.supplements.into_iter().chain(seen.supplements).collect(),
    }
}
