//! Whatever the seed and the number of phones: the published figures, and a month that could have happened.

use std::collections::BTreeSet;

use xunge_client_core::workflow::{Ledger, Outcome, State, Verb};

use super::super::check::{check, recount, replay};
use super::*;
use crate::reference::org_file::OrgFile;
use crate::reference::taxonomy::Taxonomy;
use crate::reference::xixia;

const MINUTE: i64 = 60_000;

fn org() -> Org {
    xixia::org_file().validate().unwrap()
}

fn plan(phones: usize, seed: u64) -> DemoPlan {
    DemoPlan::new(Published::november_2023(), &org(), phones, seed).unwrap()
}

fn ledgers(plan: &DemoPlan) -> Vec<Ledger> {
    replay(plan, &org()).unwrap()
}

const VARIANTS: [(usize, u64); 7] = [(40, 1), (40, 2), (80, 3), (17, 4), (200, 5), (12, 6), (41, u64::MAX)];

#[test]
fn every_published_figure_comes_out_for_every_seed_and_number_of_phones() {
    let org = org();
    for (phones, seed) in VARIANTS {
        let plan = plan(phones, seed);
        assert_eq!(check(&plan, Published::november_2023(), &org), [], "{phones} phones, seed {seed}");
        let total = recount(&ledgers(&plan)).total;
        assert_eq!((total.reported, total.void, total.reported - total.closed()), (8093, 61, 29));
        assert_eq!(total.reported, total.void + total.filed + total.pending);
        assert_eq!(total.reported, total.self_handled + total.forwarded);
    }
}

#[test]
fn a_plan_that_misses_a_figure_is_found_out() {
    let (org, report) = (org(), Published::november_2023());
    let differences = |change: &dyn Fn(&mut DemoPlan)| {
        let mut plan = plan(40, 1);
        change(&mut plan);
        let found = check(&plan, report, &org);
        found.into_iter().map(|difference| (difference.kind, difference.subject, difference.found)).collect::<Vec<_>>()
    };
    let missing = differences(&|plan| drop(plan.cases.pop()));
    assert!(missing.contains(&("headline", "grid_reported".into(), "8092".into())), "{missing:?}");
    let reopened = differences(&|plan| {
        let approved = |case: &&mut CasePlan| case.steps.iter().any(|step| step.act == Act::ApproveSelfHandled);
        plan.cases.iter_mut().find(approved).unwrap().steps.clear();
    });
    assert!(reopened.contains(&("headline", "grid_closed".into(), "8063".into())), "{reopened:?}");
    let earlier = differences(&|plan| plan.cases[0].received_at = plan.cases[0].received_at.plus_ms(-86_400_000));
    assert!(earlier.contains(&("month", "cases outside the month".into(), "1".into())), "{earlier:?}");
    let without_photo = differences(&|plan| plan.cases.iter_mut().for_each(|case| case.photos.truncate(1)));
    assert_eq!(without_photo[0].0, "workflow", "{without_photo:?}");
}

#[test]
fn another_seed_tells_another_month() {
    let (one, again, other) = (plan(40, 1), plan(40, 1), plan(40, 2));
    assert_eq!(one, again);
    let descriptions = |plan: &DemoPlan| plan.cases.iter().map(|case| case.description.clone()).collect::<Vec<_>>();
    assert_ne!(descriptions(&one), descriptions(&other));
    assert_ne!(recount(&ledgers(&one)).units, recount(&ledgers(&other)).units);
}

