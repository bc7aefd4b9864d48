//! Stores a judged push inside the caller's transaction.

use std::collections::BTreeSet;

use xunge_client_core::doc::{chunk, gate};
use xunge_client_core::model::{ActorId, ChangeHash};
use xunge_client_core::wire::{CaseHeads, Need, Rejected};
use xunge_client_core::workflow::Actor;

use super::judge::{Admitted, Judged, Verdict};
use super::quarantine::{self, Refused};
use super::{IntakeError, NEW_CASES_PER_DAY, Prepared, Receipt};
use crate::domain::people;
use crate::domain::work::Work;
use crate::params;
use crate::store::{StoreError, Tx};

/// Writes a push. On [`IntakeError`] nothing of it may be committed.
pub async fn write(tx: &mut dyn Tx, work: &mut Work, prepared: &Prepared) -> Result<Receipt, IntakeError> {
    bind_actors(tx, prepared, work).await?;
    let mut desk = Desk::open(tx, prepared, work).await?;
    let (mut receipt, mut quarantined) = (Receipt::default(), None);
    for (judged, frame) in prepared.cases.iter().zip(&prepared.push.frames) {
        let start = receipt.rejected.len();
        desk.take(tx, work, judged, &mut receipt).await?;
        let refused: Vec<Refused<'_>> = receipt.rejected[start..]
            .iter()
            .map(|one| Refused { case: judged.id, hash: one.hash, code: &one.code, field: one.field.as_deref() })
            .collect();
        let sender = (desk.prepared.push.device, &*desk.actor.user);
        quarantine::keep(tx, sender, frame, &refused, &mut quarantined, work.now).await?;
    }
    desk.close(tx).await?;
    Ok(receipt)
}

/// First use of an actor binds it to the phone and user; another person may not write with it.
///
/// Another phone of the same person may bring what the first one wrote: after this database was restored, it may be all
/// that is left of it. Whoever brings changes of an actor that a restored database has forgotten is taken for their
/// writer, so that nobody can bring anything in another's name; the writer goes on with a new actor.
async fn bind_actors(tx: &mut dyn Tx, prepared: &Prepared, work: &Work) -> Result<(), IntakeError> {
    let mut actors = BTreeSet::new();
    for judged in &prepared.cases {
        if let Verdict::Admitted(admitted) = &judged.verdict {
            actors.extend(admitted.admission.accepted.iter().map(|change| change.actor));
        }
    }
    let (device, user) = (prepared.push.device, &prepared.push.viewer.user);
    let mut taken = BTreeSet::<ActorId>::new();
    for actor in actors {
        let bound = tx.query_opt("SELECT user_id FROM actor WHERE actor = ?1", params![actor.as_bytes()]).await?;
        match bound {
            Some(row) if row.text(0)? == user => {}
            Some(_) => {
                taken.insert(actor);
            }
            None => {
                tx.execute(
                    "INSERT INTO actor (actor, device, user_id, first_seen_at) VALUES (?1, ?2, ?3, ?4)",
                    params![actor.as_bytes(), device.as_bytes(), user, work.now.0],
                )
                .await?;
            }
        }
    }
    if taken.is_empty() { Ok(()) } else { Err(IntakeError::Conflict { taken }) }
}

/// What stays the same for every case of a push.
pub(super) struct Desk<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) actor: Actor,
    /// The reporter's unit reviews its own reports.
    pub(super) unit_reviews: bool,
    /// New cases the phone may still bring today.
    pub(super) allowance: i64,
    /// New cases of this push.
    pub(super) new_cases: i64,
    day: String,
}

impl<'a> Desk<'a> {
    async fn open(tx: &mut dyn Tx, prepared: &'a Prepared, work: &Work) -> Result<Self, StoreError> {
        let actor = prepared.push.viewer.actor();
        let day = work.now.local_day().to_string();
        let mut desk = Self { prepared, actor, unit_reviews: false, allowance: 0, new_cases: 0, day };
        if prepared.cases.iter().any(|judged| judged.submit && judged.case.is_none()) {
            if let Some(unit) = &desk.actor.unit {
                desk.unit_reviews = people::has_reviewers(tx, unit.as_str()).await?;
            }
            let sql = "SELECT new_cases FROM device_day WHERE device = ?1 AND day = ?2";
            let row = tx.query_opt(sql, params![prepared.push.device.as_bytes(), &desk.day]).await?;
            desk.allowance = NEW_CASES_PER_DAY - row.map_or(Ok(0), |row| row.int(0))?;
        }
        Ok(desk)
    }

