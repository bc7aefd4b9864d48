//! Reference data of the district: categories, grids of the street, void reasons, units. Replaced as a whole.

use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};

use super::{Store, StoreError};
use crate::model::{CategoryRef, Kind, OrgCode, Point, Polygon};

/// A bundle as the server hands it out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Its version.
    pub version: u64,
    /// Category trees; the district's own comes first.
    #[serde(default)]
    pub taxonomy: Vec<ReferenceCategory>,
    /// Cell grids of the user's street.
    #[serde(default)]
    pub grids: Vec<ReferenceGrid>,
    /// Why an office voids.
    #[serde(default)]
    pub void_reasons: Vec<ReferenceReason>,
    /// Handling units.
    #[serde(default)]
    pub units: Vec<ReferenceUnit>,
}

/// One category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceCategory {
    /// The tree it belongs to.
    pub scheme: String,
    /// Part or event.
    pub kind: Kind,
    /// Its code there.
    pub code: String,
    /// The major category's code; none for a major one.
    #[serde(default)]
    pub parent: Option<String>,
    /// For people.
    pub name: String,
    /// True if an inspector may fix it on the spot.
    #[serde(default)]
    pub self_handling: bool,
    /// No new report may have it (停用); a picker leaves it out, old reports keep its name.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub retired: bool,
}

/// One cell grid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceGrid {
    /// 15 digits.
    pub code: OrgCode,
    /// For people.
    pub name: String,
    /// Its ring in WGS-84, `[[lon_e6, lat_e6], …]`.
    pub polygon: Vec<(i32, i32)>,
}

/// One reason for voiding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceReason {
    /// Stable code.
    pub code: String,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

/// One handling unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReferenceUnit {
    /// Its code.
    pub code: OrgCode,
    /// For people.
    pub name: String,
}

/// What a category text was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CategoryFound {
    /// The category to claim.
    pub category: CategoryRef,
    /// Its name, if the reference data knows it; none is flagged, not refused.
    pub name: Option<String>,
    /// No new report may have it.
    pub retired: bool,
}

/// The scheme of a category nobody knows: the words are kept, the office sorts it out.
const UNLISTED: &str = "unlisted";

impl Store {
    /// Replaces the reference data.
    pub fn set_reference(&self, reference: &Reference) -> Result<(), StoreError> {
        self.write(|tx| {
            tx.execute_batch("DELETE FROM category; DELETE FROM grid; DELETE FROM void_reason; DELETE FROM unit")?;
            insert(tx, reference)?;
            tx.execute("UPDATE phone SET reference = ?1", [reference.version as i64])?;
            Ok(())
        })
    }

    /// Finds a category by name, code, `scheme:code` or `scheme:kind:code`.
    ///
    /// With several hits the district's own tree wins, and in it what is in use, then a minor category over a major one.
    /// A text that names none is taken as it is.
    pub fn find_category(&self, text: &str) -> Result<CategoryFound, StoreError> {
        const SQL: &str = include_str!("sql/find_category.sql");
        let text = text.trim();
        if let Ok(category) = text.parse::<CategoryRef>() {
            let known = self.read(|tx| known(tx, &category))?;
            let (name, retired) = known.map_or((None, false), |(name, retired)| (Some(name), retired));
            return Ok(CategoryFound { category, name, retired });
        }
        let (scheme, code) = text.split_once(':').unwrap_or(("", text));
        let found = self.read(|tx| {
            let mut statement = tx.prepare_cached(SQL)?;
            let mut rows = statement.query((text, code, scheme))?;
            let Some(row) = rows.next()? else { return Ok::<_, StoreError>(None) };
            let kind = Kind::from_code(row.get_ref(1)?.as_str().unwrap_or_default()).unwrap_or(Kind::Event);
            let category = CategoryRef { scheme: row.get(0)?, kind, code: row.get(2)? };
            Ok(Some(CategoryFound { category, name: row.get(3)?, retired: row.get(4)? }))
        })?;
        Ok(found.unwrap_or_else(|| {
            let scheme = if scheme.is_empty() { UNLISTED } else { scheme };
            let room = CategoryRef::MAX_BYTES - "::".len() - Kind::Event.code().len();
            let scheme = cut(scheme, room / 2);
            let code = cut(&code.replace(':', "-"), room - scheme.len());
            CategoryFound { category: CategoryRef { scheme, kind: Kind::Event, code }, name: None, retired: false }
        }))
    }

    /// The name of a category.
    pub fn category_name(&self, category: &CategoryRef) -> Result<Option<String>, StoreError> {
        self.read(|tx| category_name(tx, category))
    }

    /// The grid this WGS-84 point lies in, by the polygons on the phone.
    pub fn grid_at(&self, point: Point) -> Result<Option<OrgCode>, StoreError> {
        const SQL: &str = "SELECT code, polygon FROM grid \
             WHERE west <= ?1 AND east >= ?1 AND south <= ?2 AND north >= ?2 ORDER BY code";
        self.read(|tx| {
            let mut statement = tx.prepare_cached(SQL)?;
            let mut rows = statement.query((point.lon_e6, point.lat_e6))?;
            while let Some(row) = rows.next()? {
                let ring: Vec<(i32, i32)> =
                    serde_json::from_str(row.get_ref(1)?.as_str().map_err(StoreError::damaged)?)?;
                if polygon(&ring).contains(point) {
                    let code: String = row.get(0)?;
                    return Ok(code.parse().ok());
                }
            }
            Ok(None)
        })
    }

