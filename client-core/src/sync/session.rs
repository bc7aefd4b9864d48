//! A run someone waits for: from `sync_now` to its summary.

use super::data::{Outcome, Tally};
use super::effect::{Stop, Summary};
use super::policy::Leave;

/// Failures in a row without progress after which a run that was asked for gives up.
pub(super) const PATIENCE: u32 = 3;

/// Counts of one run.
#[derive(Debug, Clone, Default)]
pub(super) struct Session {
    summary: Summary,
    /// Failures since anything moved.
    pub(super) failures: u32,
    /// Answers in a row that moved nothing although something waited.
    pub(super) stalls: u32,
    /// Why photos wait, if their rules hold them back.
    held: Option<Leave>,
    /// Why photos wait, if the server asked for it.
    put_off: Option<Stop>,
}

impl Session {
    pub(super) fn answered(&mut self, outcome: &Outcome) {
        // An answer that moves nothing is no progress: photos that never get through would be tried for ever.
        if outcome.progress {
            self.failures = 0;
        }
        self.summary.exchanges += 1;
        self.summary.cases_sent += outcome.confirmed.len() as u32;
        self.summary.received += outcome.received;
        self.summary.refused.extend(outcome.refused.iter().cloned());
    }

    /// True once a request of this run was answered.
    pub(super) fn has_exchanged(&self) -> bool {
        self.summary.exchanges > 0
    }

    pub(super) fn photo_sent(&mut self) {
        self.progressed();
        self.summary.photos_sent += 1;
    }

    pub(super) fn progressed(&mut self) {
        (self.failures, self.stalls) = (0, 0);
        self.put_off = None;
    }

    /// The server asked to wait with photos.
    pub(super) fn photos_put_off(&mut self, stop: Stop) {
        self.failures += 1;
        self.put_off = Some(stop);
    }

    pub(super) fn waiting(&mut self, tally: Tally, held: Option<Leave>) {
        self.summary.waiting = tally;
        self.held = held;
    }

    /// The end; `stop` is why something may still wait.
    pub(super) fn finish(mut self, stop: Option<Stop>) -> Summary {
        let waiting = self.summary.waiting;
        self.summary.drained = stop.is_none() && waiting.cases == 0 && waiting.photos == 0;
        // Nothing failed and still something waits: the server put it off, its rules hold it back, or it was parked.
        let photos = self.put_off.or(self.held.map(Stop::Held)).filter(|_| waiting.cases == 0);
        self.summary.stop = stop.or((!self.summary.drained).then_some(photos.unwrap_or(Stop::Stalled)));
        self.summary
    }
}
