//! Pages that phones must be able to apply, whatever was lost or purged before.

use xunge_client_core::doc::Edit;
use xunge_client_core::model::{ActorId, CaseId, Facts, Mode};
use xunge_client_core::workflow::{Payload, Verb};

use super::page::Size;
use crate::params;
use crate::testing::{District, Phone, facts};

fn text(text: &str) -> [Edit; 1] {
    [Edit::Description(text.to_owned())]
}

fn to(user: &str) -> Payload {
    Payload { assignee: Some(user.to_owned()), ..Payload::default() }
}

fn because() -> Payload {
    Payload { reason: Some("test".into()), ..Payload::default() }
}

/// A case, the phone that reported it, and the phone of somebody who does not walk its grid.
async fn reporter_and_stranger(district: &District) -> (Phone, Phone, CaseId) {
    let user = district.inspectors().await.remove(0);
    let mut reporter = district.phone(&user).await;
    let case = reporter.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    reporter.drain(district).await;
    let sql = "SELECT u.id FROM user_account u, case_row c WHERE c.id = ?1 AND u.role = 'inspector' AND u.id <> ?2
        AND NOT EXISTS (SELECT 1 FROM user_grid g WHERE g.user_id = u.id AND g.grid = c.grid) ORDER BY u.id LIMIT 1";
    let found = district.rows_with(sql, params![case.as_bytes(), &user].to_vec()).await;
    let stranger = district.phone(found[0].text(0).unwrap()).await;
    (reporter, stranger, case)
}

#[tokio::test]
async fn a_page_that_ends_on_a_row_told_to_nobody_skips_nothing() {
    let mut district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let (mut one, mut two) = (district.phone(&user).await, district.phone(&user).await);
    two.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    two.drain(&district).await;
    one.drain(&district).await;
    district.desk.services.feed_page = Size { rows: 2, ..Size::default() };
    two.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    two.drain(&district).await;
    one.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    let lost = one.up(district.now());
    one.send(&district, &lost).await.unwrap();
    let last = two.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    two.drain(&district).await;
    one.drain(&district).await;
    assert!(one.cases.contains_key(&last), "the row behind the phone's own report");
    assert_eq!(one.cases.len(), 4);
}

#[tokio::test]
async fn a_case_that_comes_back_brings_what_its_phone_had_written() {
    let district = District::new().await;
    let (mut reporter, mut holder, case) = reporter_and_stranger(&district).await;
    reporter.ask(case, Verb::Handover, &to(&holder.user));
    reporter.drain(&district).await;
    holder.drain(&district).await;
    holder.edit(case, &text("seen"));
    holder.drain(&district).await;
    holder.ask(case, Verb::Handover, &to(&reporter.user));
    holder.drain(&district).await;
    assert!(!holder.cases.contains_key(&case), "it left the view and was purged");
    reporter.drain(&district).await;
    reporter.edit(case, &text("seen again"));
    reporter.ask(case, Verb::Handover, &to(&holder.user));
    reporter.drain(&district).await;
    holder.drain(&district).await;
    assert_eq!(holder.cases[&case].doc.heads(), reporter.cases[&case].doc.heads());
    assert_eq!((holder.cases[&case].version, reporter.cases[&case].version), (4, 4));
}

#[tokio::test]
async fn a_case_told_to_be_gone_that_is_back_before_the_phone_reads_on_comes_whole() {
    let mut district = District::new().await;
    let sql = "SELECT a.user_id, b.user_id, a.grid FROM user_grid a JOIN user_grid b ON a.grid = b.grid
        AND a.user_id < b.user_id LIMIT 1";
    let pair = district.rows(sql).await.remove(0);
    let (mut reporter, mut colleague) =
        (district.phone(pair.text(0).unwrap()).await, district.phone(pair.text(1).unwrap()).await);
    let grid_claim = Some(pair.text(2).unwrap().to_owned());
    let seen = |number| Facts {
        point: None,
        grid_claim: grid_claim.clone(),
        ..facts(number, Mode::Forwarded, district.now())
    };
    let (other, seen) = (seen(1), seen(2));
    reporter.report(&other);
    reporter.drain(&district).await;
    colleague.drain(&district).await;
    district.desk.services.feed_page = Size { rows: 1, ..Size::default() };
    let case = reporter.report(&seen);
    reporter.drain(&district).await;
    let reviewer = district.reviewer_of(case).await;
    district.act(&reviewer, case, Verb::Void, because()).await.unwrap();
    assert_eq!(colleague.sync(&district).await.gone, [case], "the first row, of a case that is not to be seen now");
    let leader = district.rows("SELECT id FROM user_account WHERE role = 'duty_leader' ORDER BY id").await;
    district.act(leader[0].text(0).unwrap(), case, Verb::Reinstate, because()).await.unwrap();
    colleague.sync(&district).await;
    assert_eq!(colleague.cases[&case].version, 3, "the second row brings all of it");
    colleague.drain(&district).await;
    reporter.drain(&district).await;
    assert_eq!(colleague.cases[&case].doc.heads(), reporter.cases[&case].doc.heads());
}

