//! Sync v1 on the server: one signed request, both ways (docs/PROTOCOL.md).
//!
//! One normal run of [`handle`]:
//! 1. the envelope is read within its limits; in one view of the database its sender is looked up, the signature
//!    verified, the body unpacked, and what is held of the pushed cases read;
//! 2. every pushed change is judged by the gate, outside any transaction;
//! 3. one transaction spends the proof's counter and writes facts, cases, requests and what the phone says is
//!    still on it. It shares its flush of the disk with whatever else is waiting;
//! 4. the feed after the phone's cursor is read and everything is packed into one frame.
//!
//! Nothing is remembered of what was sent: changes are known by hash, requests by intent, so a request that is lost,
//! repeated or late changes nothing it should not. If somebody else wrote to one of the cases between 2 and 3, both
//! are done again.

mod ask;
mod desk;
mod pack;
mod refusal;
pub mod release;
pub mod rescue;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use xunge_client_core::failpoint::{self, At};
use xunge_client_core::model::{ActorId, Millis};
use xunge_client_core::wire::{CensusReply, Envelope, RequestResult, SyncDown, SyncUp, VERSION, codec, digest, limits};

use self::ask::{Asked, Sender};
pub use desk::{PhotoDesk, SyncDesk, UploadTokens};
pub use refusal::SyncRefusal;

use crate::auth::proof::{self, Device, Identified, ProofError};
use crate::domain::feed::census;
use crate::domain::feed::lost::{self, Contact};
use crate::domain::feed::page::{self, FeedPage, Reader, Size};
use crate::domain::intake::{self, IntakeError, Prepared, Push, Receipt, Seen};
use crate::domain::phones;
use crate::domain::requests::{self, Asker};
use crate::domain::work::Work;
use crate::store::{StoreError, Tx};

/// Tries of a push that meets others on the same cases. Two phones of one case meet once; five times is no accident.
const TRIES: usize = 5;

/// Answers one sync request: the body of the HTTP request in, the body of the answer out.
///
/// # Errors
/// [`SyncRefusal`]; nothing of the push was written then, except that a clone was noticed.
pub async fn handle(desk: &SyncDesk, bytes: &[u8]) -> Result<Vec<u8>, SyncRefusal> {
    let envelope = Envelope::read(bytes)?;
    if envelope.version != VERSION {
        return Err(SyncRefusal::Version { found: envelope.version });
    }
    let Asked { sender, up, frames, seen } = ask::ask(desk, envelope).await?;
    failpoint::reach(At::ServerSyncReceived);
    let push = Push {
        viewer: sender.viewer.clone(),
        device: sender.identified.device.id,
        same_epoch: up.epoch == sender.epoch || up.epoch == 0,
        phone_time: up.phone_time,
        frames,
    };
    let up = Arc::new(up);
    let entry = Entry::Request(sender.identified.clone());
    let says_more = !push.frames.is_empty() || !up.requests.is_empty();
    let mut written = write(desk, &entry, &up, Arc::new(push), seen).await?;
    failpoint::reach(At::ServerSyncCommitted);
    if !up.photos.is_empty() {
        // The text is safe; photos that can not be answered for are offered again with the next request.
        written.photos = desk.photos.offered(&sender.identified.device, &up.photos).await.unwrap_or_default();
    }
    let (page, census) = feed(desk, &sender, &up, &mut written, says_more).await?;
    let answer = SyncDown { census, ..answer(desk, &sender, &up, written, page) };
    let packed = pack::pack(&desk.services.bench, &answer).await;
    failpoint::reach(At::ServerSyncAnswering);
    Ok(packed)
}

/// What lets a push in.
#[derive(Debug, Clone)]
enum Entry {
    /// A request of the phone itself: its number is spent, and what it says of the phone is news.
    Request(Identified),
    /// A bundle somebody carried here: nothing is spent, and what it says of the phone may be old.
    Rescue(Device),
}

/// What the transaction gave.
#[derive(Debug, Default)]
struct Written {
    receipt: Receipt,
    results: Vec<RequestResult>,
    photos: Vec<xunge_client_core::wire::PhotoOffset>,
    at: Millis,
    reference: u64,
    /// Grids whose cases the phone may hold and its user walks no more.
    lost: Vec<String>,
}

async fn write(
    desk: &SyncDesk,
    entry: &Entry,
    up: &Arc<SyncUp>,
    push: Arc<Push>,
    mut seen: Seen,
) -> Result<Written, SyncRefusal> {
    let mut taken = BTreeSet::<ActorId>::new();
    for _ in 0..TRIES {
        let prepared = intake::judge(&desk.services, Arc::clone(&push), seen, taken.clone()).await;
        failpoint::reach(At::ServerSyncJudged);
        match commit(desk, entry, up, Arc::new(prepared)).await {
            Err(SyncRefusal::Conflict { taken: found }) => taken.extend(found),
            other => return other,
        }
        seen = intake::look_again(&desk.services, &push).await?;
    }
    Err(SyncRefusal::Busy)
}

