//! Items left alone for a while, so that one of them never blocks the others.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::CaseId;
use crate::wire::PhotoItem;

/// First pause of an item; doubles each time up to [`MOST_MS`].
const FIRST_MS: u64 = 30_000;
const MOST_MS: u64 = 3_600_000;

/// What is parked, until when, how often.
pub(super) type Parked<K> = Vec<(K, u64, u32)>;

/// What is parked, and until when by the monotonic clock.
#[derive(Debug, Clone, Default)]
pub(super) struct Parking {
    cases: BTreeMap<CaseId, Slot>,
    photos: BTreeMap<PhotoItem, Slot>,
    /// Photos and previews all together: the server asked to wait with them.
    held: Option<Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    until_ms: u64,
    times: u32,
}

impl Slot {
    fn next(before: Option<Self>, now_ms: u64) -> Self {
        let times = before.map_or(0, |slot| slot.times + 1);
        let pause = (FIRST_MS << times.min(7)).min(MOST_MS);
        Self { until_ms: now_ms.saturating_add(pause), times }
    }
}

impl Parking {
    pub(super) fn park_case(&mut self, case: CaseId, now_ms: u64) {
        let slot = Slot::next(self.cases.get(&case).copied(), now_ms);
        self.cases.insert(case, slot);
    }

    pub(super) fn park_photo(&mut self, photo: PhotoItem, now_ms: u64) {
        let slot = Slot::next(self.photos.get(&photo).copied(), now_ms);
        self.photos.insert(photo, slot);
    }

    /// The server asked to wait with photos: so long, or longer each time if it did not say how long.
    pub(super) fn hold_photos(&mut self, after_ms: Option<u64>, now_ms: u64) {
        let held = self.held_until(now_ms);
        let mut slot = Slot::next(self.held, now_ms);
        match (after_ms, held) {
            // Another one of those that were under way together.
            (None, Some(_)) => return,
            (None, None) => {}
            (Some(ms), held) => slot.until_ms = now_ms.saturating_add(ms).max(held.unwrap_or(0)),
        }
        self.held = Some(slot);
    }

    /// Until when no photo goes, if they have to wait.
    pub(super) fn held_until(&self, now_ms: u64) -> Option<u64> {
        self.held.map(|slot| slot.until_ms).filter(|until| *until > now_ms)
    }

    /// The case moved on: its next failure counts as its first.
    pub(super) fn release_case(&mut self, case: &CaseId) {
        self.cases.remove(case);
    }

    pub(super) fn release_photo(&mut self, photo: &PhotoItem, now_ms: u64) {
        self.photos.remove(photo);
        // One that was under way already does not take back what the server asked for since.
        self.held = self.held.filter(|slot| slot.until_ms > now_ms);
    }

    /// Tries everything again.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn cases(&self, now_ms: u64) -> BTreeSet<CaseId> {
        parked(&self.cases, now_ms).collect()
    }

    pub(super) fn photos(&self, now_ms: u64) -> impl Iterator<Item = PhotoItem> + '_ {
        parked(&self.photos, now_ms)
    }

    /// Everything parked: what, until when, how often.
    pub(super) fn slots(&self) -> (Parked<CaseId>, Parked<PhotoItem>) {
        let cases = self.cases.iter().map(|(case, slot)| (*case, slot.until_ms, slot.times)).collect();
        (cases, self.photos.iter().map(|(photo, slot)| (*photo, slot.until_ms, slot.times)).collect())
    }

    /// The wait of all photos: until when, how often.
    pub(super) fn held(&self) -> Option<(u64, u32)> {
        self.held.map(|slot| (slot.until_ms, slot.times))
    }

    pub(super) fn of_slots(
        cases: impl Iterator<Item = (CaseId, u64, u32)>,
        photos: impl Iterator<Item = (PhotoItem, u64, u32)>,
        held: Option<(u64, u32)>,
    ) -> Self {
        let cases = cases.map(|(case, until_ms, times)| (case, Slot { until_ms, times })).collect();
        let photos = photos.map(|(photo, until_ms, times)| (photo, Slot { until_ms, times })).collect();
        Self { cases, photos, held: held.map(|(until_ms, times)| Slot { until_ms, times }) }
    }

    /// When the next item may be tried again.
    pub(super) fn next_ms(&self, now_ms: u64) -> Option<u64> {
        // No photo goes before all of them may.
        let all = self.held.map_or(0, |slot| slot.until_ms);
        let photos = self.photos.values().chain(&self.held).map(|slot| slot.until_ms.max(all));
        let times = self.cases.values().map(|slot| slot.until_ms).chain(photos);
        times.filter(|until| *until > now_ms).min()
    }
}

fn parked<K: Copy>(slots: &BTreeMap<K, Slot>, now_ms: u64) -> impl Iterator<Item = K> + '_ {
    slots.iter().filter(move |(_, slot)| slot.until_ms > now_ms).map(|(key, _)| *key)
}
