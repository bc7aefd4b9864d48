//! What an office decides about a report.

use super::desk::{category, code, give};
use super::*;

fn void(reason: &str) -> Payload {
    Payload { reason: Some(reason.to_owned()), ..Payload::default() }
}

fn forwarded() -> Payload {
    Payload { mode: Some(Mode::Forwarded), ..Payload::default() }
}

fn words(text: &str) -> Payload {
    Payload { text: Some(text.to_owned()), ..Payload::default() }
}

fn because(reason: &str) -> Payload {
    Payload { reason: Some(reason.to_owned()), ..Payload::default() }
}

#[test]
fn a_report_without_a_claim_counts_as_forwarded_and_pending() {
    let mut case = Case::new();
    case.does(Role::Inspector, Verb::Submit, Payload::default());
    let ledger = case.ledger();
    assert_eq!((ledger.counted_mode(), ledger.outcome()), (Mode::Forwarded, Outcome::Pending));
    assert_eq!((ledger.source, ledger.reporter.as_str()), (Source::Inspector, "wang"));
    assert_eq!(ledger.unit, Some(code("U-town")));
    assert_eq!((ledger.version, ledger.received_at), (1, START));
}

#[test]
fn an_inspector_reports_only_in_their_own_name_and_gives_facts_only_in_the_document() {
    let case = Case::new();
    let other = Payload { reporter: Some("li".into()), ..Payload::default() };
    assert_eq!(case.refuses(Role::Inspector, Verb::Submit, other), Refusal::NotYours);
    let facts = Payload { facts: Some(Box::default()), ..Payload::default() };
    let unknown = Refusal::UnknownMember { field: Member::Facts };
    assert_eq!(case.refuses(Role::Inspector, Verb::Submit, facts), unknown);
}

#[test]
fn a_call_to_the_hotline_becomes_a_case_with_its_facts_in_the_event() {
    let mut case = Case::new();
    let missing = Refusal::Missing { field: Member::Facts };
    assert_eq!(case.refuses(Role::Hotline, Verb::Submit, Payload::default()), missing);
    let facts = Facts { description: "路灯不亮".into(), category_claim: Some(category()), ..Facts::default() };
    let payload = Payload { facts: Some(Box::new(facts)), ..Payload::default() };
    let event = case.does(Role::Hotline, Verb::Submit, payload);
    assert_eq!(event.payload.facts.as_ref().unwrap().description, "路灯不亮");
    let ledger = case.ledger();
    assert_eq!((ledger.source, ledger.mode_claim), (Source::Hotline12345, Mode::Forwarded));
    assert_eq!(ledger.category_claim, Some(category()));
    case.does(Role::Hotline, Verb::Answer, words("已告知办理时限"));
    assert_eq!(case.ledger().close_type, Some(CloseType::DirectAnswer), "who took the call may answer it");
}

#[test]
fn a_phone_does_not_choose_its_unit_its_flags_or_its_case_number() {
    for member in [Member::Unit, Member::Office, Member::Flags, Member::Source, Member::Reporter, Member::Grid] {
        let mut payload = Payload { mode_claim: Some(Mode::Forwarded), ..Payload::default() };
        assert_eq!(check_outside(Verb::Submit, &payload), Ok(()));
        give(&mut payload, member, START);
        assert_eq!(check_outside(Verb::Submit, &payload), Err(Refusal::UnknownMember { field: member }));
    }
    let number = Payload { case_no: Some("1".into()), ..Payload::default() };
    assert_eq!(check_outside(Verb::File, &number), Err(Refusal::UnknownMember { field: Member::CaseNo }));
}

#[test]
fn filing_takes_the_claimed_category_and_gives_a_number() {
    let mut case = Case::reported(Mode::Forwarded);
    let event = case.does(Role::TownOffice, Verb::File, Payload::default());
    assert_eq!(event.payload.category, Some(category()));
    assert_eq!((event.payload.mode, event.payload.level), (Some(Mode::Forwarded), Some(Level::Normal)));
    let ledger = case.ledger();
    assert_eq!((ledger.mode, ledger.outcome()), (Some(Mode::Forwarded), Outcome::Filed));
    assert_eq!(ledger.case_no, case.context.case_no);
    assert_eq!((ledger.filed_at, ledger.handler.as_ref()), (Some(START), None));
}

#[test]
fn filing_without_any_category_is_refused() {
    let mut case = Case::reported(Mode::Forwarded);
    case.context.claimed_category = None;
    let missing = Refusal::Missing { field: Member::Category };
    assert_eq!(case.refuses(Role::TownOffice, Verb::File, Payload::default()), missing);
}

