//! The org tree (组织树) and the units, with how many people and cases each has; below them another org file is checked.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{LocalDay, OrgCode};

use super::exchanged;
use super::org_file;
use super::sheet::{Cell, Sheet, Table};
use crate::console::fault::Fault;
use crate::console::sent::Sent;
use crate::console::visit::Visit;
use crate::console::{choices, link};
use crate::domain::accounts;
use crate::domain::counts::query::{self, Ask, By};
use crate::domain::directory::Unit;

/// Reported cases by a code: a grid, a unit.
type Reported = BTreeMap<String, i64>;

/// `GET /admin/org?at=CODE`.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = page(&visit, &query).await;
    visit.answer(answer)
}

async fn page(visit: &Visit, sent: &Sent) -> Result<Response, Fault> {
    super::keeper(visit)?;
    let (lang, directory) = (visit.lang, visit.directory.clone());
    let own = visit.viewer.scope.clone();
    let at = sent.org("at").filter(|at| own.contains(at) && directory.place(at).is_some()).unwrap_or(own.clone());
    let ask = |by| Ask {
        scope: at.clone(),
        from: LocalDay::new(2000, 1, 1).expect("a day"),
        to: visit.now.local_day(),
        by: Some(by),
    };
    let (by_grid, by_unit) = (ask(By::Grid), ask(By::Unit));
    let store = &visit.app.services.store;
    let tree = directory.clone();
    let (grids, units, people) = store
        .read::<_, Fault, _>(move |tx| {
            Box::pin(async move {
                let grids = query::table(tx, &tree, &by_grid).await?;
                let units = query::table(tx, &tree, &by_unit).await?;
                Ok((grids, units, accounts::places(tx).await?))
            })
        })
        .await?;
    let reported = |table: query::Table| -> Reported {
        table.rows.into_iter().map(|row| (row.key, row.figures.reported)).collect()
    };
    let (grids, units) = (reported(grids), reported(units));
    let below = directory.places().filter(|(code, _)| at.contains(code) && parent(code) == Some(at.clone()));
    let rows = below.map(|(code, place)| {
        let cases = grids.iter().filter(|(grid, _)| grid.starts_with(code.prefix())).map(|(_, n)| n).sum();
        let users = people.iter().filter(|(scope, _)| code.contains(scope)).count();
        let has_more = code.level() != Some(xunge_client_core::model::OrgLevel::Grid);
        let name = match has_more {
            true => Cell::link(&*place.name, link::with("/admin/org", [("at", code.as_str())])),
            false => Cell::link(&*place.name, link::with("/cases", [("grid", code.as_str())])),
        };
        vec![name, Cell { code: true, ..Cell::of(code.as_str()) }, Cell::count(users as i64), Cell::count(cases)]
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    let title = lang.say("admin.org").to_owned();
    let mut page = Sheet::new(visit, title).intro(lang.say("org.intro"));
    if at != own {
        let above = parent(&at).unwrap_or(own.clone());
        page = page.button(link::with("/admin/org", [("at", above.as_str())]), lang.say("org.up"));
    }
    let page = page
        .table(Table {
            id: "places",
            title: choices::place(&directory, at.as_str()),
            heads: ["org.place", "org.code", "org.users", "org.cases"].map(|key| lang.say(key)).into(),
            rows,
            empty: lang.say("org.nothing"),
            ..Table::default()
        })
        .table(Table {
            id: "units",
            title: lang.say("org.units").to_owned(),
            heads: ["user.unit", "org.kind", "org.street", "org.users", "org.cases"].map(|key| lang.say(key)).into(),
            rows: directory
                .units()
                .filter(|(_, unit)| seen(&at, unit))
                .map(|(code, unit)| of_unit(visit, code, unit, &people, &units))
                .collect(),
            empty: lang.say("org.nothing"),
            ..Table::default()
        });
    let page = if exchanged::may(visit) { page.form(org_file::PAGE.upload(visit)) } else { page };
    Ok(page.show(StatusCode::OK))
}

/// Units of a district stand with it, those of a street with the street.
fn seen(at: &OrgCode, unit: &Unit) -> bool {
    at.contains(&unit.district) || unit.street.as_ref().is_some_and(|street| at.contains(street))
}

fn of_unit(
    visit: &Visit,
    code: &OrgCode,
    unit: &Unit,
    people: &[(OrgCode, Option<OrgCode>)],
    reported: &Reported,
) -> Vec<Cell> {
    let users = people.iter().filter(|(_, own)| own.as_ref() == Some(code)).count();
    let list = link::with("/admin/users", [("unit", code.as_str())]);
    let street = unit.street.as_ref().map(|street| choices::place(&visit.directory, street.as_str()));
    vec![
        Cell::link(&*unit.name, list).and(code.as_str()),
        Cell::of(visit.lang.word("unit_kind", unit.kind.code())),
        Cell::of(street.unwrap_or_default()),
        Cell::count(users as i64),
        Cell::count(reported.get(code.as_str()).copied().unwrap_or_default()),
    ]
}

/// The place right above.
fn parent(code: &OrgCode) -> Option<OrgCode> {
    use xunge_client_core::model::OrgLevel;
    match code.level()? {
        OrgLevel::City => None,
        OrgLevel::District => code.at(OrgLevel::City),
        OrgLevel::Street => code.at(OrgLevel::District),
        OrgLevel::Community => code.at(OrgLevel::Street),
        OrgLevel::Grid => code.at(OrgLevel::Community),
    }
}
