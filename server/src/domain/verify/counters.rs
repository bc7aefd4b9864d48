//! The counter tables, against a recount of the folded ledgers.

use std::collections::{BTreeMap, BTreeSet};

use super::{Known, Report};
use crate::domain::counts::query::{COLUMNS, cells};
use crate::domain::counts::{Cells, Leaf};
use crate::params;
use crate::store::{StoreError, Tx};

/// A counter table: its name, its key after the district, and the key of a leaf in it.
struct Table {
    name: &'static str,
    key: &'static [&'static str],
    of: fn(&Leaf) -> Vec<String>,
}

const TABLES: [Table; 9] = [
    Table {
        name: "count_day",
        key: &["day", "grid", "unit", "category"],
        of: |leaf| vec![leaf.day.to_string(), leaf.grid.clone(), leaf.unit.clone(), leaf.category.clone()],
    },
    Table {
        name: "count_month",
        key: &["month", "grid", "unit", "category"],
        of: |leaf| vec![leaf.day.month().to_string(), leaf.grid.clone(), leaf.unit.clone(), leaf.category.clone()],
    },
    Table {
        name: "tally_day",
        key: &["day", "unit", "category"],
        of: |leaf| vec![leaf.day.to_string(), leaf.unit.clone(), leaf.category.clone()],
    },
    Table {
        name: "tally_month",
        key: &["month", "unit", "category"],
        of: |leaf| vec![leaf.day.month().to_string(), leaf.unit.clone(), leaf.category.clone()],
    },
    Table {
        name: "tally_grid",
        key: &["month", "grid", "unit"],
        of: |leaf| vec![leaf.day.month().to_string(), leaf.grid.clone(), leaf.unit.clone()],
    },
    Table { name: "tally_unit", key: &["day", "unit"], of: |leaf| vec![leaf.day.to_string(), leaf.unit.clone()] },
    Table {
        name: "tally_street",
        key: &["street", "month", "unit", "category"],
        of: |leaf| {
            let street = leaf.street().to_owned();
            vec![street, leaf.day.month().to_string(), leaf.unit.clone(), leaf.category.clone()]
        },
    },
    Table { name: "tally_map_day", key: &["day", "grid"], of: |leaf| vec![leaf.day.to_string(), leaf.grid.clone()] },
    Table {
        name: "tally_map_month",
        key: &["month", "grid"],
        of: |leaf| vec![leaf.day.month().to_string(), leaf.grid.clone()],
    },
];

pub(super) async fn check(tx: &mut dyn Tx, report: &mut Report, known: &Known) -> Result<(), StoreError> {
    for table in &TABLES {
        let sql = format!("SELECT DISTINCT district FROM {}", table.name);
        let rows = tx.query(&sql, &[]).await;
        let Some(rows) = report.unreadable("counter", table.name, rows)? else { continue };
        let mut districts: BTreeSet<String> = known.leaves.keys().cloned().collect();
        for row in &rows {
            districts.insert(row.text(0)?.to_owned());
        }
        for district in districts {
            one(tx, report, known, table, &district).await?;
        }
    }
    Ok(())
}

async fn one(
    tx: &mut dyn Tx,
    report: &mut Report,
    known: &Known,
    table: &Table,
    district: &str,
) -> Result<(), StoreError> {
    let mut expected: BTreeMap<Vec<String>, Cells> = BTreeMap::new();
    for (leaf, cells) in known.leaves.get(district).into_iter().flatten() {
        expected.entry((table.of)(leaf)).or_default().add(1, cells);
    }
    let sql =
        format!("SELECT {}, {} FROM {} WHERE district = ?1", COLUMNS.join(", "), table.key.join(", "), table.name);
    let rows = tx.query(&sql, params![district]).await;
    let Some(rows) = report.unreadable("counter", format!("{} {district}", table.name), rows)? else { return Ok(()) };
    for row in &rows {
        report.counted("counters", 1);
        let key: Vec<String> = (0..table.key.len())
            .map(|index| row.text(Cells::COLUMNS + index).map(str::to_owned))
            .collect::<Result<_, _>>()?;
        let (expected, found) = (expected.remove(&key).unwrap_or_default(), cells(row)?);
        if expected != found {
            let subject = format!("{} {district} {}", table.name, key.join(" "));
            report.differs("counter", subject, format!("{:?}", expected.columns()), format!("{:?}", found.columns()));
        }
    }
    for (key, cells) in expected.into_iter().filter(|(_, cells)| !cells.is_zero()) {
        let subject = format!("{} {district} {}", table.name, key.join(" "));
        report.differs("counter", subject, format!("{:?}", cells.columns()), "no row");
    }
    Ok(())
}