#[tokio::test]
async fn changes_whose_answer_was_lost_are_acknowledged_after_the_case_was_handed_on() {
    let district = District::new().await;
    let (mut reporter, mut holder, case) = reporter_and_stranger(&district).await;
    reporter.ask(case, Verb::Handover, &to(&holder.user));
    reporter.drain(&district).await;
    holder.drain(&district).await;
    holder.edit(case, &text("seen"));
    let lost = holder.up(district.now());
    holder.send(&district, &lost).await.unwrap();
    let reviewer = district.reviewer_of(case).await;
    district.act(&reviewer, case, Verb::Handover, to(&reporter.user)).await.unwrap();
    holder.edit(case, &text("too late"));
    let down = holder.sync(&district).await;
    let codes: Vec<&str> = down.rejected.iter().map(|one| one.code.as_str()).collect();
    assert_eq!(codes, ["not_yours"], "only what the server does not hold");
    holder.drain(&district).await;
    assert!(!holder.cases.contains_key(&case));
    reporter.drain(&district).await;
    assert_eq!(reporter.cases[&case].doc.facts().0.description, "seen");
}

#[tokio::test]
async fn a_case_that_ended_long_ago_reaches_a_newer_phone_whole_when_it_returns() {
    let district = District::new().await;
    let (mut reporter, _, case) = reporter_and_stranger(&district).await;
    let reviewer = district.reviewer_of(case).await;
    district.act(&reviewer, case, Verb::Void, because()).await.unwrap();
    district.advance_days(70);
    reporter.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    reporter.drain(&district).await;
    let mut newer = district.phone(&reporter.user).await;
    newer.drain(&district).await;
    assert!(!newer.cases.contains_key(&case), "the last two months only");
    let leader = district.rows("SELECT id FROM user_account WHERE role = 'duty_leader' ORDER BY id").await;
    district.act(leader[0].text(0).unwrap(), case, Verb::Reinstate, because()).await.unwrap();
    newer.drain(&district).await;
    reporter.drain(&district).await;
    assert_eq!(newer.cases[&case].doc.heads(), reporter.cases[&case].doc.heads());
    assert_eq!((newer.cases[&case].version, reporter.cases[&case].version), (3, 3));
}

#[tokio::test]
async fn a_case_that_ends_during_a_first_walk_of_two_months_is_not_too_old_for_it() {
    let mut district = District::new().await;
    let (mut reporter, _, first) = reporter_and_stranger(&district).await;
    for _ in 0..40 {
        reporter.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    }
    reporter.drain(&district).await;
    let mut newer = district.phone(&reporter.user).await;
    district.desk.services.feed_page = Size { bytes: 600, rows: 3 };
    newer.sync(&district).await;
    assert!(!newer.cases.contains_key(&first), "the walk goes from the newest to the oldest");
    let reviewer = district.reviewer_of(first).await;
    district.act(&reviewer, first, Verb::Void, because()).await.unwrap();
    district.advance_days(70);
    reporter.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    reporter.drain(&district).await;
    newer.drain(&district).await;
    assert_eq!(newer.cases[&first].version, 2);
}

#[tokio::test]
async fn a_cursor_from_nowhere_begins_again() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    for cursor in [1, 1 << 63, u64::MAX] {
        let mut phone = district.phone(&user).await;
        (phone.cursor, phone.epoch) = (cursor, 1);
        assert!(phone.sync(&district).await.feed.is_empty());
    }
    let (reporter, _, case) = reporter_and_stranger(&district).await;
    for cursor in [0, 7, 1_000, 1 << 62, 1 << 63, u64::MAX, u64::MAX - (1 << 62)] {
        let mut phone = district.phone(&reporter.user).await;
        (phone.cursor, phone.epoch) = (cursor, 1);
        phone.drain(&district).await;
        assert_eq!(phone.cases[&case].version, 1, "{cursor:x}");
    }
}

#[tokio::test]
async fn a_phone_that_never_heard_of_its_report_is_told_how_it_ended_however_long_ago() {
    let district = District::new().await;
    let (mut other, _, _) = reporter_and_stranger(&district).await;
    let mut phone = district.phone(&other.user).await;
    let case = phone.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    let lost = phone.up(district.now());
    phone.send(&district, &lost).await.unwrap();
    let reviewer = district.reviewer_of(case).await;
    district.act(&reviewer, case, Verb::Void, because()).await.unwrap();
    district.advance_days(70);
    other.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    other.drain(&district).await;
    phone.drain(&district).await;
    assert_eq!(phone.cases[&case].version, 2);
}

#[tokio::test]
async fn what_a_copy_brought_in_a_phones_name_is_told_to_the_phone() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    let old = phone.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    let mut copy = phone.clone();
    copy.actor = ActorId::from_bytes([9; 8]);
    let new = copy.report(&facts(district.fresh(), Mode::Forwarded, district.now()));
    copy.edit(old, &text("改"));
    copy.drain(&district).await;
    // It leaps over the numbers of the copy, so that nobody notices that there are two.
    phone.counter += 40;
    let down = phone.sync(&district).await;
    assert!(phone.cases.contains_key(&new));
    assert_eq!(phone.cases[&old].doc.facts().0.description, "改");
    assert_eq!(down.feed.len(), 2);
    phone.edit(old, &text("又改"));
    assert_eq!(phone.sync(&district).await.feed.len(), 0, "what it brings itself it knows");
}
