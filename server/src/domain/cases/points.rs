//! Where the cases of a place and period lie, for a map.

use xunge_client_core::model::{CaseId, LocalDay, OrgCode, OrgLevel, Point};

use crate::domain::directory::Directory;
use crate::domain::scope::{Column, Keys, Scope};
use crate::params;
use crate::store::{StoreError, Tx};

/// A case on a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// Its id.
    pub id: CaseId,
    /// Mode as decided, until then as claimed.
    pub mode: String,
    /// State code.
    pub state: String,
    /// Category as decided, until then as claimed.
    pub category: String,
    /// When it was received, Unix milliseconds.
    pub received_at: i64,
    /// Where, in WGS-84; none if nobody said.
    pub point: Option<Point>,
    /// A void of it waits and may still be taken back.
    pub held: bool,
}

/// The newest cases of a community or cell grid, at most `limit`, of one reporting unit or of all; grid by grid through
/// their index.
pub async fn pins(
    tx: &mut dyn Tx,
    scope: &Scope,
    directory: &Directory,
    (place, unit): (&OrgCode, Option<&OrgCode>),
    days: (LocalDay, LocalDay),
    limit: usize,
) -> Result<Vec<Pin>, StoreError> {
    let sql = format!(
        "SELECT id, COALESCE(mode, mode_claim), state, category, received_at, lon_e6, lat_e6,
         (SELECT h.due_at FROM held_void AS h WHERE h.case_id = id), {} FROM case_row
         WHERE grid = ?1 AND received_at >= ?2 AND received_at < ?3 ORDER BY received_at DESC, id DESC LIMIT ?4",
        Keys::COLUMNS
    );
    let is_below = |code: &&OrgCode| code.level() == Some(OrgLevel::Grid) && place.contains(code);
    let mut pins = Vec::new();
    for grid in directory.places().map(|(code, _)| code).filter(is_below) {
        let rows = tx.query(&sql, params![grid.as_str(), days.0.start().0, days.1.end().0, limit as i64]).await?;
        for row in &rows {
            let keys = Keys::read(row, 8)?;
            let of_unit = unit.is_none_or(|unit| keys.get(Column::Unit) == Some(unit.as_str()));
            if !of_unit || !scope.covers(&keys) {
                continue;
            }
            let degrees = |index| row.opt_int(index).map(|e6| e6.and_then(|e6| i32::try_from(e6).ok()));
            let point = degrees(5)?.zip(degrees(6)?).map(|(lon_e6, lat_e6)| Point { lon_e6, lat_e6 });
            pins.push(Pin {
                id: CaseId::from_bytes(row.array(0)?),
                mode: row.text(1)?.to_owned(),
                state: row.text(2)?.to_owned(),
                category: row.text(3)?.to_owned(),
                received_at: row.int(4)?,
                point,
                held: row.opt_int(7)?.is_some(),
            });
        }
    }
    pins.sort_by_key(|pin| std::cmp::Reverse((pin.received_at, pin.id)));
    pins.truncate(limit);
    Ok(pins)
}
