//! The overview (总览): a month in figures, each of them a link to the cases behind it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{LocalDay, LocalMonth, OrgCode, Role};

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

/// Months one can choose from; older ones are reached step by step.
const MONTHS: usize = 24;

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    p: Page,
    heading: String,
    news: String,
    unit: Option<String>,
    months: Vec<Choice>,
    previous: String,
    next: Option<String>,
    all_units: Option<String>,
    totals: Vec<Figure>,
    mode_strip: String,
    mode_equation: String,
    outcome_strip: String,
    outcome_equation: String,
    compared: String,
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
    let asked_month = query.parsed::<LocalMonth>("month").ok().flatten();
    let own = own_scope(visit);
    let unit = query.org("unit").filter(|unit| *unit != own);
    let scope = match &unit {
        None => own.clone(),
        Some(unit) if may_look_at(visit, &own, unit) => unit.clone(),
        Some(_) => return Err(Fault::NotFound),
    };
    let chosen = asked_month.unwrap_or_else(|| usual(visit.now.local_day()));
    let mut month = read(visit, &scope, chosen).await?;
    let mut chosen = chosen;
    if asked_month.is_none() && month.days.total.reported == 0 && chosen != this_month {
        chosen = this_month;
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
        months: months(visit, chosen, this_month),
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

/// The month people work on: through the first week the one before, whose report is written then (the published
/// November figures are as of 7 December).
fn usual(today: LocalDay) -> LocalMonth {
    let (_, _, day) = today.civil();
    if day <= 7 { today.month().previous() } else { today.month() }
}

/// What a person's own figures are: a town office looks at what its unit reports, everybody else at their part of
/// the tree.
fn own_scope(visit: &Visit) -> OrgCode {
    let unit = visit.viewer.unit.clone().filter(|_| visit.viewer.role == Role::TownOffice);
    unit.unwrap_or_else(|| visit.viewer.scope.clone())
}

/// Who looks at a district may look at each of its units.
fn may_look_at(visit: &Visit, own: &OrgCode, unit: &OrgCode) -> bool {
    visit.directory.unit(unit).is_some_and(|it| {
        let below = it.street.as_ref().unwrap_or(&it.district);
        own.contains(below)
    })
}

fn months(visit: &Visit, chosen: LocalMonth, this_month: LocalMonth) -> Vec<Choice> {
    let newest = chosen.max(this_month);
    let mut list: Vec<LocalMonth> =
        std::iter::successors(Some(newest), |month| Some(month.previous())).take(MONTHS).collect();
    if !list.contains(&chosen) {
        list.push(chosen);
    }
    let current = chosen.to_string();
    list.into_iter().map(|month| Choice::new(month.to_string(), words::month(visit.lang, month), &current)).collect()
}

fn content(visit: &Visit, scope: &OrgCode, chosen: LocalMonth, month: &Month) -> Overview {
    let lang = visit.lang;
    let lists = Lists { unit: scope.is_unit().then(|| scope.to_string()), month: chosen };
    let total = &month.days.total;
    let said = words::month(lang, chosen);
    let legend = [lang.say("figure.self_handled"), lang.say("figure.forwarded")];
    let days = tables::days(lang, chosen, &month.days);
    let before = words::month(lang, chosen.previous());
    let compared = match month.before.edition {
        Some(number) => lang.fill("overview.compared_edition", &[("month", &before), ("n", &number.to_string())]),
        None => lang.fill("overview.compared_counts", &[("month", &before)]),
    };
    let units = month.units.as_ref().map(|units| tables::units(lang, &lists, units, &month.before));
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
        previous: String::new(),
        next: None,
        all_units: None,
        totals: tables::totals(lang, &lists, total, &month.before),
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
        empty: total.reported == 0,
        day_chart: svg::days(
            &lang.fill("overview.chart_days", &[("month", &said)]),
            &tables::days_message(lang, chosen, &month.days),
            legend,
            &days,
        ),
        thirds: tables::thirds(lang, &lists, chosen, &month.days),
        unit_chart: svg::units(
            &lang.fill("overview.chart_units", &[("month", &said)]),
            &tables::units_message(lang, &bars),
            legend,
            &bars,
        ),
        units,
        categories: tables::categories(visit, &lists, &month.categories, &month.before),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_first_week_people_work_on_the_month_before() {
        let usual = |text: &str| usual(text.parse().unwrap()).to_string();
        assert_eq!([usual("2023-12-01"), usual("2023-12-07"), usual("2023-12-08")], ["2023-11", "2023-11", "2023-12"]);
        assert_eq!(usual("2024-01-03"), "2023-12");
    }
}
