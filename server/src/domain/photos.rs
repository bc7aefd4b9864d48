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
}

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
    let row = tx
        .query_opt(
            "SELECT blob.mime FROM photo LEFT JOIN blob ON blob.sha256 = photo.sha256 AND photo.present = 1
             WHERE photo.case_id = ?1 AND photo.sha256 = ?2",
            params![case.as_bytes(), photo.as_bytes()],
        )
        .await?;
    row.map(|row| Ok(CasePhoto { mime: row.opt_text(0)?.map(str::to_owned) })).transpose()
}
