//! Everything a screen ever showed as saved, as a person would remember it.

use std::collections::{BTreeMap, BTreeSet};

use xunge_client_core::model::{CaseId, PhotoHash};

/// What must not be lost.
#[derive(Debug, Clone, Default)]
pub(super) struct Promises {
    /// Reports shown as saved and submitted, and the phones that hold them.
    pub(super) reports: BTreeMap<CaseId, BTreeSet<usize>>,
    /// Remarks shown as saved, by their words, which are never used twice.
    pub(super) words: BTreeMap<String, Word>,
    /// Photos shown as saved, with their case, and the phones that hold them.
    pub(super) photos: BTreeMap<(CaseId, PhotoHash), BTreeSet<usize>>,
    /// How often a case was edited on a phone.
    pub(super) acts: BTreeMap<(usize, CaseId), u32>,
    /// Version of a case's ledger last seen on a phone, with the epoch it belongs to.
    pub(super) seen: BTreeMap<(usize, CaseId), (u64, u32)>,
    /// Reports a restored phone forgot; the centre may have them all the same.
    pub(super) excused: BTreeSet<CaseId>,
    made: u64,
}

/// A remark.
#[derive(Debug, Clone)]
pub(super) struct Word {
    /// The case it was said of.
    pub(super) case: CaseId,
    /// Phones that hold it.
    pub(super) phones: BTreeSet<usize>,
}

impl Promises {
    /// Words nobody used before.
    pub(super) fn fresh_words(&mut self) -> String {
        self.made += 1;
        format!("[{}]", self.made)
    }

    /// A phone became two.
    pub(super) fn copied(&mut self, from: usize, to: usize) {
        let words = self.words.values_mut().map(|word| &mut word.phones);
        let holders = self.reports.values_mut().chain(words).chain(self.photos.values_mut());
        for phones in holders.filter(|phones| phones.contains(&from)) {
            phones.insert(to);
        }
        let of = |key: &(usize, CaseId)| key.0 == from;
        let acts: Vec<_> = self.acts.iter().filter(|(key, _)| of(key)).map(|(key, n)| ((to, key.1), *n)).collect();
        self.acts.extend(acts);
        let seen: Vec<_> = self.seen.iter().filter(|(key, _)| of(key)).map(|(key, at)| ((to, key.1), *at)).collect();
        self.seen.extend(seen);
    }

    /// A phone went back in time: what it no longer holds is only expected where somebody else has it.
    pub(super) fn forget(
        &mut self,
        phone: usize,
        mut holds_case: impl FnMut(CaseId) -> bool,
        mut holds_words: impl FnMut(&str) -> bool,
        mut acts: impl FnMut(CaseId) -> u32,
        at_centre: impl Fn(CaseId) -> bool,
        said_at_centre: impl Fn(CaseId, &str) -> bool,
    ) {
        self.seen.retain(|key, _| key.0 != phone);
        self.acts.iter_mut().filter(|(key, _)| key.0 == phone).for_each(|(key, n)| *n = acts(key.1).min(*n));
        self.acts.retain(|_, n| *n > 0);
        for (case, phones) in &mut self.reports {
            if phones.contains(&phone) && !holds_case(*case) {
                phones.remove(&phone);
            }
        }
        let excused = self.reports.extract_if(.., |case, phones| phones.is_empty() && !at_centre(*case));
        self.excused.extend(excused.map(|(case, _)| case));
        for (text, word) in &mut self.words {
            if word.phones.contains(&phone) && !holds_words(text) {
                word.phones.remove(&phone);
            }
        }
        self.words.retain(|text, word| !word.phones.is_empty() || said_at_centre(word.case, text));
    }

