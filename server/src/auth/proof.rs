//! The device proof: "this phone, this exact request, this once".
//!
//! The signature says which phone and which request; the counter says once. A phone writes its counter down before it
//! sends, so of one phone every number is seen with one signature only:
//!
//! - a new number is accepted, in order or up to 63 behind the newest (requests overtake each other);
//! - a number seen with the same signature is a repeat of the very same request: refused, nothing else;
//! - a number seen with another signature comes from a second copy of the phone (restored from a backup, or cloned).
//!   Both copies are shut out until they enrol again; what they hold stays theirs to send;
//! - a number far behind comes from a phone restored from an old backup, or it is an old request that the network held
//!   back for days, or that somebody recorded and sends again. Whoever waits for the answer is told to enrol again;
//!   nobody else is shut out, or one recorded request would be enough to silence a phone.

use ed25519_dalek::VerifyingKey;
use sha2::{Digest, Sha256};
use xunge_client_core::model::{DeviceId, Millis, OrgCode, Role};
use xunge_client_core::wire::Proof;

use super::account::{self, Account};
use crate::domain::audit;
use crate::params;
use crate::store::{Row, StoreError, Tx};

/// Numbers remembered, the newest included.
const WINDOW: usize = 64;
/// Bytes remembered of each signature.
const PRINT: usize = 4;

/// A phone that proved itself, and whom it speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The phone.
    pub id: DeviceId,
    /// Id of its user.
    pub user: String,
    /// The user's role.
    pub role: Role,
    /// The part of the tree the user sees.
    pub scope: OrgCode,
    /// The user's unit.
    pub unit: Option<OrgCode>,
    /// `perm_version` of the user, for tokens.
    pub perm_version: i64,
}

/// Why a proof is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// No phone has this id.
    #[error("the phone is not known here")]
    UnknownDevice,
    /// The signature is not this phone's over this request.
    #[error("the signature does not fit the request")]
    BadProof,
    /// This very request was received before.
    #[error("the request was received before")]
    Replayed,
    /// Two phones use this identity.
    #[error("another copy of the phone is in use")]
    Cloned,
    /// An administrator shut the phone out.
    #[error("the phone was revoked")]
    Revoked,
    /// The account is closed.
    #[error("the user is disabled")]
    UserDisabled,
}

impl ProofError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownDevice => "unknown_device",
            Self::BadProof => "bad_proof",
            Self::Replayed => "counter_replayed",
            Self::Cloned => "device_cloned",
            Self::Revoked => "device_revoked",
            Self::UserDisabled => "user_disabled",
        }
    }
}

/// A phone whose signature over one request was verified; what is left is to spend the request's counter.
///
/// Made by [`identify`] only, so nothing reaches [`spend`] that was not verified. Verifying costs 40 us, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identified {
    /// The phone.
    pub device: Device,
    key: [u8; 32],
    counter: u64,
    print: [u8; PRINT],
}

impl Identified {
    /// The number of the request.
    pub fn counter(&self) -> u64 {
        self.counter
    }
}

/// Looks the phone up and verifies the signature; spends nothing. Good in a reading transaction.
pub async fn identify(
    tx: &mut dyn Tx,
    proof: &Proof<'_>,
    signature: &[u8; 64],
) -> Result<Result<Identified, ProofError>, StoreError> {
    Ok(match find(tx, proof.device).await? {
        None => Err(ProofError::UnknownDevice),
        Some(found) => found.verify(proof, signature).map(|()| found.identified(proof.counter, print(signature))),
    })
}

/// The phone that made this signature, whether it may still speak or not; none if nobody known did.
pub async fn signed(
    tx: &mut dyn Tx,
    proof: &Proof<'_>,
    signature: &[u8; 64],
) -> Result<Option<Identified>, StoreError> {
    let found = find(tx, proof.device).await?.filter(|found| found.has_signed(proof, signature));
    Ok(found.map(|found| found.identified(proof.counter, print(signature))))
}

/// Does [`identify`] and [`spend`] at once, inside the caller's writing transaction.
pub async fn check(
    tx: &mut dyn Tx,
    proof: &Proof<'_>,
    signature: &[u8; 64],
    now: Millis,
) -> Result<Result<Device, ProofError>, StoreError> {
    match identify(tx, proof, signature).await? {
        Ok(identified) => spend(tx, &identified, now).await,
        Err(refused) => Ok(Err(refused)),
    }
}

