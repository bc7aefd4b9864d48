//! The checked org tree (组织树): places, units and users whose references all resolve.

use serde::{Deserialize, Serialize};
use xunge_client_core::model::{CategoryRef, OrgCode, OrgLevel, Point, Polygon, Role};

/// What a unit does in the life of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitKind {
    /// A town or street office (镇街): reports, and reviews what its street reports.
    TownOffice,
    /// A department that reports across the district (部门).
    Department,
    /// A handling unit (处置单位): gets forwarded cases.
    Handling,
}

impl UnitKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::TownOffice, Self::Department, Self::Handling];

    /// The stable code, as written in files.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TownOffice => "town_office",
            Self::Department => "department",
            Self::Handling => "handling",
        }
    }

    /// The kind with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// A place of the tree: city, district, street, community or grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its code; the level follows from the digits.
    pub code: OrgCode,
    /// City to grid.
    pub level: OrgLevel,
    /// Name shown to people.
    pub name: String,
    /// The place above; `None` only for the top of the file.
    pub parent: Option<OrgCode>,
    /// Its outline in WGS-84; every grid has one.
    pub polygon: Option<Polygon>,
}

/// An office, department or handling unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// Unit code, `U…`.
    pub code: OrgCode,
    /// Full name, as reports print it.
    pub name: String,
    /// What it does.
    pub kind: UnitKind,
    /// The district it belongs to.
    pub district: OrgCode,
    /// The street it is responsible for; every town office has one.
    pub street: Option<OrgCode>,
    /// Categories it is the usual handler of; majors stand for all their minors.
    pub handles: Vec<CategoryRef>,
}

/// A person with a log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Log-in name.
    pub user: String,
    /// Name shown to people.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// The part of the tree the person sees.
    pub scope: OrgCode,
    /// The unit the person works for.
    pub unit: Option<OrgCode>,
    /// The grids an inspector patrols; empty for others.
    pub grids: Vec<OrgCode>,
}

/// An org tree whose references all resolve; made by [`super::org_file::OrgFile::validate`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Org {
    /// Printed under every map of these polygons, for example that they are synthetic; may be empty.
    pub map_note: String,
    /// Places, parents before their children.
    pub places: Vec<Place>,
    /// Units, in the order of the file.
    pub units: Vec<Unit>,
    /// Users, in the order of the file.
    pub users: Vec<User>,
}

impl Org {
    /// The place with this code.
    pub fn place(&self, code: &OrgCode) -> Option<&Place> {
        self.places.iter().find(|place| place.code == *code)
    }

    /// The unit with this code.
    pub fn unit(&self, code: &OrgCode) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.code == *code)
    }

    /// The unit with this full name.
    pub fn unit_named(&self, name: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.name == name)
    }

    /// All grids.
    pub fn grids(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|place| place.level == OrgLevel::Grid)
    }

    /// All districts.
    pub fn districts(&self) -> impl Iterator<Item = &Place> {
        self.places.iter().filter(|place| place.level == OrgLevel::District)
    }

    /// The grid a WGS-84 point lies in; `None` outside every grid.
    pub fn grid_at(&self, point: Point) -> Option<&Place> {
        self.grids().find(|grid| grid.polygon.as_ref().is_some_and(|polygon| polygon.contains(point)))
    }

    /// Users with this role.
    pub fn with_role(&self, role: Role) -> impl Iterator<Item = &User> {
        self.users.iter().filter(move |user| user.role == role)
    }

    /// The reviewers (审核员) of a unit.
    pub fn reviewers<'a>(&'a self, unit: &'a OrgCode) -> impl Iterator<Item = &'a User> {
        self.with_role(Role::TownOffice).filter(move |user| user.unit.as_ref() == Some(unit))
    }

    /// The unit that reviews what `unit` reports from `grid`.
    ///
    /// It is the reporter's own unit when that has reviewers, else the office of the grid's street.
    pub fn reviewing_unit(&self, unit: &OrgCode, grid: &OrgCode) -> Option<&Unit> {
        if self.reviewers(unit).next().is_some() {
            return self.unit(unit);
        }
        let street = grid.at(OrgLevel::Street)?;
        self.units.iter().find(|office| office.kind == UnitKind::TownOffice && office.street.as_ref() == Some(&street))
    }

    /// Units that report: those with inspectors, in the order of the file.
    pub fn reporting_units(&self) -> impl Iterator<Item = &Unit> {
        self.units
            .iter()
            .filter(|unit| self.with_role(Role::Inspector).any(|user| user.unit.as_ref() == Some(&unit.code)))
    }

    /// The usual handler of a category: the first handling unit that names it, or its major.
    pub fn usual_handler(&self, category: &CategoryRef) -> Option<&Unit> {
        let major = super::taxonomy::Taxonomy::builtin().major_of(category).map(|entry| &entry.key);
        let handling = || self.units.iter().filter(|unit| unit.kind == UnitKind::Handling);
        handling()
            .find(|unit| unit.handles.contains(category))
            .or_else(|| handling().find(|unit| unit.handles.iter().any(|handled| Some(handled) == major)))
    }
}
