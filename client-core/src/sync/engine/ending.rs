//! Waiting, giving up, coming to rest.

use super::{Engine, Step, Turn};
use crate::sync::effect::{Effect, Notice, Stop};
use crate::sync::event::StoreFailure;
use crate::sync::retry::spread;
use crate::sync::session::PATIENCE;

/// Longest wait inside a run someone is waiting for.
const ASKED_WAIT_MS: u64 = 15_000;

impl Step<'_> {
    pub(super) fn store_failed(&mut self, failure: StoreFailure) {
        match failure {
            // Two processes on one store: the other one sent or pulled; look again.
            StoreFailure::Moved if self.engine.session.stalls < PATIENCE => {
                self.engine.session.stalls += 1;
                self.collect();
            }
            failure => self.fail(None, failure.into()),
        }
    }

    /// Waits, or gives a run back to whoever waits for it.
    pub(super) fn fail(&mut self, after_ms: Option<u64>, stop: Stop) {
        let wait = self.engine.backoff.fail(self.dice).max(after_ms.map_or(0, |ms| self.not_together(ms)));
        let engine = &mut *self.engine;
        engine.session.failures += 1;
        engine.curious = true;
        engine.uploads.forget_queue();
        let impatient = engine.session.failures >= PATIENCE || wait > ASKED_WAIT_MS;
        if engine.asked && impatient && !engine.uploads.is_under_way() {
            self.write_photos();
            self.finish(Some(stop));
        }
        if self.engine.asked || self.engine.background {
            let until_ms = self.now.mono_ms.saturating_add(wait);
            self.engine.turn = Turn::Waiting;
            self.out.push(Effect::Sleep { until_ms });
            self.notify(Notice::Waiting { until_ms });
        } else {
            self.engine.turn = Turn::Idle;
        }
    }

    /// At least so long, and not all phones at once.
    pub(super) fn not_together(&self, ms: u64) -> u64 {
        ms.saturating_add(spread(ms / 4, self.dice))
    }

    /// When photos may go again, if they have to wait and whoever asked for this run would wait so long.
    fn worth_waiting(&self) -> Option<u64> {
        let Engine { parking, session, asked, .. } = &*self.engine;
        let until_ms = parking.held_until(self.now.mono_ms)?;
        let is_soon = until_ms - self.now.mono_ms <= ASKED_WAIT_MS;
        (*asked && is_soon && session.failures < PATIENCE).then_some(until_ms)
    }

    /// Nothing more to do for now.
    pub(super) fn conclude(&mut self, stop: Option<Stop>) {
        self.write_photos();
        self.engine.turn = Turn::Idle;
        if let Some(until_ms) = self.worth_waiting().filter(|_| stop.is_none()) {
            return self.out.push(Effect::Sleep { until_ms });
        }
        self.finish(stop);
        if self.engine.background {
            let now_ms = self.now.mono_ms;
            let poll = now_ms.saturating_add(spread(self.engine.settings.poll_ms, self.dice));
            let until_ms = self.engine.parking.next_ms(now_ms).map_or(poll, |parked| parked.min(poll));
            self.out.push(Effect::Sleep { until_ms });
        }
    }

    pub(super) fn finish(&mut self, stop: Option<Stop>) {
        let engine = &mut *self.engine;
        let summary = std::mem::take(&mut engine.session).finish(stop);
        (engine.reference_tried, engine.more) = (false, false);
        engine.troubled.clear();
        engine.damaged.clear();
        (engine.census_from, engine.census_tries) = (None, 0);
        if summary.drained {
            self.notify(Notice::Drained);
        }
        if std::mem::take(&mut self.engine.asked) {
            self.out.push(Effect::Finish(Box::new(summary)));
        }
    }

    pub(super) fn halt(&mut self) {
        self.engine.background = false;
        self.write_photos();
        self.engine.uploads.forget_queue();
        self.engine.turn = Turn::Idle;
        if self.engine.asked {
            self.finish(Some(Stop::Halted));
        }
    }
}
