//! Power cuts, restores, clones: what the database alone brings back.

use xunge_client_core::doc::Edit;
use xunge_client_core::driver::core::Outside;
use xunge_client_core::driver::host::make_folder;
use xunge_client_core::model::{CaseId, Mode, PhotoRole, Remark};
use xunge_client_core::platform::Clock;
use xunge_client_core::store::{Step, Store, StoreError};
use xunge_client_core::sync::{Answer, Event, Reason, Stop};
use xunge_client_core::workflow::{Payload, Verb};

use super::server::Server;
use super::world::{Fate, Phone};

/// Wang's phone, that of Li with a case of Wang's in hand, and the case.
fn handed_over(server: &mut Server, path: std::path::PathBuf) -> (Phone, Phone, CaseId) {
    let mut wang = Phone::new(server, "wang", 1, Some(path));
    let mut li = Phone::new(server, "li", 2, None);
    let case = wang.report("一");
    wang.sync_fine(server);
    let handover = Payload { assignee: Some("li".into()), ..Payload::default() };
    wang.act(case, &[Step::Request { verb: Verb::Handover, payload: Box::new(handover) }]);
    wang.sync_fine(server);
    li.sync_fine(server);
    (wang, li, case)
}

/// A server that was put back to `backup` today.
fn restored(backup: &Server, server: &Server) -> Server {
    let mut restored = backup.clone();
    (restored.epoch, restored.now) = (server.epoch + 1, server.now);
    restored
}

fn folder() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    (folder, path)
}

#[test]
fn a_folder_is_made_with_what_is_missing_above_it_and_again_without_harm() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("a/b/phone");
    for _ in 0..2 {
        make_folder(&folder).unwrap();
    }
    std::fs::write(folder.join("phone.db"), b"x").unwrap();
    make_folder(&folder).unwrap();
    assert!(make_folder(&folder.join("phone.db/below")).is_err());
}

#[test]
fn a_phone_that_dies_between_persist_and_send_sends_the_same_change_again() {
    let (_folder, path) = folder();
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, Some(path));
    let case = phone.report("一");
    // Persisted, about to be sent, dead.
    let outside = phone.step(Event::Wake(Reason::Asked));
    assert!(matches!(outside.as_slice(), [Outside::Send(_)]));
    phone.reboot();
    // What was marked as sent is immutable: a later edit makes a second change.
    phone.describe(case, "二");
    assert!(phone.sync_fine(&mut server).drained);
    let doc = &server.cases[&case].doc;
    assert_eq!((doc.change_count(), doc.actors().count()), (2, 2));
    assert_eq!(doc.facts().0.description, "二");
}

#[test]
fn a_phone_killed_at_every_step_of_a_run_loses_and_doubles_nothing() {
    for kill_at in 0..8 {
        let (_folder, path) = folder();
        let mut server = Server::new();
        let mut phone = Phone::new(&mut server, "wang", 1, Some(path));
        let cases: Vec<CaseId> = (0..3).map(|index| phone.report(&format!("第{index}处"))).collect();
        let photo = phone.attach(cases[1], PhotoRole::Before, b"photo");
        // The server hears everything up to the kill; the phone forgets everything that is not in its database.
        phone.sync(&mut server, &mut |number, _| if number < kill_at { Fate::Fine } else { Fate::AnswerLost });
        phone.reboot();
        phone.describe(cases[0], "重启后改");
        assert!(phone.sync_fine(&mut server).drained, "killed at {kill_at}");
        assert_eq!(server.cases.len(), 3);
        assert_eq!(server.cases[&cases[0]].doc.facts().0.description, "重启后改");
        assert_eq!(server.photos[&photo].0, b"photo");
        assert!(cases.iter().all(|case| phone.is_on_server(*case)));
    }
}

