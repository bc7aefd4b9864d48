//! Lists kept under a name: links on the page of cases, and the plain forms that keep, rename and forget them.

use axum::extract::State;
use axum::http::header;
use axum::response::Response;

use super::fault::Fault;
use super::filter;
use super::flash::Flash;
use super::page::go;
use super::sent::{Sent, SentForm};
use super::visit::Visit;
use crate::app::App;
use crate::domain::cases::saved::{self, Saved, SavedError};

/// What was done, or why not, as the next page says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// Kept.
    Kept,
    /// Renamed.
    Renamed,
    /// Forgotten.
    Forgotten,
    /// Not a name.
    Name,
    /// The name is taken.
    Taken,
    /// Too many.
    Full,
    /// No such list any more.
    Gone,
}

impl Told {
    /// Every value.
    pub(crate) const ALL: [Self; 7] =
        [Self::Kept, Self::Renamed, Self::Forgotten, Self::Name, Self::Taken, Self::Full, Self::Gone];

    /// Its code, also the key of its words.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Renamed => "renamed",
            Self::Forgotten => "forgotten",
            Self::Name => "name",
            Self::Taken => "taken",
            Self::Full => "full",
            Self::Gone => "gone",
        }
    }

    /// The value with this code.
    pub(crate) fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|told| told.code() == code)
    }

    /// It was done.
    pub(crate) fn is_good(self) -> bool {
        matches!(self, Self::Kept | Self::Renamed | Self::Forgotten)
    }
}

/// A kept list as a link.
#[derive(Debug)]
pub(crate) struct Link {
    /// Where to.
    pub(crate) href: String,
    /// Its name.
    pub(crate) name: String,
    /// It is the list that is shown.
    pub(crate) here: bool,
}

/// The kept lists as links; `here` is the address that is shown.
pub(crate) fn links(all: Vec<Saved>, here: &str) -> Vec<Link> {
    let link = |saved: Saved| {
        let href = canonical(&Sent::of_link(&format!("?{}", saved.query)));
        Link { here: href == here, href, name: saved.name }
    };
    all.into_iter().map(link).collect()
}

/// The address of a list with its members in one order and nothing else in it.
pub(crate) fn canonical(query: &Sent) -> String {
    filter::href(filter::kept(query))
}

/// `POST /cases/saved`: `act` is `keep`, `rename` or `forget`.
pub(crate) async fn post(State(app): State<App>, visit: Visit, form: SentForm) -> Response {
    if let Err(fault) = visit.admit(&form) {
        return visit.answer(Err(fault));
    }
    let sent = form.0;
    let back = canonical(&Sent::of_link(&format!("?{}", sent.get("query"))));
    let query = back.split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default();
    let (user, now) = (visit.viewer.user.clone(), visit.now);
    let written = app.services.store.write::<_, SavedError, _>(move |tx| {
        Box::pin(async move {
            match sent.get("act") {
                "keep" => saved::keep(tx, &user, sent.get("name"), &query, now).await.map(|()| Told::Kept),
                "rename" => saved::rename(tx, &user, sent.get("old"), sent.get("name")).await.map(|()| Told::Renamed),
                "forget" => {
                    saved::forget(tx, &user, sent.get("old")).await?;
                    Ok(Told::Forgotten)
                }
                _ => Err(SavedError::Gone),
            }
        })
    });
    let told = match written.await {
        Ok(told) => told,
        Err(SavedError::Name) => Told::Name,
        Err(SavedError::Taken) => Told::Taken,
        Err(SavedError::Full) => Told::Full,
        Err(SavedError::Gone) => Told::Gone,
        Err(SavedError::Store(failed)) => return visit.answer(Err(Fault::from(failed))),
    };
    let mut answer = go(&back);
    answer.headers_mut().append(header::SET_COOKIE, Flash::Kept(told).cookie());
    answer
}
