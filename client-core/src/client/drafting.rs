//! Drafting, correcting, reporting, asking. All of it offline.

use crate::doc::Edit;
use crate::failpoint::{self, At};
use crate::model::{
    CaseId, CategoryRef, CoordSys, Facts, Millis, Mode, OrgCode, PhotoFact, PhotoHash, PhotoRole, Point, Remark,
    Sha256, Ulid,
};
use crate::photo::{self, Limits};
use crate::platform::random;
use crate::store::{CaseItem, CategoryFound, NewPhoto, Step};
use crate::sync::Reason;
use crate::workflow::{Payload, Verb};

use super::{Phone, PhoneError, PhotoInput, PhotoSource, Place, ReportInput};

impl Phone {
    /// Saves a draft. It stays on this phone until it is submitted.
    ///
    /// # Errors
    /// [`PhoneError`]; nothing was saved then, not even a part.
    pub fn draft(&self, input: &ReportInput) -> Result<CaseItem, PhoneError> {
        self.save_new(input, false)
    }

    /// Drafts and submits in one: saved when it returns, sent when there is a network.
    ///
    /// # Errors
    /// [`PhoneError`]; nothing was saved then, not even a part.
    pub fn report(&self, input: &ReportInput) -> Result<CaseItem, PhoneError> {
        self.save_new(input, true)
    }

    /// Changes what is given and adds the photos.
    ///
    /// Works before and after submitting; once the office filed the case only remarks and supplements are taken.
    ///
    /// # Errors
    /// [`PhoneError`]; nothing was changed then.
    pub fn update(&self, case: CaseId, input: &ReportInput) -> Result<CaseItem, PhoneError> {
        let _saving = self.saving();
        let known = self.store.detail(case)?.ok_or(PhoneError::UnknownCase(case))?;
        let steps = self.steps(input, Some(&known.facts), case)?;
        self.act(case, false, &steps)
    }

    /// Adds one photo. One the case has already in this role is sent again if its upload was given up.
    ///
    /// # Errors
    /// [`PhoneError::Photo`] for a file that is no usable photo, [`PhoneError::PhotoTwice`] for one already there.
    pub fn attach_photo(&self, case: CaseId, photo: PhotoInput) -> Result<CaseItem, PhoneError> {
        self.update(case, &ReportInput { photos: vec![photo], ..ReportInput::default() })
    }

    /// Takes a photo off that was never sent.
    ///
    /// # Errors
    /// [`PhoneError::Act`] if it was sent already.
    pub fn detach_photo(&self, case: CaseId, photo: PhotoHash) -> Result<CaseItem, PhoneError> {
        self.act(case, false, &[Step::Detach(photo)])
    }

    /// Submits a draft: saved as submitted when it returns, sent when there is a network.
    ///
    /// # Errors
    /// [`PhoneError::Act`] if it lacks something or was submitted before.
    pub fn submit(&self, case: CaseId) -> Result<CaseItem, PhoneError> {
        self.act(case, false, &[Step::Submit])
    }

    /// Deletes a draft.
    ///
    /// # Errors
    /// [`PhoneError::Act`] if it was submitted; ask to withdraw it then.
    pub fn discard(&self, case: CaseId) -> Result<(), PhoneError> {
        Ok(self.store.discard(case)?)
    }

    /// Adds a remark; on a case that ended more than seven days ago it becomes a supplement.
    ///
    /// # Errors
    /// [`PhoneError`]; nothing was saved then.
    pub fn remark(&self, case: CaseId, text: &str) -> Result<CaseItem, PhoneError> {
        let now = self.now();
        let key = Ulid::from_parts(now, random(self.entropy.as_ref())).to_string();
        let remark = Remark { text: text.to_owned(), at: now };
        self.act(case, false, &[Step::Edit(vec![Edit::AddRemark(key, remark)])])
    }

