//! The four clocks, on cases that go through them.

use super::deadline::{Clock, Limit, LimitRule, LimitUnit, Limits, Reading, Standing, Timing};
use super::*;
use crate::model::WorkCalendar;

const MINUTE: i64 = 60_000;

/// 08:30-12:00 and 14:30-18:00; [`START`] is 08:00 of a Wednesday.
fn office_hours() -> WorkCalendar {
    let none: [LocalDay; 0] = [];
    WorkCalendar::new(&[(510, 720), (870, 1_080)], none, none).unwrap()
}

fn rule(clock: Clock, value: u32, unit: LimitUnit) -> LimitRule {
    LimitRule { clock, category: None, level: None, org: None, limit: Limit { value, unit } }
}

fn table() -> Limits {
    Limits::new(vec![
        rule(Clock::Review, 60, LimitUnit::WorkMinute),
        rule(Clock::Sign, 60, LimitUnit::WorkMinute),
        rule(Clock::Handle, 2, LimitUnit::WorkDay),
        rule(Clock::Check, 1, LimitUnit::WorkDay),
    ])
}

fn readings(case: &Case) -> Vec<Reading> {
    let (limits, calendar) = (table(), office_hours());
    Timing { limits: &limits, calendar: &calendar, categories: &[] }.readings(case.ledger())
}

fn reading(case: &Case, clock: Clock) -> Reading {
    readings(case).into_iter().find(|reading| reading.clock == clock).expect("the clock started")
}

#[test]
fn a_review_is_late_one_working_hour_after_the_office_opened() {
    let case = Case::reported(Mode::Forwarded);
    let review = reading(&case, Clock::Review);
    assert_eq!(review.due_at, START.plus_ms(90 * MINUTE), "half past nine: the office opens half an hour after START");
    assert_eq!(review.warning_at, START.plus_ms(78 * MINUTE), "80 % of the hour");
    let standings = [29, 77, 78, 90, 91].map(|minute| review.standing(START.plus_ms(minute * MINUTE)));
    use Standing::{InTime, Overdue, Warning};
    assert_eq!(standings, [InTime, InTime, Warning, Warning, Overdue]);
}

#[test]
fn a_clock_that_stopped_says_for_ever_whether_it_was_in_time() {
    let mut case = Case::reported(Mode::Forwarded);
    case.later(89 * MINUTE);
    case.goes(Verb::File);
    let review = reading(&case, Clock::Review);
    assert_eq!(review.standing(START.plus_ms(30 * DAY)), Standing::InTime);

    let mut late = Case::reported(Mode::Forwarded);
    late.later(2 * DAY);
    late.goes(Verb::Void);
    assert_eq!(reading(&late, Clock::Review).standing(START.plus_ms(2 * DAY)), Standing::Overdue);
}

#[test]
fn sign_and_handle_run_from_dispatch_and_check_from_feedback() {
    let mut case = Case::in_state(State::Dispatched);
    let clocks = |case: &Case| readings(case).iter().map(|reading| reading.clock).collect::<Vec<_>>();
    assert_eq!(clocks(&case), [Clock::Review, Clock::Sign, Clock::Handle]);
    assert_eq!(
        reading(&case, Clock::Handle).due_at,
        case.ledger().due_at.unwrap(),
        "the ledger's deadline, not the rule's"
    );
    case.goes(Verb::Sign);
    case.goes(Verb::Feedback);
    assert_eq!(clocks(&case).last(), Some(&Clock::Check));
    assert_eq!(reading(&case, Clock::Check).due_at, START.plus_ms(10 * HOUR), "one working day from 08:00 is 18:00");
}

#[test]
fn a_suspended_case_is_never_late() {
    let mut case = Case::in_state(State::Handling);
    case.goes(Verb::Suspend);
    let handle = reading(&case, Clock::Handle);
    assert_eq!(handle.standing(START.plus_ms(400 * DAY)), Standing::Paused);
    case.later(DAY);
    case.goes(Verb::Resume);
    assert_eq!(reading(&case, Clock::Handle).standing(START.plus_ms(400 * DAY)), Standing::Overdue);
}

#[test]
fn a_unit_that_waits_for_its_return_to_be_decided_is_not_late() {
    let mut case = Case::in_state(State::Dispatched);
    case.goes(Verb::AskReturn);
    let far = START.plus_ms(400 * DAY);
    assert_eq!(reading(&case, Clock::Sign).standing(far), Standing::Paused);
    assert_eq!(reading(&case, Clock::Handle).standing(far), Standing::Paused);
}

#[test]
fn an_urgent_limit_runs_day_and_night() {
    let calendar = office_hours();
    let limit = Limit { value: 2, unit: LimitUnit::WorkHour };
    let evening = START.plus_ms(12 * HOUR);
    assert_eq!(limit.end(&calendar, evening, Level::Urgent), evening.plus_ms(2 * HOUR));
    assert_eq!(
        limit.end(&calendar, evening, Level::Normal),
        START.plus_ms(DAY + 150 * MINUTE),
        "10:30 the next morning"
    );
}

#[test]
fn units_by_the_clock_know_no_calendar() {
    let calendar = office_hours();
    let end = |value, unit| Limit { value, unit }.end(&calendar, START, Level::Normal).0 - START.0;
    assert_eq!(end(90, LimitUnit::Minute), 90 * MINUTE);
    assert_eq!(end(3, LimitUnit::Hour), 3 * HOUR);
    assert_eq!(end(3, LimitUnit::Day), 3 * DAY);
}

#[test]
fn the_closest_rule_counts() {
    let category = |text: &str| Some(text.parse::<CategoryRef>().unwrap());
    let (minor, major) = ("xixia-2023:event:XX0201", "xixia-2023:event:XX02");
    let with = |category, level, org, value| LimitRule {
        category,
        level,
        org,
        ..rule(Clock::Handle, value, LimitUnit::WorkHour)
    };
    let roads = || Some(desk::code("U-roads"));
    let limits = Limits::new(vec![
        with(None, None, None, 1),
        with(None, Some(Level::Urgent), None, 2),
        with(None, None, roads(), 3),
        with(category(major), None, None, 4),
        with(category(major), None, roads(), 5),
        with(category(minor), None, None, 6),
        with(category(minor), None, None, 7),
    ]);
    let keys = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<CategoryRef>>();
    let found = |texts: &[&str], level, org: Option<OrgCode>| {
        limits.closest(Clock::Handle, &keys(texts), level, org.as_ref()).map(|limit| limit.value)
    };
    assert_eq!(found(&[minor, major], Level::Normal, roads()), Some(7), "the minor beats the unit; the later row wins");
    assert_eq!(found(&["xixia-2023:event:XX0202", major], Level::Normal, roads()), Some(5));
    assert_eq!(found(&["xixia-2023:event:XX0202", major], Level::Normal, None), Some(4));
    assert_eq!(found(&[], Level::Urgent, roads()), Some(3), "the unit beats the level");
    assert_eq!(found(&[], Level::Urgent, None), Some(2));
    assert_eq!(found(&[], Level::Normal, None), Some(1));
    assert_eq!(limits.closest(Clock::Check, &[], Level::Normal, None), None, "nothing is said about checks");
}

#[test]
fn a_clock_without_a_limit_is_not_shown() {
    let case = Case::reported(Mode::Forwarded);
    let (limits, calendar) = (Limits::default(), office_hours());
    let timing = Timing { limits: &limits, calendar: &calendar, categories: &[] };
    assert_eq!(timing.readings(case.ledger()), []);
}