#[test]
fn filing_a_self_handled_claim_has_to_say_forwarded() {
    let mut case = Case::reported(Mode::SelfHandled);
    let missing = Refusal::Missing { field: Member::Mode };
    assert_eq!(case.refuses(Role::TownOffice, Verb::File, Payload::default()), missing);
    let as_claimed = Payload { mode: Some(Mode::SelfHandled), ..Payload::default() };
    let invalid = Refusal::Invalid { field: Member::Mode, why: Why::UnknownCode };
    assert_eq!(case.refuses(Role::TownOffice, Verb::File, as_claimed), invalid);
    case.does(Role::TownOffice, Verb::File, forwarded());
    let ledger = case.ledger();
    assert_eq!((ledger.mode_claim, ledger.counted_mode()), (Mode::SelfHandled, Mode::Forwarded));
}

#[test]
fn a_handling_unit_named_at_filing_is_only_a_suggestion() {
    let mut case = Case::reported(Mode::Forwarded);
    let payload = Payload { handler: Some(code("U-parks")), ..Payload::default() };
    case.does(Role::TownOffice, Verb::File, payload);
    let ledger = case.ledger();
    assert_eq!((ledger.handler_suggested.clone(), ledger.handler.clone()), (Some(code("U-parks")), None));
}

#[test]
fn an_approved_self_handled_report_is_filed_and_closed_at_once() {
    let mut case = Case::reported(Mode::SelfHandled);
    case.later(HOUR);
    case.does(Role::TownOffice, Verb::ApproveSelfHandled, Payload::default());
    let ledger = case.ledger();
    assert_eq!((ledger.filed_at, ledger.closed_at), (Some(START.plus_ms(HOUR)), Some(START.plus_ms(HOUR))));
    assert_eq!((ledger.mode, ledger.close_type), (Some(Mode::SelfHandled), Some(CloseType::SelfHandled)));
    assert_eq!((ledger.outcome(), ledger.case_no.is_some()), (Outcome::CaseClosed, true));
}

#[test]
fn a_self_handled_report_waits_for_its_after_photo() {
    let mut case = Case::reported(Mode::SelfHandled);
    case.context.after_photo_present = false;
    let refusal = case.refuses(Role::TownOffice, Verb::ApproveSelfHandled, Payload::default());
    assert_eq!(refusal, Refusal::NoAfterPhoto);
    let ledger = case.ledger();
    assert_eq!((ledger.counted_mode(), ledger.outcome()), (Mode::SelfHandled, Outcome::Pending));
}

#[test]
fn a_forwarded_claim_is_not_approved_as_self_handled_nor_a_self_handled_one_answered() {
    let case = Case::reported(Mode::Forwarded);
    let refusal = case.refuses(Role::TownOffice, Verb::ApproveSelfHandled, Payload::default());
    assert_eq!(refusal, Refusal::WrongClaim { claim: Mode::Forwarded });
    let case = Case::reported(Mode::SelfHandled);
    let refusal = case.refuses(Role::Hotline, Verb::Answer, words("好"));
    assert_eq!(refusal, Refusal::WrongClaim { claim: Mode::SelfHandled });
}

#[test]
fn who_reported_a_case_does_not_decide_on_it() {
    let wang_at_the_office = user("wang", Role::TownOffice, "U-town");
    let case = Case::reported(Mode::SelfHandled);
    let separation = Refusal::Separation { rule: Separation::Reporter };
    let merge = Payload { master_case_id: Some(CaseId::from_bytes([2; 16])), ..Payload::default() };
    for (verb, payload) in [
        (Verb::ApproveSelfHandled, Payload::default()),
        (Verb::File, forwarded()),
        (Verb::Void, void("test")),
        (Verb::MergeDuplicate, merge),
    ] {
        assert_eq!(case.refuses_to(&wang_at_the_office, &Command::new(verb, payload)), separation, "{verb}");
    }
    let case = Case::in_state(State::Handled);
    assert_eq!(case.refuses_to(&wang_at_the_office, &Command::new(Verb::Close, Payload::default())), separation);
    let wang_the_leader = user("wang", Role::DutyLeader, "U-centre");
    let case = Case::in_state(State::Void);
    assert_eq!(case.refuses_to(&wang_the_leader, &Command::new(Verb::Reinstate, because("x"))), separation);
}

