//! The org tree, the units and the category trees in memory.
//!
//! Every report asks which grid a point lies in and which office reviews it; asking the database for polygons each
//! time would cost more than the report. The copy is replaced when `meta.reference_version` moves.

pub mod changes;
pub mod exchange;
mod grids;
pub mod install;
mod named;
pub mod refusal;
pub mod trees;
pub mod version;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use xunge_client_core::model::{CategoryRef, OrgCode, OrgLevel, Point, Polygon};

use self::grids::GridIndex;
use super::void_reasons::VoidReasons;
use crate::reference::org::UnitKind;
use crate::reference::taxonomy::NATIONAL;
use crate::store::{StoreError, Tx};

/// A place of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name shown to people.
    pub name: String,
    /// The place above; none for the topmost.
    pub parent: Option<OrgCode>,
    /// Outline in WGS-84, where one is known.
    pub polygon: Option<Polygon>,
}

/// An office, department or handling unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Full name.
    pub name: String,
    /// What it does.
    pub kind: UnitKind,
    /// The street it is responsible for.
    pub street: Option<OrgCode>,
    /// The district it belongs to.
    pub district: OrgCode,
}

/// A category of one of the trees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Chinese name.
    pub name: String,
    /// English name.
    pub name_en: String,
    /// Code of the major above; none for a major.
    pub parent: Option<String>,
    /// An inspector may fix it on the spot.
    pub self_handling: bool,
    /// Nearest categories of the national standard.
    pub maps_to: Vec<CategoryRef>,
    /// Nothing new gets it (停用); what has it keeps it and is counted by it.
    pub retired: bool,
}

/// Reference data as of one version; never changed, only replaced.
#[derive(Debug, Default)]
pub struct Directory {
    version: u64,
    places: BTreeMap<OrgCode, Place>,
    units: BTreeMap<OrgCode, Unit>,
    categories: BTreeMap<CategoryRef, Category>,
    grids: GridIndex,
    void_reasons: VoidReasons,
}

/// The first code of a place and all below it, and the one that comes behind the last: a colon follows the nine in every
/// collation we use.
pub(crate) fn below(place: &OrgCode) -> (&str, String) {
    (place.prefix(), format!("{}:", place.prefix()))
}

impl Directory {
    /// Reads everything from the database.
    pub async fn load(tx: &mut dyn Tx, version: u64) -> Result<Self, StoreError> {
        let broken = |what: &str| StoreError::Check { what: what.to_owned() };
        let mut directory = Self { version, ..Self::default() };
        for row in tx.query("SELECT code, name, polygon, parent FROM org_node", &[]).await? {
            let code: OrgCode = row.text(0)?.parse().map_err(|_| broken("org_node.code"))?;
            let polygon = row.opt_text(2)?.map(polygon_from_json).transpose()?;
            let parent = row.opt_text(3)?.map(str::parse).transpose().map_err(|_| broken("org_node.parent"))?;
            directory.places.insert(code, Place { name: row.text(1)?.to_owned(), parent, polygon });
        }
        for row in tx.query("SELECT code, name, kind, street, district FROM unit", &[]).await? {
            let unit = Unit {
                name: row.text(1)?.to_owned(),
                kind: UnitKind::from_code(row.text(2)?).ok_or_else(|| broken("unit.kind"))?,
                street: row.opt_text(3)?.map(str::parse).transpose().map_err(|_| broken("unit.street"))?,
                district: row.text(4)?.parse().map_err(|_| broken("unit.district"))?,
            };
            directory.units.insert(row.text(0)?.parse().map_err(|_| broken("unit.code"))?, unit);
        }
        const CATEGORIES: &str =
            "SELECT scheme, kind, code, name, parent, selfable, maps_to, name_en, retired FROM taxonomy";
        for row in tx.query(CATEGORIES, &[]).await? {
            let key = format!("{}:{}:{}", row.text(0)?, row.text(1)?, row.text(2)?);
            let category = Category {
                name: row.text(3)?.to_owned(),
                parent: row.opt_text(4)?.map(str::to_owned),
                self_handling: row.bool(5)?,
                maps_to: national(row.opt_text(6)?.unwrap_or_default()),
                name_en: row.opt_text(7)?.unwrap_or_default().to_owned(),
                retired: row.bool(8)?,
            };
            directory.categories.insert(key.parse().map_err(|_| broken("taxonomy"))?, category);
        }
        directory.void_reasons = VoidReasons::load(tx).await?;
        directory.grids = GridIndex::build(directory.places.iter().filter_map(|(code, place)| {
            let polygon = place.polygon.as_ref().filter(|_| code.level() == Some(OrgLevel::Grid))?;
            Some((code.clone(), polygon.clone()))
        }));
        Ok(directory)
    }

