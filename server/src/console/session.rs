//! Sessions (会话) of console pages: rows of `web_session`, named by a cookie.
//!
//! The cookie carries 256 random bits; the row keeps their hash, so a copy of the database opens no session. A
//! session ends twelve hours after log-in, after two hours without use, at log-out, and when the account is disabled
//! or its password changed (whoever does that deletes the rows). Times are the security clock's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use xunge_client_core::model::Millis;

use crate::entropy;
use crate::params;
use crate::store::{StoreError, Tx};

/// A working day with its breaks.
pub(crate) const ABSOLUTE_MS: i64 = 12 * 3_600_000;
/// Longer than a meeting, shorter than an afternoon away.
pub(crate) const IDLE_MS: i64 = 2 * 3_600_000;
/// How exact `seen_at` is kept: writing it on every click would make every page a write.
pub(crate) const TOUCH_MS: i64 = 60_000;

/// A session that was just begun.
#[derive(Debug)]
pub(crate) struct Begun {
    /// For the cookie; exists nowhere else.
    pub(crate) token: String,
}

/// A session that is good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Session {
    /// Key of its row.
    pub(crate) token_hash: [u8; 32],
    /// Who logged in.
    pub(crate) user: String,
    /// What every form of it carries.
    pub(crate) csrf: String,
    /// True if `seen_at` is due to be moved.
    pub(crate) stale_seen: bool,
    /// The password came from somebody else and has to be changed first.
    pub(crate) password_once: bool,
}

/// A fresh random text of 256 bits.
pub(crate) fn secret() -> String {
    URL_SAFE_NO_PAD.encode(entropy::fill::<32>())
}

/// Compares two secrets without telling by its time where they differ.
pub(crate) fn same(one: &str, other: &str) -> bool {
    !one.is_empty() && bool::from(one.as_bytes().ct_eq(other.as_bytes()))
}

/// Begins a session and forgets those that are over.
pub(crate) async fn begin(tx: &mut dyn Tx, user: &str, now: Millis) -> Result<Begun, StoreError> {
    let (token, csrf) = (secret(), secret());
    tx.execute(
        "DELETE FROM web_session WHERE expires_at <= ?1 OR seen_at <= ?2",
        params![now.0, now.plus_ms(-IDLE_MS).0],
    )
    .await?;
    tx.execute(
        "INSERT INTO web_session (token_hash, user_id, created_at, expires_at, seen_at, csrf) \
         VALUES (?1, ?2, ?3, ?4, ?3, ?5)",
        params![hash(&token), user, now.0, now.plus_ms(ABSOLUTE_MS).0, csrf],
    )
    .await?;
    Ok(Begun { token })
}

/// The session of a cookie, if it is good at `now`.
pub(crate) async fn find(tx: &mut dyn Tx, token: &str, now: Millis) -> Result<Option<Session>, StoreError> {
    let token_hash = hash(token);
    let row = tx
        .query_opt(
            "SELECT s.user_id, s.csrf, s.expires_at, s.seen_at, u.password_once
             FROM web_session s JOIN user_account u ON u.id = s.user_id WHERE s.token_hash = ?1",
            params![token_hash],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let (expires, seen) = (Millis(row.int(2)?), Millis(row.int(3)?));
    if now >= expires || now >= seen.plus_ms(IDLE_MS) {
        return Ok(None);
    }
    Ok(Some(Session {
        token_hash,
        user: row.text(0)?.to_owned(),
        csrf: row.text(1)?.to_owned(),
        stale_seen: now >= seen.plus_ms(TOUCH_MS),
        password_once: row.bool(4)?,
    }))
}

/// Notes that a session is in use.
pub(crate) async fn touch(tx: &mut dyn Tx, token_hash: &[u8; 32], now: Millis) -> Result<(), StoreError> {
    tx.execute("UPDATE web_session SET seen_at = ?2 WHERE token_hash = ?1", params![token_hash, now.0]).await?;
    Ok(())
}

/// Ends a session.
pub(crate) async fn end(tx: &mut dyn Tx, token_hash: &[u8; 32]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM web_session WHERE token_hash = ?1", params![token_hash]).await?;
    Ok(())
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
#[path = "tests/session.rs"]
mod tests;
