//! Damaged and forged sequences are named, never folded and never a panic.

use super::*;

fn story() -> Vec<Event> {
    let mut case = Case::in_state(State::Closed);
    case.goes(Verb::Reopen);
    case.events
}

#[test]
fn a_missing_repeated_or_swapped_event_is_found() {
    let story = story();
    for index in 0..story.len() - 1 {
        let mut missing = story.clone();
        missing.remove(index);
        assert!(matches!(fold(&missing), Err(ApplyError::Version { .. })), "without event {index}");
        let mut twice = story.clone();
        twice.insert(index, story[index].clone());
        assert!(matches!(fold(&twice), Err(ApplyError::Version { .. })), "event {index} twice");
        let mut swapped = story.clone();
        swapped.swap(index, index + 1);
        assert!(matches!(fold(&swapped), Err(ApplyError::Version { .. })), "event {index} swapped");
    }
    assert_eq!(fold(&[]), Ok(None));
    assert_eq!(fold(&story).unwrap().unwrap().state, State::Handling);
}

#[test]
fn an_event_from_another_state_or_to_one_the_table_does_not_lead_to_is_found() {
    for (index, event) in story().into_iter().enumerate() {
        for state in State::ALL {
            let mut from = story();
            from[index].from = Some(*state);
            if event.from != Some(*state) {
                assert!(matches!(fold(&from), Err(ApplyError::From { .. })), "event {index} from {state}");
            }
            let mut to = story();
            to[index].to = *state;
            if event.to != *state {
                let found = fold(&to).expect_err("a forged target");
                assert!(
                    matches!(found, ApplyError::Step { .. } | ApplyError::From { .. }),
                    "{found} ({index}, {state})"
                );
            }
        }
    }
}

#[test]
fn an_event_without_what_it_decided_is_found() {
    let story = story();
    for (index, event) in story.iter().enumerate() {
        let mut bare = story.clone();
        bare[index].payload = Payload::default();
        let empty = event.payload == Payload::default();
        assert_eq!(fold(&bare).is_err(), !empty, "{} without its payload", event.verb);
    }
}

#[test]
fn a_forged_reinstatement_to_a_better_state_is_found() {
    let mut case = Case::in_state(State::Void);
    case.goes(Verb::Reinstate);
    case.events.last_mut().unwrap().to = State::Filed;
    assert!(matches!(fold(&case.events), Err(ApplyError::Step { .. })));
}

#[test]
fn a_forged_reopening_without_a_unit_is_found() {
    let mut case = Case::reported(Mode::SelfHandled);
    case.goes(Verb::ApproveSelfHandled);
    case.goes(Verb::Reopen);
    case.events.last_mut().unwrap().to = State::Handling;
    assert!(matches!(fold(&case.events), Err(ApplyError::Step { .. })));
}

#[test]
fn an_unknown_void_reason_is_found() {
    let mut case = Case::in_state(State::Void);
    case.events.last_mut().unwrap().payload.reason = Some("because".into());
    assert!(matches!(fold(&case.events), Err(ApplyError::Incomplete { member: Member::Reason, .. })));
}
