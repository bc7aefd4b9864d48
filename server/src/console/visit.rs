//! A request of somebody who is logged in: who, what they may see, in which language.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use xunge_client_core::model::{Millis, Role};

use super::cookie;
use super::desks::Desks;
use super::fault::Fault;
use super::flash::Flash;
use super::lang::Lang;
use super::page::{Page, Tab, Who, go};
use super::sent::SentForm;
use super::session::{self, Session};
use super::{link, origin, register};
use crate::app::App;
use crate::domain::directory::Directory;
use crate::domain::people::Viewer;
use crate::domain::scope::Scope;
use crate::store::StoreError;

/// A request of somebody who is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    /// The installation.
    pub(crate) app: App,
    /// Who.
    pub(crate) viewer: Viewer,
    /// Their session.
    pub(crate) session: Session,
    /// Org tree and categories.
    pub(crate) directory: Arc<Directory>,
    /// What they may see.
    pub(crate) scope: Scope,
    /// The language they read.
    pub(crate) lang: Lang,
    /// What the page says once.
    pub(crate) flash: Option<Flash>,
    /// Path and query.
    pub(crate) here: String,
    /// Business time.
    pub(crate) now: Millis,
    /// Who looks at which case.
    pub(crate) desks: Arc<Desks>,
    own_origin: bool,
}

impl Visit {
    /// The page around the content.
    pub(crate) fn page(&self, title: impl Into<String>) -> Page {
        let role = self.lang.word("role", self.viewer.role.code());
        let shown = self.lang.fill("app.signed_in", &[("name", &self.viewer.name), ("role", &role)]);
        Page {
            lang: self.lang,
            title: title.into(),
            here: self.here.clone(),
            who: Some(Who { shown, csrf: self.session.csrf.clone() }),
            tabs: self.tabs(),
            notice: self.flash.map(|flash| flash.notice(self.lang)),
            now: self.now,
            ..Page::default()
        }
    }

    /// The same visit at another of our pages.
    pub(crate) fn at(&self, here: &str) -> Self {
        Self { here: here.to_owned(), ..self.clone() }
    }

    /// Draws what went wrong, or passes on what did not.
    pub(crate) fn answer(&self, answer: Result<Response, Fault>) -> Response {
        answer.unwrap_or_else(|fault| fault.page(Page { notice: None, ..self.page("") }))
    }

    /// Lets a form pass only if it was made by one of this session's own pages.
    pub(crate) fn admit(&self, form: &SentForm) -> Result<(), Fault> {
        let own_token = session::same(form.0.get("token"), &self.session.csrf);
        if own_token && self.own_origin { Ok(()) } else { Err(Fault::Forbidden) }
    }

    /// The district this person works in, as lists are indexed by it.
    pub(crate) fn district(&self) -> String {
        self.viewer.district().unwrap_or_else(|| self.app.identity.district.clone())
    }

    /// True for those who look at the figures of what their part of the tree reports.
    pub(crate) fn has_figures(&self) -> bool {
        !matches!(self.viewer.role, Role::HandlingUnit | Role::Inspector)
    }

    /// True for those who decide on reports.
    pub(crate) fn reviews(&self) -> bool {
        self.viewer.role == Role::TownOffice
    }

    /// True for those whom cases wait for after the review.
    pub(crate) fn has_desk(&self) -> bool {
        matches!(self.viewer.role, Role::HandlingUnit | Role::Dispatcher | Role::DutyLeader)
    }

    /// True for those who write down what others tell.
    pub(crate) fn registers(&self) -> bool {
        self.viewer.role == Role::Hotline
    }

    /// True for those who answer for phones.
    pub(crate) fn keeps_phones(&self) -> bool {
        matches!(self.viewer.role, Role::TownOffice | Role::DutyLeader | Role::Auditor | Role::Admin)
    }

    /// True for those who keep users, phones and tables.
    pub(crate) fn administers(&self) -> bool {
        self.viewer.role == Role::Admin
    }

    /// True for those who read who did what.
    pub(crate) fn reads_audit(&self) -> bool {
        matches!(self.viewer.role, Role::Admin | Role::Auditor)
    }