#[test]
fn voiding_needs_a_known_reason_and_other_needs_words() {
    let case = Case::reported(Mode::Forwarded);
    let told = |payload| case.refuses(Role::TownOffice, Verb::Void, payload);
    assert_eq!(told(Payload::default()), Refusal::ReasonMissing);
    assert_eq!(told(void("  ")), Refusal::ReasonMissing);
    let unknown = Refusal::Invalid { field: Member::Reason, why: Why::UnknownCode };
    assert_eq!(told(void("because")), unknown);
    assert_eq!(told(void("withdrawn")), unknown, "only the reporter withdraws");
    assert_eq!(told(void("other")), Refusal::Missing { field: Member::Text });
    let blank = Payload { text: Some("\u{3000}".into()), ..void("other") };
    assert_eq!(told(blank), Refusal::Missing { field: Member::Text });
}

#[test]
fn a_void_case_keeps_its_mode_and_is_counted_as_void_even_if_it_was_filed() {
    let mut case = Case::reported(Mode::SelfHandled);
    case.does(Role::TownOffice, Verb::File, forwarded());
    case.does(Role::TownOffice, Verb::Void, void("wrong_area"));
    let ledger = case.ledger();
    assert_eq!((ledger.counted_mode(), ledger.outcome()), (Mode::Forwarded, Outcome::Void));
    assert!(ledger.filed_at.is_some(), "that it was filed is not forgotten");
    assert_eq!((ledger.void_reason, ledger.void_by.as_deref()), (Some(VoidReason::WrongArea), Some("office")));
}

#[test]
fn a_reinstated_case_is_where_it_was_before() {
    for before in [State::Reported, State::Verifying, State::Filed] {
        let mut case = Case::in_state(before);
        let ledger = case.ledger().clone();
        case.does(Role::TownOffice, Verb::Void, void("test"));
        assert!(case.ledger().task.is_none(), "a void case is nobody's errand");
        case.does(Role::DutyLeader, Verb::Reinstate, because("误作废"));
        assert_eq!(*case.ledger(), Ledger { version: ledger.version + 2, ..ledger });
    }
}

#[test]
fn a_report_sent_back_comes_again_without_changing_its_period() {
    let mut case = Case::reported(Mode::Forwarded);
    let resubmit = Refusal::WrongState { verb: Verb::Submit, state: Some(State::Reported), version: 1 };
    assert_eq!(case.refuses(Role::Inspector, Verb::Submit, Payload::default()), resubmit, "nothing was asked for");
    case.goes(Verb::SendBack);
    assert!(case.ledger().needs_more.is_some());
    case.later(2 * DAY);
    let again = Command::new(
        Verb::Submit,
        Payload { mode_claim: Some(Mode::SelfHandled), unit: Some(code("U-else")), ..Payload::default() },
    );
    assert_eq!(case.refuses_to(&user("li", Role::Inspector, "U-town"), &again), Refusal::NotYours);
    case.tries(&actor(Role::Inspector), &again).unwrap();
    let ledger = case.ledger();
    assert_eq!((ledger.needs_more.as_ref(), ledger.received_at), (None, START));
    assert_eq!((ledger.mode_claim, ledger.unit.clone()), (Mode::SelfHandled, Some(code("U-town"))));
}

#[test]
fn only_the_inspector_sent_out_answers_and_says_what_was_found() {
    let mut case = Case::reported(Mode::Forwarded);
    let to_li = Payload { assignee: Some("li".into()), ..Payload::default() };
    case.does(Role::TownOffice, Verb::VerifySend, to_li);
    let answer = |verdict| Payload { verdict: Some(verdict), photos: photos(), ..Payload::default() };
    let reply = |verdict| Command::new(Verb::VerifyReply, answer(verdict));
    assert_eq!(case.refuses_to(&actor(Role::Inspector), &reply(Verdict::Real)), Refusal::NotYours);
    let li = user("li", Role::Inspector, "U-town");
    let unknown = Refusal::Invalid { field: Member::Verdict, why: Why::UnknownCode };
    assert_eq!(case.refuses_to(&li, &reply(Verdict::Pass)), unknown);
    case.tries(&li, &reply(Verdict::NotFound)).unwrap();
    let ledger = case.ledger();
    assert_eq!((ledger.state, ledger.verify_verdict), (State::Reported, Some(Verdict::NotFound)));
    assert!(ledger.task.is_none());
}

#[test]
fn a_merged_duplicate_is_closed_under_its_claimed_mode() {
    let mut case = Case::reported(Mode::SelfHandled);
    let itself = Payload { master_case_id: case.context.case_id, ..Payload::default() };
    let refusal = case.refuses(Role::TownOffice, Verb::MergeDuplicate, itself);
    assert_eq!(refusal, Refusal::Invalid { field: Member::MasterCaseId, why: Why::Itself });
    case.goes(Verb::MergeDuplicate);
    let ledger = case.ledger();
    assert_eq!((ledger.mode, ledger.close_type), (Some(Mode::SelfHandled), Some(CloseType::DuplicateMerged)));
    assert_eq!((ledger.filed_at, ledger.master_case_id.is_some()), (ledger.closed_at, true));
}

