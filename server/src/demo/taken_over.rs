//! What the district knew before the demo began: the published edition of the month before, and the figures that are
//! entered and not counted.

use super::figures::{ExternalFigure, PreviousEdition};
use crate::domain::editions::{self, EditionFigures, NewEdition};
use crate::params;
use crate::store::{StoreError, Tx};

/// Publishes the edition of the month before, on the day after that month.
pub(super) async fn publish(tx: &mut dyn Tx, previous: &PreviousEdition) -> Result<(), StoreError> {
    let at = previous.period.last().end();
    let categories = previous.categories.iter().map(|(key, count)| (key.to_string(), *count as i64));
    let figures = EditionFigures { categories: categories.collect(), ..EditionFigures::default() };
    let new = NewEdition {
        template: previous.template,
        scope: &previous.scope,
        period: previous.period,
        as_of: at,
        signer: previous.source,
        figures: &figures,
    };
    editions::publish(tx, &new, at).await.map(drop)
}

/// Enters figures of other systems.
pub(super) async fn enter(tx: &mut dyn Tx, template: &str, figures: &[ExternalFigure]) -> Result<(), StoreError> {
    for figure in figures {
        tx.execute(
            "INSERT INTO external_figure (district, template, period, metric, value, unit, source) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                figure.scope.as_str(),
                template,
                figure.period.to_string(),
                figure.full_metric(),
                &figure.value,
                &figure.unit,
                figure.source,
            ],
        )
        .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use xunge_client_core::model::OrgCode;

    use super::*;
    use crate::demo::figures::{external_figures, previous_edition};
    use crate::domain::counts::change;
    use crate::reference::published::Published;
    use crate::store::{Row, Store};

    fn district() -> OrgCode {
        "640105".parse().unwrap()
    }

    #[tokio::test]
    async fn every_change_of_the_report_follows_from_the_stored_edition_of_october() {
        let report = Published::november_2023();
        let previous = previous_edition(report, &district());
        let (before, month) = Store::in_memory()
            .unwrap()
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    publish(tx, &previous).await?;
                    let of = async |tx: &mut dyn Tx, month| {
                        editions::published(tx, previous.template, &previous.scope, month).await
                    };
                    Ok((of(tx, previous.period).await?, of(tx, previous.period.next()).await?))
                })
            })
            .await
            .unwrap();
        assert_eq!(month, None, "November is not published yet");
        let october = before.unwrap().figures.categories;
        assert_eq!(october.len(), 19);
        for row in &report.categories {
            let mom = change(row.count as i64, october[&row.key.to_string()], 2);
            assert_eq!(mom.as_deref(), Some(row.mom.as_str()), "{}", row.key);
        }
    }

    #[tokio::test]
    async fn figures_of_other_systems_are_entered_once_each() {
        let figures = external_figures(Published::november_2023(), &district());
        let entered = figures.clone();
        let rows = Store::in_memory()
            .unwrap()
            .write::<_, StoreError, _>(move |tx| {
                Box::pin(async move {
                    enter(tx, "monthly-district", &entered).await?;
                    tx.query("SELECT period, metric, value FROM external_figure", params![]).await
                })
            })
            .await
            .unwrap();
        let text = |row: &Row, column| row.text(column).unwrap().to_owned();
        let rows: BTreeMap<_, _> = rows.iter().map(|row| ((text(row, 0), text(row, 1)), text(row, 2))).collect();
        assert_eq!(rows.len(), figures.len());
        for figure in figures {
            let key = (figure.period.to_string(), figure.full_metric());
            assert_eq!(rows.get(&key), Some(&figure.value), "as printed: the number of decimals counts");
        }
    }
}
