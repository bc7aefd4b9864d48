//! Reports that may be of the same problem.

use xunge_client_core::model::{LocalDay, Mode};
use xunge_client_core::workflow::{Payload, Verb};

use super::*;
use crate::domain::counts::query::By;
use crate::store::Store;
use crate::testing::{District, LITTER, facts, plan_of};

const PLACE: Point = Point { lon_e6: 106_110_000, lat_e6: 38_520_000 };

fn at(east_m: f64, north_m: f64) -> Point {
    let shrink = PLACE.degrees().1.to_radians().cos();
    Point {
        lon_e6: PLACE.lon_e6 + (east_m / METRES_PER_E6 / shrink).round() as i32,
        lat_e6: PLACE.lat_e6 + (north_m / METRES_PER_E6).round() as i32,
    }
}

async fn report(district: &District, user: &str, change: impl FnOnce(&mut Facts)) -> CaseId {
    let mut seen = facts(district.fresh(), Mode::Forwarded, district.now());
    seen.point = Some(PLACE);
    change(&mut seen);
    let mut phone = district.phone(user).await;
    let case = phone.report(&seen);
    phone.drain(district).await;
    case
}

/// What is shown beside a case to whoever sees the whole district.
async fn around(district: &District, case: CaseId) -> Vec<(CaseId, i64)> {
    let scope = Scope::below(&"640105".parse().unwrap(), &*district.directory().await);
    let found = district.desk.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let sql = format!("SELECT {ITEM_COLUMNS}, ledger FROM case_row WHERE id = ?1");
            let row = tx.query_one(&sql, params![case.as_bytes()]).await?;
            let (seen, _) = facts::shown(tx, case, &row::ledger(row.text(ITEM_WIDTH)?)?).await?;
            near(tx, &scope, &item(&row)?, &seen).await
        })
    });
    found.await.unwrap().iter().map(|near| (near.item.id, near.metres.round() as i64)).collect()
}

#[tokio::test]
async fn the_same_kind_close_by_and_soon_is_found_nearest_first() {
    let district = District::new().await;
    let user = "insp-ninghua-1";
    let old = report(&district, user, |_| {}).await;
    district.advance_days(6);
    let here = report(&district, user, |_| {}).await;
    let east = report(&district, user, |it| it.point = Some(at(60.0, 0.0))).await;
    let north = report(&district, user, |it| it.point = Some(at(0.0, -99.0))).await;
    report(&district, user, |it| it.point = Some(at(0.0, 102.0))).await;
    report(&district, user, |it| it.point = Some(at(-102.0, 0.0))).await;
    report(&district, user, |it| it.point = None).await;
    let other = |it: &mut Facts| it.category_claim = Some("xixia-2023:event:XX0202".parse().unwrap());
    report(&district, user, other).await;
    assert_eq!(around(&district, here).await, [(old, 0), (east, 60), (north, 99)]);
    assert_eq!(around(&district, old).await.len(), 3, "a later report of it too");
    district.advance_days(2);
    let later = report(&district, user, |_| {}).await;
    assert_eq!(around(&district, later).await.first(), Some(&(here, 0)), "eight days are too many");
    for metres in 0..6 {
        report(&district, user, |it| it.point = Some(at(0.0, f64::from(metres)))).await;
    }
    assert_eq!(around(&district, here).await.len(), MOST);
}

#[tokio::test]
async fn phones_that_state_points_in_different_systems_mean_the_same_place() {
    let district = District::new().await;
    let plain = report(&district, "insp-ninghua-1", |_| {}).await;
    let shifted = |it: &mut Facts| {
        it.point = Some(as_gcj02(at(30.0, 0.0)));
        it.coord_sys = Some(CoordSys::Gcj02);
    };
    let chinese = report(&district, "insp-ninghua-1", shifted).await;
    // Stated like the first, but in the other system: half a kilometre away.
    report(&district, "insp-ninghua-1", |it| it.coord_sys = Some(CoordSys::Gcj02)).await;
    let [seen] = around(&district, plain).await[..] else { panic!("one") };
    assert!(seen.0 == chinese && (25..=35).contains(&seen.1), "{seen:?}");
    assert!(around(&district, chinese).await.iter().any(|(case, _)| *case == plain));
}

