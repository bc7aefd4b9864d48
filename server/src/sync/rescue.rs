//! Rescue bundles (救援包): what a phone could not send, brought by somebody else.
//!
//! Inside are ordinary pages, so they pass the same gate and the same rules as a sync, under the name of the phone that
//! signed them. Only two things differ. No counter is spent, since copies arrive in any number and at any time. And a
//! phone that may not speak any more is not refused but put aside: its reports may have been made before it was shut
//! out, so an administrator decides, and until then the sealed bytes are kept.
//!
//! Whoever carries a bundle learns one thing: whether this server could open it.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use xunge_client_core::model::{DeviceId, PhotoHash, Ulid};
use xunge_client_core::wire::{Bundle, Contents, Letter, RequestResult, RescuedPhoto, SyncUp};

use super::ask::{self, Sender};
use super::{Entry, SyncDesk, SyncRefusal, over_quota, until_tomorrow_s, write};
use crate::auth::proof::{self, Device, ProofError};
use crate::domain::intake::{self, Push, QUOTA_CASES, keep_sealed};
use crate::domain::requests;
use crate::domain::uploads::{Begin, Owner, Target, UploadError, Uploads};
use crate::store::StoreError;

/// Why a bundle is not taken.
#[derive(Debug, thiserror::Error)]
pub enum RescueRefusal {
    /// It was not sealed to this server, or is damaged.
    #[error("the bundle can not be opened with this server's key")]
    NotOurs,
    /// A page in it, or the bundle itself, is refused as a whole.
    #[error(transparent)]
    Sync(#[from] SyncRefusal),
    /// A photo can not be stored now.
    #[error(transparent)]
    Upload(#[from] UploadError),
}

/// What became of a bundle. For the log; its carrier is not told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// Applied: cases pushed, photos stored.
    Applied {
        /// Cases.
        cases: usize,
        /// Photos.
        photos: usize,
    },
    /// The phone may not speak any more; the bundle is in quarantine.
    PutAside,
    /// Not from a phone of this server.
    Dropped,
}

/// What was taken of a letter.
#[derive(Debug)]
pub struct Taken {
    /// Cases pushed.
    pub cases: usize,
    /// Photos stored.
    pub photos: usize,
    /// Why the bundle is still needed; none if all of it was taken or answered for good.
    pub left: Option<Left>,
}

/// Why some of a bundle could not be taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// The phone's new reports of the day are used up; seconds until it may bring more.
    Quota(u32),
    /// Cases the server lost, or the beginning of which it lost, when it was restored; or which it can not read.
    Incomplete,
}

/// Takes a bundle in. Repeating it changes nothing. One that could not be taken whole is not let go: over the day's
/// quota its carrier keeps it, and what lacks a beginning is put aside.
///
/// # Errors
/// [`RescueRefusal`]; what was applied before stays, and the same bundle may be brought again.
pub async fn receive(
    desk: &SyncDesk,
    uploads: &Uploads,
    secret: [u8; 32],
    bytes: Bytes,
) -> Result<Received, RescueRefusal> {
    let bundle = Bundle::read(&bytes).map_err(SyncRefusal::from)?;
    let device = bundle.device;
    let opened = desk.services.bench.run(move || bundle.open(&secret)).await;
    let letter = Arc::new(opened.ok_or(RescueRefusal::NotOurs)?);
    let sender = match identify(desk, device, Arc::clone(&letter)).await? {
        Ok(sender) => sender,
        Err(ProofError::UnknownDevice | ProofError::BadProof) => return Ok(Received::Dropped),
        Err(shut_out) => return put_aside(desk, device, bytes, shut_out.code()).await,
    };
    let Taken { cases, photos, left } = take_in(desk, uploads, &sender, letter).await?;
    match left {
        None => Ok(Received::Applied { cases, photos }),
        Some(Left::Quota(retry_after_s)) => Err(SyncRefusal::Quota { what: QUOTA_CASES, retry_after_s }.into()),
        Some(Left::Incomplete) => put_aside(desk, device, bytes, "incomplete").await,
    }
}

async fn put_aside(
    desk: &SyncDesk,
    device: DeviceId,
    bytes: Bytes,
    code: &'static str,
) -> Result<Received, RescueRefusal> {
    let now = desk.services.business.now();
    let store = &desk.services.store;
    let kept = store.write(move |tx| Box::pin(async move { keep_sealed(tx, device, &bytes, code, now).await }));
    kept.await.map_err(SyncRefusal::from)?;
    Ok(Received::PutAside)
}

