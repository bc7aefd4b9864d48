//! What offices do, against the same district in memory.

use xunge_client_core::doc::Edit;
use xunge_client_core::model::{CaseId, LocalDay, Mode, PhotoHash};
use xunge_client_core::workflow::{Level, Payload, Refusal, Verb};

use super::cases::{self, Filter};
use super::commands::CommandError;
use super::counts::query::{Ask, By};
use super::scope::Scope;
use crate::params;
use crate::store::StoreError;
use crate::testing::{DISTRICT, District, Phone, facts};

async fn reported(district: &District, mode: Mode) -> (Phone, CaseId) {
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    let case = phone.report(&facts(district.fresh(), mode, district.now()));
    phone.drain(district).await;
    (phone, case)
}

fn void() -> Payload {
    Payload { reason: Some("false_report".into()), ..Payload::default() }
}

fn code(result: Result<super::commands::Reply, CommandError>) -> &'static str {
    result.unwrap_err().code()
}

#[tokio::test]
async fn of_two_offices_that_decide_at_once_one_hears_that_the_case_moved_on() {
    let district = District::new().await;
    let (_, case) = reported(&district, Mode::Forwarded).await;
    let reviewer = district.reviewer_of(case).await;
    let first = district.act_with(&reviewer, case, Verb::File, Payload::default(), 1, "a").await.unwrap();
    assert!(first.fresh);
    let second = district.act_with(&reviewer, case, Verb::SendBack, Payload::default(), 1, "b").await;
    assert!(matches!(second, Err(CommandError::Refused(Refusal::WrongState { version: 2, .. }))), "{second:?}");
    let urge = Payload { urge_level: Some(1), text: Some("soon".into()), ..Payload::default() };
    let third = district.act_with(&reviewer, case, Verb::Urge, urge, 1, "c").await;
    assert!(matches!(third, Err(CommandError::Refused(Refusal::StaleVersion { version: 2, .. }))), "{third:?}");
    assert_eq!(district.version(case).await, 2);
}

#[tokio::test]
async fn a_repeated_request_gets_its_first_answer_and_another_one_may_not_use_its_key() {
    let district = District::new().await;
    let (_, case) = reported(&district, Mode::Forwarded).await;
    let reviewer = district.reviewer_of(case).await;
    let first = district.act_with(&reviewer, case, Verb::Void, void(), 1, "key").await.unwrap();
    let after = district.fingerprint().await;
    let again = district.act_with(&reviewer, case, Verb::Void, void(), 1, "key").await.unwrap();
    assert_eq!((first.fresh, again.fresh, &first.body), (true, false, &again.body));
    assert_eq!(code(district.act_with(&reviewer, case, Verb::Void, void(), 2, "key").await), "idempotency_key_reused");
    assert_eq!(district.fingerprint().await, after);
}

#[tokio::test]
async fn a_refused_verb_takes_no_case_number_and_leaves_no_trace() {
    let district = District::new().await;
    let (_, case) = reported(&district, Mode::SelfHandled).await;
    let reviewer = district.reviewer_of(case).await;
    let before = district.fingerprint().await;
    let refused = [
        (Verb::ApproveSelfHandled, Payload::default(), "no_after_photo"),
        (Verb::File, Payload::default(), "missing"),
        (Verb::Void, Payload::default(), "reason_missing"),
        (Verb::Dispatch, Payload::default(), "wrong_role"),
        (Verb::File, Payload { case_no: Some("1".into()), ..Payload::default() }, "unknown_member"),
    ];
    for (verb, payload, expected) in refused {
        assert_eq!(code(district.act(&reviewer, case, verb, payload).await), expected, "{verb}");
    }
    let nowhere = Payload {
        mode: Some(Mode::Forwarded),
        category: Some("xixia-2023:event:NONE".parse().unwrap()),
        ..Payload::default()
    };
    assert_eq!(code(district.act(&reviewer, case, Verb::File, nowhere).await), "invalid");
    assert_eq!(district.fingerprint().await, before);
}

