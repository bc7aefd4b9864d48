//! Who names a category: what may not go away or be counted under another major.

use std::collections::BTreeSet;

use xunge_client_core::model::CategoryRef;
use xunge_client_core::workflow::deadline::Limits;

use super::What;
use crate::domain::directory::Directory;
use crate::domain::directory::refusal::By;
use crate::domain::editions;
use crate::params;
use crate::store::{StoreError, Tx};

/// Every key that something names, read once: one look at every case for what phones claimed, which no index has.
pub(super) struct Named {
    claims: BTreeSet<String>,
    figures: BTreeSet<String>,
    rules: BTreeSet<String>,
    limits: BTreeSet<String>,
}

impl Named {
    pub(super) async fn load(tx: &mut dyn Tx, limits: &Limits) -> Result<Self, StoreError> {
        let rules = "SELECT DISTINCT category FROM dispatch_rule WHERE category <> ''";
        Ok(Self {
            claims: keys(tx, "SELECT DISTINCT category_claim FROM case_row").await?,
            figures: editions::categories(tx).await?,
            rules: keys(tx, rules).await?,
            limits: limits.rules().iter().filter_map(|rule| rule.category.as_ref()).map(ToString::to_string).collect(),
        })
    }

    /// Who names this category. Whoever only moves it below another major is asked for what was counted: rules and limits
    /// name it wherever it lies.
    pub(super) async fn by(
        &self,
        tx: &mut dyn Tx,
        directory: &Directory,
        key: &CategoryRef,
        what: What,
    ) -> Result<Vec<By>, StoreError> {
        let text = key.to_string();
        let mut found = Vec::new();
        if what == What::Removed {
            found.extend(self.rules.contains(&text).then_some(By::Rules));
            found.extend(self.limits.contains(&text).then_some(By::Limits));
        }
        found.extend(self.figures.contains(&text).then_some(By::Figures));
        if self.claims.contains(&text) || has_cases(tx, directory, &text).await? {
            found.push(By::Cases);
        }
        Ok(found)
    }
}

/// True if a case counts as this category: one look into an index for each district.
async fn has_cases(tx: &mut dyn Tx, directory: &Directory, key: &str) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM case_row WHERE district = ?1 AND category = ?2 LIMIT 1";
    for district in directory.districts() {
        if tx.query_opt(sql, params![district.as_str(), key]).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn keys(tx: &mut dyn Tx, sql: &str) -> Result<BTreeSet<String>, StoreError> {
    tx.query(sql, &[]).await?.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}
