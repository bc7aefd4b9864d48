//! `backup` and `restore`: what comes back, what stays, what is refused.

use std::fs;

use serde_json::json;

use super::process::{Served, fails, ok};

#[test]
fn a_backup_made_beside_a_running_server_is_put_back_in_a_new_epoch_and_nothing_stored_since_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, backup) = (path("data"), path("backup"));
    ok(&["init", "--data", &data, "--example", "xixia", "--json"]);
    // A photo as the server keeps it, and one that comes after the backup.
    let photo = |name: &str| folder.path().join("data/blobs/ab").join(name);
    fs::create_dir_all(folder.path().join("data/blobs/ab")).unwrap();
    fs::write(photo("before"), b"before").unwrap();
    let server = Served::start(&data);
    let made = ok(&["backup", "--data", &data, "--to", &backup, "--json"]);
    assert_eq!((&made["backup"], &made["photos"]), (&json!(backup), &json!(1)));
    assert_eq!(fails(&["backup", "--data", &data, "--to", &backup, "--json"]).1, "data_dir_not_empty");
    fs::write(photo("after"), b"after").unwrap();
    ok(&["user", "add", "--data", &data, "later", "--name", "后来", "--role", "admin", "--scope", "640105", "--json"]);
    let restore = ["restore", "--data", &data, "--from", &backup, "--json"];
    assert_eq!(fails(&restore), (Some(1), "data_dir_in_use".to_owned()));
    drop(server);

    let first = ok(&restore);
    let aside = first["put_aside"].as_str().expect("the database that was there is kept");
    assert!(fs::metadata(aside).unwrap().len() > 0);
    let users = |data: &str| ok(&["user", "list", "--data", data, "--json"]).to_string();
    assert!(!users(&data).contains("后来"), "what came after the backup is gone");
    assert!(photo("before").exists() && photo("after").exists());
    let second = ok(&restore);
    assert_ne!(first["epoch"], second["epoch"]);
    drop(Served::start(&data));

    // Elsewhere, from nothing: with the keys phones have pinned.
    let elsewhere = path("elsewhere");
    let third = ok(&["restore", "--data", &elsewhere, "--from", &backup, "--json"]);
    assert_eq!((&third["put_aside"], &third["photos"]), (&json!(null), &json!(1)));
    let key = |data: &str| fs::read(format!("{data}/keys/signing.key")).unwrap();
    assert_eq!(key(&elsewhere), key(&data));
    drop(Served::start(&elsewhere));
}

#[test]
fn what_is_no_backup_or_a_damaged_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, backup) = (path("data"), path("backup"));
    ok(&["init", "--data", &data, "--example", "xixia", "--json"]);
    ok(&["backup", "--data", &data, "--to", &backup, "--json"]);
    let database = folder.path().join("data/xunge.db");
    let before = fs::read(&database).unwrap();
    assert_eq!(fails(&["restore", "--data", &data, "--from", &path("nowhere"), "--json"]).1, "no_data_dir");
    let mut bytes = fs::read(folder.path().join("backup/xunge.db")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0x5a);
    fs::write(folder.path().join("backup/xunge.db"), bytes).unwrap();
    let (exit, code) = fails(&["restore", "--data", &data, "--from", &backup, "--json"]);
    assert!(exit == Some(1) && (code == "backup_damaged" || code == "database"), "{code}");
    assert_eq!(fs::read(&database).unwrap(), before);
    fs::create_dir(folder.path().join("other")).unwrap();
    fs::write(folder.path().join("other/letter.txt"), "dear").unwrap();
    assert_eq!(fails(&["restore", "--data", &path("other"), "--from", &backup, "--json"]).1, "data_dir_not_empty");
}

#[test]
fn a_backup_made_after_a_power_cut_has_photos_whose_names_were_not_flushed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (data, backup, elsewhere) = (path("data"), path("backup"), path("elsewhere"));
    ok(&["init", "--data", &data, "--example", "xixia", "--json"]);
    let name = xunge_client_core::model::PhotoHash::of(b"a photo").to_string();
    fs::create_dir_all(folder.path().join("data/blobs/unsettled")).unwrap();
    fs::write(folder.path().join("data/blobs/unsettled").join(&name), b"a photo").unwrap();
    ok(&["backup", "--data", &data, "--to", &backup, "--json"]);
    ok(&["restore", "--data", &elsewhere, "--from", &backup, "--json"]);
    drop(Served::start(&elsewhere));
    let place = folder.path().join("elsewhere/blobs").join(&name[..2]).join(&name[2..]);
    assert_eq!(fs::read(place).unwrap(), b"a photo");
}