async fn commit(
    desk: &SyncDesk,
    entry: &Entry,
    up: &Arc<SyncUp>,
    prepared: Arc<Prepared>,
) -> Result<Written, SyncRefusal> {
    let (entry, up) = (entry.clone(), Arc::clone(up));
    let (now, real_now) = (desk.services.business.now(), desk.services.security.now());
    let outcome: Result<Written, ProofError> = desk
        .services
        .store
        .write::<_, SyncRefusal, _>(move |tx| {
            Box::pin(async move {
                let identified = match entry {
                    Entry::Rescue(device) => return Ok(Ok(everything(tx, &prepared, &up, &device, now).await?)),
                    Entry::Request(identified) => identified,
                };
                // A refused proof is an answer and not a failure: that a clone was noticed has to be kept.
                let device = match proof::spend(tx, &identified, real_now).await? {
                    Ok(device) => device,
                    Err(refused) => return Ok(Err(refused)),
                };
                let same_epoch = prepared.push.same_epoch && up.epoch != 0;
                if let Err(refused) = proof::hear(tx, &identified, up.heard, same_epoch, real_now).await? {
                    return Ok(Err(refused));
                }
                let mut written = everything(tx, &prepared, &up, &device, now).await?;
                let viewer = &prepared.push.viewer;
                if viewer.district().is_some() {
                    let contact = Contact::of(device.id, identified.counter(), &up, same_epoch);
                    written.lost = lost::note(tx, viewer, contact).await?;
                }
                phones::heard(tx, device.id, &up, real_now).await?;
                failpoint::reach(At::ServerSyncWritten);
                Ok(Ok(written))
            })
        })
        .await?;
    Ok(outcome?)
}

/// Everything a request writes, in the caller's transaction.
async fn everything(
    tx: &mut dyn Tx,
    prepared: &Prepared,
    up: &SyncUp,
    device: &Device,
    now: Millis,
) -> Result<Written, SyncRefusal> {
    let viewer = &prepared.push.viewer;
    let mut written = Written { at: now, reference: prepared.directory.version(), ..Written::default() };
    if let Some(district) = viewer.district() {
        let mut work = Work::new(district, now);
        written.receipt = intake::write(tx, &mut work, prepared).await?;
        let asker = Asker { viewer, device: device.id, phone_time: up.phone_time, directory: &prepared.directory };
        written.results = requests::decide(tx, &mut work, &asker, &up.requests).await?;
        work.finish(tx).await?;
        refuse_if_only_quota(&written, up, now)?;
    }
    Ok(written)
}

/// A push of nothing but reports beyond the day's quota is sent home whole; mixed ones hear it case by case.
fn refuse_if_only_quota(written: &Written, up: &SyncUp, now: Millis) -> Result<(), IntakeError> {
    let count = written.receipt.results.iter().filter(|result| over_quota(result)).count();
    if count == 0 || count < written.receipt.heads.len() || !up.requests.is_empty() {
        return Ok(());
    }
    Err(IntakeError::Quota { what: intake::QUOTA_CASES, retry_after_s: until_tomorrow_s(now) })
}

/// True of the answer to a report beyond the day's quota.
fn over_quota(result: &RequestResult) -> bool {
    result.code.as_deref() == Some(intake::QUOTA_CASES)
}

/// Seconds until the day's quota begins anew, an hour at most.
fn until_tomorrow_s(now: Millis) -> u32 {
    let until_midnight_s = (now.local_day().end().0 - now.0) / 1_000;
    u32::try_from(until_midnight_s.clamp(60, 3_600)).unwrap_or(3_600)
}

async fn feed(
    desk: &SyncDesk,
    sender: &Sender,
    up: &Arc<SyncUp>,
    written: &mut Written,
    says_more: bool,
) -> Result<(FeedPage, Option<CensusReply>), StoreError> {
    let size = room(desk.services.feed_page, up.room);
    let reader = Reader::new(&sender.viewer, sender.identified.device.id, size);
    let Some(mut reader) = reader else { return Ok(Default::default()) };
    let unheard = std::mem::take(&mut written.receipt.unheard);
    reader.brought = std::mem::take(&mut written.receipt.brought);
    let lost = std::mem::take(&mut written.lost);
    // After a restore the positions mean other things than before.
    let cursor = if up.epoch == sender.epoch { up.cursor } else { 0 };
    let count = up.census.clone().filter(|_| !says_more && up.epoch == sender.epoch);
    desk.services
        .store
        .read(move |tx| {
            Box::pin(async move {
                let mut page = page::page(tx, &reader, cursor, &unheard).await?;
                if !lost.is_empty() {
                    let read_to = page::read_to(tx, &reader, cursor).await?;
                    page.gone.extend(lost::cases(tx, &reader, &lost, read_to).await?);
                }
                let silent = page.items.is_empty() && page.gone.is_empty() && !page.more;
                let Some(count) = count.filter(|_| silent) else { return Ok((page, None)) };
                let (reply, items) = census::compare(tx, &reader, &count).await?;
                page.items = items;
                Ok((page, Some(reply)))
            })
        })
        .await
}

/// As much as the phone has room for, within what is sent at most.
fn room(size: Size, asked: Option<u32>) -> Size {
    let least = limits::ANSWER_LEAST.min(size.bytes);
    let bytes = asked.map_or(size.bytes, |asked| (asked as usize).clamp(least, size.bytes));
    Size { bytes, ..size }
}

fn answer(desk: &SyncDesk, sender: &Sender, up: &SyncUp, written: Written, page: FeedPage) -> SyncDown {
    let Written { receipt, mut results, photos, at, reference, lost: _ } = written;
    let upload_token =
        (!up.photos.is_empty()).then(|| desk.tokens.issue(&sender.identified.device, desk.services.security.now()));
    let mut all = receipt.results;
    all.append(&mut results);
    SyncDown {
        epoch: sender.epoch,
        ack: digest::of_heads(&receipt.heads),
        differs: receipt.differs,
        results: all,
        rejected: receipt.rejected,
        need: receipt.need,
        photos,
        upload_token,
        feed_digest: digest::of_page(&codec::encode(&page.items)),
        feed: page.items,
        gone: page.gone,
        cursor: page.cursor,
        more: page.more,
        server_time: at,
        reference,
        census: None,
    }
}
