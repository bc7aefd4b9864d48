//! What becomes of each case, so that every published total comes out exactly.
//!
//! Fates are dealt from the narrowest condition to the widest: voids (only in the published units, as many as
//! published), reports nobody has reviewed yet (only in other units, late), forwarded cases still open, categories
//! that can not be fixed on the spot, then as many further forwarded ones as are missing; the rest was self-handled.

use super::calendar::ROUNDS;
use super::rng::Rng;
use super::staff::UnitShare;
use crate::reference::published::Published;
use crate::reference::taxonomy::Category;
use xunge_client_core::model::Mode;

/// How far a forwarded case gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Filed,
    Dispatched,
    Handling,
    Handled,
    Closed,
}

/// What becomes of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Approved as fixed on the spot.
    SelfHandled,
    /// Filed for a unit.
    Forwarded(Reach),
    /// Judged not to be a case; keeps the mode it claimed.
    Void(Mode),
    /// Not yet reviewed, or sent back to its reporter.
    Pending { claim: Mode, sent_back: bool },
}

/// What is known of a case before its fate.
pub(super) struct Slot<'a> {
    /// Index of its unit among the shares.
    pub(super) share: usize,
    /// Round in which the server receives it.
    pub(super) round: usize,
    pub(super) category: &'a Category,
}

/// Rounds before the end of the month in which a forwarded case can not be closed any more.
const CLOSING_ROUNDS: usize = 8;
/// Days before the end of the month from which forwarded cases are still open.
const OPEN_DAYS: usize = 5;

/// Deals the fates; may swap categories between slots, which keeps every category's count.
pub(super) fn deal(
    rng: &mut Rng,
    report: &Published,
    shares: &[UnitShare],
    slots: &mut [Slot<'_>],
    last_round: usize,
) -> Vec<Fate> {
    let open = (report.count("grid_reported") - report.count("grid_closed")) as usize;
    let forwarded = report.count("grid_forwarded") as usize;
    let late = last_round - CLOSING_ROUNDS;
    let mut deal = Deal { fates: vec![None; slots.len()] };

    deal.voids(rng, shares, slots);
    let pending = rng.between(open / 4, open * 2 / 5);
    deal.pending(rng, shares, slots, pending);
    deal.still_open(rng, slots, open - pending, last_round - OPEN_DAYS * ROUNDS..=last_round - 3);
    deal.not_by_hand(rng, slots, late);
    deal.further_forwarded(rng, slots, forwarded, late);
    deal.fates.into_iter().map(|fate| fate.unwrap_or(Fate::SelfHandled)).collect()
}

struct Deal {
    fates: Vec<Option<Fate>>,
}

impl Deal {
    /// Indices without a fate that fit, in random order.
    fn candidates(&self, rng: &mut Rng, fits: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut found: Vec<usize> = (0..self.fates.len()).filter(|i| self.fates[*i].is_none() && fits(*i)).collect();
        rng.shuffle(&mut found);
        found
    }

    fn voids(&mut self, rng: &mut Rng, shares: &[UnitShare], slots: &[Slot<'_>]) {
        for (index, share) in shares.iter().enumerate() {
            let found = self.candidates(rng, |i| slots[i].share == index);
            for i in found.into_iter().take(share.void as usize) {
                self.fates[i] = Some(Fate::Void(claim(rng, slots[i].category, 70)));
            }
        }
    }

    /// Takes from the last reports of the units whose figures are not published: there, nothing is pending.
    fn pending(&mut self, rng: &mut Rng, shares: &[UnitShare], slots: &[Slot<'_>], count: usize) {
        let mut found = self.candidates(rng, |i| !shares[slots[i].share].published);
        found.sort_by_key(|i| std::cmp::Reverse(slots[*i].round));
        found.truncate(count * 3);
        rng.shuffle(&mut found);
        for i in found.into_iter().take(count) {
            let claim = claim(rng, slots[i].category, 55);
            self.fates[i] = Some(Fate::Pending { claim, sent_back: rng.percent(30) });
        }
    }

    fn still_open(&mut self, rng: &mut Rng, slots: &[Slot<'_>], count: usize, rounds: std::ops::RangeInclusive<usize>) {
        let found = self.candidates(rng, |i| rounds.contains(&slots[i].round));
        let reaches = [Reach::Filed, Reach::Dispatched, Reach::Handling, Reach::Handled];
        for (nth, i) in found.into_iter().take(count).enumerate() {
            // One of each first, so that every queue of the console has something in it.
            let reach = reaches.get(nth).copied();
            let reach = reach.unwrap_or_else(|| reaches[rng.weighted(&[20, 25, 45, 10])]);
            self.fates[i] = Some(Fate::Forwarded(reach));
        }
    }

    /// What nobody can fix on the spot is forwarded and closed; if it came too late for that, it came as something
    /// else, and an earlier report gets its category.
    fn not_by_hand(&mut self, rng: &mut Rng, slots: &mut [Slot<'_>], late: usize) {
        let by_hand = |slot: &Slot<'_>| slot.category.self_handling;
        let mut early = self.candidates(rng, |i| slots[i].round <= late && by_hand(&slots[i]));
        for i in self.candidates(rng, |i| !by_hand(&slots[i])) {
            let closable = match slots[i].round <= late {
                true => i,
                false => {
                    let other = early.pop().expect("most reports are early and of categories fixed by hand");
                    let (a, b) = (slots[i].category, slots[other].category);
                    (slots[i].category, slots[other].category) = (b, a);
                    other
                }
            };
            self.fates[closable] = Some(Fate::Forwarded(Reach::Closed));
        }
    }

    /// Tops up to the published number, more often from categories that take more than a word.
    fn further_forwarded(&mut self, rng: &mut Rng, slots: &[Slot<'_>], total: usize, late: usize) {
        let is_forwarded = |fate: &&Option<Fate>| {
            matches!(
                fate,
                Some(Fate::Forwarded(_) | Fate::Void(Mode::Forwarded) | Fate::Pending { claim: Mode::Forwarded, .. })
            )
        };
        let mut missing = total.saturating_sub(self.fates.iter().filter(is_forwarded).count());
        let mut found = self.candidates(rng, |i| slots[i].round <= late);
        // One pass rarely suffices because of the weights; each pass takes at least the heaviest.
        while missing > 0 && !found.is_empty() {
            found.retain(|i| {
                let take = missing > 0 && rng.below(6) < weight(slots[*i].category);
                if take {
                    self.fates[*i] = Some(Fate::Forwarded(Reach::Closed));
                    missing -= 1;
                }
                !take
            });
            rng.shuffle(&mut found);
        }
    }
}

/// How likely a category is forwarded although it may be fixed on the spot, out of 6.
fn weight(category: &Category) -> usize {
    match category.key.code.as_str() {
        "XX0103" => 6,
        "XX0106" | "XX0303" | "XX9901" | "XX9905" | "XX9906" => 3,
        "XX0102" | "XX0301" => 2,
        _ => 1,
    }
}

/// The mode a reporter claims: forwarded where nothing can be done by hand, else self-handled in `percent` of 100.
fn claim(rng: &mut Rng, category: &Category, percent: usize) -> Mode {
    match category.self_handling && rng.percent(percent) {
        true => Mode::SelfHandled,
        false => Mode::Forwarded,
    }
}
