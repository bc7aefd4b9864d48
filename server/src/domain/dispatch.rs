//! Dispatch rules (派遣规则): which unit usually handles what, and where.
//!
//! A rule names the beginning of a category and the beginning of a grid; either may be empty and then fits everything.
//! Of the rules that fit, the one that says most about the category wins, and of those the one that says most about
//! the place. What it gives is a suggestion: a dispatcher decides, and may decide otherwise.

use serde::Serialize;
use xunge_client_core::model::{CategoryRef, Kind, Millis, OrgCode};
use xunge_client_core::workflow::{Ledger, State};

use super::audit;
use super::directory::Directory;
use crate::params;
use crate::reference::org::UnitKind;
use crate::store::{StoreError, Tx};

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DispatchRule {
    /// The beginning of a written category, `scheme:kind:code`; empty for any.
    pub category: String,
    /// The beginning of a grid's code; empty for any.
    pub grid: String,
    /// The unit that handles.
    pub unit: OrgCode,
}

/// Which unit a case should go to, and who says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Suggestion {
    /// The unit.
    pub unit: OrgCode,
    /// Why this one.
    pub by: Why,
}

/// Why a unit is suggested.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Why {
    /// The office named it when it filed the case.
    Office,
    /// A rule fits.
    Rule {
        /// Its category.
        category: String,
        /// Its grid.
        grid: String,
    },
}

/// Why a rule is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleProblem {
    /// No category begins like this.
    Category,
    /// No place of the district begins like this.
    Grid,
    /// Not a handling unit.
    Unit,
}

/// The rule that says most about a case; none if no rule fits.
pub fn closest<'a>(rules: &'a [DispatchRule], category: &str, grid: &str) -> Option<&'a DispatchRule> {
    let fits = |rule: &&DispatchRule| category.starts_with(&rule.category) && grid.starts_with(&rule.grid);
    rules.iter().filter(fits).max_by_key(|rule| (rule.category.len(), rule.grid.len()))
}

/// Which unit a case that waits for dispatch should go to. What its office named goes before any rule: it saw the case.
pub fn suggest(rules: &[DispatchRule], ledger: &Ledger) -> Option<Suggestion> {
    if ledger.state != State::Filed {
        return None;
    }
    if let Some(unit) = &ledger.handler_suggested {
        return Some(Suggestion { unit: unit.clone(), by: Why::Office });
    }
    let category = ledger.counted_category().map(CategoryRef::to_string).unwrap_or_default();
    let rule = closest(rules, &category, ledger.grid.as_ref().map_or("", OrgCode::as_str))?;
    let by = Why::Rule { category: rule.category.clone(), grid: rule.grid.clone() };
    Some(Suggestion { unit: rule.unit.clone(), by })
}

/// The rules of a district, by category and grid.
pub async fn rules(tx: &mut dyn Tx, district: &str) -> Result<Vec<DispatchRule>, StoreError> {
    let sql = "SELECT category, grid, unit FROM dispatch_rule WHERE district = ?1 ORDER BY category, grid";
    let rows = tx.query(sql, params![district]).await?;
    let rule = |row: &crate::store::Row| {
        Ok(DispatchRule {
            category: row.text(0)?.to_owned(),
            grid: row.text(1)?.to_owned(),
            unit: row.text(2)?.parse().map_err(|_| StoreError::Check { what: "dispatch_rule.unit".to_owned() })?,
        })
    };
    rows.iter().map(rule).collect()
}

