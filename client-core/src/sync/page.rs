//! One request: as many of the waiting items as fit the link of the moment.

use ed25519_dalek::SigningKey;

use super::data::{Batch, Outgoing, Pushed, Sent};
use crate::model::{CaseId, DeviceId, IntentId, Millis};
use crate::wire::{Envelope, PhotoOffer, SyncUp, Waiting, codec, limits};

/// How large a page may be.
///
/// Bytes shrink after a failed try and grow again with success; items are halved while the server can not digest a
/// page, until the item at fault stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageSize {
    bytes: usize,
    items: usize,
}

impl Default for PageSize {
    fn default() -> Self {
        Self { bytes: limits::COMPRESSED, items: usize::MAX }
    }
}

impl PageSize {
    /// Bytes of changes and requests worth collecting: text compresses four- to sixfold.
    pub(super) fn raw_bytes(&self) -> usize {
        (self.bytes * 6).min(limits::DECOMPRESSED / 2)
    }

    pub(super) fn shrink(&mut self) {
        self.bytes = limits::COMPRESSED_AFTER_FAILURE;
    }

    pub(super) fn grow(&mut self) {
        self.bytes = (self.bytes * 2).min(limits::COMPRESSED);
        self.items = self.items.saturating_mul(2);
    }

    /// Halves a page of `items` that was refused; false if it holds one item or none.
    pub(super) fn halve(&mut self, items: usize) -> bool {
        self.items = (items / 2).max(1);
        items > 1
    }
}

/// A sealed request and what to remember of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) envelope: Vec<u8>,
    pub(super) sent: Sent,
    pub(super) pushed: Vec<Pushed>,
    pub(super) requests: Vec<(IntentId, CaseId)>,
    pub(super) offers: Vec<PhotoOffer>,
    /// True if text waits that is not in this page.
    pub(super) text_left: bool,
}

impl Page {
    /// Cases and requests in it.
    pub(super) fn items(&self) -> usize {
        self.pushed.len() + self.requests.len()
    }
}

/// Builds and seals the next request from what waits.
pub(super) fn build(batch: Batch, size: PageSize, device: DeviceId, key: &SigningKey, phone_time: Millis) -> Page {
    let all = batch.cases.len() + batch.requests.len();
    let mut take = all.min(size.items);
    let mut offers = batch.photos.len();
    let (up, frame) = loop {
        // Text before photos: a page without all the text offers none.
        let offered = if take == all && !batch.text_left { offers } else { 0 };
        let up = body(&batch, take, offered, phone_time);
        let frame = codec::pack(&up);
        if frame.len() <= size.bytes || (take <= 1 && offered == 0) {
            break (up, frame);
        }
        if offered > 0 {
            offers = 0;
        } else {
            // Aim a little below the limit; at least one item less each time.
            take = (take * size.bytes / frame.len() * 19 / 20).clamp(1, take - 1);
        }
    };
    let counter = batch.counter + 1;
    let Batch { mut cases, requests, .. } = batch;
    let requests: Vec<_> = requests[..up.requests.len()].iter().map(|request| (request.intent, request.case)).collect();
    cases.truncate(up.frames.len());
    let pushed = cases.iter().map(remember).collect();
    let envelope = Envelope::seal(frame, device, counter, key).to_bytes();
    let text_left = batch.text_left || take < all;
    Page { envelope, sent: Sent { counter, cases }, pushed, requests, offers: up.photos, text_left }
}

fn body(batch: &Batch, take: usize, offered: usize, phone_time: Millis) -> SyncUp {
    let cases = &batch.cases[..take.min(batch.cases.len())];
    let requests = &batch.requests[..take - cases.len()];
    let left = batch.waiting.cases.saturating_sub(cases.len() as u32);
    SyncUp {
        epoch: batch.epoch,
        cursor: batch.cursor,
        frames: cases.iter().map(Outgoing::frame).collect(),
        requests: requests.to_vec(),
        photos: batch.photos[..offered].to_vec(),
        reference: batch.reference,
        phone_time,
        waiting: Waiting {
            cases: left,
            photos: batch.waiting.photos,
            oldest: if left == 0 { Millis(0) } else { batch.waiting.oldest },
        },
        heard: (batch.heard > 0).then_some(batch.heard),
    }
}

fn remember(outgoing: &Outgoing) -> Pushed {
    let hashes = outgoing.changes.iter().map(|(hash, _)| *hash).collect();
    Pushed { case: outgoing.case, hashes, submit: outgoing.submit }
}
