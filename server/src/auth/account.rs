//! Accounts (账号): who may log in, as what, and with which part of the tree in sight.

use std::collections::BTreeSet;

use xunge_client_core::model::{Millis, OrgCode, Role};

use crate::params;
use crate::store::{Row, StoreError, Tx};

/// A user as the database has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Log-in name and id.
    pub id: String,
    /// Name shown to people.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// The part of the tree the user sees.
    pub scope: OrgCode,
    /// The unit the user works for.
    pub unit: Option<OrgCode>,
    /// PHC string; `None` for those who only have a phone.
    pub password_hash: Option<String>,
    /// When the account was closed.
    pub disabled_at: Option<Millis>,
    /// Goes up with every change of role, scope or password, and ends older tokens.
    pub perm_version: i64,
    /// Wrong passwords in a row.
    pub failed_count: i64,
    /// No password is looked at before this time.
    pub locked_until: Millis,
    /// Somebody else knows the password: it has to be changed before anything else is done.
    pub password_once: bool,
}

/// A user to be added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// Log-in name.
    pub id: String,
    /// Name shown to people.
    pub name: String,
    /// What the user may do.
    pub role: Role,
    /// The part of the tree the user sees.
    pub scope: OrgCode,
    /// The unit the user works for.
    pub unit: Option<OrgCode>,
    /// The grids an inspector patrols.
    pub grids: Vec<OrgCode>,
    /// PHC string, if the user has a password.
    pub password_hash: Option<String>,
}

/// Reading statements differ in their end only; the store wants each as one constant text.
macro_rules! select {
    ($end:literal) => {
        concat!(
            "SELECT id, name, role, scope, unit, password_hash, disabled_at, perm_version, failed_count, locked_until, \
             password_once FROM user_account ",
            $end
        )
    };
}

/// The account with this id.
pub async fn find(tx: &mut dyn Tx, id: &str) -> Result<Option<Account>, StoreError> {
    tx.query_opt(select!("WHERE id = ?1"), params![id]).await?.map(|row| read(&row)).transpose()
}

/// Every account, by id.
pub async fn list(tx: &mut dyn Tx) -> Result<Vec<Account>, StoreError> {
    tx.query(select!("ORDER BY id"), params![]).await?.iter().map(read).collect()
}

/// The accounts that follow `id`, by id.
pub async fn after(tx: &mut dyn Tx, id: &str, limit: usize) -> Result<Vec<Account>, StoreError> {
    let sql = select!("WHERE id > ?1 ORDER BY id LIMIT ?2");
    tx.query(sql, params![id, i64::try_from(limit).unwrap_or(i64::MAX)]).await?.iter().map(read).collect()
}

/// The grids a user patrols, by code.
pub async fn grids(tx: &mut dyn Tx, id: &str) -> Result<Vec<OrgCode>, StoreError> {
    let rows = tx.query("SELECT grid FROM user_grid WHERE user_id = ?1 ORDER BY grid", params![id]).await?;
    rows.iter().map(|row| parse(row.text(0)?, "grid")).collect()
}

/// Adds an account and its grids; [`StoreError::Unique`] if the id is taken.
pub async fn add(tx: &mut dyn Tx, new: &NewAccount, now: Millis) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO user_account (id, name, role, scope, unit, password_hash, created_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            &new.id,
            &new.name,
            new.role.code(),
            new.scope.as_str(),
            new.unit.as_ref().map(OrgCode::as_str),
            new.password_hash.as_deref(),
            now.0,
        ],
    )
    .await?;
    set_grids(tx, &new.id, &new.grids).await
}

/// Another name, scope or unit. What somebody sees ends older tokens if it changes; console pages read it anew each time.
pub async fn set_profile(
    tx: &mut dyn Tx,
    id: &str,
    name: &str,
    scope: &OrgCode,
    unit: Option<&OrgCode>,
) -> Result<(), StoreError> {
    let unit = unit.map(OrgCode::as_str);
    tx.execute(
        "UPDATE user_account SET name = ?2, perm_version = perm_version + \
         CASE WHEN scope = ?3 AND COALESCE(unit, '') = COALESCE(?4, '') THEN 0 ELSE 1 END, \
         scope = ?3, unit = ?4 WHERE id = ?1",
        params![id, name, scope.as_str(), unit],
    )
    .await?;
    Ok(())
}

