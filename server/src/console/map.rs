//! The map (地图): how many cases of a month each grid has, and in a community the cases themselves.

use std::collections::BTreeMap;

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{LocalMonth, Millis, Mode, OrgCode, OrgLevel};

use super::fault::Fault;
use super::field::Choice;
use super::month::{self, own_scope};
use super::news::Asker;
use super::page::{Page, show};
use super::sent::Sent;
use super::svg::{Area, Legend, Spot, choropleth};
use super::tables::{self, FigureTable, Grids, Lists, Metric};
use super::tiles;
use super::visit::Visit;
use super::{choices, link, words};
use crate::domain::cases::{self, Pin};

/// Cases drawn as points, and listed below the map; all of them stand in the list.
const PINS: usize = 300;

#[derive(Template)]
#[template(path = "map.html")]
struct MapPage {
    p: Page,
    heading: String,
    news: String,
    /// The places above, with where they lead, and the one that is shown.
    path: Vec<(String, String)>,
    place: String,
    /// The place, where it is not one's own part of the tree.
    zoomed: Option<String>,
    months: Vec<Choice>,
    metrics: Vec<Choice>,
    map: String,
    note: String,
    empty: bool,
    below: FigureTable,
    /// Every grid, where the table below the map has larger places.
    grids: Option<FigureTable>,
    pins: Vec<PinRow>,
    pins_note: String,
}

struct PinRow {
    href: String,
    iso: String,
    when: String,
    category: String,
    mode: String,
    mode_class: &'static str,
    state: String,
    held: bool,
}

/// `GET /map?month=&place=&show=`.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    let answer = page(&visit, &query).await;
    visit.answer(answer)
}

async fn page(visit: &Visit, query: &Sent) -> Result<Response, Fault> {
    if !visit.has_figures() {
        return Err(Fault::Role);
    }
    let lang = visit.lang;
    let this_month = visit.now.local_day().month();
    let (wanted, instead) = month::wanted(query.parsed::<LocalMonth>("month").ok().flatten(), visit.now.local_day());
    let metric = Metric::from_code(query.get("show")).unwrap_or_default();
    let own = own_scope(visit);
    let top = visit.viewer.scope.clone();
    let place = match query.org("place") {
        None => top.clone(),
        Some(place) if top.contains(&place) && visit.directory.place(&place).is_some() => place,
        Some(_) => return Err(Fault::NotFound),
    };
    // A street's office looks at its street, whoever reports there; a department has no place of its own.
    let unit = (own.is_unit() && top.level() != Some(OrgLevel::Street)).then_some(own);
    let near = matches!(place.level(), Some(OrgLevel::Community | OrgLevel::Grid));
    let (directory, scope, asked, of) = (visit.directory.clone(), visit.scope.clone(), place.clone(), unit.clone());
    let read = visit.app.services.store.read::<_, Fault, _>(move |tx| {
        Box::pin(async move {
            let mut chosen = wanted;
            let mut grids = Grids::load(tx, &directory, &asked, of.as_ref(), chosen).await?;
            if let Some(instead) = instead.filter(|_| grids.is_empty()) {
                chosen = instead;
                grids = Grids::load(tx, &directory, &asked, of.as_ref(), chosen).await?;
            }
            let days = (chosen.first(), chosen.last());
            let pins = match near {
                true => cases::pins(tx, &scope, &directory, (&asked, of.as_ref()), days, PINS).await?,
                false => Vec::new(),
            };
            Ok((chosen, grids, pins))
        })
    });
    let (chosen, grids, pins) = read.await?;
    let at = |place: &OrgCode| {
        let place = if *place == top { "" } else { place.as_str() };
        let (month, show) = (chosen.to_string(), if metric == Metric::default() { "" } else { metric.code() });
        link::with("/map", [("month", month.as_str()), ("place", place), ("show", show)])
    };
    let lists = Lists { own: unit.as_ref().map(|unit| ("unit", unit.to_string())), month: chosen };
    let name = choices::place(&visit.directory, place.as_str());
    let said = words::month(lang, chosen);
    let heading = lang.fill("overview.heading", &[("place", &name), ("month", &said)]);
    let page = MapPage {
        p: visit.page(format!("{} · {heading}", lang.say("nav.map"))),
        heading,
        news: Asker::Overview.href(visit.now),
        path: above(&top, &place).iter().map(|it| (at(it), choices::place(&visit.directory, it.as_str()))).collect(),
        zoomed: (place != top).then(|| place.to_string()),
        months: month::choices(lang, chosen, this_month),
        metrics: Metric::ALL
            .iter()
            .map(|it| Choice::new(it.code(), lang.word("figure", it.code()), metric.code()))
            .collect(),
        map: draw(visit, &name, &place, &grids, metric, &pins, &at),
        note: note(visit),
        empty: grids.is_empty(),
        below: tables::places(visit, &lists, &place, &grids, &at),
        grids: (!near).then(|| tables::grids(visit, &lists, &place, &grids, &at)).filter(|table| table.rows.len() > 1),
        pins_note: match (near, pins.len()) {
            (false, _) => lang.say("map.zoom_in").to_owned(),
            (true, PINS) => lang.fill("map.pins_many", &[("n", &PINS.to_string())]),
            (true, n) => lang.fill("map.pins", &[("n", &n.to_string())]),
        },
        pins: pins.iter().map(|pin| row(visit, pin)).collect(),
        place: name,
    };
    Ok(show(StatusCode::OK, &page))
}

