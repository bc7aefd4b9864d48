//! A new user: a form that keeps what was typed, and the password or enrolment code shown once.

use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{OrgCode, OrgLevel, Role};

use super::sheet::{PlainForm, Secret, Sheet};
use super::{phone, users};
use crate::auth::account::NewAccount;
use crate::auth::{enrol, password};
use crate::console::choices;
use crate::console::fault::Fault;
use crate::console::field::{Choice, Field, Kind};
use crate::console::sent::{Sent, SentForm};
use crate::console::visit::Visit;
use crate::domain::accounts::{self, AccountProblem, AddError};

/// What is wrong with a form: the field, and what.
type Problem = (&'static str, String);

/// `GET /admin/users/new`.
pub(crate) async fn get(visit: Visit) -> Response {
    let answer = super::keeper(&visit).map(|()| form(&visit, &Sent::default(), None).show(StatusCode::OK));
    visit.answer(answer)
}

/// `POST /admin/users/new`.
pub(crate) async fn post(visit: Visit, form: SentForm) -> Response {
    let answer = add(&visit, form).await;
    visit.answer(answer)
}

async fn add(visit: &Visit, form: SentForm) -> Result<Response, Fault> {
    super::keeper(visit)?;
    visit.admit(&form)?;
    let SentForm(sent) = form;
    let again = |problem| Ok(self::form(visit, &sent, Some(problem)).show(StatusCode::UNPROCESSABLE_ENTITY));
    let mut new = match read(visit, &sent) {
        Ok(new) => new,
        Err(problem) => return again(problem),
    };
    if let Err(problem) = accounts::check(&new) {
        return again(words(visit, &problem));
    }
    let inspector = new.role == Role::Inspector;
    let secret = if inspector { enrol::new_code() } else { password::generate() };
    if !inspector {
        let plain = secret.clone();
        new.password_hash = Some(visit.app.services.bench.run(move || password::hash(&plain)).await);
    }
    let (by, now, code) = (visit.viewer.user.clone(), visit.app.services.security.now(), secret.clone());
    let account = new.clone();
    let added = visit.app.services.store.write::<_, AddError, _>(move |tx| {
        Box::pin(async move {
            accounts::add(tx, &by, &account, inspector.then_some(code.as_str()), now).await?;
            if !inspector {
                crate::auth::account::mark_once(tx, &account.id).await?;
            }
            Ok(())
        })
    });
    match added.await {
        Ok(()) => {}
        Err(AddError::Problem(problem)) => return again(words(visit, &problem)),
        Err(AddError::Store(failed)) => return Err(failed.into()),
    }
    let secret = if inspector { phone::code(visit, &secret) } else { once(visit, &new.id, &secret) };
    Ok(super::user::sheet(visit, &new.id, Some(secret), "").await?.show(StatusCode::OK))
}

/// A password that was made just now.
pub(super) fn once(visit: &Visit, user: &str, password: &str) -> Secret {
    let lang = visit.lang;
    Secret {
        label: lang.fill("user.password_of", &[("user", user)]),
        text: password.to_owned(),
        way: lang.say("user.password_way").to_owned(),
        picture: String::new(),
    }
}

fn read(visit: &Visit, sent: &Sent) -> Result<NewAccount, Problem> {
    let lang = visit.lang;
    let unknown = |field| (field, lang.say("user.bad_code").to_owned());
    let role = Role::from_code(sent.get("role")).ok_or_else(|| ("role", lang.say("user.bad_role").to_owned()))?;
    let unit: Option<OrgCode> = sent.parsed("unit").map_err(|_| unknown("unit"))?;
    let scope: Option<OrgCode> = sent.parsed("scope").map_err(|_| unknown("scope"))?;
    let scope = scope.or_else(|| usual_scope(visit, role, unit.as_ref())).ok_or_else(|| unknown("scope"))?;
    if !accounts::answers_for(&visit.viewer.scope, &scope, &visit.directory) {
        return Err(("scope", lang.say("user.outside").to_owned()));
    }
    let grids = grids(visit, sent).ok_or_else(|| unknown("grids"))?;
    let (id, name) = (sent.get("user").to_owned(), sent.get("name").to_owned());
    Ok(NewAccount { id, name, role, scope, unit, grids, password_hash: None })
}

/// The grids that were typed; none if one of them is no grid this administrator sees.
pub(super) fn grids(visit: &Visit, sent: &Sent) -> Option<Vec<OrgCode>> {
    let codes = sent.get("grids").split([' ', ',', '，', '、', '\n', '\r']).filter(|code| !code.is_empty());
    let grids = codes.map(str::parse).collect::<Result<Vec<OrgCode>, _>>().ok()?;
    let sees = |grid: &OrgCode| grid.level() == Some(OrgLevel::Grid) && visit.viewer.scope.contains(grid);
    grids.iter().all(sees).then_some(grids)
}

/// What somebody of a role sees if nothing else was said: a unit's clerk the unit's cases, a town office its street,
/// everybody else what the administrator sees.
fn usual_scope(visit: &Visit, role: Role, unit: Option<&OrgCode>) -> Option<OrgCode> {
    let street = unit.and_then(|unit| visit.directory.unit(unit)?.street.clone());
    match role {
        Role::HandlingUnit => unit.cloned(),
        Role::TownOffice | Role::Inspector => street.or_else(|| Some(visit.viewer.scope.clone())),
        _ => Some(visit.viewer.scope.clone()),
    }
}

/// Which field a problem is about, and its words.
pub(super) fn words(visit: &Visit, problem: &AccountProblem) -> Problem {
    let say = |field, key| (field, visit.lang.say(key).to_owned());
    let fill = |field, key, code: &OrgCode| (field, visit.lang.fill(key, &[("code", code.as_str())]));
    match problem {
        AccountProblem::LoginName => say("user", "user.bad_user"),
        AccountProblem::Taken => say("user", "user.taken"),
        AccountProblem::Name => say("name", "user.bad_name"),
        AccountProblem::Unit => say("unit", "user.needs_unit"),
        AccountProblem::Grid => say("grids", "user.needs_grid"),
        AccountProblem::NoInspector => say("grids", "user.no_inspector"),
        AccountProblem::Elsewhere(code) => fill("grids", "user.grid_elsewhere", code),
        AccountProblem::Unknown(code) if code.level() == Some(OrgLevel::Grid) => {
            fill("grids", "user.unknown_code", code)
        }
        AccountProblem::Unknown(code) => fill("scope", "user.unknown_code", code),
    }
}

fn form(visit: &Visit, sent: &Sent, problem: Option<Problem>) -> Sheet {
    let lang = visit.lang;
    let wrong = |name: &str| {
        let (_, text) = problem.as_ref().filter(|(field, _)| *field == name)?;
        Some(text.as_str())
    };
    let choose = |current: &str| Choice::new("", lang.say("act.choose"), current);
    let line = |name: &str, key, hint| {
        Field::new(name, lang.say(key), Kind::Line("text"), sent.get(name))
            .hinted(lang.say(hint))
            .faulty(wrong(name).unwrap_or_default())
    };
    let (role, unit) = (sent.get("role"), sent.get("unit"));
    let optional = |field: Field| Field { optional: lang.say("act.optional"), ..field };
    let units = choices::units(&visit.directory, |_| true, Choice::new("", lang.say("user.no_unit"), unit), unit);
    let fields = vec![
        line("user", "user.user", "user.user_hint").needed(),
        line("name", "user.name", "user.name_hint").needed(),
        Field::new("role", lang.say("user.role"), Kind::Choice(users::roles(visit, choose(role), role)), "")
            .needed()
            .faulty(wrong("role").unwrap_or_default()),
        optional(
            Field::new("unit", lang.say("user.unit"), Kind::Choice(units), "")
                .hinted(lang.say("user.unit_hint"))
                .faulty(wrong("unit").unwrap_or_default()),
        ),
        optional(line("scope", "user.scope", "user.scope_hint")),
        optional(line("grids", "user.grids", "user.grids_hint")),
    ];
    let title = lang.say("user.add");
    let problem = if problem.is_some() { lang.say("admin.refused") } else { "" };
    Sheet::new(visit, title).problem(problem).form(PlainForm {
        action: "/admin/users/new".to_owned(),
        title: lang.say("user.new"),
        intro: lang.say("user.add_way").to_owned(),
        fields,
        button: title,
        tone: "main",
        ..PlainForm::default()
    })
}