#[tokio::test]
async fn outside_the_scope_a_case_does_not_exist() {
    let district = District::new().await;
    let (_, case) = reported(&district, Mode::Forwarded).await;
    let sql = "SELECT u.id FROM user_account u, case_row c WHERE u.role = 'town_office' AND u.unit <> c.office
        AND u.scope <> c.street ORDER BY u.id LIMIT 1";
    let other = district.rows(sql).await[0].text(0).unwrap().to_owned();
    assert_eq!(code(district.act(&other, case, Verb::Void, void()).await), "not_found");
    let missing = CaseId::from_bytes([1; 16]);
    assert_eq!(code(district.act(&other, missing, Verb::Void, void()).await), "not_found");
    let viewer = district.viewer(&other).await;
    let shared = district.desk.services.directory.clone();
    let seen = district.desk.services.store.read::<_, StoreError, _>(move |tx| {
        Box::pin(async move {
            let directory = shared.get(tx).await?;
            let scope = Scope::of(&viewer, &directory);
            let page = cases::list(tx, &scope, DISTRICT, &Filter { limit: 50, ..Filter::default() }).await?;
            let detail = cases::detail(tx, &scope, &viewer, case).await?;
            let events = cases::events(tx, &scope, case).await?;
            Ok((page.items.len(), detail.is_some(), events.is_some()))
        })
    });
    assert_eq!(seen.await.unwrap(), (0, false, false));
}

/// A forwarded case all the way: filed, dispatched, signed, fed back with a photo, rechecked by phone, closed.
#[tokio::test]
async fn a_forwarded_case_runs_its_whole_way() {
    let district = District::new().await;
    let (mut phone, case) = reported(&district, Mode::Forwarded).await;
    let reviewer = district.reviewer_of(case).await;
    let due = district.now().plus_ms(86_400_000);
    district.act(&reviewer, case, Verb::File, Payload::default()).await.unwrap();
    let dispatcher = someone(&district, "dispatcher").await;
    let sql = "SELECT id, unit FROM user_account WHERE role = 'handling_unit' ORDER BY id LIMIT 1";
    let row = district.rows(sql).await.remove(0);
    let (handler, unit) = (row.text(0).unwrap().to_owned(), row.text(1).unwrap().to_owned());
    let dispatch = Payload {
        handler: Some(unit.parse().unwrap()),
        due_at: Some(due),
        level: Some(Level::Normal),
        ..Payload::default()
    };
    district.act(&dispatcher, case, Verb::Dispatch, dispatch).await.unwrap();
    district.act(&handler, case, Verb::Sign, Payload::default()).await.unwrap();
    let photo = PhotoHash::of(b"cleaned");
    let feedback = Payload { note: Some("done".into()), photos: vec![photo], ..Payload::default() };
    let early = district.act(&handler, case, Verb::Feedback, feedback.clone()).await;
    assert_eq!(code(early), "invalid", "a photo nobody sent");
    let owner = super::uploads::Owner::User(handler.clone()).key();
    district.blob_arrives(b"cleaned", &owner).await;
    district.act(&handler, case, Verb::Feedback, feedback).await.unwrap();
    let check = Payload { assignee: Some(phone.user.clone()), ..Payload::default() };
    district.act(&reviewer, case, Verb::CheckSend, check).await.unwrap();
    phone.drain(&district).await;
    assert_eq!(phone.cases[&case].version, 6);
    let reply = Payload {
        verdict: Some(xunge_client_core::workflow::Verdict::Pass),
        photos: vec![photo],
        ..Payload::default()
    };
    phone.ask(case, Verb::CheckReply, &reply);
    phone.drain(&district).await;
    district.act(&reviewer, case, Verb::Close, Payload::default()).await.unwrap();
    let total = district.november(None).await.total;
    assert_eq!((total.filed, total.case_closed, total.forwarded), (1, 1, 1));
    let report = district.verify().await;
    assert!(report.ok, "{:?}", report.differences);
    assert_eq!((report.checked["events"], report.checked["blobs"]), (8, 1));
}

async fn someone(district: &District, role: &str) -> String {
    let sql: &'static str = format!("SELECT id FROM user_account WHERE role = '{role}' ORDER BY id").leak();
    district.rows(sql).await[0].text(0).unwrap().to_owned()
}

/// A small generator: the same run every time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides
    }
}

#[tokio::test]
async fn after_any_mixture_everything_recounts() {
    for seed in 0..6 {
        let district = District::new().await;
        let mut dice = Dice(seed);
        let users = district.inspectors().await;
        let mut phones = Vec::new();
        for _ in 0..4 {
            phones.push(district.phone(&users[dice.roll(users.len())]).await);
        }
        let mut cases: Vec<CaseId> = Vec::new();
        for _ in 0..120 {
            let at = dice.roll(phones.len());
            step(&district, &mut dice, &mut phones[at], &mut cases).await;
        }
        for phone in &mut phones {
            phone.requests.clear();
            phone.drain(&district).await;
        }
        let report = district.verify().await;
        assert!(report.ok, "seed {seed}: {:?}", report.differences);
        assert!(report.checked["cases"] > 10 && report.checked["events"] > 20, "{:?}", report.checked);
        figures_agree(&district).await;
    }
}

