//! Accounts as administrators keep them (用户管理): what a new one needs, and every change with its line in the audit log.
//!
//! The command line and the console call the same functions, so an account made by either is the same account.

mod profile;

use xunge_client_core::model::{Millis, OrgCode, Role};

pub use self::profile::{Change, Profile, change};
use super::audit;
use super::directory::Directory;
use crate::auth::account::{self, Account, NewAccount};
use crate::auth::enrol;
use crate::params;
use crate::store::{StoreError, Tx};

/// Why an account is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountProblem {
    /// A log-in name has 2 to 32 lower-case letters, digits, dots or dashes.
    #[error("a log-in name has 2 to 32 lower-case letters, digits, dots or dashes")]
    LoginName,
    /// The name is empty or not printable.
    #[error("the name is empty or not printable")]
    Name,
    /// This role works for a unit, and none is given.
    #[error("this role needs a unit")]
    Unit,
    /// An inspector walks grids, and none is given.
    #[error("an inspector needs at least one grid")]
    Grid,
    /// There is no such place or unit.
    #[error("there is no place or unit {0}")]
    Unknown(OrgCode),
    /// This is no cell grid of the street of the user's unit, or not in the place the user sees.
    #[error("{0} is no cell grid where this user works")]
    Elsewhere(OrgCode),
    /// Only inspectors walk grids.
    #[error("only inspectors have grids")]
    NoInspector,
    /// There is a user of this name.
    #[error("there is a user of this name already")]
    Taken,
}

/// Why an account was not added.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// Something about it is wrong.
    #[error(transparent)]
    Problem(#[from] AccountProblem),
    /// The database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for AddError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unique { .. } => Self::Problem(AccountProblem::Taken),
            other => Self::Store(other),
        }
    }
}

/// What has to hold whatever is in the database.
///
/// # Errors
/// [`AccountProblem`], the first found.
pub fn check(new: &NewAccount) -> Result<(), AccountProblem> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    if !(2..=32).contains(&new.id.len()) || !new.id.bytes().all(allowed) {
        return Err(AccountProblem::LoginName);
    }
    profile(new).check(new.role)
}

fn profile(new: &NewAccount) -> Profile {
    let NewAccount { name, scope, unit, grids, .. } = new.clone();
    Profile { name, scope, unit, grids }
}

/// Adds an account, with a code for its first phone if there is to be one.
///
/// # Errors
/// [`AddError`]; nothing was written then.
pub async fn add(tx: &mut dyn Tx, by: &str, new: &NewAccount, code: Option<&str>, now: Millis) -> Result<(), AddError> {
    check(new)?;
    profile(new).fit(tx).await?;
    account::add(tx, new, now).await?;
    if let Some(code) = code {
        enrol::add_code(tx, &new.id, code, now).await?;
    }
    let detail = serde_json::json!({"role": new.role, "scope": new.scope, "unit": new.unit}).to_string();
    Ok(note(tx, by, "user.added", &new.id, &detail, now).await?)
}

/// Refuses a code of a place or unit that is not there.
async fn known(tx: &mut dyn Tx, code: &OrgCode) -> Result<(), AddError> {
    let sql =
        if code.is_unit() { "SELECT 1 FROM unit WHERE code = ?1" } else { "SELECT 1 FROM org_node WHERE code = ?1" };
    match tx.query_opt(sql, params![code.as_str()]).await? {
        Some(_) => Ok(()),
        None => Err(AccountProblem::Unknown(code.clone()).into()),
    }
}

/// Closes an account, or opens it again; false if there is none.
pub async fn set_open(tx: &mut dyn Tx, by: &str, user: &str, open: bool, now: Millis) -> Result<bool, StoreError> {
    let known = account::set_disabled(tx, user, (!open).then_some(now)).await?;
    if known {
        note(tx, by, if open { "user.enabled" } else { "user.disabled" }, user, "{}", now).await?;
    }
    Ok(known)
}

