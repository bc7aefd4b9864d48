//! Further facts of a case that is known: edits, photos, remarks, also late ones.

use std::collections::BTreeSet;

use xunge_client_core::model::{ChangeHash, IntentId, Sha256};
use xunge_client_core::wire::RequestResult;

use super::judge::{Admitted, Judged};
use super::write::Desk;
use super::{IntakeError, Receipt, photos};
use crate::domain::facts;
use crate::domain::feed::{self, audience::Audience};
use crate::domain::ledger::Case;
use crate::domain::ledger::row::{self, Facts};
use crate::domain::work::Work;
use crate::params;
use crate::store::{Tx, Value, chain};

/// Name in the hash of a change row.
pub(crate) const CHANGE_ROW: &str = "change_row";

/// Registers that may be written late without a mark: entries that only add.
pub(crate) const ADDING: [&str; 3] = ["photos", "remarks", "supplements"];

impl Desk<'_> {
    /// Facts of a case that is known.
    pub(super) async fn follow(
        &mut self,
        tx: &mut dyn Tx,
        work: &mut Work,
        judged: &Judged,
        case: &Case,
        admitted: &Admitted,
        receipt: &mut Receipt,
    ) -> Result<(), IntakeError> {
        let admission = &admitted.admission;
        if !admission.accepted.is_empty() {
            self.store_changes(tx, work, judged, admitted).await?;
            self.update_row(tx, work, case, admitted).await?;
            work.tell(feed::Entry {
                case: case.id,
                kind: feed::Kind::Changes,
                event: None,
                changes: admission.accepted.iter().map(|change| change.hash).collect(),
                origin: Some(self.prepared.push.device),
                audience: Audience::of(Some(&case.ledger), &case.ledger),
            });
            receipt.stored += 1;
        }
        let stub = case.heads.is_empty() && case.ledger.flags.iter().any(|flag| flag == "stub");
        if judged.submit && stub && admission.accepted.is_empty() {
            // The answer that said so may have been lost; say it again.
            receipt.results.push(RequestResult {
                intent: IntentId::from_bytes(*judged.id.as_bytes()),
                version: 1,
                code: Some("stub".to_owned()),
                field: None,
            });
        }
        if judged.submit {
            receipt.unheard.push(case.id);
        }
        self.answer(judged, admitted, receipt);
        Ok(())
    }

    /// Change rows and snapshot; the snapshot only if it is still the one that was judged.
    pub(super) async fn store_changes(
        &self,
        tx: &mut dyn Tx,
        work: &Work,
        judged: &Judged,
        admitted: &Admitted,
    ) -> Result<(), IntakeError> {
        let Some(snapshot) = &admitted.admission.snapshot else { return Ok(()) };
        let push = &self.prepared.push;
        let heads = ChangeHash::concat(&admitted.heads);
        let hash = Sha256::of(snapshot);
        let stored = match judged.doc_version {
            None => {
                tx.execute(
                    "INSERT INTO doc (case_id, district, version, snapshot, heads, bytes_hash, updated_at)
                     VALUES (?1, ?2, 1, ?3, ?4, ?5, ?6) ON CONFLICT (case_id) DO NOTHING",
                    params![judged.id.as_bytes(), &work.district, snapshot, heads, hash.as_bytes(), work.now.0],
                )
                .await?
            }
            Some(version) => {
                tx.execute(
                    "UPDATE doc SET version = version + 1, snapshot = ?3, heads = ?4, bytes_hash = ?5,
                     updated_at = CASE WHEN updated_at > ?6 THEN updated_at ELSE ?6 END
                     WHERE case_id = ?1 AND version = ?2",
                    params![judged.id.as_bytes(), version, snapshot, heads, hash.as_bytes(), work.now.0],
                )
                .await?
            }
        };
        if stored == 0 {
            return Err(IntakeError::Conflict { taken: BTreeSet::new() });
        }
        for change in &admitted.admission.accepted {
            let mut params = vec![
                Value::from(judged.id.as_bytes()),
                Value::from(change.hash.as_bytes()),
                Value::from(&work.district),
                Value::from(change.actor.as_bytes()),
                Value::from(change.seq as i64),
                Value::from(push.device.as_bytes()),
                Value::from(&push.viewer.user),
                Value::from(&change.body),
                Value::from(work.now.0),
            ];
            params.push(Value::from(chain::link(CHANGE_ROW, &chain::GENESIS, &params)));
            tx.execute(
                "INSERT INTO change_row (case_id, hash, district, actor, seq, device, user_id, bytes, received_at,
                 row_hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                &params,
            )
            .await?;
        }
        Ok(())
    }

    /// The columns that follow the facts. The ledger is not touched, whatever the facts say.
    async fn update_row(
        &self,
        tx: &mut dyn Tx,
        work: &Work,
        case: &Case,
        admitted: &Admitted,
    ) -> Result<(), IntakeError> {
        let touched = &admitted.admission.touched;
        let written = facts::written(tx, case.id, &case.ledger).await?;
        let facts = Facts::of(admitted.heads.clone(), &facts::over(written, admitted.facts.clone()));
        let photos = if touched.contains("photos") {
            let device = self.prepared.push.device;
            Some(photos::announce(tx, &work.district, case.id, device, &admitted.facts, work.now).await?)
        } else {
            None
        };
        let decided = case.ledger.filed_at.is_some() || case.ledger.is_final();
        let late = decided && touched.iter().any(|register| !ADDING.contains(register));
        row::reworded(tx, case, &facts.text).await?;
        let moved = tx
            .execute(
                "UPDATE case_row SET heads = ?3, text = ?4, lon_e6 = ?5, lat_e6 = ?6, has_after = ?7,
                 photos_expected = COALESCE(?8, photos_expected), photos_present = COALESCE(?9, photos_present),
                 late_edited_at = COALESCE(?10, late_edited_at), category_claim = ?12,
                 updated_at = CASE WHEN updated_at > ?11 THEN updated_at ELSE ?11 END WHERE id = ?1 AND version = ?2",
                params![
                    case.id.as_bytes(),
                    case.ledger.version,
                    ChangeHash::concat(&facts.heads),
                    &facts.text,
                    facts.point.map(|point| point.lon_e6),
                    facts.point.map(|point| point.lat_e6),
                    facts.has_after,
                    photos.map(|photos| photos.expected),
                    photos.map(|photos| photos.present),
                    late.then_some(work.now.0),
                    work.now.0,
                    facts.category.as_ref().map(ToString::to_string).unwrap_or_default()
                ],
            )
            .await?;
        if moved == 0 { Err(IntakeError::Conflict { taken: BTreeSet::new() }) } else { Ok(()) }
    }
}
