//! Who names a place or a unit: what may not go away, or become something else, without breaking counts or rights.

use std::collections::BTreeSet;

use xunge_client_core::model::OrgCode;

use super::below;
use super::refusal::By;
use crate::params;
use crate::store::{StoreError, Tx};

/// Cases that were ever reported from below a place: in its grids, or with its street although outside every grid.
const CASES_OF_PLACE: [&str; 2] = [
    "SELECT 1 FROM case_row WHERE grid >= ?1 AND grid < ?2 LIMIT 1",
    "SELECT 1 FROM case_row WHERE street >= ?1 AND street < ?2 LIMIT 1",
];
/// Cases of a unit, one index each.
const CASES_OF_UNIT: [&str; 3] = [
    "SELECT 1 FROM case_row WHERE unit = ?1 LIMIT 1",
    "SELECT 1 FROM case_row WHERE office = ?1 LIMIT 1",
    "SELECT 1 FROM case_row WHERE handler = ?1 LIMIT 1",
];

/// Every code that something short names, read once: accounts, rules and figures are few beside cases.
pub(super) struct Named {
    users: BTreeSet<String>,
    rules: BTreeSet<String>,
    figures: BTreeSet<String>,
}

impl Named {
    pub(super) async fn load(tx: &mut dyn Tx) -> Result<Self, StoreError> {
        const USERS: &str = "SELECT scope FROM user_account
            UNION SELECT unit FROM user_account WHERE unit IS NOT NULL UNION SELECT grid FROM user_grid";
        const RULES: &str = "SELECT grid FROM dispatch_rule WHERE grid <> '' UNION SELECT unit FROM dispatch_rule";
        const FIGURES: &str = "SELECT grid FROM tally_map_month UNION SELECT grid FROM tally_map_day
            UNION SELECT unit FROM tally_month UNION SELECT unit FROM tally_day UNION SELECT scope FROM edition";
        Ok(Self { users: codes(tx, USERS).await?, rules: codes(tx, RULES).await?, figures: codes(tx, FIGURES).await? })
    }

    /// Who names this place or unit, or anything below it.
    pub(super) async fn by(
        &self,
        tx: &mut dyn Tx,
        districts: &[OrgCode],
        code: &OrgCode,
    ) -> Result<Vec<By>, StoreError> {
        let mut found = Vec::new();
        for (by, set) in [(By::Users, &self.users), (By::Rules, &self.rules), (By::Figures, &self.figures)] {
            if has(set, code) {
                found.push(by);
            }
        }
        let cases = match code.is_unit() {
            true => cases_of_unit(tx, code, found.is_empty()).await?,
            false => cases_of_place(tx, districts, code).await?,
        };
        if cases {
            found.push(By::Cases);
        }
        Ok(found)
    }
}

/// True if a set has this unit, this place, or something below this place.
fn has(set: &BTreeSet<String>, code: &OrgCode) -> bool {
    if code.is_unit() {
        return set.contains(code.as_str());
    }
    set.range(code.prefix().to_owned()..).next().is_some_and(|first| first.starts_with(code.prefix()))
}

async fn codes(tx: &mut dyn Tx, sql: &str) -> Result<BTreeSet<String>, StoreError> {
    tx.query(sql, &[]).await?.iter().map(|row| Ok(row.text(0)?.to_owned())).collect()
}

/// Also cases that have left the place since: phones were told of them there.
async fn cases_of_place(tx: &mut dyn Tx, districts: &[OrgCode], code: &OrgCode) -> Result<bool, StoreError> {
    let (first, end) = below(code);
    for sql in CASES_OF_PLACE {
        if tx.query_opt(sql, params![first, &end]).await?.is_some() {
            return Ok(true);
        }
    }
    let sql = "SELECT 1 FROM feed_audience WHERE district = ?1 AND audience >= ?2 AND audience < ?3 LIMIT 1";
    for district in districts {
        let range = params![district.as_str(), format!("g:{first}"), format!("g:{end}")];
        if tx.query_opt(sql, range).await?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `thoroughly` looks at every decision, for a unit that was once suggested or gave a case back before anybody worked
/// there: only of use when nothing else names it.
async fn cases_of_unit(tx: &mut dyn Tx, code: &OrgCode, thoroughly: bool) -> Result<bool, StoreError> {
    for sql in CASES_OF_UNIT {
        if tx.query_opt(sql, params![code.as_str()]).await?.is_some() {
            return Ok(true);
        }
    }
    let sql = "SELECT 1 FROM case_event WHERE payload LIKE ?1 LIMIT 1";
    Ok(thoroughly && tx.query_opt(sql, params![format!("%\"{code}\"%")]).await?.is_some())
}
