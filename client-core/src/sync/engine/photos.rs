//! Photos: what becomes of each upload.

use super::{Step, Turn};
use crate::sync::effect::{Effect, Notice, Stop, Upload, Write};
use crate::sync::event::{Response, UploadEnd};
use crate::wire::PhotoItem;

/// Photos whose completion is written down at once; a crash before that only asks the server again.
const PHOTOS_PER_WRITE: usize = 16;

impl Step<'_> {
    pub(super) fn uploaded(&mut self, item: PhotoItem, end: UploadEnd) {
        let Some(upload) = self.engine.uploads.end(&item) else { return };
        let (status, offset, response) = match &end {
            UploadEnd::Answered { response, offset } => (response.status, *offset, Some(response)),
            UploadEnd::Unanswered => (0, None, None),
            UploadEnd::NoBytes => {
                self.out.push(Effect::Persist(Write::PhotoRefused { item, code: "photo_missing".to_owned() }));
                return self.after_upload();
            }
            UploadEnd::NeverLeft => return,
        };
        let code = response.map(photo_code).unwrap_or_default();
        match (status, offset) {
            (200..=299, Some(offset)) if offset >= upload.bytes => {
                self.engine.parking.release_photo(&item);
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
            (200..=299, Some(offset)) if offset > upload.offset => {
                self.engine.done.push((item, offset, false));
                self.engine.session.progressed();
                self.engine.uploads.add(Upload { offset, ..upload });
            }
            (429 | 503 | 507, _) => {
                self.engine.uploads.forget_queue();
                self.engine.parking.park_photo(item, self.now.mono_ms);
                let after_ms = response.and_then(|response| response.retry_after_ms);
                return self.upload_failed(after_ms, Stop::Busy { status, retry_after_ms: after_ms });
            }
            (400 | 413 | 415 | 422, _) => self.out.push(Effect::Persist(Write::PhotoRefused { item, code })),
            // The bytes do not have their name: once the way may be to blame, twice the file is.
            (460, _) if self.engine.troubled.contains(&item) => {
                self.out.push(Effect::Persist(Write::PhotoRefused { item, code: "photo_damaged".to_owned() }));
            }
            // Offset, token or resource is not what we thought: the next answer tells anew.
            (200..=299 | 401 | 403 | 404 | 409 | 410 | 412 | 460, _) => {
                if !self.engine.troubled.insert(item) {
                    self.engine.parking.park_photo(item, self.now.mono_ms);
                }
            }
            _ => return self.upload_failed(None, Stop::Offline),
        }
        self.after_upload();
    }

    /// A broken upload is a broken link: wait, unless someone waits already.
    pub(super) fn upload_failed(&mut self, after_ms: Option<u64>, stop: Stop) {
        self.engine.uploads.forget_queue();
        if matches!(self.engine.turn, Turn::Idle) {
            self.fail(after_ms, stop);
        }
    }

    pub(super) fn after_upload(&mut self) {
        if self.engine.done.len() >= PHOTOS_PER_WRITE {
            self.write_photos();
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

fn photo_code(response: &Response) -> String {
    let problem = serde_json::from_slice::<crate::wire::Problem>(&response.body);
    problem.map_or_else(|_| format!("http_{}", response.status), |problem| problem.code)
}