/// One random thing that happens in a district.
async fn step(district: &District, dice: &mut Dice, phone: &mut Phone, cases: &mut Vec<CaseId>) {
    let mode = if dice.roll(3) == 0 { Mode::Forwarded } else { Mode::SelfHandled };
    match dice.roll(10) {
        0..=2 => cases.push(phone.report(&facts(district.fresh(), mode, district.now()))),
        3 => {
            let own: Vec<CaseId> = phone.cases.keys().copied().collect();
            if let Some(case) = own.get(dice.roll(own.len().max(1))) {
                phone.edit(*case, &[Edit::Description(format!("edit {}", district.fresh()))]);
            }
        }
        4 => {
            let own: Vec<CaseId> = phone.cases.keys().copied().collect();
            if let Some(case) = own.get(dice.roll(own.len().max(1))) {
                let verb = [Verb::Withdraw, Verb::RouteChange, Verb::Appeal][dice.roll(3)];
                let (mode, text) = (Some(mode), Some("because".to_owned()));
                let payload = match verb {
                    Verb::RouteChange => Payload { mode, ..Payload::default() },
                    Verb::Appeal => Payload { text, ..Payload::default() },
                    _ => Payload::default(),
                };
                phone.ask(*case, verb, &payload);
            }
        }
        5 => district.advance_days(dice.roll(3) as i64),
        6 | 7 => {
            let up = phone.up(district.now());
            if let Ok(down) = phone.send(district, &up).await
                && dice.roll(3) > 0
            {
                phone.take(&up, &down);
            }
        }
        _ => {
            let Some(case) = cases.get(dice.roll(cases.len().max(1))).copied() else { return };
            if district.version(case).await == 0 {
                return;
            }
            if dice.roll(2) == 0 {
                district.photos_arrive(case).await;
            }
            let (user, verb, payload) = match dice.roll(5) {
                0 => (district.reviewer_of(case).await, Verb::Void, void()),
                1 => {
                    let payload = Payload { mode: Some(Mode::Forwarded), ..Payload::default() };
                    (district.reviewer_of(case).await, Verb::File, payload)
                }
                2 => {
                    let payload = Payload { reason: Some("again".into()), ..Payload::default() };
                    let verb = [Verb::Reopen, Verb::Reinstate][dice.roll(2)];
                    (someone(district, "duty_leader").await, verb, payload)
                }
                _ => (district.reviewer_of(case).await, Verb::ApproveSelfHandled, Payload::default()),
            };
            let _ = district.act(&user, case, verb, payload).await;
        }
    }
}

/// Every split of every scope and period adds up to the same, and to what a look at the rows gives.
async fn figures_agree(district: &District) {
    let day = |month, day| LocalDay::new(2023, month, day).unwrap();
    for (from, to) in [(day(11, 1), day(11, 30)), (day(11, 3), day(12, 20)), (day(10, 1), day(12, 31))] {
        let ask = |by| Ask { scope: DISTRICT.parse().unwrap(), from, to, by };
        let total = district.counts(ask(None)).await.total;
        assert_eq!(total.reported, total.void + total.filed + total.pending);
        assert_eq!(total.reported, total.self_handled + total.forwarded);
        for by in By::ALL {
            let table = district.counts(ask(Some(by))).await;
            assert_eq!(table.total, total, "{by:?}");
            assert_eq!(table.rows.iter().map(|row| row.figures.reported).sum::<i64>(), total.reported, "{by:?}");
            assert_eq!(table.rows.iter().map(|row| row.figures.closed).sum::<i64>(), total.closed, "{by:?}");
        }
        let sql = "SELECT COUNT(*), COUNT(*) FILTER (WHERE state = 'void'),
            COUNT(*) FILTER (WHERE filed_at IS NOT NULL AND state <> 'void') FROM case_row
            WHERE received_at >= ?1 AND received_at < ?2";
        let row = district.rows_with(sql, params![from.start().0, to.end().0].to_vec()).await.remove(0);
        let looked = [row.int(0).unwrap(), row.int(1).unwrap(), row.int(2).unwrap()];
        assert_eq!(looked, [total.reported, total.void, total.filed]);
        let streets = district.rows("SELECT code FROM org_node WHERE level = 'street'").await;
        let mut sum = 0;
        for street in &streets {
            let scope = street.text(0).unwrap().parse().unwrap();
            sum += district.counts(Ask { scope, from, to, by: Some(By::Category) }).await.total.reported;
        }
        let nowhere = district.counts(ask(Some(By::Grid))).await;
        let outside = nowhere.rows.iter().find(|row| row.key.is_empty()).map_or(0, |row| row.figures.reported);
        assert_eq!(sum + outside, total.reported);
    }
}
