//! Every (state, verb, role), against a second copy of the table written by hand from the rules of the trade.

use super::desk::{give, ordinary};
use super::*;

/// verb: states it starts from -> where it leads, roles. `=` stays, `new` creates.
const RULES: &str = "
submit: new reported -> reported: inspector hotline
verify_send: reported -> verifying: town_office
verify_reply: verifying -> reported: inspector
file: reported -> filed: town_office
approve_self_handled: reported -> closed: town_office
void: reported verifying filed -> void: town_office
send_back: reported -> =: town_office
dispatch: filed -> dispatched: dispatcher
sign: dispatched -> handling: handling_unit
ask_return: dispatched -> =: handling_unit
approve_return: dispatched -> filed: duty_leader
refuse_return: dispatched -> =: duty_leader
ask_extend: handling -> =: handling_unit
approve_extend: handling -> =: duty_leader
refuse_extend: handling -> =: duty_leader
suspend: handling -> =: duty_leader
resume: handling -> =: duty_leader
defer: handling -> =: duty_leader
undefer: handling -> =: duty_leader
feedback: handling -> handled: handling_unit
check_send: handled -> rechecking: town_office
check_reply: rechecking -> handled: inspector
rework: handled rechecking -> handling: town_office duty_leader
close: handled -> closed: town_office duty_leader
answer: reported -> closed: hotline
urge: reported verifying filed dispatched handling handled rechecking -> =: town_office dispatcher duty_leader
merge_duplicate: reported -> closed: town_office
revisit: closed -> =: hotline
reopen: closed -> handling: duty_leader
reinstate: void -> reported: duty_leader
uphold: closed void -> =: duty_leader
withdraw: reported -> void: inspector
appeal: closed void -> =: inspector
route_change: reported verifying filed dispatched handling handled rechecking -> =: inspector
handover: reported verifying filed dispatched handling handled rechecking -> =: inspector town_office
";

struct Expected {
    creates: bool,
    from: Vec<State>,
    to: Option<State>,
    roles: Vec<Role>,
}

fn expected(verb: Verb) -> Expected {
    let line = RULES.lines().find_map(|line| line.strip_prefix(verb.code())?.strip_prefix(": "));
    let line = line.unwrap_or_else(|| panic!("{verb} is missing above"));
    let (from, rest) = line.split_once(" -> ").unwrap();
    let (to, roles) = rest.split_once(": ").unwrap();
    Expected {
        creates: from.split(' ').any(|word| word == "new"),
        from: from.split(' ').filter_map(State::from_code).collect(),
        to: State::from_code(to),
        roles: roles.split(' ').map(|role| Role::from_code(role).unwrap()).collect(),
    }
}

/// A case in `state` on which nothing but state and role can stand in the way of `verb`.
fn ready(state: State, verb: Verb) -> Case {
    let mut case = match verb {
        Verb::ApproveSelfHandled if state == State::Reported => Case::reported(Mode::SelfHandled),
        _ => Case::in_state(state),
    };
    let before: &[Verb] = match (verb, state) {
        (Verb::Submit, State::Reported) => &[Verb::SendBack],
        (Verb::ApproveReturn | Verb::RefuseReturn, State::Dispatched) => &[Verb::AskReturn],
        (Verb::ApproveExtend | Verb::RefuseExtend, State::Handling) => &[Verb::AskExtend],
        (Verb::Resume, State::Handling) => &[Verb::Suspend],
        (Verb::Undefer, State::Handling) => &[Verb::Defer],
        (Verb::Uphold, State::Closed | State::Void) => &[Verb::Appeal],
        (Verb::Close, State::Handled) => &[Verb::CheckSend, Verb::CheckReply],
        _ => &[],
    };
    for verb in before {
        case.goes(*verb);
    }
    case
}

