use std::sync::Arc;

use xunge_client_core::model::Mode;
use xunge_client_core::workflow::{Payload, Verb};

use super::*;
use crate::domain::directory::refusal::By;
use crate::domain::exchange::Objection;
use crate::params;
use crate::reference::category_file;
use crate::reference::taxonomy::{Taxonomy, XIXIA};
use crate::reference::timetable::Timetable;
use crate::testing::{District, LITTER, facts, plan_of};

/// The district's own tree, changed.
fn own(change: impl FnOnce(&mut Vec<Category>)) -> Vec<Category> {
    let mut rows: Vec<Category> = Taxonomy::builtin().scheme(XIXIA).cloned().collect();
    change(&mut rows);
    // As a file would have it: what a file may not say is not tried here.
    category_file::read(category_file::write(rows.iter()).as_bytes()).unwrap()
}

fn row<'r>(rows: &'r mut [Category], code: &str) -> &'r mut Category {
    rows.iter_mut().find(|row| row.key.code == code).unwrap()
}

/// A minor nobody has, below a major.
fn minor(code: &str, parent: &str) -> Category {
    Category {
        key: format!("{XIXIA}:event:{code}").parse().unwrap(),
        parent: Some(parent.to_owned()),
        name_zh: "共享单车乱停".to_owned(),
        name_en: "shared bicycles".to_owned(),
        maps_to: Vec::new(),
        self_handling: true,
        retired: false,
    }
}

/// Limits that name one category.
fn limits() -> Limits {
    let table = format!("clock,category,level,org,value,unit\nhandle,{LITTER},,,4,work_hour\n");
    Timetable::of(&[], None, Some(("limits.csv", &table))).unwrap().limits
}

async fn plan_for(district: &District, rows: Vec<Category>) -> Plan {
    let (rows, limits) = (Arc::new(rows), limits());
    let store = &district.desk.services.store;
    let read = store.read::<_, StoreError, _>(move |tx| Box::pin(async move { plan(tx, &rows, &limits).await }));
    read.await.unwrap()
}

async fn put(district: &District, rows: Vec<Category>) -> Outcome {
    let (rows, limits) = (Arc::new(rows), limits());
    let store = &district.desk.services.store;
    let done = store.write::<_, StoreError, _>(move |tx| {
        Box::pin(async move { apply(tx, "admin", &rows, &limits, &Sha256::of(b"the file"), Millis(7)).await })
    });
    done.await.unwrap()
}

fn told(plan: &Plan) -> Vec<(&str, What, Option<&str>, Option<&str>)> {
    let code = |change: &'_ Change| change.code.rsplit_once(':').map_or(0, |(tree, _)| tree.len() + 1);
    plan.changes.iter().map(|it| (&it.code[code(it)..], it.what, it.now.as_deref(), it.then.as_deref())).collect()
}

fn why(plan: &Plan) -> Vec<(&str, What, &Reason)> {
    for refusal in &plan.refusals {
        let (en, zh) = refusal.way_out();
        assert!(!en.is_empty() && zh.chars().any(|c| c > '\u{4e00}'));
        assert!(refusal.reason.zh().chars().any(|c| c > '\u{4e00}') && refusal.to_string().len() > 8);
    }
    plan.refusals.iter().map(|it| (it.code.as_str(), it.what, &it.reason)).collect()
}

#[tokio::test]
async fn the_trees_that_are_built_in_are_no_change_and_neither_is_what_is_printed() {
    let district = District::new().await;
    let file = category_file::read(include_bytes!("../../../data/taxonomy.csv")).unwrap();
    assert_eq!(plan_for(&district, file).await, Plan::default());
    let store = &district.desk.services.store;
    let printed = store.read::<_, StoreError, _>(|tx| Box::pin(in_force(tx))).await.unwrap();
    assert_eq!(printed.len(), Taxonomy::builtin().categories().len());
    let read = category_file::read(category_file::write(printed.iter()).as_bytes()).unwrap();
    assert_eq!(plan_for(&district, read).await, Plan::default());
}

