//! What the flight recorder sees of an engine, and an engine that goes on from a moment of rest.

use super::{Engine, Identity, Settings, Turn};
use crate::model::CaseId;
use crate::sync::page::PageSize;
use crate::sync::parking::Parking;
use crate::sync::retry::Backoff;
use crate::sync::trace::Rest;
use crate::wire::PhotoItem;

/// Parked photos: which, until when, how often.
type ParkedPhotos = Vec<(PhotoItem, u64, u32)>;

/// What the engine made of the answer it is applying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) struct Heard {
    pub(in crate::sync) more: bool,
    pub(in crate::sync) reference: u64,
    pub(in crate::sync) token: bool,
    /// The answer to a count, if there is one: where to go on.
    pub(in crate::sync) census: Option<Option<u8>>,
}

impl Engine {
    pub(in crate::sync) fn settings(&self) -> Settings {
        self.settings
    }

    pub(in crate::sync) fn is_enrolled(&self) -> bool {
        self.identity.is_some()
    }

    pub(in crate::sync) fn heard(&self) -> Option<Heard> {
        let Turn::Applying { opened, .. } = &self.turn else { return None };
        let census = opened.census.as_ref().map(|reply| reply.next);
        Some(Heard { more: opened.more, reference: opened.reference, token: opened.token.is_some(), census })
    }

    pub(in crate::sync) fn take_weights(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.scales.seen)
    }

    pub(in crate::sync) fn set_weights(&mut self, weights: &[u32]) {
        self.scales.seen.clear();
        self.scales.told = weights.iter().copied().collect();
    }

    /// Where the engine stands, if it rests and nobody waits for it; photos still by their names.
    pub(in crate::sync) fn rest(&self, number: &mut dyn FnMut(&CaseId) -> u32) -> Option<(Rest, ParkedPhotos)> {
        let rests = matches!(self.turn, Turn::Idle) && !self.asked && !self.uploads.is_active() && self.done.is_empty();
        if !rests || self.session.has_exchanged() || self.census_from.is_some() {
            return None;
        }
        let (cases, photos) = self.parking.slots();
        let rest = Rest {
            numbers: (self.next_exchange, self.counter, self.reference),
            size: self.size.to_parts(),
            failures: self.backoff.failures(),
            cases: cases.into_iter().map(|(case, until, times)| (number(&case), until, times)).collect(),
            photos: Vec::new(),
            flags: [
                self.background,
                self.again,
                self.more,
                self.curious,
                self.wants_reference,
                self.reference_tried,
                self.census_due,
            ],
            token_until: self.token.as_ref().map(|(_, until)| *until),
            held: self.parking.held(),
        };
        Some((rest, photos))
    }

    /// An engine that goes on from there.
    pub(in crate::sync) fn resumed(
        identity: Option<Identity>,
        settings: Settings,
        rest: &Rest,
        case: fn(u32) -> CaseId,
        photo: fn(u32) -> PhotoItem,
    ) -> Self {
        let [background, again, more, curious, wants_reference, reference_tried, census_due] = rest.flags;
        let cases = rest.cases.iter().map(|(number, until, times)| (case(*number), *until, *times));
        let photos = rest.photos.iter().map(|(number, until, times)| (photo(*number), *until, *times));
        Self {
            next_exchange: rest.numbers.0,
            counter: rest.numbers.1,
            reference: rest.numbers.2,
            size: PageSize::from_parts(rest.size),
            backoff: Backoff::after(rest.failures),
            parking: Parking::of_slots(cases, photos, rest.held),
            background,
            again,
            more,
            curious,
            wants_reference,
            reference_tried,
            census_due,
            token: rest.token_until.map(|until| ("t".to_owned(), until)),
            ..Self::new(identity, settings)
        }
    }
}