#[test]
fn a_restored_server_gets_everything_back() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let old = phone.report("备份前");
    phone.sync_fine(&mut server);
    let mut backup = server.clone();
    let new = phone.report("备份后");
    let photo = phone.attach(new, PhotoRole::Before, b"photo");
    phone.describe(old, "备份后改");
    phone.sync_fine(&mut server);
    server.office(old, Verb::Void, Payload { reason: Some("test".into()), ..Payload::default() });
    phone.sync_fine(&mut server);
    assert_eq!(phone.store.detail(old).unwrap().unwrap().ledger.unwrap().version, 2);

    backup.epoch = 2;
    backup.now = server.now;
    let before = phone.requests;
    assert!(phone.sync_fine(&mut backup).drained);
    assert!(phone.requests - before <= 4, "{} requests", phone.requests - before);
    assert_eq!(backup.cases[&old].doc.facts().0.description, "备份后改");
    assert_eq!(backup.cases[&new].doc.facts().0.description, "备份后");
    assert_eq!(backup.photos[&photo].0, b"photo");
    // The decision after the backup is gone there, and so it is here.
    let ledger = phone.store.detail(old).unwrap().unwrap().ledger.unwrap();
    assert_eq!((ledger.version, Some(ledger)), (1, backup.cases[&old].ledger.clone()));
    assert_eq!(phone.store.phone().unwrap().epoch, 2);
}

/// Seed 248 of the simulator: the decision came with the answer that took the report, and the old report stayed below it.
#[test]
fn a_report_that_a_restored_server_takes_anew_with_a_request_is_shown_as_it_was_taken() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let backup = server.clone();
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    let claimed = |server: &Server| server.cases[&case].ledger.as_ref().unwrap().mode_claim;
    let other = *Mode::ALL.iter().find(|mode| **mode != claimed(&server)).unwrap();
    phone.act(case, &[Step::Edit(vec![Edit::ModeClaim(Some(other))])]);
    phone.sync_fine(&mut server);
    let handover = Payload { assignee: Some("li".into()), ..Payload::default() };
    phone.act(case, &[Step::Request { verb: Verb::Handover, payload: Box::new(handover) }]);
    phone.sync_fine(&mut server);
    let mut restored = restored(&backup, &server);
    assert!(phone.sync_fine(&mut restored).drained);
    assert_eq!(claimed(&restored), other);
    let ledger = phone.store.detail(case).unwrap().unwrap().ledger;
    assert_eq!((ledger.as_ref().map(|it| it.version), &ledger), (Some(2), &restored.cases[&case].ledger));
}

#[test]
fn a_phone_restored_from_its_own_backup_does_not_reuse_its_actor() {
    let (folder, path) = folder();
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, Some(path.clone()));
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    phone.describe(case, "二");
    phone.store.checkpoint().unwrap();
    let backup = folder.path().join("backup.db");
    std::fs::copy(&path, &backup).unwrap();
    phone.sync_fine(&mut server);
    let sent = server.cases[&case].doc.heads();
    // The backup knows the edit but not that it was sent, and its numbers are behind.
    let mut restored = Phone::of_file(2, backup);
    restored.describe(case, "三");
    let summary = restored.sync_fine(&mut server);
    assert_eq!(summary.stop, Some(Stop::Blocked { code: "device_cloned".into() }));
    assert_eq!(restored.text(case), "三", "nothing on the phone is lost by that");
    // Enrolled again, it is a new device with a new actor, and everything it holds arrives.
    restored.enrol_again(&mut server);
    assert!(restored.sync_fine(&mut server).drained);
    let doc = &server.cases[&case].doc;
    assert!(sent.iter().all(|head| doc.knows(head)), "what the lost phone had sent stays");
    assert_eq!(doc.actors().count(), 2);
    assert!(restored.is_on_server(case));
    assert_eq!(restored.store.detail(case).unwrap().unwrap().facts, doc.facts().0);
}

#[test]
fn a_database_of_a_newer_app_is_refused_and_not_touched() {
    let (_folder, path) = folder();
    let phone = Phone::new(&mut Server::new(), "wang", 1, Some(path.clone()));
    phone.report("一");
    drop(phone);
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute("INSERT INTO migration (number, checksum) VALUES (99, x'00')", []).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    let entropy = std::sync::Arc::new(super::machine::Seeded::new(1));
    assert!(matches!(Store::open(&path, entropy), Err(StoreError::TooNew { found: 99, .. })));
    let reports: i64 = newer.query_row("SELECT COUNT(*) FROM case_local", [], |row| row.get(0)).unwrap();
    assert_eq!(reports, 1);
}

#[test]
fn reports_of_one_user_are_never_sent_by_another() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    phone.report("一");
    let other = super::world::enrolment(phone.device, "li", 1);
    assert!(matches!(phone.store.enrolled(&other), Err(StoreError::OtherUser { known }) if known == "wang"));
    assert!(phone.sync_fine(&mut server).drained);
}

