//! What a command names must exist: categories, units, colleagues, other cases.

use xunge_client_core::model::{CaseId, OrgCode, Role};
use xunge_client_core::workflow::{Member, Payload, Refusal, Why};

use super::directory::Directory;
use super::ledger::{self, LedgerError};
use super::scope::Scope;
use crate::params;
use crate::store::{StoreError, Tx};

/// What references are looked up in.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// District of the case the command is about.
    pub district: &'a str,
    /// Org tree and categories.
    pub directory: &'a Directory,
    /// What the actor may see; none for a phone, which names no other case.
    pub scope: Option<&'a Scope>,
}

/// Refuses a command that names something which does not exist.
///
/// # Errors
/// [`Refusal::Invalid`] with the member at fault.
pub async fn check(tx: &mut dyn Tx, place: &Place<'_>, payload: &Payload) -> Result<(), LedgerError> {
    let unknown = |field| LedgerError::Refused(Refusal::Invalid { field, why: Why::UnknownCode });
    if payload.category.as_ref().is_some_and(|key| place.directory.category(key).is_none()) {
        return Err(unknown(Member::Category));
    }
    if payload.handler.as_ref().is_some_and(|unit| place.directory.unit(unit).is_none()) {
        return Err(unknown(Member::Handler));
    }
    let foreign = |grid: &&OrgCode| place.directory.place(grid).is_none() || !grid.as_str().starts_with(place.district);
    if payload.grid.as_ref().filter(foreign).is_some() {
        return Err(unknown(Member::Grid));
    }
    if let Some(assignee) = &payload.assignee
        && !is_inspector(tx, assignee, place.district).await?
    {
        return Err(unknown(Member::Assignee));
    }
    if let Some(master) = payload.master_case_id {
        let other = ledger::load(tx, master).await?;
        let seen = other.is_some_and(|other| place.scope.is_some_and(|scope| scope.covers(&other.keys)));
        if !seen {
            return Err(unknown(Member::MasterCaseId));
        }
    }
    Ok(())
}

/// Tasks and cases go to inspectors who may log in and work in the case's district.
async fn is_inspector(tx: &mut dyn Tx, user: &str, district: &str) -> Result<bool, StoreError> {
    let viewer = super::people::Viewer::load(tx, user).await?;
    Ok(viewer.is_some_and(|it| it.role == Role::Inspector && it.district().as_deref() == Some(district)))
}

/// True if an after photo of the field document is on the server.
pub async fn after_photo_present(tx: &mut dyn Tx, case: CaseId) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM photo WHERE case_id = ?1 AND role = 'after' AND present = 1 LIMIT 1";
    Ok(!tx.query(sql, params![case.as_bytes()]).await?.is_empty())
}
