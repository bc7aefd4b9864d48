//! Puts another category file in force (启用新类别表): all of it in one transaction, or nothing and a list of reasons.
//!
//! A file replaces the trees it names; the others stay. Cases keep the category they have.

mod differences;
mod named;
mod refusal;

use std::collections::{BTreeMap, BTreeSet};

use xunge_client_core::model::{CategoryRef, Kind, Millis, Sha256};
use xunge_client_core::workflow::deadline::Limits;

pub use self::differences::{Change, What};
use self::named::Named;
pub use self::refusal::{Reason, Refusal};
use super::{Directory, install, version};
use crate::domain::exchange::{self, Applied, Numbers};
use crate::params;
use crate::reference::taxonomy::{Category, NATIONAL};
use crate::store::{StoreError, Tx};

/// What a file would do.
pub type Plan = exchange::Plan<What, Reason>;

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Done {
    /// Categories.
    pub numbers: Numbers,
    /// The version of the reference data since.
    pub version: u64,
}

/// How putting a file in force ended.
pub type Outcome = exchange::Outcome<What, Reason, Done>;

/// What is in force, as a file has it: tree by tree, each major before its minors.
pub async fn in_force(tx: &mut dyn Tx) -> Result<Vec<Category>, StoreError> {
    let directory = current(tx).await?;
    let row = |(key, it): (&CategoryRef, &super::Category)| Category {
        key: key.clone(),
        parent: it.parent.clone(),
        name_zh: it.name.clone(),
        name_en: it.name_en.clone(),
        maps_to: it.maps_to.iter().map(|key| key.code.clone()).collect(),
        self_handling: it.self_handling,
        retired: it.retired,
    };
    let mut rows: Vec<Category> = directory.categories().map(row).collect();
    rows.sort_by_cached_key(|it| {
        let CategoryRef { scheme, kind, code } = it.key.clone();
        let major = it.parent.clone().unwrap_or_else(|| code.clone());
        (scheme, kind, major, it.parent.is_some(), code)
    });
    Ok(rows)
}

/// Compares a file with what is there and asks who names what it would take away. `limits` are the time limits in force.
pub async fn plan(tx: &mut dyn Tx, then: &[Category], limits: &Limits) -> Result<Plan, StoreError> {
    let directory = current(tx).await?;
    let changes = differences::changes(&directory, then);
    let refusals = refusals_of(tx, &directory, then, &changes, limits).await?;
    Ok(Plan { changes, refusals })
}

async fn current(tx: &mut dyn Tx) -> Result<Directory, StoreError> {
    let version = version::read(tx).await?;
    Directory::load(tx, version).await
}

async fn refusals_of(
    tx: &mut dyn Tx,
    directory: &Directory,
    then: &[Category],
    changes: &[Change],
    limits: &Limits,
) -> Result<Vec<Refusal>, StoreError> {
    let files: BTreeMap<String, &Category> = then.iter().map(|it| (it.key.to_string(), it)).collect();
    let mut named = None;
    let mut refusals = Vec::new();
    for change in changes {
        let key: CategoryRef = change.code.parse().map_err(|_| StoreError::Check { what: "category".to_owned() })?;
        let ours = matches!(change.what, What::SelfHandling | What::Retired);
        if key.scheme == NATIONAL && !ours {
            refusals.push(Refusal::of(change, Reason::Standard));
            continue;
        }
        match change.what {
            What::Removed | What::Parent => {
                if named.is_none() {
                    named = Some(Named::load(tx, limits).await?);
                }
                let Some(named) = &named else { continue };
                let by = named.by(tx, directory, &key, change.what).await?;
                if !by.is_empty() {
                    refusals.push(Refusal::of(change, Reason::Named(by)));
                }
            }
            What::Added | What::MapsTo => {
                let codes = files.get(&change.code).map(|it| it.maps_to.as_slice()).unwrap_or_default();
                let unknown: Vec<String> = codes.iter().filter(|code| !is_standard(directory, code)).cloned().collect();
                if !unknown.is_empty() {
                    refusals.push(Refusal::of(change, Reason::Unknown(unknown)));
                }
            }
            What::NameZh | What::NameEn | What::SelfHandling | What::Retired => {}
        }
    }
    Ok(refusals)
}

/// True for the code of an event of the national standard; no file adds or removes one.
fn is_standard(directory: &Directory, code: &str) -> bool {
    let key = CategoryRef { scheme: NATIONAL.to_owned(), kind: Kind::Event, code: code.to_owned() };
    directory.category(&key).is_some()
}

/// Puts a file in force. `sha256` is that of the file as it was given, for the audit log.
pub async fn apply(
    tx: &mut dyn Tx,
    by: &str,
    then: &[Category],
    limits: &Limits,
    sha256: &Sha256,
    now: Millis,
) -> Result<Outcome, StoreError> {
    let plan = plan(tx, then, limits).await?;
    if !plan.refusals.is_empty() {
        return Ok(Outcome::Refused(plan));
    }
    if plan.changes.is_empty() {
        return Ok(Outcome::Same);
    }
    write(tx, then, &plan.changes).await?;
    let numbers = Numbers::of(&plan.changes);
    let trees: BTreeSet<&str> = then.iter().map(|it| it.key.scheme.as_str()).collect();
    let subject = trees.into_iter().collect::<Vec<_>>().join(" ");
    let applied = Applied { by, action: "categories.applied", subject: &subject, sha256, at: now };
    let version = applied.note(tx, numbers, &[]).await?;
    Ok(Outcome::Done(Done { numbers, version }))
}

/// Writes every category that differs, as a whole.
async fn write(tx: &mut dyn Tx, then: &[Category], changes: &[Change]) -> Result<(), StoreError> {
    let changed: BTreeMap<&str, What> = changes.iter().map(|change| (change.code.as_str(), change.what)).collect();
    let gone = changed.iter().filter(|(_, what)| **what == What::Removed);
    for (key, _) in gone {
        let key: CategoryRef = key.parse().map_err(|_| StoreError::Check { what: "category".to_owned() })?;
        let sql = "DELETE FROM taxonomy WHERE scheme = ?1 AND kind = ?2 AND code = ?3";
        tx.execute(sql, params![&key.scheme, key.kind.code(), &key.code]).await?;
    }
    for category in then.iter().filter(|it| changed.contains_key(it.key.to_string().as_str())) {
        install::put_category(tx, category).await?;
    }
    Ok(())
}

#[cfg(test)]
#[path = "trees_tests.rs"]
mod tests;
