//! One page of the feed for a phone.
//!
//! The rule every page keeps: a phone that holds what its cursor says can apply it. Each event follows the one before,
//! each change follows those it builds on, on the phone or earlier in the page. Rows are told one by one to those who
//! saw the case before; whoever may not have it (it came into view, or had ended and was left out of a new phone's
//! first pages) is told all of it.

use std::collections::{BTreeMap, BTreeSet};

use xunge_client_core::model::{CaseId, ChangeHash, DeviceId};
use xunge_client_core::wire::FeedItem;

use super::audience;
use super::items::{self, FeedRow, Standing, Weighed};
use super::snapshot::{self, Progress};
use crate::domain::people::Viewer;
use crate::params;
use crate::store::{StoreError, Tx};

/// How large a page gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Bytes before compression.
    pub bytes: usize,
    /// Feed rows looked at; a snapshot walks sixteen times as many.
    pub rows: usize,
}

impl Default for Size {
    /// About 27 KB on the wire (reports shrink to a ninth), two seconds of a weak link: a new phone's three hundred
    /// cases come with one request.
    fn default() -> Self {
        Self { bytes: 240_000, rows: 512 }
    }
}

/// Who reads the feed.
#[derive(Clone, Debug)]
pub struct Reader {
    /// District of the feed.
    pub district: String,
    /// The phone, which is not told what it brought itself, as far as it is sure to know.
    pub device: DeviceId,
    /// Changes it has brought with this very request. Of others that came in its name it may not have heard: the
    /// answer was lost, or a copy of the phone brought them.
    pub brought: BTreeSet<ChangeHash>,
    /// Keys of its user, the user's own first.
    pub keys: Vec<String>,
    /// How much is read at once.
    pub size: Size,
}

impl Reader {
    /// True if the phone brought all of a row itself, with this request.
    pub(super) fn knows(&self, row: &FeedRow) -> bool {
        row.origin == Some(self.device) && row.changes.iter().all(|hash| self.brought.contains(hash))
    }