#[tokio::test]
async fn nobody_is_shown_what_they_may_not_see() {
    let district = District::new().await;
    let here = report(&district, "insp-ninghua-1", |_| {}).await;
    let there = report(&district, "insp-huaiyuan-1", |_| {}).await;
    assert_eq!(around(&district, here).await, [(there, 0)]);
    let scope = Scope::office(&"U640105003".parse().unwrap()).or(crate::domain::scope::Branch {
        column: crate::domain::scope::Column::Reporter,
        value: "insp-ninghua-1".to_owned(),
    });
    let found = district
        .desk
        .services
        .store
        .read::<_, StoreError, _>(move |tx| Box::pin(async move { repeats(tx, &scope, here).await }));
    assert_eq!(found.await.unwrap(), []);
}

#[tokio::test]
async fn a_void_repeat_leaves_both_reporters_their_report_and_is_named_by_the_other_case() {
    let district = District::new().await;
    let master = report(&district, "insp-ninghua-1", |_| {}).await;
    let repeat = report(&district, "insp-huaiyuan-1", |it| it.mode_claim = Some(Mode::Forwarded)).await;
    let before = district.november(Some(By::Unit)).await;
    let reviewer = district.reviewer_of(repeat).await;
    // Its reviewer sees both: the other lies in the same street.
    district
        .run("UPDATE case_row SET street = (SELECT street FROM case_row WHERE id = ?1)", vec![repeat.as_bytes().into()])
        .await;
    district
        .run(
            "UPDATE user_account SET scope = (SELECT street FROM case_row LIMIT 1) WHERE id = ?1",
            vec![reviewer.as_str().into()],
        )
        .await;
    let payload = Payload { reason: Some("duplicate".into()), master_case_id: Some(master), ..Payload::default() };
    district.act(&reviewer, repeat, Verb::Void, payload).await.unwrap();
    let after = district.november(Some(By::Unit)).await;
    let kept = |table: &crate::domain::counts::query::Table| {
        table.rows.iter().map(|row| (row.key.clone(), row.figures.reported, row.figures.forwarded)).collect::<Vec<_>>()
    };
    assert_eq!(kept(&after), kept(&before), "each unit has what its inspector reported");
    assert_eq!((after.total.reported, after.total.void), (2, 1));
    let scope = Scope::below(&"640105".parse().unwrap(), &*district.directory().await);
    let found = district
        .desk
        .services
        .store
        .read::<_, StoreError, _>(move |tx| Box::pin(async move { repeats(tx, &scope, master).await }));
    let found = found.await.unwrap();
    assert_eq!(found.iter().map(|it| (it.id, it.reporter.as_str())).collect::<Vec<_>>(), [(repeat, "insp-huaiyuan-1")]);
}