    /// The version of the reference data this is a copy of.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The districts.
    pub fn districts(&self) -> impl Iterator<Item = &OrgCode> {
        self.places.keys().filter(|code| code.level() == Some(OrgLevel::District))
    }

    /// A place.
    pub fn place(&self, code: &OrgCode) -> Option<&Place> {
        self.places.get(code)
    }

    /// A unit.
    pub fn unit(&self, code: &OrgCode) -> Option<&Unit> {
        self.units.get(code)
    }

    /// A category.
    pub fn category(&self, key: &CategoryRef) -> Option<&Category> {
        self.categories.get(key)
    }

    /// True for a category that nothing new gets.
    pub fn is_retired(&self, key: &CategoryRef) -> bool {
        self.category(key).is_some_and(|category| category.retired)
    }

    /// The minors (小类) of a major; a minor is its own.
    pub fn minors(&self, key: &CategoryRef) -> Vec<CategoryRef> {
        let below = |other: &CategoryRef, category: &Category| {
            other.scheme == key.scheme && other.kind == key.kind && category.parent.as_ref() == Some(&key.code)
        };
        let minors: Vec<_> = self
            .categories
            .iter()
            .filter(|(other, category)| below(other, category))
            .map(|(it, _)| it.clone())
            .collect();
        if minors.is_empty() { vec![key.clone()] } else { minors }
    }

    /// The keys under which something may be said about a category, closest first: itself, its major, what it maps to
    /// in the national standard, and the majors of those.
    pub fn keys(&self, key: &CategoryRef) -> Vec<CategoryRef> {
        let major = |key: &CategoryRef| {
            let code = self.category(key)?.parent.clone()?;
            Some(CategoryRef { code, ..key.clone() })
        };
        let mapped = self.category(key).map(|category| category.maps_to.as_slice()).unwrap_or_default();
        std::iter::once(key).chain(mapped).flat_map(|key| [Some(key.clone()), major(key)]).flatten().collect()
    }

    /// Every place with its code.
    pub fn places(&self) -> impl Iterator<Item = (&OrgCode, &Place)> {
        self.places.iter()
    }

    /// Every unit with its code.
    pub fn units(&self) -> impl Iterator<Item = (&OrgCode, &Unit)> {
        self.units.iter()
    }

    /// Every category with its key.
    pub fn categories(&self) -> impl Iterator<Item = (&CategoryRef, &Category)> {
        self.categories.iter()
    }

    /// Why a report may be void.
    pub fn void_reasons(&self) -> &VoidReasons {
        &self.void_reasons
    }

    /// The cell grid a WGS-84 point lies in.
    pub fn grid_at(&self, point: Point) -> Option<&OrgCode> {
        self.grids.at(point)
    }

    /// The town office of a street.
    pub fn street_office(&self, street: &OrgCode) -> Option<&OrgCode> {
        let office = |unit: &Unit| unit.kind == UnitKind::TownOffice && unit.street.as_ref() == Some(street);
        self.units.iter().find(|(_, unit)| office(unit)).map(|(code, _)| code)
    }

    /// The name of whatever a figure is counted by: a place, a unit; empty if it is not known.
    pub fn name_of(&self, code: &str) -> &str {
        let Ok(code) = code.parse::<OrgCode>() else { return "" };
        let place = self.places.get(&code).map(|place| place.name.as_str());
        place.or_else(|| self.units.get(&code).map(|unit| unit.name.as_str())).unwrap_or_default()
    }
}

/// The events of the national standard with these codes, `06010;06011`.
fn national(codes: &str) -> Vec<CategoryRef> {
    let codes = codes.split(';').map(str::trim).filter(|code| !code.is_empty());
    codes.filter_map(|code| format!("{NATIONAL}:event:{code}").parse().ok()).collect()
}

/// Reads a polygon as the database and the reference bundle write it: `[[lon_e6,lat_e6],…]`.
fn polygon_from_json(json: &str) -> Result<Polygon, StoreError> {
    let ring: Vec<[i32; 2]> =
        serde_json::from_str(json).map_err(|_| StoreError::Check { what: "org_node.polygon".to_owned() })?;
    Ok(Polygon(ring.into_iter().map(|[lon_e6, lat_e6]| Point { lon_e6, lat_e6 }).collect()))
}

/// The copy everyone shares.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<Mutex<Arc<Directory>>>);

impl Shared {
    /// The directory as of this transaction's view; reads it again if the version moved.
    pub async fn get(&self, tx: &mut dyn Tx) -> Result<Arc<Directory>, StoreError> {
        let version = version::read(tx).await?;
        let held = Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner));
        if held.version == version && version != 0 {
            return Ok(held);
        }
        let fresh = Arc::new(Directory::load(tx, version).await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        Ok(fresh)
    }
}