/// Spends the counter of a request, inside the caller's writing transaction. What became of the phone and its user
/// since they were identified is looked up again; only the signature is not.
///
/// The refusal is data and not a failure: noticing a clone writes a row, and the transaction must be committed.
pub async fn spend(
    tx: &mut dyn Tx,
    identified: &Identified,
    now: Millis,
) -> Result<Result<Device, ProofError>, StoreError> {
    let id = identified.device.id;
    let Some(found) = find(tx, id).await? else { return Ok(Err(ProofError::UnknownDevice)) };
    if found.public_key != identified.key {
        return Ok(Err(ProofError::BadProof));
    }
    if let Err(refused) = found.standing() {
        return Ok(Err(refused));
    }
    match advance(found.counter, &found.window, identified.counter, identified.print) {
        Spent::New { counter, window } => {
            tx.execute(
                "UPDATE device SET counter = ?2, counter_window = ?3, last_seen_at = ?4 WHERE id = ?1",
                params![id.as_bytes(), counter, window, now.0],
            )
            .await?;
            Ok(Ok(found.device()))
        }
        Spent::Repeat => Ok(Err(ProofError::Replayed)),
        Spent::Behind => Ok(Err(ProofError::Cloned)),
        Spent::Fork => {
            note_clone(tx, id, &found.user.id, now).await?;
            Ok(Err(ProofError::Cloned))
        }
    }
}

/// Notes what a phone's newest request says it has heard; refuses it if only a copy of the phone can say so.
///
/// A phone that sent request 7 has heard the answer to 7, or, if that was lost, what it had heard when it sent 7. Two
/// copies may leap over each other's numbers for a long time, and neither would be told of what the other brings in
/// their common name; but each knows only the answers to its own requests.
///
/// A phone that has not heard of the server's epoch yet speaks of numbers of another history. Nothing is concluded
/// from them, and they are not written down either: both copies may have used the same ones.
pub async fn hear(
    tx: &mut dyn Tx,
    identified: &Identified,
    heard: Option<u64>,
    same_epoch: bool,
    now: Millis,
) -> Result<Result<(), ProofError>, StoreError> {
    let (id, counter) = (identified.device.id, i64::try_from(identified.counter).unwrap_or(i64::MAX));
    let sql = "SELECT d.counter, h.sync_counter, h.heard_counter FROM device d
        LEFT JOIN device_heard h ON h.device = d.id WHERE d.id = ?1";
    let row = tx.query_one(sql, params![id.as_bytes()]).await?;
    let known = row.opt_int(1)?.zip(row.opt_int(2)?);
    if row.int(0)? != counter {
        // Overtaken: a later request brought the same and more, or this one is from a copy whose numbers lag behind.
        // Only who waits for the answer is shut out, and a phone that asked again meanwhile waits for another one.
        return Ok(Err(ProofError::Cloned));
    }
    // A phone that has heard nothing says nothing. Once it has said otherwise, only an older copy of it can do so.
    let heard = heard.map_or(0, |heard| i64::try_from(heard).unwrap_or(i64::MAX));
    let (known, heard) = if same_epoch { (known, heard) } else { (None, 0) };
    if known.is_some_and(|(sent, before)| heard != sent && heard != before) {
        note_clone(tx, id, &identified.device.user, now).await?;
        return Ok(Err(ProofError::Cloned));
    }
    let sql = "INSERT INTO device_heard (device, sync_counter, heard_counter) VALUES (?1, ?2, ?3) ON CONFLICT (device)
        DO UPDATE SET sync_counter = excluded.sync_counter, heard_counter = excluded.heard_counter";
    tx.execute(sql, params![id.as_bytes(), counter, heard]).await?;
    Ok(Ok(()))
}

/// Shuts out every copy of a phone until it enrols again.
async fn note_clone(tx: &mut dyn Tx, id: DeviceId, user: &str, now: Millis) -> Result<(), StoreError> {
    tx.execute("UPDATE device SET cloned_at = ?2 WHERE id = ?1", params![id.as_bytes(), now.0]).await?;
    let subject = id.to_string();
    let entry = audit::Entry { at: now, actor: user, action: "device.cloned", subject: &subject, detail: "{}" };
    audit::append(tx, &entry).await
}

