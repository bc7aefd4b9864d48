//! Photos on their way: at most two at once, each from the offset the server confirmed, previews before photos.

use std::collections::{BTreeMap, VecDeque};

use super::effect::Upload;
use crate::wire::PhotoItem;

/// Two fill a link whose answers take half a second; more would only share it and finish none.
pub(super) const AT_ONCE: usize = 2;

/// The queue between an answer and the uploads it allows.
#[derive(Debug, Clone, Default)]
pub(super) struct Uploads {
    previews: VecDeque<Upload>,
    photos: VecDeque<Upload>,
    under_way: BTreeMap<PhotoItem, Upload>,
}

impl Uploads {
    /// Adds a photo or preview unless it is queued or under way.
    pub(super) fn add(&mut self, upload: Upload) {
        if self.items().all(|item| item != upload.item) {
            if upload.item.is_preview() { &mut self.previews } else { &mut self.photos }.push_back(upload);
        }
    }

    /// The next uploads that may start. No photo starts before the last preview has ended: on a link that breaks
    /// every few seconds it would take what the preview still needs.
    pub(super) fn start(&mut self) -> Vec<Upload> {
        let previews_first = !self.previews.is_empty() || self.under_way.keys().any(PhotoItem::is_preview);
        let queue = if previews_first { &mut self.previews } else { &mut self.photos };
        let free = AT_ONCE.saturating_sub(self.under_way.len()).min(queue.len());
        let starting: Vec<Upload> = queue.drain(..free).collect();
        self.under_way.extend(starting.iter().map(|upload| (upload.item, upload.clone())));
        starting
    }

    /// An upload ended; answers what it was.
    pub(super) fn end(&mut self, item: &PhotoItem) -> Option<Upload> {
        self.under_way.remove(item)
    }

    /// Forgets what has not started: the next answer brings new offsets.
    pub(super) fn forget_queue(&mut self) {
        self.previews.clear();
        self.photos.clear();
    }

    /// Forgets what has not started and is not wanted any more.
    pub(super) fn keep(&mut self, wanted: impl Fn(&Upload) -> bool) {
        self.previews.retain(&wanted);
        self.photos.retain(&wanted);
    }

    /// Bytes that are still to be sent of everything queued or under way.
    pub(super) fn bytes_left(&self) -> u64 {
        let all = self.previews.iter().chain(&self.photos).chain(self.under_way.values());
        all.map(|upload| upload.bytes.saturating_sub(upload.offset)).sum()
    }

    /// True while something is queued or under way.
    pub(super) fn is_active(&self) -> bool {
        self.items().next().is_some()
    }

    pub(super) fn is_under_way(&self) -> bool {
        !self.under_way.is_empty()
    }

    /// What needs no offer.
    pub(super) fn items(&self) -> impl Iterator<Item = PhotoItem> + '_ {
        let queued = self.previews.iter().chain(&self.photos).map(|upload| upload.item);
        queued.chain(self.under_way.keys().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::PhotoHash;

    fn upload(item: PhotoItem) -> Upload {
        Upload { item, offset: 0, bytes: 10, location: String::new(), token: String::new() }
    }

    fn started(uploads: &mut Uploads) -> Vec<PhotoItem> {
        uploads.start().into_iter().map(|upload| upload.item).collect()
    }

    #[test]
    fn no_photo_starts_before_the_last_preview_has_ended() {
        let photos = [1, 2, 3].map(|byte| PhotoHash::from_bytes([byte; 32]));
        let (full, small) = (photos.map(PhotoItem::Full), photos.map(PhotoItem::Preview));
        let mut uploads = Uploads::default();
        full.into_iter().chain(small).chain(small).for_each(|item| uploads.add(upload(item)));
        assert_eq!(started(&mut uploads), small[..2]);
        uploads.end(&small[1]);
        assert_eq!(started(&mut uploads), small[2..]);
        uploads.end(&small[0]);
        assert_eq!(started(&mut uploads), [], "one preview is under way");
        uploads.end(&small[2]);
        assert_eq!(started(&mut uploads), full[..2]);
        uploads.add(upload(small[0]));
        uploads.end(&full[0]);
        assert_eq!(started(&mut uploads), small[..1], "a report saved meanwhile shows its preview first");
    }
}