impl DispatchRule {
    /// Checks that something of the directory fits each part.
    ///
    /// # Errors
    /// [`RuleProblem`], the first found.
    pub fn check(&self, directory: &Directory, district: &str) -> Result<(), RuleProblem> {
        let category = self.category.as_str();
        let known = category.is_empty() || directory.categories().any(|(key, _)| key.to_string().starts_with(category));
        // A beginning that ends inside the scheme's name would fit trees nobody thought of.
        let whole = category.is_empty() || Kind::ALL.iter().any(|kind| category.contains(&format!(":{kind}:")));
        if !known || !whole {
            return Err(RuleProblem::Category);
        }
        let below = |code: &OrgCode| code.as_str().starts_with(district) && code.as_str().starts_with(&self.grid);
        if !self.grid.is_empty() && !directory.places().any(|(code, _)| below(code)) {
            return Err(RuleProblem::Grid);
        }
        let handles = directory.unit(&self.unit).is_some_and(|unit| unit.kind == UnitKind::Handling);
        if handles { Ok(()) } else { Err(RuleProblem::Unit) }
    }
}

/// Writes a rule, in place of the one for the same category and grid.
pub async fn put(
    tx: &mut dyn Tx,
    by: &str,
    district: &str,
    rule: &DispatchRule,
    now: Millis,
) -> Result<(), StoreError> {
    tx.execute(
        "INSERT INTO dispatch_rule (district, category, grid, unit, at) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (district, category, grid) DO UPDATE SET unit = excluded.unit, at = excluded.at",
        params![district, &rule.category, &rule.grid, rule.unit.as_str(), now.0],
    )
    .await?;
    note(tx, by, "dispatch_rule.set", district, rule, now).await
}

/// Removes the rule for a category and grid; false if there is none.
pub async fn remove(
    tx: &mut dyn Tx,
    by: &str,
    district: &str,
    category: &str,
    grid: &str,
    now: Millis,
) -> Result<bool, StoreError> {
    let known = rules(tx, district).await?.into_iter().find(|rule| rule.category == category && rule.grid == grid);
    let Some(rule) = known else { return Ok(false) };
    tx.execute(
        "DELETE FROM dispatch_rule WHERE district = ?1 AND category = ?2 AND grid = ?3",
        params![district, category, grid],
    )
    .await?;
    note(tx, by, "dispatch_rule.removed", district, &rule, now).await?;
    Ok(true)
}