    /// The same for photos.
    pub(super) fn forget_photos(
        &mut self,
        phone: usize,
        mut holds: impl FnMut(CaseId, &PhotoHash) -> bool,
        at_centre: impl Fn(CaseId, &PhotoHash) -> bool,
    ) {
        for ((case, photo), phones) in &mut self.photos {
            if phones.contains(&phone) && !holds(*case, photo) {
                phones.remove(&phone);
            }
        }
        self.photos_lost_at_centre(at_centre);
    }

    /// Photos whose phones forgot them with a case that left the view; gives those the centre does not have.
    pub(super) fn photos_left_to_centre(
        &mut self,
        holds: impl Fn(usize, CaseId, &PhotoHash) -> bool,
        at_centre: impl Fn(CaseId, &PhotoHash) -> bool,
    ) -> Vec<String> {
        let mut lost = Vec::new();
        for ((case, photo), phones) in &mut self.photos {
            phones.retain(|phone| holds(*phone, *case, photo));
            if phones.is_empty() && !at_centre(*case, photo) {
                lost.push(format!("{photo} of case {case}"));
            }
        }
        lost
    }

    /// Photos that no phone holds are expected only where the centre has them.
    pub(super) fn photos_lost_at_centre(&mut self, at_centre: impl Fn(CaseId, &PhotoHash) -> bool) {
        self.photos.retain(|(case, photo), phones| !phones.is_empty() || at_centre(*case, photo));
    }

    /// Words whose phones forgot them with a case that left the view: from now on only the centre answers for them.
    /// Gives those the centre does not say, which is a loss.
    pub(super) fn left_to_centre(
        &mut self,
        holds_words: impl Fn(usize, &str) -> bool,
        said_at_centre: impl Fn(CaseId, &str) -> bool,
    ) -> Vec<String> {
        let mut lost = Vec::new();
        for (text, word) in &mut self.words {
            word.phones.retain(|phone| holds_words(*phone, text));
            if word.phones.is_empty() && !said_at_centre(word.case, text) {
                lost.push(format!("{text} in case {}", word.case));
            }
        }
        lost
    }

    /// The centre went back in time: what no phone holds any more is gone.
    pub(super) fn lost_at_centre(&mut self, known: &BTreeSet<CaseId>, said_at_centre: impl Fn(CaseId, &str) -> bool) {
        let excused = self.reports.extract_if(.., |case, phones| phones.is_empty() && !known.contains(case));
        self.excused.extend(excused.map(|(case, _)| case));
        self.words.retain(|text, word| !word.phones.is_empty() || said_at_centre(word.case, text));
    }

    /// A phone showed a report as saved.
    pub(super) fn reported(&mut self, phone: usize, case: CaseId) {
        self.reports.entry(case).or_default().insert(phone);
    }

    /// A phone showed a photo of a case as saved.
    pub(super) fn photographed(&mut self, phone: usize, case: CaseId, photo: PhotoHash) {
        self.photos.entry((case, photo)).or_default().insert(phone);
    }

    /// A phone showed an edit of a case as saved.
    pub(super) fn edited(&mut self, phone: usize, case: CaseId, words: Option<String>) {
        *self.acts.entry((phone, case)).or_default() += 1;
        if let Some(words) = words {
            self.words.insert(words, Word { case, phones: BTreeSet::from([phone]) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_left_with_their_case_are_asked_of_the_centre_and_not_of_a_restored_one() {
        let case = CaseId::from_bytes([1; 16]);
        let mut promises = Promises::default();
        for (phone, words) in [(4, "[left]"), (5, "[kept]")] {
            promises.edited(phone, case, Some(words.to_owned()));
        }
        let holds = |phone, _: &str| phone == 5;
        assert_eq!(promises.clone().left_to_centre(holds, |_, _| false).len(), 1, "lost within an epoch");
        assert!(promises.left_to_centre(holds, |_, _| true).is_empty());
        promises.lost_at_centre(&BTreeSet::from([case]), |_, _| false);
        assert_eq!(promises.words.keys().collect::<Vec<_>>(), ["[kept]"]);
    }
}