#[test]
fn a_report_is_withdrawn_only_by_its_reporter_and_before_anyone_touched_it() {
    let mut case = Case::reported(Mode::Forwarded);
    let withdraw = Command::new(Verb::Withdraw, Payload::default());
    assert_eq!(case.refuses_to(&user("li", Role::Inspector, "U-town"), &withdraw), Refusal::NotYours);
    let mut touched = case.clone();
    touched.goes(Verb::SendBack);
    let wrong = Refusal::WrongState { verb: Verb::Withdraw, state: Some(State::Reported), version: 2 };
    assert_eq!(touched.refuses_to(&actor(Role::Inspector), &withdraw), wrong);
    case.tries(&actor(Role::Inspector), &withdraw).unwrap();
    let ledger = case.ledger();
    assert_eq!((ledger.outcome(), ledger.void_reason), (Outcome::Void, Some(VoidReason::Withdrawn)));
    case.does(Role::DutyLeader, Verb::Reinstate, because("上报人误操作"));
    assert_eq!(case.ledger().state, State::Reported);
}

#[test]
fn reopening_goes_to_the_unit_if_one_had_the_case_and_to_the_office_otherwise() {
    let mut case = Case::in_state(State::Closed);
    case.goes(Verb::Reopen);
    let ledger = case.ledger();
    assert_eq!((ledger.state, ledger.outcome(), ledger.reopen_count), (State::Handling, Outcome::Filed, 1));
    assert_eq!((ledger.handled_at, ledger.closed_at, ledger.check_verdict), (None, None, None));

    let mut case = Case::reported(Mode::SelfHandled);
    case.goes(Verb::ApproveSelfHandled);
    let number = case.ledger().case_no.clone();
    case.goes(Verb::Reopen);
    let ledger = case.ledger();
    assert_eq!((ledger.state, ledger.outcome(), ledger.mode), (State::Reported, Outcome::Pending, None));
    assert_eq!(ledger.counted_mode(), Mode::SelfHandled);
    case.context.case_no = Some("another".into());
    case.does(Role::TownOffice, Verb::File, forwarded());
    assert_eq!(case.ledger().case_no, number, "a case has one number for life");

    let mut case = Case::reported(Mode::Forwarded);
    case.does(Role::Hotline, Verb::Answer, words("好"));
    case.goes(Verb::Reopen);
    assert_eq!(case.ledger().state, State::Reported, "no unit could go on with it");
}

#[test]
fn a_case_is_never_filed_without_a_number() {
    let mut case = Case::reported(Mode::Forwarded);
    case.context.case_no = None;
    assert_eq!(case.refuses(Role::TownOffice, Verb::File, Payload::default()), Refusal::NoCaseNumber);
}

#[test]
fn the_second_of_two_offices_hears_that_the_case_moved_on() {
    let mut case = Case::reported(Mode::Forwarded);
    let file = Command::new(Verb::File, Payload::default()).at_version(1);
    let voids = Command::new(Verb::Void, void("test")).at_version(1);
    case.tries(&actor(Role::TownOffice), &file).unwrap();
    let stale = Refusal::StaleVersion { state: Some(State::Filed), version: 2 };
    let told = case.refuses_to(&actor(Role::TownOffice), &voids);
    assert_eq!((told.current(), told), (Some((State::Filed, 2)), stale));
    let again = Refusal::WrongState { verb: Verb::File, state: Some(State::Filed), version: 2 };
    assert_eq!(case.refuses_to(&actor(Role::TownOffice), &file), again);
}

#[test]
fn the_case_having_moved_on_is_said_before_a_form_being_incomplete() {
    let case = Case::in_state(State::Filed);
    let incomplete = Command::new(Verb::Dispatch, Payload::default());
    assert_eq!(case.refuses_to(&actor(Role::TownOffice), &incomplete).code(), "wrong_role");
    let stale = incomplete.clone().at_version(1);
    assert_eq!(case.refuses_to(&actor(Role::Dispatcher), &stale).code(), "stale_version");
    assert_eq!(case.refuses_to(&actor(Role::Dispatcher), &incomplete).code(), "missing");
    let done = Case::in_state(State::Handling);
    assert_eq!(done.refuses_to(&actor(Role::Dispatcher), &stale).code(), "wrong_state");
}
