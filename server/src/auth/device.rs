//! Enrolled phones (终端): whose they are, and whether they still may speak.

use xunge_client_core::model::{DeviceId, Millis};

use crate::params;
use crate::store::{Row, StoreError, Tx};

/// A phone as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Its id.
    pub id: DeviceId,
    /// Whose it is.
    pub user: String,
    /// What its owner calls it.
    pub name: String,
    /// When it joined.
    pub enrolled_at: Millis,
    /// When it was shut out.
    pub revoked_at: Option<Millis>,
    /// When a second copy of it was noticed.
    pub cloned_at: Option<Millis>,
    /// When it last proved itself.
    pub last_seen_at: Option<Millis>,
    /// Cases it last said were still only on it.
    pub waiting_cases: i64,
    /// Photos it last said were still only on it.
    pub waiting_photos: i64,
    /// Since when the oldest of that has been there (see [`crate::domain::phones::heard`]).
    waiting_since: Option<Millis>,
}

impl DeviceInfo {
    /// True if the phone last said that something was still only on it.
    pub fn waits(&self) -> bool {
        self.waiting_cases > 0 || self.waiting_photos > 0
    }

    /// Since when the oldest of what waits has been on the phone; none if nothing waits, or the phone did not say.
    pub fn waiting_since(&self) -> Option<Millis> {
        self.waiting_since.filter(|_| self.waits())
    }
}

/// The columns to select from `device d` for [`read`], and how many they are.
pub(crate) const COLUMNS: &str = "d.id, d.user_id, d.name, d.enrolled_at, d.revoked_at, d.cloned_at, d.last_seen_at,
    d.waiting_cases, d.waiting_photos, d.waiting_since";
/// See [`COLUMNS`].
pub(crate) const WIDTH: usize = 10;

/// Every phone, or those of one user, newest first.
pub async fn list(tx: &mut dyn Tx, user: Option<&str>) -> Result<Vec<DeviceInfo>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM device d WHERE ?1 IS NULL OR user_id = ?1 ORDER BY enrolled_at DESC, id");
    tx.query(&sql, params![user]).await?.iter().map(read).collect()
}

/// Adds a phone that has not spoken yet.
pub(crate) async fn add(
    tx: &mut dyn Tx,
    id: DeviceId,
    user: &str,
    public_key: &[u8; 32],
    name: &str,
    now: Millis,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO device (id, user_id, public_key, counter_window, name, enrolled_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![id.as_bytes(), user, public_key, Vec::new(), name, now.0],
    )
    .await?;
    // It may be a phone that joined before, with everything it held then.
    tx.execute(
        "INSERT INTO device_view (device, grid) SELECT DISTINCT ?1, v.grid FROM device_view v \
         JOIN device d ON d.id = v.device WHERE d.user_id = ?2",
        params![id.as_bytes(), user],
    )
    .await?;
    Ok(())
}

/// Shuts a phone out for good; false if there is none with this id. Revoking twice keeps the first time.
pub async fn revoke(tx: &mut dyn Tx, id: DeviceId, now: Millis) -> Result<bool, StoreError> {
    let changed = tx
        .execute("UPDATE device SET revoked_at = COALESCE(revoked_at, ?2) WHERE id = ?1", params![id.as_bytes(), now.0])
        .await?;
    Ok(changed == 1)
}

/// True if the phone may still speak for this user.
pub(crate) async fn is_good(tx: &mut dyn Tx, id: DeviceId, user: &str) -> Result<bool, StoreError> {
    let row = tx
        .query_opt(
            "SELECT 1 FROM device WHERE id = ?1 AND user_id = ?2 AND revoked_at IS NULL AND cloned_at IS NULL",
            params![id.as_bytes(), user],
        )
        .await?;
    Ok(row.is_some())
}

/// Reads a phone from a row that begins with [`COLUMNS`].
pub(crate) fn read(row: &Row) -> Result<DeviceInfo, StoreError> {
    Ok(DeviceInfo {
        id: DeviceId::from_bytes(row.array(0)?),
        user: row.text(1)?.to_owned(),
        name: row.text(2)?.to_owned(),
        enrolled_at: Millis(row.int(3)?),
        revoked_at: row.opt_int(4)?.map(Millis),
        cloned_at: row.opt_int(5)?.map(Millis),
        last_seen_at: row.opt_int(6)?.map(Millis),
        waiting_cases: row.int(7)?,
        waiting_photos: row.int(8)?,
        waiting_since: row.opt_int(9)?.map(Millis),
    })
}
