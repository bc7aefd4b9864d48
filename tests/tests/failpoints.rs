//! A process dies on each arrow of the order in which things become durable.

use std::os::unix::process::ExitStatusExt;
use std::path::Path;

use xunge_client_core::failpoint::At;
use xunge_tests::ledger::{self, Tally};
use xunge_tests::process::{Phone, Server};
use xunge_tests::scene::Scene;

/// What a process dies of at such a place.
const ABORTED: Option<i32> = Some(6);

/// Runs a command of a phone that has to die at `at`.
fn dies(phone: &Phone, command: &str, args: &[&str], at: At) {
    let output = phone.spawn_armed(command, args, Some(at.name())).wait_with_output().unwrap();
    assert_eq!(output.status.signal(), ABORTED, "{command} passes {at:?} (is feature `testing` on?)");
}

/// The phone dies at `at`; true if that was before the report was saved.
fn phone_dies(phone: &Phone, photo: &Path, at: At) -> bool {
    let photo = photo.to_str().unwrap();
    let args = [
        "--category",
        "暴露垃圾",
        "--lon",
        "106.10",
        "--lat",
        "38.50",
        "--forward",
        "--text",
        "堆放杂物",
        "--photo",
        photo,
    ];
    match at {
        At::PhonePhotoFlushed | At::PhonePhotosRenamed | At::PhonePhotosSaved | At::PhoneReportSaved => {
            dies(phone, "report", &args, at);
            at != At::PhoneReportSaved
        }
        _ => {
            phone.run("report", &args);
            dies(phone, "sync", &[], at);
            false
        }
    }
}

#[test]
fn wherever_a_process_dies_nothing_saved_is_lost_and_nothing_is_there_twice() {
    let scene = Scene::new();
    let mut server = Server::start(&scene.data());
    let address = server.address().to_owned();
    let (_, inspector) = scene.pair();
    let phone = scene.enrol(&server.url, inspector, "phone");
    let mut unsaved = 0;
    for (number, at) in At::ALL.into_iter().enumerate() {
        let photo = scene.photo(&format!("{number}.jpg"), number as u8, 160, 120);
        if at.name().starts_with("phone.") {
            unsaved += usize::from(phone_dies(&phone, &photo, at));
        } else {
            phone.report("堆放杂物", photo.to_str().unwrap(), None);
            assert_eq!(server.stop(), Some(0));
            let doomed = Server::start_armed(&scene.data(), &address, Some(at.name()));
            let mut sync = phone.spawn("sync", &[]);
            assert_eq!(doomed.dies(), ABORTED, "{at:?}");
            // Whoever synced waits for the server in vain; another run goes on from what is written.
            sync.kill().unwrap();
            sync.wait().unwrap();
            server = Server::start_on(&scene.data(), &address);
        }
        phone.drain(5);
    }
    let saved = phone.cases();
    assert_eq!(saved.len(), At::ALL.len() - unsaved, "what died before it was saved is not shown");
    assert_eq!(server.stop(), Some(0));
    let expected = Tally { saved: saved.len() as u64, lost: 0, wrong: 0 };
    assert_eq!((ledger::tally(&scene.data(), &saved), ledger::photos_missing(&scene.data())), (expected, 0));
}
