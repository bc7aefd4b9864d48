//! What inspectors ask, and what presses on a case from outside.

use super::*;

fn to(name: &str) -> Payload {
    Payload { assignee: Some(name.to_owned()), ..Payload::default() }
}

fn wish(mode: Mode) -> Payload {
    Payload { mode: Some(mode), ..Payload::default() }
}

fn words(text: &str) -> Payload {
    Payload { text: Some(text.to_owned()), ..Payload::default() }
}

#[test]
fn before_filing_a_reporter_changes_the_claimed_mode() {
    let mut case = Case::reported(Mode::Forwarded);
    let same = Refusal::Invalid { field: Member::Mode, why: Why::AlreadySo };
    assert_eq!(case.refuses(Role::Inspector, Verb::RouteChange, wish(Mode::Forwarded)), same);
    case.does(Role::Inspector, Verb::RouteChange, wish(Mode::SelfHandled));
    let ledger = case.ledger();
    assert_eq!((ledger.mode_claim, ledger.mode, ledger.route_wish.as_ref()), (Mode::SelfHandled, None, None));
    case.goes(Verb::ApproveSelfHandled);
}

#[test]
fn after_filing_the_wish_for_another_mode_changes_no_count() {
    let mut case = Case::in_state(State::Handling);
    case.does(Role::Inspector, Verb::RouteChange, wish(Mode::SelfHandled));
    let ledger = case.ledger();
    assert_eq!((ledger.counted_mode(), ledger.mode_claim), (Mode::Forwarded, Mode::Forwarded));
    assert_eq!(ledger.route_wish.as_ref().map(|wish| wish.mode), Some(Mode::SelfHandled));
}

#[test]
fn another_inspectors_case_is_not_changed_handed_over_or_appealed() {
    let li = user("li", Role::Inspector, "U-town");
    let case = Case::in_state(State::Filed);
    for (verb, payload) in [(Verb::RouteChange, wish(Mode::SelfHandled)), (Verb::Handover, to("li"))] {
        assert_eq!(case.refuses_to(&li, &Command::new(verb, payload)), Refusal::NotYours, "{verb}");
    }
    let case = Case::in_state(State::Void);
    assert_eq!(case.refuses_to(&li, &Command::new(Verb::Appeal, words("属实"))), Refusal::NotYours);
}

#[test]
fn a_handed_over_case_may_be_written_by_reporter_and_holder() {
    let mut case = Case::reported(Mode::Forwarded);
    let to_oneself = case.refuses(Role::Inspector, Verb::Handover, to("wang"));
    assert_eq!(to_oneself, Refusal::Invalid { field: Member::Assignee, why: Why::AlreadySo });
    case.does(Role::Inspector, Verb::Handover, to("li"));
    let ledger = case.ledger();
    assert!(ledger.may_write_facts("wang") && ledger.may_write_facts("li") && !ledger.may_write_facts("zhao"));
    let li = user("li", Role::Inspector, "U-town");
    case.tries(&li, &Command::new(Verb::Handover, to("zhao"))).unwrap();
    assert!(case.ledger().may_write_facts("zhao") && !case.ledger().may_write_facts("li"));
}

#[test]
fn a_colleague_who_took_over_answers_for_the_case() {
    let mut case = Case::reported(Mode::Forwarded);
    case.does(Role::Inspector, Verb::Handover, to("li"));
    case.goes(Verb::SendBack);
    let li = user("li", Role::Inspector, "U-town");
    case.tries(&li, &Command::new(Verb::Submit, Payload::default())).unwrap();
    assert_eq!((case.ledger().needs_more.as_ref(), case.ledger().reporter.as_str()), (None, "wang"));
}

#[test]
fn a_task_goes_with_its_inspector_or_is_moved_by_the_office() {
    let mut case = Case::reported(Mode::Forwarded);
    case.does(Role::TownOffice, Verb::VerifySend, to("li"));
    let li = user("li", Role::Inspector, "U-town");
    case.tries(&li, &Command::new(Verb::Handover, to("zhao"))).unwrap();
    assert!(case.ledger().is_assigned_to("zhao") && !case.ledger().may_write_facts("li"));
    assert_eq!(case.ledger().holder, None, "li had the task, not the case");
    case.does(Role::TownOffice, Verb::Handover, to("qian"));
    assert!(case.ledger().is_assigned_to("qian"));
    assert_eq!(case.ledger().holder, None);
}

