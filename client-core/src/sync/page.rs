//! One request: as many of the waiting items as fit the link of the moment.

use ed25519_dalek::SigningKey;

use super::data::{Batch, Outgoing, Pushed, Sent};
use super::uploads::AT_ONCE;
use crate::model::{CaseId, DeviceId, IntentId, Millis};
use crate::wire::{Census, Envelope, PhotoOffer, SyncUp, Waiting, codec, limits};

/// Least bytes of a page: below this the headers are most of it.
const LEAST: usize = 2 * 1024;
/// Bytes of news, uncompressed, that every server sends at once; a phone that takes so many does not say so.
const NEWS: usize = 240_000;
/// Bytes of news to ask for after a first try that was cut under way; after another, as few as a server gives.
const NEWS_AFTER_FAILURE: usize = 16 * 1024;
/// A try that failed faster than this was never on its way: what it carried is not to blame.
const UNDER_WAY_MS: u64 = 1_000;
/// Answers in a row after which the link counts as mended.
const MENDED: u32 = 8;

/// How large a page may be, both ways.
///
/// Bytes shrink after a failed try and grow again with success, but not to a page that would take longer than the link
/// was last seen to hold: a link that is cut every five seconds would lose every other page. Items are halved while the
/// server can not digest a page, until the item at fault stands alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PageSize {
    bytes: usize,
    items: usize,
    /// Bytes of news to ask for, uncompressed.
    news: usize,
    /// How long the link held when it last broke.
    holds_ms: Option<u64>,
    /// Answers since then, or since anything failed if it never broke under way.
    answers: u32,
}

impl Default for PageSize {
    fn default() -> Self {
        Self { bytes: limits::COMPRESSED, items: usize::MAX, news: NEWS, holds_ms: None, answers: 0 }
    }
}

impl PageSize {
    /// As numbers, and back.
    pub(super) fn to_parts(self) -> (u64, u64, u64, Option<u64>, u32) {
        (self.bytes as u64, self.items as u64, self.news as u64, self.holds_ms, self.answers)
    }

    pub(super) fn from_parts((bytes, items, news, holds_ms, answers): (u64, u64, u64, Option<u64>, u32)) -> Self {
        let size = |n| usize::try_from(n).unwrap_or(usize::MAX);
        Self { bytes: size(bytes), items: size(items), news: size(news), holds_ms, answers }
    }

    /// Bytes of changes and requests worth collecting: text compresses four- to sixfold.
    pub(super) fn raw_bytes(&self) -> usize {
        (self.bytes * 6).min(limits::DECOMPRESSED / 2)
    }

    /// What to tell the server of the news it may send; none for as many as it likes.
    pub(super) fn room(&self) -> Option<u32> {
        (self.news < NEWS).then_some(self.news as u32)
    }

    /// Photos and previews to offer, of `most`. On a link that cut an answer only as many as go at once: each makes the
    /// answer, which also says that text arrived, longer by what nothing compresses.
    pub(super) fn offers(&self, most: usize) -> usize {
        if self.news < NEWS { most.min(AT_ONCE) } else { most }
    }

    /// True on a link that cut even a short answer: text goes alone there, and news as often as not, because what photos need in
    /// an answer, a token and a place each, is longer than that text arrived.
    pub(super) fn is_least(&self) -> bool {
        self.news <= limits::ANSWER_LEAST
    }

    /// Notes that no answer came, so long after the request began.
    pub(super) fn failed(&mut self, after_ms: u64) {
        if self.bytes > limits::COMPRESSED_AFTER_FAILURE {
            self.bytes = limits::COMPRESSED_AFTER_FAILURE;
        } else if after_ms >= UNDER_WAY_MS {
            self.bytes = (self.bytes / 2).max(LEAST);
        }
        if after_ms >= UNDER_WAY_MS {
            self.news = if self.news > NEWS_AFTER_FAILURE { NEWS_AFTER_FAILURE } else { limits::ANSWER_LEAST };
            self.holds_ms = Some(self.holds_ms.map_or(after_ms, |known| known.min(after_ms)));
        }
        if after_ms >= UNDER_WAY_MS || self.holds_ms.is_none() {
            self.answers = 0;
        }
    }

