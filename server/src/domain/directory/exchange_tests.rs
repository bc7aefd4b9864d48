use std::sync::Arc;

use xunge_client_core::model::{Mode, Point};
use xunge_client_core::workflow::{Payload, Verb};

use super::*;
use crate::domain::directory::refusal::By;
use crate::reference::org_file::{OrgFile, PlaceEntry, UnitEntry};
use crate::reference::xixia;
use crate::testing::{District, facts};

const GRID: &str = "640105005001001";
/// A grid nobody has: added by the tests that need one.
const NEW_GRID: &str = "640105005001901";

fn file(change: impl FnOnce(&mut OrgFile)) -> Org {
    let mut file = xixia::org_file();
    file.users.clear();
    change(&mut file);
    OrgFile::tree(&serde_json::to_string(&file).unwrap()).unwrap()
}

fn place<'f>(file: &'f mut OrgFile, code: &str) -> &'f mut PlaceEntry {
    file.places.iter_mut().find(|place| place.code == code).unwrap()
}

fn unit<'f>(file: &'f mut OrgFile, code: &str) -> &'f mut UnitEntry {
    file.units.iter_mut().find(|unit| unit.code == code).unwrap()
}

/// A grid far from all others.
fn new_grid() -> PlaceEntry {
    PlaceEntry {
        code: NEW_GRID.to_owned(),
        name: "新划网格".to_owned(),
        parent: Some("640105005001".to_owned()),
        polygon: vec![[107.0, 39.0], [107.01, 39.0], [107.01, 39.01], [107.0, 39.0]],
    }
}

fn new_unit(code: &str, kind: &str, street: Option<&str>) -> UnitEntry {
    UnitEntry {
        code: code.to_owned(),
        name: "新设单位".to_owned(),
        kind: kind.to_owned(),
        district: "640105".to_owned(),
        street: street.map(str::to_owned),
        handles: vec!["xixia-2023:event:XX02".to_owned(), "gb47678.5-2026:event:06010".to_owned()],
    }
}

async fn plan_of(district: &District, org: Org) -> Plan {
    let store = &district.desk.services.store;
    let org = Arc::new(org);
    store.read::<_, StoreError, _>(move |tx| Box::pin(async move { plan(tx, &org).await })).await.unwrap()
}

async fn put(district: &District, org: Org) -> Outcome {
    let store = &district.desk.services.store;
    let org = Arc::new(org);
    let done = store.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move { apply(tx, "admin", &org, &Sha256::of(b"the file"), Millis(7)).await })
    });
    done.await.unwrap()
}

fn told(plan: &Plan) -> Vec<(&str, What, Option<&str>, Option<&str>)> {
    plan.changes.iter().map(|it| (it.code.as_str(), it.what, it.now.as_deref(), it.then.as_deref())).collect()
}

fn why(plan: &Plan) -> Vec<(&str, &Reason)> {
    plan.refusals.iter().map(|it| (it.code.as_str(), &it.reason)).collect()
}

#[tokio::test]
async fn each_kind_of_difference_is_told_and_nothing_is_written() {
    let district = District::new().await;
    let before = district.fingerprint().await;
    assert_eq!(plan_of(&district, file(|_| {})).await, Plan::default(), "the file it was made from");
    let org = file(|file| {
        place(file, "640105005").name = "宁华街道".to_owned();
        let corners = &mut place(file, GRID).polygon;
        corners.insert(1, [106.0, 38.0]);
        file.places.push(new_grid());
        unit(file, "U640105-HW").name = "环卫中心".to_owned();
        file.units.push(new_unit("U640105-NEW", "handling", None));
        file.map_note = String::new();
    });
    let plan = plan_of(&district, org).await;
    let old = district.directory().await.place(&GRID.parse().unwrap()).unwrap().polygon.clone().unwrap().0.len();
    let (old, new) = (old.to_string(), (old + 1).to_string());
    assert_eq!(
        told(&plan),
        [
            ("640105005", What::Name, Some("宁华路街道"), Some("宁华街道")),
            (GRID, What::Outline, Some(old.as_str()), Some(new.as_str())),
            (NEW_GRID, What::Added, None, Some("新划网格")),
            ("U640105-HW", What::Name, Some(plan.changes[3].now.as_deref().unwrap()), Some("环卫中心")),
            ("U640105-NEW", What::Added, None, Some("新设单位")),
            (MAP_NOTE, What::MapNote, Some(xixia::MAP_NOTE), None),
        ]
    );
    assert_eq!(plan.refusals, []);
    assert_eq!(Numbers::of(&plan.changes), Numbers { added: 2, changed: 4, removed: 0 });
    assert_eq!(district.fingerprint().await, before);
}

