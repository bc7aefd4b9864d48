//! Reports that may be of the same problem (疑似重复): the same kind, close by, within some days.
//!
//! Phones state points in different systems, up to 500 m apart; `case_row` keeps WGS-84, and what they said where an
//! older database is not filled yet. So a box is looked through around the point as each system would state it, and the
//! distance is measured after all are made WGS-84.
//!
//! A void with the reason `duplicate` may name the case it repeats. Both stay reported: void cases count in 上报 and
//! keep their mode, so neither reporter loses anything ([`counts`](super::counts)); only `merge_duplicate` counts a
//! repeat as filed as well.

use xunge_client_core::model::{CaseId, CoordSys, Facts, LocalDay, Millis, PhotoHash, Point};

use super::cases::{CaseItem, ITEM_COLUMNS, ITEM_WIDTH, item};
use super::facts;
use super::ledger::row;
use super::scope::{Keys, Scope};
use crate::params;
use crate::store::{StoreError, Tx, Value};

/// How far apart two reports of one problem may be: a good fix errs by ten metres, one beside a house by fifty.
pub const RADIUS_M: f64 = 100.0;
/// How many days apart they may be.
pub const DAYS: i32 = 7;
/// How many are shown.
pub const MOST: usize = 5;
/// How many are measured, the nearest as stated.
const MEASURED: i64 = 32;
/// A point converted from one system to another is off by a few metres.
const SLACK_M: f64 = 10.0;
/// Metres of 1e-6 degrees of latitude.
const METRES_PER_E6: f64 = 0.111_320;

/// A report that may be of the same problem.
#[derive(Clone, Debug, PartialEq)]
pub struct Near {
    /// The case.
    pub item: CaseItem,
    /// How far away.
    pub metres: f64,
    /// A photo of it that is here, rather one of the problem.
    pub photo: Option<PhotoHash>,
}

/// Reports like this one within [`RADIUS_M`] and [`DAYS`], nearest first, at most [`MOST`]; empty without a point or a
/// category.
pub async fn near(tx: &mut dyn Tx, scope: &Scope, case: &CaseItem, seen: &Facts) -> Result<Vec<Near>, StoreError> {
    let (Some(point), Some(category)) = (seen.point, &case.category) else { return Ok(Vec::new()) };
    let here = point.to_wgs84(seen.coord_sys.unwrap_or(CoordSys::Wgs84));
    let mut found: Vec<Near> = Vec::new();
    for centre in [here, as_gcj02(here)] {
        let (sql, params) = statement(case, category, centre);
        for found_row in tx.query(&sql, &params).await? {
            if !scope.covers(&Keys::read(&found_row, ITEM_WIDTH)?) {
                continue;
            }
            let (item, ledger) = (item(&found_row)?, row::ledger(found_row.text(ITEM_WIDTH + KEYS)?)?);
            let (facts, _) = facts::shown(tx, item.id, &ledger).await?;
            let place = facts.point.map(|point| point.to_wgs84(facts.coord_sys.unwrap_or(CoordSys::Wgs84)));
            let metres = place.map_or(f64::INFINITY, |place| place.metres_to(here));
            if metres <= RADIUS_M && !found.iter().any(|near| near.item.id == item.id) {
                found.push(Near { photo: None, metres, item });
            }
        }
    }
    found.sort_by(|a, b| a.metres.total_cmp(&b.metres).then(a.item.id.cmp(&b.item.id)));
    found.truncate(MOST);
    for near in &mut found {
        near.photo = photo(tx, near.item.id).await?;
    }
    Ok(found)
}

/// Number of columns in [`Keys::COLUMNS`].
const KEYS: usize = 10;

/// The statement for a box around `centre`; led by the index made for it, whatever else the engine might prefer.
fn statement(case: &CaseItem, category: &str, centre: Point) -> (String, Vec<Value>) {
    let day = Millis(case.received_at).local_day();
    let days: Vec<LocalDay> = (-DAYS..=DAYS).map(|n| day.plus_days(n)).collect();
    let shrink = centre.degrees().1.to_radians().cos().max(0.01);
    let (tall, wide) = ((RADIUS_M + SLACK_M) / METRES_PER_E6, (RADIUS_M + SLACK_M) / METRES_PER_E6 / shrink);
    let (lon, lat) = (i64::from(centre.lon_e6), i64::from(centre.lat_e6));
    let span = i64::from(DAYS) * 86_400_000;
    let mut params = params![
        case.id.as_bytes(),
        category,
        lat - tall as i64,
        lat + tall as i64,
        lon - wide as i64,
        lon + wide as i64,
        case.received_at - span,
        case.received_at + span,
        lat,
        lon,
        // A degree of longitude is shorter by this, squared, in hundredths.
        (shrink * shrink * 100.0) as i64,
        MEASURED
    ]
    .to_vec();
    let marks: Vec<String> = (0..days.len()).map(|n| format!("?{}", params.len() + 1 + n)).collect();
    params.extend(days.iter().map(|day| Value::from(day.to_string())));
    let sql = format!(
        "SELECT {ITEM_COLUMNS}, {}, ledger FROM case_row
         WHERE district = (SELECT district FROM case_row WHERE id = ?1) AND category = ?2
         AND received_day IN ({}) AND lat_e6 >= ?3 AND lat_e6 <= ?4
         AND COALESCE(lon_e6, 0) >= ?5 AND COALESCE(lon_e6, 0) <= ?6
         AND COALESCE(received_at, 0) >= ?7 AND COALESCE(received_at, 0) <= ?8 AND id <> ?1
         ORDER BY (lat_e6 - ?9) * (lat_e6 - ?9) * 100 + (lon_e6 - ?10) * (lon_e6 - ?10) * ?11, id LIMIT ?12",
        Keys::COLUMNS,
        marks.join(", ")
    );
    (sql, params)
}

/// Where GCJ-02 states a point of WGS-84, good to a few metres: its shift hardly differs over the length of itself.
fn as_gcj02(point: Point) -> Point {
    let back = point.to_wgs84(CoordSys::Gcj02);
    Point { lon_e6: 2 * point.lon_e6 - back.lon_e6, lat_e6: 2 * point.lat_e6 - back.lat_e6 }
}

async fn photo(tx: &mut dyn Tx, case: CaseId) -> Result<Option<PhotoHash>, StoreError> {
    let sql = "SELECT sha256 FROM photo WHERE case_id = ?1 AND present = 1
        ORDER BY CASE role WHEN 'before' THEN 0 WHEN 'after' THEN 1 ELSE 2 END, sha256 LIMIT 1";
    let row = tx.query_opt(sql, params![case.as_bytes()]).await?;
    row.map(|row| Ok(PhotoHash::from_bytes(row.array(0)?))).transpose()
}

/// Cases that were voided or merged because they repeat this one, oldest first.
pub async fn repeats(tx: &mut dyn Tx, scope: &Scope, case: CaseId) -> Result<Vec<CaseItem>, StoreError> {
    let sql = format!(
        "SELECT {ITEM_COLUMNS}, {} FROM case_row WHERE master_case = ?1 ORDER BY received_at, id LIMIT 50",
        Keys::COLUMNS
    );
    let rows = tx.query(&sql, params![case.to_string()]).await?;
    let mut found = Vec::new();
    for row in &rows {
        if scope.covers(&Keys::read(row, ITEM_WIDTH)?) {
            found.push(item(row)?);
        }
    }
    Ok(found)
}

#[cfg(test)]
#[path = "tests/nearby.rs"]
mod tests;
