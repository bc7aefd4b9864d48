//! One user: what they are, when they were here, their phones, and what an administrator may do about them.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use xunge_client_core::model::{OrgCode, Role};

use super::new_user::once;
use super::profile::{self, Typed};
use super::sheet::{PlainForm, Secret, Sheet, Table, saved};
use super::{phone, users};
use crate::auth::account::{self, Account};
use crate::auth::device::{self, DeviceInfo};
use crate::auth::{enrol, password};
use crate::console::fault::Fault;
use crate::console::field::{Field, Kind};
use crate::console::page::go;
use crate::console::sent::SentForm;
use crate::console::visit::Visit;
use crate::console::{choices, link, words};
use crate::domain::accounts::{self, Profile};
use crate::domain::phones;

/// A user with everything the page shows.
struct Known {
    account: Account,
    grids: Vec<OrgCode>,
    phones: Vec<DeviceInfo>,
    last_login: Option<xunge_client_core::model::Millis>,
    sessions: i64,
}

/// `GET /admin/users/{id}`.
pub(crate) async fn get(visit: Visit, Path(id): Path<String>) -> Response {
    let answer = sheet(&visit, &id, None, "").await.map(|sheet| sheet.show(StatusCode::OK));
    visit.answer(answer)
}

/// `GET /admin/users/{id}/{what}`: whoever reloads the answer of a form by hand.
pub(crate) async fn back(Path((id, _)): Path<(String, String)>) -> Response {
    go(&format!("/admin/users/{}", link::encode(&id)))
}

/// `POST /admin/users/{id}/{what}`.
pub(crate) async fn post(visit: Visit, Path((id, what)): Path<(String, String)>, form: SentForm) -> Response {
    let answer = act(&visit, &id, &what, form).await;
    visit.answer(answer)
}

async fn act(visit: &Visit, id: &str, what: &str, form: SentForm) -> Result<Response, Fault> {
    super::keeper(visit)?;
    visit.admit(&form)?;
    // In the part of the tree this administrator answers for; else there is no such user.
    let known = known(visit, id).await?;
    let refused = async |key| {
        let page = sheet(visit, id, None, visit.lang.say(key)).await?;
        Ok(page.show(StatusCode::UNPROCESSABLE_ENTITY))
    };
    let (by, now, user) = (visit.viewer.user.clone(), visit.app.services.security.now(), id.to_owned());
    let store = &visit.app.services.store;
    match what {
        "disable" | "enable" | "logout" if id == by && what != "logout" => refused("user.not_yourself").await,
        "disable" if form.0.get("sure") != "yes" => refused("admin.not_sure").await,
        "disable" | "enable" => {
            let open = what == "enable";
            store
                .write::<_, Fault, _>(move |tx| {
                    Box::pin(async move { Ok(accounts::set_open(tx, &by, &user, open, now).await?) })
                })
                .await?;
            Ok(saved(&format!("/admin/users/{id}")))
        }
        "logout" => {
            store
                .write::<_, Fault, _>(move |tx| {
                    Box::pin(async move { Ok(accounts::log_out(tx, &by, &user, now).await?) })
                })
                .await?;
            Ok(saved(&format!("/admin/users/{id}")))
        }
        "password" => {
            let new = password::generate();
            let plain = new.clone();
            let hash = visit.app.services.bench.run(move || password::hash(&plain)).await;
            store
                .write::<_, Fault, _>(move |tx| {
                    Box::pin(async move { Ok(accounts::set_password(tx, &by, &user, &hash, true, now).await?) })
                })
                .await?;
            Ok(sheet(visit, id, Some(once(visit, id, &new)), "").await?.show(StatusCode::OK))
        }
        "code" if known.account.role == Role::Inspector => {
            let new = enrol::new_code();
            let shown = new.clone();
            let open = store
                .write::<_, Fault, _>(move |tx| {
                    Box::pin(async move { Ok(phones::add_code(tx, &by, &user, &shown, now).await?) })
                })
                .await?;
            if !open {
                return refused("user.code_closed").await;
            }
            Ok(sheet(visit, id, Some(phone::code(visit, &new)), "").await?.show(StatusCode::OK))
        }
        "change" if id == by => refused("user.not_own").await,
        "change" if known.account.disabled_at.is_none() => {
            profile::change(visit, id, known.account.role, &form.0).await
        }
        _ => Err(Fault::NotFound),
    }
}

