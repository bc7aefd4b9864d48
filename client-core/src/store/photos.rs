//! Photos of this phone and how far each got.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction};

use super::act::NewPhoto;
use super::{Store, StoreError};
use crate::model::{CaseId, Millis, PhotoHash, Sha256};
use crate::sync::{DataPlan, Leave, Room};
use crate::wire::{PhotoItem, PhotoOffer, limits};

/// A preview goes ahead of a photo at least so many times its size; before a smaller one it would only cost bytes.
const PREVIEW_PAYS: i64 = 4;

const PHOTOS: &str = "SELECT photo.case_id, photo.sha256, photo.bytes, photo.sent FROM photo \
                      JOIN case_local ON case_local.id = photo.case_id \
                      WHERE photo.state = 'waiting' AND case_local.state = 'submitted' AND ?1 > 0 ORDER BY photo.ord";

/// Photos of submitted cases that the server does not hold, whether it refused them or they wait.
const UNSENT: &str = "SELECT photo.case_id, photo.sha256, photo.bytes, 0 FROM photo \
                      JOIN case_local ON case_local.id = photo.case_id \
                      WHERE photo.state <> 'sent' AND case_local.state = 'submitted' AND ?1 > 0 ORDER BY photo.ord";

impl Store {
    /// The photo this phone made earlier for `case` from the same file, if it did.
    pub fn photo_made_from(&self, case: CaseId, original: &Sha256) -> Result<Option<PhotoHash>, StoreError> {
        const SQL: &str = "SELECT sha256 FROM photo WHERE case_id = ?1 AND original = ?2";
        self.read(|tx| {
            let mut statement = tx.prepare_cached(SQL)?;
            let mut rows = statement.query((case.as_bytes(), original.as_bytes()))?;
            Ok(rows.next()?.map(|row| row.get(0)).transpose()?.map(PhotoHash::from_bytes))
        })
    }

