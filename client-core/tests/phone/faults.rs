//! Bad days: requests lost, answers lost, everything twice, damaged, a case nobody can digest.

use xunge_client_core::doc::Edit;
use xunge_client_core::model::{CaseId, PhotoRole, Remark};
use xunge_client_core::store::{ListQuery, Step};
use xunge_client_core::sync::{Batch, Room, Stop};
use xunge_client_core::workflow::{Payload, Verb};

use super::server::Server;
use super::world::{Call, Fate, Phone};

/// A phone with reports, a photo, a request to be answered and news to be fetched.
fn busy(server: &mut Server) -> (Phone, Vec<CaseId>) {
    let mut phone = Phone::new(server, "wang", 1, None);
    let decided = phone.report("办过的");
    phone.sync_fine(server);
    server.office(decided, Verb::SendBack, Payload { missing: Some("缺门牌号".into()), ..Payload::default() });
    let mut cases: Vec<CaseId> = (0..5).map(|index| phone.report(&format!("第{index}处"))).collect();
    phone.attach(cases[0], PhotoRole::Before, b"photo");
    phone.describe(decided, "已补门牌号");
    cases.push(decided);
    phone.requests = 0;
    server.log.clear();
    (phone, cases)
}

/// What must hold once the weather is fine again.
fn all_is_well(phone: &Phone, server: &Server, cases: &[CaseId]) {
    for case in cases {
        assert!(phone.is_on_server(*case), "{case}");
        let (here, there) = (phone.store.detail(*case).unwrap().unwrap(), &server.cases[case]);
        assert_eq!(here.facts, there.doc.facts().0);
        // The phone dates its own report by the answer it heard, which may be a later one.
        let mut ledger = here.ledger.unwrap();
        ledger.received_at = there.ledger.as_ref().unwrap().received_at;
        assert_eq!(Some(ledger), there.ledger, "{case}");
    }
    let batch = phone.store.collect(&everything()).unwrap();
    assert!(batch.cases.is_empty() && batch.requests.is_empty() && batch.photos.is_empty(), "{batch:?}");
}

fn everything() -> Room {
    Room { bytes: 1 << 20, offers: 100, photos: 100, ..Room::default() }
}

#[test]
fn losing_any_single_request_or_answer_costs_at_most_two_more_requests() {
    let mut calm = Server::new();
    let (mut phone, _) = busy(&mut calm);
    assert!(phone.sync_fine(&mut calm).drained);
    let usual = phone.requests;
    assert!(usual >= 2, "a sync and a photo");
    for at in 0..usual {
        for fate in [Fate::Lost, Fate::AnswerLost, Fate::Twice, Fate::Damaged] {
            let mut server = Server::new();
            let (mut phone, cases) = busy(&mut server);
            let summary = phone.sync(&mut server, &mut |number, _| if number == at { fate } else { Fate::Fine });
            assert!(summary.drained, "{fate:?} of request {at}: {summary:?}");
            assert!(phone.requests <= usual + 2, "{fate:?} of request {at}: {} requests", phone.requests);
            all_is_well(&phone, &server, &cases);
        }
    }
}

#[test]
fn a_request_repeated_days_later_changes_nothing() {
    let mut server = Server::new();
    let (mut phone, cases) = busy(&mut server);
    let mut kept = None;
    phone.sync(&mut server, &mut |_, call| {
        if matches!(call, Call::Sync) && kept.is_none() {
            kept = Some(());
        }
        Fate::Fine
    });
    let before: Vec<_> = server.cases.values().map(|case| (case.doc.heads(), case.ledger.clone())).collect();
    phone.clock.advance(5 * 86_400_000);
    phone.sync(&mut server, &mut |_, _| Fate::Twice);
    let after: Vec<_> = server.cases.values().map(|case| (case.doc.heads(), case.ledger.clone())).collect();
    assert_eq!(before, after);
    all_is_well(&phone, &server, &cases);
}