#[tokio::test]
async fn a_new_tree_is_in_force_at_once_and_the_second_time_changes_nothing() {
    let district = District::new().await;
    let mut phone = district.phone("insp-ninghua-1").await;
    let case = phone.report(&facts(1, Mode::Forwarded, district.now()));
    let told_before = phone.sync(&district).await.reference;
    district.act("review-ninghua-1", case, Verb::File, Payload::default()).await.unwrap();
    let rules = district.count("dispatch_rule").await;
    let inside = Point { lon_e6: 107_008_000, lat_e6: 39_003_000 };
    assert_eq!(district.directory().await.grid_at(inside), None);
    let org = file(|file| {
        place(file, "640105005").name = "宁华街道".to_owned();
        file.places.push(new_grid());
        let mut office = new_unit("U640105-NEW", "handling", None);
        // The first has a rule already, the second has none yet.
        office.handles.push("gb47678.5-2026:event:06".to_owned());
        file.units.push(office);
    });
    let Outcome::Done(done) = put(&district, org.clone()).await else { panic!("done") };
    assert_eq!(done.numbers, Numbers { added: 2, changed: 1, removed: 0 });
    assert!(done.rules > 0, "what it handles that nobody else had a rule for");
    assert_eq!(district.count("dispatch_rule").await, rules + done.rules as i64);
    let taken = "SELECT unit FROM dispatch_rule WHERE category = 'xixia-2023:event:XX02' AND grid = ''";
    assert_ne!(district.rows(taken).await[0].text(0), Ok("U640105-NEW"), "the rule that stands is kept");

    let directory = district.directory().await;
    assert_eq!(directory.version(), done.version);
    assert_eq!(directory.name_of("640105005"), "宁华街道");
    assert_eq!(directory.grid_at(inside).map(OrgCode::as_str), Some(NEW_GRID));
    assert_eq!(directory.name_of("U640105-NEW"), "新设单位");
    let told_after = phone.sync(&district).await.reference;
    assert_eq!((told_before + 1, done.version), (told_after, told_after), "phones fetch the grids anew");

    let entry = "SELECT actor, subject, detail FROM audit WHERE action = 'org.applied'";
    let rows = district.rows(entry).await;
    assert_eq!((rows[0].text(0), rows[0].text(1)), (Ok("admin"), Ok("640105")));
    let detail = rows[0].text(2).unwrap();
    assert!(detail.contains(&Sha256::of(b"the file").to_string()) && detail.contains("\"added\":2"), "{detail}");
    assert!(district.verify().await.ok, "{:?}", district.verify().await.differences);

    let before = district.fingerprint().await;
    assert_eq!(put(&district, org).await, Outcome::Same);
    assert_eq!(district.fingerprint().await, before);
}

#[tokio::test]
async fn what_nobody_names_may_go_again() {
    let district = District::new().await;
    let grown = file(|file| {
        file.places.push(new_grid());
        file.units.push(new_unit("U640105-NEW", "department", Some("640105005")));
    });
    put(&district, grown).await;
    district.run("DELETE FROM dispatch_rule WHERE unit = 'U640105-NEW'", vec![]).await;
    // Nobody works there yet: it may still lie in another street or do something else.
    let other = file(|file| {
        file.places.push(new_grid());
        file.units.push(new_unit("U640105-NEW", "handling", Some("640105006")));
    });
    let plan = plan_of(&district, other.clone()).await;
    assert_eq!(told(&plan).iter().map(|it| it.1).collect::<Vec<_>>(), [What::Kind, What::Street]);
    put(&district, other).await;
    let directory = district.directory().await;
    let moved = directory.unit(&"U640105-NEW".parse().unwrap()).unwrap();
    assert_eq!(moved.street.as_ref().map(OrgCode::as_str), Some("640105006"));
    let Outcome::Done(done) = put(&district, file(|_| {})).await else { panic!("done") };
    assert_eq!(done.numbers, Numbers { added: 0, changed: 0, removed: 2 });
    assert_eq!(district.directory().await.name_of(NEW_GRID), "");
    assert!(district.verify().await.ok);
}

