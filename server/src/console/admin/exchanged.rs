//! What the pages share on which a file is compared with what is in force (核对, 启用): the org tree, the category trees.
//!
//! Two steps: a file is checked and the page says what it would change; only then it is put in force.

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::sheet::{Cell, PlainForm, Sheet, Table};
use crate::console::fault::Fault;
use crate::console::field::{Field, Kind};
use crate::console::lang::Lang;
use crate::console::multipart;
use crate::console::sent::SentForm;
use crate::console::visit::Visit;
use crate::domain::exchange::{Change, Difference, Numbers, Objection, Plan, Refusal};
use crate::reference::problem::Problem;

/// What is asked with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// What it would change.
    Check,
    /// To put it in force.
    Apply,
}

/// A page of this kind: where it is, and the keys of its words.
#[derive(Debug)]
pub(super) struct Exchange {
    /// Address of the page.
    pub(super) here: &'static str,
    /// What files a browser offers.
    pub(super) accept: &'static str,
    /// Most bytes of a file.
    pub(super) most: usize,
    /// "Check another file", also the title.
    pub(super) check: &'static str,
    /// What to know before that.
    pub(super) check_way: &'static str,
    /// What the field is called.
    pub(super) file: &'static str,
    /// What is said of a file that is too large.
    pub(super) too_large: &'static str,
    /// What is said above the differences.
    pub(super) would_way: &'static str,
    /// What the things are called.
    pub(super) about: &'static str,
    /// What is said above the reasons, with their number `n`.
    pub(super) refused: &'static str,
    /// What to know before it is put in force.
    pub(super) apply_way: &'static str,
}

/// True for those who answer for the whole district.
pub(super) fn may(visit: &Visit) -> bool {
    visit.administers() && visit.directory.districts().all(|code| visit.viewer.scope.contains(code))
}

impl Exchange {
    /// Reads a form: what is asked and the file; or the page that says why there is none.
    pub(super) async fn take(
        &self,
        visit: &Visit,
        request: Request,
    ) -> Result<Result<(Asked, Vec<u8>), Response>, Fault> {
        if !may(visit) {
            return Err(Fault::Role);
        }
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let (form, file) = if kind.starts_with("multipart/") {
            let (sent, mut files) = multipart::take(request).await.ok_or(Fault::BadRequest)?;
            (SentForm(sent), files.pop().map(|file| file.bytes.to_vec()))
        } else {
            let form = match SentForm::from_request(request, &()).await {
                Ok(form) => form,
                Err(never) => match never {},
            };
            // Letters, because browsers change the line ends of words, and with them the hash of the file.
            let file = form.0.given("file").and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
            (form, file)
        };
        visit.admit(&form)?;
        let asked = match form.0.get("do") {
            "check" => Asked::Check,
            "apply" => Asked::Apply,
            _ => return Err(Fault::BadRequest),
        };
        Ok(match file {
            None => Err(self.broken(visit, visit.lang.say("org.no_file"))),
            Some(file) if file.len() > self.most => Err(self.broken(visit, visit.lang.say(self.too_large))),
            Some(file) => Ok((asked, file)),
        })
    }

    /// The form that brings a file.
    pub(super) fn upload(&self, visit: &Visit) -> PlainForm {
        let lang = visit.lang;
        PlainForm {
            action: self.here.to_owned(),
            title: lang.say(self.check),
            intro: lang.say(self.check_way).to_owned(),
            hidden: vec![("do", "check".to_owned())],
            fields: vec![Field::new("file", lang.say(self.file), Kind::File(self.accept), "").needed()],
            button: lang.say(self.check),
            tone: "main",
            ..PlainForm::default()
        }
    }

    fn sheet(&self, visit: &Visit) -> Sheet {
        Sheet::new(visit, visit.lang.say(self.check)).button(self.here, visit.lang.say("org.not_now"))
    }

    fn broken(&self, visit: &Visit, why: &str) -> Response {
        self.sheet(visit).problem(why).form(self.upload(visit)).show(StatusCode::UNPROCESSABLE_ENTITY)
    }

