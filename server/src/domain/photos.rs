//! Photos of a case, for whoever may see the case. Never by hash alone: knowing a hash is not a right to a photo.

use xunge_client_core::model::{CaseId, PhotoHash};

use super::scope::{Keys, Scope};
use crate::params;
use crate::store::{StoreError, Tx};

/// A photo that a visible case names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CasePhoto {
    /// Media type its bytes turned out to have; none until they are here.
    pub mime: Option<String>,
    /// Until then the small picture its phone sent ahead, as it came: bytes of a stranger.
    pub preview: Option<Vec<u8>>,
}

/// The preview of a row of `photo`: from a phone of the person who announced it, and while the photo is missing.
pub(super) const PREVIEW: &str =
    "(SELECT v.bytes FROM photo_preview v WHERE photo.present = 0 AND v.photo = photo.sha256
     AND v.bytes IS NOT NULL AND (v.device = photo.device OR v.device IN
     (SELECT id FROM device WHERE user_id = (SELECT user_id FROM device WHERE id = photo.device))) LIMIT 1)";

/// Looks a photo up; none if the case lies outside the scope or does not name it.
pub async fn find(
    tx: &mut dyn Tx,
    scope: &Scope,
    case: CaseId,
    photo: PhotoHash,
) -> Result<Option<CasePhoto>, StoreError> {
    let sql = format!("SELECT {} FROM case_row WHERE id = ?1", Keys::COLUMNS);
    let keys = tx.query_opt(&sql, params![case.as_bytes()]).await?.map(|row| Keys::read(&row, 0)).transpose()?;
    if !keys.is_some_and(|keys| scope.covers(&keys)) {
        return Ok(None);
    }
    let sql = format!(
        "SELECT blob.mime, {PREVIEW} FROM photo LEFT JOIN blob ON blob.sha256 = photo.sha256 AND photo.present = 1
         WHERE photo.case_id = ?1 AND photo.sha256 = ?2"
    );
    let row = tx.query_opt(&sql, params![case.as_bytes(), photo.as_bytes()]).await?;
    row.map(|row| {
        let (mime, preview) = (row.opt_text(0)?.map(str::to_owned), row.opt_blob(1)?.map(<[u8]>::to_vec));
        Ok(CasePhoto { mime, preview })
    })
    .transpose()
}
