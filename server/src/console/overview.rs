//! The overview (总览): a month in figures, each of them a link to the cases behind it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{LocalMonth, OrgCode};

use super::fault::Fault;
use super::field::Choice;
use super::link;
use super::month::{self, Month};
use super::news::Asker;
use super::page::{Page, go, show};
use super::sent::Sent;
use super::tables::{self, Figure, FigureTable, Lists};
use super::visit::Visit;
use super::{svg, words};

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    p: Page,
    heading: String,
    news: String,
    unit: Option<String>,
    months: Vec<Choice>,
    map: String,
    previous: String,
    next: Option<String>,
    all_units: Option<String>,
    totals: Vec<Figure>,
    mode_strip: String,
    mode_equation: String,
    outcome_strip: String,
    outcome_equation: String,
    compared: String,
    updated: String,
    empty: bool,
    day_chart: String,
    thirds: Vec<FigureTable>,
    unit_chart: String,
    units: Option<FigureTable>,
    categories: FigureTable,
}

/// `GET /`.
pub(crate) async fn get(visit: Visit, query: Sent) -> Response {
    if !visit.has_figures() {
        return go("/cases");
    }
    let answer = page(&visit, &query).await;
    visit.answer(answer)
}

async fn page(visit: &Visit, query: &Sent) -> Result<Response, Fault> {
    let this_month = visit.now.local_day().month();
    let asked = query.parsed::<LocalMonth>("month").ok().flatten();
    let own = month::own_scope(visit);
    let unit = query.org("unit").filter(|unit| *unit != own);
    let scope = match &unit {
        None => own.clone(),
        Some(unit) if may_look_at(visit, &own, unit) => unit.clone(),
        Some(_) => return Err(Fault::NotFound),
    };
    let (mut chosen, instead) = month::wanted(asked, visit.now.local_day());
    let mut month = read(visit, &scope, chosen).await?;
    if let Some(instead) = instead.filter(|_| month.days.total.reported == 0) {
        chosen = instead;
        month = read(visit, &scope, chosen).await?;
    }
    let place = visit.directory.name_of(scope.as_str()).to_owned();
    let at = |month: LocalMonth| {
        let unit = unit.as_ref().map_or("", OrgCode::as_str);
        link::with("/", [("month", month.to_string().as_str()), ("unit", unit)])
    };
    let heading =
        visit.lang.fill("overview.heading", &[("place", &place), ("month", &words::month(visit.lang, chosen))]);
    let page = Overview {
        p: visit.page(heading.clone()),
        heading,
        news: Asker::Overview.href(visit.now),
        months: month::choices(visit.lang, chosen, this_month),
        map: link::with("/map", [("month", chosen.to_string().as_str())]),
        previous: at(chosen.previous()),
        next: (chosen < this_month).then(|| at(chosen.next())),
        all_units: unit.is_some().then(|| link::with("/", [("month", chosen.to_string().as_str())])),
        unit: unit.as_ref().map(ToString::to_string),
        ..content(visit, &scope, chosen, &month)
    };
    Ok(show(StatusCode::OK, &page))
}

async fn read(visit: &Visit, scope: &OrgCode, chosen: LocalMonth) -> Result<Month, Fault> {
    let (directory, asked) = (visit.directory.clone(), scope.clone());
    let store = &visit.app.services.store;
    store
        .read::<_, Fault, _>(move |tx| Box::pin(async move { Ok(month::load(tx, &directory, &asked, chosen).await?) }))
        .await
}

/// Who looks at a district may look at each of its units.
fn may_look_at(visit: &Visit, own: &OrgCode, unit: &OrgCode) -> bool {
    visit.directory.unit(unit).is_some_and(|it| {
        let below = it.street.as_ref().unwrap_or(&it.district);
        own.contains(below)
    })
}

fn content(visit: &Visit, scope: &OrgCode, chosen: LocalMonth, month: &Month) -> Overview {
    let lang = visit.lang;
    let lists = Lists { own: scope.is_unit().then(|| ("unit", scope.to_string())), month: chosen };
    let total = &month.days.total;
    let said = words::month(lang, chosen);
    let legend = [lang.say("figure.self_handled"), lang.say("figure.forwarded")];
    let days = tables::days(lang, chosen, &month.days);
    let before = words::month(lang, chosen.previous());
    let compared = match month.before.edition {
        Some(number) => lang.fill("overview.compared_edition", &[("month", &before), ("n", &number.to_string())]),
        None => lang.fill("overview.compared_counts", &[("month", &before)]),
    };
    let a_year = words::month(lang, tables::year_before(chosen));
    let compared = format!("{compared} {}", lang.fill("overview.compared_year", &[("month", &a_year)]));
    let units = month.units.as_ref().map(|units| tables::units(lang, &lists, units, &month.before, &month.year));
    let bars = month.units.as_ref().map(|units| tables::bars(lang, units)).unwrap_or_default();
    let parts = |list: &[(&'static str, i64)]| -> Vec<svg::Part> {
        list.iter().map(|(class, n)| svg::Part { class, n: *n }).collect()
    };
    let mode_equation = format!("{} = {} + {}", total.reported, total.self_handled, total.forwarded);
    let outcome_equation = format!("{} = {} + {} + {}", total.reported, total.filed, total.void, total.pending);
    Overview {
        p: Page::default(),
        heading: String::new(),
        news: String::new(),
        unit: None,
        months: Vec::new(),
        map: String::new(),
        previous: String::new(),
        next: None,
        all_units: None,
        totals: tables::totals(lang, &lists, total, &month.before, &month.year),
        mode_strip: svg::strip(
            "by-mode",
            lang.say("overview.equation_mode"),
            &mode_equation,
            &parts(&[("self", total.self_handled), ("forwarded", total.forwarded)]),
        ),
        outcome_strip: svg::strip(
            "by-outcome",
            lang.say("overview.equation_outcome"),
            &outcome_equation,
            &parts(&[("filed", total.filed), ("void", total.void), ("pending", total.pending)]),
        ),
        mode_equation,
        outcome_equation,
        compared,
        updated: lang.fill("overview.updated", &[("at", &visit.now.local_text())]),
        empty: total.reported == 0,
        day_chart: {
            let title = lang.fill("overview.chart_days", &[("month", &said)]);
            let message = tables::days_message(lang, chosen, &month.days);
            let draw = |paper| svg::days(paper, &title, &message, legend, &days);
            [svg::Paper::BROAD, svg::Paper::SLIM].map(draw).concat()
        },
        thirds: tables::thirds(lang, &lists, chosen, &month.days),
        unit_chart: svg::units(
            &lang.fill("overview.chart_units", &[("month", &said)]),
            &tables::units_message(lang, &bars),
            legend,
            &bars,
        ),
        units,
        categories: tables::categories(visit, &lists, &month.categories, &month.before, &month.year),
    }
}
