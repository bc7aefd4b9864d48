//! Every problem is found, names the thing, and has a way out in both languages.

use super::*;
use crate::reference::problem::Problem;

fn example() -> OrgFile {
    OrgFile::from_json(include_str!("../../../docs/examples/org.json")).unwrap()
}

/// The problems of the example after one change.
fn problems(change: impl FnOnce(&mut OrgFile)) -> Vec<OrgProblem> {
    let mut file = example();
    change(&mut file);
    let found = file.validate().unwrap_err();
    for problem in &found {
        assert!(problem.to_string().contains(&problem.subject()) || problem.subject() == "users");
        assert!(!problem.way_out().0.is_empty());
        assert!(problem.zh().chars().any(|c| c > '\u{4e00}') && !problem.way_out().1.is_empty());
    }
    found
}

/// Codes and subjects of the problems after one change.
fn found(change: impl FnOnce(&mut OrgFile)) -> Vec<(&'static str, String)> {
    problems(change).iter().map(|problem| (problem.code(), problem.subject())).collect()
}

fn one(code: &'static str, subject: &str) -> Vec<(&'static str, String)> {
    vec![(code, subject.to_owned())]
}

fn grid(file: &mut OrgFile) -> &mut PlaceEntry {
    file.places.iter_mut().find(|place| place.code == "640199001001001").unwrap()
}

fn unit(file: &mut OrgFile) -> &mut UnitEntry {
    file.units.iter_mut().find(|unit| unit.code == "U640199001").unwrap()
}

fn user<'a>(file: &'a mut OrgFile, name: &str) -> &'a mut UserEntry {
    file.users.iter_mut().find(|user| user.user == name).unwrap()
}

#[test]
fn a_code_with_the_wrong_number_of_digits_is_named() {
    let new = PlaceEntry { code: "64019900100".into(), name: "x".into(), parent: None, polygon: vec![] };
    assert_eq!(found(|file| file.places.push(new)), one("org_code", "64019900100"));
    assert_eq!(
        found(|file| file.units.push(UnitEntry { code: "U_1".into(), ..unit(&mut example()).clone() })),
        one("org_code", "U_1")
    );
    assert_eq!(found(|file| user(file, "admin").user = "Admin!".into()), one("org_code", "Admin!"));
}

#[test]
fn a_code_used_twice_is_named_once() {
    let duplicate = grid(&mut example()).clone();
    assert_eq!(
        found(|file| file.places.extend([duplicate.clone(), duplicate])),
        one("org_duplicate", "640199001001001")
    );
}

#[test]
fn a_parent_the_file_lacks_or_the_digits_contradict_is_named() {
    let unknown = found(|file| file.places.retain(|place| place.code != "640199001001"));
    assert!(unknown.contains(&("org_unknown", "640199001001001".into())));
    assert_eq!(found(|file| grid(file).parent = Some("640199001".into())), one("org_wrong_parent", "640199001001001"));
    assert_eq!(found(|file| grid(file).parent = None), one("org_wrong_parent", "640199001001001"));
}

#[test]
fn a_grid_needs_a_closed_ring_with_an_area_on_the_globe() {
    let subject = "640199001001001";
    assert_eq!(found(|file| grid(file).polygon.clear()), one("org_polygon_missing", subject));
    assert_eq!(found(|file| grid(file).polygon.truncate(4)), one("org_polygon_open", subject));
    assert_eq!(found(|file| grid(file).polygon = vec![[106.0, 38.0]; 4]), one("org_polygon_bad", subject));
    assert_eq!(found(|file| grid(file).polygon[1] = [206.0, 38.0]), one("org_polygon_bad", subject));
}

#[test]
fn a_town_office_needs_a_street_and_every_unit_a_known_kind_and_district() {
    assert_eq!(found(|file| unit(file).street = None), one("org_unit_without_street", "U640199001"));
    assert_eq!(found(|file| unit(file).street = Some("640199".into())), one("org_unknown", "U640199001"));
    assert_eq!(found(|file| unit(file).handles = vec!["no:event:1".into()]), one("org_unknown", "U640199001"));
    assert!(found(|file| unit(file).kind = "bureau".into()).contains(&("org_word", "U640199001".into())));
    assert!(found(|file| unit(file).district = "640198".into()).contains(&("org_unknown", "U640199001".into())));
}

#[test]
fn a_user_needs_a_known_role_scope_and_unit() {
    assert_eq!(found(|file| user(file, "audit-1").role = "king".into()), one("org_word", "audit-1"));
    assert_eq!(found(|file| user(file, "audit-1").scope = "640198".into()), one("org_unknown", "audit-1"));
    assert_eq!(found(|file| user(file, "audit-1").unit = Some("U9".into())), one("org_unknown", "audit-1"));
    assert_eq!(found(|file| user(file, "review-1").unit = None), one("org_user_unit", "review-1"));
    assert_eq!(found(|file| user(file, "handle-1").unit = Some("U640199001".into())), one("org_user_unit", "handle-1"));
    assert_eq!(found(|file| user(file, "audit-1").name = " ".into()), one("org_name_missing", "audit-1"));
}

#[test]
fn an_inspector_needs_grids_inside_the_scope() {
    assert_eq!(found(|file| user(file, "insp-1").grids.clear()), one("org_inspector_without_grid", "insp-1"));
    assert_eq!(found(|file| user(file, "insp-1").grids.push("640199".into())), one("org_unknown", "insp-1"));
    assert_eq!(
        found(|file| user(file, "insp-1").scope = "640199001001002".into()),
        one("org_grid_outside_scope", "insp-1")
    );
}

#[test]
fn the_whole_file_is_checked_at_once() {
    let all = found(|file| {
        file.format = "2".into();
        grid(file).polygon.clear();
        file.users.retain(|user| user.role != "admin");
    });
    let codes: Vec<_> = all.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, ["org_format", "org_polygon_missing", "org_no_admin"]);
}
