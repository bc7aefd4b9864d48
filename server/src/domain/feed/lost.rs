//! Grids that an inspector walks no more: their cases leave the phone at its next contact.
//!
//! No row of the feed tells it, since nothing happened to the cases. So the server remembers of each phone which grids its
//! user walked when it was last heard. A request after one of them was taken away is answered with the cases the phone may
//! hold by it as `gone`, and so is every one after it until the phone has heard such an answer; then the grid is forgotten.
//! A phone that does not know of any of this purges what is gone as it always did.
//!
//! What a phone may hold by a grid are the cases that are open in it, and those that left it, or ended, since the phone last
//! read the feed. More than there is room for waits for the daily count, which finds whatever is left.

use std::collections::BTreeSet;

use xunge_client_core::model::{CaseId, DeviceId};
use xunge_client_core::wire::SyncUp;

use super::census::GRID;
use super::items;
use super::page::Reader;
use crate::domain::people::Viewer;
use crate::params;
use crate::store::{Row, StoreError, Tx};

/// Bytes of a case in `gone`.
const ONE: usize = 17;
/// Cases named however little room there is: a kilobyte.
const LEAST: usize = 64;

/// A request as the phone numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The phone.
    pub device: DeviceId,
    /// Number of the request.
    pub counter: u64,
    /// Number of the newest request whose answer it took in; 0 for none of this epoch.
    pub heard: u64,
}

impl Contact {
    /// The contact of a request with this number.
    pub fn of(device: DeviceId, counter: u64, up: &SyncUp, same_epoch: bool) -> Self {
        let heard = match up.heard {
            Some(heard) if same_epoch => heard,
            // A phone from before this was said: it is told once, and its daily count finds what that did not reach.
            None if up.cursor > 0 => counter.saturating_sub(1),
            _ => 0,
        };
        Self { device, counter, heard }
    }
}

/// Notes which grids a phone is told of with the answer to this request; gives those it holds and has to be told are lost.
pub async fn note(tx: &mut dyn Tx, viewer: &Viewer, contact: Contact) -> Result<Vec<String>, StoreError> {
    const FORGET: &str = "DELETE FROM device_view WHERE device = ?1 AND grid = ?2";
    const TOLD: &str = "UPDATE device_view SET told = ?3 WHERE device = ?1 AND grid = ?2";
    let device = contact.device.as_bytes();
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut walks: BTreeSet<&str> = viewer.grids.iter().map(|grid| grid.as_str()).collect();
    let mut lost = Vec::new();
    for row in tx.query("SELECT grid, told FROM device_view WHERE device = ?1 ORDER BY grid", params![device]).await? {
        let (grid, told) = (row.text(0)?, row.opt_int(1)?);
        match (walks.remove(grid), told) {
            (true, None) => {}
            // Given back before the phone heard that it was taken away.
            (true, Some(_)) => {
                tx.execute(TOLD, params![device, grid, None::<i64>]).await?;
            }
            (false, Some(told)) if number(contact.heard) >= told => {
                tx.execute(FORGET, params![device, grid]).await?;
            }
            (false, Some(_)) => lost.push(grid.to_owned()),
            (false, None) => {
                tx.execute(TOLD, params![device, grid, number(contact.counter)]).await?;
                lost.push(grid.to_owned());
            }
        }
    }
    for grid in walks {
        tx.execute("INSERT INTO device_view (device, grid) VALUES (?1, ?2)", params![device, grid]).await?;
    }
    Ok(lost)
}

/// What the phone may hold by grids it lost and its user does not see otherwise: open cases, then those that something
/// happened to after the position the phone has read to, newest first.
pub async fn cases(tx: &mut dyn Tx, reader: &Reader, lost: &[String], read_to: i64) -> Result<Vec<CaseId>, StoreError> {
    const LATER: &str = "SELECT f.case_id FROM feed_audience a
        JOIN feed f ON f.district = a.district AND f.position = a.position
        WHERE a.district = ?1 AND a.audience = ?2 AND a.position > ?3 ORDER BY a.position DESC LIMIT ?4";
    let most = (reader.size.bytes / ONE).max(LEAST);
    let (mut gone, mut looked) = (Vec::new(), BTreeSet::new());
    for grid in lost {
        let mut found: Vec<Row> = tx.query(GRID, params![grid]).await?;
        let key = format!("g:{grid}");
        found.extend(tx.query(LATER, params![&reader.district, key, read_to, most as i64]).await?);
        for row in found {
            let case = CaseId::from_bytes(row.array(0)?);
            if gone.len() == most {
                return Ok(gone);
            }
            if looked.insert(case) && !items::standing(tx, case, &reader.keys).await?.visible {
                gone.push(case);
            }
        }
    }
    Ok(gone)
}
