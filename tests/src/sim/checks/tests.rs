//! The checks can fail: each is shown a world that was spoilt in one place.

use xunge_client_core::model::{CaseId, PhotoHash};
use xunge_server::params;

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