#[test]
fn open_cases_stand_at_several_states_and_none_is_pending_in_a_published_unit() {
    let org = org();
    for (phones, seed) in VARIANTS {
        let ledgers = ledgers(&plan(phones, seed));
        let open: Vec<_> = ledgers.iter().filter(|ledger| !ledger.is_final()).collect();
        let states: BTreeSet<_> = open.iter().map(|ledger| ledger.state).collect();
        let expected = [State::Reported, State::Filed, State::Dispatched, State::Handling, State::Handled];
        assert_eq!(states, BTreeSet::from(expected));
        let pending: Vec<_> = open.iter().filter(|ledger| ledger.outcome() == Outcome::Pending).collect();
        assert!((7..=11).contains(&pending.len()), "{}", pending.len());
        for ledger in pending {
            let unit = &org.unit(ledger.unit.as_ref().unwrap()).unwrap().name;
            assert!(!Published::november_2023().units.iter().any(|row| row.unit == *unit));
        }
    }
}

#[test]
fn every_point_lies_in_a_grid_its_inspector_patrols() {
    let org = org();
    for (phones, seed) in VARIANTS {
        let plan = plan(phones, seed);
        for case in &plan.cases {
            let inspector = &plan.phones[case.phone].user;
            assert!(inspector.grids.contains(&case.grid));
            assert_eq!(inspector.unit.as_ref(), Some(&case.unit));
            assert_eq!(org.grid_at(case.point).map(|grid| &grid.code), Some(&case.grid));
        }
    }
}

#[test]
fn texts_and_photos_are_those_of_a_real_report() {
    let mut seeds = BTreeSet::new();
    let plan = plan(40, 9);
    for case in &plan.cases {
        assert!(DESCRIPTION_CHARS.contains(&case.description.chars().count()), "{}", case.description);
        assert!((8..=256).contains(&case.location_text.chars().count()));
        let roles: Vec<_> = case.photos.iter().map(|photo| photo.role).collect();
        match case.mode_claim {
            Mode::SelfHandled => {
                assert_eq!(roles, [PhotoRole::Before, PhotoRole::After]);
                assert!(case.handle_note.as_ref().is_some_and(|note| !note.is_empty()));
                let category = Taxonomy::builtin().get(&case.category_claim).unwrap();
                assert!(category.self_handling, "{} is not fixed by hand", category.key);
            }
            Mode::Forwarded => {
                assert_eq!(roles, [PhotoRole::Before]);
                assert_eq!((&case.handle_note, case.handled_at), (&None, None));
            }
        }
    }
    assert!(plan.photo_seeds().all(|seed| seeds.insert(seed)), "two photos would be the same");
    assert!(seeds.len() > 15_000);
}

#[test]
fn things_happen_in_order_and_inside_the_month() {
    let month = Published::november_2023().month;
    for (phones, seed) in VARIANTS {
        for case in &plan(phones, seed).cases {
            assert!(case.discovered_at < case.received_at && case.discovered_at >= month.first().start());
            assert!(case.handled_at.is_none_or(|at| case.discovered_at < at && at < case.received_at));
            let times: Vec<_> =
                std::iter::once(case.received_at).chain(case.steps.iter().map(|step| step.at)).collect();
            assert!(times.windows(2).all(|pair| pair[0] < pair[1]) && times[times.len() - 1] < month.last().end());
        }
    }
}

#[test]
fn most_is_reported_on_weekdays_in_working_hours() {
    let plan = plan(40, 1);
    let mut days = [0_u32; 7];
    for case in &plan.cases {
        let day = case.received_at.local_day();
        days[day.weekday() as usize] += 1;
        assert!((8 * 60..21 * 60).contains(&((case.received_at.0 - day.start().0) / MINUTE)));
    }
    assert!(days[..5].iter().all(|weekday| *weekday > days[5].max(days[6])), "{days:?}");
    let received: BTreeSet<_> = plan.cases.iter().map(|case| case.received_at.local_day()).collect();
    assert_eq!(received.len(), 30);
}