    fn tabs(&self) -> Vec<Tab> {
        let path = self.here.split('?').next().unwrap_or_default();
        let tab = |href: &'static str, key| Tab {
            href,
            label: self.lang.say(key),
            here: if href == "/" { path == "/" } else { path.starts_with(href) },
        };
        let mut tabs = Vec::new();
        tabs.extend(self.has_figures().then(|| tab("/", "nav.overview")));
        tabs.extend(self.has_figures().then(|| tab("/map", "nav.map")));
        tabs.extend(self.reviews().then(|| tab("/review", "nav.review")));
        tabs.extend(self.has_desk().then(|| tab("/desk", "nav.desk")));
        tabs.extend(self.registers().then(|| tab(register::PATH, "nav.register")));
        tabs.push(tab("/cases", "nav.cases"));
        tabs.extend(self.keeps_phones().then(|| tab("/phones", "nav.phones")));
        tabs.extend(self.administers().then(|| tab("/admin", "nav.admin")));
        // Those who only read it have no other page there.
        tabs.extend((self.reads_audit() && !self.administers()).then(|| tab("/admin/audit", "nav.audit")));
        tabs
    }

    /// Whoever is logged in, if anybody is.
    pub(crate) async fn load(app: &App, parts: &Parts) -> Result<Option<Self>, StoreError> {
        let Some(token) = cookie::read(&parts.headers, cookie::SESSION).map(str::to_owned) else { return Ok(None) };
        let (services, now) = (&app.services, app.services.security.now());
        let shared = services.directory.clone();
        let found = services
            .store
            .read(move |tx| {
                Box::pin(async move {
                    let Some(session) = session::find(tx, &token, now).await? else { return Ok::<_, StoreError>(None) };
                    let viewer = Viewer::load(tx, &session.user).await?;
                    let directory = shared.get(tx).await?;
                    Ok(viewer.map(|viewer| (session, viewer, directory)))
                })
            })
            .await?;
        let Some((session, viewer, directory)) = found else { return Ok(None) };
        // A window that asks by itself is not a person at work.
        let asked_by_itself = parts.uri.path().starts_with("/console/watch/");
        if session.stale_seen && !asked_by_itself {
            let key = session.token_hash;
            services.store.write(move |tx| Box::pin(async move { session::touch(tx, &key, now).await })).await?;
        }
        Ok(Some(Self {
            scope: Scope::of(&viewer, &directory),
            lang: language(&parts.headers),
            flash: Flash::read(&parts.headers),
            here: here(&parts.uri),
            now: services.business.now(),
            desks: parts.extensions.get().cloned().unwrap_or_default(),
            own_origin: origin::is_own(&parts.headers),
            app: app.clone(),
            viewer,
            session,
            directory,
        }))
    }
}

impl FromRequestParts<App> for Visit {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        match Self::load(app, parts).await {
            Ok(Some(visit)) if visit.session.password_once && !may_wait(&parts.uri) => Err(go("/password")),
            Ok(Some(visit)) => Ok(visit),
            Ok(None) => Err(to_login(parts)),
            Err(failed) => Err(Fault::from(failed).page(stranger(&parts.headers, &parts.uri, Millis(0)))),
        }
    }
}

/// True for the few addresses that are open before a password of one's own is chosen.
fn may_wait(uri: &Uri) -> bool {
    ["/password", "/logout"].contains(&uri.path())
}

/// The page around what a stranger sees.
pub(crate) fn stranger(headers: &HeaderMap, uri: &Uri, now: Millis) -> Page {
    Page { lang: language(headers), here: here(uri), now, ..Page::default() }
}

/// The language of a request: chosen by hand, else what the browser prefers.
pub(crate) fn language(headers: &HeaderMap) -> Lang {
    let chosen = cookie::read(headers, cookie::LANG).and_then(Lang::from_code);
    let accept = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    chosen.unwrap_or_else(|| Lang::preferred(accept))
}

fn here(uri: &Uri) -> String {
    uri.path_and_query().map_or("/", |path| path.as_str()).to_owned()
}

/// Sends somebody to log in, and back to where they were if that was a page.
fn to_login(parts: &Parts) -> Response {
    let here = here(&parts.uri);
    let back = if parts.method == Method::GET && here != "/" { link::back(&here) } else { "" };
    let mut answer = go(&link::with("/login", [("back", back)])).into_response();
    if cookie::read(&parts.headers, cookie::SESSION).is_some() {
        answer.headers_mut().append(header::SET_COOKIE, Flash::Expired.cookie());
    }
    answer
}
