//! Dispatch rules (派遣规则): which unit the dispatch form suggests for what, and where.

use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{OrgCode, OrgLevel};

use super::exchanged;
use super::sheet::{Cell, PlainForm, Sheet, Table, saved};
use crate::console::fault::Fault;
use crate::console::field::{Choice, Field, Kind};
use crate::console::sent::{Sent, SentForm};
use crate::console::visit::Visit;
use crate::console::{choices, suggested};
use crate::domain::dispatch::{self, DispatchRule, RuleProblem};
use crate::reference::org::UnitKind;
use crate::reference::taxonomy::XIXIA;

/// Address of the page.
const HERE: &str = "/admin/rules";

/// `GET /admin/rules`.
pub(crate) async fn get(visit: Visit) -> Response {
    let answer = page(&visit, &Sent::default(), None).await;
    visit.answer(answer)
}

/// `POST /admin/rules`: sets a rule or removes one.
pub(crate) async fn post(visit: Visit, form: SentForm) -> Response {
    let answer = act(&visit, form).await;
    visit.answer(answer)
}

async fn act(visit: &Visit, form: SentForm) -> Result<Response, Fault> {
    super::district_keeper(visit)?;
    visit.admit(&form)?;
    let SentForm(sent) = form;
    let (by, now, district) = (visit.viewer.user.clone(), visit.app.services.security.now(), visit.district());
    let (category, grid) = (sent.get("category").to_owned(), sent.get("grid").to_owned());
    let store = &visit.app.services.store;
    match sent.get("do") {
        "remove" => {
            store
                .write::<_, Fault, _>(move |tx| {
                    Box::pin(async move { Ok(dispatch::remove(tx, &by, &district, &category, &grid, now).await?) })
                })
                .await?;
            Ok(saved(HERE))
        }
        "set" => {
            // Words typed by hand go before the choice from the tree.
            let category = sent.given("prefix").map_or(category, str::to_owned);
            let Some(unit) = sent.org("unit") else { return page(visit, &sent, Some(RuleProblem::Unit)).await };
            let rule = DispatchRule { category, grid, unit };
            if let Err(problem) = rule.check(&visit.directory, &district) {
                return page(visit, &sent, Some(problem)).await;
            }
            store
                .write::<_, Fault, _>(move |tx| {
                    Box::pin(async move { Ok(dispatch::put(tx, &by, &district, &rule, now).await?) })
                })
                .await?;
            Ok(saved(HERE))
        }
        _ => Err(Fault::BadRequest),
    }
}

async fn page(visit: &Visit, sent: &Sent, problem: Option<RuleProblem>) -> Result<Response, Fault> {
    super::keeper(visit)?;
    let (lang, district) = (visit.lang, visit.district());
    let store = &visit.app.services.store;
    let rules =
        store.read::<_, Fault, _>(move |tx| Box::pin(async move { Ok(dispatch::rules(tx, &district).await?) })).await?;
    let title = lang.say("admin.rules").to_owned();
    let page = Sheet::new(visit, title.clone())
        .intro(lang.say("rule.intro"))
        .problem(if problem.is_some() { lang.say("admin.refused") } else { "" })
        .table(Table {
            id: "rules",
            title,
            heads: ["rule.what", "rule.unit", "rule.key", "admin.change"].map(|key| lang.say(key)).into(),
            rows: rules.iter().map(|rule| row(visit, rule)).collect(),
            empty: lang.say("rule.none"),
            ..Table::default()
        })
        .form(form(visit, sent, problem))
        .read_only(!exchanged::may(visit));
    Ok(page.show(if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK }))
}

fn row(visit: &Visit, rule: &DispatchRule) -> Vec<Cell> {
    let lang = visit.lang;
    let remove = PlainForm {
        action: HERE.to_owned(),
        hidden: vec![("do", "remove".to_owned()), ("category", rule.category.clone()), ("grid", rule.grid.clone())],
        button: lang.say("rule.remove"),
        ..PlainForm::default()
    };
    vec![
        Cell::of(suggested::rule(visit, &rule.category, &rule.grid)),
        Cell::of(choices::place(&visit.directory, rule.unit.as_str())),
        Cell { code: true, ..Cell::of(format!("{} {}", rule.category, rule.grid)) },
        Cell { form: Some(remove), ..Cell::default() },
    ]
}

fn form(visit: &Visit, sent: &Sent, problem: Option<RuleProblem>) -> PlainForm {
    let (lang, directory) = (visit.lang, &visit.directory);
    let wrong = |of: RuleProblem, key| if problem == Some(of) { lang.say(key) } else { "" };
    let (category, grid, unit) = (sent.get("category"), sent.get("grid"), sent.get("unit"));
    let any = Choice::new("", lang.say("dispatch.any_category"), category);
    let district = visit.district();
    let shown = |code: &OrgCode| {
        let level = matches!(code.level(), Some(OrgLevel::Street | OrgLevel::Community));
        level && code.as_str().starts_with(&district)
    };
    let places = directory.places().filter(|(code, _)| shown(code));
    let everywhere = Choice::new("", lang.say("dispatch.any_place"), grid);
    let places: Vec<Choice> = std::iter::once(everywhere)
        .chain(places.map(|(code, place)| Choice::new(code.as_str(), format!("{} {code}", place.name), grid)))
        .collect();
    let units = choices::units(
        directory,
        |kind| kind == UnitKind::Handling,
        Choice::new("", lang.say("act.choose"), unit),
        unit,
    );
    let prefix = Field::new("prefix", lang.say("rule.prefix"), Kind::Line("text"), sent.get("prefix"));
    PlainForm {
        action: HERE.to_owned(),
        title: lang.say("rule.add"),
        intro: lang.say("rule.add_way").to_owned(),
        hidden: vec![("do", "set".to_owned())],
        fields: vec![
            Field::new(
                "category",
                lang.say("list.category"),
                Kind::Choice(choices::categories(directory, XIXIA, Some(any), true, category)),
                "",
            )
            .faulty(wrong(RuleProblem::Category, "rule.bad_category")),
            Field { optional: lang.say("act.optional"), ..prefix }.hinted(lang.say("rule.prefix_hint")),
            Field::new("grid", lang.say("rule.place"), Kind::Choice(vec![choices::ungrouped(places)]), "")
                .faulty(wrong(RuleProblem::Grid, "rule.bad_grid")),
            Field::new("unit", lang.say("case.handler"), Kind::Choice(units), "")
                .needed()
                .faulty(wrong(RuleProblem::Unit, "rule.bad_unit")),
        ],
        button: lang.say("rule.add"),
        tone: "main",
        ..PlainForm::default()
    }
}
