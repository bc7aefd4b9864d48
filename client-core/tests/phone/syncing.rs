//! Good days: what goes out, what comes in, and what it costs.

use xunge_client_core::doc::Edit;
use xunge_client_core::model::{Mode, PhotoRole, Remark};
use xunge_client_core::store::Step;
use xunge_client_core::sync::{Notice, Stop};
use xunge_client_core::workflow::{Payload, State, Verb};

use super::server::Server;
use super::world::{Call, Fate, Phone};

#[test]
fn a_report_reaches_the_server_in_one_request_and_is_confirmed_by_digest() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("路边暴露垃圾");
    assert!(!phone.is_on_server(case));
    let summary = phone.sync_fine(&mut server);
    assert!(summary.drained, "{summary:?}");
    assert_eq!((summary.cases_sent, phone.requests), (1, 1));
    assert!(phone.is_on_server(case));
    assert_eq!(server.cases[&case].doc.facts().0.description, "路边暴露垃圾");
    let detail = phone.store.detail(case).unwrap().unwrap();
    assert_eq!(detail.ledger.as_ref().map(|ledger| (ledger.state, ledger.version)), Some((State::Reported, 1)));
}

#[test]
fn a_draft_never_leaves_the_phone() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    phone.draft("还没写完");
    let summary = phone.sync_fine(&mut server);
    assert!(summary.drained && server.cases.is_empty());
}

#[test]
fn edits_before_the_first_send_travel_as_one_change() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("第一稿");
    phone.describe(case, "第二稿");
    phone.describe(case, "第三稿");
    phone.sync_fine(&mut server);
    assert_eq!(server.cases[&case].doc.change_count(), 1);
    phone.describe(case, "第四稿");
    phone.describe(case, "第五稿");
    assert!(phone.sync_fine(&mut server).drained);
    assert_eq!(server.cases[&case].doc.change_count(), 2, "what was sent stays, later edits make one new change");
    assert_eq!(server.cases[&case].doc.facts().0.description, "第五稿");
}

#[test]
fn edits_that_take_each_other_back_send_nothing() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    phone.describe(case, "二");
    phone.describe(case, "一");
    let summary = phone.sync_fine(&mut server);
    assert!(summary.drained && phone.is_on_server(case));
    assert!(server.log.last().unwrap().frames.is_empty());
}

#[test]
fn a_day_of_reports_goes_out_in_one_request_and_an_idle_sync_stays_tiny() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    for index in 0..100 {
        phone.report(&format!("第{index}处：小区东门外暴露垃圾约两平方米，已拍照"));
    }
    let summary = phone.sync_fine(&mut server);
    assert!(summary.drained);
    assert_eq!((summary.cases_sent, phone.requests), (100, 1));
    assert!(server.bytes_down <= 200, "{} bytes of acknowledgement", server.bytes_down);
    let (up, down) = (server.bytes_up, server.bytes_down);
    phone.sync_fine(&mut server);
    assert!(server.bytes_up - up <= 160, "{} bytes up", server.bytes_up - up);
    assert!(server.bytes_down - down <= 100, "{} bytes down", server.bytes_down - down);
}

#[test]
fn a_backlog_larger_than_a_page_goes_out_in_pages() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    // Noise does not compress: each report is about 5 kB.
    let reports: Vec<_> = (0..60)
        .map(|_| {
            let noise: String =
                (0..1_600).map(|_| char::from_u32(0x4e00 + (phone.entropy.next() % 20_000) as u32).unwrap()).collect();
            phone.report(&noise)
        })
        .collect();
    let summary = phone.sync_fine(&mut server);
    assert!(summary.drained, "{summary:?}");
    assert!(phone.requests > 2 && phone.requests < 12, "{} requests", phone.requests);
    assert!(reports.iter().all(|case| phone.is_on_server(*case)));
}

#[test]
fn decisions_of_the_office_arrive_and_a_lower_version_never_follows_a_higher_one() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    server.office(case, Verb::Void, Payload { reason: Some("not_in_scope".into()), ..Payload::default() });
    phone.sync_fine(&mut server);
    let ledger = phone.store.detail(case).unwrap().unwrap().ledger.unwrap();
    assert_eq!((ledger.state, ledger.version), (State::Void, 2));
    assert_eq!(ledger.void_reason.unwrap().code(), "not_in_scope");
    assert!(phone.store.status_items().unwrap()[0].reviewed);
}

#[test]
fn a_decision_is_understood_even_if_the_acceptance_was_never_heard() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    // The server has the report, the phone does not know.
    phone.sync(&mut server, &mut |_, _| Fate::AnswerLost);
    assert!(!phone.is_on_server(case));
    server.office(case, Verb::Void, Payload { reason: Some("test".into()), ..Payload::default() });
    phone.sync_fine(&mut server);
    let ledger = phone.store.detail(case).unwrap().unwrap().ledger.unwrap();
    assert_eq!((ledger.state, ledger.version), (State::Void, 2));
    assert!(phone.is_on_server(case));
}

