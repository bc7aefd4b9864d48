//! The figures program at its smallest: what it counts holds, whatever the machine. Times are not looked at.

use std::process::Command;

use serde_json::Value;
use xunge_tests::process::{binary, run_json};

fn figure<'r>(records: &'r Value, name: &str) -> &'r Value {
    let figures = records[0]["figures"].as_array().expect("a group of figures");
    figures.iter().find(|figure| figure["name"] == name).unwrap_or_else(|| panic!("no figure `{name}`: {records}"))
}

#[test]
fn saving_words_flushes_the_disk_once_and_each_photo_adds_two_at_most() {
    let records = run_json("figures", &["phone", "--tier", "quick", "--json"]);
    for name in [
        "phone: flushes of a report in words, usually",
        "phone: flushes of a report with a photo, usually",
        "phone: flushes of a report with two photos, usually",
        "12 MP JPEG: peak memory of the intake",
    ] {
        assert_eq!(figure(&records, name)["within"], true, "{}", figure(&records, name));
    }
}

#[test]
fn a_figure_that_can_not_be_written_down_is_refused_before_it_is_measured() {
    let nowhere = tempfile::tempdir().unwrap();
    let refused = Command::new(binary("figures"))
        .args(["all", "--tier", "full", "--record"])
        .current_dir(nowhere.path())
        .output()
        .unwrap();
    let why = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{why}");
    assert!(why.contains("--record: the current directory is in no git checkout"), "{why}");
    assert!(refused.stdout.is_empty());
}