#[tokio::test]
async fn each_kind_of_difference_is_told_and_nothing_is_written() {
    let district = District::new().await;
    let before = district.fingerprint().await;
    let rows = own(|rows| {
        row(rows, "XX0201").name_zh = "暴露垃圾（含河道）".to_owned();
        row(rows, "XX0202").name_en = "litter bins".to_owned();
        row(rows, "XX0203").self_handling ^= true;
        row(rows, "XX0204").maps_to = vec!["06010".to_owned(), "06011".to_owned()];
        row(rows, "XX0205").retired = true;
        row(rows, "XX9906").parent = Some("XX02".to_owned());
        rows.retain(|row| row.key.code != "XX0303");
        rows.push(minor("XX0299", "XX02"));
    });
    let plan = plan_for(&district, rows).await;
    let codes: Vec<_> = told(&plan).iter().map(|it| (it.0, it.1)).collect();
    let expected = [
        ("XX0201", What::NameZh),
        ("XX0202", What::NameEn),
        ("XX0203", What::SelfHandling),
        ("XX0204", What::MapsTo),
        ("XX0205", What::Retired),
        ("XX9906", What::Parent),
        ("XX0299", What::Added),
        ("XX0303", What::Removed),
    ];
    assert_eq!(codes, expected);
    assert_eq!(told(&plan)[4], ("XX0205", What::Retired, Some("no"), Some("yes")));
    assert_eq!(told(&plan)[5], ("XX9906", What::Parent, Some("XX99"), Some("XX02")));
    assert_eq!(told(&plan)[3].3, Some("06010;06011"));
    assert_eq!(plan.refusals, [], "nobody names either of the two");
    assert_eq!(Numbers::of(&plan.changes), Numbers { added: 1, changed: 6, removed: 1 });
    assert_eq!(district.fingerprint().await, before);
}

#[tokio::test]
async fn new_trees_are_in_force_at_once_others_stay_and_the_second_time_changes_nothing() {
    let district = District::new().await;
    let mut phone = district.phone("insp-ninghua-1").await;
    let told_before = phone.sync(&district).await.reference;
    let before = district.count("taxonomy").await;
    let rows = {
        let mut rows = own(|rows| row(rows, "XX0205").retired = true);
        let of_tree = |scheme: &str, mut row: Category| {
            row.key.scheme = scheme.to_owned();
            row
        };
        rows.push(of_tree("own-2026", Category { parent: None, self_handling: false, ..minor("A", "") }));
        rows.push(of_tree("own-2026", minor("A1", "A")));
        rows
    };
    let Outcome::Done(done) = put(&district, rows.clone()).await else { panic!("done") };
    assert_eq!(done.numbers, Numbers { added: 2, changed: 1, removed: 0 });
    assert_eq!(district.count("taxonomy").await, before + 2, "trees the file does not name stay");
    let directory = district.directory().await;
    assert_eq!(directory.version(), done.version);
    assert!(
        directory.is_retired(&"xixia-2023:event:XX0205".parse().unwrap())
            && !directory.is_retired(&LITTER.parse().unwrap())
    );
    assert!(directory.category(&"own-2026:event:A1".parse().unwrap()).unwrap().self_handling);
    let told_after = phone.sync(&district).await.reference;
    assert_eq!((told_before + 1, done.version), (told_after, told_after), "phones fetch the trees anew");

    let rows_of = district.rows("SELECT actor, subject, detail FROM audit WHERE action = 'categories.applied'").await;
    assert_eq!((rows_of[0].text(0), rows_of[0].text(1)), (Ok("admin"), Ok("own-2026 xixia-2023")));
    let detail = rows_of[0].text(2).unwrap();
    assert!(detail.contains(&Sha256::of(b"the file").to_string()) && detail.contains("\"added\":2"), "{detail}");
    assert!(district.verify().await.ok);

    let before = district.fingerprint().await;
    assert_eq!(put(&district, rows).await, Outcome::Same);
    assert_eq!(district.fingerprint().await, before);
    let Outcome::Done(back) = put(&district, own(|_| {})).await else { panic!("done") };
    assert_eq!(back.numbers, Numbers { added: 0, changed: 1, removed: 0 }, "it is used again");
    assert!(!district.directory().await.is_retired(&"xixia-2023:event:XX0205".parse().unwrap()));
}