    /// The page of a file that can not be read.
    pub(super) fn problems<P: Problem>(&self, visit: &Visit, problems: &[P]) -> Response {
        let line = |it: &P| {
            let (en, zh) = it.way_out();
            match visit.lang {
                Lang::Zh => format!("{}。{zh}。", it.zh()),
                Lang::En => format!("{it}; {en}. "),
            }
        };
        let why: String = problems.iter().take(MOST_PROBLEMS).map(line).collect();
        self.broken(visit, &visit.lang.fill("org.broken", &[("why", why.trim_end())]))
    }

    /// What a file would change, and what stands against it. `about` is the cell of a thing by code, name and what
    /// differs; `side` one of its values.
    pub(super) fn would<W: Difference, O: Objection<W>>(
        &self,
        visit: &Visit,
        plan: &Plan<W, O>,
        file: &[u8],
        about: impl Fn(&str, &str, W) -> Cell,
        side: impl Fn(W, &str) -> Cell,
    ) -> Response {
        let lang = visit.lang;
        let Numbers { added, changed, removed } = Numbers::of(&plan.changes);
        let [a, c, r] = [added, changed, removed].map(|n| n.to_string());
        let mut page = self.sheet(visit).intro(lang.say(self.would_way));
        if !plan.refusals.is_empty() {
            let row = |it: &Refusal<W, O>| {
                let (en, zh) = it.way_out();
                let (reason, way) = match lang {
                    Lang::Zh => (it.zh(), zh),
                    Lang::En => (it.to_string(), en),
                };
                vec![
                    about(&it.code, &it.name, it.what),
                    Cell::of(words(lang, it.what)),
                    Cell::of(reason),
                    Cell::of(way),
                ]
            };
            page = page.problem(&lang.fill(self.refused, &[("n", &plan.refusals.len().to_string())])).table(Table {
                id: "refusals",
                title: lang.say("org.refusals").to_owned(),
                heads: [self.about, "org.what", "org.reason", "org.way"].map(|key| lang.say(key)).into(),
                rows: plan.refusals.iter().map(row).collect(),
                ..Table::default()
            });
        }
        let value = |what, value: Option<&String>| match value {
            None => Cell::of(lang.say("app.none")),
            Some(value) => side(what, value),
        };
        let row = |it: &Change<W>| {
            let tone = if it.what == W::REMOVED { "warn" } else { "-" };
            vec![
                about(&it.code, &it.name, it.what),
                Cell::tagged(words(lang, it.what), tone),
                value(it.what, it.now.as_ref()),
                value(it.what, it.then.as_ref()),
            ]
        };
        page = page.table(Table {
            id: "changes",
            title: lang.fill("org.would", &[("a", &a), ("c", &c), ("r", &r)]),
            heads: [self.about, "org.what", "limits.now", "limits.then"].map(|key| lang.say(key)).into(),
            rows: plan.changes.iter().map(row).collect(),
            empty: lang.say(if plan.refusals.is_empty() { "limits.same" } else { "org.not_compared" }),
            ..Table::default()
        });
        if !plan.refusals.is_empty() {
            return page.form(self.upload(visit)).show(StatusCode::UNPROCESSABLE_ENTITY);
        }
        if !plan.changes.is_empty() {
            // Below a list of hundreds nobody finds it.
            page = page.button("#tools", lang.say("org.to_apply")).form(PlainForm {
                action: self.here.to_owned(),
                title: lang.say("org.apply"),
                intro: lang.say(self.apply_way).to_owned(),
                hidden: vec![("do", "apply".to_owned()), ("file", URL_SAFE_NO_PAD.encode(file))],
                button: lang.say("org.apply"),
                tone: "main",
                ..PlainForm::default()
            });
        }
        page.show(StatusCode::OK)
    }
}

/// Most problems of a file on one page; whoever has more has one mistake in every row.
const MOST_PROBLEMS: usize = 50;

/// In what a thing differs, in the reader's language.
pub(super) fn words(lang: Lang, what: impl Difference) -> &'static str {
    match lang {
        Lang::Zh => what.zh(),
        Lang::En => what.en(),
    }
}
