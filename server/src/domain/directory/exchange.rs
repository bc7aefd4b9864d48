//! Puts another org file in force (启用新组织文件): all of it in one transaction, or nothing and a list of reasons.
//!
//! Cases keep the grid and the units they were given. Users of the file are not looked at: they are kept on their page.

use std::collections::{BTreeMap, BTreeSet};

use xunge_client_core::model::{Millis, OrgCode, Sha256};

use super::changes::{self, Change, MAP_NOTE, What};
use super::named::Named;
use super::refusal::{Reason, Refusal};
use super::{Directory, install, version};
use crate::domain::exchange::{self, Applied, Numbers};
use crate::params;
use crate::reference::org::{Org, Place, Unit};
use crate::store::{StoreError, Tx};

/// What a file would do.
pub type Plan = exchange::Plan<What, Reason>;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Places and units; the map note is counted as one of them.
    pub numbers: Numbers,
    /// Dispatch rules that new units brought along.
    pub rules: u64,
    /// The version of the reference data since.
    pub version: u64,
}

/// How putting a file in force ended.
pub type Outcome = exchange::Outcome<What, Reason, Done>;

/// Compares a file with what is there and asks who names what it would take away.
pub async fn plan(tx: &mut dyn Tx, org: &Org) -> Result<Plan, StoreError> {
    let version = version::read(tx).await?;
    let directory = Directory::load(tx, version).await?;
    let refusals = districts(&directory, org);
    if !refusals.is_empty() {
        return Ok(Plan { changes: Vec::new(), refusals });
    }
    let note = tx.query_opt("SELECT value FROM meta WHERE key = ?1", params![MAP_NOTE]).await?;
    let note = note.as_ref().map(|row| row.text(0)).transpose()?.unwrap_or_default();
    let changes = changes::changes(&directory, note, org);
    let refusals = refusals_of(tx, &directory, &changes).await?;
    Ok(Plan { changes, refusals })
}

/// Districts that only one of the two has.
fn districts(directory: &Directory, org: &Org) -> Vec<Refusal> {
    let names =
        |code: &OrgCode| org.place(code).map_or_else(|| directory.name_of(code.as_str()), |it| it.name.as_str());
    let now: BTreeSet<&OrgCode> = directory.districts().collect();
    let then: BTreeSet<&OrgCode> = org.districts().map(|place| &place.code).collect();
    let refusal = |code: &&OrgCode| Refusal {
        code: code.to_string(),
        name: names(code).to_owned(),
        what: if then.contains(code) { What::Added } else { What::Removed },
        reason: Reason::District,
    };
    now.symmetric_difference(&then).copied().map(|code| refusal(&code)).collect()
}

async fn refusals_of(tx: &mut dyn Tx, directory: &Directory, changes: &[Change]) -> Result<Vec<Refusal>, StoreError> {
    let districts: Vec<OrgCode> = directory.districts().cloned().collect();
    let mut named = None;
    let mut refusals = Vec::new();
    for change in changes {
        match change.what {
            What::Parent | What::District => refusals.push(Refusal::of(change, Reason::Moved)),
            What::Removed | What::Street | What::Kind => {
                let code = change.code.parse().map_err(|_| StoreError::Check { what: "org code".to_owned() })?;
                if named.is_none() {
                    named = Some(Named::load(tx).await?);
                }
                let Some(named) = &named else { continue };
                let by = named.by(tx, &districts, &code).await?;
                if !by.is_empty() {
                    refusals.push(Refusal::of(change, Reason::Named(by)));
                }
            }
            What::Added | What::Name | What::Outline | What::MapNote => {}
        }
    }
    Ok(refusals)
}

/// Puts a file in force. `sha256` is that of the file as it was given, for the audit log.
pub async fn apply(tx: &mut dyn Tx, by: &str, org: &Org, sha256: &Sha256, now: Millis) -> Result<Outcome, StoreError> {
    let plan = plan(tx, org).await?;
    if !plan.refusals.is_empty() {
        return Ok(Outcome::Refused(plan));
    }
    if plan.changes.is_empty() {
        return Ok(Outcome::Same);
    }
    let numbers = Numbers::of(&plan.changes);
    let rules = write(tx, org, &plan.changes, now).await?;
    let districts = org.districts().map(|place| place.code.as_str()).collect::<Vec<_>>().join(" ");
    let applied = Applied { by, action: "org.applied", subject: &districts, sha256, at: now };
    let version = applied.note(tx, numbers, &[("rules", rules)]).await?;
    Ok(Outcome::Done(Done { numbers, rules, version }))
}

/// Writes every change; answers how many dispatch rules were made.
async fn write(tx: &mut dyn Tx, org: &Org, changes: &[Change], now: Millis) -> Result<u64, StoreError> {
    let places: BTreeMap<&str, &Place> = org.places.iter().map(|place| (place.code.as_str(), place)).collect();
    let units: BTreeMap<&str, &Unit> = org.units.iter().map(|unit| (unit.code.as_str(), unit)).collect();
    let mut rules = 0;
    for change in changes {
        let code = change.code.as_str();
        match (change.what, places.get(code), units.get(code)) {
            (What::MapNote, ..) => install::put_meta(tx, MAP_NOTE, &org.map_note).await?,
            (What::Removed, ..) => {
                for sql in ["DELETE FROM org_node WHERE code = ?1", "DELETE FROM unit WHERE code = ?1"] {
                    tx.execute(sql, params![code]).await?;
                }
            }
            (What::Added, Some(place), _) => install::add_place(tx, place).await?,
            (What::Added, None, Some(unit)) => {
                install::add_unit(tx, unit).await?;
                rules += install::add_rules(tx, unit, now).await?;
            }
            (_, Some(place), _) => {
                let sql = "UPDATE org_node SET name = ?2, polygon = ?3 WHERE code = ?1";
                tx.execute(sql, params![code, &place.name, install::outline(place)]).await?;
            }
            (_, None, Some(unit)) => {
                let street = unit.street.as_ref().map(|code| code.as_str());
                let sql = "UPDATE unit SET name = ?2, kind = ?3, street = ?4 WHERE code = ?1";
                tx.execute(sql, params![code, &unit.name, unit.kind.code(), street]).await?;
            }
            (_, None, None) => return Err(StoreError::Check { what: format!("a change of {code}") }),
        }
    }
    Ok(rules)
}

#[cfg(test)]
#[path = "exchange_tests.rs"]
mod tests;
