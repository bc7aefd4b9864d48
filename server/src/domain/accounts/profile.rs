//! What is changed of an account later: its name, its unit, what it sees, and the grids an inspector walks (责任网格).
//!
//! The log-in name and the role stay: what somebody did is noted under them, and duties are kept apart by them.
//! Nothing of it is kept in memory: every request reads a person with their grids, so a change holds from the next
//! request on. A phone is told cases of the new grids from then on, and what it holds of the old ones goes with the same
//! answer (`feed::lost`); what lay in the new ones before comes with its daily count.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use xunge_client_core::model::{Millis, OrgCode, OrgLevel, Role};

use super::{AccountProblem, AddError, known, note};
use crate::auth::account::{self, Account};
use crate::params;
use crate::store::{StoreError, Tx};

/// What may be changed of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Name shown to people.
    pub name: String,
    /// The part of the tree the user sees.
    pub scope: OrgCode,
    /// The unit the user works for.
    pub unit: Option<OrgCode>,
    /// The grids an inspector walks, each once, by code.
    pub grids: Vec<OrgCode>,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// There is no such account.
    NoUser,
    /// It is as wanted already; nothing was written.
    Same,
    /// It is another from now on.
    Done {
        /// As it was.
        before: Profile,
        /// As it is.
        after: Profile,
    },
}

impl Profile {
    /// What an account has now, its grids beside it.
    pub fn of(account: &Account, grids: Vec<OrgCode>) -> Self {
        let Account { name, scope, unit, .. } = account.clone();
        Self { name, scope, unit, grids }
    }

    /// What has to hold for a role whatever is in the database.
    pub(super) fn check(&self, role: Role) -> Result<(), AccountProblem> {
        if self.name.trim().is_empty() || self.name.chars().any(char::is_control) {
            return Err(AccountProblem::Name);
        }
        match (role == Role::Inspector, self.grids.is_empty()) {
            (true, true) => return Err(AccountProblem::Grid),
            (false, false) => return Err(AccountProblem::NoInspector),
            _ => {}
        }
        let of_a_unit = matches!(role, Role::Inspector | Role::TownOffice | Role::HandlingUnit);
        if of_a_unit && self.unit.is_none() { Err(AccountProblem::Unit) } else { Ok(()) }
    }

    /// Refuses places that are not there, and what is no cell grid where the account works: in the street of its unit
    /// (the district of a unit without one) and in the place it sees.
    pub(super) async fn fit(&self, tx: &mut dyn Tx) -> Result<(), AddError> {
        for code in std::iter::once(&self.scope).chain(&self.unit).chain(&self.grids) {
            known(tx, code).await?;
        }
        let of_unit = match &self.unit {
            Some(unit) => place_of(tx, unit).await?,
            None => None,
        };
        let places: Vec<&OrgCode> = of_unit.iter().chain(Some(&self.scope).filter(|scope| !scope.is_unit())).collect();
        let fits =
            |grid: &OrgCode| grid.level() == Some(OrgLevel::Grid) && places.iter().all(|place| place.contains(grid));
        match self.grids.iter().find(|grid| !fits(grid)) {
            Some(grid) => Err(AccountProblem::Elsewhere(grid.clone()).into()),
            None => Ok(()),
        }
    }
}

/// Gives an account another profile: `edit` is told the present one. The audit log has what differs.
///
/// # Errors
/// [`AddError`]; nothing was written then.
pub async fn change(
    tx: &mut dyn Tx,
    by: &str,
    user: &str,
    edit: impl FnOnce(Profile) -> Profile,
    now: Millis,
) -> Result<Change, AddError> {
    let Some(account) = account::find(tx, user).await? else { return Ok(Change::NoUser) };
    let before = Profile::of(&account, account::grids(tx, user).await?);
    let mut after = edit(before.clone());
    after.grids = after.grids.into_iter().collect::<BTreeSet<_>>().into_iter().collect();
    after.check(account.role)?;
    after.fit(tx).await?;
    if before == after {
        return Ok(Change::Same);
    }
    account::set_profile(tx, user, &after.name, &after.scope, after.unit.as_ref()).await?;
    account::set_grids(tx, user, &after.grids).await?;
    note(tx, by, "user.changed", user, &difference(&before, &after), now).await?;
    Ok(Change::Done { before, after })
}

/// What differs: `{"grids":{"before":[…],"after":[…]}}`.
fn difference(before: &Profile, after: &Profile) -> String {
    let sides = |it: &Profile| [json!(it.name), json!(it.scope), json!(it.unit), json!(it.grids)];
    let fields = ["name", "scope", "unit", "grids"].into_iter().zip(sides(before).into_iter().zip(sides(after)));
    let differ = fields.filter(|(_, (before, after))| before != after);
    let told = differ.map(|(name, (before, after))| (name.to_owned(), json!({"before": before, "after": after})));
    Value::Object(told.collect::<Map<_, _>>()).to_string()
}

