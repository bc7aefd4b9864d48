//! What a clerk typed, as the domain takes it; what can not be read is said per field, all of it at once.

use xunge_client_core::model::{
    CaseId, CategoryRef, CoordSys, Facts, OrgCode, OrgLevel, PhotoHash, Point, Sha256, Ulid,
};
use xunge_client_core::workflow::Source;

use super::{PATH, Problems};
use crate::console::forms::moment;
use crate::console::lang::Lang;
use crate::console::sent::Sent;
use crate::console::visit::Visit;
use crate::domain::commands::Key;
use crate::domain::directory::Place;
use crate::domain::external::External;
use crate::domain::intake::office::Registration;

/// Fields that must be filled in.
pub(super) const NEEDED: [&str; 3] = ["source", "category", "description"];
/// Most characters of another system's name and number.
const MAX_NUMBER: usize = 64;

/// The grids a clerk may put a case into: those of their part of the district.
pub(super) fn grids(visit: &Visit) -> impl Iterator<Item = (&OrgCode, &Place)> {
    let district = visit.district();
    visit.directory.places().filter(move |(code, _)| {
        let own = visit.viewer.scope.contains(code) && code.as_str().starts_with(&district);
        own && code.level() == Some(OrgLevel::Grid)
    })
}

/// Reads a form.
///
/// # Errors
/// What is wrong with which field; what else is missing or does not fit the domain says.
pub(super) fn registration(visit: &Visit, sent: &Sent, id: CaseId, number: Ulid) -> Result<Registration, Problems> {
    let (lang, mut problems) = (visit.lang, Problems::new());
    let mut wrong = |name, key| drop(problems.insert(name, lang.say(key).to_owned()));
    macro_rules! read {
        ($name:literal, $key:literal, $take:expr) => {
            sent.given($name).and_then(|text| {
                let value = $take(text);
                if value.is_none() {
                    wrong($name, $key);
                }
                value
            })
        };
    }
    let source = read!("source", "act.bad_value", Source::from_code).unwrap_or(Source::Hotline12345);
    let category_claim = read!("category", "act.bad_value", |text: &str| text.parse::<CategoryRef>().ok());
    let point = read!("point", "intake.bad_point", point);
    let coord_sys = read!("coord_sys", "act.bad_value", CoordSys::from_code);
    let discovered_at = read!("discovered_at", "act.bad_time", moment);
    let office = read!("office", "act.bad_value", |text: &str| text.parse::<OrgCode>().ok());
    let grid = sent.given("grid").map(|text| grid(visit, text));
    let grid_claim = grid.and_then(|grid| grid.map_err(|key| wrong("grid", key)).ok());
    let photos = photos(sent.get("photos"));
    if sent.get("photos").split_whitespace().any(|word| word.parse::<PhotoHash>().is_err()) {
        wrong("photos", "intake.bad_photo");
    }
    if photos.len() > Facts::MAX_PHOTOS {
        problems.insert("photos", lang.fill("intake.many_photos", &[("n", &Facts::MAX_PHOTOS.to_string())]));
    }
    for name in NEEDED.into_iter().filter(|name| sent.given(name).is_none()) {
        problems.insert(name, lang.say("intake.needed").to_owned());
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let facts = Facts {
        category_claim,
        // Browsers end lines in two characters.
        description: sent.get("description").replace("\r\n", "\n"),
        location_text: sent.get("location").to_owned(),
        coord_sys: point.map(|_| coord_sys.unwrap_or(CoordSys::Wgs84)),
        point,
        grid_claim,
        discovered_at,
        ..Facts::default()
    };
    let external = external(source, sent);
    let numbered = external.as_ref().map(|it| (&it.system, &it.number));
    let asked = serde_json::to_vec(&(&facts, source.code(), &photos, &office, numbered)).expect("a form is plain data");
    let key = Key { key: format!("register-{number}"), route: format!("POST {PATH}"), body: Sha256::of(&asked) };
    Ok(Registration { id, facts, source, photos, office, external, key })
}

/// The photos that are here, each once.
pub(super) fn photos(text: &str) -> Vec<PhotoHash> {
    let mut photos: Vec<PhotoHash> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    photos.sort_unstable();
    photos.dedup();
    photos
}

/// Another system's number. A system that is not named is the one its source names.
fn external(source: Source, sent: &Sent) -> Option<External> {
    let (system, number) = (sent.given("system"), sent.given("number"));
    let usual = if source == Source::Hotline12345 { "12345" } else { source.code() };
    system
        .or(number)
        .map(|_| External { system: system.unwrap_or(usual).to_owned(), number: number.unwrap_or_default().to_owned() })
}

/// `106.105, 38.485`, longitude first.
fn point(text: &str) -> Option<Point> {
    let parts: Vec<&str> = text.split([',', '，', '、', ' ', '\t']).filter(|part| !part.is_empty()).collect();
    let [lon, lat] = parts[..] else { return None };
    Point::from_degrees(lon.parse().ok()?, lat.parse().ok()?)
}

/// The grid of the clerk's list that is meant: its code, its name, or both as the list offers them.
fn grid(visit: &Visit, text: &str) -> Result<String, &'static str> {
    let last = text.split_whitespace().next_back().unwrap_or_default();
    if let Some((code, _)) = grids(visit).find(|(code, _)| code.as_str() == last) {
        return Ok(code.to_string());
    }
    let mut named = grids(visit).filter(|(_, place)| place.name == text);
    match (named.next(), named.next()) {
        (Some((code, _)), None) => Ok(code.to_string()),
        (Some(_), Some(_)) => Err("intake.many_grids"),
        (None, _) => Err("intake.bad_grid"),
    }
}

