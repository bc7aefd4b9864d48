//! The figures of a month, as the overview shows them: everything from `domain::counts`, one snapshot.

use std::collections::BTreeMap;

use xunge_client_core::model::{CategoryRef, LocalDay, LocalMonth, OrgCode, Role};

use super::field::Choice;
use super::lang::Lang;
use super::tables::year_before;
use super::visit::Visit;
use super::words;
use crate::domain::counts::query::{Ask, By, Table, table};
use crate::domain::directory::Directory;
use crate::domain::editions::{self, Edition, EditionFigures};
use crate::store::{StoreError, Tx};

/// Months one can choose from.
const MONTHS: usize = 24;

/// A month and what it is compared with.
#[derive(Debug, Clone)]
pub(crate) struct Month {
    /// By day; its total is the month's.
    pub(crate) days: Table,
    /// By reporting unit; none where the scope is a unit itself.
    pub(crate) units: Option<Table>,
    /// By category, minors as they were reported.
    pub(crate) categories: Table,
    /// The month before.
    pub(crate) before: Before,
    /// The same month a year before.
    pub(crate) year: Before,
}

/// An earlier month.
#[derive(Debug, Clone, Default)]
pub(crate) struct Before {
    /// Number of the edition it was published as; none for present counts.
    pub(crate) edition: Option<i64>,
    figures: EditionFigures,
    /// Self-handled and forwarded; an edition does not say.
    modes: Option<[i64; 2]>,
}

impl Before {
    /// Reports of the whole scope.
    pub(crate) fn reported(&self) -> Option<i64> {
        self.figures.reported
    }

    /// Self-handled reports of the whole scope.
    pub(crate) fn self_handled(&self) -> Option<i64> {
        self.modes.map(|[own, _]| own)
    }

    /// Forwarded reports of the whole scope.
    pub(crate) fn forwarded(&self) -> Option<i64> {
        self.modes.map(|[_, forwarded]| forwarded)
    }

    /// Reports of a unit. What an edition does not list was not counted in it, which is not the same as none.
    pub(crate) fn unit(&self, code: &str) -> Option<i64> {
        self.named(&self.figures.units, code)
    }

    /// Reports of a category, major or minor.
    pub(crate) fn category(&self, key: &str) -> Option<i64> {
        self.named(&self.figures.categories, key)
    }

    fn named(&self, list: &BTreeMap<String, i64>, key: &str) -> Option<i64> {
        let listed = list.get(key).copied();
        if self.edition.is_some() { listed } else { Some(listed.unwrap_or(0)) }
    }
}

/// Asks for a month.
pub(crate) async fn load(
    tx: &mut dyn Tx,
    directory: &Directory,
    scope: &OrgCode,
    month: LocalMonth,
) -> Result<Month, StoreError> {
    let ask = |month: LocalMonth, by| Ask { scope: scope.clone(), from: month.first(), to: month.last(), by: Some(by) };
    let units = match scope.is_unit() {
        true => None,
        false => Some(table(tx, directory, &ask(month, By::Unit)).await?),
    };
    Ok(Month {
        days: table(tx, directory, &ask(month, By::Day)).await?,
        categories: table(tx, directory, &ask(month, By::Category)).await?,
        units,
        before: earlier(tx, directory, scope, month.previous()).await?,
        year: earlier(tx, directory, scope, year_before(month)).await?,
    })
}

/// An earlier month as it was published, else as it is counted now.
async fn earlier(
    tx: &mut dyn Tx,
    directory: &Directory,
    scope: &OrgCode,
    month: LocalMonth,
) -> Result<Before, StoreError> {
    let published = editions::published(tx, editions::MONTHLY_DISTRICT, scope, month).await?;
    if let Some(Edition { number, figures, .. }) = published {
        return Ok(Before { edition: Some(number), figures, modes: None });
    }
    let ask = |by| Ask { scope: scope.clone(), from: month.first(), to: month.last(), by: Some(by) };
    let categories = table(tx, directory, &ask(By::Category)).await?;
    let units = table(tx, directory, &ask(By::Unit)).await?;
    let modes = Some([categories.total.self_handled, categories.total.forwarded]);
    Ok(Before { edition: None, figures: counted(directory, &units, &categories), modes })
}

/// What a person's own figures are: a town office looks at what its unit reports, everybody else at their part of
/// the tree.
pub(crate) fn own_scope(visit: &Visit) -> OrgCode {
    let unit = visit.viewer.unit.clone().filter(|_| visit.viewer.role == Role::TownOffice);
    unit.unwrap_or_else(|| visit.viewer.scope.clone())
}

/// The month to show, and the one to show instead if nothing was reported in it: the one that was asked for, or else the
/// usual one, and this one.
pub(crate) fn wanted(asked: Option<LocalMonth>, today: LocalDay) -> (LocalMonth, Option<LocalMonth>) {
    match asked {
        Some(month) => (month, None),
        None => (usual(today), Some(today.month()).filter(|this| *this != usual(today))),
    }
}

/// The month people work on: through the first week the one before, whose report is written then (the published
/// November figures are as of 7 December).
fn usual(today: LocalDay) -> LocalMonth {
    let (_, _, day) = today.civil();
    if day <= 7 { today.month().previous() } else { today.month() }
}

/// Months to choose from, newest first, the chosen one among them; older ones are reached step by step.
pub(crate) fn choices(lang: Lang, chosen: LocalMonth, this_month: LocalMonth) -> Vec<Choice> {
    let newest = chosen.max(this_month);
    let mut list: Vec<LocalMonth> =
        std::iter::successors(Some(newest), |month| Some(month.previous())).take(MONTHS).collect();
    if !list.contains(&chosen) {
        list.push(chosen);
    }
    let current = chosen.to_string();
    list.into_iter().map(|month| Choice::new(month.to_string(), words::month(lang, month), &current)).collect()
}

fn counted(directory: &Directory, units: &Table, categories: &Table) -> EditionFigures {
    let by_key = |table: &Table| -> BTreeMap<String, i64> {
        table.rows.iter().map(|row| (row.key.clone(), row.figures.reported)).collect()
    };
    let mut of_category = by_key(categories);
    for (key, reported) in by_key(categories) {
        if let Some(major) = major_of(directory, &key) {
            *of_category.entry(major.to_string()).or_default() += reported;
        }
    }
    EditionFigures { reported: Some(categories.total.reported), units: by_key(units), categories: of_category }
}

/// The major above a minor; none for a major, and for what the reference data does not know.
pub(crate) fn major_of(directory: &Directory, key: &str) -> Option<CategoryRef> {
    let key: CategoryRef = key.parse().ok()?;
    let code = directory.category(&key)?.parent.clone()?;
    Some(CategoryRef { code, ..key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_first_week_people_work_on_the_month_before() {
        let usual = |text: &str| usual(text.parse().unwrap()).to_string();
        assert_eq!([usual("2023-12-01"), usual("2023-12-07"), usual("2023-12-08")], ["2023-11", "2023-11", "2023-12"]);
        assert_eq!(usual("2024-01-03"), "2023-12");
    }

    #[test]
    fn a_year_before_is_the_same_month() {
        let before = |text: &str| year_before(text.parse().unwrap()).to_string();
        assert_eq!([before("2023-11"), before("2024-01"), before("2024-12")], ["2022-11", "2023-01", "2023-12"]);
    }
}