async fn note(
    tx: &mut dyn Tx,
    by: &str,
    action: &str,
    district: &str,
    rule: &DispatchRule,
    now: Millis,
) -> Result<(), StoreError> {
    let detail = serde_json::to_string(rule).expect("a rule is plain data");
    audit::append(tx, &audit::Entry { at: now, actor: by, action, subject: district, detail: &detail }).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::District;

    fn rule(category: &str, grid: &str, unit: &str) -> DispatchRule {
        DispatchRule { category: category.to_owned(), grid: grid.to_owned(), unit: unit.parse().unwrap() }
    }

    #[test]
    fn the_rule_that_says_most_about_the_category_wins_then_the_one_that_says_most_about_the_place() {
        let rules = [
            rule("", "", "U-ANY"),
            rule("", "640105101", "U-TOWN"),
            rule("xixia-2023:event:", "", "U-SCHEME"),
            rule("xixia-2023:event:XX02", "", "U-MAJOR"),
            rule("xixia-2023:event:XX02", "640105101", "U-MAJOR-TOWN"),
            rule("xixia-2023:event:XX02", "640105101001", "U-MAJOR-COMMUNITY"),
            rule("xixia-2023:event:XX0201", "", "U-MINOR"),
            rule("gb47678.5-2026:event:06", "", "U-NATIONAL"),
        ];
        let (town, other) = ("640105101002001", "640105001001001");
        for (category, grid, expected) in [
            ("xixia-2023:event:XX0201", other, "U-MINOR"),
            ("xixia-2023:event:XX0201", town, "U-MINOR"),
            ("xixia-2023:event:XX0202", other, "U-MAJOR"),
            ("xixia-2023:event:XX0202", town, "U-MAJOR-TOWN"),
            ("xixia-2023:event:XX0202", "640105101001004", "U-MAJOR-COMMUNITY"),
            ("xixia-2023:event:XX0202", "", "U-MAJOR"),
            ("xixia-2023:event:XX0301", town, "U-SCHEME"),
            ("xixia-2023:part:XX0201", other, "U-ANY"),
            ("gb47678.5-2026:event:06010", other, "U-NATIONAL"),
            ("gb47678.5-2026:event:07010", town, "U-TOWN"),
            ("", "", "U-ANY"),
        ] {
            let found = closest(&rules, category, grid).map(|rule| rule.unit.as_str());
            assert_eq!(found, Some(expected), "{category} in {grid}");
            let mut turned = rules.to_vec();
            turned.reverse();
            let found = closest(&turned, category, grid).map(|rule| rule.unit.as_str());
            assert_eq!(found, Some(expected), "{category} in {grid}, whatever the order");
        }
        assert_eq!(closest(&rules[3..], "xixia-2023:event:XX0301", town), None);
        assert_eq!(closest(&[], "xixia-2023:event:XX0201", town), None);
    }

    #[tokio::test]
    async fn a_rule_has_to_fit_something_of_the_district() {
        let district = District::new().await;
        let directory = district.directory().await;
        let check = |category, grid, unit| rule(category, grid, unit).check(&directory, "640105");
        assert_eq!(check("xixia-2023:event:XX02", "640105101", "U640105-HW"), Ok(()));
        assert_eq!(check("", "", "U640105-HW"), Ok(()));
        for wrong in ["xixia-2023:event:ZZ", "xixia", "XX02", "xixia-2023"] {
            assert_eq!(check(wrong, "", "U640105-HW"), Err(RuleProblem::Category), "{wrong}");
        }
        for wrong in ["640106", "64010599", "x"] {
            assert_eq!(check("", wrong, "U640105-HW"), Err(RuleProblem::Grid), "{wrong}");
        }
        for wrong in ["U640105-ZF", "U640105001", "U640105-XX"] {
            assert_eq!(check("", "", wrong), Err(RuleProblem::Unit), "{wrong}");
        }
    }

    #[tokio::test]
    async fn the_example_district_knows_a_unit_for_every_kind_of_case() {
        let district = District::new().await;
        let store = &district.desk.services.store;
        let rules = store.read::<_, StoreError, _>(|tx| Box::pin(rules(tx, "640105"))).await.unwrap();
        let unit = |category: &str| closest(&rules, category, "640105001001001").map(|rule| rule.unit.to_string());
        assert_eq!(unit("xixia-2023:event:XX0201").as_deref(), Some("U640105-HW"));
        assert_eq!(unit("xixia-2023:event:XX0204").as_deref(), Some("U640105-ZD"), "by its major");
        let directory = district.directory().await;
        for (key, category) in directory.categories().filter(|(key, _)| key.scheme == "xixia-2023") {
            assert!(category.parent.is_none() || unit(&key.to_string()).is_some(), "{key} {}", category.name);
        }
    }

    #[tokio::test]
    async fn changes_of_rules_are_in_the_audit_log() {
        let district = District::new().await;
        let store = &district.desk.services.store;
        let one = rule("xixia-2023:event:XX02", "640105101", "U640105-HW");
        let removed = store
            .write::<_, StoreError, _>(move |tx| {
                let one = one.clone();
                Box::pin(async move {
                    put(tx, "admin", "640105", &one, Millis(7)).await?;
                    let gone = remove(tx, "admin", "640105", &one.category, &one.grid, Millis(8)).await?;
                    Ok([gone, remove(tx, "admin", "640105", &one.category, &one.grid, Millis(9)).await?])
                })
            })
            .await;
        assert_eq!(removed.unwrap(), [true, false]);
        let noted =
            district.rows("SELECT action, detail FROM audit WHERE action LIKE 'dispatch_rule.%' ORDER BY seq").await;
        let actions: Vec<_> = noted.iter().map(|row| row.text(0).unwrap()).collect();
        assert_eq!(actions, ["dispatch_rule.set", "dispatch_rule.removed"]);
        assert!(noted[0].text(1).unwrap().contains("U640105-HW"));
    }
}