    /// Asks something of the office: withdraw, route_change, verify_reply, check_reply, handover, appeal, or submit
    /// after the office sent the report back. Photos become part of the case and evidence of the request.
    ///
    /// # Errors
    /// [`PhoneError::Act`] with the reason if the case as known here does not allow it.
    pub fn request(
        &self,
        case: CaseId,
        verb: Verb,
        mut payload: Payload,
        photos: &[PhotoInput],
    ) -> Result<CaseItem, PhoneError> {
        let _saving = self.saving();
        let known = self.store.detail(case)?.ok_or(PhoneError::UnknownCase(case))?;
        let photos = self.take_in(photos, Some(&known.facts), case)?;
        payload.photos.extend(photos.iter().map(|photo| photo.sha256));
        let mut steps: Vec<Step> = photos.into_iter().map(Step::Attach).collect();
        steps.push(Step::Request { verb, payload: Box::new(payload) });
        self.act(case, false, &steps)
    }

    /// Marks what needed the inspector's eye as seen.
    pub fn seen(&self, case: CaseId) -> Result<(), PhoneError> {
        Ok(self.store.set_attention(case, None)?)
    }

    /// The grid this point lies in, by the polygons on the phone; none outside all of them.
    pub fn grid_at(&self, place: &Place) -> Result<Option<OrgCode>, PhoneError> {
        Ok(self.store.grid_at(point_of(place)?.to_wgs84(place.system))?)
    }

    fn save_new(&self, input: &ReportInput, submit: bool) -> Result<CaseItem, PhoneError> {
        let _saving = self.saving();
        let case = CaseId::from_parts(self.now(), random(self.entropy.as_ref()));
        let mut steps = self.steps(input, None, case)?;
        if submit {
            steps.push(Step::Submit);
        }
        self.act(case, true, &steps)
    }

    fn act(&self, case: CaseId, create: bool, steps: &[Step]) -> Result<CaseItem, PhoneError> {
        let item = self.store.act(case, create, steps, self.now())?;
        failpoint::reach(At::PhoneReportSaved);
        self.tell(Reason::Changed);
        Ok(item)
    }

    fn now(&self) -> Millis {
        self.clock.now().wall
    }

    /// What `input` does to a case: the edits, then the photos, whose bytes are durable when this returns.
    fn steps(&self, input: &ReportInput, known: Option<&Facts>, case: CaseId) -> Result<Vec<Step>, PhoneError> {
        let edits = self.edits(input, known)?;
        let photos = self.take_in(&input.photos, known, case)?;
        let mut steps = Vec::with_capacity(photos.len() + 2);
        if !edits.is_empty() {
            steps.push(Step::Edit(edits));
        }
        steps.extend(photos.into_iter().map(Step::Attach));
        Ok(steps)
    }

    fn edits(&self, input: &ReportInput, known: Option<&Facts>) -> Result<Vec<Edit>, PhoneError> {
        let mut edits = Vec::new();
        if let Some(category) = &input.category {
            edits.push(Edit::CategoryClaim(Some(self.category(category, known)?)));
        }
        if let Some(place) = &input.place {
            self.place_edits(place, &mut edits)?;
        }
        edits.extend(input.text.clone().map(Edit::Description));
        edits.extend(input.location_text.clone().map(Edit::LocationText));
        edits.extend(input.handle_note.clone().map(Edit::HandleNote));
        edits.extend(input.mode.map(|mode| Edit::ModeClaim(Some(mode))));
        let found = input.discovered_at.or(known.is_none().then(|| self.now()));
        edits.extend(found.map(|at| Edit::DiscoveredAt(Some(at))));
        let handled = input.handled_at.or(self.handled_now(input, known));
        edits.extend(handled.map(|at| Edit::HandledAt(Some(at))));
        Ok(edits)
    }

    /// The category a text names. A retired one only stays where it is.
    fn category(&self, text: &str, known: Option<&Facts>) -> Result<CategoryRef, PhoneError> {
        let CategoryFound { category, name, retired } = self.store.find_category(text)?;
        let stays = known.and_then(|facts| facts.category_claim.as_ref()) == Some(&category);
        match retired && !stays {
            true => Err(PhoneError::RetiredCategory(name.unwrap_or_else(|| category.to_string()))),
            false => Ok(category),
        }
    }

