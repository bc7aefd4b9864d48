//! The one row that says who this phone is and how far it has synced.

use rusqlite::{OptionalExtension, Transaction};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError};
use crate::model::{CaseId, DeviceId, Millis, OrgCode, Role, Sha256};
use crate::platform::random;
use crate::workflow::Actor;

/// Who is signed in, as the server said at enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserInfo {
    /// User name; what ledgers name as actor.
    pub id: String,
    /// For people.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// The unit reports count for.
    #[serde(default)]
    pub unit: Option<OrgCode>,
    /// The place the user sees.
    #[serde(default)]
    pub scope: Option<OrgCode>,
    /// Duty grids, 15 digits each.
    #[serde(default)]
    pub grids: Vec<OrgCode>,
}

impl UserInfo {
    /// The user as `workflow` knows actors.
    pub fn actor(&self) -> Actor {
        Actor { user: self.id.clone(), role: self.role, unit: self.unit.clone() }
    }
}

/// The server as it described itself at enrolment; its keys are pinned from then on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// For people.
    pub name: String,
    /// The district it serves.
    pub district: String,
    /// Ed25519 key that signs what phones must believe, 64 hex digits.
    pub signing_key: String,
    /// Key rescue bundles are sealed to, 64 hex digits.
    pub sealing_key: String,
}

/// What enrolment brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Enrolment {
    /// The name the server gave this phone.
    pub device: DeviceId,
    /// Base URL, without a slash at the end.
    pub url: String,
    /// SHA-256 of the server's public key, if the code brought one.
    pub spki_pin: Option<[u8; 32]>,
    /// The server.
    pub server: ServerInfo,
    /// The user.
    pub user: UserInfo,
    /// The server's epoch.
    pub epoch: u64,
}

/// Everything the row holds, but the key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhoneRow {
    /// This phone's name on the server.
    pub device: Option<DeviceId>,
    /// Base URL of the server.
    pub url: Option<String>,
    /// SHA-256 of the server's public key.
    pub spki_pin: Option<[u8; 32]>,
    /// The server.
    pub server: Option<ServerInfo>,
    /// Who is signed in.
    pub user: Option<UserInfo>,
    /// Server epoch last seen; 0 before the first contact.
    pub epoch: u64,
    /// Feed position, opaque.
    pub cursor: u64,
    /// Last number used in a device proof.
    pub counter: u64,
    /// Number of the newest request whose answer was taken in; 0 for none.
    pub heard: u64,
    /// Version of the reference data here; 0 for none.
    pub reference: u64,
    /// Business time the server told last.
    pub server_time: Millis,
    /// When it told, by the phone's clock; 0 for never.
    pub last_sync: Millis,
    /// Why the server takes nothing from this phone at all.
    pub blocked: Option<String>,
    /// Business day of the last count of everything in view; 0 for never, 1 to count at the next sync.
    pub census_day: i32,
}

impl Store {
    /// Who this phone is.
    pub fn phone(&self) -> Result<PhoneRow, StoreError> {
        self.read(load)
    }

    /// The seed of the device key; none before enrolment.
    pub fn key_seed(&self) -> Result<Option<[u8; 32]>, StoreError> {
        self.read(|tx| Ok(tx.query_row("SELECT key_seed FROM phone", [], |row| row.get(0))?))
    }

    /// The seed of the key to enrol with under this one-time code, made and stored before the first try.
    ///
    /// The same code gets the same key, so that an enrolment whose answer was lost can be repeated; another code gets
    /// a new key, because the old one may be on a clone of this phone.
    pub fn seed_for_code(&self, code: &str) -> Result<[u8; 32], StoreError> {
        let code = *Sha256::of(code.as_bytes()).as_bytes();
        self.write(|tx| {
            const KNOWN: &str = "SELECT next_seed FROM phone WHERE next_code = ?1";
            if let Some(seed) = tx.query_row(KNOWN, [code], |row| row.get(0)).optional()? {
                return Ok(seed);
            }
            let seed: [u8; 32] = random(self.entropy.as_ref());
            tx.execute("UPDATE phone SET next_seed = ?1, next_code = ?2", (seed, code))?;
            Ok(seed)
        })
    }

