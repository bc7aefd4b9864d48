//! What happens while a unit has the case.

use super::desk::code;
use super::*;

fn because(reason: &str) -> Payload {
    Payload { reason: Some(reason.to_owned()), ..Payload::default() }
}

fn due(days: i64) -> Millis {
    START.plus_ms(days * DAY)
}

fn extension_to(day: i64) -> Payload {
    Payload { due_at: Some(due(day)), ..because("材料未到") }
}

fn checked(verdict: Verdict) -> Case {
    let mut case = Case::in_state(State::Rechecking);
    let payload = Payload { verdict: Some(verdict), photos: photos(), ..Payload::default() };
    case.does(Role::Inspector, Verb::CheckReply, payload);
    case
}

#[test]
fn a_case_is_sent_to_a_unit_with_a_deadline_ahead() {
    let mut case = Case::in_state(State::Filed);
    let dispatch = |handler: &str, due_at| Payload {
        handler: Some(code(handler)),
        due_at: Some(due_at),
        level: Some(Level::Urgent),
        ..Payload::default()
    };
    let told = |payload| case.refuses(Role::Dispatcher, Verb::Dispatch, payload);
    let invalid = |field, why| Refusal::Invalid { field, why };
    assert_eq!(told(dispatch("640105001", due(3))), invalid(Member::Handler, Why::WrongKind));
    assert_eq!(told(dispatch("U-roads", START)), invalid(Member::DueAt, Why::NotInFuture));
    assert_eq!(told(dispatch("U-roads", Millis(i64::MAX))), invalid(Member::DueAt, Why::OutOfRange));
    case.does(Role::Dispatcher, Verb::Dispatch, dispatch("U-roads", due(3)));
    let ledger = case.ledger();
    assert_eq!((ledger.handler.clone(), ledger.level), (Some(code("U-roads")), Level::Urgent));
    assert_eq!((ledger.due_at, ledger.due_at_original), (Some(due(3)), Some(due(3))));
}

#[test]
fn only_the_unit_that_has_the_case_works_on_it() {
    let parks = user("parks", Role::HandlingUnit, "U-parks");
    let nobody = Actor { unit: None, ..actor(Role::HandlingUnit) };
    let case = Case::in_state(State::Dispatched);
    for stranger in [&parks, &nobody] {
        let sign = Command::new(Verb::Sign, Payload::default());
        assert_eq!(case.refuses_to(stranger, &sign), Refusal::NotYours);
        assert!(offers(Some(case.ledger()), stranger).is_empty());
    }
    let colleague = user("another", Role::HandlingUnit, "U-roads");
    assert_eq!(offers(Some(case.ledger()), &colleague), [Verb::Sign, Verb::AskReturn]);
}

#[test]
fn the_first_receiver_keeps_the_case_until_its_return_is_approved() {
    let mut case = Case::in_state(State::Dispatched);
    case.does(Role::HandlingUnit, Verb::AskReturn, because("非本单位职责"));
    let ledger = case.ledger();
    assert_eq!((ledger.state, ledger.handler.clone()), (State::Dispatched, Some(code("U-roads"))));
    assert_eq!(case.refuses(Role::HandlingUnit, Verb::AskReturn, because("再次")), Refusal::AskOpen);
    case.goes(Verb::ApproveReturn);
    let ledger = case.ledger();
    assert_eq!((ledger.state, ledger.handler.clone(), ledger.return_count), (State::Filed, None, 1));
    assert_eq!((ledger.due_at, ledger.outcome()), (None, Outcome::Filed));
    case.goes(Verb::Dispatch);
    assert_eq!(case.ledger().state, State::Dispatched, "it can be sent elsewhere");
}

#[test]
fn a_refused_return_gives_the_waiting_time_back() {
    let mut case = Case::in_state(State::Dispatched);
    case.goes(Verb::AskReturn);
    case.later(5 * HOUR);
    assert_eq!(case.refuses(Role::DutyLeader, Verb::RefuseReturn, Payload::default()), Refusal::ReasonMissing);
    let event = case.does(Role::DutyLeader, Verb::RefuseReturn, because("属本单位职责"));
    assert_eq!(event.payload.due_at, Some(due(3).plus_ms(5 * HOUR)));
    let ledger = case.ledger();
    assert_eq!(ledger.due_at, Some(due(3).plus_ms(5 * HOUR)));
    assert_eq!(ledger.due_at_original, ledger.due_at);
    assert_eq!((ledger.ask.as_ref(), ledger.return_count), (None, 0));
}

