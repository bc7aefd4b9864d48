//! The checks can fail: each is shown a world that was spoilt in one place.

use xunge_client_core::model::{CaseId, IntentId, PhotoHash};
use xunge_server::params;

use super::again::Page;
use crate::sim::world::World;
use crate::sim::{Held, Scale};

const SMALL: Scale = Scale { phones: 4, steps: 60, rot: false };

/// The first world that lived well and of which `found` finds something.
fn lived<T>(found: impl Fn(&World) -> Option<T>) -> (World, T, tempfile::TempDir) {
    for seed in 0..50 {
        let folder = tempfile::tempdir().unwrap();
        let mut world = World::new(seed, SMALL, folder.path(), false);
        world.live().unwrap();
        if let Some(found) = found(&world) {
            world.check_end().unwrap();
            return (world, found, folder);
        }
    }
    panic!("no world has what is wanted");
}

fn invariant(checked: Held) -> &'static str {
    checked.expect_err("it is noticed").invariant
}

/// A photo that a phone sent and still knows, with its case.
fn sent(world: &World) -> Option<(CaseId, PhotoHash)> {
    let held = |(case, photo): &(CaseId, PhotoHash)| {
        world.centre.photo_of(*case, photo) == Some(true) && world.phones.iter().any(|it| it.holds_photo(*case, photo))
    };
    world.promises.photos.keys().copied().find(held)
}

fn run(world: &World, sql: &'static str, photo: &PhotoHash) {
    world.centre.run(sql, params![photo.as_bytes()].to_vec());
}

#[test]
fn a_photo_whose_bytes_are_gone_is_noticed() {
    let (mut world, (_, photo), _folder) = lived(sent);
    world.centre.wait(world.centre.blobs().delete(photo)).unwrap();
    assert_eq!(invariant(world.check_sweep()), "a sweep leaves what has a row");
    assert_eq!(invariant(world.check_end()), "the centre recounts to what it says");
    run(&world, "DELETE FROM blob_owner WHERE sha256 = ?1", &photo);
    run(&world, "DELETE FROM blob WHERE sha256 = ?1", &photo);
    assert_eq!(invariant(world.check_sweep()), "a photo shown as sent is at the centre");
}

#[test]
fn a_photo_that_never_arrived_is_noticed_although_the_centre_recounts() {
    let (mut world, (_, photo), _folder) = lived(sent);
    for sql in [
        "UPDATE photo SET present = 0 WHERE sha256 = ?1",
        "UPDATE case_row SET photos_present = (SELECT COUNT(*) FROM photo WHERE case_id = id AND present = 1)
         WHERE id IN (SELECT case_id FROM photo WHERE sha256 = ?1)",
    ] {
        run(&world, sql, &photo);
    }
    world.check_centre().unwrap();
    assert_eq!(invariant(world.check_end()), "no saved photo is lost");
    // Nobody remembers that it was saved, but its phone has it.
    world.promises.photos.clear();
    assert_eq!(invariant(world.check_end()), "no case waits for a photo that a phone has");
}

/// A request of the ledger that was granted, and of which everything was taken.
fn granted(world: &World) -> Option<Page> {
    let known = |page: &Page| {
        page.up.requests.iter().any(|request| {
            let sql = "SELECT 1 FROM request_log WHERE intent_id = ?1 AND code IS NULL";
            world.centre.has(sql, params![request.intent.as_bytes()].to_vec())
        })
    };
    world.pages().into_iter().find(known)
}

#[test]
fn a_request_under_another_intent_is_noticed_when_it_is_said_again() {
    let (world, mut page, _folder) = lived(granted);
    world.say_again(&world.as_it_is(), std::slice::from_ref(&page)).unwrap();
    page.up.requests[0].intent = IntentId::from_bytes([9; 16]);
    assert_eq!(invariant(world.say_again(&world.as_it_is(), &[page])), "what is said again changes nothing");
}

