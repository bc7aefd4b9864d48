//! What a field document may hold: registers, entries and the rules of their values.
//!
//! The same table serves the phone (an edit is checked before it is written) and the gate (a foreign
//! change is checked before it is replayed), so no honest edit can be refused for its values.

use super::gate::GateCode;
use crate::model::{CategoryRef, CoordSys, Facts, LocationSource, Mode, PhotoHash, PhotoRole, Ulid};

/// The version mark every document carries; written by the first change, never again.
pub(crate) const VERSION_KEY: &str = "v";
/// The version this code writes and accepts.
pub(crate) const VERSION: i64 = 1;

/// A value as it is stored: plain text or a plain signed integer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Int(i64),
}

/// What values a key takes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// Text of at most so many characters.
    Text { max_chars: usize },
    /// Text that passes a test.
    Shape(fn(&str) -> bool),
    /// An integer from `min` to `max`.
    Int { min: i64, max: i64 },
}

impl Rule {
    /// True if `value` may be stored.
    ///
    /// U+0000 is refused everywhere: PostgreSQL can not store it in a text.
    pub(crate) fn allows(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Text { max_chars }, Value::Text(text)) => {
                // Counting characters is only needed where bytes do not decide.
                (text.len() <= *max_chars || text.chars().count() <= *max_chars) && !text.contains('\0')
            }
            (Self::Shape(test), Value::Text(text)) => test(text) && !text.contains('\0'),
            (Self::Int { min, max }, Value::Int(number)) => (*min..=*max).contains(&number),
            _ => false,
        }
    }
}

/// A named key with its rule.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) rule: Rule,
}

const U32: Rule = Rule::Int { min: 0, max: u32::MAX as i64 };
/// Any instant of the years 1 to 9999: a wrong clock is flagged by the server, not refused; a number that is
/// no date could overflow whatever computes with it.
const INSTANT: Rule = Rule::Int { min: -62_135_596_800_000, max: 253_402_300_799_999 };
const LONG_TEXT: Rule = Rule::Text { max_chars: Facts::MAX_TEXT_CHARS };

pub(crate) const CATEGORY_CLAIM: &str = "category_claim";
pub(crate) const DESCRIPTION: &str = "description";
pub(crate) const LOCATION_TEXT: &str = "location_text";
pub(crate) const LON_E6: &str = "lon_e6";
pub(crate) const LAT_E6: &str = "lat_e6";
pub(crate) const ACCURACY_M: &str = "accuracy_m";
pub(crate) const COORD_SYS: &str = "coord_sys";
pub(crate) const LOCATION_SOURCE: &str = "location_source";
pub(crate) const FIX_AGE_S: &str = "fix_age_s";
pub(crate) const GRID_CLAIM: &str = "grid_claim";
pub(crate) const MODE_CLAIM: &str = "mode_claim";
pub(crate) const HANDLE_NOTE: &str = "handle_note";
pub(crate) const DISCOVERED_AT: &str = "discovered_at";
pub(crate) const HANDLED_AT: &str = "handled_at";

/// Every base register (plain key of the root map).
pub(crate) const REGISTERS: &[Field] = &[
    Field { name: CATEGORY_CLAIM, rule: Rule::Shape(is_category) },
    Field { name: DESCRIPTION, rule: LONG_TEXT },
    Field { name: LOCATION_TEXT, rule: Rule::Text { max_chars: Facts::MAX_LOCATION_CHARS } },
    Field { name: LON_E6, rule: Rule::Int { min: -180_000_000, max: 180_000_000 } },
    Field { name: LAT_E6, rule: Rule::Int { min: -90_000_000, max: 90_000_000 } },
    Field { name: ACCURACY_M, rule: U32 },
    Field { name: COORD_SYS, rule: Rule::Shape(|text| CoordSys::from_code(text).is_some()) },
    Field { name: LOCATION_SOURCE, rule: Rule::Shape(|text| LocationSource::from_code(text).is_some()) },
    Field { name: FIX_AGE_S, rule: U32 },
    Field { name: GRID_CLAIM, rule: Rule::Shape(is_grid_code) },
    Field { name: MODE_CLAIM, rule: Rule::Shape(|text| Mode::from_code(text).is_some()) },
    Field { name: HANDLE_NOTE, rule: LONG_TEXT },
    Field { name: DISCOVERED_AT, rule: INSTANT },
    Field { name: HANDLED_AT, rule: INSTANT },
];

/// The base register of this name.
pub(crate) fn register(name: &str) -> Option<&'static Field> {
    REGISTERS.iter().find(|field| field.name == name)
}

/// A map of entries under the root. Entries are written once, by one change, and never touched again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Container {
    Photos,
    Remarks,
    Supplements,
}

