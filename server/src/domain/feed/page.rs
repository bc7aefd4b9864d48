//! One page of the feed for a phone.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use xunge_client_core::model::{CaseId, DeviceId};
use xunge_client_core::wire::FeedItem;

use super::audience;
use super::items::{self, Weighed};
use super::snapshot::{self, Progress};
use crate::domain::people::Viewer;
use crate::params;
use crate::store::{StoreError, Tx};

/// Bytes of a page before compression: about 40 KB on the wire, two to three seconds of a weak link.
pub(super) const PAGE_BYTES: usize = 160_000;
/// Feed rows looked at for one page.
pub(super) const PAGE_ROWS: usize = 512;

/// Who reads the feed.
#[derive(Clone, Debug)]
pub struct Reader {
    /// District of the feed.
    pub district: String,
    /// The phone, which is not told what it brought itself.
    pub device: DeviceId,
    /// Keys of its user, the user's own first.
    pub keys: Vec<String>,
}

impl Reader {
    /// The reader for a person's phone; none for a person who works in no district.
    pub fn new(viewer: &Viewer, device: DeviceId) -> Option<Self> {
        Some(Self { district: viewer.district()?, device, keys: audience::keys_of(viewer) })
    }
}

/// What is new for a phone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeedPage {
    /// News by case.
    pub items: Vec<FeedItem>,
    /// Cases that left the phone's view.
    pub gone: Vec<CaseId>,
    /// Where the next page begins.
    pub cursor: u64,
    /// There is a next page already.
    pub more: bool,
}

/// Reads the page after a cursor; all of it in the caller's one view of the database.
pub async fn page(tx: &mut dyn Tx, reader: &Reader, cursor: u64) -> Result<FeedPage, StoreError> {
    let head = super::head(tx, &reader.district).await?;
    match Progress::decode(cursor) {
        Some(progress) => snapshot::page(tx, reader, progress).await,
        // A cursor beyond the head is from before a restore, or invented.
        None if (cursor == 0 || cursor > head as u64) && head > 0 => match Progress::begin(head) {
            Some(progress) => snapshot::page(tx, reader, progress).await,
            None => rows_after(tx, reader, 0, head).await,
        },
        None => rows_after(tx, reader, cursor as i64, head).await,
    }
}

async fn rows_after(tx: &mut dyn Tx, reader: &Reader, after: i64, head: i64) -> Result<FeedPage, StoreError> {
    let mut page = FeedPage { cursor: head as u64, ..FeedPage::default() };
    let positions = positions(tx, reader, after, head).await?;
    let mut news: BTreeMap<CaseId, Weighed> = BTreeMap::new();
    let mut order: Vec<CaseId> = Vec::new();
    let mut settled: BTreeSet<CaseId> = BTreeSet::new();
    let mut bytes = 0;
    let (mut looked, count) = (0, positions.len());
    for (position, joins) in positions {
        looked += 1;
        let row = items::row(tx, &reader.district, position).await?;
        let mine = row.origin == Some(reader.device);
        if settled.contains(&row.case) || (mine && row.submit) {
            continue;
        }
        let weighed = match news.entry(row.case) {
            Entry::Occupied(held) => held.into_mut(),
            Entry::Vacant(place) => {
                if !items::standing(tx, row.case, &reader.keys).await?.visible {
                    page.gone.push(row.case);
                    settled.insert(row.case);
                    continue;
                }
                order.push(row.case);
                place.insert(Weighed::new(row.case))
            }
        };
        let before = weighed.bytes;
        if joins && row.version != Some(1) {
            // The case came into view with this row; the phone needs what happened before as well.
            *weighed = Weighed::new(row.case);
            weighed.add_all(tx, reader.device, false).await?;
            settled.insert(row.case);
        } else {
            if let Some(version) = row.version {
                weighed.add_event(tx, version).await?;
            }
            if !mine {
                weighed.add_changes(tx, &row.changes).await?;
            }
        }
        bytes += weighed.bytes.saturating_sub(before);
        if bytes > PAGE_BYTES || looked == PAGE_ROWS {
            page.more = looked < count || looked == PAGE_ROWS;
            page.cursor = if page.more { position as u64 } else { page.cursor };
            break;
        }
    }
    page.items =
        order.iter().filter_map(|case| news.remove(case)).filter(|it| !it.is_empty()).map(|it| it.item).collect();
    Ok(page)
}

/// The first positions after the cursor that concern the reader, each with whether it brings a case into view.
async fn positions(tx: &mut dyn Tx, reader: &Reader, after: i64, head: i64) -> Result<BTreeMap<i64, bool>, StoreError> {
    const SQL: &str = "SELECT position, joins FROM feed_audience
        WHERE district = ?1 AND audience = ?2 AND position > ?3 AND position <= ?4 ORDER BY position LIMIT ?5";
    let mut found: BTreeMap<i64, bool> = BTreeMap::new();
    if after >= head {
        return Ok(found);
    }
    for key in &reader.keys {
        // Each key's first rows: the first of all keys together are among them.
        for row in tx.query(SQL, params![&reader.district, key, after, head, PAGE_ROWS as i64]).await? {
            *found.entry(row.int(0)?).or_default() |= row.bool(1)?;
        }
    }
    while found.len() > PAGE_ROWS {
        found.pop_last();
    }
    Ok(found)
}
