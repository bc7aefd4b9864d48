//! The plan from the side of a phone: the moments at which it is in coverage, and what it brings there.

use std::collections::{BTreeMap, VecDeque};

use xunge_client_core::workflow::Verb;

use super::plan::{DemoPlan, Round};

/// One moment in coverage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stop {
    /// Index of the round.
    pub(super) round: usize,
    /// Cases reported since the stop before, to be saved before the phone syncs.
    pub(super) reports: Vec<usize>,
}

/// The stops of every phone, by round.
///
/// A round in which a phone only answers a recheck is a stop too: what it reports later must not be on it yet, or it
/// would arrive too early.
pub(super) fn stops(plan: &DemoPlan, rounds: &[Round]) -> Vec<VecDeque<Stop>> {
    let mut stops = vec![VecDeque::new(); plan.phones.len()];
    for (index, round) in rounds.iter().enumerate() {
        let mut here: BTreeMap<usize, Vec<usize>> = round.syncs.clone();
        for (case, step) in &round.acts {
            if is_reply(plan, *case, *step) {
                here.entry(plan.cases[*case].phone).or_default();
            }
        }
        for (phone, reports) in here {
            stops[phone].push_back(Stop { round: index, reports });
        }
    }
    stops
}

/// True for what an inspector answers from the phone.
pub(super) fn is_reply(plan: &DemoPlan, case: usize, step: usize) -> bool {
    plan.cases[case].steps[step].act.verb() == Verb::CheckReply
}

/// Acts of a round that happen at one moment; no case is in one twice.
pub(super) fn moments(plan: &DemoPlan, round: &Round) -> Vec<Vec<(usize, usize)>> {
    let at = |(case, step): &(usize, usize)| plan.cases[*case].steps[*step].at;
    round.acts.chunk_by(|one, other| at(one) == at(other)).map(<[_]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::reference::published::Published;
    use crate::reference::xixia;

    fn plan() -> DemoPlan {
        let org = xixia::org_file().validate().unwrap();
        DemoPlan::new(Published::november_2023(), &org, 40, 1).unwrap()
    }

    #[test]
    fn every_report_and_every_reply_has_a_stop_of_its_phone() {
        let plan = plan();
        let rounds = plan.rounds();
        let stops = stops(&plan, &rounds);
        let mut reported = 0;
        for (phone, stops) in stops.iter().enumerate() {
            assert!(stops.iter().zip(stops.iter().skip(1)).all(|(one, next)| one.round < next.round));
            for stop in stops {
                reported += stop.reports.len();
                assert!(stop.reports.iter().all(|case| plan.cases[*case].phone == phone));
            }
        }
        assert_eq!(reported, plan.cases.len());
        let mut replies = 0;
        for (index, round) in rounds.iter().enumerate() {
            for (case, _) in round.acts.iter().filter(|(case, step)| is_reply(&plan, *case, *step)) {
                assert!(stops[plan.cases[*case].phone].iter().any(|stop| stop.round == index));
                replies += 1;
            }
        }
        assert!(replies > 150, "{replies}");
    }

    #[test]
    fn an_inspector_rechecks_what_the_same_phone_reported() {
        let plan = plan();
        for case in &plan.cases {
            for step in case.steps.iter().filter(|step| step.act.verb() == Verb::CheckReply) {
                assert_eq!(step.user, plan.phones[case.phone].user.user);
            }
        }
    }

    #[test]
    fn acts_of_one_moment_are_of_different_cases() {
        let plan = plan();
        for round in plan.rounds() {
            let moments = moments(&plan, &round);
            assert_eq!(moments.iter().map(Vec::len).sum::<usize>(), round.acts.len());
            for moment in moments {
                let cases: BTreeSet<_> = moment.iter().map(|(case, _)| case).collect();
                assert_eq!(cases.len(), moment.len());
            }
        }
    }
}
