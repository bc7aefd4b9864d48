//! Takes a bundle in that was put aside because its phone may not speak any more.
//!
//! An administrator decided that its reports are to count. They are taken as the phone's user's, by the rules of any other
//! bundle; what is new is only that nobody asks whether phone and user are still welcome. The signature is asked for:
//! who was shut out can not be spoken for by somebody else.

use std::sync::Arc;

use xunge_client_core::model::Ulid;
use xunge_client_core::wire::Bundle;

use super::ask::{self, Sender};
use super::rescue::{Left, RescueRefusal, Taken, take_in};
use super::{SyncDesk, SyncRefusal};
use crate::auth::proof;
use crate::domain::people::Viewer;
use crate::domain::quarantine;
use crate::domain::uploads::Uploads;
use crate::store::StoreError;

/// Why nothing was released.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseRefusal {
    /// Nothing of this name is put aside.
    #[error("nothing of this name is in quarantine")]
    Unknown,
    /// It is a refused change: the gate would refuse it again.
    #[error("this is a change that was refused, not a bundle")]
    NotABundle,
    /// It was not signed by the phone that it names.
    #[error("the bundle was not signed by its phone")]
    NotTheirs,
    /// More new reports than the phone may bring today; the others were taken.
    #[error(
        "it holds more new reports than a phone may bring in a day; what was taken counts, release it again tomorrow"
    )]
    Quota,
    /// The server lost the beginning of some cases when it was restored, or can not read what it holds of them; the
    /// others were taken.
    #[error(
        "the server lacks the beginning of some of its cases; what was taken counts, release it again when another \
         bundle or phone has brought them"
    )]
    Incomplete,
    /// A page or a photo in it is refused.
    #[error(transparent)]
    Rescue(#[from] RescueRefusal),
}

impl From<StoreError> for ReleaseRefusal {
    fn from(error: StoreError) -> Self {
        Self::Rescue(RescueRefusal::Sync(SyncRefusal::from(error)))
    }
}

/// Takes the bundle in and removes it from quarantine. After a failure, or while some of it could not be taken, it is
/// still there and may be released again.
///
/// # Errors
/// [`ReleaseRefusal`].
pub async fn release(
    desk: &SyncDesk,
    uploads: &Uploads,
    secret: [u8; 32],
    by: &str,
    id: Ulid,
) -> Result<Taken, ReleaseRefusal> {
    let store = &desk.services.store;
    let found =
        store.read::<_, StoreError, _>(move |tx| Box::pin(async move { quarantine::find(tx, id).await })).await?;
    let (kept, bytes) = found.ok_or(ReleaseRefusal::Unknown)?;
    if kept.kind != "bundle" {
        return Err(ReleaseRefusal::NotABundle);
    }
    let bundle = Bundle::read(&bytes).map_err(|error| RescueRefusal::Sync(error.into()))?;
    let device = bundle.device;
    let letter = bundle.open(&secret).ok_or(RescueRefusal::NotOurs)?;
    let (proof, signature) = (letter.proof(device), letter.signature);
    let sender = store
        .read::<_, StoreError, _>(move |tx| {
            Box::pin(async move {
                let Some(identified) = proof::signed(tx, &proof, &signature).await? else { return Ok(None) };
                let viewer = Viewer::load_closed(tx, &identified.device.user).await?;
                let epoch = ask::epoch(tx).await?;
                Ok(viewer.map(|viewer| Sender { viewer: viewer.on(identified.device.id), identified, epoch }))
            })
        })
        .await?;
    let taken = take_in(desk, uploads, &sender.ok_or(ReleaseRefusal::NotTheirs)?, Arc::new(letter)).await?;
    match taken.left {
        None => {}
        Some(Left::Quota(_)) => return Err(ReleaseRefusal::Quota),
        Some(Left::Incomplete) => return Err(ReleaseRefusal::Incomplete),
    }
    let (now, by) = (desk.services.security.now(), by.to_owned());
    store
        .write::<_, StoreError, _>(move |tx| {
            Box::pin(async move { quarantine::remove(tx, &by, id, "quarantine.released", "", now).await })
        })
        .await?;
    Ok(taken)
}
