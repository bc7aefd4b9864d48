//! What is still on which phone (手机), as each said when it was last heard: the office sees what has not arrived yet.

use xunge_client_core::model::{CaseId, DeviceId, Millis, OrgCode, Role};

use super::audit;
use super::people::Viewer;
use crate::auth::device::{self, COLUMNS, DeviceInfo, WIDTH};
use crate::auth::{account, enrol};
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

/// One phone of those a viewer answers for.
pub async fn one(tx: &mut dyn Tx, viewer: &Viewer, id: DeviceId) -> Result<Option<PhoneRow>, StoreError> {
    Ok(list(tx, viewer).await?.into_iter().find(|row| row.info.id == id))
}

/// Cases with photos that were announced by a phone and have not come, with how many; the oldest hundred.
///
/// Which reports wait on a phone nobody knows before it sends them; of those only their number is told.
pub async fn missing_photos(tx: &mut dyn Tx, id: DeviceId) -> Result<Vec<(CaseId, i64)>, StoreError> {
    let sql = "SELECT case_id, COUNT(*) FROM photo WHERE device = ?1 AND present = 0 GROUP BY case_id
        ORDER BY case_id LIMIT 100";
    let rows = tx.query(sql, params![id.as_bytes()]).await?;
    rows.iter().map(|row| Ok((CaseId::from_bytes(row.array(0)?), row.int(1)?))).collect()
}

/// Makes a one-time code known by which a phone of `user` may join; false if there is no such user, or a closed one.
pub async fn add_code(tx: &mut dyn Tx, by: &str, user: &str, code: &str, now: Millis) -> Result<bool, StoreError> {
    let open = account::find(tx, user).await?.is_some_and(|account| account.disabled_at.is_none());
    if open {
        enrol::add_code(tx, user, code, now).await?;
        audit::append(tx, &audit::Entry { at: now, actor: by, action: "device.code", subject: user, detail: "{}" })
            .await?;
    }
    Ok(open)
}

/// Shuts a phone out for good; false if there is none.
pub async fn revoke(tx: &mut dyn Tx, by: &str, id: DeviceId, now: Millis) -> Result<bool, StoreError> {
    let known = device::revoke(tx, id, now).await?;
    if known {
        let subject = id.to_string();
        let entry = audit::Entry { at: now, actor: by, action: "device.revoked", subject: &subject, detail: "{}" };
        audit::append(tx, &entry).await?;
    }
    Ok(known)
}
