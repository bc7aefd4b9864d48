//! A scripted phone against the handler.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use minicbor::bytes::ByteVec;
use xunge_client_core::doc::{Edit, first_change};
use xunge_client_core::model::{ActorId, CaseId, Facts, Millis, Mode, Remark};
use xunge_client_core::wire::{Envelope, Frame, SyncDown, SyncUp};
use xunge_client_core::workflow::{Payload, Verb};

use super::SyncRefusal;
use crate::domain::intake::QUARANTINE_BYTES;
use crate::params;
use crate::sync;
use crate::testing::{District, facts};

#[tokio::test]
async fn a_report_becomes_a_case_and_is_counted_once_however_often_it_is_sent() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    phone.report(&facts(1, Mode::SelfHandled, district.now()));
    phone.report(&facts(2, Mode::Forwarded, district.now()));
    let up = phone.up(district.now());
    let first = phone.send(&district, &up).await.unwrap();
    let after_first = district.fingerprint().await;
    for _ in 0..3 {
        let again = phone.send(&district, &up).await.unwrap();
        assert_eq!((again.ack, &again.rejected, &again.results), (first.ack, &first.rejected, &first.results));
    }
    assert_eq!(district.fingerprint().await, after_first, "a repeated push changes nothing");
    phone.take(&up, &first);
    let total = district.november(None).await.total;
    assert_eq!((total.reported, total.self_handled, total.forwarded, total.pending), (2, 1, 1, 2));
    assert!(first.feed.is_empty() && first.differs.is_empty() && first.results.is_empty());
    assert!(phone.up(district.now()).frames.is_empty());
}

#[tokio::test]
async fn a_decision_reaches_the_phone_and_its_edits_reach_the_server() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    let case = phone.report(&facts(1, Mode::SelfHandled, district.now()));
    phone.drain(&district).await;
    phone.edit(case, &[Edit::Description("烟头,已清".into())]);
    phone.drain(&district).await;
    district.photos_arrive(case).await;
    let reviewer = district.reviewer_of(case).await;
    let reply = district.act(&reviewer, case, Verb::ApproveSelfHandled, Payload::default()).await.unwrap();
    assert!(reply.fresh && reply.body.contains("\"case_no\":\"64010520231101000001\""), "{}", reply.body);
    let down = phone.sync(&district).await;
    assert_eq!(down.feed.len(), 1);
    assert_eq!((down.feed[0].events.len(), down.feed[0].changes.len()), (1, 0));
    let total = district.november(None).await.total;
    assert_eq!((total.reported, total.case_closed, total.close_rate.as_deref()), (1, 1, Some("100.00")));
}

/// Two inspectors who share no grid.
async fn strangers(district: &District) -> (String, String) {
    let sql = "SELECT a.user_id, b.user_id FROM user_grid a JOIN user_grid b ON a.user_id < b.user_id
        WHERE NOT EXISTS (SELECT 1 FROM user_grid x JOIN user_grid y ON x.grid = y.grid
        WHERE x.user_id = a.user_id AND y.user_id = b.user_id) LIMIT 1";
    let rows = district.rows(sql).await;
    (rows[0].text(0).unwrap().to_owned(), rows[0].text(1).unwrap().to_owned())
}

fn codes(down: &SyncDown) -> Vec<&str> {
    down.rejected.iter().map(|one| one.code.as_str()).collect()
}