pub(crate) const ROLE: &str = "role";
pub(crate) const MIME: &str = "mime";
pub(crate) const BYTES: &str = "bytes";
pub(crate) const WIDTH: &str = "w";
pub(crate) const HEIGHT: &str = "h";
pub(crate) const TAKEN_AT: &str = "taken_at";
pub(crate) const TEXT: &str = "text";
pub(crate) const AT: &str = "at";

/// Required fields first, see [`Container::required`].
const PHOTO_FIELDS: &[Field] = &[
    Field { name: ROLE, rule: Rule::Shape(|text| PhotoRole::from_code(text).is_some()) },
    Field { name: MIME, rule: Rule::Shape(is_media_type) },
    Field { name: BYTES, rule: Rule::Int { min: 0, max: 1 << 40 } },
    Field { name: WIDTH, rule: U32 },
    Field { name: HEIGHT, rule: U32 },
    Field { name: TAKEN_AT, rule: INSTANT },
];
const REMARK_FIELDS: &[Field] = &[Field { name: TEXT, rule: LONG_TEXT }, Field { name: AT, rule: INSTANT }];

impl Container {
    pub(crate) const ALL: [Self; 3] = [Self::Photos, Self::Remarks, Self::Supplements];

    /// The key in the root map, and the name in `touched`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Photos => "photos",
            Self::Remarks => "remarks",
            Self::Supplements => "supplements",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|container| container.name() == name)
    }

    /// True if `key` may name an entry: a lower-case SHA-256, or a ULID in its one canonical spelling.
    pub(crate) fn allows_key(self, key: &str) -> bool {
        match self {
            Self::Photos => key.parse::<PhotoHash>().is_ok() && !key.bytes().any(|byte| byte.is_ascii_uppercase()),
            Self::Remarks | Self::Supplements => {
                key.parse::<Ulid>().is_ok() && !key.bytes().any(|byte| byte.is_ascii_lowercase())
            }
        }
    }

    /// The fields of an entry, the required ones first.
    pub(crate) const fn fields(self) -> &'static [Field] {
        match self {
            Self::Photos => PHOTO_FIELDS,
            Self::Remarks | Self::Supplements => REMARK_FIELDS,
        }
    }

    /// How many of [`Container::fields`] every entry must have.
    pub(crate) const fn required(self) -> usize {
        match self {
            Self::Photos => 5,
            Self::Remarks | Self::Supplements => 2,
        }
    }
}

fn is_category(text: &str) -> bool {
    text.parse::<CategoryRef>().is_ok()
}

fn is_grid_code(text: &str) -> bool {
    (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_media_type(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_graphic()) && text.contains('/')
}

/// Checks a value that our own side is about to write.
pub(crate) fn check(field: &Field, value: Value<'_>) -> Result<(), GateCode> {
    if field.rule.allows(value) { Ok(()) } else { Err(GateCode::BadValue) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(name: &str, value: Value<'_>) -> bool {
        register(name).unwrap().rule.allows(value)
    }

    #[test]
    fn lengths_count_characters_not_bytes() {
        assert!(allows(DESCRIPTION, Value::Text(&"巡".repeat(2_000))));
        assert!(!allows(DESCRIPTION, Value::Text(&"巡".repeat(2_001))));
        assert!(!allows(DESCRIPTION, Value::Text("a\0b")));
    }

    #[test]
    fn the_globe_bounds_points_and_the_calendar_bounds_times() {
        assert!(allows(LON_E6, Value::Int(-180_000_000)) && !allows(LON_E6, Value::Int(180_000_001)));
        assert!(!allows(LAT_E6, Value::Int(-90_000_001)));
        assert!(allows(DISCOVERED_AT, Value::Int(0)) && allows(DISCOVERED_AT, Value::Int(4_102_444_800_000)));
        assert!(!allows(DISCOVERED_AT, Value::Int(i64::MIN)) && !allows(DISCOVERED_AT, Value::Int(i64::MAX)));
        assert!(!allows(DISCOVERED_AT, Value::Text("2023-11-30")));
    }

    #[test]
    fn entry_keys_have_one_spelling() {
        let hash = "ab".repeat(32);
        assert!(Container::Photos.allows_key(&hash) && !Container::Photos.allows_key(&hash.to_uppercase()));
        let ulid = "01HGW2BBG0000000000000000A";
        assert!(Container::Remarks.allows_key(ulid) && !Container::Remarks.allows_key(&ulid.to_lowercase()));
        assert!(!Container::Supplements.allows_key(&hash));
    }

    #[test]
    fn no_register_names_a_decision() {
        for decision in
            ["state", "version", "case_no", "mode", "category_final", "handler", "due_at", "flags", "filed_at"]
        {
            assert!(register(decision).is_none() && Container::from_name(decision).is_none(), "{decision}");
        }
    }
}