#[tokio::test]
async fn what_breaks_counts_or_rights_is_refused_as_a_whole() {
    let district = District::new().await;
    let mut phone = district.phone("insp-ninghua-1").await;
    let case = phone.report(&facts(1, Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    district.act("review-ninghua-1", case, Verb::File, Payload::default()).await.unwrap();
    let grid = district.ledger(case).await.grid.unwrap().to_string();
    let before = district.fingerprint().await;
    let refused = async |org: Org| {
        let Outcome::Refused(plan) = put(&district, org).await else { panic!("refused") };
        assert_eq!(district.fingerprint().await, before, "nothing was changed");
        plan
    };
    let plan = refused(file(|file| {
        file.places.push(new_grid());
        file.places.retain(|place| place.code != grid);
    }))
    .await;
    assert_eq!(why(&plan), [(grid.as_str(), &Reason::Named(vec![By::Users, By::Figures, By::Cases]))]);
    assert!(
        plan.refusals[0].zh().contains("账号、统计、案件") && plan.refusals[0].way_out().1.contains("保留在文件中")
    );

    let plan = refused(file(|file| file.units.retain(|unit| unit.code != "U640105-HW"))).await;
    assert_eq!(why(&plan), [("U640105-HW", &Reason::Named(vec![By::Users, By::Rules]))]);
    let plan = refused(file(|file| unit(file, "U640105005").street = Some("640105006".to_owned()))).await;
    assert_eq!(why(&plan), [("U640105005", &Reason::Named(vec![By::Users, By::Figures, By::Cases]))]);
    let plan = refused(file(|file| unit(file, "U640105-HW").kind = "department".to_owned())).await;
    assert_eq!((plan.refusals[0].what, plan.refusals.len()), (What::Kind, 1));
    let plan = refused(file(|file| {
        file.places.retain(|place| place.code != "640100");
        place(file, "640105").parent = None;
    }))
    .await;
    assert_eq!(why(&plan)[0], ("640105", &Reason::Moved));
    let plan = refused(OrgFile::tree(include_str!("../../../../docs/examples/org.json")).unwrap()).await;
    assert_eq!(why(&plan), [("640105", &Reason::District), ("640199", &Reason::District)]);
    assert_eq!(plan.changes, []);
}

#[tokio::test]
async fn a_unit_that_only_an_old_decision_names_and_a_grid_that_a_case_has_left_may_not_go() {
    let district = District::new().await;
    let grown = file(|file| {
        file.places.push(new_grid());
        file.units.push(UnitEntry { handles: Vec::new(), ..new_unit("U640105-NEW", "handling", None) });
    });
    put(&district, grown).await;
    let mut phone = district.phone("insp-ninghua-1").await;
    let case = phone.report(&facts(1, Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    let handler = Payload { handler: Some("U640105-NEW".parse().unwrap()), ..Payload::default() };
    district.act("review-ninghua-1", case, Verb::File, handler).await.unwrap();
    let sql = "INSERT INTO feed_audience (district, audience, position, joins) VALUES ('640105', ?1, 1, 0)";
    district.run(sql, vec![format!("g:{NEW_GRID}").into()]).await;
    let Outcome::Refused(plan) = put(&district, file(|_| {})).await else { panic!("refused") };
    let cases = Reason::Named(vec![By::Cases]);
    assert_eq!(why(&plan), [(NEW_GRID, &cases), ("U640105-NEW", &cases)]);
}
