//! Checks an org file: codes, references, outlines, and what each role needs.

use std::collections::{BTreeMap, BTreeSet};

use xunge_client_core::model::{CategoryRef, OrgCode, OrgLevel, Point, Polygon, Role};

use super::org::{Org, Place, Unit, UnitKind, User};
use super::org_file::{FORMAT, OrgFile, PlaceEntry, UnitEntry, UserEntry};
use super::org_problem::OrgProblem;
use super::taxonomy::Taxonomy;

/// Checks everything and collects every problem; `users` says whether those belong to it.
pub(super) fn check(file: &OrgFile, users: bool) -> Result<Org, Vec<OrgProblem>> {
    let mut check = Check { problems: Vec::new(), places: BTreeSet::new(), units: BTreeMap::new() };
    if file.format != FORMAT {
        check.problems.push(OrgProblem::Format { found: file.format.clone() });
    }
    check.places = file.places.iter().map(|entry| entry.code.as_str()).collect();
    check.duplicates(file.places.iter().map(|entry| &entry.code));
    check.duplicates(file.units.iter().map(|entry| &entry.code));
    let people: &[UserEntry] = if users { &file.users } else { &[] };
    check.duplicates(people.iter().map(|entry| &entry.user));

    let mut places: Vec<Place> = file.places.iter().filter_map(|entry| check.place(entry)).collect();
    // Parents have shorter codes, except that a city and its district both have six digits.
    places.sort_by(|a, b| (a.level, &a.code).cmp(&(b.level, &b.code)));
    let units: Vec<Unit> = file.units.iter().filter_map(|entry| check.unit(entry)).collect();
    check.units = units.iter().map(|unit| (unit.code.to_string(), unit.kind)).collect();
    let listed: Vec<User> = people.iter().filter_map(|entry| check.user(entry)).collect();
    if users && !people.iter().any(|entry| entry.role == Role::Admin.code()) {
        check.problems.push(OrgProblem::NoAdmin);
    }
    match check.problems.is_empty() {
        true => Ok(Org { map_note: file.map_note.clone(), places, units, users: listed }),
        false => Err(check.problems),
    }
}

struct Check<'a> {
    problems: Vec<OrgProblem>,
    places: BTreeSet<&'a str>,
    units: BTreeMap<String, UnitKind>,
}

