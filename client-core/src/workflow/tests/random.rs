//! A town of cases under random commands, beside a second, naive bookkeeping of what counts.

use super::desk::{give, ordinary};
use super::*;

const CASES: usize = 60;
const ACCEPTED: u32 = 1_000_000;

/// SplitMix64: one seed, one run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % sides as u64) as usize
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())].clone()
    }
}

/// What a clerk with a tally sheet would write down from the verbs alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    filed: bool,
    closed: bool,
    void: bool,
    had_unit: bool,
}

impl Tally {
    fn note(&mut self, verb: Verb) {
        match verb {
            Verb::File => self.filed = true,
            Verb::ApproveSelfHandled | Verb::Answer | Verb::MergeDuplicate => (self.filed, self.closed) = (true, true),
            Verb::Dispatch => self.had_unit = true,
            Verb::ApproveReturn => self.had_unit = false,
            Verb::Close => self.closed = true,
            Verb::Void | Verb::Withdraw => self.void = true,
            Verb::Reinstate => self.void = false,
            Verb::Reopen => (self.closed, self.filed) = (false, self.had_unit),
            _ => {}
        }
    }

    fn outcome(self) -> Outcome {
        match (self.void, self.closed, self.filed) {
            (true, ..) => Outcome::Void,
            (_, true, _) => Outcome::CaseClosed,
            (_, _, true) => Outcome::Filed,
            _ => Outcome::Pending,
        }
    }
}

fn someone(dice: &mut Dice) -> Actor {
    let role = dice.pick(Role::ALL);
    let usual = actor(role);
    match dice.roll(4) {
        0 => user(dice.pick(&["wang", "li", "zhao"]), role, dice.pick(&["U-town", "U-roads", "U-parks"])),
        _ => usual,
    }
}

fn something(dice: &mut Dice, case: &Case, who: &Actor) -> Command {
    let offered = offers(case.ledger.as_ref(), who);
    let verb = if offered.is_empty() || dice.roll(4) == 0 { dice.pick(Verb::ALL) } else { dice.pick(&offered) };
    // Most roles may urge and nothing comes of it: without this half of all events were urges.
    let verb = if verb == Verb::Urge && dice.roll(8) > 0 { dice.pick(Verb::ALL) } else { verb };
    let mut payload = ordinary(verb, case.context.now);
    if who.role == Role::Hotline && verb == Verb::Submit && case.ledger.is_none() {
        give(&mut payload, Member::Facts, case.context.now);
    }
    match verb {
        Verb::Submit => payload.mode_claim = Some(dice.pick(Mode::ALL)),
        Verb::File => payload.mode = Some(Mode::Forwarded),
        Verb::AskExtend => {
            let due = case.ledger.as_ref().and_then(|ledger| ledger.due_at).unwrap_or(case.context.now);
            payload.due_at = Some(due.max(case.context.now).plus_ms(HOUR));
            payload.text = Some("申请书".into());
        }
        Verb::RouteChange => payload.mode = Some(dice.pick(Mode::ALL)),
        Verb::Suspend => payload.review_date = Some(case.context.now.local_day().plus_days(30)),
        Verb::CheckReply => payload.verdict = Some(dice.pick(&[Verdict::Pass, Verdict::Fail])),
        Verb::Handover => payload.assignee = Some(dice.pick(&["wang", "li", "zhao"]).to_owned()),
        _ => {}
    }
    if dice.roll(20) == 0 {
        give(&mut payload, dice.pick(Member::ALL), case.context.now);
    }
    let version = case.ledger.as_ref().map_or(0, |ledger| ledger.version);
    let seen = dice.pick(&[None, Some(version), Some(version), Some(version.wrapping_sub(1))]);
    Command { verb, expected_version: seen, payload }
}

fn check_event(case: &Case, before: Option<&Ledger>) {
    let event = case.events.last().unwrap();
    let rule = Rule::of(event.verb);
    assert_eq!(event.version as usize, case.events.len());
    assert_eq!(event.from, before.map(|ledger| ledger.state));
    assert_eq!((event.to, event.version), (case.ledger().state, case.ledger().version));
    assert!(rule.starts_from(event.from) && rule.roles.contains(&event.role), "{event:?}");
    assert!(event.from.is_none_or(|from| rule.to.targets(from).contains(&event.to)), "{event:?}");
}

fn check_ledger(ledger: &Ledger) {
    let filed = ledger.filed_at.is_some();
    assert!(!filed || ledger.case_no.is_some() && ledger.mode.is_some(), "{ledger:?}");
    assert_eq!(ledger.closed_at.is_some(), ledger.state == State::Closed, "{ledger:?}");
    assert_eq!(ledger.close_type.is_some(), ledger.state == State::Closed, "{ledger:?}");
    assert_eq!(ledger.void_reason.is_some(), ledger.state == State::Void, "{ledger:?}");
    assert_eq!(ledger.task.is_some(), matches!(ledger.state, State::Verifying | State::Rechecking), "{ledger:?}");
    assert!(ledger.suspended.is_none() || ledger.state == State::Handling, "{ledger:?}");
    assert!(ledger.ask.is_none() || matches!(ledger.state, State::Dispatched | State::Handling), "{ledger:?}");
    assert!(ledger.appeal.is_none() || ledger.is_final(), "{ledger:?}");
    if ledger.close_type == Some(CloseType::SelfHandled) {
        assert_eq!((ledger.counted_mode(), ledger.filed_at), (Mode::SelfHandled, ledger.closed_at));
    }
    let with_unit = matches!(ledger.state, State::Dispatched | State::Handling | State::Handled | State::Rechecking);
    assert!(!with_unit || ledger.handler.is_some() && ledger.due_at.is_some() && filed, "{ledger:?}");
}

