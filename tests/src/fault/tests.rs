//! The layer itself: does it see everything, and does it lose what it should.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};

use rusqlite::Connection;

use super::disk::{Disk, Failure};
use super::image::{Change, Image, Tree};
use super::loss::Loss;
use super::run::fast_folder;
use crate::workload::Dice;

fn write(file: u32, at: u64, bytes: &[u8]) -> Change {
    Change::Write { file, at, bytes: bytes.into() }
}

fn played(changes: &[Change]) -> Image {
    let mut image = Image::default();
    changes.iter().for_each(|change| image.apply(change));
    image
}

fn create(path: &str) -> Change {
    Change::Create { path: path.into(), file: 0 }
}

fn folder(path: &str) -> Change {
    Change::SyncFolder { path: path.into() }
}

fn content(image: &Image, loss: Loss, path: &str) -> Option<Vec<u8>> {
    image.after(loss, &mut Dice::new(1)).listing().get(path).copied().flatten().map(<[u8]>::to_vec)
}

#[test]
fn what_is_not_flushed_is_lost_with_the_power_and_kept_without() {
    let image = played(&[create("a"), folder(""), write(0, 0, b"old"), Change::Sync { file: 0 }, write(0, 0, b"new!")]);
    assert_eq!(content(&image, Loss::Stop, "a").unwrap(), b"new!");
    assert_eq!(content(&image, Loss::Drop, "a").unwrap(), b"old");
}

#[test]
fn a_file_whose_name_is_not_flushed_is_lost_although_its_bytes_are() {
    let mut image = played(&[create("a"), write(0, 0, b"x"), Change::Sync { file: 0 }]);
    assert_eq!(content(&image, Loss::Drop, "a"), None);
    image.apply(&folder(""));
    assert_eq!(content(&image, Loss::Drop, "a").unwrap(), b"x");
}

#[test]
fn a_rename_that_is_flushed_on_one_side_never_loses_the_file() {
    let begin = [
        Change::Folder { path: "here".into() },
        Change::Folder { path: "there".into() },
        folder(""),
        create("here/a"),
        folder("here"),
        Change::Rename { from: "here/a".into(), to: "there/b".into() },
    ];
    for (flushed, both) in [("here", false), ("there", true)] {
        let mut image = played(&begin);
        image.apply(&folder(flushed));
        assert!(content(&image, Loss::Drop, "there/b").is_some(), "{flushed}");
        assert_eq!(content(&image, Loss::Drop, "here/a").is_some(), both, "{flushed}");
    }
}

#[test]
fn no_later_flush_makes_a_failed_one_good() {
    let failed = [create("a"), folder(""), write(0, 0, b"x"), Change::SyncFailed { file: 0 }, Change::Sync { file: 0 }];
    let mut image = played(&failed);
    assert_eq!(
        (content(&image, Loss::Stop, "a").unwrap(), content(&image, Loss::Drop, "a").unwrap()),
        (b"x".to_vec(), vec![])
    );
    image.apply(&write(0, 0, b"x"));
    image.apply(&Change::Sync { file: 0 });
    assert_eq!(content(&image, Loss::Drop, "a").unwrap(), b"x");
}

#[test]
fn a_torn_write_leaves_some_of_its_sectors() {
    let image = played(&[create("a"), folder(""), write(0, 0, &[7; 4_096])]);
    let left = |seed| {
        let tree = image.after(Loss::Torn(1), &mut Dice::new(seed));
        tree.listing()["a"].unwrap().iter().filter(|byte| **byte == 7).count()
    };
    assert!((0..50).any(|seed| (1..4_096).contains(&left(seed))), "some in half");
    assert!((0..50).all(|seed| left(seed) <= 4_096));
}

#[test]
fn everything_the_standard_library_and_sqlite_do_is_written_down() {
    let home = fast_folder();
    let disk = Disk::attach(home.path(), &Image::default()).unwrap();
    let root = disk.root();
    fs::create_dir_all(root.join("photos/deep")).unwrap();
    let mut file = fs::OpenOptions::new().append(true).create(true).open(root.join("photos/a")).unwrap();
    file.write_all(b"hello").unwrap();
    file.write_all(b" world").unwrap();
    file.set_len(8).unwrap();
    file.sync_data().unwrap();
    fs::rename(root.join("photos/a"), root.join("photos/deep/b")).unwrap();
    fs::hard_link(root.join("photos/deep/b"), root.join("c")).unwrap();
    File::open(root).unwrap().sync_all().unwrap();
    fs::write(root.join("gone"), b"gone").unwrap();
    fs::remove_file(root.join("gone")).unwrap();
    fs::create_dir(root.join("old")).unwrap();
    fs::write(root.join("old/x"), b"x").unwrap();
    fs::remove_dir_all(root.join("old")).unwrap();
    let database = Connection::open(root.join("rows.db")).unwrap();
    database.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(())).unwrap();
    database.execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(9000)); PRAGMA wal_checkpoint").unwrap();
    let image = played(&disk.changes());
    assert_eq!(image.now.listing(), Tree::read(root).unwrap().listing());
    assert_eq!(image.now.listing()["c"], Some(b"hello wo".as_slice()));
    assert!(disk.changes().iter().filter(|change| matches!(change, Change::Sync { .. })).count() > 3, "SQLite flushes");
    assert!(content(&image, Loss::Drop, "rows.db").is_some(), "its name is flushed too");
}

#[test]
fn an_operation_fails_when_it_is_told_to_and_a_full_disk_takes_a_part_first() {
    let home = fast_folder();
    let disk = Disk::attach(home.path(), &Image::default()).unwrap();
    let path = disk.root().join("a");
    let mut file = File::create(&path).unwrap();
    disk.fail(Failure::Once { at: 1 });
    assert!(file.write_all(b"x").is_err());
    file.write_all(b"y").unwrap();
    disk.fail(Failure::Full { from: 0 });
    assert_eq!(file.write_all(b"12345678").unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(File::create(disk.root().join("b")).unwrap_err().kind(), ErrorKind::StorageFull);
    assert!(disk.heal() > 1);
    file.write_all(b"z").unwrap();
    assert!(fs::read(&path).unwrap().starts_with(b"y"));
    assert_eq!(played(&disk.changes()).now.listing(), Tree::read(disk.root()).unwrap().listing());
}
