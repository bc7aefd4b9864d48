//! Who is asking.

use std::collections::{BTreeMap, BTreeSet};

use xunge_client_core::model::{DeviceId, OrgCode, Role};
use xunge_client_core::workflow::Actor;

use crate::params;
use crate::store::{Row, StoreError, Tx};

/// A signed-in person, as the rules of the trade see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Viewer {
    /// User name; stable for ever.
    pub user: String,
    /// Name shown to people.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// The part of the org tree the person sees.
    pub scope: OrgCode,
    /// The unit the person works for.
    pub unit: Option<OrgCode>,
    /// The grids an inspector walks.
    pub grids: Vec<OrgCode>,
    /// The phone the person speaks through, if through one.
    pub device: Option<DeviceId>,
}

impl Viewer {
    /// Reads a person with their grids; none if there is no such user or the account is disabled.
    pub async fn load(tx: &mut dyn Tx, user: &str) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT 1 FROM user_account WHERE id = ?1 AND disabled_at IS NULL";
        match tx.query_opt(sql, params![user]).await? {
            Some(_) => Self::load_closed(tx, user).await,
            None => Ok(None),
        }
    }

    /// The same for an account that may be closed: what its owner did before is still theirs.
    pub async fn load_closed(tx: &mut dyn Tx, user: &str) -> Result<Option<Self>, StoreError> {
        let sql = "SELECT name, role, scope, unit FROM user_account WHERE id = ?1";
        let Some(row) = tx.query_opt(sql, params![user]).await? else { return Ok(None) };
        let grids = tx.query("SELECT grid FROM user_grid WHERE user_id = ?1 ORDER BY grid", params![user]).await?;
        Ok(Some(Self {
            user: user.to_owned(),
            name: row.text(0)?.to_owned(),
            role: Role::from_code(row.text(1)?).ok_or_else(|| unknown("role", row.text(1)))?,
            scope: code(&row, 2)?.ok_or_else(|| unknown("scope", row.text(2)))?,
            unit: code(&row, 3)?,
            grids: grids.iter().filter_map(|row| code(row, 0).transpose()).collect::<Result<_, _>>()?,
            device: None,
        }))
    }

    /// The same person, speaking through a phone.
    pub fn on(self, device: DeviceId) -> Self {
        Self { device: Some(device), ..self }
    }

    /// The person as the workflow knows them.
    pub fn actor(&self) -> Actor {
        Actor { user: self.user.clone(), role: self.role, unit: self.unit.clone() }
    }

    /// The district the person works in: the digits of the scope, or of the unit for a scope that names none.
    pub fn district(&self) -> Option<String> {
        let digits = |code: &OrgCode| {
            let digits: String = code.as_str().trim_start_matches('U').chars().take(6).collect();
            (digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
        };
        self.grids
            .first()
            .and_then(digits)
            .or_else(|| self.unit.as_ref().and_then(digits))
            .or_else(|| digits(&self.scope))
    }
}

/// The names shown for some users, by user name; whoever does not exist is left out.
pub async fn names(tx: &mut dyn Tx, users: &BTreeSet<String>) -> Result<BTreeMap<String, String>, StoreError> {
    let mut names = BTreeMap::new();
    for user in users {
        let row = tx.query_opt("SELECT name FROM user_account WHERE id = ?1", params![user]).await?;
        if let Some(row) = row {
            names.insert(user.clone(), row.text(0)?.to_owned());
        }
    }
    Ok(names)
}

/// The user with this user name, or else the one with this name; none if nobody or several have it.
pub async fn called(tx: &mut dyn Tx, name: &str) -> Result<Option<String>, StoreError> {
    let sql =
        "SELECT id FROM user_account WHERE id = ?1 OR name = ?1 ORDER BY CASE WHEN id = ?1 THEN 0 ELSE 1 END LIMIT 2";
    let rows = tx.query(sql, params![name]).await?;
    let user = rows.first().map(|row| row.text(0)).transpose()?;
    Ok(user.filter(|user| rows.len() == 1 || *user == name).map(str::to_owned))
}

/// Somebody a task can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colleague {
    /// User name.
    pub user: String,
    /// Name shown to people.
    pub name: String,
    /// The unit they work for.
    pub unit: Option<OrgCode>,
}

/// The inspectors who work in a place, by unit and name.
pub async fn inspectors(tx: &mut dyn Tx, place: &OrgCode) -> Result<Vec<Colleague>, StoreError> {
    let rows = tx
        .query(
            "SELECT id, name, unit, scope FROM user_account \
             WHERE role = 'inspector' AND disabled_at IS NULL ORDER BY unit, name, id",
            params![],
        )
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        if code(row, 3)?.is_some_and(|scope| place.contains(&scope)) {
            found.push(Colleague { user: row.text(0)?.to_owned(), name: row.text(1)?.to_owned(), unit: code(row, 2)? });
        }
    }
    Ok(found)
}

/// True if the unit has somebody who reviews.
pub async fn has_reviewers(tx: &mut dyn Tx, unit: &str) -> Result<bool, StoreError> {
    let found = tx
        .query(
            "SELECT 1 FROM user_account WHERE unit = ?1 AND role = 'town_office' AND disabled_at IS NULL LIMIT 1",
            params![unit],
        )
        .await?;
    Ok(!found.is_empty())
}

/// Reads an org code that may be absent.
fn code(row: &Row, index: usize) -> Result<Option<OrgCode>, StoreError> {
    row.opt_text(index)?.map(|text| text.parse().map_err(|_| unknown("org code", Ok(text)))).transpose()
}

fn unknown(what: &str, found: Result<&str, StoreError>) -> StoreError {
    StoreError::Check { what: format!("user_account: `{}` is no {what}", found.unwrap_or_default()) }
}