/// reported = void + filed + pending, and = self_handled + forwarded, whatever happened.
fn check_town(town: &[Case], tallies: &[Tally]) {
    let ledgers: Vec<&Ledger> = town.iter().filter_map(|case| case.ledger.as_ref()).collect();
    let count = |outcome| ledgers.iter().filter(|ledger| ledger.outcome() == outcome).count();
    let void = ledgers.iter().filter(|ledger| ledger.state == State::Void).count();
    let filed = ledgers.iter().filter(|ledger| ledger.filed_at.is_some() && ledger.state != State::Void).count();
    let pending = ledgers.iter().filter(|ledger| ledger.filed_at.is_none() && ledger.state != State::Void).count();
    assert_eq!(void, count(Outcome::Void));
    assert_eq!(filed, count(Outcome::Filed) + count(Outcome::CaseClosed));
    assert_eq!(pending, count(Outcome::Pending));
    assert_eq!(ledgers.len(), void + filed + pending);
    let by_mode = |mode| ledgers.iter().filter(|ledger| ledger.counted_mode() == mode).count();
    assert_eq!(ledgers.len(), by_mode(Mode::SelfHandled) + by_mode(Mode::Forwarded));
    for (case, tally) in town.iter().zip(tallies) {
        if let Some(ledger) = &case.ledger {
            assert_eq!(ledger.outcome(), tally.outcome(), "{:?}", case.events);
        }
    }
}

#[test]
fn whatever_people_do_the_counts_add_up_and_the_events_tell_the_whole_story() {
    let mut dice = Dice(20_231_101);
    let mut town = vec![Case::new(); CASES];
    let mut tallies = vec![Tally::default(); CASES];
    let mut used = std::collections::BTreeMap::<Verb, u32>::new();
    let mut accepted = 0;
    while accepted < ACCEPTED {
        let index = dice.roll(CASES);
        let case = &mut town[index];
        let wait = dice.roll(6) as i64 * HOUR;
        case.later(wait);
        case.context.after_photo_present = dice.roll(5) > 0;
        let who = someone(&mut dice);
        let command = something(&mut dice, case, &who);
        let before = case.ledger.clone();
        if case.tries(&who, &command).is_err() {
            assert_eq!(case.ledger, before, "a refused command changes nothing");
            continue;
        }
        accepted += 1;
        *used.entry(command.verb).or_default() += 1;
        tallies[index].note(command.verb);
        check_event(case, before.as_ref());
        check_ledger(case.ledger());
        let seen = Command { expected_version: Some(before.as_ref().map_or(0, |ledger| ledger.version)), ..command };
        let replayed = case.refuses_to(&who, &seen);
        assert!(matches!(replayed, Refusal::StaleVersion { .. } | Refusal::WrongState { .. }), "{replayed:?}");
        if accepted % 97 == 0 {
            check_town(&town, &tallies);
        }
        // A long life is folded from the start once, then the plot gets a new case.
        if town[index].events.len() >= 60 {
            let case = std::mem::replace(&mut town[index], Case::new());
            assert_eq!(fold(&case.events), Ok(case.ledger));
            tallies[index] = Tally::default();
        }
    }
    for case in &town {
        assert_eq!(fold(&case.events).as_ref(), Ok(&case.ledger));
    }
    for verb in Verb::ALL {
        assert!(used.get(verb).is_some_and(|times| *times >= 100), "{verb} was hardly used: {used:?}");
    }
}

#[test]
fn no_damage_to_a_sequence_makes_the_fold_panic() {
    let mut dice = Dice(7);
    for _ in 0..4_000 {
        let mut case = Case::in_state(dice.pick(State::ALL));
        let spare = Case::in_state(dice.pick(State::ALL)).events;
        let index = dice.roll(case.events.len());
        match dice.roll(6) {
            0 => case.events[index] = dice.pick(&spare),
            1 => case.events[index].version = dice.pick(&[0, 1, u32::MAX]),
            2 => case.events[index].verb = dice.pick(Verb::ALL),
            3 => case.events[index].to = dice.pick(State::ALL),
            4 => case.events[index].payload = dice.pick(&spare).payload,
            _ => case.events[index].at = Millis(dice.pick(&[i64::MIN, 0, i64::MAX])),
        }
        if let Ok(Some(ledger)) = fold(&case.events) {
            assert_eq!(ledger.version as usize, case.events.len());
        }
    }
}
