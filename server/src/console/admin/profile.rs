//! What administrators write about a user: the fields of a new one, and the form that changes them later.

use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{OrgCode, OrgLevel, Role};

use super::sheet::{PlainForm, saved};
use super::user;
use crate::console::choices;
use crate::console::fault::Fault;
use crate::console::field::{Choice, Field, Kind};
use crate::console::link;
use crate::console::sent::Sent;
use crate::console::visit::Visit;
use crate::domain::accounts::{self, AccountProblem, AddError, Change, Profile};

/// What is wrong with a form: the field, and what.
pub(super) type Problem = (&'static str, String);

/// What stands in the fields, and what is wrong with one of them.
#[derive(Debug, Default)]
pub(super) struct Typed {
    name: String,
    unit: String,
    scope: String,
    grids: String,
    problem: Option<Problem>,
}

impl Typed {
    /// What somebody sent.
    pub(super) fn of(sent: &Sent, problem: Option<Problem>) -> Self {
        let [name, unit, scope, grids] = ["name", "unit", "scope", "grids"].map(|field| sent.get(field).to_owned());
        Self { name, unit, scope, grids, problem }
    }

    /// What an account has. What a role of this unit usually sees is left out, so that it follows another unit.
    pub(super) fn now(visit: &Visit, role: Role, profile: &Profile) -> Self {
        let usual = usual_scope(visit, role, profile.unit.as_ref());
        let grids: Vec<&str> = profile.grids.iter().map(OrgCode::as_str).collect();
        Self {
            name: profile.name.clone(),
            unit: profile.unit.as_ref().map(ToString::to_string).unwrap_or_default(),
            scope: if usual == profile.scope { String::new() } else { profile.scope.to_string() },
            grids: grids.join(" "),
            problem: None,
        }
    }

    /// What is wrong with a field; empty for nothing.
    pub(super) fn wrong(&self, field: &str) -> &str {
        self.problem.as_ref().filter(|(about, _)| *about == field).map_or("", |(_, text)| text)
    }

    /// Name, unit, scope and grids, in this order.
    pub(super) fn fields(&self, visit: &Visit) -> [Field; 4] {
        let lang = visit.lang;
        let line = |name: &str, key, hint, value: &str| {
            let field = Field::new(name, lang.say(key), Kind::Line("text"), value);
            field.hinted(lang.say(hint)).faulty(self.wrong(name))
        };
        let optional = |field: Field| Field { optional: lang.say("act.optional"), ..field };
        let none = Choice::new("", lang.say("user.no_unit"), &self.unit);
        let units = Kind::Choice(choices::units(&visit.directory, |_| true, none, &self.unit));
        let unit = Field::new("unit", lang.say("user.unit"), units, "");
        [
            line("name", "user.name", "user.name_hint", &self.name).needed(),
            optional(unit.hinted(lang.say("user.unit_hint")).faulty(self.wrong("unit"))),
            optional(line("scope", "user.scope", "user.scope_hint", &self.scope)),
            optional(line("grids", "user.grids", "user.grids_hint", &self.grids)),
        ]
    }
}

/// Reads the fields for somebody of a role. Everything of it lies in the part of the tree this administrator keeps.
pub(super) fn read(visit: &Visit, role: Role, sent: &Sent) -> Result<Profile, Problem> {
    let lang = visit.lang;
    let unknown = |field| (field, lang.say("user.bad_code").to_owned());
    let keeps = |code: &OrgCode| accounts::answers_for(&visit.viewer.scope, code, &visit.directory);
    let unit: Option<OrgCode> = sent.parsed("unit").map_err(|_| unknown("unit"))?;
    if !unit.as_ref().is_none_or(keeps) {
        return Err(("unit", lang.say("user.outside").to_owned()));
    }
    let scope: Option<OrgCode> = sent.parsed("scope").map_err(|_| unknown("scope"))?;
    let scope = scope.unwrap_or_else(|| usual_scope(visit, role, unit.as_ref()));
    if !keeps(&scope) {
        return Err(("scope", lang.say("user.outside").to_owned()));
    }
    let codes = sent.get("grids").split([' ', ',', '，', '、', '\n', '\r']).filter(|code| !code.is_empty());
    let grids: Result<Vec<OrgCode>, _> = codes.map(str::parse).collect();
    let sees = |grid: &OrgCode| grid.level() == Some(OrgLevel::Grid) && visit.viewer.scope.contains(grid);
    let grids = grids.ok().filter(|grids| grids.iter().all(sees)).ok_or_else(|| unknown("grids"))?;
    Ok(Profile { name: sent.get("name").to_owned(), scope, unit, grids })
}

/// What somebody of a role sees if nothing else was said: a unit's clerk the unit's cases, a town office its street,
/// everybody else what the administrator sees.
fn usual_scope(visit: &Visit, role: Role, unit: Option<&OrgCode>) -> OrgCode {
    let street = || visit.directory.unit(unit?)?.street.clone();
    let usual = match role {
        Role::HandlingUnit => unit.cloned(),
        Role::TownOffice | Role::Inspector => street(),
        _ => None,
    };
    usual.unwrap_or_else(|| visit.viewer.scope.clone())
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

/// The form that changes a user. Only inspectors have grids.
pub(super) fn form(visit: &Visit, id: &str, role: Role, typed: &Typed) -> PlainForm {
    let lang = visit.lang;
    let [name, unit, scope, grids] = typed.fields(visit);
    let fields = vec![name, unit, scope];
    PlainForm {
        action: format!("/admin/users/{}/change", link::encode(id)),
        title: lang.say("user.change"),
        intro: lang.say("user.change_way").to_owned(),
        fields: fields.into_iter().chain((role == Role::Inspector).then_some(grids)).collect(),
        button: lang.say("user.change"),
        tone: "main",
        folded: typed.problem.is_none(),
        ..PlainForm::default()
    }
}

/// Changes a user as the form says; what is wrong stands at its field, beside what was typed.
pub(super) async fn change(visit: &Visit, id: &str, role: Role, sent: &Sent) -> Result<Response, Fault> {
    let again = async |problem| {
        let page = user::page(visit, id, Some(Typed::of(sent, Some(problem)))).await?;
        Ok(page.problem(visit.lang.say("admin.refused")).show(StatusCode::UNPROCESSABLE_ENTITY))
    };
    let wanted = match read(visit, role, sent) {
        Ok(wanted) => wanted,
        Err(problem) => return again(problem).await,
    };
    let (by, now, user) = (visit.viewer.user.clone(), visit.app.services.security.now(), id.to_owned());
    let changed = visit.app.services.store.write::<_, AddError, _>(move |tx| {
        Box::pin(async move { accounts::change(tx, &by, &user, |_| wanted, now).await })
    });
    match changed.await {
        Ok(Change::Done { .. }) => Ok(saved(&format!("/admin/users/{id}"))),
        Ok(Change::Same) => again(("name", visit.lang.say("user.same").to_owned())).await,
        Ok(Change::NoUser) => Err(Fault::NotFound),
        Err(AddError::Problem(problem)) => again(words(visit, &problem)).await,
        Err(AddError::Store(failed)) => Err(failed.into()),
    }
}
