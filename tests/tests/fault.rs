//! Disks that fail, stop and forget: nothing acknowledged is lost, nothing is damaged, nothing is done twice.
//!
//! Each story at every so manieth operation, about a minute of processor time for all of them; the figures
//! (`figures -- crash`) go to every operation, with many contents. `XUNGE_FAULT='sync:3:17:torn'` does one fault again.

use xunge_tests::fault::{self, Tally};

/// Stories, and how many operations lie between two that are tried. Odd, because many things are done in pairs.
const EVERY: [(&str, u64); 8] = [
    ("first start", 7),
    ("offline", 3),
    ("sync", 5),
    ("old databases", 3),
    ("wipe", 3),
    ("photos", 3),
    ("upkeep", 5),
    ("at once", 1),
];

#[track_caller]
fn does_no_harm(name: &str) {
    if let Ok(wanted) = std::env::var("XUNGE_FAULT") {
        if wanted.split(':').next() == Some(name) {
            let (harm, around) = fault::again(&wanted);
            assert_eq!(harm, None, "\n{around}");
        }
        return;
    }
    let story = (0..fault::stories()).find(|story| fault::name(*story) == name).expect("a story of this name");
    let every = EVERY.iter().find(|(of, _)| *of == name).expect("it has a stride").1;
    let Tally { found, recoveries, failures, .. } = fault::run(story, 1, every);
    let told: Vec<String> = found.iter().take(20).map(ToString::to_string).collect();
    assert!(told.is_empty(), "{} faults did harm:\n{}", found.len(), told.join("\n"));
    let (recovered, failed) = (recoveries.values().sum::<u64>(), failures.values().sum::<u64>());
    assert!(recovered.min(failed) > 20, "{name}: {recoveries:?}, {failures:?}");
}

#[test]
fn every_story_is_told() {
    let told: Vec<&str> = (0..fault::stories()).map(fault::name).collect();
    assert_eq!(told, EVERY.map(|(name, _)| name));
}

#[test]
fn a_first_start_on_a_bad_disk_loses_nothing() {
    does_no_harm("first start");
}

#[test]
fn a_day_offline_on_a_bad_disk_loses_nothing() {
    does_no_harm("offline");
}

#[test]
fn a_sync_with_bad_disks_loses_nothing() {
    does_no_harm("sync");
}

#[test]
fn migrations_from_the_first_version_on_bad_disks_lose_nothing() {
    does_no_harm("old databases");
}

#[test]
fn a_wipe_on_a_bad_disk_leaves_nothing_or_everything() {
    does_no_harm("wipe");
}

#[test]
fn uploads_and_sweeps_on_a_bad_disk_lose_no_photo() {
    does_no_harm("photos");
}

#[test]
fn decisions_backups_and_restarts_on_a_bad_disk_lose_nothing() {
    does_no_harm("upkeep");
}

#[test]
fn several_writers_in_one_batch_on_a_bad_disk_are_each_there_whole_or_not_at_all() {
    does_no_harm("at once");
}
