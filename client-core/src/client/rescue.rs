//! The way out when a phone can not sync any more: what is only here, sealed into files anybody may carry.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use ed25519_dalek::SigningKey;

use super::{Phone, PhoneError, PhoneRow};
use crate::driver::host;
use crate::model::{DeviceId, PhotoHash};
use crate::platform::FileError;
use crate::sync::Outgoing;
use crate::transport::{Outgoing as Post, SpkiPin};
use crate::wire::{Bundle, Contents, Frame, RESCUE_MEDIA_TYPE, Request, RescuedPhoto, SyncUp, codec, limits};

/// Raw bytes of text in one page: with its photos it stays far below what the server unpacks.
const PAGE: usize = limits::DECOMPRESSED / 2;
/// Bytes of a photo beyond which it can not be sealed; upload copies have a few hundred kilobytes.
const LARGEST_PHOTO: usize = limits::RESCUE / 2;

/// What a rescue wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rescued {
    /// The files, each a bundle of its own; empty if nothing waits. The first holds the text.
    pub files: Vec<PathBuf>,
    /// Cases with facts in them.
    pub cases: u32,
    /// Requests in them.
    pub requests: u32,
    /// Photos in them.
    pub photos: u32,
    /// Photos whose file is gone or damaged on this phone.
    pub unreadable: u32,
    /// Bytes of all files.
    pub bytes: u64,
}

impl Phone {
    /// Seals everything that was submitted and waits on this phone to the server's key: `out`, and if the photos do
    /// not fit into one file, `out.2`, `out.3`, …. Photos that were refused go too: the bundle may be carried to where
    /// they are taken. Drafts stay here. Nothing leaves the queue: a sync that works after all sends the same again,
    /// which is harmless.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`] without a server to seal to; [`PhoneError::File`] if a file can not be written.
    pub fn rescue(&self, out: &Path) -> Result<Rescued, PhoneError> {
        let row = self.store.phone()?;
        let (Some(device), Some(seed)) = (row.device, self.store.key_seed()?) else {
            return Err(PhoneError::NotEnrolled);
        };
        let sealer = Sealer { phone: self, device, key: SigningKey::from_bytes(&seed), server: sealing_key(&row)? };
        let mut done = Rescued::default();
        let mut contents = Contents::default();
        self.rescue_text(&row, &mut contents, &mut done)?;
        let mut filled: usize = contents.pages.iter().map(|page| page.len()).sum();
        for offer in self.store.unsent_photos()? {
            let length = usize::try_from(offer.bytes).unwrap_or(usize::MAX);
            if filled > 0 && filled.saturating_add(length) > limits::RESCUE_FILL {
                sealer.write(out, std::mem::take(&mut contents), &mut done)?;
                filled = 0;
            }
            let Ok(bytes) = self.files.read_at(&offer.sha256, 0, length.min(LARGEST_PHOTO)) else {
                // One lost file must not keep the others here.
                done.unreadable += 1;
                continue;
            };
            if PhotoHash::of(&bytes) != offer.sha256 {
                done.unreadable += 1;
                continue;
            }
            filled += bytes.len();
            contents.photos.push(RescuedPhoto { case: offer.case, sha256: offer.sha256, bytes });
            done.photos += 1;
        }
        if filled > 0 {
            sealer.write(out, contents, &mut done)?;
        }
        Ok(done)
    }

    /// Brings a bundle, of this phone or another, to the server at `url`.
    ///
    /// # Errors
    /// [`PhoneError::Server`] if it is no bundle or belongs to another server; [`PhoneError::Network`] without an
    /// answer: carry it again, copies are harmless.
    pub async fn carry(&self, url: &str, pin: Option<SpkiPin>, file: &Path) -> Result<(), PhoneError> {
        let bytes = self.files.read_chosen(&file.display().to_string(), limits::RESCUE as u64)?;
        let transport = (self.dialer)(url.trim().trim_end_matches('/'), pin)?;
        let request = Post {
            method: "POST",
            path: Bundle::PATH.to_owned(),
            headers: vec![("content-type", RESCUE_MEDIA_TYPE.to_owned())],
            body: Bytes::from(bytes),
            answer_limit: 64 << 10,
        };
        let answer = transport.send(request).await?;
        if answer.status == 202 { Ok(()) } else { Err(super::online::refused(&answer)) }
    }

