//! Who reports how much: cases per unit, phones per unit.

use xunge_client_core::model::{OrgCode, Role};

use super::error::PlanError;
use super::rng::Rng;
use crate::reference::org::{Org, User};
use crate::reference::published::Published;

/// How far above the published six every other unit stays, at least.
const MARGIN: u64 = 23;

/// A reporting unit and its share of the month.
pub(super) struct UnitShare {
    pub(super) unit: OrgCode,
    /// Cases it reports.
    pub(super) reported: u64,
    /// Of them void; only the published units have any.
    pub(super) void: u64,
    /// The report publishes this unit's figures.
    pub(super) published: bool,
}

/// Splits the month's cases among the units: the published six exactly, the others above them.
pub(super) fn shares(report: &Published, org: &Org, rng: &mut Rng) -> Result<Vec<UnitShare>, PlanError> {
    let reporting: Vec<_> = org.reporting_units().collect();
    for row in &report.units {
        if !reporting.iter().any(|unit| unit.name == row.unit) {
            return Err(PlanError::UnitMissing { unit: row.unit.clone() });
        }
    }
    let published = |name: &str| report.units.iter().find(|row| row.unit == name);
    let others: Vec<_> = reporting.iter().filter(|unit| published(&unit.name).is_none()).collect();
    let rest = report.count("grid_reported") - report.units.iter().map(|row| row.reported).sum::<u64>();
    let floor = report.units.iter().map(|row| row.reported).max().unwrap_or(0) + MARGIN;
    let above = rest.checked_sub(floor * others.len() as u64).filter(|_| !others.is_empty());
    let Some(above) = above else {
        return Err(PlanError::OtherUnits { units: others.len(), cases: rest });
    };

    let weights: Vec<u64> =
        others.iter().map(|unit| (inspectors(org, &unit.code).count() * rng.between(85, 115)) as u64).collect();
    let total: u64 = weights.iter().sum();
    let mut parts: Vec<u64> = weights.iter().map(|weight| floor + above * weight / total).collect();
    let short = rest - parts.iter().sum::<u64>();
    parts.iter_mut().take(short as usize).for_each(|part| *part += 1);

    let mut parts = parts.into_iter();
    let shares = reporting.iter().map(|unit| match published(&unit.name) {
        Some(row) => UnitShare { unit: unit.code.clone(), reported: row.reported, void: row.void, published: true },
        None => {
            let reported = parts.next().expect("one part for each other unit");
            UnitShare { unit: unit.code.clone(), reported, void: 0, published: false }
        }
    });
    Ok(shares.collect())
}

/// One phone and the inspector who carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhonePlan {
    /// The inspector.
    pub user: User,
    /// The account is not in the org file: the demo creates it first.
    pub extra: bool,
}

/// Hands out phones: one to each unit, then where most is reported for each phone.
///
/// Inspectors of the org tree come first; when they run out, further ones share their grids.
pub(super) fn phones(org: &Org, shares: &[UnitShare], count: usize) -> Result<Vec<PhonePlan>, PlanError> {
    if count < shares.len() {
        return Err(PlanError::TooFewPhones { asked: count, needed: shares.len() });
    }
    let known: Vec<Vec<&User>> = shares.iter().map(|share| inspectors(org, &share.unit).collect()).collect();
    let mut held = vec![0_usize; shares.len()];
    let all_known: usize = known.iter().map(Vec::len).sum();
    for handed in 0..count {
        let open = |index: &usize| handed >= all_known || held[*index] < known[*index].len();
        // Most cases for each phone once it has one more; a unit without a phone goes first.
        let load = |index: &usize| (held[*index] == 0, shares[*index].reported / (held[*index] as u64 + 1));
        let next = (0..shares.len()).filter(open).max_by_key(load).expect("a known inspector is left, or all are open");
        held[next] += 1;
    }
    let mut extra = 0;
    let mut phones = Vec::with_capacity(count);
    for (known, held) in known.iter().zip(held) {
        for nth in 0..held {
            phones.push(match known.get(nth) {
                Some(user) => PhonePlan { user: (*user).clone(), extra: false },
                None => PhonePlan { user: another(org, known[nth % known.len()], &mut extra), extra: true },
            });
        }
    }
    Ok(phones)
}

/// A further inspector beside `user`, on the same grids.
fn another(org: &Org, user: &User, extra: &mut usize) -> User {
    loop {
        *extra += 1;
        let login = format!("insp-extra-{extra}");
        if !org.users.iter().any(|known| known.user == login) {
            return User { user: login, name: format!("{}（增{extra}）", user.name), ..user.clone() };
        }
    }
}

fn inspectors<'a>(org: &'a Org, unit: &'a OrgCode) -> impl Iterator<Item = &'a User> {
    org.with_role(Role::Inspector).filter(move |user| user.unit.as_ref() == Some(unit))
}