    /// A self-handled report gets its after photo when the work is done.
    fn handled_now(&self, input: &ReportInput, known: Option<&Facts>) -> Option<Millis> {
        let mode = input.mode.or(known.and_then(|facts| facts.mode_claim));
        let has_after = input.photos.iter().any(|photo| photo.role == PhotoRole::After);
        let told = known.is_some_and(|facts| facts.handled_at.is_some());
        (mode == Some(Mode::SelfHandled) && has_after && !told).then(|| self.now())
    }

    fn place_edits(&self, place: &Place, edits: &mut Vec<Edit>) -> Result<(), PhoneError> {
        let grid = self.grid_at(place)?;
        edits.extend([
            Edit::Point(Some(point_of(place)?)),
            Edit::CoordSys(Some(place.system)),
            Edit::LocationSource(Some(place.source)),
            Edit::AccuracyM(place.accuracy_m),
            Edit::FixAgeS(place.fix_age_s),
            // Outside every grid the old claim would be wrong too.
            Edit::GridClaim(grid.map(|grid| grid.as_str().to_owned())),
        ]);
        Ok(())
    }

    fn take_in(&self, photos: &[PhotoInput], known: Option<&Facts>, case: CaseId) -> Result<Vec<NewPhoto>, PhoneError> {
        let limits = Limits::default();
        let mut taken: Vec<(NewPhoto, Vec<u8>)> = Vec::with_capacity(photos.len());
        let mut given_up: Vec<(PhotoHash, Vec<u8>)> = Vec::new();
        for input in photos {
            let read;
            let bytes = match &input.source {
                PhotoSource::Bytes(bytes) => bytes,
                PhotoSource::Path(path) => {
                    read = self.files.read_chosen(path, limits.max_file_bytes)?;
                    &read
                }
            };
            let made = photo::intake(bytes, &limits)?;
            let sha256 = PhotoHash::from_bytes(made.sha256);
            let there = known.and_then(|facts| facts.photos.get(&sha256)).map(|photo| photo.role);
            let again = taken.iter().find(|(photo, _)| photo.sha256 == sha256).map(|(photo, _)| photo.fact.role);
            match there.or(again) {
                // The same photo in the same role again: nothing to add, but a way back for one that was refused.
                Some(role) if role == input.role => {
                    if self.store.is_photo_refused(case, &sha256)? {
                        given_up.push((sha256, made.upload));
                    }
                    continue;
                }
                Some(_) => return Err(PhoneError::PhotoTwice),
                None => {}
            }
            let fact = PhotoFact {
                role: input.role,
                mime: made.mime.to_owned(),
                bytes: made.upload.len() as u64,
                w: made.width,
                h: made.height,
                taken_at: made.meta.taken_at_ms.map(Millis),
            };
            let original = Sha256::from_bytes(made.original_sha256);
            taken.push((NewPhoto { sha256, fact, original, preview: made.preview }, made.upload));
        }
        let room = Facts::MAX_PHOTOS.saturating_sub(known.map_or(0, |facts| facts.photos.len()));
        if taken.len() > room {
            let why = format!("{case}: at most {} photos", Facts::MAX_PHOTOS);
            return Err(PhoneError::Invalid { field: "photos", why });
        }
        let fresh = taken.iter().map(|(photo, upload)| (photo.sha256, upload.as_slice()));
        let again = given_up.iter().map(|(photo, upload)| (*photo, upload.as_slice()));
        let files: Vec<(PhotoHash, &[u8])> = fresh.chain(again).collect();
        self.files.save(&files)?;
        if !files.is_empty() {
            failpoint::reach(At::PhonePhotosSaved);
        }
        if !given_up.is_empty() {
            let photos: Vec<PhotoHash> = given_up.iter().map(|(photo, _)| *photo).collect();
            self.store.send_again(&photos)?;
        }
        Ok(taken.into_iter().map(|(photo, _)| photo).collect())
    }
}

fn point_of(place: &Place) -> Result<Point, PhoneError> {
    Point::from_degrees(place.lon, place.lat).ok_or_else(|| PhoneError::Invalid {
        field: "place",
        why: format!("{}, {} is not on the globe ({})", place.lon, place.lat, CoordSys::code(place.system)),
    })
}
