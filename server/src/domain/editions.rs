//! Published reports (月报): what a month was said to be, fixed for ever.
//!
//! 环比 compares with the figures that were published, not with what the month looks like since: a case that arrived
//! after the report would otherwise change what people compare with. An edition is never edited; a correction is the
//! next edition of the same period.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xunge_client_core::model::{LocalMonth, Millis, OrgCode, Ulid};

use crate::entropy;
use crate::params;
use crate::store::{StoreError, Tx};

/// Template of the monthly report of a district.
pub const MONTHLY_DISTRICT: &str = "monthly-district";

/// The figures of an edition that later reports compare with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EditionFigures {
    /// Cases reported (上报); none where the edition does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported: Option<i64>,
    /// Cases reported by unit code.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub units: BTreeMap<String, i64>,
    /// Cases reported by category as `scheme:kind:code`, majors and minors.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<String, i64>,
}

/// An edition to be published.
#[derive(Debug, Clone, Copy)]
pub struct NewEdition<'a> {
    /// Which report.
    pub template: &'a str,
    /// Of which part of the tree.
    pub scope: &'a OrgCode,
    /// Of which month.
    pub period: LocalMonth,
    /// As of when it counted.
    pub as_of: Millis,
    /// Who signs.
    pub signer: &'a str,
    /// What it says.
    pub figures: &'a EditionFigures,
}

/// A published edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    /// 1 for the first of its period, then 2, 3 for corrections.
    pub number: i64,
    /// As of when it counted.
    pub as_of: Millis,
    /// What it says.
    pub figures: EditionFigures,
}

/// Publishes an edition and gives its number. The first of a period is `published`, later ones are `corrected`.
pub async fn publish(tx: &mut dyn Tx, new: &NewEdition<'_>, at: Millis) -> Result<i64, StoreError> {
    let period = new.period.to_string();
    let last = tx
        .query_one(
            "SELECT CAST(COALESCE(MAX(number), 0) AS BIGINT) FROM edition \
             WHERE template = ?1 AND scope = ?2 AND period = ?3",
            params![new.template, new.scope.as_str(), &period],
        )
        .await?
        .int(0)?;
    let (number, status) = (last + 1, if last == 0 { "published" } else { "corrected" });
    let figures = serde_json::to_string(new.figures).expect("numbers by name are always JSON");
    tx.execute(
        "INSERT INTO edition (id, template, scope, period, as_of, number, status, signer, at, figures) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            Ulid::from_parts(at, entropy::fill()).as_bytes(),
            new.template,
            new.scope.as_str(),
            &period,
            new.as_of.0,
            number,
            status,
            new.signer,
            at.0,
            figures,
        ],
    )
    .await?;
    Ok(number)
}

/// The newest edition of a period that was published; drafts do not count.
pub async fn published(
    tx: &mut dyn Tx,
    template: &str,
    scope: &OrgCode,
    period: LocalMonth,
) -> Result<Option<Edition>, StoreError> {
    let row = tx
        .query_opt(
            "SELECT number, as_of, figures FROM edition WHERE template = ?1 AND scope = ?2 AND period = ?3 \
             AND status <> 'draft' ORDER BY number DESC LIMIT 1",
            params![template, scope.as_str(), period.to_string()],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Edition { number: row.int(0)?, as_of: Millis(row.int(1)?), figures: figures(row.text(2)?)? }))
}

/// Every category that an edition has a figure for.
pub async fn categories(tx: &mut dyn Tx) -> Result<BTreeSet<String>, StoreError> {
    let rows = tx.query("SELECT figures FROM edition", params![]).await?;
    let mut keys = BTreeSet::new();
    for row in &rows {
        keys.extend(figures(row.text(0)?)?.categories.into_keys());
    }
    Ok(keys)
}

fn figures(json: &str) -> Result<EditionFigures, StoreError> {
    serde_json::from_str(json).map_err(|error| StoreError::Check { what: format!("edition.figures: {error}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[tokio::test]
    async fn a_correction_is_the_next_edition_and_the_one_compared_with() {
        let store = Store::in_memory().unwrap();
        let found = store
            .write::<_, StoreError, _>(|tx| {
                Box::pin(async move {
                    let scope: OrgCode = "640105".parse().unwrap();
                    let period = LocalMonth::new(2023, 10).unwrap();
                    let mut found = vec![published(tx, MONTHLY_DISTRICT, &scope, period).await?];
                    for reported in [8_100, 8_101] {
                        let figures = EditionFigures { reported: Some(reported), ..EditionFigures::default() };
                        let new = NewEdition {
                            template: MONTHLY_DISTRICT,
                            scope: &scope,
                            period,
                            as_of: Millis(1),
                            signer: "centre",
                            figures: &figures,
                        };
                        publish(tx, &new, Millis(2)).await?;
                        found.push(published(tx, MONTHLY_DISTRICT, &scope, period).await?);
                    }
                    found.push(published(tx, MONTHLY_DISTRICT, &scope, period.next()).await?);
                    Ok(found)
                })
            })
            .await
            .unwrap();
        let told: Vec<_> = found.into_iter().map(|it| it.map(|it| (it.number, it.figures.reported))).collect();
        assert_eq!(told, [None, Some((1, Some(8_100))), Some((2, Some(8_101))), None]);
    }
}
