//! What people and programs do in the stories. Each step finds out what of it is done already: after a fault it is
//! simply done again, as a person would who looks at the screen first.

use std::collections::BTreeSet;

use bytes::Bytes;
use xunge_client_core::client::{PhotoInput, PhotoSource, Place, ReportInput};
use xunge_client_core::model::{CaseId, Mode, PhotoHash, PhotoRole, Sha256};
use xunge_client_core::photo::synthetic::{Moment, jpeg};
use xunge_client_core::workflow::{Payload, Verb};
use xunge_server::domain::commands::{Key, Wish};
use xunge_server::domain::uploads::{Begin, Owner, UploadError};

use super::check;
use super::promises::Promise;
use super::world::{Harm, Trouble, World, broken, noon, told};

/// In every text, so that a search for it tells whether words are left.
pub(super) const MARKER: &str = "marker-of-every-report";
/// Long enough for several pages of a database.
const PADDING: usize = 1_500;
/// Longer than bytes without a row are kept.
const LONG_MS: i64 = 40 * 86_400_000;

/// The longer side of a photo, pixels: what it adds to the smallest, and the smallest.
const SIDES: (u64, u32) = (144, 48);

/// A number that is the same in every life of a world.
pub(super) fn fixed(seed: u64, of: &str) -> u64 {
    u64::from_be_bytes(*Sha256::of(format!("{seed} {of}").as_bytes()).as_bytes().first_chunk().expect("32 bytes"))
}

