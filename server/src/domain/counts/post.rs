//! Writes counter movements, summed up per transaction: a push of a hundred cases touches few rows.

use std::collections::BTreeMap;

use super::{Cells, Leaf, Standing};
use crate::store::{StoreError, Tx, Value};

/// Movements of the counters that one transaction collects.
#[derive(Clone, Debug, Default)]
pub struct Movements(BTreeMap<Leaf, Cells>);

impl Movements {
    /// Moves a case from where it was counted (nowhere for a new case) to where it is counted now.
    pub fn moved(&mut self, before: Option<&Standing>, after: &Standing) {
        if let Some(before) = before {
            self.add(-1, before);
        }
        self.add(1, after);
    }

    fn add(&mut self, sign: i64, standing: &Standing) {
        match self.0.get_mut(&standing.leaf) {
            Some(cells) => cells.add(sign, &standing.cells),
            None => {
                let mut cells = Cells::default();
                cells.add(sign, &standing.cells);
                self.0.insert(standing.leaf.clone(), cells);
            }
        }
    }

    /// Writes them to the counters of a district.
    pub async fn write(self, tx: &mut dyn Tx, district: &str) -> Result<(), StoreError> {
        let mut day = BTreeMap::new();
        let mut month = BTreeMap::new();
        let mut tally_day = BTreeMap::new();
        let mut tally_month = BTreeMap::new();
        let mut tally_grid = BTreeMap::new();
        let mut tally_unit = BTreeMap::new();
        let mut tally_street = BTreeMap::new();
        let mut map_day = BTreeMap::new();
        let mut map_month = BTreeMap::new();
        for (leaf, cells) in self.0 {
            if cells.is_zero() {
                continue;
            }
            let street = leaf.street().to_owned();
            let Leaf { day: local_day, grid, unit, category } = leaf;
            let (day_key, month_key) = (local_day.to_string(), local_day.month().to_string());
            sum(&mut tally_day, vec![day_key.clone(), unit.clone(), category.clone()], &cells);
            sum(&mut tally_month, vec![month_key.clone(), unit.clone(), category.clone()], &cells);
            sum(&mut tally_grid, vec![month_key.clone(), grid.clone(), unit.clone()], &cells);
            sum(&mut tally_unit, vec![day_key.clone(), unit.clone()], &cells);
            sum(&mut tally_street, vec![street, month_key.clone(), unit.clone(), category.clone()], &cells);
            sum(&mut map_day, vec![day_key.clone(), grid.clone()], &cells);
            sum(&mut map_month, vec![month_key.clone(), grid.clone()], &cells);
            sum(&mut month, vec![month_key, grid.clone(), unit.clone(), category.clone()], &cells);
            sum(&mut day, vec![day_key, grid, unit, category], &cells);
        }
        for (statement, rows) in [
            (upsert!("count_day", "day, grid, unit, category", "?10, ?11, ?12, ?13"), day),
            (upsert!("count_month", "month, grid, unit, category", "?10, ?11, ?12, ?13"), month),
            (upsert!("tally_day", "day, unit, category", "?10, ?11, ?12"), tally_day),
            (upsert!("tally_month", "month, unit, category", "?10, ?11, ?12"), tally_month),
            (upsert!("tally_grid", "month, grid, unit", "?10, ?11, ?12"), tally_grid),
            (upsert!("tally_unit", "day, unit", "?10, ?11"), tally_unit),
            (upsert!("tally_street", "street, month, unit, category", "?10, ?11, ?12, ?13"), tally_street),
            (upsert!("tally_map_day", "day, grid", "?10, ?11"), map_day),
            (upsert!("tally_map_month", "month, grid", "?10, ?11"), map_month),
        ] {
            for (key, cells) in rows {
                if cells.is_zero() {
                    continue;
                }
                let mut params = Vec::with_capacity(13);
                params.extend(cells.columns().map(Value::Int));
                params.push(Value::from(district));
                params.extend(key.into_iter().map(Value::Text));
                tx.execute(statement, &params).await?;
            }
        }
        Ok(())
    }
}

fn sum(rows: &mut BTreeMap<Vec<String>, Cells>, key: Vec<String>, cells: &Cells) {
    rows.entry(key).or_default().add(1, cells);
}

/// The statement that moves one row of a counter table; the cells are ?1 to ?8, the district ?9, then the key.
macro_rules! upsert {
    ($table:literal, $key:literal, $marks:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " (s_pending, s_filed, s_case_closed, s_void, f_pending, f_filed, f_case_closed, f_void, district, ",
            $key,
            ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ",
            $marks,
            ") ON CONFLICT (district, ",
            $key,
            ") DO UPDATE SET s_pending = ",
            $table,
            ".s_pending + excluded.s_pending, s_filed = ",
            $table,
            ".s_filed + excluded.s_filed, s_case_closed = ",
            $table,
            ".s_case_closed + excluded.s_case_closed, s_void = ",
            $table,
            ".s_void + excluded.s_void, f_pending = ",
            $table,
            ".f_pending + excluded.f_pending, f_filed = ",
            $table,
            ".f_filed + excluded.f_filed, f_case_closed = ",
            $table,
            ".f_case_closed + excluded.f_case_closed, f_void = ",
            $table,
            ".f_void + excluded.f_void"
        )
    };
}
use upsert;