#[test]
fn signing_accepts_the_case_and_ends_the_ask_to_return_it() {
    let mut case = Case::in_state(State::Dispatched);
    case.goes(Verb::AskReturn);
    case.goes(Verb::Sign);
    let ledger = case.ledger();
    assert_eq!((ledger.state, ledger.ask.as_ref(), ledger.signed_at), (State::Handling, None, Some(START)));
}

#[test]
fn an_extension_moves_the_deadline_and_keeps_the_original_one() {
    let mut case = Case::in_state(State::Handling);
    let not_later = Refusal::Invalid { field: Member::DueAt, why: Why::NotLater };
    assert_eq!(case.refuses(Role::HandlingUnit, Verb::AskExtend, extension_to(2)), not_later);
    case.does(Role::HandlingUnit, Verb::AskExtend, extension_to(6));
    assert_eq!(case.ledger().due_at, Some(due(3)), "asking moves nothing");
    assert_eq!(case.refuses(Role::DutyLeader, Verb::ApproveReturn, Payload::default()).code(), "wrong_state");
    let event = case.does(Role::DutyLeader, Verb::ApproveExtend, Payload::default());
    assert_eq!(event.payload.due_at, Some(due(6)));
    let ledger = case.ledger();
    assert_eq!((ledger.due_at, ledger.due_at_original), (Some(due(6)), Some(due(3))));
    assert_eq!((ledger.extension_count, ledger.ask.as_ref()), (1, None));
    assert_eq!(case.refuses(Role::DutyLeader, Verb::ApproveExtend, Payload::default()), Refusal::NoOpenAsk);
}

#[test]
fn a_second_extension_needs_a_written_application() {
    let mut case = Case::in_state(State::Handling);
    case.does(Role::HandlingUnit, Verb::AskExtend, extension_to(6));
    case.goes(Verb::ApproveExtend);
    let missing = Refusal::Missing { field: Member::Text };
    assert_eq!(case.refuses(Role::HandlingUnit, Verb::AskExtend, extension_to(9)), missing);
    let written = Payload { text: Some("申请书".into()), ..extension_to(9) };
    case.does(Role::HandlingUnit, Verb::AskExtend, written);
    case.does(Role::DutyLeader, Verb::RefuseExtend, because("理由不足"));
    assert_eq!((case.ledger().due_at, case.ledger().extension_count), (Some(due(6)), 1));
}

#[test]
fn the_clock_of_a_suspended_case_stands_still() {
    let mut case = Case::in_state(State::Handling);
    case.goes(Verb::AskExtend);
    case.goes(Verb::Suspend);
    assert!(case.ledger().ask.is_none(), "a stopped clock needs no extension");
    let feedback = Payload { note: Some("已修复".into()), photos: photos(), ..Payload::default() };
    assert_eq!(case.refuses(Role::HandlingUnit, Verb::Feedback, feedback), Refusal::Suspended);
    assert_eq!(case.refuses(Role::HandlingUnit, Verb::AskExtend, extension_to(9)), Refusal::Suspended);
    assert_eq!(case.refuses(Role::DutyLeader, Verb::Defer, because("x")), Refusal::Suspended);
    case.later(40 * DAY);
    case.goes(Verb::Resume);
    let ledger = case.ledger();
    assert_eq!((ledger.due_at, ledger.due_at_original), (Some(due(43)), Some(due(43))));
    assert!(ledger.suspended.is_none());
    assert_eq!(case.refuses(Role::DutyLeader, Verb::Resume, Payload::default()), Refusal::NotSuspended);
}

#[test]
fn a_case_resumed_with_a_deadline_has_that_deadline() {
    let mut case = Case::in_state(State::Handling);
    case.goes(Verb::Suspend);
    case.later(DAY);
    case.does(Role::DutyLeader, Verb::Resume, Payload { due_at: Some(due(20)), ..Payload::default() });
    assert_eq!((case.ledger().due_at, case.ledger().due_at_original), (Some(due(20)), Some(due(4))));
}

#[test]
fn suspending_names_a_day_ahead_to_look_again() {
    let case = Case::in_state(State::Handling);
    let on = |review_date| Payload { review_date, ..because("冬季无法施工") };
    let refusal = case.refuses(Role::DutyLeader, Verb::Suspend, on(None));
    assert_eq!(refusal, Refusal::Missing { field: Member::ReviewDate });
    let refusal = case.refuses(Role::DutyLeader, Verb::Suspend, on(LocalDay::new(2023, 11, 1)));
    assert_eq!(refusal, Refusal::Invalid { field: Member::ReviewDate, why: Why::NotInFuture });
}