/// What the checks of one entry found wrong; `None` means the entry can not be built.
impl Check<'_> {
    fn fail<T>(&mut self, problem: OrgProblem) -> Option<T> {
        self.problems.push(problem);
        None
    }

    fn duplicates<'b>(&mut self, codes: impl Iterator<Item = &'b String>) {
        let mut seen = BTreeMap::new();
        for code in codes {
            let times = seen.entry(code).or_insert(0);
            *times += 1;
            if *times == 2 {
                self.problems.push(OrgProblem::Duplicate { subject: code.clone() });
            }
        }
    }

    fn name(&mut self, subject: &str, name: &str) {
        if name.trim().is_empty() {
            self.problems.push(OrgProblem::NameMissing { subject: subject.to_owned() });
        }
    }

    fn word<T>(&mut self, subject: &str, field: &'static str, value: &str, known: &[(&str, T)]) -> Option<T>
    where
        T: Copy,
    {
        if let Some((_, found)) = known.iter().find(|(word, _)| *word == value) {
            return Some(*found);
        }
        let allowed = known.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        self.fail(OrgProblem::Word { subject: subject.to_owned(), field, value: value.to_owned(), allowed })
    }

    /// A reference to a place of the file.
    fn place_ref(&mut self, subject: &str, field: &'static str, value: &str) -> Option<OrgCode> {
        match value.parse::<OrgCode>() {
            Ok(code) if self.places.contains(value) => Some(code),
            _ => self.fail(OrgProblem::Unknown { subject: subject.to_owned(), field, value: value.to_owned() }),
        }
    }

    fn place(&mut self, entry: &PlaceEntry) -> Option<Place> {
        let subject = &entry.code;
        self.name(subject, &entry.name);
        let typed = entry.code.parse::<OrgCode>().ok().and_then(|code| Some((code.level()?, code)));
        let Some((level, code)) = typed else {
            return self.fail(OrgProblem::Code {
                subject: subject.clone(),
                expected: "a place code: 6 digits city or district, 9 street, 12 community, 15 grid",
                expected_zh: "区划编码:市或区 6 位、街道 9 位、社区 12 位、网格 15 位",
            });
        };
        self.parent(entry, &code, level);
        if let Some(parent) = &entry.parent {
            self.place_ref(subject, "parent", parent);
        }
        if entry.polygon.is_empty() && level == OrgLevel::Grid {
            self.problems.push(OrgProblem::PolygonMissing { subject: subject.clone() });
        }
        let polygon = self.polygon(entry);
        let parent = entry.parent.as_ref().and_then(|parent| parent.parse().ok());
        Some(Place { code, level, name: entry.name.clone(), parent, polygon })
    }

    /// The parent has to be what the digits say; only a city or district may stand at the top.
    fn parent(&mut self, entry: &PlaceEntry, code: &OrgCode, level: OrgLevel) {
        let above = match level {
            OrgLevel::City => None,
            OrgLevel::District => Some(OrgLevel::City),
            OrgLevel::Street => Some(OrgLevel::District),
            OrgLevel::Community => Some(OrgLevel::Street),
            OrgLevel::Grid => Some(OrgLevel::Community),
        };
        let implied = above.and_then(|above| code.at(above)).map(|code| code.to_string());
        let top = entry.parent.is_none() && matches!(level, OrgLevel::City | OrgLevel::District);
        if entry.parent != implied && !top {
            self.problems.push(OrgProblem::WrongParent {
                subject: entry.code.clone(),
                parent: entry.parent.clone().unwrap_or_else(|| "none".to_owned()),
                expected: implied.map_or_else(|| "none".to_owned(), |code| format!("`{code}`")),
            });
        }
    }

    fn polygon(&mut self, entry: &PlaceEntry) -> Option<Polygon> {
        let subject = entry.code.clone();
        let (first, last) = (entry.polygon.first()?, entry.polygon.last()?);
        if first != last {
            return self.fail(OrgProblem::PolygonOpen { subject });
        }
        let corners = &entry.polygon[1..];
        let points: Option<Vec<Point>> = corners.iter().map(|[lon, lat]| Point::from_degrees(*lon, *lat)).collect();
        match points {
            None => self.fail(OrgProblem::PolygonBad {
                subject,
                reason: "has a position outside the globe",
                reason_zh: "含有超出经纬度范围的坐标",
            }),
            Some(points) if twice_area(&points) == 0 => {
                self.fail(OrgProblem::PolygonBad {
                    subject, reason: "encloses no area", reason_zh: "没有围成面积"
                })
            }
            Some(points) => Some(Polygon(points)),
        }
    }

    fn unit(&mut self, entry: &UnitEntry) -> Option<Unit> {
        let subject = &entry.code;
        self.name(subject, &entry.name);
        let code = entry.code.parse::<OrgCode>().ok().filter(OrgCode::is_unit);
        if code.is_none() {
            self.problems.push(OrgProblem::Code {
                subject: subject.clone(),
                expected: "a unit code: U and up to 19 letters, digits or dashes",
                expected_zh: "单位编码:U 加至多 19 位字母、数字或短横线",
            });
        }
        let kinds = UnitKind::ALL.map(|kind| (kind.code(), kind));
        let kind = self.word(subject, "kind", &entry.kind, &kinds);
        let district = self.place_at(subject, "district", &entry.district, OrgLevel::District);
        let street =
            entry.street.as_ref().and_then(|street| self.place_at(subject, "street", street, OrgLevel::Street));
        if kind == Some(UnitKind::TownOffice) && entry.street.is_none() {
            self.problems.push(OrgProblem::UnitWithoutStreet { subject: subject.clone() });
        }
        let handles: Vec<CategoryRef> = entry.handles.iter().filter_map(|text| self.category(subject, text)).collect();
        Some(Unit { code: code?, name: entry.name.clone(), kind: kind?, district: district?, street, handles })
    }

    fn place_at(&mut self, subject: &str, field: &'static str, value: &str, level: OrgLevel) -> Option<OrgCode> {
        let code = self.place_ref(subject, field, value)?;
        if code.level() == Some(level) {
            return Some(code);
        }
        self.fail(OrgProblem::Unknown { subject: subject.to_owned(), field, value: value.to_owned() })
    }

    fn category(&mut self, subject: &str, text: &str) -> Option<CategoryRef> {
        let known = text.parse::<CategoryRef>().ok().filter(|key| Taxonomy::builtin().get(key).is_some());
        known.or_else(|| {
            self.fail(OrgProblem::Unknown { subject: subject.to_owned(), field: "handles", value: text.to_owned() })
        })
    }

    fn user(&mut self, entry: &UserEntry) -> Option<User> {
        let subject = &entry.user;
        self.name(subject, &entry.name);
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'.' || byte == b'-';
        if !(2..=32).contains(&subject.len()) || !subject.bytes().all(plain) {
            self.problems.push(OrgProblem::Code {
                subject: subject.clone(),
                expected: "a log-in name: 2 to 32 lower-case letters, digits, dots or dashes",
                expected_zh: "登录名:2 到 32 位小写字母、数字、点或短横线",
            });
        }
        let roles: Vec<(&str, Role)> = Role::ALL.iter().map(|role| (role.code(), *role)).collect();
        let role = self.word(subject, "role", &entry.role, &roles);
        let scope = match self.units.contains_key(&entry.scope) {
            true => entry.scope.parse().ok(),
            false => self.place_ref(subject, "scope", &entry.scope),
        };
        let unit = self.unit_of(entry, role);
        let grids = self.grids(entry, role, scope.as_ref());
        Some(User { user: subject.clone(), name: entry.name.clone(), role: role?, scope: scope?, unit, grids })
    }

    fn unit_of(&mut self, entry: &UserEntry, role: Option<Role>) -> Option<OrgCode> {
        let subject = entry.user.clone();
        let found = entry.unit.as_ref().and_then(|unit| self.units.get(unit).copied());
        if let (Some(unit), None) = (&entry.unit, found) {
            return self.fail(OrgProblem::Unknown { subject, field: "unit", value: unit.clone() });
        }
        let (fits, expected): (&[UnitKind], _) = match role {
            Some(Role::Inspector | Role::TownOffice) => {
                (&[UnitKind::TownOffice, UnitKind::Department], "town_office or department")
            }
            Some(Role::HandlingUnit) => (&[UnitKind::Handling], "handling"),
            _ => return entry.unit.as_ref().and_then(|unit| unit.parse().ok()),
        };
        match found.is_some_and(|kind| fits.contains(&kind)) {
            true => entry.unit.as_ref().and_then(|unit| unit.parse().ok()),
            false => self.fail(OrgProblem::UserUnit { subject, expected }),
        }
    }

    fn grids(&mut self, entry: &UserEntry, role: Option<Role>, scope: Option<&OrgCode>) -> Vec<OrgCode> {
        let subject = &entry.user;
        if role == Some(Role::Inspector) && entry.grids.is_empty() {
            self.problems.push(OrgProblem::InspectorWithoutGrid { subject: subject.clone() });
        }
        let mut grids = Vec::new();
        for text in &entry.grids {
            let Some(grid) = self.place_at(subject, "grids", text, OrgLevel::Grid) else { continue };
            if let Some(scope) = scope.filter(|scope| !scope.is_unit() && !scope.contains(&grid)) {
                self.problems.push(OrgProblem::GridOutsideScope {
                    subject: subject.clone(),
                    grid: text.clone(),
                    scope: scope.to_string(),
                });
            }
            grids.push(grid);
        }
        grids
    }
}

/// Twice the signed area of a ring, exact; zero also for fewer than three corners.
fn twice_area(ring: &[Point]) -> i128 {
    let corner = |index: usize| ring[index % ring.len()];
    (0..ring.len())
        .map(|index| {
            let (a, b) = (corner(index), corner(index + 1));
            i128::from(a.lon_e6) * i128::from(b.lat_e6) - i128::from(b.lon_e6) * i128::from(a.lat_e6)
        })
        .sum()
}

#[cfg(test)]
#[path = "org_check_tests.rs"]
mod tests;
