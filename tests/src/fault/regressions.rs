//! What the stories found, each by itself.

use std::path::Path;
use std::sync::Arc;

use xunge_client_core::client::{Config, ListQuery, Parts, Phone, ReportInput};
use xunge_client_core::driver::host::PhotoFolder;
use xunge_client_core::model::PhotoHash;
use xunge_client_core::platform::Files;
use xunge_server::blobs::Blobs;
use xunge_server::store::{Options, Store};

use super::disk::{Disk, Failure};
use super::image::{Change, Image};
use super::loss::Loss;
use super::run::fast_folder;
use super::steps::MARKER;
use crate::sim::machine::Seeded;
use crate::workload::Dice;

fn attached(home: &tempfile::TempDir) -> Disk {
    Disk::attach(home.path(), &Image::default()).unwrap()
}

/// The disk after each of its operations.
fn moments(disk: &Disk) -> Vec<Image> {
    let mut image = Image::default();
    let after = |change: &Change| {
        image.apply(change);
        image.clone()
    };
    disk.changes().iter().map(after).collect()
}

/// Every file that is left when the power fails now.
fn left(disk: &Disk) -> Vec<(String, Vec<u8>)> {
    let tree = moments(disk).pop().unwrap_or_default().after(Loss::Drop, &mut Dice::new(0));
    let home = fast_folder();
    tree.write_to(home.path()).unwrap();
    let tree = super::image::Tree::read(home.path()).unwrap();
    tree.listing().into_iter().filter_map(|(path, content)| Some((path.to_owned(), content?.to_vec()))).collect()
}

#[test]
fn the_folder_of_a_phones_first_photo_survives_a_power_cut() {
    let home = fast_folder();
    let disk = attached(&home);
    let photo = PhotoHash::of(b"photo");
    PhotoFolder::new(disk.root().join("deep/photos")).save(&[(photo, b"photo")]).unwrap();
    assert_eq!(left(&disk), [(format!("deep/photos/{photo}"), b"photo".to_vec())]);
}

#[test]
fn photos_that_were_wiped_do_not_come_back_after_a_power_cut() {
    let home = fast_folder();
    let disk = attached(&home);
    let files = PhotoFolder::new(disk.root().join("photos"));
    files.save(&[(PhotoHash::of(b"photo"), b"photo")]).unwrap();
    files.remove_all().unwrap();
    assert_eq!(left(&disk), []);
}

/// A phone's process on a disk; each start has dice of its own.
fn phone(root: &Path, start: u64) -> Phone {
    let parts = Parts { entropy: Arc::new(Seeded::new(start)), ..Parts::default() };
    Phone::with_parts(Config::new(root.join("phone")), parts).unwrap()
}

fn report(text: &str) -> ReportInput {
    ReportInput { text: Some(text.to_owned()), ..ReportInput::default() }
}

#[test]
fn what_is_saved_after_a_save_whose_flush_failed_survives_a_power_cut() {
    for later in 0.. {
        let home = fast_folder();
        let disk = attached(&home);
        let before = phone(disk.root(), 1);
        let mut saved = vec![before.draft(&report("first")).unwrap().id];
        disk.fail(Failure::Once { at: disk.tried().len() as u64 + later });
        saved.extend(before.draft(&report("second")).map(|item| item.id));
        let failed = disk.heal();
        drop(before);
        let after = phone(disk.root(), 2);
        saved.push(after.draft(&report("third")).unwrap().id);
        let tree = moments(&disk).pop().unwrap().after(Loss::Drop, &mut Dice::new(0));
        let left = fast_folder();
        tree.write_to(left.path()).unwrap();
        let (items, _) = phone(left.path(), 3).cases(&ListQuery::default()).unwrap();
        let there = |id| items.iter().any(|item| item.id == id);
        assert!(saved.iter().all(|id| there(*id)), "operation {later} of the second save failed: {items:?}");
        if failed == 0 {
            assert!(later > 1, "a save writes and flushes");
            return;
        }
    }
}

#[test]
fn words_that_were_wiped_do_not_come_back_with_the_old_log() {
    let home = fast_folder();
    let disk = attached(&home);
    let phone = phone(disk.root(), 1);
    phone.draft(&report(MARKER)).unwrap();
    let holds =
        || left(&disk).iter().any(|(_, content)| content.windows(MARKER.len()).any(|it| it == MARKER.as_bytes()));
    assert!(holds(), "what is saved is on the disk");
    phone.wipe(true).unwrap();
    assert!(!holds());
}

#[tokio::test]
async fn a_photo_whose_flush_failed_is_not_taken_for_whole_at_the_next_try() {
    let home = fast_folder();
    let disk = attached(&home);
    let blobs = Blobs::in_folder(disk.root()).unwrap();
    let (hash, staged) = (PhotoHash::of(b"photo"), disk.root().join("staged"));
    std::fs::write(&staged, b"photo").unwrap();
    disk.fail(Failure::Once { at: disk.tried().len() as u64 });
    blobs.put_verified(hash, staged.clone()).await.unwrap_err();
    assert!(!staged.exists(), "the system may call the next flush of these bytes a success");
    std::fs::write(&staged, b"photo").unwrap();
    blobs.put_verified(hash, staged).await.unwrap();
    assert!(left(&disk).iter().any(|(_, content)| content == b"photo"));
}

#[tokio::test]
async fn the_first_photo_of_a_new_server_survives_a_power_cut() {
    let home = fast_folder();
    let disk = attached(&home);
    let blobs = Blobs::in_folder(disk.root()).unwrap();
    std::fs::write(disk.root().join("staged"), b"photo").unwrap();
    blobs.put_verified(PhotoHash::of(b"photo"), disk.root().join("staged")).await.unwrap();
    assert!(left(&disk).iter().any(|(path, content)| path.starts_with("blobs/") && content == b"photo"));
}

#[test]
fn a_backup_has_its_name_only_when_it_is_whole() {
    let home = fast_folder();
    let disk = attached(&home);
    let store = Store::open(&disk.root().join("x.db"), &Options { inline: true, ..Options::default() }).unwrap();
    store.backup_blocking(&disk.root().join("copy.db")).unwrap();
    let whole = std::fs::read(disk.root().join("copy.db")).unwrap();
    for (at, image) in moments(&disk).iter().enumerate() {
        for loss in Loss::ALL {
            let tree = image.after(loss, &mut Dice::new(at as u64));
            let copy = tree.listing().get("copy.db").copied().flatten().map(<[u8]>::to_vec);
            assert!(copy.is_none_or(|copy| copy == whole), "operation {at}, {loss:?}");
        }
    }
    assert!(left(&disk).iter().any(|(path, content)| path == "copy.db" && *content == whole));
}
