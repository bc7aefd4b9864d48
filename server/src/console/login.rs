//! Logging in and out, and the switch of languages.

use askama::Template;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::cookie::{self, Keep};
use super::fault::Fault;
use super::flash::Flash;
use super::lang::Lang;
use super::page::{Notice, Page, go, show};
use super::sent::{Sent, SentForm};
use super::visit::{Visit, stranger};
use super::{link, origin, session};
use crate::api::Origin;
use crate::app::App;
use crate::auth::login::LoginError;
use crate::store::StoreError;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    p: Page,
    token: String,
    back: String,
    user: String,
    problem: Option<Notice>,
}

/// `GET /login`.
pub(crate) async fn get(
    State(app): State<App>,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    query: Sent,
) -> Response {
    let mut p = stranger(&headers, &uri, app.services.business.now());
    p.notice = Flash::read(&headers).map(|flash| flash.notice(p.lang));
    form(StatusCode::OK, p, &headers, query.get("back"), "", None)
}

/// `POST /login`.
pub(crate) async fn post(
    State(app): State<App>,
    Origin(from): Origin,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    SentForm(sent): SentForm,
) -> Response {
    let p = Page { here: "/login".to_owned(), ..stranger(&headers, &uri, app.services.business.now()) };
    let (user, back) = (sent.get("user"), sent.get("back"));
    let again = |status, p: Page, (text, way): (String, String)| {
        form(status, p, &headers, back, user, Some(Notice { tone: "bad", text, way, link: None }))
    };
    let say = |text: &str, way: &str| (p.lang.say(text).to_owned(), p.lang.say(way).to_owned());
    if !origin::is_own(&headers) {
        return Fault::Forbidden.page(p);
    }
    let visitor = cookie::read(&headers, cookie::VISITOR);
    if !visitor.is_some_and(|visitor| session::same(visitor, sent.get("token"))) {
        let words = say("login.cookie", "login.cookie_way");
        return again(StatusCode::FORBIDDEN, p, words);
    }
    // Blanks at the ends of a password may be meant.
    let password = sent.0.iter().find(|(name, _)| name == "password").map_or("", |(_, value)| value);
    if user.is_empty() || password.is_empty() {
        let words = (p.lang.say("login.missing").to_owned(), String::new());
        return again(StatusCode::UNPROCESSABLE_ENTITY, p, words);
    }
    let now = app.services.security.now();
    let account = match app.desk.sign_in(user, password.to_owned(), from, now).await {
        Ok(account) => account,
        Err(LoginError::WrongCredentials) => {
            let words = say("login.wrong", "login.wrong_way");
            return again(StatusCode::UNAUTHORIZED, p, words);
        }
        Err(LoginError::Locked { retry_after_s }) => {
            let way = p.lang.fill("login.locked_way", &[("n", &retry_after_s.to_string())]);
            let words = (p.lang.say("login.locked").to_owned(), way);
            return again(StatusCode::TOO_MANY_REQUESTS, p, words);
        }
        Err(LoginError::Busy) => {
            let words = say("login.busy", "login.busy_way");
            return again(StatusCode::SERVICE_UNAVAILABLE, p, words);
        }
        Err(LoginError::Store(failed)) => return Fault::from(failed).page(p),
    };
    let begun = app
        .services
        .store
        .write::<_, StoreError, _>(move |tx| Box::pin(async move { session::begin(tx, &account.id, now).await }))
        .await;
    match begun {
        Ok(begun) => {
            let mut answer = go(link::back(if back.is_empty() { "/" } else { back }));
            set(&mut answer, cookie::set(cookie::SESSION, &begun.token, Keep::Browser));
            set(&mut answer, cookie::set(cookie::VISITOR, "", Keep::Forget));
            answer
        }
        Err(failed) => Fault::from(failed).page(p),
    }
}

/// `POST /logout`.
pub(crate) async fn logout(visit: Visit, form: SentForm) -> Response {
    if let Err(fault) = visit.admit(&form) {
        return visit.answer(Err(fault));
    }
    let key = visit.session.token_hash;
    let store = &visit.app.services.store;
    let ended = store.write::<_, StoreError, _>(move |tx| Box::pin(async move { session::end(tx, &key).await })).await;
    if let Err(failed) = ended {
        return visit.answer(Err(failed.into()));
    }
    visit.desks.leave(&visit.viewer.user);
    let mut answer = go("/login");
    set(&mut answer, cookie::set(cookie::SESSION, "", Keep::Forget));
    set(&mut answer, Flash::LoggedOut.cookie());
    // Photos may be kept by the browser while somebody works; not after they left.
    answer.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
    answer
}

/// `GET /console/language/{code}`: a preference, hence no form.
pub(crate) async fn language(Path(code): Path<String>, query: Sent) -> Response {
    let mut answer = go(link::back(query.get("back")));
    if let Some(lang) = Lang::from_code(&code) {
        set(&mut answer, cookie::set(cookie::LANG, lang.code(), Keep::Seconds(400 * 86_400)));
    }
    answer
}

/// The log-in form. Its token is the visitor's cookie, so that nobody logs somebody else in unseen.
fn form(status: StatusCode, p: Page, headers: &HeaderMap, back: &str, user: &str, problem: Option<Notice>) -> Response {
    let known = cookie::read(headers, cookie::VISITOR).filter(|value| value.len() == 43);
    let token = known.map_or_else(session::secret, str::to_owned);
    let visitor = cookie::set(cookie::VISITOR, &token, Keep::Browser);
    let title = p.t("login.title").to_owned();
    let back = if back.is_empty() { String::new() } else { link::back(back).to_owned() };
    let page = LoginPage { p: Page { title, ..p }, token, back, user: user.to_owned(), problem };
    let mut answer = show(status, &page);
    set(&mut answer, visitor);
    answer
}

fn set(answer: &mut Response, cookie: HeaderValue) {
    answer.headers_mut().append(header::SET_COOKIE, cookie);
}