struct Found {
    id: DeviceId,
    user: Account,
    public_key: [u8; 32],
    counter: i64,
    window: Vec<u8>,
    revoked: bool,
    cloned: bool,
}

impl Found {
    /// The signature first: only who holds the key may learn what became of the phone.
    fn verify(&self, proof: &Proof<'_>, signature: &[u8; 64]) -> Result<(), ProofError> {
        if self.has_signed(proof, signature) { self.standing() } else { Err(ProofError::BadProof) }
    }

    fn has_signed(&self, proof: &Proof<'_>, signature: &[u8; 64]) -> bool {
        let key = VerifyingKey::from_bytes(&self.public_key);
        i64::try_from(proof.counter).is_ok() && key.is_ok_and(|key| proof.verify(&key, signature))
    }

    fn standing(&self) -> Result<(), ProofError> {
        if self.revoked {
            Err(ProofError::Revoked)
        } else if self.cloned {
            Err(ProofError::Cloned)
        } else if self.user.disabled_at.is_some() {
            Err(ProofError::UserDisabled)
        } else {
            Ok(())
        }
    }

    fn identified(&self, counter: u64, print: [u8; PRINT]) -> Identified {
        Identified { device: self.device(), key: self.public_key, counter, print }
    }

    fn device(&self) -> Device {
        Device {
            id: self.id,
            user: self.user.id.clone(),
            role: self.user.role,
            scope: self.user.scope.clone(),
            unit: self.user.unit.clone(),
            perm_version: self.user.perm_version,
        }
    }
}

async fn find(tx: &mut dyn Tx, id: DeviceId) -> Result<Option<Found>, StoreError> {
    let row = tx
        .query_opt(
            "SELECT user_id, public_key, counter, counter_window, revoked_at, cloned_at FROM device WHERE id = ?1",
            params![id.as_bytes()],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let user = account::find(tx, row.text(0)?).await?.ok_or(StoreError::ForeignKey)?;
    read(id, user, &row).map(Some)
}

fn read(id: DeviceId, user: Account, row: &Row) -> Result<Found, StoreError> {
    Ok(Found {
        id,
        user,
        public_key: row.array(1)?,
        counter: row.int(2)?,
        window: row.blob(3)?.to_vec(),
        revoked: row.opt_int(4)?.is_some(),
        cloned: row.opt_int(5)?.is_some(),
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Spent {
    New { counter: i64, window: Vec<u8> },
    Repeat,
    Fork,
    Behind,
}

/// Decides about a number, given the newest one and the signatures remembered. `window[0]` belongs to the newest.
fn advance(newest: i64, window: &[u8], counter: u64, print: [u8; PRINT]) -> Spent {
    let Ok(counter) = i64::try_from(counter) else { return Spent::Behind };
    let mut window = window.to_vec();
    window.resize(WINDOW * PRINT, 0);
    if counter > newest {
        let ahead = usize::try_from(counter - newest).unwrap_or(WINDOW).min(WINDOW);
        window.rotate_right(ahead * PRINT);
        window[..ahead * PRINT].fill(0);
        window[..PRINT].copy_from_slice(&print);
        return Spent::New { counter, window };
    }
    let behind = usize::try_from(newest - counter).unwrap_or(WINDOW);
    // Number 0 is never sent: it is where a new phone stands.
    if behind >= WINDOW || counter <= 0 {
        return Spent::Behind;
    }
    let place = &mut window[behind * PRINT..][..PRINT];
    if *place == print {
        Spent::Repeat
    } else if place.iter().any(|byte| *byte != 0) {
        Spent::Fork
    } else {
        place.copy_from_slice(&print);
        Spent::New { counter: newest, window }
    }
}

/// A few bytes of a hash of the signature, never all zero.
fn print(signature: &[u8; 64]) -> [u8; PRINT] {
    let hash = Sha256::digest(signature);
    let print = [hash[0], hash[1], hash[2], hash[3]];
    if print == [0; PRINT] { [1, 0, 0, 0] } else { print }
}

#[cfg(test)]
#[path = "proof_tests.rs"]
mod tests;
