//! What is still on which phone (手机), as each said when it was last heard: the office sees what has not arrived yet.

use xunge_client_core::model::{OrgCode, Role};

use super::people::Viewer;
use crate::auth::device::{self, COLUMNS, DeviceInfo, WIDTH};
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
    let unit = match viewer.role {
        Role::TownOffice => viewer.unit.as_ref().map(OrgCode::as_str),
        _ => None,
    };
    let sql = format!(
        "SELECT {COLUMNS}, u.name, u.unit, u.scope FROM device d JOIN user_account u ON u.id = d.user_id
         WHERE ?1 IS NULL OR u.unit = ?1"
    );
    let mut rows = Vec::new();
    for row in tx.query(&sql, params![unit]).await? {
        let scope: Option<OrgCode> = row.text(WIDTH + 2)?.parse().ok();
        let seen = match viewer.role {
            Role::TownOffice => unit.is_some(),
            _ => scope.is_some_and(|scope| viewer.scope.contains(&scope)),
        };
        if seen {
            let unit = row.opt_text(WIDTH + 1)?.and_then(|code| code.parse().ok());
            rows.push(PhoneRow { info: device::read(&row)?, user_name: row.text(WIDTH)?.to_owned(), unit });
        }
    }
    rows.sort_by_key(|row| {
        let waiting = (row.info.waiting_cases, row.info.waiting_photos);
        (std::cmp::Reverse(waiting), row.unit.clone(), row.user_name.clone(), row.info.id)
    });
    Ok(rows)
}