#[test]
fn a_centre_that_forgot_what_it_answered_or_took_is_noticed_when_it_is_said_again() {
    let (world, page, _folder) = lived(granted);
    let forgetful = world.as_it_is();
    forgetful
        .run("DELETE FROM request_log WHERE intent_id = ?1", params![page.up.requests[0].intent.as_bytes()].to_vec());
    assert_eq!(invariant(world.say_again(&forgetful, &[page])), "what is said again changes nothing");

    let of_changes = world.pages().into_iter().find(|page| !page.up.frames.is_empty()).unwrap();
    let case = params![of_changes.up.frames[0].case.as_bytes()].to_vec();
    let forgetful = world.as_it_is();
    for sql in [
        "DROP TRIGGER IF EXISTS change_row_no_delete",
        "DELETE FROM change_row WHERE case_id = ?1",
        "DELETE FROM doc WHERE case_id = ?1",
    ] {
        let with = if sql.contains("?1") { case.clone() } else { Vec::new() };
        forgetful.run(sql, with);
    }
    assert_eq!(invariant(world.say_again(&forgetful, &[of_changes])), "what is said again changes nothing");
}

/// A phone is copied and both speak in turn; `before` each of them something happens to the centre.
fn two_copies_speak(before: impl Fn(&World)) -> (World, Held, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(1, Scale { phones: 1, ..SMALL }, folder.path(), false);
    world.rough = false;
    let speak = |world: &mut World, phone| world.ask(phone).and_then(|()| world.until_idle(phone));
    speak(&mut world, 0).unwrap();
    world.clone_phone().unwrap();
    let mut turns = [0, 1, 0].into_iter();
    let held = turns.try_for_each(|phone| {
        before(&world);
        speak(&mut world, phone)
    });
    (world, held, folder)
}

#[test]
fn a_copy_of_a_phone_that_the_centre_does_not_notice_is_noticed_here() {
    let noticed = "SELECT 1 FROM device WHERE cloned_at IS NOT NULL";
    let (world, held, _folder) = two_copies_speak(|_| ());
    held.unwrap();
    assert!(world.centre.has(noticed, Vec::new()), "within two contacts");
    let (world, held, _folder) = two_copies_speak(|world| {
        world.centre.run("DELETE FROM device_heard", Vec::new());
        world.centre.run("UPDATE device SET counter = 0, counter_window = x''", Vec::new());
    });
    assert_eq!(invariant(held), "a copy of a phone is noticed once both have spoken");
    assert!(!world.centre.has(noticed, Vec::new()));
    assert_eq!(invariant(world.check_names()), "no two phones go on under one name");
}

#[test]
fn an_act_of_the_administration_without_its_line_is_noticed() {
    let (world, (), _folder) = lived(|_| Some(()));
    world.check_administration().unwrap();
    world.centre.run("UPDATE device SET revoked_at = 1", Vec::new());
    assert_eq!(invariant(world.check_administration()), "every act of the administration has its line");
}

#[test]
fn a_rescued_report_that_never_reached_the_centre_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new(1, Scale { phones: 1, ..SMALL }, folder.path(), false);
    world.phones[0].online = false;
    world.report(0, true).unwrap();
    let bundles = world.seal(0).unwrap();
    assert_eq!(invariant(world.check_rescued(0)), "a rescued report is at the centre");
    assert!(bundles.into_iter().all(|bundle| world.take_bundle(0, bundle)));
    world.check_rescued(0).unwrap();
}

#[test]
fn a_centre_that_loses_what_it_answered_when_the_power_fails_is_noticed() {
    let (mut world, (), _folder) = lived(|_| Some(()));
    let before = world.centre.disk();
    world.report(0, true).unwrap();
    world.ask(0).unwrap();
    world.until_idle(0).unwrap();
    world.fall_in(|_| ()).unwrap();
    world.centre.start_on(&before);
    let held = world.fall_in(|_| ());
    assert_eq!(invariant(held), "what is shown as sent is at the centre");
}
