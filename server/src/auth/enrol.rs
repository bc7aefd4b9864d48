//! Enrolment: how a phone becomes one of the server's.
//!
//! A normal run: an administrator makes a one-time code for a user, the phone makes a key pair, sends code and public
//! key, and learns its id and the server's keys. The code is spent in the same transaction that adds the phone.
//!
//! The answer may be lost. Asked again with the same code *and the same key*, the server answers again; with another
//! key the code is spent. Wrong, expired and spent codes are one answer: a guesser learns nothing.

use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};
use xunge_client_core::model::{DeviceId, Millis};

use super::{account, account::Account, code, device};
use crate::domain::audit;
use crate::entropy;
use crate::params;
use crate::store::{StoreError, Tx};

/// How long a code can be used.
pub const LIFETIME_MS: i64 = 24 * 3_600_000;
/// Most characters of a phone's name.
pub const MAX_NAME_CHARS: usize = 64;

/// Why a phone is not enrolled.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EnrolError {
    /// No such code, or spent by another phone, or too old, or its user is disabled.
    #[error("the enrolment code is not valid")]
    Code,
    /// Not a public key, or one whose signatures anybody could make.
    #[error("the public key is not a usable Ed25519 key")]
    Key,
    /// Empty, too long, or with control characters.
    #[error("the name of the phone is not 1 to {MAX_NAME_CHARS} printable characters")]
    Name,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A code as shown to people: 140 random bits in seven groups of four.
pub fn new_code() -> String {
    code::groups(&entropy::fill::<18>())
}

/// What a phone's camera reads: the code, and how to reach the server.
pub fn link(code: &str, server: &str) -> String {
    format!("xunge://enrol?code={code}&server={server}")
}

/// Remembers a code for a user. Only its hash is kept; 140 bits need no slow hash.
pub async fn add_code(tx: &mut dyn Tx, user: &str, shown: &str, now: Millis) -> Result<(), StoreError> {
    let hash = hash(shown).expect("a code made here is one");
    tx.execute(
        "INSERT INTO enrol_code (code_hash, user_id, created_at, expires_at) VALUES (?1, ?2, ?3, ?4)",
        params![hash, user, now.0, now.plus_ms(LIFETIME_MS).0],
    )
    .await?;
    Ok(())
}

/// Forgets codes that can no longer be used by anybody.
pub async fn sweep(tx: &mut dyn Tx, now: Millis) -> Result<u64, StoreError> {
    tx.execute("DELETE FROM enrol_code WHERE expires_at < ?1", params![now.0]).await
}

/// What a phone sends to join.
#[derive(Debug, Clone)]
pub struct Joining {
    /// The code as typed or scanned.
    pub code: String,
    /// Its Ed25519 public key.
    pub public_key: [u8; 32],
    /// What its owner calls it.
    pub name: String,
}

/// Spends the code and adds the phone as `fresh`, or finds the phone that was added by the same request before.
pub async fn join(
    tx: &mut dyn Tx,
    joining: &Joining,
    fresh: DeviceId,
    now: Millis,
) -> Result<(DeviceId, Account), EnrolError> {
    let hash = hash(&joining.code).ok_or(EnrolError::Code)?;
    if VerifyingKey::from_bytes(&joining.public_key).map_or(true, |key| key.is_weak()) {
        return Err(EnrolError::Key);
    }
    let chars = joining.name.chars().count();
    if !(1..=MAX_NAME_CHARS).contains(&chars) || joining.name.chars().any(char::is_control) {
        return Err(EnrolError::Name);
    }
    let row = tx
        .query_opt("SELECT user_id, expires_at, used_by FROM enrol_code WHERE code_hash = ?1", params![hash])
        .await?
        .ok_or(EnrolError::Code)?;
    let user = account::find(tx, row.text(0)?).await?.filter(|user| user.disabled_at.is_none());
    let user = user.ok_or(EnrolError::Code)?;
    if row.int(1)? <= now.0 {
        return Err(EnrolError::Code);
    }
    let id = match row.opt_array(2)? {
        Some(used_by) => same_phone(tx, DeviceId::from_bytes(used_by), joining).await?,
        None => {
            let id = fresh;
            device::add(tx, id, &user.id, &joining.public_key, &joining.name, now).await?;
            tx.execute(
                "UPDATE enrol_code SET used_at = ?2, used_by = ?3 WHERE code_hash = ?1",
                params![hash, now.0, id.as_bytes()],
            )
            .await?;
            let subject = id.to_string();
            let entry =
                audit::Entry { at: now, actor: &user.id, action: "device.enrolled", subject: &subject, detail: "{}" };
            audit::append(tx, &entry).await?;
            id
        }
    };
    Ok((id, user))
}

/// The phone that spent the code, if it is the one asking and still welcome.
async fn same_phone(tx: &mut dyn Tx, id: DeviceId, joining: &Joining) -> Result<DeviceId, EnrolError> {
    let row = tx
        .query_opt(
            "SELECT 1 FROM device WHERE id = ?1 AND public_key = ?2 AND revoked_at IS NULL AND cloned_at IS NULL",
            params![id.as_bytes(), joining.public_key],
        )
        .await?;
    row.map(|_| id).ok_or(EnrolError::Code)
}

fn hash(typed: &str) -> Option<[u8; 32]> {
    code::normal(typed).map(|normal| Sha256::digest(normal).into())
}

#[cfg(test)]
#[path = "enrol_tests.rs"]
mod tests;
