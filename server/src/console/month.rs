//! The figures of a month, as the overview shows them: everything from `domain::counts`, one snapshot.

use std::collections::BTreeMap;

use xunge_client_core::model::{CategoryRef, LocalMonth, OrgCode};

use crate::domain::counts::query::{Ask, By, Table, table};
use crate::domain::directory::Directory;
use crate::domain::editions::{self, Edition, EditionFigures};
use crate::store::{StoreError, Tx};

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
}

/// The month before.
#[derive(Debug, Clone, Default)]
pub(crate) struct Before {
    /// Number of the edition it was published as; none for present counts.
    pub(crate) edition: Option<i64>,
    figures: EditionFigures,
}

impl Before {
    /// Reports of the whole scope.
    pub(crate) fn reported(&self) -> Option<i64> {
        self.figures.reported
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
    let published = editions::published(tx, editions::MONTHLY_DISTRICT, scope, month.previous()).await?;
    let before = match published {
        Some(Edition { number, figures, .. }) => Before { edition: Some(number), figures },
        None => {
            let categories = table(tx, directory, &ask(month.previous(), By::Category)).await?;
            let units = table(tx, directory, &ask(month.previous(), By::Unit)).await?;
            Before { edition: None, figures: counted(directory, &units, &categories) }
        }
    };
    Ok(Month {
        days: table(tx, directory, &ask(month, By::Day)).await?,
        categories: table(tx, directory, &ask(month, By::Category)).await?,
        units,
        before,
    })
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