#[tokio::test]
async fn what_a_case_a_rule_a_time_limit_or_a_report_names_may_not_go() {
    let district = District::new().await;
    let mut phone = district.phone("insp-ninghua-1").await;
    let case = phone.report(&facts(1, Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    // The office files it under another one: both are named from then on.
    let category = Some("xixia-2023:event:XX9901".parse().unwrap());
    district.act("review-ninghua-1", case, Verb::File, Payload { category, ..Payload::default() }).await.unwrap();
    let edition = "INSERT INTO edition (id, template, scope, period, as_of, number, status, signer, at, figures)
        VALUES (zeroblob(16), 'monthly-district', '640105', '2023-10', 1, 1, 'published', 'centre', 1,
        '{\"categories\":{\"xixia-2023:event:XX9902\":7}}')";
    district.run(edition, vec![]).await;
    district.run("DELETE FROM dispatch_rule", vec![]).await;
    let rule = "INSERT INTO dispatch_rule (district, category, grid, unit, at)
        VALUES ('640105', 'xixia-2023:event:XX9903', '', 'U640105-HW', 1)";
    district.run(rule, vec![]).await;
    let before = district.fingerprint().await;
    let gone = ["XX0201", "XX9901", "XX9902", "XX9903", "XX9904"];
    let Outcome::Refused(plan) =
        put(&district, own(|rows| rows.retain(|row| !gone.contains(&row.key.code.as_str())))).await
    else {
        panic!("refused")
    };
    assert_eq!(district.fingerprint().await, before, "nothing was changed");
    let by = |by: &[By]| Reason::Named(by.to_vec());
    let named = [by(&[By::Limits, By::Cases]), by(&[By::Cases]), by(&[By::Figures]), by(&[By::Rules])];
    let expected: Vec<_> = gone.iter().zip(&named).map(|(code, by)| (format!("xixia-2023:event:{code}"), by)).collect();
    let found: Vec<_> = why(&plan).into_iter().map(|(code, _, reason)| (code.to_owned(), reason)).collect();
    assert_eq!(found, expected, "and XX9904 may");
    assert!(plan.refusals[0].zh().contains("时限表、案件") && plan.refusals[0].way_out().1.contains("停用"));
    // The way out.
    let retired = own(|rows| gone.iter().for_each(|code| row(rows, code).retired = true));
    assert!(matches!(put(&district, retired).await, Outcome::Done(_)));
}

#[tokio::test]
async fn what_was_counted_below_a_major_stays_below_it() {
    let district = District::new().await;
    let mut phone = district.phone("insp-ninghua-1").await;
    phone.report(&facts(1, Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    let moved = |code: &'static str| own(move |rows| row(rows, code).parent = Some("XX99".to_owned()));
    let plan = plan_for(&district, moved("XX0201")).await;
    assert_eq!(why(&plan), [(LITTER, What::Parent, &Reason::Named(vec![By::Cases]))]);
    assert!(plan.refusals[0].way_out().0.contains("the other major"));
    assert!(matches!(put(&district, moved("XX0202")).await, Outcome::Done(_)), "nothing was counted by it yet");
    let directory = district.directory().await;
    assert_eq!(
        directory.category(&"xixia-2023:event:XX0202".parse().unwrap()).unwrap().parent.as_deref(),
        Some("XX99")
    );
}

#[tokio::test]
async fn the_national_tree_keeps_its_codes_and_names_and_nothing_maps_beside_it() {
    let district = District::new().await;
    let national = |change: &dyn Fn(&mut Vec<Category>)| {
        let mut rows: Vec<Category> = Taxonomy::builtin().scheme(NATIONAL).cloned().collect();
        change(&mut rows);
        rows
    };
    let of =
        |rows: &mut Vec<Category>, code: &str| rows.iter().position(|row| row.key.to_string().ends_with(code)).unwrap();
    let wrong = national(&|rows| {
        let at = of(rows, ":event:06010");
        rows[at].name_zh = "垃圾".to_owned();
        let at = of(rows, ":event:06011");
        rows.remove(at);
        rows.push(Category { key: format!("{NATIONAL}:event:06999").parse().unwrap(), ..minor("X", "06") });
    });
    let plan = plan_for(&district, wrong).await;
    let whats: Vec<_> = why(&plan).iter().map(|(_, what, reason)| (*what, (*reason).clone())).collect();
    let standard = |what| (what, Reason::Standard);
    assert_eq!(whats, [standard(What::NameZh), standard(What::Added), standard(What::Removed)]);
    let ours = national(&|rows| {
        let at = of(rows, ":event:06010");
        rows[at].self_handling ^= true;
        rows[at].retired = true;
    });
    assert!(matches!(put(&district, ours).await, Outcome::Done(_)), "how a city handles it is the city's own");
    let beside = own(|rows| row(rows, "XX0201").maps_to = vec!["06010".to_owned(), "99999".to_owned()]);
    let plan = plan_for(&district, beside).await;
    assert_eq!(why(&plan), [(LITTER, What::MapsTo, &Reason::Unknown(vec!["99999".to_owned()]))]);
}

#[tokio::test]
async fn whether_a_case_counts_as_a_category_is_one_look_into_an_index() {
    let district = District::new().await;
    let sql = "SELECT 1 FROM case_row WHERE district = ?1 AND category = ?2 LIMIT 1";
    let steps = plan_of(&district.desk.services.store, sql, params!["640105", LITTER].to_vec()).await;
    assert!(
        steps.iter().all(|step| step.contains("USING COVERING INDEX") || step.contains("USING INDEX")),
        "{steps:?}"
    );
}