#[tokio::test]
async fn another_users_case_and_one_that_does_not_exist_are_answered_alike() {
    let district = District::new().await;
    let (li, wang) = strangers(&district).await;
    let (mut owner, mut stranger) = (district.phone(&li).await, district.phone(&wang).await);
    let theirs = owner.report(&facts(1, Mode::Forwarded, district.now()));
    owner.drain(&district).await;
    stranger.drain(&district).await;
    let nowhere = CaseId::from_bytes([7; 16]);
    let body = first_change(stranger.actor, &facts(2, Mode::Forwarded, district.now())).unwrap();
    let changes: Vec<ByteVec> = body.change_bodies_since(&[]).into_iter().map(|(_, body)| body.into()).collect();
    let before = owner.cases[&theirs].ledger.clone();
    let mut answers = Vec::new();
    for case in [theirs, nowhere] {
        let frame = Frame { case, changes: changes.clone(), submit: false };
        let up = SyncUp { epoch: 1, frames: vec![frame], phone_time: district.now(), ..SyncUp::default() };
        let mut down = stranger.send(&district, &up).await.unwrap();
        assert_eq!(codes(&down), ["not_yours"]);
        down.rejected.iter_mut().for_each(|one| one.case = nowhere);
        down.differs.iter_mut().for_each(|one| one.case = nowhere);
        down.ack = [0; 16];
        answers.push(down);
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(owner.cases[&theirs].ledger, before);
    assert_eq!(district.count("change_row").await, 1);
    assert_eq!(district.count("quarantine").await, 1, "the bytes are kept once");
}

#[tokio::test]
async fn an_actor_belongs_to_the_person_who_used_it_first() {
    let district = District::new().await;
    let people = district.inspectors().await;
    let (mut first, mut second) = (district.phone(&people[0]).await, district.phone(&people[1]).await);
    first.report(&facts(1, Mode::Forwarded, district.now()));
    first.drain(&district).await;
    second.actor = first.actor;
    let case = second.report(&facts(2, Mode::Forwarded, district.now()));
    let up = second.up(district.now());
    let down = second.send(&district, &up).await.unwrap();
    assert_eq!(codes(&down), ["actor_taken"]);
    assert_eq!(down.results[0].code.as_deref(), Some("stub"), "the report is not lost");
    assert_eq!(district.state(case).await, "reported");
}

#[tokio::test]
async fn another_phone_of_the_same_person_may_bring_what_the_first_one_wrote() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let (mut first, mut second) = (district.phone(&user).await, district.phone(&user).await);
    first.report(&facts(1, Mode::Forwarded, district.now()));
    first.drain(&district).await;
    second.actor = first.actor;
    second.report(&facts(2, Mode::Forwarded, district.now()));
    let up = second.up(district.now());
    let down = second.send(&district, &up).await.unwrap();
    assert!(codes(&down).is_empty() && down.results.is_empty(), "{down:?}");
}

#[tokio::test]
async fn a_report_that_can_not_be_read_becomes_a_stub_and_can_be_repaired() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    let case = phone.report(&facts(1, Mode::SelfHandled, district.now()));
    let mut up = phone.up(district.now());
    up.frames[0].changes = vec![b"not a change at all".to_vec().into()];
    let down = phone.send(&district, &up).await.unwrap();
    assert_eq!(codes(&down), ["malformed"]);
    assert_eq!((down.results[0].version, down.results[0].code.as_deref()), (1, Some("stub")));
    let after = district.fingerprint().await;
    let again = phone.send(&district, &up).await.unwrap();
    assert_eq!((again.results, again.rejected), (down.results, down.rejected));
    assert_eq!(district.fingerprint().await, after, "a repeated stub changes nothing");
    let total = district.november(None).await.total;
    assert_eq!((total.reported, total.forwarded, total.pending), (1, 1, 1));
    phone.drain(&district).await;
    assert!(!phone.cases[&case].is_dirty());
    assert_eq!(phone.cases[&case].ledger.as_ref().unwrap().flags, ["stub"]);
    let report = district.verify().await;
    assert!(report.ok, "{:?}", report.differences);
    assert_eq!(report.checked["quarantine"], 1);
}

#[tokio::test]
async fn damaged_changes_never_change_a_ledger_and_never_stop_the_server() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    let case = phone.report(&facts(1, Mode::SelfHandled, district.now()));
    phone.drain(&district).await;
    let ledger = "SELECT ledger, state, version FROM case_row";
    let before = district.rows(ledger).await;
    phone.edit(case, &[Edit::Description("x".into()), Edit::HandleNote("y".into())]);
    let honest = phone.up(district.now());
    let mut seed = 1_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for _ in 0..300 {
        let mut up = honest.clone();
        let mut body = up.frames[0].changes[0].to_vec();
        for _ in 0..=next(3) {
            let at = next(body.len());
            body[at] ^= 1 << next(8);
        }
        up.frames[0].changes[0] = body.into();
        up.frames[0].submit = next(2) == 0;
        phone.send(&district, &up).await.unwrap();
        assert_eq!(district.rows(ledger).await, before);
    }
    let report = district.verify().await;
    assert!(report.ok, "{:?}", report.differences);
}