    /// The page of a process that begins after so many requests whose answers nobody heard.
    ///
    /// The system ends apps that lie in a pocket, and whoever began with a full page each time would learn nothing of a link
    /// on which no full answer comes through. One lost answer is no sign.
    pub(super) fn begin_after(&mut self, unheard: u64) {
        if unheard > 1 {
            self.bytes = limits::COMPRESSED_AFTER_FAILURE;
            self.news = if unheard == 2 { NEWS_AFTER_FAILURE } else { limits::ANSWER_LEAST };
        }
    }

    /// Notes an answer, so long after the request began.
    pub(super) fn answered(&mut self, after_ms: u64) {
        self.items = self.items.saturating_mul(2);
        self.answers += 1;
        if self.answers >= MENDED {
            self.holds_ms = None;
        }
        // A single answer that got lost costs two requests more and no third. Whether a link was mended is tried gently.
        let most = if self.answers < MENDED { 4 } else { 2 };
        let fits = |times: &u64| self.holds_ms.is_none_or(|holds| after_ms * times <= holds);
        if let Some(times) = [most, 2].into_iter().find(fits) {
            self.bytes = (self.bytes * times as usize).min(limits::COMPRESSED);
            self.news = (self.news * times as usize).min(NEWS);
        }
    }

    /// The network is another one: what broke the last one says little of it.
    pub(super) fn renew(&mut self) {
        *self = Self { items: self.items, ..Self::default() };
    }

    /// Halves a page of `items` that was refused; false if it holds one item or none.
    pub(super) fn halve(&mut self, items: usize) -> bool {
        self.items = (items / 2).max(1);
        items > 1
    }
}

/// Weighs frames: how long each compressed body is decides how much of what waits goes with it.
///
/// What was weighed is kept for the recorder; a replay, whose stand-ins weigh something else, is told what to find.
#[derive(Debug, Clone, Default)]
pub(super) struct Scales {
    pub(super) seen: Vec<u32>,
    pub(super) told: std::collections::VecDeque<u32>,
}