/// The street a unit is responsible for, or else its district.
async fn place_of(tx: &mut dyn Tx, unit: &OrgCode) -> Result<Option<OrgCode>, StoreError> {
    let sql = "SELECT COALESCE(street, district) FROM unit WHERE code = ?1";
    let Some(row) = tx.query_opt(sql, params![unit.as_str()]).await? else { return Ok(None) };
    let broken = |_| StoreError::Check { what: "unit.street".to_owned() };
    row.text(0)?.parse().map(Some).map_err(broken)
}

#[cfg(test)]
mod tests {
    use xunge_client_core::model::{Facts, Mode};

    use super::super::{add, tests::new};
    use super::*;
    use crate::testing::{District, facts};

    /// An inspector of Ninghua Street.
    const USER: &str = "insp-ninghua-1";

    /// Changes a profile.
    async fn edit(
        district: &District,
        user: &str,
        edit: impl FnOnce(Profile) -> Profile + Clone + Send + 'static,
    ) -> Result<Change, AddError> {
        let user = user.to_owned();
        let store = &district.desk.services.store;
        store
            .write::<_, AddError, _>(move |tx| {
                Box::pin(async move { change(tx, "admin", &user, edit, Millis(5)).await })
            })
            .await
    }

    async fn set(district: &District, user: &str, grids: &[&str]) -> Result<Change, AddError> {
        let grids: Vec<OrgCode> = grids.iter().map(|grid| grid.parse().unwrap()).collect();
        edit(district, user, move |now| Profile { grids, ..now }).await
    }

    async fn noted(district: &District) -> Vec<(String, String)> {
        let rows = district.rows("SELECT subject, detail FROM audit WHERE action = 'user.changed' ORDER BY seq").await;
        rows.iter().map(|row| (row.text(0).unwrap().to_owned(), row.text(1).unwrap().to_owned())).collect()
    }

    #[tokio::test]
    async fn grids_that_do_not_fit_an_account_are_refused_and_nothing_is_written() {
        let district = District::new().await;
        let code = |code: &str| code.parse::<OrgCode>().unwrap();
        let before = district.viewer(USER).await;
        let good = "640105005001001";
        for (user, grids, expected) in [
            (USER, vec![], AccountProblem::Grid),
            (USER, vec![good, "640105005001999"], AccountProblem::Unknown(code("640105005001999"))),
            (USER, vec![good, "640105005001"], AccountProblem::Elsewhere(code("640105005001"))),
            (USER, vec![good, "U640105005"], AccountProblem::Elsewhere(code("U640105005"))),
            (USER, vec![good, "640105001001001"], AccountProblem::Elsewhere(code("640105001001001"))),
            ("review-ninghua-1", vec![good], AccountProblem::NoInspector),
        ] {
            let refused = set(&district, user, &grids).await;
            assert!(matches!(&refused, Err(AddError::Problem(problem)) if *problem == expected), "{refused:?}");
        }
        assert_eq!(set(&district, "nobody", &[good]).await.unwrap(), Change::NoUser);
        assert_eq!((district.viewer(USER).await, noted(&district).await), (before, vec![]));
        // What a new account is refused for is the same.
        let store = &district.desk.services.store;
        let elsewhere = account::NewAccount { grids: vec![code("640105001001001")], ..new("ma-1", Role::Inspector) };
        let added = store
            .write::<_, AddError, _>(move |tx| {
                Box::pin(async move { add(tx, "admin", &elsewhere, None, Millis(5)).await })
            })
            .await;
        assert!(matches!(added, Err(AddError::Problem(AccountProblem::Elsewhere(_)))), "{added:?}");
    }

    #[tokio::test]
    async fn an_inspector_of_a_unit_without_a_street_walks_grids_of_the_place_they_see() {
        let district = District::new().await;
        let rows = district.rows("SELECT id FROM user_account WHERE unit = 'U640105-ZF' AND role = 'inspector'").await;
        let user = rows[0].text(0).unwrap();
        let grids = ["640105001001001", "640105005001001"];
        set(&district, user, &grids).await.unwrap();
        let walked: Vec<_> = district.viewer(user).await.grids.iter().map(ToString::to_string).collect();
        assert_eq!(walked, grids);
    }

