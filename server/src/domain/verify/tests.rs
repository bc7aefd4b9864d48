//! Flips bytes behind the server's back.

use xunge_client_core::doc::Edit;
use xunge_client_core::model::{Mode, PhotoHash};
use xunge_client_core::workflow::{Payload, Verb};

use crate::store::Value;
use crate::testing::{District, facts};

/// Three cases in different states, one with two changes and its photos, one edited after it was void.
async fn busy_district() -> District {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    let approved = phone.report(&facts(1, Mode::SelfHandled, district.now()));
    let voided = phone.report(&facts(2, Mode::Forwarded, district.now()));
    phone.report(&facts(3, Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    phone.edit(approved, &[Edit::Description("second".into())]);
    phone.drain(&district).await;
    district.photos_arrive(approved).await;
    let reviewer = district.reviewer_of(approved).await;
    district.act(&reviewer, approved, Verb::ApproveSelfHandled, Payload::default()).await.unwrap();
    let void = Payload { reason: Some("test".into()), ..Payload::default() };
    district.act(&reviewer, voided, Verb::Void, void).await.unwrap();
    phone.drain(&district).await;
    phone.edit(voided, &[Edit::Description("late".into())]);
    phone.drain(&district).await;
    let object = Payload { text: Some("it is true".into()), ..Payload::default() };
    district.act(&user, voided, Verb::Appeal, object).await.unwrap();
    district
}

#[tokio::test]
async fn an_honest_database_verifies() {
    let report = busy_district().await.verify().await;
    assert!(report.ok, "{:?}", report.differences);
    assert_eq!((report.checked["cases"], report.checked["events"], report.checked["changes"]), (3, 6, 5));
    assert_eq!((report.checked["feed"], report.checked["audit"], report.checked["blobs"]), (8, 6, 2));
}

/// Tables and the columns of theirs that `verify` answers for.
async fn covered(district: &District) -> Vec<(&'static str, String)> {
    // The two ids are guarded by the foreign key between them.
    let free = ["case_event.case_id", "case_row.id"];
    let mut columns = Vec::new();
    for table in [
        "case_event",
        "feed",
        "feed_audience",
        "feed_head",
        "audit",
        "change_row",
        "case_row",
        "doc",
        "photo",
        "count_day",
        "count_month",
        "tally_day",
        "tally_month",
        "tally_grid",
        "tally_unit",
        "tally_street",
        "tally_map_day",
        "tally_map_month",
        "case_gram",
    ] {
        let sql: &'static str = format!("SELECT name FROM pragma_table_info('{table}')").leak();
        for row in district.rows(sql).await {
            let name = row.text(0).unwrap().to_owned();
            let rows: &'static str = format!("SELECT 1 FROM {table} WHERE {name} IS NOT NULL LIMIT 1").leak();
            let used = !district.rows(rows).await.is_empty();
            if used && !free.contains(&format!("{table}.{name}").as_str()) {
                columns.push((table, name));
            }
        }
    }
    columns
}

#[tokio::test]
async fn a_changed_value_in_any_column_is_found() {
    let probe = busy_district().await;
    let columns = covered(&probe).await;
    assert!(columns.len() > 120, "{}", columns.len());
    for (table, column) in columns {
        let district = busy_district().await;
        flip(&district, table, &column).await;
        let report = district.verify().await;
        assert!(!report.ok, "{table}.{column} was changed and nobody noticed");
    }
}

/// Columns nothing else is computed from, so that a wrong value would never be noticed by using it.
#[tokio::test]
async fn a_changed_time_version_or_origin_is_named() {
    for (table, column, kind) in [
        ("case_row", "updated_at", "case_row"),
        ("case_row", "late_edited_at", "case_row"),
        ("doc", "updated_at", "document"),
        ("doc", "version", "document"),
        ("doc", "district", "document"),
        ("photo", "announced_at", "photo"),
        ("photo", "device", "photo"),
        ("photo", "district", "photo"),
    ] {
        let district = busy_district().await;
        flip(&district, table, column).await;
        let found = district.verify().await.differences;
        assert_eq!(found.len(), 1, "{table}.{column}: {found:?}");
        assert!(found[0].kind == kind && found[0].subject.contains(column), "{table}.{column}: {found:?}");
    }
}

#[tokio::test]
async fn a_missing_and_a_surplus_pair_are_named_with_their_case() {
    let district = busy_district().await;
    let sql = "DELETE FROM case_gram WHERE gram = 'se' AND ordinal = (SELECT ordinal FROM case_row WHERE text LIKE 'second%')";
    assert_eq!(district.run(sql, Vec::new()).await, 1);
    let found = district.verify().await.differences;
    assert!(found.len() == 1 && found[0].kind == "gram" && found[0].subject.ends_with(" se"), "{found:?}");
    assert_eq!((found[0].expected.as_str(), found[0].found.as_str()), ("a row", "none"));
    let district = busy_district().await;
    let sql = "INSERT INTO case_gram (gram, ordinal) SELECT '垃圾', ordinal FROM case_row WHERE text LIKE 'late%'";
    district.run(sql, Vec::new()).await;
    let found = district.verify().await.differences;
    assert!(found.len() == 1 && found[0].kind == "gram" && found[0].subject.ends_with(" 垃圾"), "{found:?}");
    assert_eq!((found[0].expected.as_str(), found[0].found.as_str()), ("no row", "a row"));
}

#[tokio::test]
async fn a_wrong_count_of_a_street_is_named_with_its_row() {
    let district = busy_district().await;
    let first = "SELECT street || ' ' || month || ' ' || unit || ' ' || category FROM tally_street LIMIT 1";
    let row = district.rows(first).await[0].text(0).unwrap().to_owned();
    let sql = "UPDATE tally_street SET f_void = f_void + 1
        WHERE street || ' ' || month || ' ' || unit || ' ' || category = ?1";
    assert_eq!(district.run(sql, vec![Value::Text(row.clone())]).await, 1);
    let found = district.verify().await.differences;
    assert!(found.len() == 1 && found[0].kind == "counter", "{found:?}");
    assert!(row.starts_with("640105") && found[0].subject == format!("tally_street 640105 {row}"), "{found:?}");
}

#[tokio::test]
async fn a_late_mark_that_was_wiped_is_missed_and_so_is_one_nobody_earned() {
    let district = busy_district().await;
    district.run("UPDATE case_row SET late_edited_at = NULL", Vec::new()).await;
    let found = district.verify().await.differences;
    assert!(found.len() == 1 && found[0].found == "null", "{found:?}");
    let district = busy_district().await;
    district.run("UPDATE case_row SET late_edited_at = updated_at", Vec::new()).await;
    let found = district.verify().await.differences;
    assert!(found.len() == 2 && found.iter().all(|it| it.expected == "null"), "{found:?}");
}

#[tokio::test]
async fn a_flipped_byte_in_a_photo_names_the_photo() {
    let district = busy_district().await;
    let sql = "SELECT sha256 FROM blob ORDER BY sha256 LIMIT 1";
    let hash = PhotoHash::from_bytes(district.rows(sql).await[0].array(0).unwrap());
    district.blobs.delete(hash).await.unwrap();
    let missing = district.verify().await;
    assert_eq!((missing.differences.len(), missing.differences[0].kind), (1, "blob"));
    district.overwrite_blob(hash, b"other bytes").await;
    let report = district.verify().await;
    assert_eq!((report.differences.len(), report.differences[0].kind), (1, "blob"));
    assert_eq!(report.differences[0].subject, hash.to_string());
}

#[tokio::test]
async fn dropped_rows_are_found() {
    for (table, kind) in [
        ("case_event", "case_row"),
        ("feed", "feed"),
        ("audit", "audit"),
        ("change_row", "document"),
        ("doc", "document"),
        ("photo", "photo"),
        ("count_day", "counter"),
        ("tally_street", "counter"),
        ("tally_map_day", "counter"),
        ("tally_map_month", "counter"),
        ("feed_head", "feed"),
    ] {
        let district = busy_district().await;
        for guard in ["update", "delete"] {
            let sql: &'static str = format!("DROP TRIGGER IF EXISTS {table}_no_{guard}").leak();
            district.run(sql, Vec::new()).await;
        }
        let key = key_of(table);
        let sql: &'static str =
            format!("DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} ORDER BY {key} DESC LIMIT 1)")
                .leak();
        assert_eq!(district.run(sql, Vec::new()).await, 1);
        let report = district.verify().await;
        assert!(report.differences.iter().any(|it| it.kind == kind), "{table}: {:?}", report.differences);
    }
}

/// Changes one value of one row, with every guard of the schema out of the way.
async fn flip(district: &District, table: &str, column: &str) {
    for guard in ["update", "delete"] {
        let sql: &'static str = format!("DROP TRIGGER IF EXISTS {table}_no_{guard}").leak();
        district.run(sql, Vec::new()).await;
    }
    district.run("PRAGMA ignore_check_constraints = ON", Vec::new()).await;
    let kind: &'static str = format!("SELECT type FROM pragma_table_info('{table}') WHERE name = '{column}'").leak();
    let kind = district.rows(kind).await[0].text(0).unwrap().to_owned();
    let flipped = match kind.as_str() {
        "INTEGER" => format!("CASE WHEN {column} IN (0, 1) THEN 1 - {column} ELSE {column} + 1000 END"),
        "TEXT" => format!("CASE WHEN {column} LIKE '~%' THEN '!' ELSE '~' END || substr({column}, 2)"),
        _ => format!("CAST(X'5A' || substr({column}, 2) AS BLOB)"),
    };
    let key = key_of(table);
    let sql: &'static str = format!(
        "UPDATE {table} SET {column} = {flipped} WHERE ({key}) IN
         (SELECT {key} FROM {table} WHERE {column} IS NOT NULL ORDER BY {key} LIMIT 1)"
    )
    .leak();
    assert_eq!(district.run(sql, Vec::new()).await, 1, "{table}.{column} has a row to flip");
}

fn key_of(table: &str) -> &'static str {
    match table {
        "case_event" => "case_id, version",
        "feed" => "district, position",
        "feed_audience" => "district, audience, position",
        "audit" => "seq",
        "change_row" => "case_id, hash",
        "doc" => "case_id",
        "case_row" => "id",
        "photo" => "case_id, sha256",
        "count_day" => "district, day, grid, unit, category",
        "count_month" => "district, month, grid, unit, category",
        "tally_day" => "district, day, unit, category",
        "tally_month" => "district, month, unit, category",
        "tally_grid" => "district, month, grid, unit",
        "tally_unit" => "district, day, unit",
        "tally_street" => "district, street, month, unit, category",
        "tally_map_day" => "district, day, grid",
        "tally_map_month" => "district, month, grid",
        "feed_head" => "district",
        "case_gram" => "gram, ordinal",
        other => panic!("{other} has no key here"),
    }
}
