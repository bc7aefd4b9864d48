//! Which grids an inspector walks (责任网格): whether they fit an account, and how they are changed later.
//!
//! Nothing of it is kept in memory: every request reads a person's grids with the account, so a change holds from the
//! next request on. A phone is told cases of the new grids from then on; what lay in them before comes, and what lay
//! in the old ones goes, with its daily count.

use std::collections::BTreeSet;

use xunge_client_core::model::{Millis, OrgCode, OrgLevel, Role};

use super::{AccountProblem, AddError, audit, known};
use crate::auth::account;
use crate::params;
use crate::store::{StoreError, Tx};

/// What became of a change of grids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GridChange {
    /// There is no such account.
    NoUser,
    /// They are the ones the user walks already; nothing was written.
    Same,
    /// The user walks other grids from now on.
    Done {
        /// Those of before, by code.
        before: Vec<OrgCode>,
        /// Those of now, by code.
        after: Vec<OrgCode>,
    },
}

/// Gives an inspector other grids, in place of all of before. One that is named twice counts once.
///
/// # Errors
/// [`AddError`]; nothing was written then.
pub async fn set_grids(
    tx: &mut dyn Tx,
    by: &str,
    user: &str,
    grids: &[OrgCode],
    now: Millis,
) -> Result<GridChange, AddError> {
    let Some(account) = account::find(tx, user).await? else { return Ok(GridChange::NoUser) };
    if account.role != Role::Inspector {
        return Err(AccountProblem::NoInspector.into());
    }
    if grids.is_empty() {
        return Err(AccountProblem::Grid.into());
    }
    for grid in grids {
        known(tx, grid).await?;
    }
    fit(tx, &account.scope, account.unit.as_ref(), grids).await?;
    let before = account::grids(tx, user).await?;
    let after: Vec<OrgCode> = grids.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    if before == after {
        return Ok(GridChange::Same);
    }
    account::set_grids(tx, user, &after).await?;
    let detail = serde_json::json!({"before": before, "after": after}).to_string();
    let entry = audit::Entry { at: now, actor: by, action: "user.grids", subject: user, detail: &detail };
    audit::append(tx, &entry).await?;
    Ok(GridChange::Done { before, after })
}

/// Refuses what is no cell grid where the account works: in the street of its unit (the district of a unit without
/// one) and in the place it sees.
pub(super) async fn fit(
    tx: &mut dyn Tx,
    scope: &OrgCode,
    unit: Option<&OrgCode>,
    grids: &[OrgCode],
) -> Result<(), AddError> {
    let of_unit = match unit {
        Some(unit) => place_of(tx, unit).await?,
        None => None,
    };
    let places: Vec<&OrgCode> = of_unit.iter().chain(Some(scope).filter(|scope| !scope.is_unit())).collect();
    let fits = |grid: &OrgCode| grid.level() == Some(OrgLevel::Grid) && places.iter().all(|place| place.contains(grid));
    match grids.iter().find(|grid| !fits(grid)) {
        Some(grid) => Err(AccountProblem::Elsewhere(grid.clone()).into()),
        None => Ok(()),
    }
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

    async fn set(district: &District, user: &str, grids: &[&str]) -> Result<GridChange, AddError> {
        let (user, grids) = (user.to_owned(), grids.iter().map(|grid| grid.parse().unwrap()).collect::<Vec<_>>());
        let store = &district.desk.services.store;
        store
            .write::<_, AddError, _>(move |tx| {
                Box::pin(async move { set_grids(tx, "admin", &user, &grids, Millis(5)).await })
            })
            .await
    }

    async fn noted(district: &District) -> Vec<(String, String)> {
        let rows = district.rows("SELECT subject, detail FROM audit WHERE action = 'user.grids' ORDER BY seq").await;
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
        assert_eq!(set(&district, "nobody", &[good]).await.unwrap(), GridChange::NoUser);
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
        assert_eq!(set(&district, USER, &same).await.unwrap(), GridChange::Same, "in any order, twice");
        assert!(noted(&district).await.is_empty());
        let after = ["640105005002001", "640105005002002"];
        let done = set(&district, USER, &[after[1], after[0], after[1]]).await.unwrap();
        let codes: Vec<OrgCode> = after.iter().map(|grid| grid.parse().unwrap()).collect();
        assert_eq!(done, GridChange::Done { before: before.clone(), after: codes.clone() });
        assert_eq!(set(&district, USER, &after).await.unwrap(), GridChange::Same);
        let detail = serde_json::json!({"before": before, "after": codes}).to_string();
        assert_eq!(noted(&district).await, [(USER.to_owned(), detail)]);
        assert!(district.verify().await.ok);
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