/// Sets a password, one that has to be changed at the first log-in or one that stays; false if there is no account.
pub async fn set_password(
    tx: &mut dyn Tx,
    by: &str,
    user: &str,
    hash: &str,
    once: bool,
    now: Millis,
) -> Result<bool, StoreError> {
    let known = account::set_password(tx, user, hash).await?;
    if known {
        if once {
            account::mark_once(tx, user).await?;
        }
        note(tx, by, "user.password", user, if once { r#"{"once":true}"# } else { "{}" }, now).await?;
    }
    Ok(known)
}

/// Ends every session and token of somebody; false if there is no account.
pub async fn log_out(tx: &mut dyn Tx, by: &str, user: &str, now: Millis) -> Result<bool, StoreError> {
    let known = account::end_sessions(tx, user).await?;
    if known {
        note(tx, by, "user.logged_out", user, "{}", now).await?;
    }
    Ok(known)
}

async fn note(
    tx: &mut dyn Tx,
    by: &str,
    action: &str,
    user: &str,
    detail: &str,
    now: Millis,
) -> Result<(), StoreError> {
    audit::append(tx, &audit::Entry { at: now, actor: by, action, subject: user, detail }).await
}

/// What to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Part of the name or of the log-in name.
    pub name: String,
    /// Only this role.
    pub role: Option<Role>,
    /// Only this unit.
    pub unit: Option<OrgCode>,
    /// The last log-in name of the page before.
    pub after: String,
    /// Most accounts of the page.
    pub limit: usize,
}

/// An account in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The account.
    pub account: Account,
    /// When its password was last right.
    pub last_login: Option<Millis>,
}

/// A page of accounts by log-in name, those `keeper` answers for; and whether there are more.
pub async fn list(
    tx: &mut dyn Tx,
    directory: &Directory,
    keeper: &OrgCode,
    filter: &Filter,
) -> Result<(Vec<Listed>, bool), StoreError> {
    /// Rows looked at with one statement.
    const CHUNK: usize = 200;
    let mut after = filter.after.clone();
    let mut found = Vec::new();
    loop {
        let accounts = account::after(tx, &after, CHUNK).await?;
        let ended = accounts.len() < CHUNK;
        for account in accounts {
            after.clone_from(&account.id);
            if !fits(&account, filter) || !answers_for(keeper, &account.scope, directory) {
                continue;
            }
            if found.len() == filter.limit {
                return Ok((found, true));
            }
            let last_login = last_login(tx, &account.id).await?;
            found.push(Listed { account, last_login });
        }
        if ended {
            return Ok((found, false));
        }
    }
}

fn fits(account: &Account, filter: &Filter) -> bool {
    let wanted = filter.name.to_lowercase();
    let named = account.id.contains(&wanted) || account.name.to_lowercase().contains(&wanted);
    named
        && filter.role.is_none_or(|role| role == account.role)
        && filter.unit.as_ref().is_none_or(|unit| account.unit.as_ref() == Some(unit))
}

/// True if somebody with the scope `keeper` may keep accounts with this scope, or of this unit: it lies below, or the
/// street or district of the unit does.
pub fn answers_for(keeper: &OrgCode, scope: &OrgCode, directory: &Directory) -> bool {
    let below = |place: &OrgCode| keeper.contains(place);
    below(scope) || directory.unit(scope).is_some_and(|it| below(&it.district) || it.street.as_ref().is_some_and(below))
}

/// When somebody's password was last right.
pub async fn last_login(tx: &mut dyn Tx, user: &str) -> Result<Option<Millis>, StoreError> {
    let sql = "SELECT at FROM audit WHERE subject = ?1 AND action = 'login.done' ORDER BY seq DESC LIMIT 1";
    Ok(tx.query_opt(sql, params![user]).await?.map(|row| row.int(0)).transpose()?.map(Millis))
}

/// How many console pages somebody is logged in on.
pub async fn sessions(tx: &mut dyn Tx, user: &str, now: Millis) -> Result<i64, StoreError> {
    let sql = "SELECT COUNT(*) FROM web_session WHERE user_id = ?1 AND expires_at > ?2";
    tx.query_one(sql, params![user, now.0]).await?.int(0)
}

