//! Recounts a plan case by case and holds it against the published rows.
//!
//! The plan stores no total. Each case is taken through the real state machine, so that a step the server would
//! refuse, or a total that does not come out, is found before a single phone is opened.

use std::collections::BTreeMap;

use serde::Serialize;
use xunge_client_core::model::{CategoryRef, Mode, OrgCode, PhotoHash, PhotoRole};
use xunge_client_core::workflow::{Actor, Command, Context, Ledger, Outcome, Payload, Source, Verb, apply, decide};

use super::plan::{CasePlan, DemoPlan};
use crate::reference::org::{Org, User};
use crate::reference::published::Published;
use crate::reference::taxonomy::Taxonomy;

/// A published figure the plan does not meet, or a step the server would refuse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `headline`, `category`, `unit`, `order`, `month` or `workflow`.
    pub kind: &'static str,
    /// Metric, category, unit or case.
    pub subject: String,
    /// As published.
    pub expected: String,
    /// As counted.
    pub found: String,
}

/// The counts of a set of cases; `reported = void + filed + pending`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All received.
    pub reported: u64,
    /// Counted as fixed on the spot (自发自处).
    pub self_handled: u64,
    /// Counted as forwarded (平台流转).
    pub forwarded: u64,
    /// State void.
    pub void: u64,
    /// Filed and not void, open or closed.
    pub filed: u64,
    /// Neither filed nor void.
    pub pending: u64,
    /// State closed.
    pub case_closed: u64,
}

impl Tally {
    fn add(&mut self, ledger: &Ledger) {
        self.reported += 1;
        match ledger.counted_mode() {
            Mode::SelfHandled => self.self_handled += 1,
            Mode::Forwarded => self.forwarded += 1,
        }
        match ledger.outcome() {
            Outcome::Pending => self.pending += 1,
            Outcome::Filed => self.filed += 1,
            Outcome::CaseClosed => {
                self.filed += 1;
                self.case_closed += 1;
            }
            Outcome::Void => self.void += 1,
        }
    }

    /// 办结: final, closed or void.
    pub fn closed(&self) -> u64 {
        self.case_closed + self.void
    }
}

/// A plan, counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recount {
    /// All cases.
    pub total: Tally,
    /// By reporting unit.
    pub units: BTreeMap<OrgCode, Tally>,
    /// Cases of each minor, and of each major above them.
    pub categories: BTreeMap<CategoryRef, u64>,
}

/// Takes every case of a plan through the state machine; the ledgers have the order of the cases.
///
/// # Errors
/// A [`Difference`] of kind `workflow` for the first step that would be refused.
pub fn replay(plan: &DemoPlan, org: &Org) -> Result<Vec<Ledger>, Difference> {
    let extra = plan.phones.iter().filter(|phone| phone.extra).map(|phone| &phone.user);
    let users: BTreeMap<&str, &User> = org.users.iter().chain(extra).map(|user| (user.user.as_str(), user)).collect();
    let refused = |index: usize, verb: Verb, found: String| Difference {
        kind: "workflow",
        subject: format!("case {index}"),
        expected: verb.to_string(),
        found,
    };
    let mut ledgers = Vec::with_capacity(plan.cases.len());
    for (index, case) in plan.cases.iter().enumerate() {
        let mut context = Context {
            after_photo_present: case.photos.iter().any(|photo| photo.role == PhotoRole::After),
            claimed_category: Some(case.category_claim.clone()),
            case_no: Some(format!("plan-{index}")),
            ..Context::at(case.received_at)
        };
        let submit = (plan.phones[case.phone].user.user.as_str(), submit(case, org, &plan.phones[case.phone].user));
        let steps = case.steps.iter().map(|step| {
            let photos = step.act.photo().map(|seed| PhotoHash::of(&seed.to_le_bytes()));
            (step.at, (step.user.as_str(), step.act.command(photos.into_iter().collect())))
        });
        let mut ledger = None;
        for (at, (login, command)) in std::iter::once((case.received_at, submit)).chain(steps) {
            context.now = at;
            let user = users.get(login).ok_or_else(|| refused(index, command.verb, format!("no user {login}")))?;
            let actor = Actor { user: user.user.clone(), role: user.role, unit: user.unit.clone() };
            let event = decide(ledger.as_ref(), &command, &actor, &context)
                .map_err(|refusal| refused(index, command.verb, refusal.to_string()))?;
            let next = apply(ledger, &event).map_err(|error| refused(index, command.verb, error.to_string()))?;
            ledger = Some(next);
        }
        ledgers.extend(ledger);
    }
    Ok(ledgers)
}

