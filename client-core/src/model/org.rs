//! Codes of the org tree: city, district, street, community, grid (GB/T 2260 and its continuation), and units.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::role::coded;

coded! {
    /// A level of the org tree; each code is its parent's code plus three digits (the city: 4 digits and `00`).
    OrgLevel {
        /// City (市), 6 digits ending in `00`.
        City = "city", "市";
        /// District (区县), 6 digits.
        District = "district", "区县";
        /// Street or town (街道/镇), 9 digits.
        Street = "street", "镇街";
        /// Community (社区/村), 12 digits.
        Community = "community", "社区";
        /// Cell grid (单元网格), 15 digits.
        Grid = "grid", "单元网格";
    }
}

/// Why a text is not an org code.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not an org code: 6, 9, 12 or 15 digits, or a unit code like U640105001")]
pub struct OrgError(pub String);

/// A place in the org tree or a unit: what a `scope` parameter names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrgCode(String);

impl OrgCode {
    /// The code as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for a unit code (`U` and up to 19 letters, digits or dashes).
    pub fn is_unit(&self) -> bool {
        self.0.starts_with('U')
    }

    /// The level of a place; `None` for a unit.
    pub fn level(&self) -> Option<OrgLevel> {
        match self.0.len() {
            _ if self.is_unit() => None,
            6 if self.0.ends_with("00") => Some(OrgLevel::City),
            6 => Some(OrgLevel::District),
            9 => Some(OrgLevel::Street),
            12 => Some(OrgLevel::Community),
            _ => Some(OrgLevel::Grid),
        }
    }

    /// The digits all codes below this place begin with: four for a city, the whole code else.
    pub fn prefix(&self) -> &str {
        match self.level() {
            Some(OrgLevel::City) => &self.0[..4],
            _ => &self.0,
        }
    }

    /// True if `other` is this place or lies below it. Units contain only themselves.
    pub fn contains(&self, other: &OrgCode) -> bool {
        match self.level() {
            None => self == other,
            Some(_) => !other.is_unit() && other.0.starts_with(self.prefix()),
        }
    }

    /// The code of the place above at `level`, if this place has one there (itself included).
    pub fn at(&self, level: OrgLevel) -> Option<OrgCode> {
        let digits = match level {
            OrgLevel::City => return self.level().map(|_| OrgCode(format!("{}00", &self.0[..4]))),
            OrgLevel::District => 6,
            OrgLevel::Street => 9,
            OrgLevel::Community => 12,
            OrgLevel::Grid => 15,
        };
        let below_city = self.level().is_some_and(|own| own != OrgLevel::City);
        (below_city && self.0.len() >= digits).then(|| OrgCode(self.0[..digits].to_owned()))
    }
}

impl fmt::Display for OrgCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Debug for OrgCode {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for OrgCode {
    type Err = OrgError;

    fn from_str(text: &str) -> Result<Self, OrgError> {
        let place = matches!(text.len(), 6 | 9 | 12 | 15) && text.bytes().all(|b| b.is_ascii_digit());
        let unit = text.strip_prefix('U').is_some_and(|rest| {
            (1..=19).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        });
        if place || unit { Ok(Self(text.to_owned())) } else { Err(OrgError(text.to_owned())) }
    }
}

impl Serialize for OrgCode {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for OrgCode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> OrgCode {
        text.parse().unwrap()
    }

    #[test]
    fn a_place_contains_what_lies_below_it_and_nothing_beside() {
        assert!(code("640105").contains(&code("640105001002003")));
        assert!(code("640100").contains(&code("640105")));
        assert!(!code("640105001").contains(&code("640105002001")));
        assert!(!code("640105").contains(&code("U640105001")));
        assert!(code("U640105001").contains(&code("U640105001")));
    }

    #[test]
    fn a_grid_knows_the_places_above_it() {
        let grid = code("640105001002003");
        assert_eq!(grid.at(OrgLevel::City), Some(code("640100")));
        assert_eq!(grid.at(OrgLevel::Street), Some(code("640105001")));
        assert_eq!(grid.at(OrgLevel::Grid), Some(grid.clone()));
        assert_eq!(code("640105").at(OrgLevel::Street), None);
        assert_eq!(code("640100").at(OrgLevel::District), None);
    }

    #[test]
    fn texts_that_are_no_code_are_refused() {
        for text in ["", "64010", "6401051", "64010a", "U", "U_1", "640105001002003004"] {
            assert!(text.parse::<OrgCode>().is_err(), "{text}");
        }
    }
}