    fn rescue_text(&self, row: &PhoneRow, contents: &mut Contents, done: &mut Rescued) -> Result<(), PhoneError> {
        let mut frames: Vec<Frame> = Vec::new();
        let mut bytes = 0;
        let mut write = |frames: &mut Vec<Frame>| {
            if !frames.is_empty() {
                contents.pages.push(codec::pack(&SyncUp { frames: std::mem::take(frames), ..self.page(row) }).into());
            }
        };
        for case in self.store.waiting_cases()? {
            // Its fresh changes are written down, so that a later sync sends the very same ones.
            let Some(mut rest) = self.store.freeze(case)? else { continue };
            done.cases += 1;
            loop {
                let fits = rest.fitting(limits::CHANGES_PER_CASE, PAGE);
                let changes = rest.changes.split_off(fits.min(rest.changes.len()));
                let part = std::mem::replace(&mut rest.changes, changes);
                let part = Outgoing::of(case, part, rest.submit);
                if bytes + part.bytes() > PAGE || frames.len() == limits::FRAMES {
                    write(&mut frames);
                    bytes = 0;
                }
                bytes += part.bytes();
                frames.push(part.frame());
                if rest.changes.is_empty() {
                    break;
                }
                // The rest builds on these: a page of its own.
                write(&mut frames);
                bytes = 0;
            }
        }
        write(&mut frames);
        let requests = self.store.waiting_requests()?;
        // After the facts: a request may be about a case that arrives with this bundle.
        for some in requests_by_page(&requests) {
            contents.pages.push(codec::pack(&SyncUp { requests: some.to_vec(), ..self.page(row) }).into());
        }
        done.requests = requests.len() as u32;
        Ok(())
    }

    fn page(&self, row: &PhoneRow) -> SyncUp {
        SyncUp { epoch: row.epoch, phone_time: self.clock.now().wall, ..SyncUp::default() }
    }
}

/// What every bundle of one rescue shares.
struct Sealer<'p> {
    phone: &'p Phone,
    device: DeviceId,
    key: SigningKey,
    server: [u8; 32],
}

impl Sealer<'_> {
    fn write(&self, out: &Path, contents: Contents, done: &mut Rescued) -> Result<(), PhoneError> {
        let counter = self.phone.store.next_counter()?;
        let fill = &mut |bytes: &mut [u8]| self.phone.entropy.fill(bytes);
        let bundle = Bundle::seal(&contents, self.device, counter, &self.key, &self.server, fill);
        let file = match done.files.len() {
            0 => out.to_owned(),
            before => PathBuf::from(format!("{}.{}", out.display(), before + 1)),
        };
        host::write_durably(&file, &bundle)?;
        done.files.push(file);
        done.bytes += bundle.len() as u64;
        Ok(())
    }
}

fn sealing_key(row: &PhoneRow) -> Result<[u8; 32], PhoneError> {
    let known = row.server.as_ref().ok_or(PhoneError::NotEnrolled)?;
    let mut key = [0; 32];
    hex::decode_to_slice(&known.sealing_key, &mut key).map_err(|_| {
        PhoneError::File(FileError::Other {
            path: "sealing key".to_owned(),
            reason: "the server gave no usable key at enrolment".to_owned(),
        })
    })?;
    Ok(key)
}

/// Pages that keep to the protocol's numbers and sizes.
fn requests_by_page(requests: &[Request]) -> impl Iterator<Item = &[Request]> {
    let mut rest = requests;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |request: &&Request| {
            bytes += request.payload.len() + 1_024;
            bytes <= PAGE
        };
        let length = rest.iter().take(limits::REQUESTS).take_while(fits).count();
        let (page, after) = rest.split_at(length);
        rest = after;
        (!page.is_empty()).then_some(page)
    })
}
