//! Photos: what becomes of each upload.

use super::{Step, Turn};
use crate::sync::effect::{Effect, Notice, Stop, Upload, Write};
use crate::sync::event::{Response, UploadEnd};
use crate::sync::retry::{asked_wait, own_code};
use crate::wire::PhotoItem;

/// Photos whose completion is written down at once; a crash before that only asks the server again.
const PHOTOS_PER_WRITE: usize = 16;

impl Step<'_> {
    pub(super) fn uploaded(&mut self, item: PhotoItem, end: UploadEnd) {
        let Some(upload) = self.engine.uploads.end(&item) else { return };
        match end {
            UploadEnd::Answered { response, offset } => return self.upload_answered(upload, &response, offset),
            UploadEnd::Unanswered => return self.upload_failed(),
            UploadEnd::NeverLeft => return,
            UploadEnd::NoBytes => self.refuse_photo(item, "photo_missing"),
            // The file is there and the system does not give it now: the screen is locked, too many files are open.
            UploadEnd::Unreadable => self.park_photo(item),
        }
        self.after_upload();
    }

    fn upload_answered(&mut self, upload: Upload, response: &Response, offset: Option<u64>) {
        let item = upload.item;
        match (response.status, offset, own_code(response)) {
            (200..=299, Some(offset), _) if offset >= upload.bytes => {
                self.engine.parking.release_photo(&item, self.now.mono_ms);
                self.engine.done.push((item, upload.bytes, true));
                self.engine.backoff.reset();
                match item {
                    PhotoItem::Preview(_) => self.engine.session.progressed(),
                    PhotoItem::Full(photo) => {
                        self.engine.session.photo_sent();
                        self.notify(Notice::PhotoSent(photo));
                    }
                }
            }
            (200..=299, Some(offset), _) if offset > upload.offset => {
                self.engine.done.push((item, offset, false));
                self.engine.session.progressed();
                // The link or its rules may have changed while this piece was on its way.
                if self.engine.may_go()(item) {
                    self.engine.uploads.add(Upload { offset, ..upload });
                }
            }
            // Photos wait as long as the server asks; text goes on.
            (status @ (429 | 503 | 507), _, _) => {
                let retry_after_ms = asked_wait(response);
                let after_ms = retry_after_ms.map(|ms| self.not_together(ms));
                self.engine.uploads.forget_queue();
                self.engine.parking.hold_photos(after_ms, self.now.mono_ms);
                self.park_photo(item);
                self.engine.session.photos_put_off(Stop::Busy { status, retry_after_ms });
            }
            // Only our server's own words end a photo: a proxy's 413 is about the proxy.
            (400 | 413 | 415 | 422, _, Some(code)) => self.refuse_photo(item, &code),
            // The bytes do not have their name: once the way may be to blame, twice the file is.
            (460, _, _) => {
                if !self.engine.damaged.insert(item) {
                    self.refuse_photo(item, "photo_damaged");
                }
            }
            // Offset, token or resource is not what we thought: the next answer tells anew.
            (200..=299 | 401 | 403 | 404 | 409 | 410 | 412, _, _) => {
                if !self.engine.troubled.insert(item) {
                    self.park_photo(item);
                }
            }
            _ => {
                // What stands in the way of this photo twice need not stand in the way of the others.
                if !self.engine.troubled.insert(item) {
                    self.park_photo(item);
                }
                return self.upload_failed();
            }
        }
        self.after_upload();
    }

    /// Ends a photo; the inspector sees why.
    fn refuse_photo(&mut self, item: PhotoItem, code: &str) {
        self.out.push(Effect::Persist(Write::PhotoRefused { item, code: code.to_owned() }));
    }

    fn park_photo(&mut self, item: PhotoItem) {
        self.engine.parking.park_photo(item, self.now.mono_ms);
    }

    /// A broken upload is a broken link: wait, unless someone waits already.
    fn upload_failed(&mut self) {
        self.engine.uploads.forget_queue();
        if matches!(self.engine.turn, Turn::Idle) {
            self.fail(None, Stop::Offline);
        }
    }

    fn after_upload(&mut self) {
        // Stopped: what was on its way has ended, nothing more leaves.
        let is_stopped = !self.engine.asked && !self.engine.background;
        if is_stopped || self.engine.done.len() >= PHOTOS_PER_WRITE {
            self.write_photos();
        }
        if is_stopped {
            return self.engine.uploads.forget_queue();
        }
        // Text goes first: nothing new starts while a request is on its way.
        if !matches!(self.engine.turn, Turn::Idle) {
            return;
        }
        for upload in self.engine.uploads.start() {
            self.out.push(Effect::Upload(upload));
        }
        if !self.engine.uploads.is_active() {
            self.collect();
        }
    }

    pub(super) fn write_photos(&mut self) {
        if !self.engine.done.is_empty() {
            self.out.push(Effect::Persist(Write::Photos(std::mem::take(&mut self.engine.done))));
        }
    }
}