    #[tokio::test]
    async fn a_change_of_grids_is_noted_once_with_what_was_before() {
        let district = District::new().await;
        let before = district.viewer(USER).await.grids;
        let same: Vec<_> = before.iter().rev().chain(&before).map(OrgCode::as_str).collect();
        assert_eq!(set(&district, USER, &same).await.unwrap(), Change::Same, "in any order, twice");
        assert!(noted(&district).await.is_empty());
        let after = ["640105005002001", "640105005002002"];
        let done = set(&district, USER, &[after[1], after[0], after[1]]).await.unwrap();
        let codes: Vec<OrgCode> = after.iter().map(|grid| grid.parse().unwrap()).collect();
        assert!(
            matches!(&done, Change::Done { before: b, after: a } if b.grids == before && a.grids == codes),
            "{done:?}"
        );
        assert_eq!(set(&district, USER, &after).await.unwrap(), Change::Same);
        let detail = json!({"grids": {"before": before, "after": codes}}).to_string();
        assert_eq!(noted(&district).await, [(USER.to_owned(), detail)]);
        assert!(district.verify().await.ok);
    }

    #[tokio::test]
    async fn who_moves_to_another_street_sees_and_reviews_there_and_what_differs_is_noted() {
        let district = District::new().await;
        let moved = |now: Profile| Profile {
            name: "调来的".to_owned(),
            scope: "640105001".parse().unwrap(),
            unit: Some("U640105001".parse().unwrap()),
            ..now
        };
        let old = district.viewer("review-ninghua-1").await;
        let done = edit(&district, "review-ninghua-1", moved).await.unwrap();
        assert!(matches!(done, Change::Done { .. }), "{done:?}");
        let viewer = district.viewer("review-ninghua-1").await;
        assert_eq!((viewer.scope.as_str(), viewer.unit.as_ref().unwrap().as_str()), ("640105001", "U640105001"));
        assert_eq!((viewer.role, viewer.user), (old.role, old.user));
        let rows = district.rows("SELECT detail FROM audit WHERE action = 'user.changed'").await;
        let detail: Value = serde_json::from_str(rows[0].text(0).unwrap()).unwrap();
        assert_eq!(detail["scope"], json!({"before": "640105005", "after": "640105001"}));
        assert_eq!((detail.as_object().unwrap().len(), rows.len()), (3, 1), "only what differs: {detail}");
        assert_eq!(edit(&district, "review-ninghua-1", moved).await.unwrap(), Change::Same);
        // An inspector's grids have to lie in the new street too, and nobody is left without what the role needs.
        let to = |unit: Option<&'static str>| {
            move |now: Profile| Profile { unit: unit.map(|it| it.parse().unwrap()), ..now }
        };
        for (user, unit) in [(USER, Some("U640105001")), (USER, None), ("review-ninghua-1", None)] {
            let refused = edit(&district, user, to(unit)).await;
            assert!(matches!(refused, Err(AddError::Problem(_))), "{user} {unit:?}: {refused:?}");
        }
        assert!(district.verify().await.ok);
    }

    #[tokio::test]
    async fn older_tokens_end_when_somebody_sees_another_part_of_the_tree_and_only_then() {
        let district = District::new().await;
        let version = async || {
            let rows = district.rows("SELECT perm_version FROM user_account WHERE id = 'review-ninghua-1'").await;
            rows[0].int(0).unwrap()
        };
        let before = version().await;
        edit(&district, "review-ninghua-1", |now| Profile { name: "改名".to_owned(), ..now }).await.unwrap();
        assert_eq!(version().await, before);
        let wider = |now: Profile| Profile { scope: "640105".parse().unwrap(), ..now };
        edit(&district, "review-ninghua-1", wider).await.unwrap();
        assert_eq!(version().await, before + 1);
    }

    #[tokio::test]
    async fn a_phone_hears_of_cases_in_the_new_grids_from_its_next_sync_on_and_no_more_of_the_old() {
        let district = District::new().await;
        let old = district.viewer(USER).await.grids[0].to_string();
        let new = "640105005002001";
        assert_ne!(old, new);
        let (mut mover, mut reporter) = (district.phone(USER).await, district.phone("insp-xihuayuan-1").await);
        mover.drain(&district).await;
        set(&district, USER, &[new]).await.unwrap();
        let walked: Vec<_> = district.viewer(USER).await.grids.iter().map(ToString::to_string).collect();
        assert_eq!(walked, [new]);
        let seen = |number, grid: &str| Facts {
            point: None,
            grid_claim: Some(grid.to_owned()),
            ..facts(number, Mode::Forwarded, district.now())
        };
        let (left, entered) = (reporter.report(&seen(1, &old)), reporter.report(&seen(2, new)));
        reporter.drain(&district).await;
        mover.drain(&district).await;
        assert!(mover.cases.contains_key(&entered) && !mover.cases.contains_key(&left));
        assert!(district.verify().await.ok);
    }
}
