//! A new user: a form that keeps what was typed, and the password or enrolment code shown once.

use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::Role;

use super::profile::{self, Problem, Typed};
use super::sheet::{PlainForm, Secret, Sheet};
use super::{phone, users};
use crate::auth::account::NewAccount;
use crate::auth::{enrol, password};
use crate::console::fault::Fault;
use crate::console::field::{Choice, Field, Kind};
use crate::console::sent::{Sent, SentForm};
use crate::console::visit::Visit;
use crate::domain::accounts::{self, AddError, Profile};

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
        return again(profile::words(visit, &problem));
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
        Err(AddError::Problem(problem)) => return again(profile::words(visit, &problem)),
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
    let bad = || ("role", visit.lang.say("user.bad_role").to_owned());
    let role = Role::from_code(sent.get("role")).ok_or_else(bad)?;
    let Profile { name, scope, unit, grids } = profile::read(visit, role, sent)?;
    Ok(NewAccount { id: sent.get("user").to_owned(), name, role, scope, unit, grids, password_hash: None })
}

fn form(visit: &Visit, sent: &Sent, problem: Option<Problem>) -> Sheet {
    let lang = visit.lang;
    let refused = problem.is_some();
    let typed = Typed::of(sent, problem);
    let role = sent.get("role");
    let roles = users::roles(visit, Choice::new("", lang.say("act.choose"), role), role);
    let user = Field::new("user", lang.say("user.user"), Kind::Line("text"), sent.get("user"));
    let user = user.hinted(lang.say("user.user_hint")).faulty(typed.wrong("user")).needed();
    let role = Field::new("role", lang.say("user.role"), Kind::Choice(roles), "").faulty(typed.wrong("role")).needed();
    let [name, unit, scope, grids] = typed.fields(visit);
    let title = lang.say("user.add");
    let problem = if refused { lang.say("admin.refused") } else { "" };
    Sheet::new(visit, title).problem(problem).form(PlainForm {
        action: "/admin/users/new".to_owned(),
        title: lang.say("user.new"),
        intro: lang.say("user.add_way").to_owned(),
        fields: vec![user, name, role, unit, scope, grids],
        button: title,
        tone: "main",
        ..PlainForm::default()
    })
}