#[test]
fn photos_follow_the_text_and_resume_where_the_link_broke() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let bytes: Vec<u8> = (0..200_000).map(|_| phone.entropy.next() as u8).collect();
    let case = phone.report("一");
    let photo = phone.attach(case, PhotoRole::Before, &bytes);
    let mut sent = 0;
    let summary = phone.sync(&mut server, &mut |_, call| match call {
        // Every second piece breaks in the middle; what arrived stays.
        Call::Photo(offset) => {
            sent += 1;
            if sent % 2 == 0 && *offset < 150_000 { Fate::AnswerLost } else { Fate::Fine }
        }
        _ => Fate::Fine,
    });
    assert!(summary.drained, "{summary:?}");
    assert_eq!(summary.photos_sent, 1);
    assert_eq!(server.photos[&photo].0, bytes);
    assert!(server.log[0].frames.iter().any(|frame| frame.case == case), "text went first");
}

#[test]
fn a_run_ends_when_text_gets_through_and_photos_never_do() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.attach(case, PhotoRole::Before, b"photo");
    let mut tries = 0;
    let summary = phone.sync(&mut server, &mut |_, call| {
        tries += u32::from(matches!(call, Call::Photo(_)));
        if matches!(call, Call::Photo(_)) { Fate::Lost } else { Fate::Fine }
    });
    assert_eq!(summary.stop, Some(Stop::Offline));
    assert!(phone.is_on_server(case));
    assert!((1..=5).contains(&tries), "{tries} tries");
}

#[test]
fn an_upload_the_server_forgot_begins_again_at_the_first_byte() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let bytes: Vec<u8> = (0..100_000).map(|_| phone.entropy.next() as u8).collect();
    let case = phone.report("一");
    let photo = phone.attach(case, PhotoRole::Before, &bytes);
    // One piece arrives, then the link breaks for good.
    phone.sync(&mut server, &mut |_, call| match call {
        Call::Photo(0) => Fate::AnswerLost,
        Call::Photo(_) => Fate::Lost,
        _ => Fate::Fine,
    });
    assert!((1..100_000).contains(&server.photos[&photo].0.len()));
    // Two weeks later the server knows nothing of it any more.
    server.photos.clear();
    assert!(phone.sync_fine(&mut server).drained);
    assert_eq!(server.photos[&photo].0, bytes);
    assert_eq!(phone.attention(case), None);
}

#[test]
fn the_same_photo_in_two_cases_is_uploaded_once() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let (one, two) = (phone.report("一"), phone.report("二"));
    phone.attach(one, PhotoRole::Before, b"same");
    phone.attach(two, PhotoRole::Before, b"same");
    let summary = phone.sync_fine(&mut server);
    assert!(summary.drained);
    assert_eq!(summary.photos_sent, 1);
    let items = phone.store.status_items().unwrap();
    assert!(items.iter().all(|item| item.photos.total == 1 && item.photos.sent == 1), "{items:?}");
}

#[test]
fn a_request_is_answered_and_its_refusal_reaches_the_inspector() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let (kept, gone) = (phone.report("一"), phone.report("二"));
    phone.sync_fine(&mut server);
    for case in [kept, gone] {
        phone.act(case, &[Step::Request { verb: Verb::Withdraw, payload: Box::default() }]);
    }
    // One is decided before the wish arrives.
    server.office(kept, Verb::File, Payload { handler: Some("U640105900".parse().unwrap()), ..Payload::default() });
    let summary = phone.sync_fine(&mut server);
    assert_eq!(summary.refused.len(), 1, "{summary:?}");
    assert_eq!(phone.attention(kept).as_deref(), Some("wrong_state"));
    let state = |case| phone.store.detail(case).unwrap().unwrap().ledger.unwrap().state;
    assert_eq!((state(kept), state(gone)), (State::Filed, State::Void));
    assert_eq!(phone.store.detail(kept).unwrap().unwrap().requests[0].state, "refused");
}

#[test]
fn a_case_handed_over_is_written_by_both_and_both_see_the_same() {
    let mut server = Server::new();
    let mut wang = Phone::new(&mut server, "wang", 1, None);
    let mut li = Phone::new(&mut server, "li", 2, None);
    let case = wang.report("一");
    wang.sync_fine(&mut server);
    let handover = Payload { assignee: Some("li".into()), ..Payload::default() };
    wang.act(case, &[Step::Request { verb: Verb::Handover, payload: Box::new(handover) }]);
    wang.sync_fine(&mut server);
    li.sync_fine(&mut server);
    assert_eq!(li.text(case), "一");
    li.describe(case, "李补充");
    assert!(li.sync_fine(&mut server).drained);
    wang.sync_fine(&mut server);
    assert_eq!(wang.text(case), "李补充");
    assert_eq!(li.store.detail(case).unwrap().unwrap().ledger, wang.store.detail(case).unwrap().unwrap().ledger);
}