async fn known(visit: &Visit, id: &str) -> Result<Known, Fault> {
    let (id, keeper, directory) = (id.to_owned(), visit.viewer.scope.clone(), visit.directory.clone());
    let now = visit.app.services.security.now();
    let store = &visit.app.services.store;
    let found = store
        .read::<_, Fault, _>(move |tx| {
            Box::pin(async move {
                let account = account::find(tx, &id).await?;
                let mine = |it: &Account| accounts::answers_for(&keeper, &it.scope, &directory);
                let Some(account) = account.filter(mine) else { return Ok(None) };
                Ok(Some(Known {
                    grids: account::grids(tx, &id).await?,
                    phones: device::list(tx, Some(&id)).await?,
                    last_login: accounts::last_login(tx, &id).await?,
                    sessions: accounts::sessions(tx, &id, now).await?,
                    account,
                }))
            })
        })
        .await?;
    found.ok_or(Fault::NotFound)
}

/// The page, with a secret to show once or a problem to tell.
pub(super) async fn sheet(visit: &Visit, id: &str, secret: Option<Secret>, problem: &str) -> Result<Sheet, Fault> {
    Ok(page(visit, id, None).await?.problem(problem).secret(secret))
}

/// The page, with what was typed into the form that changes the user and not taken.
pub(super) async fn page(visit: &Visit, id: &str, typed: Option<Typed>) -> Result<Sheet, Fault> {
    super::keeper(visit)?;
    let known = known(visit, id).await?;
    let (lang, account) = (visit.lang, &known.account);
    let visit = &visit.at(&format!("/admin/users/{}", link::encode(id)));
    let mut page = Sheet::new(visit, account.name.clone())
        .button("/admin/users", lang.say("user.back"))
        .button(link::with("/admin/audit", [("subject", id)]), lang.say("user.trail"))
        .facts(facts(visit, &known));
    if account.role == Role::Inspector || !known.phones.is_empty() {
        page = page.table(Table {
            id: "phones",
            title: lang.say("nav.phones").to_owned(),
            heads: [
                "phones.name",
                "phones.seen",
                "phones.waiting",
                "phones.waiting_photos",
                "phones.since",
                "phones.state",
            ]
            .map(|key| lang.say(key))
            .into(),
            rows: known.phones.iter().map(|it| phone::row(visit, it)).collect(),
            empty: lang.say("user.no_phone"),
            ..Table::default()
        });
    }
    Ok(forms(visit, &known, typed).into_iter().fold(page, Sheet::form))
}

fn facts(visit: &Visit, known: &Known) -> Vec<(&'static str, String)> {
    let (lang, account, now) = (visit.lang, &known.account, visit.app.services.security.now());
    let place = |code: &OrgCode| format!("{} {code}", choices::place(&visit.directory, code.as_str()));
    let grids: Vec<String> = known.grids.iter().map(|code| choices::place(&visit.directory, code.as_str())).collect();
    let locked = (account.locked_until > now).then(|| words::when(account.locked_until, now));
    vec![
        (lang.say("user.user"), account.id.clone()),
        (lang.say("user.role"), lang.word("role", account.role.code())),
        (lang.say("user.unit"), account.unit.as_ref().map(place).unwrap_or_default()),
        (lang.say("user.scope"), place(&account.scope)),
        (lang.say("user.grids"), grids.join(lang.say("user.comma"))),
        (lang.say("user.state"), users::state(visit, account, now).text),
        (
            lang.say("user.last_login"),
            known.last_login.map_or_else(|| lang.say("user.never").to_owned(), |at| words::when(at, now)),
        ),
        (lang.say("user.failures"), account.failed_count.to_string()),
        (lang.say("user.locked_until"), locked.unwrap_or_default()),
        (lang.say("user.sessions"), known.sessions.to_string()),
    ]
}

fn forms(visit: &Visit, known: &Known, typed: Option<Typed>) -> Vec<PlainForm> {
    let (lang, account) = (visit.lang, &known.account);
    let form = |what: &str, title, intro, tone| PlainForm {
        action: format!("/admin/users/{}/{what}", link::encode(&account.id)),
        title: lang.say(title),
        intro: lang.say(intro).to_owned(),
        button: lang.say(title),
        tone,
        folded: true,
        ..PlainForm::default()
    };
    let mut forms = Vec::new();
    if account.disabled_at.is_some() {
        forms.push(form("enable", "user.enable", "user.enable_way", "main"));
        return forms;
    }
    if account.role == Role::Inspector {
        forms.push(form("code", "user.code", "user.code_way", "main"));
    } else {
        forms.push(form("password", "user.password", "user.password_form", "main"));
        forms.push(form("logout", "user.log_out", "user.log_out_way", ""));
    }
    if account.id != visit.viewer.user {
        let now = || Typed::now(visit, account.role, &Profile::of(account, known.grids.clone()));
        forms.push(profile::form(visit, &account.id, account.role, &typed.unwrap_or_else(now)));
        let sure = Field::new("sure", lang.say("user.disable_sure"), Kind::Check, "").needed();
        let disable = form("disable", "user.disable", "user.disable_way", "grave");
        forms.push(PlainForm { fields: vec![sure], ..disable });
    }
    forms
}