    /// What is on the phone, for pickers.
    pub fn reference(&self) -> Result<Reference, StoreError> {
        self.read(load)
    }
}

fn insert(tx: &Transaction<'_>, reference: &Reference) -> Result<(), StoreError> {
    let mut category = tx.prepare_cached(
        "INSERT OR IGNORE INTO category (scheme, kind, code, parent, name, self_handling, retired) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for ReferenceCategory { scheme, kind, code, parent, name, self_handling, retired } in &reference.taxonomy {
        category.execute(params![scheme, kind.code(), code, parent, name, self_handling, retired])?;
    }
    let mut grid = tx.prepare_cached(
        "INSERT OR REPLACE INTO grid (code, name, west, south, east, north, polygon) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for entry in &reference.grids {
        let Some([west, south, east, north]) = polygon(&entry.polygon).bounds() else { continue };
        let ring = serde_json::to_string(&entry.polygon)?;
        grid.execute(params![entry.code.as_str(), entry.name, west, south, east, north, ring])?;
    }
    let mut reason = tx.prepare_cached("INSERT OR REPLACE INTO void_reason (code, zh, en) VALUES (?1, ?2, ?3)")?;
    for entry in &reference.void_reasons {
        reason.execute((&entry.code, &entry.zh, &entry.en))?;
    }
    let mut unit = tx.prepare_cached("INSERT OR REPLACE INTO unit (code, name) VALUES (?1, ?2)")?;
    for entry in &reference.units {
        unit.execute((entry.code.as_str(), &entry.name))?;
    }
    Ok(())
}

fn load(tx: &Transaction<'_>) -> Result<Reference, StoreError> {
    let version: i64 = tx.query_row("SELECT reference FROM phone", [], |row| row.get(0))?;
    let mut reference = Reference { version: version as u64, ..Reference::default() };
    let mut statement =
        tx.prepare("SELECT scheme, kind, code, parent, name, self_handling, retired FROM category ORDER BY ord")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        reference.taxonomy.push(ReferenceCategory {
            scheme: row.get(0)?,
            kind: Kind::from_code(row.get_ref(1)?.as_str().unwrap_or_default()).unwrap_or(Kind::Event),
            code: row.get(2)?,
            parent: row.get(3)?,
            name: row.get(4)?,
            self_handling: row.get(5)?,
            retired: row.get(6)?,
        });
    }
    let mut statement = tx.prepare("SELECT code, name, polygon FROM grid ORDER BY code")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        reference.grids.push(ReferenceGrid {
            code: row.get::<_, String>(0)?.parse().map_err(StoreError::damaged)?,
            name: row.get(1)?,
            polygon: serde_json::from_str(row.get_ref(2)?.as_str().map_err(StoreError::damaged)?)?,
        });
    }
    let mut statement = tx.prepare("SELECT code, zh, en FROM void_reason ORDER BY code")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        reference.void_reasons.push(ReferenceReason { code: row.get(0)?, zh: row.get(1)?, en: row.get(2)? });
    }
    let mut statement = tx.prepare("SELECT code, name FROM unit ORDER BY code")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let code = row.get::<_, String>(0)?.parse().map_err(StoreError::damaged)?;
        reference.units.push(ReferenceUnit { code, name: row.get(1)? });
    }
    Ok(reference)
}

/// The name of a category, if the reference data has it.
pub(super) fn category_name(tx: &Transaction<'_>, category: &CategoryRef) -> Result<Option<String>, StoreError> {
    Ok(known(tx, category)?.map(|(name, _)| name))
}

/// The name of a category, and whether it is retired.
fn known(tx: &Transaction<'_>, category: &CategoryRef) -> Result<Option<(String, bool)>, StoreError> {
    const SQL: &str = "SELECT name, retired FROM category WHERE scheme = ?1 AND kind = ?2 AND code = ?3";
    let mut statement = tx.prepare_cached(SQL)?;
    let mut rows = statement.query((&category.scheme, category.kind.code(), &category.code))?;
    Ok(rows.next()?.map(|row| Ok::<_, rusqlite::Error>((row.get(0)?, row.get(1)?))).transpose()?)
}

fn polygon(ring: &[(i32, i32)]) -> Polygon {
    Polygon(ring.iter().map(|&(lon_e6, lat_e6)| Point { lon_e6, lat_e6 }).collect())
}

/// At most `most` bytes of `text`, never in the middle of a character.
fn cut(text: &str, most: usize) -> String {
    let end = text.char_indices().map(|(at, c)| at + c.len_utf8()).take_while(|end| *end <= most).last();
    text[..end.unwrap_or(0)].to_owned()
}