    async fn close(self, tx: &mut dyn Tx) -> Result<(), StoreError> {
        if self.new_cases > 0 {
            tx.execute(
                "INSERT INTO device_day (device, day, new_cases) VALUES (?1, ?2, ?3) ON CONFLICT (device, day)
                 DO UPDATE SET new_cases = device_day.new_cases + excluded.new_cases",
                params![self.prepared.push.device.as_bytes(), &self.day, self.new_cases],
            )
            .await?;
        }
        Ok(())
    }

    async fn take(
        &mut self,
        tx: &mut dyn Tx,
        work: &mut Work,
        judged: &Judged,
        receipt: &mut Receipt,
    ) -> Result<(), IntakeError> {
        let hidden = || CaseHeads { case: judged.id, heads: Vec::new() };
        match &judged.verdict {
            Verdict::NotYours { held } => {
                self.reject(judged, "not_yours", |hash| !held.contains(hash), receipt);
                // Tells no more of the case than the phone itself brought.
                receipt.hold(CaseHeads { case: judged.id, heads: self.tips(judged, held) }, false);
            }
            Verdict::SendAll => {
                receipt.need.push(Need { case: judged.id, heads: Vec::new() });
                receipt.hold(hidden(), false);
            }
            Verdict::Unreadable => {
                receipt.unreadable = true;
                receipt.hold(hidden(), false);
            }
            Verdict::Admitted(admitted) => match &judged.case {
                None => self.open_case(tx, work, judged, admitted, receipt).await?,
                Some(case) => self.follow(tx, work, judged, case, admitted, receipt).await?,
            },
        }
        Ok(())
    }

    /// Says what the gate said.
    pub(super) fn answer(&self, judged: &Judged, admitted: &Admitted, receipt: &mut Receipt) {
        let heads = CaseHeads { case: judged.id, heads: admitted.heads.clone() };
        if !admitted.admission.needs.is_empty() {
            receipt.need.push(Need { case: judged.id, heads: admitted.heads.clone() });
        }
        let admission = &admitted.admission;
        receipt
            .brought
            .extend(admission.accepted.iter().map(|change| change.hash).chain(admission.duplicates.iter().copied()));
        receipt.rejected.extend(admitted.admission.rejected.iter().map(|refused| Rejected {
            case: judged.id,
            hash: refused.hash,
            code: refused.code.code().to_owned(),
            field: refused.field.clone(),
        }));
        receipt.hold(heads, admitted.as_pushed);
    }

    pub(super) fn reject_all(&self, judged: &Judged, code: &str, receipt: &mut Receipt) {
        self.reject(judged, code, |_| true, receipt);
    }

    fn reject(&self, judged: &Judged, code: &str, which: impl Fn(&ChangeHash) -> bool, receipt: &mut Receipt) {
        let hashes = self.pushed(judged).map(chunk::hash_of_body).filter(which);
        receipt.rejected.extend(hashes.map(|hash| Rejected {
            case: judged.id,
            hash,
            code: code.to_owned(),
            field: None,
        }));
    }

    /// Those of some pushed changes that no other of them builds on.
    fn tips(&self, judged: &Judged, of: &BTreeSet<ChangeHash>) -> Vec<ChangeHash> {
        let mut tips = of.clone();
        for claim in self.pushed(judged).filter(|body| of.contains(&chunk::hash_of_body(body))).filter_map(gate::claim)
        {
            tips.retain(|hash| !claim.deps.contains(hash));
        }
        tips.into_iter().collect()
    }

    /// The bodies pushed for a case.
    fn pushed(&self, judged: &Judged) -> impl Iterator<Item = &[u8]> {
        let frames = self.prepared.push.frames.iter().filter(|frame| frame.case == judged.id);
        frames.flat_map(|frame| &frame.changes).map(|body| body.as_slice())
    }
}

impl Receipt {
    pub(super) fn hold(&mut self, heads: CaseHeads, as_pushed: bool) {
        if !as_pushed {
            self.differs.push(heads.clone());
        }
        self.heads.push(heads);
    }
}
