//! Disks that fail, stop and forget: nothing acknowledged is lost, nothing is damaged, nothing is done twice.

use xunge_tests::fault;

/// `figures -- crash` tells all stories and goes to every operation.
const EVERY: u64 = 6;
const STORIES: [&str; 3] = ["offline", "old databases", "wipe"];

#[test]
fn whatever_a_disk_does_nothing_acknowledged_is_lost() {
    if let Ok(fault) = std::env::var("XUNGE_FAULT") {
        let (harm, around) = fault::again(&fault);
        assert_eq!(harm, None, "\n{around}");
        return;
    }
    let mut tally = fault::Tally::default();
    let wanted = (0..fault::stories()).filter(|story| STORIES.contains(&fault::name(*story)));
    wanted.for_each(|story| tally.add(fault::run(story, 1, EVERY)));
    let told: Vec<String> = tally.found.iter().take(20).map(ToString::to_string).collect();
    assert!(told.is_empty(), "{} faults did harm:\n{}", tally.found.len(), told.join("\n"));
    assert!(tally.recoveries.values().sum::<u64>() > 100, "{:?}", tally.recoveries);
}