/// The places between one's own part of the tree and this one, largest first, this one not included.
fn above(top: &OrgCode, place: &OrgCode) -> Vec<OrgCode> {
    let levels = [OrgLevel::City, OrgLevel::District, OrgLevel::Street, OrgLevel::Community];
    let each = levels.iter().filter_map(|level| place.at(*level));
    each.filter(|it| top.contains(it) && it != place).collect()
}

/// What stands under the map: that outlines are examples, and whose base map it is.
fn note(visit: &Visit) -> String {
    let own = visit.lang.say("case.map_note").to_owned();
    match &visit.app.config.base_map_note {
        Some(note) if tiles::address(&visit.app.config).is_some() => format!("{own} · {note}"),
        _ => own,
    }
}

fn draw(
    visit: &Visit,
    name: &str,
    place: &OrgCode,
    grids: &Grids,
    metric: Metric,
    pins: &[Pin],
    at: &dyn Fn(&OrgCode) -> String,
) -> String {
    let (lang, directory) = (visit.lang, &visit.directory);
    let figures: BTreeMap<&str, i64> = grids.rows().map(|row| (row.key.as_str(), metric.of(&row.figures))).collect();
    let is_grid = |code: &OrgCode| code.level() == Some(OrgLevel::Grid) && place.contains(code);
    let counted = lang.word("figure", metric.code());
    let mut most = (0, "");
    let mut areas = Vec::new();
    for (code, it) in directory.places().filter(|(code, _)| is_grid(code)) {
        let Some(polygon) = it.polygon.as_ref() else { continue };
        let n = figures.get(code.as_str()).copied().unwrap_or_default();
        if n > most.0 {
            most = (n, &it.name);
        }
        // Far away a click leads to the community, whose cases are points; there to the grid.
        let community = code.at(OrgLevel::Community).filter(|it| it != place && place.level() < it.level());
        areas.push(Area {
            href: at(community.as_ref().unwrap_or(code)),
            tip: format!("{} · {counted} {n}", it.name),
            n,
            polygon,
        });
    }
    let spots = pins.iter().filter_map(|pin| {
        let mode = lang.word("mode", &pin.mode);
        let category = choices::name(directory, &pin.category);
        let when = words::when(Millis(pin.received_at), visit.now);
        Some(Spot {
            href: format!("/cases/{}", pin.id),
            tip: match pin.held {
                true => format!("{category} · {mode} · {when} · {}", lang.say("held.tag")),
                false => format!("{category} · {mode} · {when}"),
            },
            held: pin.held,
            self_handled: pin.mode == Mode::SelfHandled.code(),
            point: pin.point?,
        })
    });
    let n = areas.len().to_string();
    let message = match most.0 {
        0 => lang.fill("map.none_text", &[("n", &n)]),
        count => lang.fill("map.text", &[("n", &n), ("place", most.1), ("most", &count.to_string())]),
    };
    let title = lang.fill("map.chart", &[("place", name), ("counted", &counted)]);
    let unit = lang.fill("map.unit", &[("counted", &counted)]);
    let (circle, square) = (lang.word("mode", Mode::SelfHandled.code()), lang.word("mode", Mode::Forwarded.code()));
    let legend = Legend { counted: &unit, circle: &circle, square: &square, ring: lang.say("held.tag") };
    let address = tiles::address(&visit.app.config);
    let ground = address.as_ref().map(|address| move |zoom, tile| tiles::of(address, zoom, tile));
    let ground = ground.as_ref().map(|of| of as &dyn Fn(u32, [u32; 2]) -> String);
    choropleth((&title, &message), legend, &areas, &spots.collect::<Vec<_>>(), ground)
}

fn row(visit: &Visit, pin: &Pin) -> PinRow {
    let received = Millis(pin.received_at);
    PinRow {
        href: format!("/cases/{}", pin.id),
        iso: words::iso(received),
        when: words::when(received, visit.now),
        category: choices::name(&visit.directory, &pin.category),
        mode: visit.lang.word("mode", &pin.mode),
        mode_class: super::list::mode_class(&pin.mode),
        state: visit.lang.word("state", &pin.state),
        held: pin.held,
    }
}