#[test]
fn whoever_takes_over_a_phone_is_sent_the_grids_of_their_own_street() {
    let mut server = Server::new();
    server.reference = 7;
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    phone.sync_fine(&mut server);
    phone.user = "li".to_owned();
    phone.enrol_again(&mut server);
    let before = phone.requests;
    assert!(phone.sync_fine(&mut server).drained);
    assert_eq!(phone.requests - before, 3, "sync, token, bundle");
}

#[test]
fn no_word_of_a_server_deletes_a_draft() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    phone.sync_fine(&mut server);
    let draft = phone.draft("还没写完");
    let known = phone.store.phone().unwrap();
    let answer = Answer {
        counter: known.counter,
        epoch: known.epoch,
        cursor: known.cursor,
        server_time: known.server_time,
        now: phone.clock.now_wall(),
        verdicts: Vec::new(),
        results: Vec::new(),
        photos: Vec::new(),
        feed: Vec::new(),
        gone: vec![draft],
        census: None,
    };
    phone.store.apply(&answer).unwrap();
    assert_eq!(phone.text(draft), "还没写完");
}

#[test]
fn a_wiped_phone_knows_nothing() {
    let (_folder, path) = folder();
    let phone = Phone::new(&mut Server::new(), "wang", 1, Some(path.clone()));
    phone.report("某小区某人家门口");
    phone.store.wipe().unwrap();
    phone.store.shred().unwrap();
    assert_eq!(phone.store.phone().unwrap(), Default::default());
    drop(phone);
    let needle = "某小区某人家门口".as_bytes();
    for end in ["", "-wal"] {
        let bytes = std::fs::read(format!("{}{end}", path.display())).unwrap_or_default();
        assert!(!bytes.windows(needle.len()).any(|window| window == needle), "phone.db{end}");
    }
}

#[test]
fn a_confirmed_edit_that_a_restored_server_refuses_is_shown() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    let mut restored = server.clone();
    phone.describe(case, "二");
    phone.sync_fine(&mut server);
    restored.epoch += 1;
    restored.judge = Some(|_, doc| (doc.facts().0.description == "二").then_some(("bad_value", Some("description"))));
    phone.sync_fine(&mut restored);
    assert_eq!(phone.attention(case).as_deref(), Some("bad_value"));
}

#[test]
fn another_phone_of_the_reporter_brings_back_what_a_restored_server_forgot() {
    let mut server = Server::new();
    let mut lost = Phone::new(&mut server, "wang", 1, None);
    let mut second = Phone::new(&mut server, "wang", 2, None);
    let backup = server.clone();
    let case = lost.report("一");
    lost.sync_fine(&mut server);
    second.sync_fine(&mut server);
    drop(lost);
    let mut restored = restored(&backup, &server);
    assert!(second.sync_fine(&mut restored).drained);
    assert_eq!(restored.cases[&case].doc.facts().0.description, "一");
    assert!(restored.cases[&case].ledger.is_some());
}

#[test]
fn a_colleague_brings_back_what_their_work_builds_on() {
    let (_folder, path) = folder();
    let mut server = Server::new();
    let (mut wang, mut li, case) = handed_over(&mut server, path);
    let backup = server.clone();
    // A process the backup has not heard of.
    wang.reboot();
    wang.describe(case, "王改");
    wang.sync_fine(&mut server);
    li.sync_fine(&mut server);
    li.describe(case, "李改");
    let mut restored = restored(&backup, &server);
    assert!(li.sync_fine(&mut restored).drained);
    let doc = &restored.cases[&case].doc;
    assert_eq!((doc.change_count(), doc.facts().0.description.as_str()), (3, "李改"));
    // Wang's phone goes on, with another actor: the first one is taken for Li's now.
    wang.describe(case, "王又改");
    for phone in [&mut wang, &mut li] {
        assert!(phone.sync_fine(&mut restored).drained);
    }
    assert_eq!((li.text(case), li.attention(case)), ("王又改".to_owned(), None));
}

#[test]
fn nobody_brings_back_changes_of_somebody_the_restored_server_knows() {
    let (_folder, path) = folder();
    let mut server = Server::new();
    let (mut wang, mut li, case) = handed_over(&mut server, path);
    let backup = server.clone();
    wang.describe(case, "王改");
    wang.sync_fine(&mut server);
    li.sync_fine(&mut server);
    li.describe(case, "李改");
    let mut restored = restored(&backup, &server);
    let before = li.requests;
    assert!(li.sync_fine(&mut restored).drained, "their own work does not wait for it");
    assert!(li.requests - before <= 4, "{} requests", li.requests - before);
    assert_eq!(restored.cases[&case].doc.facts().0.description, "李改");
    wang.sync_fine(&mut restored);
    li.sync_fine(&mut restored);
    assert_eq!(restored.cases[&case].doc.change_count(), 3);
    assert_eq!(li.text(case), wang.text(case));
}