#[test]
fn two_writers_of_one_case_converge_and_a_conflict_is_shown() {
    let mut server = Server::new();
    let mut wang = Phone::new(&mut server, "wang", 1, None);
    let mut same_user = Phone::new(&mut server, "wang", 2, None);
    let case = wang.report("原文");
    wang.sync_fine(&mut server);
    same_user.sync_fine(&mut server);
    assert_eq!(same_user.text(case), "原文");
    wang.describe(case, "甲改");
    same_user.describe(case, "乙改");
    for _ in 0..2 {
        assert!(wang.sync_fine(&mut server).drained);
        assert!(same_user.sync_fine(&mut server).drained);
    }
    assert_eq!(wang.text(case), same_user.text(case));
    for phone in [&wang, &same_user] {
        let conflicts = phone.store.detail(case).unwrap().unwrap().conflicts;
        assert_eq!(conflicts.len(), 1);
        assert_eq!(conflicts[0].values.len(), 2);
    }
    // Writing it once more settles it, even with the value that wins already.
    let winner = wang.text(case);
    wang.describe(case, &winner);
    wang.sync_fine(&mut server);
    same_user.sync_fine(&mut server);
    assert!(same_user.store.detail(case).unwrap().unwrap().conflicts.is_empty());
}

#[test]
fn a_case_out_of_scope_is_purged_unless_it_holds_unsent_work() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let mut other = Phone::new(&mut server, "wang", 2, None);
    let (gone, kept) = (other.report("一"), other.report("二"));
    other.sync_fine(&mut server);
    phone.sync_fine(&mut server);
    phone.act(
        kept,
        &[Step::Edit(vec![Edit::AddRemark(
            "01HGW2BBG0000000000000000A".into(),
            Remark { text: "补充".into(), at: server.now },
        )])],
    );
    server.hide(gone, "wang");
    server.hide(kept, "wang");
    phone.sync(&mut server, &mut |number, _| if number == 0 { Fate::Fine } else { Fate::Lost });
    assert!(phone.store.detail(gone).unwrap().is_none());
    phone.sync_fine(&mut server);
    let facts = server.cases[&kept].doc.facts().0;
    assert_eq!(facts.remarks.len(), 1, "the unsent remark was sent, not lost");
    assert!(phone.store.detail(kept).unwrap().is_none(), "nothing of this phone is left in it");
}

#[test]
fn a_report_edited_after_its_answer_was_lost_is_shown_as_it_was_taken() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync(&mut server, &mut |_, _| Fate::AnswerLost);
    phone.act(case, &[Step::Edit(vec![Edit::ModeClaim(Some(Mode::SelfHandled))])]);
    phone.sync_fine(&mut server);
    let detail = phone.store.detail(case).unwrap().unwrap();
    assert_eq!(detail.facts.mode_claim, Some(Mode::SelfHandled));
    assert_eq!(detail.ledger.unwrap().mode_claim, Mode::Forwarded, "as frozen when it arrived");
}

#[test]
fn new_reference_data_is_fetched_once() {
    let mut server = Server::new();
    server.reference = 7;
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let (heard, _subscription) = phone.notices();
    phone.sync_fine(&mut server);
    assert_eq!(phone.store.phone().unwrap().reference, 7);
    assert_eq!(phone.requests, 3, "sync, token, bundle");
    phone.sync_fine(&mut server);
    assert_eq!(phone.requests, 4);
    let news = heard.lock().unwrap().iter().filter(|notice| **notice == Notice::ReferenceChanged).count();
    assert_eq!(news, 1);
}

#[test]
fn a_phone_that_is_not_known_stops_and_keeps_everything() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut Server::new(), "wang", 1, None);
    let case = phone.report("一");
    let summary = phone.sync_fine(&mut server);
    assert_eq!(summary.stop, Some(Stop::Blocked { code: "unknown_device".into() }));
    assert_eq!(phone.store.phone().unwrap().blocked.as_deref(), Some("unknown_device"));
    assert_eq!(phone.text(case), "一");
}

#[test]
fn my_counts_follow_the_ledger() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let (one, two) = (phone.report("一"), phone.report("二"));
    phone.act(two, &[Step::Edit(vec![Edit::ModeClaim(Some(Mode::SelfHandled))])]);
    let today = server.now.local_day();
    let counts = |phone: &Phone| phone.store.my_counts(today, today).unwrap();
    assert_eq!((counts(&phone).reported, counts(&phone).unsent, counts(&phone).self_handled), (2, 2, 1));
    phone.sync_fine(&mut server);
    server.office(one, Verb::Void, Payload { reason: Some("test".into()), ..Payload::default() });
    server.office(two, Verb::ApproveSelfHandled, Payload::default());
    phone.sync_fine(&mut server);
    let mine = counts(&phone);
    assert_eq!((mine.reported, mine.void, mine.filed, mine.case_closed, mine.pending), (2, 1, 1, 1, 0));
}