/// How many accounts that are open have each scope, unit and so on: (scope, unit) of every one of them.
pub async fn places(tx: &mut dyn Tx) -> Result<Vec<(OrgCode, Option<OrgCode>)>, StoreError> {
    let open = account::list(tx).await?.into_iter().filter(|account| account.disabled_at.is_none());
    Ok(open.map(|account| (account.scope, account.unit)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::District;

    pub(super) fn new(id: &str, role: Role) -> NewAccount {
        NewAccount {
            id: id.to_owned(),
            name: "新来的".to_owned(),
            role,
            scope: "640105005".parse().unwrap(),
            unit: Some("U640105005".parse().unwrap()),
            grids: (role == Role::Inspector).then(|| "640105005001001".parse().unwrap()).into_iter().collect(),
            password_hash: None,
        }
    }

    #[test]
    fn an_account_has_what_its_role_needs() {
        assert_eq!(check(&new("ma-1", Role::Inspector)), Ok(()));
        for (id, name) in [("m", "马"), ("Ma", "马"), ("ma 1", "马"), (&"m".repeat(33), "马"), ("马", "马")] {
            let wrong = NewAccount { name: name.to_owned(), ..new(id, Role::Inspector) };
            assert_eq!(check(&wrong), Err(AccountProblem::LoginName), "{id}");
        }
        let nameless = NewAccount { name: " ".to_owned(), ..new("ma", Role::Admin) };
        assert_eq!(check(&nameless), Err(AccountProblem::Name));
        for role in Role::ALL {
            let without = NewAccount { unit: None, grids: vec![], ..new("ma", *role) };
            let needs = matches!(role, Role::Inspector | Role::TownOffice | Role::HandlingUnit);
            assert_eq!(check(&without).is_err(), needs, "{role}");
        }
        let gridless = NewAccount { grids: vec![], ..new("ma", Role::Inspector) };
        assert_eq!(check(&gridless), Err(AccountProblem::Grid));
        let walking = NewAccount { role: Role::Admin, ..new("ma", Role::Inspector) };
        assert_eq!(check(&walking), Err(AccountProblem::NoInspector));
    }

    #[tokio::test]
    async fn what_is_done_to_an_account_is_in_the_audit_log_once() {
        let district = District::new().await;
        let store = &district.desk.services.store;
        let added = store
            .write::<_, AddError, _>(|tx| {
                Box::pin(async move {
                    let now = Millis(5);
                    add(tx, "admin", &new("ma-1", Role::TownOffice), None, now).await?;
                    set_password(tx, "admin", "ma-1", "hash", true, now).await?;
                    set_open(tx, "admin", "ma-1", false, now).await?;
                    set_open(tx, "admin", "ma-1", true, now).await?;
                    log_out(tx, "admin", "ma-1", now).await?;
                    let known = set_open(tx, "admin", "nobody", false, now).await?;
                    Ok(known)
                })
            })
            .await;
        assert!(!added.unwrap(), "nobody is no account");
        let rows = district.rows("SELECT actor, action FROM audit WHERE subject = 'ma-1' ORDER BY seq").await;
        let noted: Vec<_> = rows.iter().map(|row| (row.text(0).unwrap(), row.text(1).unwrap())).collect();
        let actions = ["user.added", "user.password", "user.disabled", "user.enabled", "user.logged_out"];
        assert_eq!(noted, actions.map(|action| ("admin", action)));
        let again = store
            .write::<_, AddError, _>(|tx| {
                Box::pin(async move { add(tx, "admin", &new("ma-1", Role::TownOffice), None, Millis(6)).await })
            })
            .await;
        assert!(matches!(again, Err(AddError::Problem(AccountProblem::Taken))));
    }

    #[tokio::test]
    async fn an_administrator_keeps_the_accounts_of_the_own_part_of_the_tree() {
        let district = District::new().await;
        let directory = district.directory().await;
        let answers =
            |keeper: &str, scope: &str| answers_for(&keeper.parse().unwrap(), &scope.parse().unwrap(), &directory);
        assert!(answers("640105", "640105") && answers("640105", "640105005") && answers("640105", "U640105-HW"));
        assert!(answers("640100", "640105") && answers("640100", "U640105-HW"));
        assert!(!answers("640105", "640100") && !answers("640105", "640106") && !answers("640105005", "U640105-HW"));
    }

    #[tokio::test]
    async fn accounts_are_listed_in_pages_that_join_without_gap() {
        let district = District::new().await;
        let directory = district.directory().await;
        let store = &district.desk.services.store;
        let all = district.count("user_account").await as usize;
        let mut seen: Vec<String> = Vec::new();
        let mut filter = Filter { limit: 7, ..Filter::default() };
        loop {
            let (asked, directory) = (filter.clone(), directory.clone());
            let keeper: OrgCode = "640105".parse().unwrap();
            let (page, more) = store
                .read::<_, StoreError, _>(move |tx| {
                    Box::pin(async move { list(tx, &directory, &keeper, &asked).await })
                })
                .await
                .unwrap();
            seen.extend(page.iter().map(|listed| listed.account.id.clone()));
            if !more {
                break;
            }
            filter.after = seen.last().unwrap().clone();
        }
        let mut sorted = seen.clone();
        sorted.sort();
        sorted.dedup();
        assert_eq!((seen.len(), &seen), (all, &sorted));
    }
}
