//! What surrounds the content of every page, and how a page becomes an answer.

use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use xunge_client_core::model::Millis;

use super::held::HeldRow;
use super::lang::Lang;
use super::statics;

/// Around a page: language, who is logged in, where one can go, what is to be said once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Page {
    /// Language.
    pub(crate) lang: Lang,
    /// Title of the window.
    pub(crate) title: String,
    /// Path and query of this page, for the way back from the language switch.
    pub(crate) here: String,
    /// Who is logged in.
    pub(crate) who: Option<Who>,
    /// The main menu.
    pub(crate) tabs: Vec<Tab>,
    /// Something to be said once.
    pub(crate) notice: Option<Notice>,
    /// What came to nothing meanwhile.
    pub(crate) told: Vec<Notice>,
    /// Voids that may still be taken back.
    pub(crate) held: Vec<HeldRow>,
    /// Business time, for the line on paper.
    pub(crate) now: Millis,
}

/// Somebody logged in.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    /// Name and role as shown.
    pub(crate) shown: String,
    /// Token of every form.
    pub(crate) csrf: String,
}

/// An entry of the main menu.
#[derive(Debug, Clone)]
pub(crate) struct Tab {
    /// Where to.
    pub(crate) href: &'static str,
    /// What it says.
    pub(crate) label: &'static str,
    /// This page is below it.
    pub(crate) here: bool,
}

/// Something to be said once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notice {
    /// `good`, `bad` or empty.
    pub(crate) tone: &'static str,
    /// What happened.
    pub(crate) text: String,
    /// What to do now.
    pub(crate) way: String,
    /// A link with its words.
    pub(crate) link: Option<(String, String)>,
}

impl Page {
    /// Words for a key.
    pub(crate) fn t(&self, key: &str) -> &'static str {
        self.lang.say(key)
    }

    /// Token of this session's forms; empty where nobody is logged in.
    pub(crate) fn csrf(&self) -> &str {
        self.who.as_ref().map_or("", |who| &who.csrf)
    }

    /// Address of the stylesheet.
    pub(crate) fn style(&self) -> &'static str {
        statics::style_href()
    }

    /// Address of the script.
    pub(crate) fn script(&self) -> &'static str {
        statics::script_href()
    }

    /// Address of the script that says what came meanwhile.
    pub(crate) fn news_script(&self) -> &'static str {
        statics::news_href()
    }

    /// Address of the script that says on a case what others decided.
    pub(crate) fn meanwhile_script(&self) -> &'static str {
        statics::meanwhile_href()
    }

    /// Address of the script that counts down what may be taken back.
    pub(crate) fn held_script(&self) -> &'static str {
        statics::held_href()
    }

    /// Address of the icon.
    pub(crate) fn icon(&self) -> &'static str {
        statics::ICON_HREF
    }

    /// The same page in the other language.
    pub(crate) fn other_language(&self) -> String {
        format!("/console/language/{}?back={}", self.lang.other().code(), super::link::encode(&self.here))
    }

    /// The line on paper.
    pub(crate) fn print_note(&self) -> String {
        self.lang.fill("app.print_note", &[("at", &self.now.local_text())])
    }
}

/// Renders a page.
pub(crate) fn show(status: StatusCode, page: &impl Template) -> Response {
    match page.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be drawn");
            (StatusCode::INTERNAL_SERVER_ERROR, "500").into_response()
        }
    }
}

/// Sends the browser on with a GET.
pub(crate) fn go(to: &str) -> Response {
    // Addresses are built by `link`, which encodes; a value that no header can carry goes home.
    let to = if to.is_ascii() && !to.bytes().any(|byte| byte.is_ascii_control()) { to } else { "/" };
    (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response()
}