#[test]
fn offices_overrule_some_claims_and_recheck_some_cases() {
    for (phones, seed) in VARIANTS {
        let plan = plan(phones, seed);
        let ledgers = ledgers(&plan);
        let count = |fits: &dyn Fn(&Ledger) -> bool| ledgers.iter().filter(|ledger| fits(ledger)).count();
        let overruled = count(&|ledger| ledger.mode_claim == Mode::SelfHandled && ledger.mode == Some(Mode::Forwarded));
        assert!((10..80).contains(&overruled), "{overruled}");
        let corrected = count(&|ledger| ledger.category.is_some() && ledger.category != ledger.category_claim);
        assert!((5..60).contains(&corrected), "{corrected}");
        assert!(count(&|ledger| ledger.checked_at.is_some()) > 150);
        assert!(count(&|ledger| ledger.rework_count > 0) > 3);
        let reasons: BTreeSet<_> = ledgers.iter().filter_map(|ledger| ledger.void_reason).collect();
        assert!(reasons.len() >= 5, "{reasons:?}");
        let sent_back =
            plan.cases.iter().filter(|case| case.steps.iter().any(|step| step.act.verb() == Verb::SendBack));
        assert!(sent_back.count() <= 11);
    }
}

#[test]
fn rounds_hold_every_report_and_every_act_once_and_in_order() {
    let plan = plan(40, 1);
    let rounds = plan.rounds();
    let (mut reported, mut acted) = (BTreeSet::new(), vec![0_usize; plan.cases.len()]);
    for round in &rounds {
        for (phone, cases) in &round.syncs {
            for case in cases {
                assert!(reported.insert(*case) && plan.cases[*case].phone == *phone);
                assert_eq!(plan.cases[*case].received_at, round.begins);
            }
        }
        for (case, step) in &round.acts {
            assert!(reported.contains(case) && acted[*case] == *step, "an act before its report or out of order");
            acted[*case] += 1;
            assert!(plan.cases[*case].steps[*step].at > round.begins);
        }
    }
    assert_eq!(reported.len(), 8093);
    assert!(plan.cases.iter().zip(acted).all(|(case, acts)| case.steps.len() == acts));
    assert!(rounds.is_sorted_by_key(|round| round.begins));
}

#[test]
fn phones_beyond_the_org_trees_inspectors_come_with_an_account() {
    let org = org();
    for (phones, extra) in [(12, 0), (17, 0), (40, 0), (41, 1), (80, 40), (200, 160)] {
        let plan = plan(phones, 1);
        let logins: BTreeSet<_> = plan.phones.iter().map(|phone| &phone.user.user).collect();
        assert_eq!((plan.phones.len(), logins.len()), (phones, phones), "two phones share a user");
        let new: Vec<_> = plan.phones.iter().filter(|phone| phone.extra).collect();
        assert_eq!(new.len(), extra);
        assert!(new.iter().all(|phone| !org.users.iter().any(|user| user.user == phone.user.user)));
        let mut busy: BTreeMap<_, usize> = BTreeMap::new();
        for case in &plan.cases {
            *busy.entry((case.phone, case.received_at.local_day())).or_default() += 1;
        }
        assert!(busy.values().all(|cases| *cases <= 300), "a phone would pass its daily quota");
    }
}

#[test]
fn what_an_org_tree_lacks_is_named() {
    let report = Published::november_2023();
    let plan = |change: &dyn Fn(&mut OrgFile), phones| {
        let mut file = xixia::org_file();
        change(&mut file);
        DemoPlan::new(report, &file.validate().unwrap(), phones, 1).unwrap_err()
    };
    let nobody = plan(&|file| file.users.retain(|user| user.role != "dispatcher"), 40);
    assert!(matches!(nobody, PlanError::NobodyActs { .. }), "{nobody}");
    let few = plan(&|_| {}, 11);
    assert_eq!(few, PlanError::TooFewPhones { asked: 11, needed: 12 });
    let renamed = plan(&|file| file.units.iter_mut().for_each(|unit| unit.name.insert(0, '新')), 40);
    assert_eq!(renamed, PlanError::UnitMissing { unit: "兴泾镇人民政府".into() });
    for error in [nobody, few, renamed] {
        assert!(!error.zh().is_empty() && !error.way_out().0.is_empty() && error.code().starts_with("demo_"));
    }
}
