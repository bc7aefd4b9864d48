//! The daily count of everything in a phone's view (`wire::census`): what is in view is read, digested and compared, and
//! the cases of buckets that differ are told whole. One read of the case rows a day and phone; nothing is stored for it.

use std::collections::BTreeMap;

use xunge_client_core::model::{CaseId, ChangeHash};
use xunge_client_core::wire::census::{self, Count, Counted};
use xunge_client_core::wire::{Census, CensusReply, FeedItem};

use super::items::Weighed;
use super::page::Reader;
use crate::params;
use crate::store::{Row, StoreError, Tx};

/// Compares a phone's count with what is in its view here; gives the answer, and the cases it speaks of.
///
/// Only for a phone that has read the feed to its end: news would show as differences.
pub async fn compare(
    tx: &mut dyn Tx,
    reader: &Reader,
    census: &Census,
) -> Result<(CensusReply, Vec<FeedItem>), StoreError> {
    let in_view = in_view(tx, reader, census).await?;
    let count = Count::of(census.day, in_view.values().cloned().collect());
    let mut reply = CensusReply::default();
    let mut items = Vec::new();
    let Some(theirs) = &census.buckets else {
        reply.next = (count.root() != census.root).then_some(0);
        return Ok((reply, items));
    };
    let (mut told, mut bytes) = (Vec::new(), 0);
    for bucket in count.differing(theirs, census.from.unwrap_or(0)) {
        if bytes > reader.size.bytes {
            reply.next = Some(bucket);
            break;
        }
        for case in in_view.keys().filter(|case| census::bucket_of(case) == bucket) {
            let mut weighed = Weighed::new(*case);
            weighed.add_all(tx, &reader.brought, false).await?;
            bytes += weighed.bytes;
            items.push(weighed.item);
        }
        told.push(bucket);
    }
    reply.told = Some(told.into());
    Ok((reply, items))
}

/// What is counted of the cases of a person in one of their parts, or of a grid. The district is no condition: it would
/// let the planner walk all of its cases instead of the few that the key names.
macro_rules! whose {
    ($column:literal) => {
        concat!(
            "SELECT c.id, c.version, c.heads, c.district FROM case_row c
             JOIN case_event e ON e.case_id = c.id AND e.version = c.version WHERE c.",
            $column,
            " = ?1 AND (c.state NOT IN ('closed', 'void') OR e.at >= ?2)"
        )
    };
}
const PEOPLE: [&str; 3] = [whose!("reporter"), whose!("holder"), whose!("task_user")];
/// What is counted of the open cases of a grid.
pub(super) const GRID: &str =
    "SELECT id, version, heads, district FROM case_row WHERE grid = ?1 AND state NOT IN ('closed', 'void')";

/// What a phone of this reader holds: the same rule as [`super::audience::keys`], on columns. Ended cases count for as
/// long as every phone was sent them.
async fn in_view(tx: &mut dyn Tx, reader: &Reader, census: &Census) -> Result<BTreeMap<CaseId, Counted>, StoreError> {
    let since = census::since(census.day).0;
    let mut found = BTreeMap::new();
    let mut take = |rows: Vec<Row>| {
        for row in rows {
            let counted = counted(&row)?;
            if row.text(3)? == reader.district && !census.leaves_out(&counted.case) {
                found.insert(counted.case, counted);
            }
        }
        Ok::<_, StoreError>(())
    };
    for key in &reader.keys {
        if let Some(user) = key.strip_prefix("u:") {
            for sql in PEOPLE {
                take(tx.query(sql, params![user, since]).await?)?;
            }
        } else if let Some(grid) = key.strip_prefix("g:") {
            take(tx.query(GRID, params![grid]).await?)?;
        }
    }
    Ok(found)
}

fn counted(row: &Row) -> Result<Counted, StoreError> {
    let damaged = |what: &str| StoreError::Check { what: what.to_owned() };
    let version = u32::try_from(row.int(1)?).map_err(|_| damaged("case_row.version"))?;
    let heads = ChangeHash::split(row.blob(2)?).ok_or_else(|| damaged("case_row.heads"))?;
    Ok(Counted { case: CaseId::from_bytes(row.array(0)?), version, heads })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{District, plan_of};

    #[tokio::test]
    async fn a_count_reads_the_cases_in_view_and_not_the_district() {
        let district = District::new().await;
        let store = district.desk.services.store.clone();
        let grid = (GRID, "grid", params!["x"].to_vec());
        let people = PEOPLE.into_iter().zip(["reporter", "holder", "task"]);
        for (sql, index, params) in people.map(|(sql, index)| (sql, index, params!["x", 0].to_vec())).chain([grid]) {
            let steps = plan_of(&store, sql, params).await;
            assert!(steps[0].contains(&format!("case_row_{index} ")), "{steps:?}");
        }
    }
}