    /// Writes down what enrolment brought. A new device starts its counter and cursor anew, and fetches its user's reference
    /// data: the version says nothing of whose grids are in it.
    ///
    /// # Errors
    /// [`StoreError::OtherUser`] if reports of somebody else are on this phone.
    pub fn enrolled(&self, enrolment: &Enrolment) -> Result<(), StoreError> {
        let Enrolment { device, url, spki_pin, server, user, epoch } = enrolment;
        self.write(|tx| {
            let known = load(tx)?;
            let holds: bool = tx.query_row("SELECT EXISTS (SELECT 1 FROM case_local)", [], |row| row.get(0))?;
            if let Some(other) = known.user.filter(|other| holds && other.id != user.id) {
                return Err(StoreError::OtherUser { known: other.id });
            }
            let (server, user) = (serde_json::to_string(server)?, serde_json::to_string(user)?);
            tx.execute(
                "UPDATE phone SET device = ?1, server_url = ?2, spki_pin = ?3, server = ?4, user = ?5, blocked = NULL, \
                 key_seed = COALESCE(next_seed, key_seed), next_seed = NULL, next_code = NULL",
                rusqlite::params![device.as_bytes(), url, spki_pin, server, user],
            )?;
            if known.device.as_ref() != Some(device) {
                tx.execute("UPDATE phone SET counter = 0, cursor = 0, heard = 0, census_day = 0, reference = 0", [])?;
                // A new device is sent what its user may see now, but not what went out of view while it was shut out.
                for case in of_others(tx)? {
                    super::answer::leaves(tx, case)?;
                }
                // What a restored server forgot is brought to it first; the answer that tells so forgets the others.
                if known.epoch == 0 || known.epoch == *epoch {
                    super::answer::forget_gone(tx)?;
                }
                // Its old actor belongs to the old device.
                self.renew_all_actors();
            }
            if known.epoch == 0 {
                tx.execute("UPDATE phone SET epoch = ?1", [*epoch as i64])?;
            }
            Ok(())
        })
    }

    /// Forgets everything: cases, photos' rows, keys, who was signed in. What was in the rows may still be read from the
    /// file until [`Store::shred`].
    pub fn wipe(&self) -> Result<(), StoreError> {
        self.write(|tx| Ok(tx.execute_batch(include_str!("sql/wipe.sql"))?))
    }

    /// Writes the database anew, without what was in rows that were deleted. Needs room for a second one meanwhile.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process still reads the old one.
    pub fn shred(&self) -> Result<(), StoreError> {
        let connection = self.lock();
        // Pages of deleted rows hold what was in them until the file is written anew.
        connection.execute_batch("VACUUM")?;
        if !super::connection::checkpoint(&connection)? {
            return Err(StoreError::Busy);
        }
        // Emptying the log is not flushed: a power cut would bring its old bytes back, people's words among them.
        // A last write that changes nothing is, and the emptiness of the log with it.
        let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok(connection.pragma_update(None, "user_version", version)?)
    }

    /// Notes that the server takes nothing from this phone (revoked, cloned, too old), or that it does again.
    pub fn set_blocked(&self, code: Option<&str>) -> Result<(), StoreError> {
        self.write(|tx| Ok(tx.execute("UPDATE phone SET blocked = ?1 WHERE blocked IS NOT ?1", [code]).map(drop)?))
    }
}

/// Reads the row.
pub(super) fn load(tx: &Transaction<'_>) -> Result<PhoneRow, StoreError> {
    const SQL: &str = "SELECT device, server_url, spki_pin, server, user, epoch, cursor, counter, reference, \
                       server_time, last_sync, blocked, heard, census_day FROM phone";
    let mut statement = tx.prepare_cached(SQL)?;
    let (mut phone, server, user) = statement.query_row([], |row| {
        let phone = PhoneRow {
            device: row.get::<_, Option<[u8; 16]>>(0)?.map(DeviceId::from_bytes),
            url: row.get(1)?,
            spki_pin: row.get(2)?,
            epoch: row.get::<_, i64>(5)? as u64,
            cursor: row.get::<_, i64>(6)? as u64,
            counter: row.get::<_, i64>(7)? as u64,
            reference: row.get::<_, i64>(8)? as u64,
            server_time: Millis(row.get(9)?),
            last_sync: Millis(row.get(10)?),
            blocked: row.get(11)?,
            heard: row.get::<_, i64>(12)? as u64,
            census_day: row.get(13)?,
            ..PhoneRow::default()
        };
        Ok((phone, row.get::<_, Option<String>>(3)?, row.get::<_, Option<String>>(4)?))
    })?;
    phone.server = server.map(|json| serde_json::from_str(&json)).transpose()?;
    phone.user = user.map(|json| serde_json::from_str(&json)).transpose()?;
    Ok(phone)
}

/// Reports of others that this phone has.
fn of_others(tx: &Transaction<'_>) -> Result<Vec<CaseId>, StoreError> {
    const SQL: &str = "SELECT id FROM case_local WHERE own = 0 AND mine = 0 AND state = 'submitted'";
    let mut statement = tx.prepare_cached(SQL)?;
    let rows = statement.query_map([], |row| row.get(0).map(CaseId::from_bytes))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Raises the counter to `counter`; [`StoreError::Moved`] if another process used that number already.
pub(super) fn use_counter(tx: &Transaction<'_>, counter: u64) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached("UPDATE phone SET counter = ?1 WHERE counter < ?1")?;
    if statement.execute([counter as i64])? == 1 { Ok(()) } else { Err(StoreError::Moved) }
}
