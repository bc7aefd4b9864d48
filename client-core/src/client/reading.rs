//! What the screens show.

use serde::Serialize;

use super::{
    CaseDetail, CaseItem, DataPlan, Leave, ListQuery, MyCounts, Phone, PhoneError, PhoneRow, Reference, StatusItem,
    Task, Unsent,
};
use crate::model::{CaseId, LocalDay, PhotoHash};

/// Where the phone stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PhoneStatus {
    /// Who this phone is and how far it has synced.
    #[serde(skip)]
    pub phone: PhoneRow,
    /// Its reports, newest first.
    pub items: Vec<StatusItem>,
    /// What is only here.
    pub unsent: Unsent,
    /// Why photos wait although there may be a network, if their rules hold them back.
    pub photos_held: Option<Leave>,
    /// The link, the rules for photos, and what this month has used.
    #[serde(skip)]
    pub data: DataPlan,
}

impl Phone {
    /// A page of cases, newest first, and where the next page begins.
    pub fn cases(&self, query: &ListQuery) -> Result<(Vec<CaseItem>, Option<i64>), PhoneError> {
        Ok(self.store.list(query)?)
    }

    /// Everything the phone knows of a case.
    ///
    /// # Errors
    /// [`PhoneError::UnknownCase`].
    pub fn case(&self, case: CaseId) -> Result<CaseDetail, PhoneError> {
        self.store.detail(case)?.ok_or(PhoneError::UnknownCase(case))
    }

    /// What waits for the signed-in user: verify and check tasks, reports sent back.
    pub fn tasks(&self) -> Result<Vec<Task>, PhoneError> {
        Ok(self.store.tasks()?)
    }

    /// How the signed-in user's reports of these days stand, both days included, as this phone knows them.
    pub fn my_counts(&self, from: LocalDay, to: LocalDay) -> Result<MyCounts, PhoneError> {
        Ok(self.store.my_counts(from, to)?)
    }

    /// Where the phone and each of its reports stand.
    pub fn status(&self) -> Result<PhoneStatus, PhoneError> {
        let (phone, items, unsent) = (self.store.phone()?, self.store.status_items()?, self.store.unsent()?);
        let now = self.clock.now().wall;
        let (photos_held, data) = (self.store.photos_held(now)?, self.store.data_plan(now)?);
        Ok(PhoneStatus { phone, items, unsent, photos_held, data })
    }

    /// What is only on this phone; cheaper than the whole status.
    pub fn unsent(&self) -> Result<Unsent, PhoneError> {
        Ok(self.store.unsent()?)
    }

    /// Who this phone is and how far it has synced.
    pub fn identity(&self) -> Result<PhoneRow, PhoneError> {
        Ok(self.store.phone()?)
    }

    /// Categories, grids, void reasons and units, for pickers.
    pub fn reference(&self) -> Result<Reference, PhoneError> {
        Ok(self.store.reference()?)
    }

    /// A small JPEG of one of this phone's photos.
    pub fn preview(&self, case: CaseId, photo: &PhotoHash) -> Result<Option<Vec<u8>>, PhoneError> {
        Ok(self.store.preview(case, photo)?)
    }

    /// The upload copy of one of this phone's photos.
    pub fn photo(&self, photo: &PhotoHash) -> Result<Vec<u8>, PhoneError> {
        Ok(self.files.read_at(photo, 0, usize::MAX)?)
    }
}
