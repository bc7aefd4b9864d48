//! Power cuts, restores, clones: what the database alone brings back.

use xunge_client_core::driver::core::Outside;
use xunge_client_core::driver::host::make_folder;
use xunge_client_core::model::{CaseId, PhotoRole};
use xunge_client_core::store::{Store, StoreError};
use xunge_client_core::sync::{Event, Reason, Stop};
use xunge_client_core::workflow::{Payload, Verb};

use super::server::Server;
use super::world::{Fate, Phone};

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
fn a_wiped_phone_knows_nothing() {
    let (_folder, path) = folder();
    let phone = Phone::new(&mut Server::new(), "wang", 1, Some(path.clone()));
    phone.report("某小区某人家门口");
    phone.store.wipe().unwrap();
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