#[test]
fn a_deferred_case_may_be_finished_early_and_stays_marked() {
    let mut case = Case::in_state(State::Handling);
    assert_eq!(case.refuses(Role::DutyLeader, Verb::Undefer, Payload::default()), Refusal::NotDeferred);
    case.goes(Verb::Defer);
    assert_eq!(case.refuses(Role::DutyLeader, Verb::Defer, because("x")), Refusal::Deferred);
    case.goes(Verb::Feedback);
    assert!(case.ledger().deferred.is_some(), "the rates of what is due leave it out");
}

#[test]
fn feedback_comes_with_words_and_photos() {
    let case = Case::in_state(State::Handling);
    let note = Payload { note: Some("已修复".into()), ..Payload::default() };
    let refusal = case.refuses(Role::HandlingUnit, Verb::Feedback, note);
    assert_eq!(refusal, Refusal::Missing { field: Member::Photos });
    let many = Payload { note: Some("已修复".into()), photos: vec![photos()[0]; 10], ..Payload::default() };
    let refusal = case.refuses(Role::HandlingUnit, Verb::Feedback, many);
    assert_eq!(refusal, Refusal::Invalid { field: Member::Photos, why: Why::OutOfRange });
}

#[test]
fn the_unit_that_handled_a_case_does_not_recheck_it() {
    let mut case = Case::in_state(State::Handled);
    let to = |name: &str| Payload { assignee: Some(name.to_owned()), ..Payload::default() };
    case.does(Role::TownOffice, Verb::CheckSend, to("zhao"));
    let of_that_unit = user("zhao", Role::Inspector, "U-roads");
    let pass = Payload { verdict: Some(Verdict::Pass), photos: photos(), ..Payload::default() };
    let refusal = case.refuses_to(&of_that_unit, &Command::new(Verb::CheckReply, pass));
    assert_eq!(refusal, Refusal::Separation { rule: Separation::Handler });
}

#[test]
fn a_case_closes_once_a_recheck_agrees_with_the_feedback() {
    let case = Case::in_state(State::Handled);
    assert_eq!(case.refuses(Role::TownOffice, Verb::Close, Payload::default()), Refusal::NotChecked);
    let mut case = checked(Verdict::Pass);
    case.does(Role::TownOffice, Verb::Close, Payload::default());
    let ledger = case.ledger();
    assert_eq!((ledger.outcome(), ledger.close_type), (Outcome::CaseClosed, Some(CloseType::Normal)));
}

#[test]
fn a_leader_may_exempt_an_unchecked_case_but_not_one_that_failed_nor_one_of_the_own_unit() {
    let failed = checked(Verdict::Fail);
    assert_eq!(failed.refuses(Role::DutyLeader, Verb::Close, Payload::default()), Refusal::NotChecked);
    let mut case = Case::in_state(State::Handled);
    let of_that_unit = user("boss", Role::DutyLeader, "U-roads");
    let refusal = case.refuses_to(&of_that_unit, &Command::new(Verb::Close, Payload::default()));
    assert_eq!(refusal, Refusal::Separation { rule: Separation::Handler });
    case.does(Role::DutyLeader, Verb::Close, Payload::default());
    assert_eq!((case.ledger().state, case.ledger().checked_at), (State::Closed, None));
}

#[test]
fn rework_forgets_the_old_check_and_ends_an_open_one() {
    let mut case = checked(Verdict::Pass);
    case.goes(Verb::Rework);
    let ledger = case.ledger();
    assert_eq!((ledger.rework_count, ledger.handled_at, ledger.check_verdict), (1, None, None));
    case.goes(Verb::Feedback);
    assert_eq!(case.refuses(Role::TownOffice, Verb::Close, Payload::default()), Refusal::NotChecked);
    case.goes(Verb::CheckSend);
    case.goes(Verb::Rework);
    assert!(case.ledger().task.is_none());
    assert_eq!(case.ledger().rework_count, 2);
}

#[test]
fn a_self_handled_case_never_meets_a_unit() {
    let mut case = Case::reported(Mode::SelfHandled);
    case.goes(Verb::ApproveSelfHandled);
    let ledger = case.ledger();
    assert_eq!((ledger.handler.as_ref(), ledger.due_at, ledger.dispatched_at), (None, None, None));
}
