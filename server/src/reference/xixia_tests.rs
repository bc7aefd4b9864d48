//! The example district is complete, valid, and covered by its grids.

use xunge_client_core::model::{OrgLevel, Point, Role};

use super::super::org::{Org, UnitKind};
use super::super::published::Published;
use super::super::taxonomy::Taxonomy;
use super::*;

fn org() -> Org {
    org_file().validate().unwrap()
}

#[test]
fn the_example_is_valid_and_has_every_role() {
    let org = org();
    for role in Role::ALL {
        assert!(org.with_role(*role).next().is_some(), "{role}");
    }
    assert_eq!(org.with_role(Role::Inspector).count(), 40);
    let count = |level| org.places.iter().filter(|place| place.level == level).count();
    let levels = [OrgLevel::City, OrgLevel::District, OrgLevel::Street, OrgLevel::Community, OrgLevel::Grid];
    assert_eq!(levels.map(count), [1, 1, 9, 36, 144]);
}

#[test]
fn every_reporting_unit_reviews_its_own_reports_with_two_people() {
    let org = org();
    let units: Vec<_> = org.reporting_units().collect();
    assert_eq!(units.len(), 12);
    for unit in units {
        assert_eq!(org.reviewers(&unit.code).count(), 2, "{}", unit.name);
        assert_eq!(unit.street.is_some(), unit.kind == UnitKind::TownOffice, "{}", unit.name);
        let grid = org.grids().next().unwrap();
        assert_eq!(org.reviewing_unit(&unit.code, &grid.code).map(|unit| &unit.code), Some(&unit.code));
    }
}

#[test]
fn the_published_units_are_in_the_example_by_their_exact_names() {
    let org = org();
    for row in &Published::november_2023().units {
        let unit = org.unit_named(&row.unit).unwrap_or_else(|| panic!("{} is missing", row.unit));
        assert!(org.reporting_units().any(|reporting| reporting.code == unit.code));
    }
}

#[test]
fn every_minor_of_the_district_has_a_usual_handler() {
    let org = org();
    for category in Taxonomy::builtin().scheme(XIXIA).filter(|category| !category.is_major()) {
        assert!(org.usual_handler(&category.key).is_some(), "{}", category.key);
    }
}

#[test]
fn the_grids_cover_the_district_without_gap_or_overlap() {
    let org = org();
    let grids: Vec<_> = org.grids().map(|grid| grid.polygon.as_ref().unwrap()).collect();
    let steps = 300;
    for column in 0..steps {
        for row in 0..steps {
            let point = Point {
                lon_e6: 106_000_000 + 200_000 / steps * column + 7,
                lat_e6: 38_400_000 + 250_000 / steps * row + 11,
            };
            assert_eq!(grids.iter().filter(|grid| grid.contains(point)).count(), 1, "{point:?}");
        }
    }
}

#[test]
fn a_point_of_a_grid_lies_in_the_community_and_street_the_code_names() {
    let org = org();
    for grid in org.grids() {
        let [west, south, east, north] = grid.polygon.as_ref().unwrap().bounds().unwrap();
        let centre = Point { lon_e6: (west + east) / 2, lat_e6: (south + north) / 2 };
        assert_eq!(org.grid_at(centre).map(|found| &found.code), Some(&grid.code));
        for level in [OrgLevel::Community, OrgLevel::Street, OrgLevel::District] {
            let above = org.place(&grid.code.at(level).unwrap()).unwrap();
            assert!(above.polygon.as_ref().unwrap().contains(centre), "{} in {}", grid.code, above.code);
        }
    }
}

#[test]
fn every_grid_of_a_street_is_patrolled_by_its_own_office() {
    let org = org();
    for grid in org.grids() {
        let street = grid.code.at(OrgLevel::Street).unwrap();
        let patrolled = org.with_role(Role::Inspector).filter(|user| user.grids.contains(&grid.code));
        assert_eq!(patrolled.filter(|user| user.scope == street).count(), 1, "{}", grid.code);
    }
}