/// Seed 626 of the simulator: Li brought Wang's change too, it was taken, and Li's own words counted as held with it.
#[test]
fn words_that_are_refused_do_not_count_as_held_because_a_colleagues_were_taken() {
    let says = |phone: &Phone, case, key: &str, text: &str| {
        let remark = Remark { text: text.to_owned(), at: phone.clock.now().wall };
        phone.act(case, &[Step::Edit(vec![Edit::AddRemark(format!("01HGW2BBG00000000000000{key}"), remark)])]);
    };
    let (_folder, path) = folder();
    let mut server = Server::new();
    let (mut wang, mut li, case) = handed_over(&mut server, path);
    let backup = server.clone();
    // Both say something without having heard the other; then Li hears it.
    says(&li, case, "001", "李说");
    says(&wang, case, "002", "王说");
    wang.sync_fine(&mut server);
    li.sync_fine(&mut server);
    let mut restored = restored(&backup, &server);
    // Li's phone hears of the restored server, gets ready to bring everything, and is offline; Wang's words are there first.
    assert!(!li.sync(&mut restored, &mut |number, _| if number == 0 { Fate::Fine } else { Fate::Lost }).drained);
    wang.sync_fine(&mut restored);
    restored.sealed.insert(case);
    assert!(li.sync_fine(&mut restored).drained);
    let there = restored.cases[&case].doc.facts().0;
    let said: Vec<&str> = there.remarks.values().map(|remark| remark.text.as_str()).collect();
    let later: Vec<&str> = there.supplements.values().map(|remark| remark.text.as_str()).collect();
    assert_eq!((said, later), (vec!["王说"], vec!["李说"]));
}

/// Seed 916 of the simulator: enrolling took the colleague's case off the phone before anybody heard of the restore.
#[test]
fn a_phone_that_enrols_again_at_a_restored_server_brings_what_it_wrote_on_a_colleagues_case() {
    let (_folder, path) = folder();
    let mut server = Server::new();
    let (_wang, mut li, case) = handed_over(&mut server, path);
    let backup = server.clone();
    li.describe(case, "李改");
    assert!(li.sync_fine(&mut server).drained);
    let mut restored = restored(&backup, &server);
    li.enrol_again(&mut restored);
    assert!(li.sync_fine(&mut restored).drained);
    assert_eq!(restored.cases[&case].doc.facts().0.description, "李改");
}

/// What a restored server forgot is no reason to keep what this phone may not see any more.
#[test]
fn a_phone_that_enrols_again_at_a_restored_server_keeps_nothing_out_of_its_view() {
    let (_folder, path) = folder();
    let mut server = Server::new();
    let (_wang, mut li, case) = handed_over(&mut server, path);
    let mut restored = restored(&server.clone(), &server);
    restored.hide(case, "li");
    li.enrol_again(&mut restored);
    li.sync_fine(&mut restored);
    assert!(li.store.detail(case).unwrap().is_none());
}

#[test]
fn a_case_that_went_and_came_back_is_written_with_a_new_actor() {
    let (_folder, path) = folder();
    let mut server = Server::new();
    let (mut wang, mut li, case) = handed_over(&mut server, path);
    let backup = server.clone();
    li.describe(case, "李改");
    li.sync_fine(&mut server);
    wang.sync_fine(&mut server);
    server.hide(case, "li");
    li.sync_fine(&mut server);
    assert!(li.store.detail(case).unwrap().is_none());
    // The restored server gives it back without what Li wrote.
    let mut restored = restored(&backup, &server);
    li.sync_fine(&mut restored);
    li.describe(case, "李又改");
    li.sync_fine(&mut restored);
    for phone in [&mut wang, &mut li] {
        assert!(phone.sync_fine(&mut restored).drained);
    }
    assert_eq!(wang.attention(case), None);
    assert_eq!(wang.text(case), li.text(case));
    assert_eq!(restored.cases[&case].doc.change_count(), 3);
}
