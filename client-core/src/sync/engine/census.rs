//! The daily count: asked for when nothing else is to be said, continued bucket by bucket while the two sides differ.

use super::Engine;
use crate::sync::data::Counting;
use crate::sync::page::Page;
use crate::wire::CensusReply;

/// Counts sent in one run that the server did not answer because it had news; then tomorrow is early enough.
const TRIES: u32 = 3;

impl Engine {
    /// What the store may count for the next request.
    pub(super) fn counting(&self) -> Counting {
        match self.census_from {
            _ if self.more || self.uploads.is_active() || self.census_tries >= TRIES => Counting::No,
            Some(from) => Counting::From(from),
            // A day that begins during a run is counted with the next one: no run asks twice because of it.
            None if self.session.has_exchanged() && !self.census_due => Counting::No,
            None => Counting::IfDue,
        }
    }

    /// Notes what the server said to a count.
    pub(super) fn counted(&mut self, page: &Page, reply: Option<&CensusReply>) {
        let Some(asked) = &page.census else { return };
        let Some(reply) = reply else { return };
        self.census_tries = 0;
        // Buckets only ever rise, so that no server keeps a phone counting for ever.
        let reached = asked.buckets.as_ref().map(|_| asked.from.unwrap_or(0));
        self.census_from = reply.next.filter(|next| reached.is_none_or(|reached| *next > reached));
    }
}
