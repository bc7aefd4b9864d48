//! The reference data a phone keeps a copy of: categories, void reasons, units, and the grids of its user's streets.

use std::collections::BTreeSet;

use serde::Serialize;
use xunge_client_core::model::{OrgCode, OrgLevel};
use xunge_client_core::workflow::VoidReason;

use super::directory::{below, version};
use super::people::Viewer;
use crate::params;
use crate::reference::taxonomy::XIXIA;
use crate::store::{StoreError, Tx};

/// Everything of one version. A phone replaces its copy as a whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bundle {
    /// `meta.reference_version`; a sync answer with a higher one makes the phone ask again.
    pub version: u64,
    /// Category trees.
    pub taxonomy: Vec<BundleCategory>,
    /// Grids of the user's streets.
    pub grids: Vec<BundleGrid>,
    /// Why a report may be voided.
    pub void_reasons: Vec<BundleReason>,
    /// Units, for showing names.
    pub units: Vec<BundleUnit>,
}

/// A category of one of the trees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BundleCategory {
    /// The tree.
    pub scheme: String,
    /// `part` or `event`.
    pub kind: String,
    /// Its code.
    pub code: String,
    /// Code of the major above; none for a major.
    pub parent: Option<String>,
    /// Chinese name.
    pub name: String,
    /// An inspector may fix it on the spot.
    pub self_handling: bool,
    /// No new report may have it (停用). Only said where it is so.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

/// A cell grid.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BundleGrid {
    /// 15 digits.
    pub code: String,
    /// Name.
    pub name: String,
    /// `[[lon_e6, lat_e6], …]` in WGS-84, not closed.
    pub polygon: serde_json::Value,
}

/// A void reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BundleReason {
    /// Code.
    pub code: &'static str,
    /// In Chinese.
    pub zh: &'static str,
    /// In English: the code in words.
    pub en: String,
}

/// A unit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BundleUnit {
    /// Unit code.
    pub code: String,
    /// Full name.
    pub name: String,
}

/// Reads the bundle of a user.
pub async fn read(tx: &mut dyn Tx, viewer: &Viewer) -> Result<Bundle, StoreError> {
    Ok(Bundle {
        version: version::read(tx).await?,
        taxonomy: taxonomy(tx).await?,
        grids: grids(tx, viewer).await?,
        void_reasons: VoidReason::ALL.iter().map(|reason| reason_of(*reason)).collect(),
        units: units(tx).await?,
    })
}

async fn taxonomy(tx: &mut dyn Tx) -> Result<Vec<BundleCategory>, StoreError> {
    // The tree of the published report comes first: a name that several trees have means that one.
    const SQL: &str = "SELECT scheme, kind, code, parent, name, selfable, retired FROM taxonomy
        ORDER BY CASE WHEN scheme = ?1 THEN 0 ELSE 1 END, scheme, kind, CASE WHEN parent IS NULL THEN 0 ELSE 1 END, code";
    let category = |row: &crate::store::Row| {
        Ok(BundleCategory {
            scheme: row.text(0)?.to_owned(),
            kind: row.text(1)?.to_owned(),
            code: row.text(2)?.to_owned(),
            parent: row.opt_text(3)?.map(str::to_owned),
            name: row.text(4)?.to_owned(),
            self_handling: row.bool(5)?,
            retired: row.bool(6)?,
        })
    };
    tx.query(SQL, params![XIXIA]).await?.iter().map(category).collect()
}

/// An inspector may be called next door, so the grids of the whole street come along; never those of a whole city.
async fn grids(tx: &mut dyn Tx, viewer: &Viewer) -> Result<Vec<BundleGrid>, StoreError> {
    let streets: BTreeSet<OrgCode> = viewer.grids.iter().filter_map(|grid| grid.at(OrgLevel::Street)).collect();
    let places = if streets.is_empty() { place_of(tx, viewer).await? } else { streets };
    let mut grids = Vec::new();
    for place in places {
        let (first, end) = below(&place);
        let sql = "SELECT code, name, polygon FROM org_node WHERE level = 'grid' AND code >= ?1 AND code < ?2
            ORDER BY code";
        for row in tx.query(sql, params![first, &end]).await? {
            let polygon = row.opt_text(2)?.unwrap_or("[]");
            grids.push(BundleGrid {
                code: row.text(0)?.to_owned(),
                name: row.text(1)?.to_owned(),
                polygon: serde_json::from_str(polygon)
                    .map_err(|_| StoreError::Check { what: "org_node.polygon".to_owned() })?,
            });
        }
    }
    Ok(grids)
}

/// The place somebody without grids works in: the scope, or where the unit is.
async fn place_of(tx: &mut dyn Tx, viewer: &Viewer) -> Result<BTreeSet<OrgCode>, StoreError> {
    if !viewer.scope.is_unit() {
        return Ok(BTreeSet::from([viewer.scope.clone()]));
    }
    let sql = "SELECT COALESCE(street, district) FROM unit WHERE code = ?1";
    let row = tx.query_opt(sql, params![viewer.scope.as_str()]).await?;
    let code = row.map(|row| row.text(0).map(str::parse)).transpose()?;
    Ok(code.and_then(Result::ok).into_iter().collect())
}

async fn units(tx: &mut dyn Tx) -> Result<Vec<BundleUnit>, StoreError> {
    let rows = tx.query("SELECT code, name FROM unit ORDER BY code", params![]).await?;
    rows.iter().map(|row| Ok(BundleUnit { code: row.text(0)?.to_owned(), name: row.text(1)?.to_owned() })).collect()
}

fn reason_of(reason: VoidReason) -> BundleReason {
    BundleReason { code: reason.code(), zh: reason.zh(), en: reason.code().replace('_', " ") }
}
