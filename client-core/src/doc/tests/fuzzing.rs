//! The gate against many inputs; `figures -- gate` runs the same generators for longer.

use crate::doc::testing::{FuzzReport, fuzz, honest};

#[test]
fn no_mutated_change_escapes_or_harms_the_document() {
    let report = fuzz(1, 60_000);
    println!("{report:?}");
    assert_eq!((report.panics_escaped, report.unloadable), (0, 0), "{report:?}");
    // A fuzzer that never gets in, or never gets past the parser, would prove nothing.
    assert!(report.accepted > report.inputs / 1_000, "{report:?}");
    assert!(report.rejected.len() >= 8, "{report:?}");
}

#[test]
fn the_same_seed_finds_the_same() {
    let first: FuzzReport = fuzz(7, 2_000);
    assert_eq!(first, fuzz(7, 2_000));
    assert_ne!(first, fuzz(8, 2_000));
}

#[test]
fn no_honest_change_is_refused_and_every_history_converges() {
    let report = honest(1, 1_500);
    println!("{report:?}");
    assert_eq!((report.refused, report.converged), (0, report.histories), "{report:?}");
}
