//! Photos on their way: at most two at once, each from the offset the server confirmed.

use std::collections::{BTreeMap, VecDeque};

use super::effect::Upload;
use crate::model::PhotoHash;

/// Two fill a link whose answers take half a second; more would only share it and finish none.
pub(super) const AT_ONCE: usize = 2;

/// The queue between an answer and the uploads it allows.
#[derive(Debug, Clone, Default)]
pub(super) struct Uploads {
    queue: VecDeque<Upload>,
    under_way: BTreeMap<PhotoHash, Upload>,
}

impl Uploads {
    /// Adds a photo unless it is queued or under way.
    pub(super) fn add(&mut self, upload: Upload) {
        let known =
            self.under_way.contains_key(&upload.photo) || self.queue.iter().any(|one| one.photo == upload.photo);
        if !known {
            self.queue.push_back(upload);
        }
    }

    /// The next uploads that may start.
    pub(super) fn start(&mut self) -> Vec<Upload> {
        let free = AT_ONCE.saturating_sub(self.under_way.len()).min(self.queue.len());
        let starting: Vec<Upload> = self.queue.drain(..free).collect();
        self.under_way.extend(starting.iter().map(|upload| (upload.photo, upload.clone())));
        starting
    }

    /// An upload ended; answers what it was.
    pub(super) fn end(&mut self, photo: &PhotoHash) -> Option<Upload> {
        self.under_way.remove(photo)
    }

    /// Forgets what has not started: the next answer brings new offsets.
    pub(super) fn forget_queue(&mut self) {
        self.queue.clear();
    }

    /// True while something is queued or under way.
    pub(super) fn is_active(&self) -> bool {
        !self.queue.is_empty() || !self.under_way.is_empty()
    }

    pub(super) fn is_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// Photos that need no offer.
    pub(super) fn photos(&self) -> impl Iterator<Item = PhotoHash> + '_ {
        self.queue.iter().map(|upload| upload.photo).chain(self.under_way.keys().copied())
    }
}