    /// Every photo a row names; files of others may be swept.
    pub fn named_photos(&self) -> Result<BTreeSet<PhotoHash>, StoreError> {
        self.read(|tx| {
            let mut statement = tx.prepare_cached("SELECT DISTINCT sha256 FROM photo")?;
            let rows = statement.query_map([], |row| row.get(0).map(PhotoHash::from_bytes))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// The small picture of a photo.
    pub fn preview(&self, case: CaseId, photo: &PhotoHash) -> Result<Option<Vec<u8>>, StoreError> {
        const SQL: &str = "SELECT preview FROM photo WHERE case_id = ?1 AND sha256 = ?2";
        self.read(|tx| {
            let mut statement = tx.prepare_cached(SQL)?;
            let mut rows = statement.query((case.as_bytes(), photo.as_bytes()))?;
            Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
        })
    }

    /// The small picture of a photo, whichever case it is of.
    pub fn preview_of(&self, photo: &PhotoHash) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(|tx| Ok(read_preview(tx, photo)?))
    }

    /// Every photo of a submitted case that waits or was refused, oldest first.
    pub fn unsent_photos(&self) -> Result<Vec<PhotoOffer>, StoreError> {
        self.read(|tx| unsent(tx, UNSENT, usize::MAX, |_, _| true))
    }

    /// True if the upload of a photo of this case was given up.
    pub fn is_photo_refused(&self, case: CaseId, photo: &PhotoHash) -> Result<bool, StoreError> {
        const SQL: &str =
            "SELECT EXISTS (SELECT 1 FROM photo WHERE case_id = ?1 AND sha256 = ?2 AND state = 'refused')";
        self.read(|tx| Ok(tx.prepare_cached(SQL)?.query_row((case.as_bytes(), photo.as_bytes()), |row| row.get(0))?))
    }

    /// Lets photos whose upload was given up be sent after all, in every case that names them; their bytes are durable.
    pub fn send_again(&self, photos: &[PhotoHash]) -> Result<(), StoreError> {
        const SEEN: &str = "UPDATE case_local SET attention = NULL, attention_at = NULL \
                            WHERE attention_at = 'photos' AND EXISTS (SELECT 1 FROM photo \
                            WHERE case_id = case_local.id AND sha256 = ?1 AND state = 'refused' AND code = attention)";
        const WAITS: &str =
            "UPDATE photo SET state = 'waiting', code = NULL, sent = 0 WHERE sha256 = ?1 AND state = 'refused'";
        self.write(|tx| {
            for photo in photos {
                tx.prepare_cached(SEEN)?.execute([photo.as_bytes()])?;
                tx.prepare_cached(WAITS)?.execute([photo.as_bytes()])?;
            }
            Ok(())
        })
    }

    /// Notes how far uploads got: bytes the server holds, true if that is all of it.
    pub fn photos_at(&self, photos: &[(PhotoItem, u64, bool)]) -> Result<(), StoreError> {
        self.write_with_mobile_data(|tx| {
            photos.iter().try_for_each(|(item, sent, complete)| advance(tx, item, *sent, *complete).map(drop))
        })
    }

    /// Stops an upload for good; the inspector sees why, unless it was only a preview.
    pub fn refuse_photo(&self, item: &PhotoItem, code: &str) -> Result<(), StoreError> {
        self.write(|tx| {
            let photo = match item {
                PhotoItem::Preview(photo) => return preview_done(tx, photo),
                PhotoItem::Full(photo) => photo,
            };
            let values = (photo.as_bytes(), code);
            tx.execute(
                "UPDATE photo SET state = 'refused', code = ?2 WHERE sha256 = ?1 AND state = 'waiting'",
                values,
            )?;
            tx.execute(
                "UPDATE case_local SET attention = ?2, attention_at = 'photos' WHERE attention IS NULL \
                 AND id IN (SELECT case_id FROM photo WHERE sha256 = ?1)",
                values,
            )?;
            Ok(())
        })
    }
}

/// Adds a photo to be uploaded; one the case has already stays as it is.
pub(super) fn insert(tx: &Transaction<'_>, case: CaseId, photo: &NewPhoto) -> Result<(), StoreError> {
    const SQL: &str = "INSERT INTO photo (case_id, sha256, state, bytes, original, preview) \
                       VALUES (?1, ?2, 'waiting', ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    let bytes = i64::try_from(photo.fact.bytes).unwrap_or(i64::MAX);
    let (sha256, original) = (photo.sha256.as_bytes(), photo.original.as_bytes());
    tx.prepare_cached(SQL)?.execute((case.as_bytes(), sha256, bytes, original, &photo.preview))?;
    Ok(())
}

/// Forgets a photo of a case.
pub(super) fn delete(tx: &Transaction<'_>, case: CaseId, photo: &PhotoHash) -> Result<(), StoreError> {
    let values = (case.as_bytes(), photo.as_bytes());
    tx.prepare_cached("DELETE FROM photo WHERE case_id = ?1 AND sha256 = ?2")?.execute(values)?;
    Ok(())
}

/// A photo no document will name is not sent.
pub(super) fn give_up(tx: &Transaction<'_>, case: CaseId, photo: &PhotoHash, code: &str) -> Result<(), StoreError> {
    const SQL: &str = "UPDATE photo SET state = 'refused', code = ?3 \
                       WHERE case_id = ?1 AND sha256 = ?2 AND state = 'waiting'";
    tx.prepare_cached(SQL)?.execute((case.as_bytes(), photo.as_bytes(), code))?;
    Ok(())
}

/// Why a photo of a case was given up; none if none was.
pub(super) fn why_refused(tx: &Transaction<'_>, case: CaseId) -> Result<Option<String>, StoreError> {
    const SQL: &str = "SELECT code FROM photo WHERE case_id = ?1 AND state = 'refused' ORDER BY ord LIMIT 1";
    Ok(tx.prepare_cached(SQL)?.query_row([case.as_bytes()], |row| row.get(0)).optional()?)
}

/// What waits of submitted cases, may go on this link and is not parked, oldest first: previews, then photos. Beside
/// it why something was held back, if anything was.
pub(super) fn waiting(
    tx: &Transaction<'_>,
    room: &Room,
    plan: &DataPlan,
) -> Result<(Vec<PhotoOffer>, Option<Leave>), StoreError> {
    const PREVIEWS: &str = "SELECT photo.case_id, photo.sha256, length(photo.preview), 0 FROM photo \
                            JOIN case_local ON case_local.id = photo.case_id \
                            WHERE photo.state = 'waiting' AND case_local.state = 'submitted' \
                            AND length(photo.preview) * ?1 <= photo.bytes \
                            AND photo.sha256 NOT IN (SELECT sha256 FROM preview_out) ORDER BY photo.ord";
    // What is under way will be paid for too.
    let mut plan = DataPlan { used: plan.used.saturating_add(room.under_way), ..*plan };
    let mut held = None;
    let mut may_go = |item: PhotoItem, left: u64| {
        if room.parked_photos.contains(&item) {
            return false;
        }
        let leave = plan.decide(item, left, room.by_hand);
        if leave == Leave::Send {
            plan.spend(left)
        } else {
            held = held.max(Some(leave))
        }
        leave == Leave::Send
    };
    let offers = room.offers.min(limits::PHOTOS);
    let mut found = unsent(tx, PREVIEWS, offers, |photo, left| may_go(PhotoItem::Preview(photo), left))?;
    for offer in &mut found {
        let preview = read_preview(tx, &offer.sha256)?.unwrap_or_default();
        offer.of = Some(offer.sha256);
        offer.sha256 = PhotoHash::of(&preview);
    }
    let photos = room.photos.min(offers - found.len());
    found.extend(unsent(tx, PHOTOS, photos, |photo, left| may_go(PhotoItem::Full(photo), left))?);
    Ok((found, held))
}

/// Why the oldest photo that waits may not go by itself.
pub(super) fn held(tx: &Transaction<'_>, plan: &DataPlan) -> Result<Option<Leave>, StoreError> {
    let mut held = None;
    unsent(tx, PHOTOS, 1, |photo, left| {
        held = Some(plan.decide(PhotoItem::Full(photo), left, false));
        true
    })?;
    Ok(held.filter(|leave| *leave != Leave::Send))
}

/// The first `most` rows of a query that `wanted` lets through by hash and bytes still to be sent, each photo once.
fn unsent(
    tx: &Transaction<'_>,
    sql: &str,
    most: usize,
    mut wanted: impl FnMut(PhotoHash, u64) -> bool,
) -> Result<Vec<PhotoOffer>, StoreError> {
    let mut statement = tx.prepare_cached(sql)?;
    let mut rows = statement.query([PREVIEW_PAYS])?;
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    while found.len() < most
        && let Some(row) = rows.next()?
    {
        let (sha256, bytes) = (PhotoHash::from_bytes(row.get(1)?), row.get::<_, i64>(2)?.unsigned_abs());
        let left = bytes.saturating_sub(row.get::<_, i64>(3)?.unsigned_abs());
        if seen.insert(sha256) && wanted(sha256, left) {
            found.push(PhotoOffer { case: CaseId::from_bytes(row.get(0)?), sha256, bytes, of: None });
        }
    }
    Ok(found)
}

fn read_preview(tx: &Transaction<'_>, photo: &PhotoHash) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut statement = tx.prepare_cached("SELECT preview FROM photo WHERE sha256 = ?1 LIMIT 1")?;
    statement.query_row([photo.as_bytes()], |row| row.get(0)).optional()
}

/// A preview is not offered any more.
fn preview_done(tx: &Transaction<'_>, photo: &PhotoHash) -> Result<(), StoreError> {
    let sql = "INSERT INTO preview_out (sha256) VALUES (?1) ON CONFLICT DO NOTHING";
    tx.prepare_cached(sql)?.execute([photo.as_bytes()])?;
    Ok(())
}

/// How many photos of submitted cases wait, and when the first of these cases was submitted; 0 for none.
pub(super) fn count_waiting(tx: &Transaction<'_>) -> Result<(u32, Millis), StoreError> {
    const SQL: &str = "SELECT COUNT(DISTINCT photo.sha256), \
                       COALESCE(MIN(COALESCE(case_local.submitted_at, case_local.created_at)), 0) FROM photo \
                       JOIN case_local ON case_local.id = photo.case_id \
                       WHERE photo.state = 'waiting' AND case_local.state = 'submitted'";
    Ok(tx.prepare_cached(SQL)?.query_row([], |row| Ok((row.get(0)?, Millis(row.get(1)?))))?)
}

/// Notes how far an upload got, for every case that names the photo; true if that is further than before.
pub(super) fn advance(tx: &Transaction<'_>, item: &PhotoItem, sent: u64, complete: bool) -> Result<bool, StoreError> {
    let photo = match item {
        PhotoItem::Full(photo) => photo,
        PhotoItem::Preview(photo) if complete => return preview_done(tx, photo).map(|()| true),
        // The server tells at every offer how much of it arrived.
        PhotoItem::Preview(_) => return Ok(false),
    };
    const KNOWN: &str = "SELECT MAX(sent) FROM photo WHERE sha256 = ?1 AND state = 'waiting'";
    let known: Option<i64> = tx.prepare_cached(KNOWN)?.query_row([photo.as_bytes()], |row| row.get(0))?;
    let Some(known) = known else { return Ok(false) };
    const SQL: &str = "UPDATE photo SET sent = CASE WHEN ?3 THEN bytes ELSE ?2 END, \
                       state = CASE WHEN ?3 THEN 'sent' ELSE state END WHERE sha256 = ?1 AND state = 'waiting'";
    let sent = i64::try_from(sent).unwrap_or(i64::MAX);
    tx.prepare_cached(SQL)?.execute((photo.as_bytes(), sent, complete))?;
    if complete {
        tx.prepare_cached("DELETE FROM preview_out WHERE sha256 = ?1")?.execute([photo.as_bytes()])?;
    }
    Ok(complete || sent > known)
}
