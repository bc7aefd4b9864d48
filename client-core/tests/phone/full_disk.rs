//! A phone whose database takes nothing for a while: what waits, waits until it does again, and no longer.

use rusqlite::Connection;
use xunge_client_core::model::PhotoRole;
use xunge_client_core::sync::Stop;

use super::server::Server;
use super::world::Phone;

/// Lets every write to `column` of the phone's row fail until the connection's `DROP TRIGGER room`.
fn no_room_for(path: &std::path::Path, column: &str) -> Connection {
    let database = Connection::open(path).unwrap();
    let trigger = format!(
        "CREATE TRIGGER room BEFORE UPDATE OF {column} ON phone BEGIN SELECT RAISE(ABORT, 'no room for {column}'); END"
    );
    database.execute_batch(&trigger).unwrap();
    database
}

/// Seed 411 of the simulator: the engine counted photos as under way that the core had dropped with a failed write.
#[test]
fn photos_whose_start_was_dropped_with_a_failed_write_are_offered_again_in_the_same_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, Some(path.clone()));
    let case = phone.report("一");
    let photos: Vec<_> = [b"one", b"two"].iter().map(|bytes| phone.attach(case, PhotoRole::Before, *bytes)).collect();
    server.reference = 7;
    let full = no_room_for(&path, "reference");
    assert!(phone.sync_fine(&mut server).drained);
    assert!(photos.iter().all(|photo| server.photos.contains_key(photo)));
    assert_eq!(phone.store.phone().unwrap().reference, 0);
    full.execute_batch("DROP TRIGGER room").unwrap();
    phone.sync_fine(&mut server);
    assert_eq!(phone.store.phone().unwrap().reference, 7);
    phone.replay();
}

#[test]
fn whoever_waits_for_a_run_hears_of_its_end_though_its_last_write_failed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    let mut phone = Phone::new(&mut Server::new(), "wang", 1, Some(path.clone()));
    phone.report("一");
    let full = no_room_for(&path, "blocked");
    let summary = phone.sync_fine(&mut Server::new());
    assert_eq!(summary.stop, Some(Stop::Blocked { code: "unknown_device".into() }));
    assert_eq!(phone.store.phone().unwrap().blocked, None);
    full.execute_batch("DROP TRIGGER room").unwrap();
    phone.sync_fine(&mut Server::new());
    assert_eq!(phone.store.phone().unwrap().blocked.as_deref(), Some("unknown_device"));
    phone.replay();
}
