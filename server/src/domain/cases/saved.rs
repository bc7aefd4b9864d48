//! Lists that people keep under a name (常用条件).

use xunge_client_core::model::Millis;

use crate::params;
use crate::store::{StoreError, Tx};

/// Most names a person keeps: what fits on a page.
pub const MOST: usize = 30;
/// Longest name, in characters.
pub const LONGEST: usize = 40;
/// Longest query, in bytes: every member of the form filled in.
const LONGEST_QUERY: usize = 2_000;

/// A list under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Its name.
    pub name: String,
    /// The query of its address.
    pub query: String,
}

/// Why a name was not kept.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SavedError {
    /// Empty, too long, or with characters that are not seen.
    #[error("not a name")]
    Name,
    /// Another list has this name.
    #[error("the name is taken")]
    Taken,
    /// There are [`MOST`] already.
    #[error("too many")]
    Full,
    /// There is no such list.
    #[error("no such list")]
    Gone,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A person's lists, by name.
pub async fn all(tx: &mut dyn Tx, user: &str) -> Result<Vec<Saved>, StoreError> {
    let rows = tx.query("SELECT name, query FROM saved_filter WHERE user_id = ?1 ORDER BY name", params![user]).await?;
    rows.iter().map(|row| Ok(Saved { name: row.text(0)?.to_owned(), query: row.text(1)?.to_owned() })).collect()
}

/// Keeps a list under a new name.
///
/// # Errors
/// [`SavedError`]; nothing was written then.
pub async fn keep(tx: &mut dyn Tx, user: &str, name: &str, query: &str, at: Millis) -> Result<(), SavedError> {
    let name = fitting(name)?;
    if query.len() > LONGEST_QUERY {
        return Err(SavedError::Name);
    }
    let known = all(tx, user).await?;
    if known.iter().any(|saved| saved.name == name) {
        return Err(SavedError::Taken);
    }
    if known.len() >= MOST {
        return Err(SavedError::Full);
    }
    let sql = "INSERT INTO saved_filter (user_id, name, query, at) VALUES (?1, ?2, ?3, ?4)";
    tx.execute(sql, params![user, name, query, at.0]).await?;
    Ok(())
}

/// Gives a list another name.
///
/// # Errors
/// [`SavedError`]; nothing was written then.
pub async fn rename(tx: &mut dyn Tx, user: &str, old: &str, new: &str) -> Result<(), SavedError> {
    let new = fitting(new)?;
    if new != old && all(tx, user).await?.iter().any(|saved| saved.name == new) {
        return Err(SavedError::Taken);
    }
    let sql = "UPDATE saved_filter SET name = ?3 WHERE user_id = ?1 AND name = ?2";
    if tx.execute(sql, params![user, old, new]).await? == 0 { Err(SavedError::Gone) } else { Ok(()) }
}

/// Forgets a list; one that is not there is forgotten already.
pub async fn forget(tx: &mut dyn Tx, user: &str, name: &str) -> Result<(), StoreError> {
    tx.execute("DELETE FROM saved_filter WHERE user_id = ?1 AND name = ?2", params![user, name]).await?;
    Ok(())
}

fn fitting(name: &str) -> Result<&str, SavedError> {
    let name = name.trim();
    let fits = (1..=LONGEST).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if fits { Ok(name) } else { Err(SavedError::Name) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::District;

    #[tokio::test]
    async fn a_person_keeps_renames_and_forgets_lists_and_sees_nobody_elses() {
        let district = District::new().await;
        let store = &district.desk.services.store;
        let told = store.write::<_, SavedError, _>(|tx| {
            Box::pin(async move {
                let keep_as = async |tx: &mut dyn Tx, user: &str, name: &str| {
                    keep(tx, user, name, "state=filed", Millis(1)).await
                };
                keep_as(tx, "audit-1", " 待派遣 ").await?;
                keep_as(tx, "leader-1", "待派遣").await?;
                assert_eq!(keep_as(tx, "audit-1", "待派遣").await, Err(SavedError::Taken));
                for wrong in ["", "  ", "a\nb", &"长".repeat(41)] {
                    assert_eq!(keep_as(tx, "audit-1", wrong).await, Err(SavedError::Name));
                }
                rename(tx, "audit-1", "待派遣", "Ours").await?;
                assert_eq!(rename(tx, "audit-1", "待派遣", "x").await, Err(SavedError::Gone));
                let own = all(tx, "audit-1").await?;
                assert_eq!(own, [Saved { name: "Ours".into(), query: "state=filed".into() }]);
                forget(tx, "audit-1", "Ours").await?;
                assert_eq!(all(tx, "audit-1").await?, []);
                for n in 1..MOST {
                    keep_as(tx, "leader-1", &n.to_string()).await?;
                }
                assert_eq!(keep_as(tx, "leader-1", "one more").await, Err(SavedError::Full));
                Ok(())
            })
        });
        told.await.unwrap();
    }
}
