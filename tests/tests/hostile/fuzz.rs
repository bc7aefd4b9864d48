//! Everything that takes bytes from strangers, for a short while.

use std::collections::BTreeSet;

use xunge_tests::fuzz::{self, Corpus};

/// Damaged inputs of an ordinary target; `figures -- gate` tries more.
const INPUTS: u64 = 2_000;

#[test]
fn no_input_of_the_corpus_and_no_damage_to_it_breaks_what_a_target_promises() {
    let mut broken = vec![];
    for mut target in fuzz::all() {
        let inputs = (INPUTS / target.cost()).max(10);
        let report = fuzz::run(target.as_mut(), 1, inputs);
        println!(
            "{}: {} inputs, {} taken, refused {:?}, {} KiB",
            target.name(),
            report.inputs,
            report.accepted,
            report.refused,
            report.peak >> 10
        );
        broken.extend(report.escapes.iter().map(ToString::to_string));
        // A target that takes everything, or nothing, tests nothing. A phone may stand anywhere, so no position is refused.
        let tells = !report.refused.is_empty() || target.name() == "feed-cursor";
        assert!(report.accepted > 0 && tells, "{}: {report:?}", target.name());
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn a_run_finds_the_same_again() {
    let run = |seed| {
        let mut target = fuzz::all().swap_remove(0);
        let report = fuzz::run(target.as_mut(), seed, 500);
        (report.accepted, report.refused)
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}

#[test]
fn every_target_has_a_name_of_its_own_and_says_what_it_promises() {
    let targets = fuzz::all();
    let names: BTreeSet<&str> = targets.iter().map(|target| target.name()).collect();
    assert_eq!(names.len(), targets.len());
    assert!(targets.iter().all(|target| !target.promise().is_empty()));
}

#[test]
fn the_committed_corpus_has_everything_the_generators_make() {
    let lacking: Vec<String> = fuzz::all()
        .iter()
        .map(|target| (target.name(), Corpus::lacks(target.as_ref())))
        .filter(|(_, lacks)| *lacks > 0)
        .map(|(name, lacks)| format!("{name} lacks {lacks}"))
        .collect();
    // After a migration or a new field the corpus is written anew, see docs/TESTING.md, and committed with it.
    assert_eq!(lacking, Vec::<String>::new(), "run the_corpus_is_written_anew");
}

/// Writes the generators' inputs into the corpus; run it by name after adding a target, a migration or a field.
#[test]
#[ignore = "changes committed files"]
fn the_corpus_is_written_anew() {
    fuzz::all().iter().for_each(|target| Corpus::write(target.as_ref()));
}