#[tokio::test]
async fn reports_beyond_the_days_quota_stay_on_the_phone_until_tomorrow() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    for number in 0..302 {
        phone.report(&facts(number, Mode::Forwarded, district.now()));
    }
    let up = phone.up(district.now());
    let down = phone.send(&district, &up).await.unwrap();
    let over: Vec<_> = down.results.iter().map(|result| result.code.as_deref()).collect();
    assert_eq!(over, [Some("quota_cases"); 2]);
    phone.take(&up, &down);
    let rest = phone.up(district.now());
    assert_eq!(rest.frames.len(), 2);
    let refusal = phone.send(&district, &rest).await.unwrap_err();
    assert_eq!((refusal.status(), refusal.code()), (429, "quota_cases"));
    assert!(refusal.retry_after_s().is_some_and(|seconds| seconds > 0));
    let idle = SyncUp { frames: Vec::new(), ..rest };
    assert!(phone.send(&district, &idle).await.is_ok(), "news still come");
    district.advance_days(1);
    phone.drain(&district).await;
    assert_eq!(district.november(None).await.total.reported, 302);
}

#[tokio::test]
async fn a_phone_that_filled_its_quarantine_waits_with_what_is_refused_and_still_reports() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    const FILL: &str = "INSERT INTO quarantine (id, device, user_id, case_id, hash, code, field, bytes, at)
         VALUES (?1, ?2, ?3, NULL, ?4, 'malformed', NULL, ?5, 0)";
    // A change of nineteen bytes would fit, were it not for what its row costs.
    let bytes = vec![0; QUARANTINE_BYTES as usize - 900];
    district.run(FILL, params![[1_u8; 16], phone.id.as_bytes(), user, [1_u8; 32], bytes].to_vec()).await;
    phone.report(&facts(1, Mode::Forwarded, district.now()));
    let honest = phone.up(district.now());
    let mut damaged = honest.clone();
    damaged.frames[0].changes = vec![b"not a change at all".to_vec().into()];
    let before = district.rows("SELECT id FROM case_row").await;
    let refusal = phone.send(&district, &damaged).await.unwrap_err();
    assert_eq!((refusal.status(), refusal.code()), (429, "quota_quarantine"));
    assert!(refusal.retry_after_s().is_some_and(|seconds| seconds > 0));
    assert_eq!(district.rows("SELECT id FROM case_row").await, before, "nothing of it was written");
    phone.send(&district, &honest).await.unwrap();
    assert_eq!(district.november(None).await.total.reported, 1);
}

#[tokio::test]
async fn late_edits_are_kept_and_marked_and_a_sealed_case_takes_only_supplements() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    let case = phone.report(&facts(1, Mode::SelfHandled, district.now()));
    phone.drain(&district).await;
    district.photos_arrive(case).await;
    let reviewer = district.reviewer_of(case).await;
    district.act(&reviewer, case, Verb::ApproveSelfHandled, Payload::default()).await.unwrap();
    let before = (district.november(None).await, district.version(case).await);
    phone.edit(case, &[Edit::Description("later".into()), Edit::ModeClaim(Some(Mode::Forwarded))]);
    phone.drain(&district).await;
    let marked = district.rows("SELECT late_edited_at, text FROM case_row").await;
    assert!(marked[0].opt_int(0).unwrap().is_some() && marked[0].text(1).unwrap().contains("later"));
    assert_eq!((district.november(None).await, district.version(case).await), before);
    district.advance_days(8);
    let acked = phone.cases[&case].clone();
    phone.edit(case, &[Edit::Description("much later".into())]);
    let up = phone.up(district.now());
    let down = phone.send(&district, &up).await.unwrap();
    assert_eq!(codes(&down), ["field_frozen"]);
    phone.cases.insert(case, acked);
    phone.actor = ActorId::from_bytes([9; 8]);
    let remark = Remark { text: "the bin is back".into(), at: district.now() };
    phone.edit(case, &[Edit::AddSupplement("01HFU0000000000000000000ZZ".replace('U', "V"), remark)]);
    phone.drain(&district).await;
    assert!(!phone.cases[&case].is_dirty());
    let report = district.verify().await;
    assert!(report.ok, "{:?}", report.differences);
}