/// Rows of a table of a million would take minutes; what counts is which index leads and how many rows it leaves.
#[tokio::test]
async fn a_box_is_looked_up_and_never_scanned_for() {
    let store = Store::in_memory().unwrap();
    let day = LocalDay::new(2023, 11, 15).unwrap();
    let case = CaseItem { received_at: day.start().0, ..blank() };
    let (sql, params) = statement(&case, LITTER, PLACE);
    let plan = plan_of(&store, &sql, params).await;
    let led = "SEARCH case_row USING INDEX case_row_nearby \
               (district=? AND category=? AND received_day=? AND lat_e6>? AND lat_e6<?)";
    assert!(plan.iter().any(|step| step == led), "{plan:?}");
    assert!(plan.iter().all(|step| !step.starts_with("SCAN")), "{plan:?}");

    // Five hundred days of a district, forty of the kind a day: the box leaves a handful.
    store
        .write::<(), StoreError, _>(move |tx| {
            Box::pin(async move {
                for n in 0..20_000_i64 {
                    let received = day.plus_days(-(n / 40) as i32);
                    let lat = i64::from(PLACE.lat_e6) + (n * 7_919) % 250_000 - 125_000;
                    tx.execute(
                        "INSERT INTO case_row (id, district, state, version, mode_claim, category, category_claim, unit,
                         office, street, community, grid, reporter, source, received_at, received_day, heads, text,
                         lat_e6, lon_e6, updated_at, event_hash, ledger) VALUES (?1, '640105', 'filed', 1, 'forwarded',
                         ?2, ?2, '', '', '', '', '', '', '', ?3, ?4, x'', '', ?5, ?6, 0, zeroblob(32), '{}')",
                        params![
                            n.to_be_bytes().repeat(2),
                            LITTER,
                            received.start().0,
                            received.to_string(),
                            lat,
                            i64::from(PLACE.lon_e6)
                        ],
                    )
                    .await?;
                }
                Ok(())
            })
        })
        .await
        .unwrap();
    let days: Vec<String> = (-DAYS..=DAYS).map(|n| format!("'{}'", day.plus_days(n))).collect();
    let tall = ((RADIUS_M + SLACK_M) / METRES_PER_E6) as i64;
    let (low, high) = (i64::from(PLACE.lat_e6) - tall, i64::from(PLACE.lat_e6) + tall);
    let sql = format!(
        "SELECT COUNT(*) FROM case_row WHERE district = '640105' AND category = ?1 AND received_day IN ({})
         AND lat_e6 >= {low} AND lat_e6 <= {high}",
        days.join(", ")
    );
    let read = store
        .read::<_, StoreError, _>(move |tx| Box::pin(async move { tx.query_one(&sql, params![LITTER]).await?.int(0) }));
    let left = read.await.unwrap();
    assert!((1..=8).contains(&left), "{left} rows of 20,000");
}

fn blank() -> CaseItem {
    CaseItem {
        id: CaseId::from_bytes([1; 16]),
        case_no: None,
        state: String::new(),
        mode: None,
        mode_claim: String::new(),
        category: None,
        unit: None,
        office: None,
        handler: None,
        grid: None,
        reporter: String::new(),
        received_at: 0,
        discovered_at: None,
        filed_at: None,
        closed_at: None,
        due_at: None,
        deadline_at: None,
        version: 1,
        photos: crate::domain::cases::PhotoCount { expected: 0, present: 0 },
        flags: vec![],
        sent_back: false,
        text: String::new(),
        held_void: None,
    }
}

#[tokio::test]
async fn cases_of_an_older_database_are_given_the_case_they_repeat() {
    const MIGRATION: &str = include_str!("../../store/migrations/0007_nearby.sql");
    let district = District::new().await;
    let master = report(&district, "insp-ninghua-1", |_| {}).await;
    let repeat = report(&district, "insp-ninghua-1", |it| it.description = "\"master_case_id\":\"".repeat(40)).await;
    let reviewer = district.reviewer_of(repeat).await;
    let words = Some("写着 \"master_case_id\":\"01HF0000000000000000000000\"".to_owned());
    let reason = Some("duplicate".to_owned());
    let payload = Payload { reason, text: words.clone(), master_case_id: Some(master), ..Payload::default() };
    district.act(&reviewer, repeat, Verb::Void, payload).await.unwrap();
    let other = Payload { reason: Some("other".into()), text: words, ..Payload::default() };
    district.act(&reviewer, master, Verb::Void, other).await.unwrap();
    let sql = "SELECT master_case FROM case_row ORDER BY received_at, id";
    let stored = async || district.rows(sql).await.iter().map(|row| row.values()[0].clone()).collect::<Vec<_>>();
    let written = stored().await;
    assert_eq!(written.iter().filter(|it| **it != Value::Null).count(), 1);
    district.run("UPDATE case_row SET master_case = NULL", vec![]).await;
    let update = MIGRATION.split(';').find(|it| it.trim_start().starts_with("UPDATE")).unwrap();
    district.run(update, vec![]).await;
    assert_eq!(stored().await, written);
}
