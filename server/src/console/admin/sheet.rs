//! What every page of the administration is made of: facts, tables, forms, and now and then a secret shown once.

use askama::Template;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use crate::console::field::{Field, Kind};
use crate::console::flash::Flash;
use crate::console::page::{Notice, Page, Tab, go, show};
use crate::console::visit::Visit;

/// A page of the administration.
#[derive(Template, Default)]
#[template(path = "admin.html")]
pub(crate) struct Sheet {
    p: Page,
    places: Vec<Tab>,
    title: String,
    intro: String,
    problem: Option<Notice>,
    secret: Option<Secret>,
    facts: Vec<(&'static str, String)>,
    buttons: Vec<(String, &'static str)>,
    filters: Option<Filters>,
    tables: Vec<Table>,
    forms: Vec<PlainForm>,
    first: Option<String>,
    next: Option<String>,
}

/// Something that is shown this once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secret {
    /// What it is.
    pub(crate) label: String,
    /// The secret.
    pub(crate) text: String,
    /// What to do with it.
    pub(crate) way: String,
    /// The same for a camera; drawn here, hence safe.
    pub(crate) picture: String,
}

/// What a list can be asked by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filters {
    /// Where the question goes.
    pub(crate) action: &'static str,
    /// Its fields.
    pub(crate) fields: Vec<Field>,
}

/// A table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    /// Unique in the page.
    pub(crate) id: &'static str,
    /// Its heading.
    pub(crate) title: String,
    /// What is to be known about it.
    pub(crate) note: String,
    /// Its columns; the first names the row.
    pub(crate) heads: Vec<&'static str>,
    /// Its rows.
    pub(crate) rows: Vec<Vec<Cell>>,
    /// What stands there instead of no rows.
    pub(crate) empty: &'static str,
}

impl Table {
    /// True for a column of numbers, whose head stands above their ends.
    pub(crate) fn is_number(&self, column: &usize) -> bool {
        self.rows.first().and_then(|row| row.get(*column)).is_some_and(|cell| cell.number)
    }
}

/// A cell.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cell {
    /// What it says.
    pub(crate) text: String,
    /// What it leads to; empty for nowhere.
    pub(crate) href: String,
    /// Class of a tag around it; `-` for a plain tag, empty for none.
    pub(crate) tag: &'static str,
    /// Further, softly.
    pub(crate) more: String,
    /// It is a number.
    pub(crate) number: bool,
    /// It is a code.
    pub(crate) code: bool,
    /// One press that does something about the row.
    pub(crate) form: Option<PlainForm>,
}

impl Cell {
    /// Words.
    pub(crate) fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Words that lead somewhere.
    pub(crate) fn link(text: impl Into<String>, href: impl Into<String>) -> Self {
        Self { href: href.into(), ..Self::of(text) }
    }

    /// A number; nothing for zero.
    pub(crate) fn count(n: i64) -> Self {
        Self { number: true, ..Self::of(if n == 0 { String::new() } else { n.to_string() }) }
    }

    /// A word in a frame.
    pub(crate) fn tagged(text: impl Into<String>, tag: &'static str) -> Self {
        Self { tag, ..Self::of(text) }
    }

    /// The same, with more said softly.
    pub(crate) fn and(self, more: impl Into<String>) -> Self {
        Self { more: more.into(), ..self }
    }
}

/// A form of the administration.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlainForm {
    /// Where it goes.
    pub(crate) action: String,
    /// Its heading; empty for a single button in a row.
    pub(crate) title: &'static str,
    /// What to know before.
    pub(crate) intro: String,
    /// What is sent unseen.
    pub(crate) hidden: Vec<(&'static str, String)>,
    /// What is to be filled in.
    pub(crate) fields: Vec<Field>,
    /// What its button says.
    pub(crate) button: &'static str,
    /// Class of the button.
    pub(crate) tone: &'static str,
    /// Shown folded up: what is rarely done.
    pub(crate) folded: bool,
}

impl PlainForm {
    /// True if it brings a file along.
    pub(crate) fn has_file(&self) -> bool {
        self.fields.iter().any(|field| matches!(field.kind, Kind::File(_)))
    }
}

impl Sheet {
    /// An empty page with its title.
    pub(crate) fn new(visit: &Visit, title: impl Into<String>) -> Self {
        let title = title.into();
        Self { p: visit.page(title.clone()), places: places(visit), title, ..Self::default() }
    }

    /// What the page is for.
    pub(crate) fn intro(self, intro: &str) -> Self {
        Self { intro: intro.to_owned(), ..self }
    }

    /// Why the last form was refused; nothing for an empty text.
    pub(crate) fn problem(self, text: &str) -> Self {
        let problem = Notice { tone: "bad", text: text.to_owned(), ..Notice::default() };
        Self { problem: (!text.is_empty()).then_some(problem), ..self }
    }

    /// Something shown this once.
    pub(crate) fn secret(self, secret: Option<Secret>) -> Self {
        Self { secret, ..self }
    }

    /// Facts of one thing; those without a value are left out.
    pub(crate) fn facts(self, facts: Vec<(&'static str, String)>) -> Self {
        Self { facts: facts.into_iter().filter(|(_, value)| !value.is_empty()).collect(), ..self }
    }

    /// A way on, beside the title.
    pub(crate) fn button(mut self, href: impl Into<String>, label: &'static str) -> Self {
        self.buttons.push((href.into(), label));
        self
    }

    /// What the list can be asked by.
    pub(crate) fn filters(self, action: &'static str, fields: Vec<Field>) -> Self {
        Self { filters: Some(Filters { action, fields }), ..self }
    }

    /// A table.
    pub(crate) fn table(mut self, table: Table) -> Self {
        self.tables.push(table);
        self
    }

    /// A form.
    pub(crate) fn form(mut self, form: PlainForm) -> Self {
        self.forms.push(form);
        self
    }

    /// Takes the forms away from those who may look and not change.
    pub(crate) fn read_only(mut self, only: bool) -> Self {
        if only {
            self.forms.clear();
            self.tables.iter_mut().flat_map(|table| table.rows.iter_mut().flatten()).for_each(|cell| cell.form = None);
        }
        self
    }

    /// Where the list begins and goes on.
    pub(crate) fn pages(self, first: Option<String>, next: Option<String>) -> Self {
        Self { first, next, ..self }
    }

    /// The page.
    pub(crate) fn show(self, status: StatusCode) -> Response {
        show(status, &self)
    }
}

/// Back to a page that says once that it was done.
pub(crate) fn saved(to: &str) -> Response {
    let mut answer = go(to);
    let cookie: HeaderValue = Flash::Saved.cookie();
    answer.headers_mut().append(header::SET_COOKIE, cookie);
    answer
}

/// Where one can go within the administration.
fn places(visit: &Visit) -> Vec<Tab> {
    let path = visit.here.split('?').next().unwrap_or_default();
    let place = |href: &'static str, key| Tab {
        href,
        label: visit.lang.say(key),
        here: if href == "/admin" { path == "/admin" } else { path.starts_with(href) },
    };
    if !visit.administers() {
        return Vec::new();
    }
    vec![
        place("/admin/users", "admin.users"),
        place("/admin/phones", "admin.phones"),
        place("/admin/org", "admin.org"),
        place("/admin/categories", "admin.categories"),
        place("/admin/reasons", "admin.reasons"),
        place("/admin/limits", "admin.limits"),
        place("/admin/rules", "admin.rules"),
        place("/admin/quarantine", "admin.quarantine"),
        place("/admin/audit", "admin.audit"),
    ]
}
