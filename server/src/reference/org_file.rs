//! The `--org` file: an org tree as JSON. `docs/ORG-FILE.md` describes it for the people who write one.
//!
//! The types here hold what the file says, right or wrong; [`OrgFile::validate`] turns them into an [`Org`] or
//! names every problem at once, so that a city's export is repaired in one round.

use serde::{Deserialize, Serialize};

use super::org::Org;
pub use super::org_problem::OrgProblem;

/// The value of [`OrgFile::format`].
pub const FORMAT: &str = "xunge-org/1";

/// An org tree as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgFile {
    /// Always [`FORMAT`].
    pub format: String,
    /// A remark for readers of the file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Printed under maps drawn from these polygons.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub map_note: String,
    /// Places, in any order.
    pub places: Vec<PlaceEntry>,
    /// Offices, departments, handling units.
    pub units: Vec<UnitEntry>,
    /// Everyone who logs in; `init` needs them, later changes of the tree do not.
    #[serde(default)]
    pub users: Vec<UserEntry>,
}

/// A place as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceEntry {
    /// 6 digits city (ending in `00`) or district, 9 street, 12 community, 15 grid.
    pub code: String,
    /// Name shown to people.
    pub name: String,
    /// Code of the place above; left out for the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// `[longitude, latitude]` in degrees, WGS-84 or CGCS2000; the last position repeats the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub polygon: Vec<[f64; 2]>,
}

/// A unit as written.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitEntry {
    /// `U` and up to 19 letters, digits or dashes.
    pub code: String,
    /// Full name, as reports print it.
    pub name: String,
    /// `town_office`, `department` or `handling`.
    pub kind: String,
    /// Code of the district.
    pub district: String,
    /// Code of the street; required for a town office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub street: Option<String>,
    /// `scheme:kind:code` of what a handling unit usually handles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handles: Vec<String>,
}

/// A user as written. Passwords and enrolment codes are made by `init`, never written in this file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserEntry {
    /// Log-in name: 2 to 32 lower-case letters, digits, dots or dashes.
    pub user: String,
    /// Name shown to people.
    pub name: String,
    /// Role code.
    pub role: String,
    /// Code of the place or unit the user sees.
    pub scope: String,
    /// Code of the unit; required for inspectors, reviewers and handlers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Codes of the grids an inspector patrols.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grids: Vec<String>,
}

impl OrgFile {
    /// Reads the JSON of a file.
    ///
    /// # Errors
    /// [`OrgProblem::Json`] with line and column.
    pub fn from_json(text: &str) -> Result<Self, OrgProblem> {
        serde_json::from_str(text).map_err(|error| OrgProblem::Json {
            line: error.line(),
            column: error.column(),
            reason: error.to_string(),
        })
    }

    /// Checks every code and reference.
    ///
    /// # Errors
    /// All problems found, in the order of the file.
    pub fn validate(&self) -> Result<Org, Vec<OrgProblem>> {
        super::org_check::check(self, true)
    }

    /// Reads the places and units of a file; the tree it gives has no users. People come and go, so those of an old
    /// file say nothing about a tree.
    ///
    /// # Errors
    /// All problems found, in the order of the file.
    pub fn tree(text: &str) -> Result<Org, Vec<OrgProblem>> {
        super::org_check::check(&Self::from_json(text).map_err(|problem| vec![problem])?, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_example_is_valid() {
        let file = OrgFile::from_json(include_str!("../../../docs/examples/org.json")).unwrap();
        let org = file.validate().unwrap();
        assert!(org.grids().count() >= 2 && org.units.len() >= 3 && org.users.len() >= 8);
        assert_eq!(serde_json::from_str::<OrgFile>(&serde_json::to_string(&file).unwrap()).unwrap(), file);
    }

    #[test]
    fn a_misspelt_member_is_named_with_its_line() {
        let problem = OrgFile::from_json("{\n\"format\": \"xunge-org/1\",\n\"plces\": []}").unwrap_err();
        assert!(matches!(&problem, OrgProblem::Json { line: 3, reason, .. } if reason.contains("plces")), "{problem}");
    }
}