#[test]
fn every_state_verb_and_role_does_what_the_rules_of_the_trade_say() {
    let mut allowed = 0;
    for verb in Verb::ALL {
        let rule = expected(*verb);
        for state in State::ALL {
            for role in Role::ALL {
                let mut case = ready(*state, *verb);
                let before = case.ledger().clone();
                let mut who = actor(*role);
                if *verb == Verb::Submit {
                    who.user = before.reporter.clone();
                }
                let command = Command::new(*verb, ordinary(*verb, case.context.now)).at_version(before.version);
                let cell = format!("{state} {verb} {role}");
                let outcome = case.tries(&who, &command).cloned();
                if !rule.roles.contains(role) {
                    assert_eq!(outcome, Err(Refusal::WrongRole { verb: *verb, role: *role }), "{cell}");
                } else if !rule.from.contains(state) {
                    let (state, version) = (Some(*state), before.version);
                    assert_eq!(outcome, Err(Refusal::WrongState { verb: *verb, state, version }), "{cell}");
                } else {
                    let event = outcome.unwrap_or_else(|refusal| panic!("{cell}: {refusal:?}"));
                    assert_eq!((event.from, event.to), (Some(*state), rule.to.unwrap_or(*state)), "{cell}");
                    assert_eq!(event.version, before.version + 1, "{cell}");
                    allowed += 1;
                }
            }
        }
    }
    assert_eq!(allowed, 83, "cells that are open");
}

#[test]
fn without_a_case_only_a_report_does_anything() {
    for verb in Verb::ALL {
        for role in Role::ALL {
            let rule = expected(*verb);
            let mut case = Case::new();
            let mut payload = ordinary(*verb, case.context.now);
            if *verb == Verb::Submit && *role == Role::Hotline {
                give(&mut payload, Member::Facts, START);
            }
            let outcome = case.tries(&actor(*role), &Command::new(*verb, payload)).cloned();
            let wrong = Refusal::WrongState { verb: *verb, state: None, version: 0 };
            match (rule.roles.contains(role), rule.creates) {
                (false, _) => assert_eq!(outcome, Err(Refusal::WrongRole { verb: *verb, role: *role })),
                (true, false) => assert_eq!(outcome, Err(wrong)),
                (true, true) => assert_eq!(outcome.map(|event| (event.version, event.to)), Ok((1, State::Reported))),
            }
        }
    }
}

#[test]
fn every_required_member_is_asked_for_and_every_foreign_one_refused() {
    for rule in TABLE {
        let state = rule.from[0];
        for member in Member::ALL {
            let case = ready(state, rule.verb);
            let who = actor(rule.roles[0]);
            let mut payload = ordinary(rule.verb, case.context.now);
            let refusal = match rule.need(*member) {
                Some(Need::Required) => {
                    let mut bare = Payload::default();
                    for other in rule.required().iter().filter(|other| *other != member) {
                        give(&mut bare, *other, case.context.now);
                    }
                    payload = bare;
                    if *member == Member::Reason { Refusal::ReasonMissing } else { Refusal::Missing { field: *member } }
                }
                None => {
                    give(&mut payload, *member, case.context.now);
                    Refusal::UnknownMember { field: *member }
                }
                Some(_) => continue,
            };
            let told = case.refuses_to(&who, &Command::new(rule.verb, payload));
            assert_eq!(told, refusal, "{} {member}", rule.verb);
        }
    }
}

#[test]
fn there_is_one_row_for_every_verb() {
    let verbs: Vec<Verb> = TABLE.iter().map(|rule| rule.verb).collect();
    assert_eq!(verbs, Verb::ALL);
}

#[test]
fn what_a_phone_may_ask_is_what_an_inspector_may_do() {
    for rule in TABLE {
        assert_eq!(rule.is_request(), rule.roles.contains(&Role::Inspector), "{}", rule.verb);
    }
}

#[test]
fn what_is_offered_is_what_is_accepted() {
    for state in State::ALL {
        for verb in Verb::ALL {
            let case = ready(*state, *verb);
            for role in Role::ALL {
                let offered = offers(Some(case.ledger()), &actor(*role)).contains(verb);
                let command = Command::new(*verb, ordinary(*verb, case.context.now));
                let accepted = decide(case.ledger.as_ref(), &command, &actor(*role), &case.context).is_ok();
                assert_eq!(offered, accepted, "{state} {verb} {role}");
            }
        }
    }
    assert_eq!(offers(None, &actor(Role::Inspector)), [Verb::Submit]);
    assert_eq!(offers(None, &actor(Role::TownOffice)), []);
}