/// The grids a user patrols from now on, in place of all of before. One that is named twice counts once.
pub async fn set_grids(tx: &mut dyn Tx, id: &str, grids: &[OrgCode]) -> Result<(), StoreError> {
    tx.execute("DELETE FROM user_grid WHERE user_id = ?1", params![id]).await?;
    for grid in grids.iter().collect::<BTreeSet<_>>() {
        tx.execute("INSERT INTO user_grid (user_id, grid) VALUES (?1, ?2)", params![id, grid.as_str()]).await?;
    }
    Ok(())
}

/// Closes an account, or opens it again with `None`; false if there is no such account.
///
/// Its tokens and console sessions end with it; its phones are refused while it is closed.
pub async fn set_disabled(tx: &mut dyn Tx, id: &str, at: Option<Millis>) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE user_account SET disabled_at = ?2, perm_version = perm_version + 1 WHERE id = ?1",
            params![id, at.map(|at| at.0)],
        )
        .await?;
    tx.execute("DELETE FROM web_session WHERE user_id = ?1", params![id]).await?;
    Ok(changed == 1)
}

/// Sets a password, lifts a lock and ends every session; false if there is no such account.
pub async fn set_password(tx: &mut dyn Tx, id: &str, password_hash: &str) -> Result<bool, StoreError> {
    let changed = tx
        .execute(
            "UPDATE user_account SET password_hash = ?2, perm_version = perm_version + 1, failed_count = 0, \
             locked_until = 0, password_once = 0 WHERE id = ?1",
            params![id, password_hash],
        )
        .await?;
    tx.execute("DELETE FROM web_session WHERE user_id = ?1", params![id]).await?;
    Ok(changed == 1)
}

/// Notes that the password was given by somebody else.
pub async fn mark_once(tx: &mut dyn Tx, id: &str) -> Result<(), StoreError> {
    tx.execute("UPDATE user_account SET password_once = 1 WHERE id = ?1", params![id]).await?;
    Ok(())
}

/// Ends every session and token; false if there is no such account.
pub async fn end_sessions(tx: &mut dyn Tx, id: &str) -> Result<bool, StoreError> {
    let sql = "UPDATE user_account SET perm_version = perm_version + 1 WHERE id = ?1";
    let changed = tx.execute(sql, params![id]).await?;
    tx.execute("DELETE FROM web_session WHERE user_id = ?1", params![id]).await?;
    Ok(changed == 1)
}

/// Notes how often in a row a password was wrong, and until when none is looked at.
pub async fn set_failures(tx: &mut dyn Tx, id: &str, failed: i64, locked_until: Millis) -> Result<(), StoreError> {
    tx.execute(
        "UPDATE user_account SET failed_count = ?2, locked_until = ?3 WHERE id = ?1",
        params![id, failed, locked_until.0],
    )
    .await?;
    Ok(())
}

fn read(row: &Row) -> Result<Account, StoreError> {
    let role = Role::from_code(row.text(2)?).ok_or_else(|| unknown("role"))?;
    Ok(Account {
        id: row.text(0)?.to_owned(),
        name: row.text(1)?.to_owned(),
        role,
        scope: parse(row.text(3)?, "scope")?,
        unit: row.opt_text(4)?.map(|unit| parse(unit, "unit")).transpose()?,
        password_hash: row.opt_text(5)?.map(str::to_owned),
        disabled_at: row.opt_int(6)?.map(Millis),
        perm_version: row.int(7)?,
        failed_count: row.int(8)?,
        locked_until: Millis(row.int(9)?),
        password_once: row.bool(10)?,
    })
}

fn parse(text: &str, column: &str) -> Result<OrgCode, StoreError> {
    text.parse().map_err(|_| unknown(column))
}

fn unknown(column: &str) -> StoreError {
    StoreError::Column { column: column.to_owned(), expected: "a known code", found: "another text" }
}