#[tokio::test]
async fn a_new_phone_gets_what_its_user_should_see() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut old = district.phone(&user).await;
    let cases: Vec<CaseId> =
        (0..40).map(|number| old.report(&facts(number, Mode::Forwarded, district.now()))).collect();
    old.drain(&district).await;
    old.edit(cases[3], &[Edit::Description("edited".into())]);
    old.drain(&district).await;
    let reviewer = district.reviewer_of(cases[0]).await;
    let void = Payload { reason: Some("test".into()), ..Payload::default() };
    district.act(&reviewer, cases[0], Verb::Void, void).await.unwrap();
    let filed = Payload { mode: Some(Mode::Forwarded), ..Payload::default() };
    district.act(&reviewer, cases[1], Verb::File, filed).await.unwrap();
    let mut new = district.phone(&user).await;
    new.drain(&district).await;
    old.drain(&district).await;
    assert_eq!(new.cursor, old.cursor);
    assert_eq!(new.cases.len(), 40);
    for case in &cases {
        assert_eq!(new.cases[case].doc.heads(), old.cases[case].doc.heads(), "{case}");
        let version = district.version(*case).await;
        assert_eq!((new.cases[case].version, old.cases[case].version), (version, version));
    }
    let down = new.sync(&district).await;
    assert!(down.feed.is_empty() && !down.more && down.cursor == new.cursor);
}

#[tokio::test]
async fn a_colleague_sees_open_cases_of_the_grid_and_loses_them_when_they_end() {
    let district = District::new().await;
    let rows = district
        .rows("SELECT a.user_id, b.user_id, a.grid FROM user_grid a JOIN user_grid b ON a.grid = b.grid AND a.user_id < b.user_id LIMIT 1")
        .await;
    let (li, wang, grid) = (rows[0].text(0).unwrap(), rows[0].text(1).unwrap(), rows[0].text(2).unwrap());
    let (mut reporter, mut colleague) = (district.phone(li).await, district.phone(wang).await);
    colleague.drain(&district).await;
    let case = reporter.report(&Facts {
        point: None,
        grid_claim: Some(grid.into()),
        ..facts(1, Mode::SelfHandled, district.now())
    });
    reporter.drain(&district).await;
    colleague.drain(&district).await;
    assert_eq!(colleague.cases[&case].doc.heads(), reporter.cases[&case].doc.heads());
    assert_eq!(colleague.cases[&case].version, 1);
    district.photos_arrive(case).await;
    let reviewer = district.reviewer_of(case).await;
    district.act(&reviewer, case, Verb::ApproveSelfHandled, Payload::default()).await.unwrap();
    let down = colleague.sync(&district).await;
    assert_eq!((down.gone.as_slice(), down.feed.len()), ([case].as_slice(), 0));
    reporter.drain(&district).await;
    assert_eq!(reporter.cases[&case].version, 2);
}

#[tokio::test]
async fn a_request_is_answered_the_same_for_ever() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    let (kept, gone) = (
        phone.report(&facts(1, Mode::Forwarded, district.now())),
        phone.report(&facts(2, Mode::Forwarded, district.now())),
    );
    phone.drain(&district).await;
    phone.ask(gone, Verb::Withdraw, &Payload::default());
    phone.ask(kept, Verb::Appeal, &Payload { text: Some("why".into()), ..Payload::default() });
    phone.ask(kept, Verb::File, &Payload::default());
    let up = phone.up(district.now());
    let first = phone.send(&district, &up).await.unwrap();
    let codes: Vec<_> = first.results.iter().map(|result| (result.version, result.code.as_deref())).collect();
    assert_eq!(codes, [(2, None), (0, Some("wrong_state")), (0, Some("unknown_verb"))]);
    let after = district.fingerprint().await;
    district.advance_days(400);
    let again = phone.send(&district, &up).await.unwrap();
    assert_eq!(again.results, first.results);
    assert_eq!(district.fingerprint().await, after);
    assert_eq!(district.state(gone).await, "void");
    assert_eq!(district.november(None).await.total.void, 1);
}

