//! Text: collecting, sending, and what becomes of the answer.

use super::{Aside, Step, Turn};
use crate::sync::check::{self, BadAnswer, Opened};
use crate::sync::data::{Batch, Outcome, Room};
use crate::sync::effect::{Effect, Notice, Outbound, OutboundKind, Stop, Upload, Write};
use crate::sync::event::Response;
use crate::sync::page::{self, Page};
use crate::sync::retry::{Class, classify};
use crate::sync::session::PATIENCE;

impl Step<'_> {
    pub(super) fn collect(&mut self) {
        self.write_photos();
        let engine = &mut *self.engine;
        engine.turn = Turn::Collecting;
        engine.again = false;
        let now_ms = self.now.mono_ms;
        let is_held = engine.parking.held_until(now_ms).is_some();
        let offers = if is_held { 0 } else { engine.size.offers(engine.settings.offers) };
        let parked_photos = engine.parking.photos(now_ms).chain(engine.uploads.items()).collect();
        self.out.push(Effect::Collect(Room {
            bytes: engine.size.raw_bytes(),
            at: self.now.wall,
            by_hand: engine.asked,
            under_way: engine.uploads.bytes_left(),
            offers,
            // Photos under way are many seconds; previews of what was saved meanwhile need not wait for their end.
            photos: if engine.uploads.is_active() { 0 } else { offers },
            parked_cases: engine.parking.cases(now_ms),
            parked_photos,
            counting: engine.counting(),
        }));
    }

    pub(super) fn collected(&mut self, mut batch: Batch) {
        let engine = &mut *self.engine;
        if !matches!(engine.turn, Turn::Collecting) {
            return;
        }
        engine.session.waiting(batch.waiting, batch.held);
        engine.plan = batch.plan;
        // The link may have changed since these were offered.
        let may_go = engine.may_go();
        engine.uploads.keep(|upload| may_go(upload.item));
        if engine.counter == 0 {
            // A process begins where the one before it gave up: the link may still be the same.
            engine.size.begin_after(batch.counter.saturating_sub(batch.heard));
            batch.photos.truncate(engine.size.offers(usize::MAX));
        }
        (engine.counter, engine.reference) = (batch.counter, batch.reference);
        if !engine.session.has_exchanged() {
            engine.census_due = batch.census_due;
        }
        if engine.size.is_least() {
            let text = !(batch.cases.is_empty() && batch.requests.is_empty());
            // There may be news, and nobody knows: now they are asked for alone, now photos are offered all the same.
            let alone = (engine.more || engine.curious) && self.dice.is_multiple_of(2);
            if text || alone {
                batch.photos.clear();
            }
        }
        let nothing = batch.cases.is_empty() && batch.requests.is_empty() && batch.photos.is_empty();
        // Whoever always has something to say counts at the end of a run.
        let counts = batch.census.is_some() && engine.session.has_exchanged();
        if nothing && !engine.more && !engine.curious && !counts {
            return self.rest();
        }
        engine.curious = false;
        engine.census_tries += u32::from(batch.census.is_some());
        let Some(identity) = &engine.identity else { return self.conclude(Some(Stop::NotEnrolled)) };
        let level = engine.settings.level;
        let page =
            page::build(batch, engine.size, &mut engine.scales, level, identity.device, &identity.key, self.now.wall);
        engine.counter = page.sent.counter;
        self.out.push(Effect::Persist(Write::Sent(page.sent.clone())));
        let exchange = self.send(OutboundKind::Sync, page.envelope.clone(), None);
        self.engine.turn = Turn::Sending { exchange, page: Box::new(page), since_ms: self.now.mono_ms };
    }

    pub(super) fn send(&mut self, kind: OutboundKind, body: Vec<u8>, bearer: Option<String>) -> u64 {
        let exchange = self.engine.next_exchange;
        self.engine.next_exchange += 1;
        self.out.push(Effect::Send(Outbound { exchange, kind, body, bearer }));
        exchange
    }

    pub(super) fn answered(&mut self, exchange: u64, response: &Response) {
        match std::mem::replace(&mut self.engine.turn, Turn::Idle) {
            Turn::Sending { exchange: mine, page, since_ms } if mine == exchange => {
                self.sync_answered(page, response, self.now.mono_ms.saturating_sub(since_ms));
            }
            Turn::Token { exchange: mine } if mine == exchange => self.token_answered(response),
            Turn::Reference { exchange: mine } if mine == exchange => self.reference_answered(response),
            // An answer nobody waits for any more.
            other => self.engine.turn = other,
        }
    }

    pub(super) fn unanswered(&mut self, exchange: u64) {
        let waited_for = match &self.engine.turn {
            Turn::Sending { exchange: mine, .. }
            | Turn::Token { exchange: mine }
            | Turn::Reference { exchange: mine } => *mine == exchange,
            _ => false,
        };
        if waited_for {
            if let Turn::Sending { since_ms, .. } = self.engine.turn {
                self.engine.size.failed(self.now.mono_ms.saturating_sub(since_ms));
            }
            self.fail(None, Stop::Offline);
        }
    }

    fn sync_answered(&mut self, page: Box<Page>, response: &Response, after_ms: u64) {
        match classify(response) {
            Class::Good => match check::open(&response.body, &page, self.now.wall) {
                Ok(opened) => {
                    self.engine.size.answered(after_ms);
                    self.apply(page, opened);
                }
                // Damaged on the way, or not from our server at all.
                Err(BadAnswer::Wire(_)) => {
                    self.engine.size.failed(after_ms);
                    self.fail(None, Stop::Offline);
                }
                // A server that contradicts itself: nothing of it is believed.
                Err(BadAnswer::Ack | BadAnswer::Feed) => self.fail(None, Stop::Stalled),
            },
            Class::Network => {
                self.engine.size.failed(after_ms);
                self.fail(None, Stop::Offline);
            }
            Class::Transient { after_ms } => {
                let stop = Stop::Busy { status: response.status, retry_after_ms: after_ms };
                self.fail(after_ms, stop);
            }
            Class::Quota if !page.pushed.is_empty() => {
                // They go tomorrow. News, photos and what is said of older cases do not wait for them.
                let now_ms = self.now.mono_ms;
                page.pushed.iter().for_each(|pushed| self.engine.parking.park_case(pushed.case, now_ms));
                self.engine.curious = true;
                self.collect();
            }
            Class::Quota => self.fail(None, Stop::Busy { status: response.status, retry_after_ms: None }),
            Class::Page { code } => self.page_refused(&page, response.status, code),
            Class::Phone { code } => self.blocked(code),
        }
    }

    pub(super) fn apply(&mut self, page: Box<Page>, opened: Opened) {
        let Opened { answer, uploads, unanswered, token, more, reference, census } = opened;
        self.engine.turn =
            Turn::Applying { page, opened: Box::new(Aside { uploads, unanswered, token, more, reference, census }) };
        self.out.push(Effect::Persist(Write::Answer(Box::new(answer))));
    }

    pub(super) fn applied(&mut self, outcome: Outcome) {
        let Turn::Applying { page, opened } = std::mem::replace(&mut self.engine.turn, Turn::Idle) else { return };
        let engine = &mut *self.engine;
        if outcome.progress || page.offers.is_empty() {
            engine.backoff.reset();
        }
        engine.session.answered(&outcome);
        let now_ms = self.now.mono_ms;
        outcome.confirmed.iter().for_each(|case| engine.parking.release_case(case));
        outcome.stuck.iter().for_each(|case| engine.parking.park_case(*case, now_ms));
        opened.unanswered.iter().for_each(|photo| engine.parking.park_photo(*photo, now_ms));
        // News without end that move nothing are no news: the next round asks again.
        engine.more = opened.more && (outcome.progress || page.items() > 0);
        engine.counted(&page, opened.census.as_ref());
        engine.wants_reference = opened.reference != engine.reference && !engine.reference_tried;
        if let Some(token) = opened.token
            && engine.parking.held_until(now_ms).is_none()
        {
            for (item, offset, bytes, location) in opened.uploads {
                engine.uploads.add(Upload { item, offset, bytes, location, token: token.clone() });
            }
        }
        let moved = outcome.progress || page.items() + page.offers.len() == 0 || engine.uploads.is_active();
        engine.session.stalls = if moved { 0 } else { engine.session.stalls + 1 };
        if !outcome.changed.is_empty() {
            self.notify(Notice::CasesChanged(outcome.changed.into_iter().collect()));
        }
        if !outcome.refused.is_empty() {
            self.notify(Notice::Refused(outcome.refused));
        }
        if self.engine.session.stalls >= PATIENCE {
            return self.conclude(Some(Stop::Stalled));
        }
        let goes_on = self.engine.census_from.is_some();
        if page.text_left || self.engine.more || self.engine.again || outcome.new_epoch || goes_on {
            return self.collect();
        }
        self.rest();
    }

    /// No text waits: reference data, then photos, then the end.
    pub(super) fn rest(&mut self) {
        if self.engine.wants_reference {
            return self.fetch_reference();
        }
        for upload in self.engine.uploads.start() {
            self.out.push(Effect::Upload(upload));
        }
        if self.engine.uploads.is_active() {
            self.engine.turn = Turn::Idle;
        } else if matches!(self.engine.turn, Turn::Collecting) && self.engine.done.is_empty() {
            self.conclude(None);
        } else {
            self.collect();
        }
    }

    /// A page the server can not digest: halve it until the item at fault stands alone, then go on without that.
    pub(super) fn page_refused(&mut self, page: &Page, status: u16, code: String) {
        if self.engine.size.halve(page.items()) {
            return self.collect();
        }
        let alone = page.pushed.first().map(|pushed| pushed.case).or(page.requests.first().map(|(_, case)| *case));
        let stop = Stop::Busy { status, retry_after_ms: None };
        if let Some(case) = alone {
            self.engine.parking.park_case(case, self.now.mono_ms);
            if status != 500 {
                self.out.push(Effect::Persist(Write::Attention { case, code }));
                return self.collect();
            }
        }
        self.fail(None, stop);
    }

    pub(super) fn blocked(&mut self, code: String) {
        self.out.push(Effect::Persist(Write::Blocked(Some(code.clone()))));
        self.notify(Notice::Blocked { code: code.clone() });
        self.engine.uploads.forget_queue();
        self.conclude(Some(Stop::Blocked { code }));
    }
}
