//! Photos: whole on the phone until the centre has them, and at the centre from then on.

use std::collections::BTreeMap;

use rusqlite::Connection;
use xunge_client_core::model::{CaseId, PhotoHash};

use super::end::AtCentre;
use crate::sim::phone::SimPhone;
use crate::sim::world::World;
use crate::sim::{Held, hold};

impl World {
    /// Every photo of something saved is on the phone, whole, until the centre has it.
    pub(super) fn check_photos(&self, name: usize, look: &Connection) -> Held {
        let mut photos = look.prepare_cached("SELECT case_id, sha256 FROM photo WHERE state = 'waiting'").unwrap();
        let rows = photos.query_map([], |row| Ok((CaseId::from_bytes(row.get(0)?), row.get(1)?))).unwrap();
        for row in rows {
            let (case, photo) = row.unwrap();
            let photo = PhotoHash::from_bytes(photo);
            hold(self.phones[name].files.holds(&photo), "a saved photo stays on the phone", || {
                format!("phone {name} case {case} photo {photo}")
            })?;
        }
        Ok(())
    }

    /// What a phone of this epoch counts as sent is at the centre, every byte of it, in the name of its person.
    pub(super) fn check_photos_sent(&mut self, name: usize, look: &Connection) -> Held {
        let mut photos = look.prepare_cached("SELECT case_id, sha256 FROM photo WHERE state = 'sent'").unwrap();
        let rows = photos.query_map([], |row| Ok((CaseId::from_bytes(row.get(0)?), row.get(1)?))).unwrap();
        for row in rows {
            let (case, photo) = row.unwrap();
            let photo = PhotoHash::from_bytes(photo);
            if self.sent.photos.contains(&photo) {
                continue;
            }
            let kept = self.centre.keeps(&photo, &self.phones[name].user.user);
            hold(kept, "a photo shown as sent is at the centre", || format!("phone {name} case {case} photo {photo}"))?;
            self.sent.photos.insert(photo);
        }
        Ok(())
    }

    /// At the end every photo that was shown as saved is with its case, or its phone shows that it was refused.
    pub(super) fn check_pictures(&mut self, held: &BTreeMap<CaseId, AtCentre>) -> Held {
        self.counted.photos = self.promises.photos.len() as u64;
        for ((case, photo), phones) in &self.promises.photos {
            // Drafts stay on their phones.
            if !held.contains_key(case) {
                continue;
            }
            let found = self.centre.photo_of(*case, photo);
            let refused = || phones.iter().any(|phone| self.shows_photo_refused(*phone, *case, photo));
            let here = match found {
                Some(present) => present,
                None => refused(),
            };
            hold(here, "no saved photo is lost", || format!("{photo} of case {case} of phones {phones:?}: {found:?}"))?;
        }
        for (case, photo) in self.centre.missing_photos() {
            let waits = |phone: &&SimPhone| {
                phone.holds_photo(case, &photo) && !self.shows_photo_refused(phone.name, case, &photo)
            };
            let holder = self.phones.iter().find(waits);
            hold(holder.is_none(), "no case waits for a photo that a phone has", || {
                format!("{photo} of case {case}, on phone {:?}", holder.map(|phone| phone.name))
            })?;
        }
        Ok(())
    }

    fn shows_photo_refused(&self, phone: usize, case: CaseId, photo: &PhotoHash) -> bool {
        let look = self.phones[phone].look();
        let sql = "SELECT 1 FROM photo WHERE case_id = ?1 AND sha256 = ?2 AND state = 'refused'";
        self.shows_refused(phone, &photo.to_string())
            || look.prepare_cached(sql).unwrap().exists((case.as_bytes(), photo.as_bytes())).unwrap()
    }
}
