//! Everything a request needs to know before it is judged, read in one view of the database: who sent it, what it says,
//! and what is held of the cases it brings.

use std::collections::BTreeMap;

use xunge_client_core::model::{CaseId, Sha256};
use xunge_client_core::wire::{Envelope, Frame, Proof, SyncUp, codec};

use super::{SyncDesk, SyncRefusal};
use crate::auth::proof::{self, Identified, ProofError};
use crate::domain::intake::{self, Seen};
use crate::domain::people::Viewer;
use crate::store::{StoreError, Tx};

/// Who sent a request.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) identified: Identified,
    pub(super) viewer: Viewer,
    pub(super) epoch: u64,
}

/// A request that may be judged.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) sender: Sender,
    /// What the phone says, without its frames.
    pub(super) up: SyncUp,
    /// Its frames, one a case.
    pub(super) frames: Vec<Frame>,
    /// What is held of their cases.
    pub(super) seen: Seen,
}

/// Identifies the sender, then unpacks what it sent: nothing of a stranger's body is looked at.
pub(super) async fn ask(desk: &SyncDesk, envelope: Envelope) -> Result<Asked, SyncRefusal> {
    let directory = desk.services.directory.clone();
    desk.services
        .store
        .read(move |tx| {
            Box::pin(async move {
                let sender = identify(tx, &envelope).await?;
                let mut up: SyncUp = codec::unpack(&envelope.frame)?;
                up.check()?;
                let frames = one_frame_a_case(std::mem::take(&mut up.frames));
                let seen = intake::look(tx, &directory, frames.iter().map(|frame| frame.case)).await?;
                Ok(Asked { sender, up, frames, seen })
            })
        })
        .await
}

async fn identify(tx: &mut dyn Tx, envelope: &Envelope) -> Result<Sender, SyncRefusal> {
    let proof = Proof {
        method: "POST",
        path: Envelope::PATH,
        body: Sha256::of(&envelope.frame),
        device: envelope.device,
        counter: envelope.counter,
    };
    let identified = proof::identify(tx, &proof, &envelope.signature).await??;
    sender(tx, identified).await
}

/// Whom a phone that proved itself speaks for.
pub(super) async fn sender(tx: &mut dyn Tx, identified: Identified) -> Result<Sender, SyncRefusal> {
    let viewer = Viewer::load(tx, &identified.device.user).await?.ok_or(ProofError::UserDisabled)?;
    let epoch = epoch(tx).await?;
    Ok(Sender { viewer: viewer.on(identified.device.id), identified, epoch })
}

/// The server's epoch.
pub(super) async fn epoch(tx: &mut dyn Tx) -> Result<u64, StoreError> {
    let rows = tx.query("SELECT value FROM meta WHERE key = 'server_epoch'", &[]).await?;
    let epoch = rows.first().map(|row| row.text(0)).transpose()?.and_then(|text| text.parse().ok());
    Ok(epoch.unwrap_or(1))
}

/// Changes of a case that came in several frames belong together.
pub(super) fn one_frame_a_case(frames: Vec<Frame>) -> Vec<Frame> {
    let mut merged: Vec<Frame> = Vec::with_capacity(frames.len());
    let mut place = BTreeMap::<CaseId, usize>::new();
    for mut frame in frames {
        match place.get(&frame.case) {
            Some(index) => {
                merged[*index].changes.append(&mut frame.changes);
                merged[*index].submit |= frame.submit;
            }
            None => {
                place.insert(frame.case, merged.len());
                merged.push(frame);
            }
        }
    }
    merged
}
