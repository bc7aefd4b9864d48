//! The form as it is drawn: where it came from, what it is, where it is, photos.

use askama::Template;
use axum::response::Response;
use xunge_client_core::model::{CoordSys, Facts, Ulid};
use xunge_client_core::workflow::Source;

use super::{Problems, Refused, read, whole};
use crate::console::choices::{self, ungrouped};
use crate::console::field::{Choice, Field, Kind};
use crate::console::lang::Lang;
use crate::console::page::{Page, show};
use crate::console::sent::Sent;
use crate::console::visit::Visit;
use crate::reference::org::UnitKind;
use crate::reference::taxonomy::XIXIA;

/// Fields that belong together: id and words of the heading, names.
const SECTIONS: [(&str, &str, &[&str]); 4] = [
    ("from", "intake.from", &["source", "number", "system"]),
    ("what", "intake.what", &["category", "discovered_at", "description"]),
    ("where", "intake.where", &["location", "grid", "office", "point", "coord_sys"]),
    ("photos", "case.photos", &["photos"]),
];

#[derive(Template)]
#[template(path = "register.html")]
struct RegisterPage {
    p: Page,
    number: String,
    sections: [Section; SECTIONS.len()],
}

/// Fields that belong together.
struct Section {
    id: &'static str,
    title: &'static str,
    fields: Vec<Field>,
}

/// The page: with what was typed, and what is wrong with it.
pub(super) fn page(visit: &Visit, sent: &Sent, number: Ulid, refused: Refused) -> Response {
    let lang = visit.lang;
    let sections = SECTIONS.map(|(id, key, names)| {
        let fields = names.iter().map(|name| field(visit, sent, name, &refused.fields)).collect();
        Section { id, title: lang.say(key), fields }
    });
    let page = visit.page(lang.say("intake.title"));
    let said = Some(refused.notice).filter(|notice| !notice.text.is_empty());
    let page = RegisterPage { p: Page { notice: said.or(page.notice), ..page }, number: number.to_string(), sections };
    show(refused.status, &page)
}

/// A form of which some fields are to be corrected: the notice names them.
pub(super) fn to_correct(lang: Lang, fields: Problems) -> Refused {
    let in_order = SECTIONS.iter().flat_map(|(_, _, names)| *names);
    let named: Vec<String> =
        in_order.filter(|name| fields.contains_key(**name)).map(|name| label(lang, name)).collect();
    let text = lang.fill("intake.refused", &[("fields", &named.join(lang.say("intake.and")))]);
    Refused { fields, ..whole(text) }
}

fn label(lang: Lang, name: &str) -> String {
    match name {
        "source" => lang.word("member", "source"),
        "number" => lang.say("intake.number").to_owned(),
        "system" => lang.say("intake.system").to_owned(),
        "category" => lang.say("case.category").to_owned(),
        "description" => lang.word("register", "description"),
        "discovered_at" => lang.say("case.discovered").to_owned(),
        "location" => lang.say("case.place").to_owned(),
        "grid" => lang.say("case.grid").to_owned(),
        "office" => lang.say("case.office").to_owned(),
        "point" => lang.say("case.coordinates").to_owned(),
        "coord_sys" => lang.word("register", "coord_sys"),
        _ => lang.say("intake.photos").to_owned(),
    }
}

fn field(visit: &Visit, sent: &Sent, name: &str, problems: &Problems) -> Field {
    let lang = visit.lang;
    let kept = if name == "photos" { kept_photos(sent) } else { sent.get(name).to_owned() };
    let hint = match name {
        "photos" if !kept.is_empty() => lang.fill("act.photos_sent", &[("n", &kept.split(' ').count().to_string())]),
        "photos" => lang.fill("intake.photos_hint", &[("n", &Facts::MAX_PHOTOS.to_string())]),
        "number" => lang.say("intake.number_hint").to_owned(),
        "system" => lang.say("intake.system_hint").to_owned(),
        "description" => lang.say("intake.description_hint").to_owned(),
        "location" => lang.say("intake.location_hint").to_owned(),
        "grid" => lang.say("intake.grid_hint").to_owned(),
        "office" => lang.say("intake.office_hint").to_owned(),
        "point" => lang.say("intake.point_hint").to_owned(),
        _ => String::new(),
    };
    let problem = problems.get(name).map_or("", String::as_str);
    let drawn = Field::new(name, &label(lang, name), kind(visit, name, &kept), &kept).hinted(hint).faulty(problem);
    match name {
        name if read::NEEDED.contains(&name) => drawn.needed(),
        // Chosen already, or wanted unless something else says where it is.
        "coord_sys" | "location" => drawn,
        _ => Field { optional: lang.say("act.optional"), ..drawn },
    }
}

/// The photos that need not be sent again, as many as a case may have.
fn kept_photos(sent: &Sent) -> String {
    let photos = read::photos(sent.get("photos"));
    photos.iter().take(Facts::MAX_PHOTOS).map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn kind(visit: &Visit, name: &str, current: &str) -> Kind {
    let (lang, directory) = (visit.lang, &visit.directory);
    let first = |key| Choice::new("", lang.say(key), current);
    match name {
        "source" => {
            let current = if current.is_empty() { Source::Hotline12345.code() } else { current };
            let told = Source::ALL.iter().filter(|source| **source != Source::Inspector);
            let choice = |it: &Source| Choice::new(it.code(), lang.word("source", it.code()), current);
            Kind::Choice(vec![ungrouped(told.map(choice).collect())])
        }
        "category" => Kind::Choice(choices::categories(directory, XIXIA, Some(first("act.choose")), false, current)),
        "office" => {
            let reports = |kind| kind != UnitKind::Handling;
            Kind::Choice(choices::units(directory, reports, first("intake.office_of_place"), current))
        }
        "coord_sys" => {
            let choice = |it: &CoordSys| Choice::new(it.code(), lang.word("coord_sys", it.code()), current);
            Kind::Choice(vec![ungrouped(CoordSys::ALL.iter().map(choice).collect())])
        }
        "grid" => {
            let street = |code: &str| choices::place(directory, &code[..9]);
            let offer = |code: &str, name: &str| Choice::new(format!("{name} {code}"), street(code), "");
            Kind::Suggested(read::grids(visit).map(|(code, place)| offer(code.as_str(), &place.name)).collect())
        }
        "description" => Kind::Long,
        "discovered_at" => Kind::Line("datetime-local"),
        "photos" => Kind::Photos,
        _ => Kind::Line("text"),
    }
}
