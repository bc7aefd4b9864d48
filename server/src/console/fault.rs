//! Pages for what goes wrong, in the same calm form as all others.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use super::lang::Lang;
use super::page::{Page, show};
use crate::blobs::BlobError;
use crate::entropy;
use crate::store::StoreError;

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing there, or nothing this person may know of.
    NotFound,
    /// A form that did not come from one of our pages.
    Forbidden,
    /// The role can not do this.
    Role,
    /// Not understood.
    BadRequest,
    /// Worth trying again.
    Busy,
    /// The disk is full.
    Full,
    /// A defect; the log has it under this number.
    Broken(String),
}

impl Fault {
    /// A defect, written to the log.
    pub(crate) fn broken(cause: &dyn std::fmt::Display) -> Self {
        let id = hex::encode(entropy::fill::<4>());
        tracing::error!(error.id = %id, error.cause = %cause, "a console page failed");
        Self::Broken(id)
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden | Self::Role => StatusCode::FORBIDDEN,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn words(&self, lang: Lang) -> (&'static str, String) {
        let plain = |text, way: &str| (lang.say(text), lang.say(way).to_owned());
        match self {
            Self::NotFound => plain("fault.not_found", "fault.not_found_way"),
            Self::Forbidden => plain("fault.forbidden", "fault.forbidden_way"),
            Self::Role => plain("fault.role", "fault.role_way"),
            Self::BadRequest => plain("fault.bad_request", "fault.bad_request_way"),
            Self::Busy => plain("fault.busy", "fault.busy_way"),
            Self::Full => plain("fault.full", "fault.full_way"),
            Self::Broken(id) => (lang.say("fault.broken"), lang.fill("fault.broken_way", &[("n", id)])),
        }
    }

    /// The page, inside what surrounds every page.
    pub(crate) fn page(&self, page: Page) -> Response {
        let (text, way) = self.words(page.lang);
        let p = Page { title: text.to_owned(), ..page };
        show(self.status(), &FaultPage { p, text, way })
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full => Self::Full,
            StoreError::Busy | StoreError::Serialization => Self::Busy,
            other => Self::broken(&other),
        }
    }
}

impl From<BlobError> for Fault {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Missing => Self::NotFound,
            other => Self::broken(&other),
        }
    }
}

#[derive(Template)]
#[template(path = "fault.html")]
struct FaultPage {
    p: Page,
    text: &'static str,
    way: String,
}
