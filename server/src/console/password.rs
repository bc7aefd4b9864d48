//! One's own password (修改密码): asked for before anything else if somebody else knows it.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::Response;

use super::cookie::{self, Keep};
use super::fault::Fault;
use super::field::{Field, Kind};
use super::flash::Flash;
use super::page::{Notice, Page, go, show};
use super::sent::{Sent, SentForm};
use super::session;
use super::visit::Visit;
use crate::api::Origin;
use crate::auth::login::LoginError;
use crate::auth::password::{self, MAX_CHARS, MIN_CHARS, Weak};
use crate::domain::accounts;

#[derive(Template)]
#[template(path = "password.html")]
struct PasswordPage {
    p: Page,
    intro: String,
    /// So that a browser keeps the new password under the right name.
    user: String,
    problem: Option<Notice>,
    fields: Vec<Field>,
}

/// `GET /password`.
pub(crate) async fn get(visit: Visit) -> Response {
    form(&visit, StatusCode::OK, "", "")
}

/// `POST /password`.
pub(crate) async fn post(visit: Visit, Origin(from): Origin, form: SentForm) -> Response {
    let answer = change(&visit, from, form).await;
    visit.answer(answer)
}

async fn change(visit: &Visit, from: std::net::IpAddr, form: SentForm) -> Result<Response, Fault> {
    visit.admit(&form)?;
    let SentForm(sent) = form;
    let (lang, user) = (visit.lang, visit.viewer.user.clone());
    let again = |name, key| Ok(self::form(visit, StatusCode::UNPROCESSABLE_ENTITY, name, lang.say(key)));
    let (current, new) = (raw(&sent, "current"), raw(&sent, "new"));
    if let Err(weak) = password::check(&user, new) {
        return again("new", words(weak));
    }
    if new != raw(&sent, "again") {
        return again("again", "password.differ");
    }
    if new == current {
        return again("new", "password.same");
    }
    let now = visit.app.services.security.now();
    match visit.app.desk.sign_in(&user, current.to_owned(), from, now).await {
        Ok(_) => {}
        Err(LoginError::WrongCredentials) => return again("current", "password.wrong"),
        Err(LoginError::Locked { .. } | LoginError::Busy) => return again("current", "password.later"),
        Err(LoginError::Store(failed)) => return Err(failed.into()),
    }
    let plain = new.to_owned();
    let hash = visit.app.services.bench.run(move || password::hash(&plain)).await;
    // Every session ends, this one too; the one that goes on is a new one.
    let begun = visit
        .app
        .services
        .store
        .write::<_, Fault, _>(move |tx| {
            Box::pin(async move {
                accounts::set_password(tx, &user, &user, &hash, false, now).await?;
                Ok(session::begin(tx, &user, now).await?)
            })
        })
        .await?;
    let mut answer = go("/");
    let session = cookie::set(cookie::SESSION, &begun.token, Keep::Browser);
    answer.headers_mut().append(header::SET_COOKIE, session);
    answer.headers_mut().append(header::SET_COOKIE, Flash::Saved.cookie());
    Ok(answer)
}

/// As typed: blanks at the ends of a password may be meant.
fn raw<'a>(sent: &'a Sent, name: &str) -> &'a str {
    sent.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

fn words(weak: Weak) -> &'static str {
    match weak {
        Weak::Short => "password.short",
        Weak::Long => "password.long",
        Weak::ContainsUser => "password.contains_user",
        Weak::Common => "password.common",
    }
}

fn form(visit: &Visit, status: StatusCode, name: &str, problem: &str) -> Response {
    let lang = visit.lang;
    let field = |of: &str, key| {
        let problem = if of == name { problem } else { "" };
        Field::new(of, lang.say(key), Kind::Line("password"), "").needed().faulty(problem)
    };
    let limits = [("min", MIN_CHARS.to_string()), ("max", MAX_CHARS.to_string())];
    let hint = lang.fill("password.hint", &limits.each_ref().map(|(name, n)| (*name, n.as_str())));
    let once = visit.session.password_once;
    let text = lang.say("admin.refused").to_owned();
    let page = PasswordPage {
        p: visit.page(lang.say("password.title")),
        intro: lang.say(if once { "password.once" } else { "password.intro" }).to_owned(),
        user: visit.viewer.user.clone(),
        problem: (!problem.is_empty()).then(|| Notice { tone: "bad", text, ..Notice::default() }),
        fields: vec![
            field("current", "password.current"),
            field("new", "password.new").hinted(hint),
            field("again", "password.again"),
        ],
    };
    show(status, &page)
}