impl Scales {
    fn weigh(&mut self, frame: &[u8]) -> usize {
        let length = self.told.pop_front().unwrap_or(frame.len() as u32);
        self.seen.push(length);
        length as usize
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
    /// What it says this phone holds.
    pub(super) census: Option<Census>,
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
///
/// What does not fit waits: requests, then cases, then changes of the one case that is left, which are stored all the same.
pub(super) fn build(
    mut batch: Batch,
    size: PageSize,
    scales: &mut Scales,
    level: Option<i32>,
    device: DeviceId,
    key: &SigningKey,
    phone_time: Millis,
) -> Page {
    let all = batch.cases.len() + batch.requests.len();
    let mut take = all.min(size.items);
    let mut offers = batch.photos.len();
    let (up, frame) = loop {
        // Text before photos: a page without all the text offers none.
        let offered = if take == all && !batch.text_left { offers } else { 0 };
        let up = body(&batch, take, offered, phone_time, size.room());
        let body = codec::encode(&up);
        let frame = codec::compress_at(&body, level.unwrap_or(codec::level(body.len())));
        let length = scales.weigh(&frame);
        // Aim a little below the limit; at least one less each time.
        let fewer = |all: usize| (all * size.bytes / length * 19 / 20).clamp(1, all - 1);
        let alone = batch.cases.first_mut().filter(|case| take == 1 && case.changes.len() > 1);
        match alone {
            _ if length <= size.bytes => break (up, frame),
            _ if offered > 0 => offers = 0,
            _ if take > 1 => take = fewer(take),
            Some(case) => case.cut(fewer(case.changes.len())),
            None => break (up, frame),
        }
    };
    let counter = batch.counter + 1;
    let Batch { mut cases, requests, .. } = batch;
    let requests: Vec<_> = requests[..up.requests.len()].iter().map(|request| (request.intent, request.case)).collect();
    cases.truncate(up.frames.len());
    let pushed = cases.iter().map(remember).collect();
    let envelope = Envelope::seal(frame, device, counter, key).to_bytes();
    let text_left = batch.text_left || take < all || cases.iter().any(|case| case.is_part);
    Page { envelope, sent: Sent { counter, cases }, pushed, requests, offers: up.photos, census: up.census, text_left }
}

fn body(batch: &Batch, take: usize, offered: usize, phone_time: Millis, room: Option<u32>) -> SyncUp {
    let cases = &batch.cases[..take.min(batch.cases.len())];
    let requests = &batch.requests[..take - cases.len()];
    let left = batch.waiting.cases.saturating_sub(cases.len() as u32);
    let oldest = [(left, batch.waiting.oldest), (batch.waiting.photos, batch.waiting.oldest_photo)];
    let oldest = oldest.into_iter().filter(|(left, at)| *left > 0 && at.0 != 0).map(|(_, at)| at).min();
    SyncUp {
        epoch: batch.epoch,
        cursor: batch.cursor,
        frames: cases.iter().map(Outgoing::frame).collect(),
        requests: requests.to_vec(),
        photos: batch.photos[..offered].to_vec(),
        reference: batch.reference,
        phone_time,
        waiting: Waiting { cases: left, photos: batch.waiting.photos, oldest: oldest.unwrap_or_default() },
        heard: (batch.heard > 0).then_some(batch.heard),
        census: batch.census.clone(),
        room,
    }
}

fn remember(outgoing: &Outgoing) -> Pushed {
    let hashes = outgoing.changes.iter().map(|(hash, _)| *hash).collect();
    Pushed { case: outgoing.case, hashes, submit: outgoing.submit }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends pages over a link of so many bytes a second that is cut after `cut_ms` of each request; answers how many
    /// of `tries` were lost once the first ten had taught the size.
    fn lost(bytes_per_s: u64, cut_ms: u64, tries: usize) -> usize {
        let mut size = PageSize::default();
        let mut lost = 0;
        for number in 0..tries {
            let takes_ms = 500 + size.bytes as u64 * 1_000 / bytes_per_s;
            if takes_ms > cut_ms {
                size.failed(cut_ms);
                lost += usize::from(number >= 10);
            } else {
                size.answered(takes_ms);
            }
        }
        lost
    }

    #[test]
    fn a_page_grows_only_as_far_as_the_link_holds() {
        assert_eq!(lost(8_000, 60_000, 100), 0);
        assert!(lost(2_000, 5_000, 100) <= 12, "one try in nine looks whether the link was mended");
        assert!(lost(600, 5_000, 100) <= 12, "two kilobytes still pass where sixteen never would");
    }

    #[test]
    fn a_page_that_was_lost_at_once_goes_again_in_two() {
        let mut size = PageSize::default();
        for _ in 0..2 {
            (0..20).for_each(|_| size.answered(300));
            size.failed(300);
            let (mut left, mut pages) = (limits::COMPRESSED, 0);
            while left > 0 {
                left = left.saturating_sub(size.bytes);
                pages += 1;
                size.answered(300);
            }
            assert_eq!(pages, 2);
        }
    }

    #[test]
    fn being_without_a_network_makes_no_page_smaller_than_the_first_failure_did() {
        let mut size = PageSize::default();
        (0..50).for_each(|_| size.failed(3));
        assert_eq!((size.bytes, size.room()), (limits::COMPRESSED_AFTER_FAILURE, None));
        (0..50).for_each(|_| size.failed(5_000));
        assert_eq!((size.bytes, size.room()), (LEAST, Some(limits::ANSWER_LEAST as u32)));
        size.renew();
        assert_eq!(size, PageSize::default());
    }
}
