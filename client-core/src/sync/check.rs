//! An answer is believed only as far as its digests reach.

use std::collections::BTreeMap;

use thiserror::Error;

use super::data::{Answer, Fate, Pushed, Verdict};
use super::page::Page;
use crate::model::{CaseId, ChangeHash, IntentId, Millis};
use crate::wire::{CaseHeads, CensusReply, PhotoItem, SyncDown, WireError, codec, digest};

/// Why an answer is not believed; treated as if it had not arrived.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum BadAnswer {
    /// Not an answer of this protocol.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The digest over what was pushed fits neither what was sent nor what is said to differ.
    #[error("the digest over the pushed cases does not match")]
    Ack,
    /// The feed was damaged on the way.
    #[error("the digest over the feed does not match")]
    Feed,
}

/// What an answer says beside what the store has to apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    pub(super) answer: Answer,
    /// What to upload: name, offset, size, location.
    pub(super) uploads: Vec<(PhotoItem, u64, u64, String)>,
    /// Offers the answer says nothing about.
    pub(super) unanswered: Vec<PhotoItem>,
    pub(super) token: Option<String>,
    pub(super) more: bool,
    pub(super) reference: u64,
    /// What the server says to the phone's count.
    pub(super) census: Option<CensusReply>,
}

/// Opens the body of an answer and holds it against what was pushed.
pub(super) fn open(body: &[u8], page: &Page, now: Millis) -> Result<Opened, BadAnswer> {
    let (pushed, offers) = (page.pushed.clone(), &page.offers);
    let mut down: SyncDown = codec::unpack(body)?;
    if digest::of_page(&codec::encode(&down.feed)) != down.feed_digest {
        return Err(BadAnswer::Feed);
    }
    let differs: BTreeMap<CaseId, Vec<ChangeHash>> =
        std::mem::take(&mut down.differs).into_iter().map(|entry| (entry.case, entry.heads)).collect();
    if !pushed.is_empty() && digest::of_heads(&expected(&pushed, &differs)) != down.ack {
        return Err(BadAnswer::Ack);
    }
    let verdicts = pushed.into_iter().map(|pushed| verdict(pushed, &differs, &mut down)).collect();
    let mut opened = Opened {
        uploads: Vec::new(),
        unanswered: Vec::new(),
        token: down.upload_token.take(),
        more: down.more,
        reference: down.reference,
        census: down.census.clone().filter(|_| page.census.is_some()),
        answer: Answer {
            counter: page.sent.counter,
            epoch: down.epoch,
            cursor: down.cursor,
            server_time: down.server_time,
            now,
            verdicts,
            results: std::mem::take(&mut down.results),
            photos: Vec::new(),
            feed: std::mem::take(&mut down.feed),
            gone: std::mem::take(&mut down.gone),
            census: page.census.clone().map(|census| (census, down.census.take())),
        },
    };
    for offer in offers {
        let item = offer.item();
        match down.photos.iter().find(|answer| answer.item() == item) {
            None => opened.unanswered.push(item),
            Some(answer) => {
                let complete = answer.location.is_none();
                let offset = answer.offset.min(offer.bytes);
                opened.answer.photos.push((item, offset, complete));
                if let Some(location) = &answer.location {
                    opened.uploads.push((item, offset, offer.bytes, location.clone()));
                }
            }
        }
    }
    Ok(opened)
}

/// What the server must hold if its digest is to be believed.
fn expected(pushed: &[Pushed], differs: &BTreeMap<CaseId, Vec<ChangeHash>>) -> Vec<CaseHeads> {
    let heads_of = |pushed: &Pushed| match differs.get(&pushed.case) {
        Some(heads) => heads.clone(),
        None => pushed.hashes.last().copied().into_iter().collect(),
    };
    pushed.iter().map(|entry| CaseHeads { case: entry.case, heads: heads_of(entry) }).collect()
}

fn verdict(pushed: Pushed, differs: &BTreeMap<CaseId, Vec<ChangeHash>>, down: &mut SyncDown) -> Verdict {
    let case = pushed.case;
    let submit_intent = IntentId::from_bytes(*case.as_bytes());
    let at = down.results.iter().position(|result| pushed.submit && result.intent == submit_intent);
    let submit = at.map(|at| down.results.remove(at));
    let rejected = down.rejected.extract_if(.., |rejected| rejected.case == case).collect();
    let fate = match (down.need.iter().any(|need| need.case == case), differs.get(&case)) {
        (true, _) => Fate::Needed,
        (false, Some(heads)) => Fate::Differs(heads.clone()),
        (false, None) => Fate::Held,
    };
    Verdict { pushed, fate, rejected, submit }
}
