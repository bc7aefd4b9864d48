//! A submitted report becomes a case: readable, or as a stub.

use std::collections::BTreeSet;

use xunge_client_core::model::IntentId;
use xunge_client_core::wire::{CaseHeads, Need, RequestResult};
use xunge_client_core::workflow::{Command, Context, Verb};

use super::claims::{self, Scene};
use super::judge::{Admitted, Judged};
use super::write::Desk;
use super::{IntakeError, QUOTA_CASES, Receipt, photos};
use crate::domain::ledger::row::Facts;
use crate::domain::ledger::{self, LedgerError, Step};
use crate::domain::work::Work;
use crate::store::{StoreError, Tx};

impl Desk<'_> {
    /// A submitted report becomes a case.
    pub(super) async fn open_case(
        &mut self,
        tx: &mut dyn Tx,
        work: &mut Work,
        judged: &Judged,
        admitted: &Admitted,
        receipt: &mut Receipt,
    ) -> Result<(), IntakeError> {
        let admission = &admitted.admission;
        let nothing = CaseHeads { case: judged.id, heads: Vec::new() };
        let result = |version: u32, code: Option<&str>| RequestResult {
            intent: IntentId::from_bytes(*judged.id.as_bytes()),
            version,
            code: code.map(str::to_owned),
            field: None,
        };
        if admission.accepted.is_empty() && !admission.needs.is_empty() {
            receipt.need.push(Need { case: judged.id, heads: Vec::new() });
            receipt.hold(nothing, false);
            return Ok(());
        }
        if self.allowance <= self.new_cases {
            receipt.results.push(result(0, Some(QUOTA_CASES)));
            receipt.hold(nothing, false);
            return Ok(());
        }
        let stub = admission.accepted.is_empty();
        let (device, now) = (self.prepared.push.device, work.now);
        let district = work.district.clone();
        let photo_reused = photos::reused(tx, judged.id, &admitted.facts).await?;
        let scene = Scene {
            directory: &self.prepared.directory,
            district: &district,
            unit: self.actor.unit.as_ref(),
            unit_reviews: self.unit_reviews,
            now,
            phone_time: self.prepared.push.phone_time,
            photo_reused,
        };
        let payload = if stub { claims::stub(&scene) } else { claims::freeze(&admitted.facts, &scene) };
        let facts = Facts::of(admitted.heads.clone(), &admitted.facts);
        let as_sent = !stub && admitted.as_pushed;
        let context = Context {
            heads: admitted.heads.clone(),
            device: Some(device),
            case_id: Some(judged.id),
            ..Context::at(now)
        };
        let step = Step {
            id: judged.id,
            before: None,
            command: &Command::new(Verb::Submit, payload),
            actor: &self.actor,
            context: &context,
            facts: Some(&facts),
            changes: admission.accepted.iter().map(|change| change.hash).collect(),
            as_sent,
        };
        match ledger::append(tx, work, step).await {
            Ok(_) => {}
            Err(LedgerError::Refused(refusal)) => {
                receipt.results.push(result(0, Some(refusal.code())));
                self.reject_all(judged, refusal.code(), receipt);
                receipt.hold(nothing, false);
                return Ok(());
            }
            // Another push opened the case between reading and writing.
            Err(LedgerError::Store(StoreError::Unique { .. })) => {
                return Err(IntakeError::Conflict { taken: BTreeSet::new() });
            }
            Err(LedgerError::Store(failed)) => return Err(failed.into()),
        }
        self.new_cases += 1;
        receipt.stored += 1;
        self.store_changes(tx, work, judged, admitted).await?;
        photos::announce_new(tx, &district, judged.id, device, &admitted.facts, now).await?;
        if !as_sent {
            receipt.results.push(result(1, stub.then_some("stub")));
        }
        self.answer(judged, admitted, receipt);
        Ok(())
    }
}