/// The submit of a case with what the server fills in.
fn submit(case: &CasePlan, org: &Org, inspector: &User) -> Command {
    let payload = Payload {
        mode_claim: Some(case.mode_claim),
        category_claim: Some(case.category_claim.clone()),
        discovered_at: Some(case.discovered_at),
        source: Some(Source::Inspector),
        reporter: Some(inspector.user.clone()),
        unit: Some(case.unit.clone()),
        office: org.reviewing_unit(&case.unit, &case.grid).map(|office| office.code.clone()),
        grid: Some(case.grid.clone()),
        ..Payload::default()
    };
    Command::new(Verb::Submit, payload)
}

/// Counts ledgers as the server counts them.
pub fn recount(ledgers: &[Ledger]) -> Recount {
    let taxonomy = Taxonomy::builtin();
    let mut counted = Recount::default();
    for ledger in ledgers {
        counted.total.add(ledger);
        if let Some(unit) = &ledger.unit {
            counted.units.entry(unit.clone()).or_default().add(ledger);
        }
        if let Some(category) = ledger.counted_category() {
            *counted.categories.entry(category.clone()).or_default() += 1;
            let major = taxonomy.major_of(category).filter(|major| major.key != *category);
            if let Some(major) = major {
                *counted.categories.entry(major.key.clone()).or_default() += 1;
            }
        }
    }
    counted
}

/// Recounts the plan against every published row; empty if all are met.
pub fn check(plan: &DemoPlan, report: &Published, org: &Org) -> Vec<Difference> {
    let counted = match replay(plan, org) {
        Ok(ledgers) => recount(&ledgers),
        Err(refused) => return vec![refused],
    };
    let mut found = Differences(Vec::new());
    for (metric, value) in [
        ("grid_reported", counted.total.reported),
        ("grid_self_handled", counted.total.self_handled),
        ("grid_forwarded", counted.total.forwarded),
        ("grid_closed", counted.total.closed()),
    ] {
        found.same("headline", metric, report.count(metric), value);
    }
    for row in &report.categories {
        let value = counted.categories.get(&row.key).copied().unwrap_or(0);
        found.same("category", &row.key.to_string(), row.count, value);
    }
    for row in &report.units {
        let unit = org.unit_named(&row.unit);
        let tally = unit.and_then(|unit| counted.units.get(&unit.code)).copied().unwrap_or_default();
        found.same("unit", &format!("{} reported", row.unit), row.reported, tally.reported);
        found.same("unit", &format!("{} void", row.unit), row.void, tally.void);
        found.same("unit", &format!("{} filed", row.unit), row.filed, tally.filed);
    }
    let voids = report.units.iter().map(|row| row.void).sum::<u64>();
    found.same("unit", "void in all units", voids, counted.total.void);
    found.order(report, org, &counted);
    let outside = plan.cases.iter().filter(|case| case.received_at.local_day().month() != report.month).count();
    found.same("month", "cases outside the month", 0, outside as u64);
    found.0
}

struct Differences(Vec<Difference>);

impl Differences {
    fn same(&mut self, kind: &'static str, subject: &str, expected: u64, found: u64) {
        if expected != found {
            self.push(kind, subject, expected.to_string(), found.to_string());
        }
    }

    fn push(&mut self, kind: &'static str, subject: &str, expected: String, found: String) {
        self.0.push(Difference { kind, subject: subject.to_owned(), expected, found });
    }

    /// The published units are the ones that report least, in the published order.
    fn order(&mut self, report: &Published, org: &Org, counted: &Recount) {
        let name = |code: &OrgCode| org.unit(code).map_or_else(|| code.to_string(), |unit| unit.name.clone());
        let mut units: Vec<_> = counted.units.iter().map(|(code, tally)| (tally.reported, name(code))).collect();
        units.sort();
        let lowest = units.iter().take(report.units.len()).map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(" ");
        let expected = report.units.iter().map(|row| row.unit.as_str()).collect::<Vec<_>>().join(" ");
        if lowest != expected {
            self.push("order", "lowest units", expected, lowest);
        }
    }
}
