//! What a new phone gets first: the cases in its view, open ones first, newest first.
//!
//! The feed itself is the list: each case in a person's view came into it with a row marked `joins`. The walk goes
//! down those rows from the head as it was when the walk began, twice: for open cases, then for the person's own
//! ended ones that anything happened to in the last two months: one that ends during the walk is among them. Afterwards
//! the phone reads on from that head, so nothing that happens during the walk is missed. Where the walk stands travels
//! in the cursor; the server remembers nothing.

use std::collections::BTreeSet;

use super::items::{self, Weighed};
use super::page::{FeedPage, Reader};
use crate::params;
use crate::store::{StoreError, Tx, Value};

/// How far back a person's own ended cases are sent, in milliseconds of business time before the walk began.
const OWN_HISTORY_MS: i64 = 62 * 86_400_000;

/// Rows walked for one page, wanted or not, per row of a page of news: about a tenth of a second.
const WALKED: usize = 16;

const SNAPSHOT: u64 = 1 << 63;
const SECOND_PASS: u64 = 1 << 62;
const POSITION_BITS: u32 = 31;
const POSITION: u64 = (1 << POSITION_BITS) - 1;

/// Where a walk stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    /// Head of the feed when the walk began.
    head: i64,
    /// Rows above this position are done.
    below: i64,
    /// Open cases are done, ended ones follow.
    ended: bool,
}

impl Progress {
    /// A walk that begins; none in a feed of more than two thousand million rows, which is read row by row instead.
    pub(super) fn begin(head: i64) -> Option<Self> {
        (head as u64 <= POSITION).then_some(Self { head, below: head, ended: false })
    }

    pub(super) fn decode(cursor: u64) -> Option<Self> {
        (cursor & SNAPSHOT != 0).then_some(Self {
            head: (cursor >> POSITION_BITS & POSITION) as i64,
            below: (cursor & POSITION) as i64,
            ended: cursor & SECOND_PASS != 0,
        })
    }

    /// Head of the feed when the walk began.
    pub(super) fn head(self) -> i64 {
        self.head
    }

    /// True if the walk can have begun in a feed that reaches this far now.
    pub(super) fn is_of(self, head: i64) -> bool {
        (1..=head).contains(&self.head)
    }

    fn encode(self) -> u64 {
        let pass = if self.ended { SECOND_PASS } else { 0 };
        SNAPSHOT | pass | (self.head as u64) << POSITION_BITS | self.below as u64
    }
}

/// Reads one page of the walk.
pub(super) async fn page(tx: &mut dyn Tx, reader: &Reader, start: Progress) -> Result<FeedPage, StoreError> {
    let mut page = FeedPage { more: true, ..FeedPage::default() };
    let mut progress = start;
    let mut seen = BTreeSet::new();
    let (mut bytes, mut looked) = (0, 0);
    let began = began(tx, reader, start.head).await?;
    loop {
        let positions = joins(tx, reader, progress.below).await?;
        let exhausted = positions.len() < reader.size.rows;
        for position in positions {
            looked += 1;
            progress.below = position - 1;
            let row = items::row(tx, &reader.district, position).await?;
            if seen.insert(row.case) {
                let standing = items::standing(tx, row.case, &reader.keys).await?;
                let recent = standing.own && standing.touched_at > began - OWN_HISTORY_MS;
                let wanted = if progress.ended { !standing.open && recent } else { standing.open && standing.visible };
                if wanted {
                    let mut weighed = Weighed::new(row.case);
                    weighed.add_all(tx, &reader.brought, row.submit && reader.knows(&row)).await?;
                    bytes += weighed.bytes;
                    page.items.extend((!weighed.is_empty()).then_some(weighed.item));
                }
            }
            if bytes > reader.size.bytes || looked >= WALKED * reader.size.rows {
                page.cursor = progress.encode();
                return Ok(page);
            }
        }
        if !exhausted {
            continue;
        }
        if progress.ended {
            page.cursor = progress.head as u64;
            page.more = super::head(tx, &reader.district).await? > progress.head;
            return Ok(page);
        }
        progress = Progress { below: progress.head, ended: true, ..progress };
        seen.clear();
    }
}

/// Positions at or below one, highest first, at which a case came into view.
async fn joins(tx: &mut dyn Tx, reader: &Reader, below: i64) -> Result<Vec<i64>, StoreError> {
    const SQL: &str = "SELECT position FROM feed_audience
        WHERE district = ?1 AND audience = ?2 AND position <= ?3 AND joins = 1 ORDER BY position DESC LIMIT ?4";
    let mut found = BTreeSet::new();
    for key in &reader.keys {
        for row in tx.query(SQL, params![&reader.district, key, below, reader.size.rows as i64]).await? {
            found.insert(row.int(0)?);
        }
    }
    Ok(found.into_iter().rev().take(reader.size.rows).collect())
}

/// When the walk began: the business time of the row at its head. Whatever ends during the walk ends after that,
/// however long the walk takes, and so is never too old to be sent.
async fn began(tx: &mut dyn Tx, reader: &Reader, head: i64) -> Result<i64, StoreError> {
    let row = items::row(tx, &reader.district, head).await?;
    let (sql, name) = match (row.version, row.changes.last()) {
        (Some(version), _) => ("SELECT at FROM case_event WHERE case_id = ?1 AND version = ?2", Value::from(version)),
        (None, Some(hash)) => {
            ("SELECT received_at FROM change_row WHERE case_id = ?1 AND hash = ?2", Value::from(hash.as_bytes()))
        }
        (None, None) => return Ok(0),
    };
    tx.query_one(sql, params![row.case.as_bytes(), name]).await?.int(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_survives_its_cursor_and_plain_positions_are_none() {
        let progress = Progress { head: POSITION as i64, below: 12, ended: true };
        assert_eq!(Progress::decode(progress.encode()), Some(progress));
        assert_eq!(Progress::begin(7).map(|progress| Progress::decode(progress.encode())), Some(Progress::begin(7)));
        assert_eq!(Progress::decode(1_000_000), None);
        assert_eq!(Progress::begin(1 << 31), None);
    }
}
