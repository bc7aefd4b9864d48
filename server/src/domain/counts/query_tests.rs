//! Answers of the counters beside a look at the cases one by one.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use xunge_client_core::model::{LocalDay, Mode, OrgCode, OrgLevel};
use xunge_client_core::workflow::Outcome;

use super::post::Movements;
use super::query::{Ask, By, Table, table};
use super::{Cells, Figures, Leaf, Standing};
use crate::domain::directory::Directory;
use crate::params;
use crate::reference::xixia::{DISTRICT, org_file};
use crate::store::{Store, StoreError};

/// The first day anything is counted on; there are ten weeks of them, over the end of the year.
fn begin() -> LocalDay {
    LocalDay::new(2023, 10, 24).unwrap()
}

const SPAN: i32 = 75;

/// Who reports.
const UNITS: [&str; 3] = ["U640105001", "U640105002", "U640105-ZF"];

/// Where a case may stand: three streets of two communities of two grids, some cases without place, unit or category.
fn standing() -> impl Strategy<Value = Standing> {
    let place = (0..4, 1..3, 1..3);
    let unit = select(vec!["", UNITS[0], UNITS[1], UNITS[2]]);
    let category = select(vec!["", "xixia-2023:event:XX0201", "xixia-2023:event:XX0202", "xixia-2023:part:XX9903"]);
    let cell = (select(Mode::ALL.to_vec()), select(Outcome::ALL.to_vec()));
    (0..SPAN, place, unit, category, cell).prop_map(
        |(day, (street, community, grid), unit, category, (mode, outcome))| {
            let grid =
                if street == 0 { String::new() } else { format!("{DISTRICT}{street:03}{community:03}{grid:03}") };
            Standing {
                leaf: Leaf { day: begin().plus_days(day), grid, unit: unit.into(), category: category.into() },
                cells: Cells::one(mode, outcome),
            }
        },
    )
}

/// Whole months or any days, of a place of any level or a unit, split by anything.
fn ask() -> impl Strategy<Value = Ask> {
    let scopes =
        ["640105", "640105001", "640105001", "640105002", "640105003", "640105001001", "640105001001002", UNITS[0]];
    let scope = select(scopes.map(|code| code.parse::<OrgCode>().unwrap()).to_vec());
    let by = select([None].into_iter().chain(By::ALL.map(Some)).collect::<Vec<_>>());
    (scope, by, 0..SPAN, 0..SPAN, any::<bool>(), any::<bool>()).prop_map(|(scope, by, from, length, first, last)| {
        let (from, to) = (begin().plus_days(from), begin().plus_days(from + length));
        Ask {
            scope,
            from: if first { from.month().first() } else { from },
            to: if last { to.month().last() } else { to },
            by,
        }
    })
}

/// The rows and the total that looking at every case gives.
fn looked_at(cases: &[Standing], ask: &Ask) -> (BTreeMap<String, Figures>, Figures) {
    let mut rows: BTreeMap<String, Cells> = BTreeMap::new();
    let mut total = Cells::default();
    for Standing { leaf, cells } in cases {
        let district = ask.scope.level() == Some(OrgLevel::District);
        let own = ask.scope.is_unit() && leaf.unit == ask.scope.as_str();
        let inside = district || own || leaf.grid.starts_with(ask.scope.as_str());
        if !inside || leaf.day < ask.from || leaf.day > ask.to {
            continue;
        }
        total.add(1, cells);
        let key = match ask.by {
            Some(By::Unit) => leaf.unit.clone(),
            Some(By::Category) => leaf.category.clone(),
            Some(By::Day) => leaf.day.to_string(),
            Some(By::Grid) => leaf.grid.clone(),
            Some(By::Mode) | None => continue,
        };
        rows.entry(key).or_default().add(1, cells);
    }
    if ask.by == Some(By::Mode) {
        rows = Mode::ALL.iter().map(|mode| (mode.code().to_owned(), total.of_mode(*mode))).collect();
    }
    (rows.iter().map(|(key, cells)| (key.clone(), Figures::from(cells))).collect(), Figures::from(&total))
}

/// A unit is asked for in its district, which is looked up.
fn with_units(store: &Store) {
    let written = store.write_blocking::<_, StoreError, _>(|tx| {
        Box::pin(async move {
            for unit in UNITS {
                let sql = "INSERT INTO unit (code, name, kind, district) VALUES (?1, ?1, 'department', ?2)";
                tx.execute(sql, params![unit, DISTRICT]).await?;
            }
            Ok(())
        })
    });
    written.unwrap();
}

fn post(store: &Store, movements: Movements) {
    let written = store.write_blocking::<_, StoreError, _>(move |tx| {
        Box::pin(async move { movements.clone().write(tx, DISTRICT).await })
    });
    written.unwrap();
}

fn answer(store: &Store, ask: &Ask) -> Table {
    let ask = ask.clone();
    let read = store.read_blocking::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let directory = Directory::load(tx, 1).await?;
            table(tx, &directory, &ask).await
        })
    });
    read.unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cases are reported, some move to another row or cell, and every question is answered as if they were counted now.
    #[test]
    fn every_question_is_answered_as_looking_at_every_case_would(
        cases in prop::collection::vec((standing(), prop::option::of(standing())), 1..80),
        asks in prop::collection::vec(ask(), 40),
    ) {
        let store = Store::in_memory().unwrap();
        let (mut reported, mut moved) = (Movements::default(), Movements::default());
        for (first, then) in &cases {
            reported.moved(None, first);
            if let Some(then) = then {
                moved.moved(Some(first), then);
            }
        }
        with_units(&store);
        post(&store, reported);
        post(&store, moved);
        let cases: Vec<Standing> = cases.into_iter().map(|(first, then)| then.unwrap_or(first)).collect();
        for ask in asks {
            let found = answer(&store, &ask);
            let rows = found.rows.into_iter().map(|row| (row.key, row.figures)).collect();
            prop_assert_eq!((rows, found.total), looked_at(&cases, &ask), "{:?}", ask);
        }
    }
}

/// Counters know a street by the digits of its grids, and no tree can say otherwise.
#[test]
fn a_grid_lies_in_the_street_its_digits_say() {
    let mut file = org_file();
    for grid in file.places.iter().filter(|place| place.code.len() == 15) {
        let leaf = Leaf { day: begin(), grid: grid.code.clone(), unit: String::new(), category: String::new() };
        let street = grid.code.parse::<OrgCode>().unwrap().at(OrgLevel::Street).unwrap();
        assert_eq!(leaf.street(), street.as_str());
    }
    let grid = file.places.iter_mut().find(|place| place.code == "640105001001001").unwrap();
    grid.parent = Some("640105002001".to_owned());
    assert!(file.validate().is_err(), "a grid of one street below another");
}