impl World<'_> {
    /// True if `found` are the words of a report as promised, or, whole, those of a correction that was under way.
    pub(super) fn stand(&self, promised: &str, found: &str) -> bool {
        let parts: Vec<&str> = promised.split(' ').collect();
        let [_, name, edition, ..] = parts[..] else { return false };
        let edition: u32 = edition.parse().expect("words of ours");
        found == promised || found == self.words(name, edition + 1)
    }

    fn words(&self, name: &str, edition: u32) -> String {
        let padding = fixed(self.seed, name) as usize % PADDING;
        format!("{MARKER} {name} {edition} {}", "路".repeat(padding / 3))
    }

    fn photo(&self, name: &str, moment: Moment) -> PhotoInput {
        let role = if moment == Moment::Before { PhotoRole::Before } else { PhotoRole::After };
        PhotoInput { role, source: PhotoSource::Bytes(self.picture(name, moment)) }
    }

    /// From one page of a database to several.
    fn picture(&self, name: &str, moment: Moment) -> Vec<u8> {
        let side = SIDES.1 + (fixed(self.seed, &format!("side of {name}")) % SIDES.0) as u32;
        jpeg(fixed(self.seed, name), moment, side, side * 2 / 3)
    }

    /// The case of a report, and its words, if the phone shows it.
    fn find(&mut self, name: &str) -> Result<Option<(CaseId, String)>, Trouble> {
        let phone = self.phone()?;
        let start = format!("{MARKER} {name} ");
        for case in check::cases(phone)? {
            let text = phone.case(case).map_err(told)?.facts.description;
            if text.starts_with(&start) {
                return Ok(Some((case, text)));
            }
        }
        Ok(None)
    }

    fn known(&mut self, name: &str) -> Result<CaseId, Trouble> {
        self.find(name)?.map(|(case, _)| case).ok_or_else(|| broken(Harm::Lost, format!("report {name}")))
    }

    /// The screen says "saved".
    fn saved(&mut self, case: CaseId) -> Result<(), Trouble> {
        let facts = self.phone()?.case(case).map_err(told)?.facts;
        let photos: BTreeSet<PhotoHash> = facts.photos.keys().copied().collect();
        self.promise(Promise::Saved { case, words: facts.description, photos });
        Ok(())
    }

    /// Reports what was fixed on the spot, with two photos or three.
    pub(super) fn report_with_photos(&mut self, name: &str) -> Result<(), Trouble> {
        let mut photos = vec![self.photo(name, Moment::Before), self.photo(name, Moment::After)];
        if fixed(self.seed, "photos").is_multiple_of(2) {
            photos.push(self.photo(&format!("{name} aside"), Moment::Before));
        }
        self.report(name, Mode::SelfHandled, photos)
    }

    /// Reports in words only.
    pub(super) fn report_in_words(&mut self, name: &str) -> Result<(), Trouble> {
        self.report(name, Mode::Forwarded, Vec::new())
    }

    fn report(&mut self, name: &str, mode: Mode, photos: Vec<PhotoInput>) -> Result<(), Trouble> {
        let input = ReportInput {
            category: Some("xixia-2023:event:XX0201".to_owned()),
            text: Some(self.words(name, 0)),
            place: Some(Place::pin(106.13, 38.49)),
            mode: Some(mode),
            photos,
            ..ReportInput::default()
        };
        let case = match self.find(name)? {
            Some((case, _)) => case,
            None => self.phone()?.report(&input).map_err(told)?.id,
        };
        self.saved(case)
    }

    /// Corrects the words.
    pub(super) fn correct(&mut self, name: &str, edition: u32) -> Result<(), Trouble> {
        let (case, text) = self.find(name)?.ok_or_else(|| broken(Harm::Lost, format!("report {name}")))?;
        let words = self.words(name, edition);
        if text != words {
            let input = ReportInput { text: Some(words), ..ReportInput::default() };
            self.phone()?.update(case, &input).map_err(told)?;
        }
        self.saved(case)
    }

    /// Adds a photo; one that is there already is the same photo.
    pub(super) fn attach(&mut self, name: &str) -> Result<(), Trouble> {
        let case = self.known(name)?;
        let photo = self.photo(&format!("{name} again"), Moment::Before);
        self.phone()?.attach_photo(case, photo).map_err(told)?;
        self.saved(case)
    }

    /// The app leaves the screen.
    pub(super) fn background(&mut self) -> Result<(), Trouble> {
        self.phone()?.on_background().map_err(told)
    }

    /// Everything on the phone goes.
    pub(super) fn wipe(&mut self) -> Result<(), Trouble> {
        self.phone()?.wipe(false).map_err(told)?;
        self.promise(Promise::Wiped);
        Ok(())
    }

    /// The office decides, and its program repeats the request when no answer came.
    pub(super) fn file(&mut self, name: &str) -> Result<(), Trouble> {
        let case = self.known(name)?;
        let seed = self.seed;
        let centre = self.centre()?;
        let known = centre.case(case).ok_or_else(|| broken(Harm::Lost, format!("case of report {name}")))?;
        let office = known.ledger.office.map(|office| office.as_str().to_owned()).unwrap_or_default();
        let users = centre.rows(
            "SELECT id FROM user_account WHERE unit = ?1 AND role = 'town_office' ORDER BY id LIMIT 1",
            xunge_server::params![office].to_vec(),
        );
        let user = users.first().map(|row| row.text(0).unwrap().to_owned()).unwrap_or_default();
        let viewer = centre.viewer(&user);
        let payload = Payload { mode: Some(Mode::Forwarded), ..Payload::default() };
        let key = format!("{:x}", fixed(seed, name));
        let key = Key { key, route: format!("POST /v1/cases/{case}/events"), body: Sha256::of(name.as_bytes()) };
        let wish = Wish { case, verb: Verb::File, expected_version: 1, payload, key };
        let reply = centre.execute(&viewer, wish).map_err(told)?;
        if !reply.body.contains("\"version\":2") {
            return Err(broken(Harm::Other, format!("the answer to a decision: {}", reply.body)));
        }
        self.hold()
    }

    /// Someone at an office uploads a photo in three requests, of which the second breaks off.
    pub(super) fn office_photo(&mut self, name: &str, user: &str) -> Result<(), Trouble> {
        let bytes = self.picture(name, Moment::Before);
        let owner = Owner::User(user.to_owned());
        let fresh = self.fresh();
        let centre = self.centre()?;
        let begin = Begin { length: bytes.len() as u64, sha256: Some(PhotoHash::of(&bytes)), fresh };
        let begun = centre.wait(centre.uploads().begin(&owner, begin)).map_err(told)?;
        let third = bytes.len() as u64 / 3;
        let mut offset = begun.offset;
        let mut complete = begun.complete;
        while !complete {
            let end = if offset < third { third } else { (offset + third + 1).min(bytes.len() as u64) };
            let piece = Bytes::copy_from_slice(&bytes[offset as usize..end as usize]);
            let cut = offset > 0 && end < bytes.len() as u64;
            let body = futures::stream::iter(std::iter::once(Ok(piece)).chain(cut.then_some(Err(()))));
            let progress = centre.wait(centre.uploads().append(&owner, begun.target, offset, body, None));
            match progress {
                Ok(progress) => (offset, complete) = (progress.offset, progress.complete),
                // What the server had of it was of no use: from the start, as it says.
                Err(UploadError::Hash) => offset = 0,
                Err(error) => return Err(told(error)),
            }
        }
        self.hold()
    }

    /// Photos without a row go, once nobody can come back for them.
    pub(super) fn sweep(&mut self) -> Result<(), Trouble> {
        let centre = self.centre()?;
        let now = noon().plus_ms(20 * 365 * 86_400_000);
        for at in [now, now.plus_ms(LONG_MS)] {
            centre.wait(centre.uploads().sweep_orphans(at)).map_err(told)?;
        }
        centre.wait(centre.uploads().expire(noon())).map_err(told)?;
        centre.wait(centre.blobs().settle()).map_err(told)?;
        self.hold()
    }

    /// A backup, unless it is there already.
    pub(super) fn back_up(&mut self) -> Result<(), Trouble> {
        let copy = self.centre_folder().join("backup.db");
        let rows = check::holdings(self.centre()?);
        if !copy.exists() {
            self.centre()?.store().backup_blocking(&copy).map_err(told)?;
        }
        self.promise(Promise::BackedUp { copy: "backup.db".into(), rows });
        Ok(())
    }

    /// The centre ends properly and starts again.
    pub(super) fn restart_centre(&mut self) -> Result<(), Trouble> {
        let centre = self.centre()?;
        centre.wait(centre.blobs().settle()).map_err(told)?;
        let closed = centre.store().close_blocking().map_err(told);
        self.stop();
        closed?;
        self.at_rest()?;
        self.centre()?;
        self.hold()
    }
}