#[test]
fn who_has_the_open_task_may_write_facts_until_it_is_answered() {
    let mut case = Case::reported(Mode::Forwarded);
    case.does(Role::TownOffice, Verb::VerifySend, to("li"));
    assert!(case.ledger().may_write_facts("li"));
    let reply = Payload { verdict: Some(Verdict::Real), photos: photos(), ..Payload::default() };
    let li = user("li", Role::Inspector, "U-town");
    case.tries(&li, &Command::new(Verb::VerifyReply, reply)).unwrap();
    assert!(!case.ledger().may_write_facts("li"));
}

#[test]
fn an_appeal_is_answered_by_reinstating_reopening_or_upholding() {
    let mut case = Case::in_state(State::Void);
    assert_eq!(case.refuses(Role::DutyLeader, Verb::Uphold, words("维持")), Refusal::NoOpenAppeal);
    case.does(Role::Inspector, Verb::Appeal, words("照片已补拍"));
    assert_eq!(case.ledger().outcome(), Outcome::Void, "an appeal decides nothing");
    assert_eq!(case.refuses(Role::Inspector, Verb::Appeal, words("再次")), Refusal::AppealOpen);
    let mut upheld = case.clone();
    upheld.does(Role::DutyLeader, Verb::Uphold, words("维持作废"));
    assert_eq!((upheld.ledger().state, upheld.ledger().appeal.as_ref()), (State::Void, None));
    case.goes(Verb::Reinstate);
    assert_eq!((case.ledger().state, case.ledger().appeal.as_ref()), (State::Reported, None));

    let mut closed = Case::in_state(State::Closed);
    closed.goes(Verb::Appeal);
    closed.goes(Verb::Reopen);
    assert_eq!((closed.ledger().state, closed.ledger().appeal.as_ref()), (State::Handling, None));
}

#[test]
fn the_highest_step_of_an_urge_is_kept() {
    let mut case = Case::in_state(State::Handling);
    let urge = |urge_level| Payload { urge_level: Some(urge_level), ..words("请加快") };
    case.does(Role::DutyLeader, Verb::Urge, urge(3));
    case.does(Role::TownOffice, Verb::Urge, urge(1));
    assert_eq!((case.ledger().urge_level, case.ledger().urge_count), (3, 2));
    for step in [0, 5] {
        let refusal = case.refuses(Role::TownOffice, Verb::Urge, urge(step));
        assert_eq!(refusal, Refusal::Invalid { field: Member::UrgeLevel, why: Why::OutOfRange });
    }
}

#[test]
fn a_dissatisfied_caller_is_recorded_and_the_leader_may_reopen() {
    let mut case = Case::in_state(State::Closed);
    let said = Payload { outcome: Some(Satisfaction::Dissatisfied), ..Payload::default() };
    case.does(Role::Hotline, Verb::Revisit, said);
    assert_eq!(case.ledger().satisfaction, Some(Satisfaction::Dissatisfied));
    assert_eq!(case.ledger().state, State::Closed);
    case.goes(Verb::Reopen);
}

#[test]
fn words_longer_than_a_description_are_refused() {
    let case = Case::in_state(State::Handling);
    let refusal =
        case.refuses(Role::TownOffice, Verb::Urge, Payload { urge_level: Some(1), ..words(&"长".repeat(2_001)) });
    assert_eq!(refusal, Refusal::Invalid { field: Member::Text, why: Why::TooLong });
}

#[test]
fn the_event_says_who_did_it_on_which_evidence() {
    let mut case = Case::reported(Mode::Forwarded);
    case.context.heads = vec![crate::model::ChangeHash::from_bytes([9; 32])];
    case.context.device = Some(crate::model::DeviceId::from_bytes([3; 16]));
    case.later(HOUR);
    let context = case.context.clone();
    let event = case.goes(Verb::File).clone();
    assert_eq!((event.actor.as_str(), event.role, event.at), ("office", Role::TownOffice, context.now));
    assert_eq!((event.device, &event.heads), (context.device, &context.heads));
    let json = serde_json::to_string(&event).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&json).unwrap(), event);
}

#[test]
fn a_member_nobody_knows_is_refused_when_the_payload_is_read() {
    assert!(serde_json::from_str::<Payload>(r#"{"reason":"test","state":"closed"}"#).is_err());
    assert!(serde_json::from_str::<Command>(r#"{"verb":"void","payload":{"mood":"bad"}}"#).is_err());
    let payload: Payload = serde_json::from_str(r#"{"reason":"test"}"#).unwrap();
    assert_eq!(serde_json::to_string(&payload).unwrap(), r#"{"reason":"test"}"#);
}

#[test]
fn an_event_of_a_newer_server_is_read_without_what_is_new() {
    let event = Case::in_state(State::Void).events[1].clone();
    let mut json = serde_json::to_value(&event).unwrap();
    json["payload"]["added_later"] = 1.into();
    assert_eq!(serde_json::from_value::<Event>(json).unwrap(), event);
}