/// Applies what a letter holds, page by page, and goes on behind a page that can not be taken whole.
pub(super) async fn take_in(
    desk: &SyncDesk,
    uploads: &Uploads,
    sender: &Sender,
    letter: Arc<Letter>,
) -> Result<Taken, RescueRefusal> {
    let contents = letter.contents().map_err(SyncRefusal::from)?;
    // Large, and not needed while its photos are stored.
    drop(letter);
    let (mut cases, mut left) = (0, None);
    for page in &contents.pages {
        let (found, kept_back) = apply(desk, sender, page).await?;
        cases += found;
        left = left.or(kept_back);
    }
    let photos = store_photos(uploads, &sender.identified.device, contents.photos).await?;
    Ok(Taken { cases, photos, left })
}

async fn identify(
    desk: &SyncDesk,
    device: DeviceId,
    letter: Arc<Letter>,
) -> Result<Result<Sender, ProofError>, SyncRefusal> {
    desk.services
        .store
        .read::<_, SyncRefusal, _>(move |tx| {
            Box::pin(async move {
                match proof::identify(tx, &letter.proof(device), &letter.signature).await? {
                    Ok(identified) => Ok(Ok(ask::sender(tx, identified).await?)),
                    Err(refused) => Ok(Err(refused)),
                }
            })
        })
        .await
}

/// Applies one page as a sync would; gives the number of its cases, and why some of them are not taken yet.
async fn apply(desk: &SyncDesk, sender: &Sender, page: &[u8]) -> Result<(usize, Option<Left>), SyncRefusal> {
    let mut up = Contents::page(page)?;
    let push = Arc::new(Push {
        viewer: sender.viewer.clone(),
        device: sender.identified.device.id,
        same_epoch: up.epoch == sender.epoch || up.epoch == 0,
        phone_time: up.phone_time,
        frames: ask::one_frame_a_case(std::mem::take(&mut up.frames)),
    });
    let cases = push.frames.len();
    let seen = intake::look_again(&desk.services, &push).await?;
    let entry = Entry::Rescue(sender.identified.device.clone());
    let up = Arc::new(up);
    let written = match write(desk, &entry, &up, push, seen).await {
        // Nothing of the page was written.
        Err(SyncRefusal::Quota { what: QUOTA_CASES, retry_after_s }) => {
            return Ok((0, Some(Left::Quota(retry_after_s))));
        }
        other => other?,
    };
    let receipt = &written.receipt;
    if receipt.results.iter().any(over_quota) {
        return Ok((cases, Some(Left::Quota(until_tomorrow_s(written.at)))));
    }
    let incomplete = !receipt.need.is_empty() || receipt.unreadable || case_lost(desk, up, written.results).await?;
    Ok((cases, incomplete.then_some(Left::Incomplete)))
}

/// True if a request is about a case that is not here.
async fn case_lost(desk: &SyncDesk, up: Arc<SyncUp>, results: Vec<RequestResult>) -> Result<bool, SyncRefusal> {
    let read = desk.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move { requests::lost(tx, up.requests.iter().zip(&results)).await })
    });
    Ok(read.await?)
}

/// Stores photos under the phone's own name, as its uploads would have.
async fn store_photos(uploads: &Uploads, device: &Device, photos: Vec<RescuedPhoto>) -> Result<usize, UploadError> {
    let owner = Owner::Device { device: device.id, user: device.user.clone() };
    let mut stored = 0;
    for RescuedPhoto { sha256, bytes, .. } in photos {
        if PhotoHash::of(&bytes) != sha256 {
            continue;
        }
        // A photo with a hash needs no name of its own.
        let fresh = Ulid::from_bytes([0; 16]);
        let begin = Begin { length: bytes.len() as u64, sha256: Some(sha256), fresh };
        let here = uploads.begin(&owner, begin).await?;
        if !here.complete {
            let rest = Bytes::from(bytes).slice(usize::try_from(here.offset).unwrap_or(0)..);
            let body = futures::stream::iter([Ok::<_, Infallible>(rest)]);
            uploads.append(&owner, Target::Photo(sha256), here.offset, body, None).await?;
        }
        stored += 1;
    }
    Ok(stored)
}

#[cfg(test)]
mod tests;