    /// The reader for a person's phone; none for a person who works in no district.
    pub fn new(viewer: &Viewer, device: DeviceId, size: Size) -> Option<Self> {
        let (district, brought) = (viewer.district()?, BTreeSet::new());
        Some(Self { district, device, brought, keys: audience::keys_of(viewer), size })
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
///
/// `unheard` are cases whose acceptance the phone never heard of. It is told the report as it was taken, since its facts
/// may have been edited between the answer that was lost and this one; and all of the case if its first pages leave it
/// out as ended long ago: it would show it as just reported for ever.
pub async fn page(tx: &mut dyn Tx, reader: &Reader, cursor: u64, unheard: &[CaseId]) -> Result<FeedPage, StoreError> {
    let head = super::head(tx, &reader.district).await?;
    let progress = match Progress::decode(cursor) {
        Some(progress) if progress.is_of(head) => Some(progress),
        None if cursor > 0 && cursor <= head as u64 => None,
        // New, or a cursor beyond the head: from before a restore, or invented.
        _ if head > 0 => Progress::begin(head),
        _ => None,
    };
    let mut page = match progress {
        Some(progress) => snapshot::page(tx, reader, progress).await?,
        None => rows_after(tx, reader, if cursor > head as u64 { 0 } else { cursor as i64 }, head).await?,
    };
    for case in unheard {
        let mut weighed = Weighed::new(*case);
        match page.items.iter_mut().find(|item| item.case == *case) {
            Some(item) if item.events.first().is_some_and(|first| first.version == 1) => {}
            Some(item) => {
                weighed.add_event(tx, 1).await?;
                item.events.splice(0..0, weighed.item.events);
            }
            None if progress.is_some() => {
                weighed.add_all(tx, &reader.brought, false).await?;
                page.items.push(weighed.item);
            }
            None => {
                weighed.add_event(tx, 1).await?;
                page.items.push(weighed.item);
            }
        }
    }
    Ok(page)
}

/// The position up to which a phone with this cursor has been told what happened; 0 if that is not known.
pub async fn read_to(tx: &mut dyn Tx, reader: &Reader, cursor: u64) -> Result<i64, StoreError> {
    let head = super::head(tx, &reader.district).await?;
    Ok(match Progress::decode(cursor) {
        // What happened during a walk is read after it.
        Some(progress) if progress.is_of(head) => progress.head(),
        None if cursor <= head as u64 => cursor as i64,
        _ => 0,
    })
}

async fn rows_after(tx: &mut dyn Tx, reader: &Reader, after: i64, head: i64) -> Result<FeedPage, StoreError> {
    let positions = positions(tx, reader, after, head).await?;
    let mut news = News::default();
    let (mut cursor, mut more) = (head as u64, false);
    let (mut bytes, mut looked, count) = (0, 0, positions.len());
    for (position, joins) in positions {
        looked += 1;
        bytes += news.row(tx, reader, position, joins).await?;
        if bytes > reader.size.bytes || looked == reader.size.rows {
            more = looked < count || looked == reader.size.rows;
            cursor = if more { position as u64 } else { cursor };
            break;
        }
    }
    let News { mut told, order, gone, .. } = news;
    let items = order.iter().filter_map(|case| told.remove(case)).filter(|it| !it.is_empty()).map(|it| it.item);
    Ok(FeedPage { items: items.collect(), gone, cursor, more })
}

/// A page being gathered.
#[derive(Debug, Default)]
struct News {
    told: BTreeMap<CaseId, Weighed>,
    order: Vec<CaseId>,
    /// Cases of which nothing more needs to be told: they are gone, or told as they are now.
    settled: BTreeSet<CaseId>,
    gone: Vec<CaseId>,
}

impl News {
    /// Adds what one row tells of; gives about how many bytes that is.
    async fn row(&mut self, tx: &mut dyn Tx, reader: &Reader, position: i64, joins: bool) -> Result<usize, StoreError> {
        let row = items::row(tx, &reader.district, position).await?;
        let mine = reader.knows(&row);
        if self.settled.contains(&row.case) || (mine && row.submit) {
            return Ok(0);
        }
        let mut lapsed = false;
        if !self.told.contains_key(&row.case) {
            let standing = items::standing(tx, row.case, &reader.keys).await?;
            if !standing.visible {
                self.gone.push(row.case);
                self.settled.insert(row.case);
                return Ok(0);
            }
            lapsed = returned_since(tx, reader, &row, &standing).await?;
            self.order.push(row.case);
        }
        let weighed = self.told.entry(row.case).or_insert_with(|| Weighed::new(row.case));
        let before = weighed.bytes;
        if lapsed || (joins && !mine && row.version != Some(1)) {
            // The phone needs what happened before this row as well. Who wrote it has that, unless it was purged.
            *weighed = Weighed::new(row.case);
            weighed.add_all(tx, &reader.brought, false).await?;
            self.settled.insert(row.case);
        } else {
            if let Some(version) = row.version {
                weighed.add_event(tx, version).await?;
            }
            if !mine {
                weighed.add_changes(tx, &row.changes).await?;
            }
        }
        Ok(weighed.bytes.saturating_sub(before))
    }
}

/// True if the case left the reader's view and came back after this row: a page read in between may have said that it
/// is gone, so that the phone holds nothing to add this row to.
async fn returned_since(
    tx: &mut dyn Tx,
    reader: &Reader,
    row: &FeedRow,
    standing: &Standing,
) -> Result<bool, StoreError> {
    if standing.reported || standing.version == 1 || row.version == Some(standing.version) {
        return Ok(false);
    }
    let came = items::came_into_view(tx, row.case, &reader.keys).await?;
    Ok(came > 1 && row.version.is_none_or(|version| version < came))
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
        for row in tx.query(SQL, params![&reader.district, key, after, head, reader.size.rows as i64]).await? {
            *found.entry(row.int(0)?).or_default() |= row.bool(1)?;
        }
    }
    while found.len() > reader.size.rows {
        found.pop_last();
    }
    Ok(found)
}
