//! What is still on which phone (手机), as each said when it was last heard: the office sees what has not arrived yet.

use xunge_client_core::model::{OrgCode, Role};

use super::people::Viewer;
use crate::auth::device::{self, DeviceInfo};
use crate::params;
use crate::store::{StoreError, Tx};

/// A phone with its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneRow {
    /// The phone.
    pub info: DeviceInfo,
    /// Name of its user.
    pub user_name: String,
    /// The unit its user works for.
    pub unit: Option<OrgCode>,
}

/// The phones a viewer answers for: a town office for its own people's, everybody else for those whose users work in
/// their part of the tree. Those with something waiting come first.
pub async fn list(tx: &mut dyn Tx, viewer: &Viewer) -> Result<Vec<PhoneRow>, StoreError> {
    let mut rows = Vec::new();
    for info in device::list(tx, None).await? {
        let user =
            tx.query_one("SELECT name, unit, scope FROM user_account WHERE id = ?1", params![&info.user]).await?;
        let unit: Option<OrgCode> = user.opt_text(1)?.and_then(|code| code.parse().ok());
        let scope: Option<OrgCode> = user.text(2)?.parse().ok();
        let seen = match viewer.role {
            Role::TownOffice => unit.is_some() && unit == viewer.unit,
            _ => scope.is_some_and(|scope| viewer.scope.contains(&scope)),
        };
        if seen {
            rows.push(PhoneRow { info, user_name: user.text(0)?.to_owned(), unit });
        }
    }
    rows.sort_by_key(|row| {
        let waiting = (row.info.waiting_cases, row.info.waiting_photos);
        (std::cmp::Reverse(waiting), row.unit.clone(), row.user_name.clone(), row.info.id)
    });
    Ok(rows)
}