#[test]
fn random_weather_never_loses_or_doubles_anything() {
    for seed in 0..60 {
        let mut server = Server::new();
        let (mut phone, mut cases) = busy(&mut server);
        let dice = super::machine::Seeded::new(seed);
        for round in 0..6 {
            cases.push(phone.report(&format!("第{round}轮")));
            phone.describe(cases[dice.next() as usize % 5], &format!("改于第{round}轮"));
            phone.sync(&mut server, &mut |_, _| match dice.next() % 10 {
                0 | 1 => Fate::Lost,
                2 | 3 => Fate::AnswerLost,
                4 => Fate::Twice,
                5 => Fate::Damaged,
                _ => Fate::Fine,
            });
        }
        for _ in 0..2 {
            phone.sync_fine(&mut server);
        }
        all_is_well(&phone, &server, &cases);
        assert_eq!(server.cases.len(), cases.len(), "seed {seed}");
        assert!(server.cases.values().all(|case| case.events.iter().filter(|e| e.version == 1).count() == 1));
    }
}

#[test]
fn without_a_network_a_run_gives_up_soon_and_everything_stays() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    let summary = phone.sync(&mut server, &mut |_, _| Fate::Lost);
    assert_eq!(summary.stop, Some(Stop::Offline));
    assert!(!summary.drained && phone.requests == 3, "{summary:?}");
    assert_eq!((summary.waiting.cases, phone.text(case).as_str()), (1, "一"));
}

#[test]
fn after_a_failure_pages_are_small_until_the_link_proves_itself() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    for _ in 0..40 {
        let noise: String =
            (0..1_600).map(|_| char::from_u32(0x4e00 + (phone.entropy.next() % 20_000) as u32).unwrap()).collect();
        phone.report(&noise);
    }
    phone.sync(&mut server, &mut |number, _| if number == 0 { Fate::Lost } else { Fate::Fine });
    let frames: Vec<usize> = server.log.iter().map(|up| up.frames.len()).collect();
    assert!(frames[0] < frames[1], "{frames:?}");
    assert_eq!(frames.iter().sum::<usize>(), 40);
}

/// As in a basement: of every answer only the beginning comes through. What is offered and what is asked for has to shrink
/// until the answer fits, in one run that gives up after three failures.
#[test]
fn a_link_that_cuts_answers_short_still_says_that_text_and_photos_arrived() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let cases: Vec<CaseId> = (0..6).map(|index| phone.report(&format!("第{index}处"))).collect();
    for (index, case) in (0..10).zip(cases.iter().cycle()) {
        phone.attach(*case, PhotoRole::Before, &[index; 40]);
    }
    let summary = phone.sync(&mut server, &mut |_, _| Fate::Narrow(700));
    assert!(summary.drained, "{summary:?}");
    assert_eq!((summary.cases_sent, summary.photos_sent), (6, 10));
    all_is_well(&phone, &server, &cases);
}

/// The same with news to hear, for an app that the system ends after every try.
#[test]
fn a_link_that_cuts_answers_short_is_learned_by_an_app_that_is_ended_each_time() {
    let mut server = Server::new();
    let folder = tempfile::tempdir().unwrap();
    let mut phone = Phone::new(&mut server, "wang", 1, Some(folder.path().join("phone.db")));
    let mut other = Phone::new(&mut server, "wang", 2, None);
    let photo = phone.report("一");
    phone.sync_fine(&mut server);
    phone.attach(photo, PhotoRole::Before, &[7; 40]);
    other.report(&"隔壁也有一处".repeat(8));
    other.sync_fine(&mut server);
    // A place for the photo in the answer, and the news, are more than this together, and each is less.
    const NARROW: usize = 540;
    let mut tries = 0;
    while phone.store.unsent().unwrap().photos > 0 {
        phone.reboot();
        // The answer to the first request tells how the link is; then the app is ended.
        let mut is_first = true;
        phone.sync(&mut server, &mut |_, call| match call {
            Call::Sync if !std::mem::take(&mut is_first) => Fate::Lost,
            Call::Sync => Fate::Narrow(NARROW),
            _ => Fate::Fine,
        });
        tries += 1;
        assert!(tries < 20, "nothing comes through");
    }
    assert_eq!(phone.store.list(&ListQuery::default()).unwrap().0.len(), 2);
}