/// What is to be said of a member that the domain misses.
pub(super) fn missing(lang: Lang, member: &str) -> Problems {
    let (name, key) = match member {
        "facts.location_text" => ("location", "intake.needs_place"),
        "office" => ("office", "intake.needs_office"),
        other => (field(other), "intake.needed"),
    };
    Problems::from([(name, lang.say(key).to_owned())])
}

/// What is to be said of a member that the domain does not take.
pub(super) fn invalid(lang: Lang, member: &str) -> Problems {
    let at_most = |n: usize| lang.fill("intake.too_long", &[("n", &n.to_string())]);
    let text = match member {
        "facts.description" => at_most(Facts::MAX_TEXT_CHARS),
        "facts.location_text" => at_most(Facts::MAX_LOCATION_CHARS),
        "external.system" => at_most(MAX_NUMBER),
        "external.number" => lang.fill("intake.bad_number", &[("n", &MAX_NUMBER.to_string())]),
        "office" => lang.say("intake.bad_office").to_owned(),
        "photos" => lang.say("intake.bad_photo").to_owned(),
        _ => lang.say("act.bad_value").to_owned(),
    };
    Problems::from([(field(member), text)])
}

/// What is to be said of a category that was retired while the form was open.
pub(super) fn retired(lang: Lang) -> Problems {
    Problems::from([("category", lang.say("intake.retired").to_owned())])
}

/// The field of the form that stands for a member of the domain.
fn field(member: &str) -> &'static str {
    match member {
        "facts.category_claim" => "category",
        "facts.description" => "description",
        "facts.location_text" => "location",
        "facts.grid_claim" => "grid",
        "facts.lon" | "facts.lat" => "point",
        "facts.coord_sys" => "coord_sys",
        "facts.discovered_at" => "discovered_at",
        "external.system" => "system",
        "external.number" => "number",
        "photos" => "photos",
        "office" => "office",
        _ => "source",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_read_however_they_are_pasted_and_never_the_wrong_way_round() {
        let expected = Point::from_degrees(106.105, 38.485);
        for text in ["106.105,38.485", "106.105, 38.485", "106.105，38.485", "106.105 38.485", "106.105、 38.485"] {
            assert_eq!(point(text), expected, "{text}");
        }
        for text in ["", "106.105", "38.485, 106.105", "106.105, 38.485, 1100", "东经106, 北纬38", "nan, 38", "inf 3"]
        {
            assert_eq!(point(text), None, "{text}");
        }
    }

    #[test]
    fn a_number_without_a_system_belongs_to_the_source() {
        let sent = |system: &str, number: &str| {
            Sent(vec![("system".to_owned(), system.to_owned()), ("number".to_owned(), number.to_owned())])
        };
        let of = |source, system, number| external(source, &sent(system, number)).map(|it| (it.system, it.number));
        let pair = |system: &str, number: &str| Some((system.to_owned(), number.to_owned()));
        assert_eq!(of(Source::Hotline12345, "", "YC-1"), pair("12345", "YC-1"));
        assert_eq!(of(Source::Petition, "", "YC-1"), pair("petition", "YC-1"));
        assert_eq!(of(Source::PeerPlatform, "社会治理平台", "7"), pair("社会治理平台", "7"));
        assert_eq!(of(Source::Media, "报社", ""), pair("报社", ""), "the domain says that the number is missing");
        assert_eq!(of(Source::Media, " ", ""), None);
    }
}