#[tokio::test]
async fn a_phone_that_asks_without_end_does_not_make_its_case_too_large_for_others() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    let case = phone.report(&facts(1, Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    let mut codes = BTreeMap::new();
    for number in 0..200 {
        let mode = if number % 2 == 0 { Mode::SelfHandled } else { Mode::Forwarded };
        let reason = Some("一二三四".repeat(500));
        phone.ask(case, Verb::RouteChange, &Payload { mode: Some(mode), reason, ..Payload::default() });
        for result in phone.sync(&district).await.results {
            *codes.entry(result.code).or_insert(0) += 1;
        }
    }
    let full = Some("case_full".to_owned());
    assert!(codes[&None] > 10 && codes[&full] > 100 && codes.len() == 2, "{codes:?}");
    let remembered = district.count("request_log").await;
    assert_eq!(remembered, codes[&None], "what was refused for room is not written down");
    // A new phone of the same person is told all of it within what a phone takes.
    let mut other = district.phone(&user).await;
    other.drain(&district).await;
    assert_eq!(other.cases[&case].version, district.version(case).await);
}

#[tokio::test]
async fn a_request_about_somebody_elses_case_gives_nothing_away() {
    let district = District::new().await;
    let (li, wang) = strangers(&district).await;
    let (mut owner, mut stranger) = (district.phone(&li).await, district.phone(&wang).await);
    let case = owner.report(&facts(1, Mode::Forwarded, district.now()));
    owner.drain(&district).await;
    for case in [case, CaseId::from_bytes([3; 16])] {
        stranger.ask(case, Verb::Withdraw, &Payload::default());
    }
    let up = stranger.up(district.now());
    let down = stranger.send(&district, &up).await.unwrap();
    assert!(down.results.iter().all(|result| result.code.as_deref() == Some("not_yours")), "{:?}", down.results);
    assert_eq!(district.state(case).await, "reported");
    assert_eq!(district.count("request_log").await, 0);
}

#[tokio::test]
async fn repeated_forged_and_revoked_envelopes_are_refused_and_write_nothing() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    phone.report(&facts(1, Mode::Forwarded, district.now()));
    let up = phone.up(district.now());
    let bytes = phone.seal(&up);
    sync::handle(&district.desk, &bytes).await.unwrap();
    let refused = |result: Result<Vec<u8>, SyncRefusal>| {
        let refusal = result.unwrap_err();
        (refusal.status(), refusal.code())
    };
    assert_eq!(refused(sync::handle(&district.desk, &bytes).await), (401, "counter_replayed"));
    let mut forged = phone.clone();
    forged.key = SigningKey::from_bytes(&[1; 32]);
    let forged = forged.seal(&up);
    assert_eq!(refused(sync::handle(&district.desk, &forged).await), (401, "bad_proof"));
    for cut in [0, 1, 40, bytes.len() - 1] {
        assert_eq!(refused(sync::handle(&district.desk, &bytes[..cut]).await), (400, "malformed"));
    }
    let mut envelope = Envelope::read(&phone.seal(&up)).unwrap();
    envelope.version = 99;
    assert_eq!(refused(sync::handle(&district.desk, &envelope.to_bytes()).await), (426, "version_unsupported"));
    let mut copy = phone.clone();
    copy.counter = 0;
    let other = SyncUp { phone_time: Millis(5), ..up.clone() };
    let fork = copy.seal(&other);
    assert_eq!(refused(sync::handle(&district.desk, &fork).await), (401, "device_cloned"));
    let cloned = district.rows("SELECT cloned_at FROM device").await;
    assert!(cloned[0].opt_int(0).unwrap().is_some(), "noticed for good");
    district.run("UPDATE device SET revoked_at = 1, cloned_at = NULL", Vec::new()).await;
    let bytes = phone.seal(&up);
    assert_eq!(refused(sync::handle(&district.desk, &bytes).await), (403, "device_revoked"));
    assert_eq!(district.count("case_row").await, 1);
}

#[tokio::test]
async fn a_restored_server_asks_for_cases_it_lost() {
    let district = District::new().await;
    let user = district.inspectors().await.remove(0);
    let mut phone = district.phone(&user).await;
    let case = phone.report(&facts(1, Mode::Forwarded, district.now()));
    phone.drain(&district).await;
    let restored = District::new().await;
    restored.desk.services.business.advance(86_400_000);
    let again = restored.phone(&user).await;
    restored.run("UPDATE meta SET value = '2' WHERE key = 'server_epoch'", Vec::new()).await;
    (phone.id, phone.key, phone.counter) = (again.id, again.key, 0);
    phone.edit(case, &[Edit::Description("edited while the server was away".into())]);
    let up = phone.up(restored.now());
    let down = phone.send(&restored, &up).await.unwrap();
    assert_eq!((down.need.len(), down.rejected.len(), down.epoch), (1, 0, 2));
    let held = phone.cases.get_mut(&case).unwrap();
    (held.on_server, held.to_submit) = (std::collections::BTreeSet::new(), true);
    phone.epoch = 2;
    phone.drain(&restored).await;
    assert_eq!(restored.state(case).await, "reported");
    let report = restored.verify().await;
    assert!(report.ok, "{:?}", report.differences);
}