#[test]
fn a_case_the_server_can_not_digest_blocks_nobody() {
    for status in [400, 413, 500] {
        let mut server = Server::new();
        server.poison_status = status;
        let mut phone = Phone::new(&mut server, "wang", 1, None);
        let cases: Vec<CaseId> = (0..33).map(|index| phone.report(&format!("第{index}处"))).collect();
        server.poison.insert(cases[13]);
        let summary = phone.sync_fine(&mut server);
        assert!(!summary.drained && summary.stop.is_some());
        for (index, case) in cases.iter().enumerate() {
            assert_eq!(phone.is_on_server(*case), index != 13, "status {status}, case {index}");
        }
        assert!(phone.requests <= 25, "status {status}: {} requests", phone.requests);
        // Once the server is repaired the case goes out like any other.
        server.poison.clear();
        assert!(phone.sync_fine(&mut server).drained);
        assert!(phone.is_on_server(cases[13]));
    }
}

#[test]
fn reports_beyond_the_days_quota_hold_nothing_else_back() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let first = phone.report("一");
    assert!(phone.sync_fine(&mut server).drained);
    server.office(first, Verb::SendBack, Payload { missing: Some("缺门牌号".into()), ..Payload::default() });
    let over = [phone.report("二"), phone.report("三")];
    server.poison.extend(over);
    (server.poison_status, server.poison_code) = (429, "quota_cases");
    let before = phone.requests;
    let summary = phone.sync_fine(&mut server);
    assert_eq!((summary.waiting.cases, summary.received > 0), (2, true), "{summary:?}");
    assert_eq!(phone.store.detail(first).unwrap().unwrap().ledger.unwrap().version, 2, "news still come");
    assert!(phone.requests - before <= 3, "{} requests", phone.requests - before);
    // On the next day.
    server.poison.clear();
    assert!(phone.sync_fine(&mut server).drained);
    assert!(over.iter().all(|case| phone.is_on_server(*case)));
}

#[test]
fn a_photo_the_server_refuses_stops_and_the_others_go_on() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    let bad = phone.attach(case, PhotoRole::Before, b"bad");
    let good = phone.attach(case, PhotoRole::After, b"good");
    // The file on the phone is not what its name says.
    phone.files.overwrite(&bad, b"bax");
    let summary = phone.sync_fine(&mut server);
    assert_eq!(summary.photos_sent, 1);
    assert_eq!(server.photos[&good].0, b"good");
    assert_eq!(phone.attention(case).as_deref(), Some("photo_damaged"));
    assert_eq!(summary.waiting.photos, 0, "it is not tried for ever");
}

#[test]
fn wrong_clocks_are_told_and_never_refused() {
    for wall in [0, -86_400_000, 4_102_444_800_000] {
        let mut server = Server::new();
        let mut phone = Phone::new(&mut server, "wang", 1, None);
        phone.clock.set_wall(wall);
        let case = phone.report("一");
        phone.act(
            case,
            &[Step::Edit(vec![Edit::AddRemark(
                "01HGW2BBG0000000000000000A".into(),
                Remark { text: "补充".into(), at: server.now },
            )])],
        );
        assert!(phone.sync_fine(&mut server).drained, "clock at {wall}");
        assert!(phone.is_on_server(case));
        assert_eq!(
            phone.store.detail(case).unwrap().unwrap().ledger.unwrap().received_at,
            server.cases[&case].events[0].at
        );
    }
}

#[test]
fn an_empty_phone_has_nothing_to_collect() {
    let mut server = Server::new();
    let phone = Phone::new(&mut server, "wang", 1, None);
    let batch = phone.store.collect(&everything()).unwrap();
    assert_eq!(batch, Batch { epoch: 1, ..Batch::default() });
}
