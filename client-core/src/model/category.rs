//! Categories (大类/小类). The tree is versioned data, not an enum: cities run their own.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::role::coded;

coded! {
    /// Part (部件: a thing of the city) or event (事件: something that happens).
    Kind {
        /// A manhole cover, a lamp, a bench.
        Part = "part", "部件";
        /// Litter, illegal parking, a stall on the pavement.
        Event = "event", "事件";
    }
}

/// One category: the standard reuses the same digits for a part and for its "异常" event, so the key has three parts.
///
/// Written `scheme:kind:code`, for example `gb47678.5-2026:event:06010`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CategoryRef {
    /// The tree the code belongs to, for example `xixia-2023`.
    pub scheme: String,
    /// Part or event.
    pub kind: Kind,
    /// The code inside scheme and kind.
    pub code: String,
}

impl CategoryRef {
    /// Most bytes a written category may have.
    pub const MAX_BYTES: usize = 96;
}

impl fmt::Display for CategoryRef {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}:{}", self.scheme, self.kind, self.code)
    }
}

impl FromStr for CategoryRef {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(':');
        let (scheme, kind, code) = (parts.next(), parts.next(), parts.next());
        match (scheme, kind.and_then(Kind::from_code), code, parts.next()) {
            (Some(scheme), Some(kind), Some(code), None)
                if !scheme.is_empty() && !code.is_empty() && text.len() <= Self::MAX_BYTES =>
            {
                Ok(Self { scheme: scheme.to_owned(), kind, code: code.to_owned() })
            }
            _ => Err(format!("`{text}` is not a category like gb47678.5-2026:event:06010")),
        }
    }
}

impl Serialize for CategoryRef {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CategoryRef {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_survives_its_text_form() {
        let category: CategoryRef = "xixia-2023:event:0101".parse().unwrap();
        assert_eq!(category.to_string(), "xixia-2023:event:0101");
    }

    #[test]
    fn a_part_and_its_event_with_the_same_digits_are_two_categories() {
        let part: CategoryRef = "gb47678.5-2026:part:01001".parse().unwrap();
        let event: CategoryRef = "gb47678.5-2026:event:01001".parse().unwrap();
        assert_ne!(part, event);
    }

    #[test]
    fn texts_that_are_no_category_are_refused() {
        for text in ["", "a", "a:event", "a:thing:1", ":event:1", "a:event:", "a:event:1:2"] {
            assert!(text.parse::<CategoryRef>().is_err(), "{text}");
        }
    }
}
