//! Who acts in the offices.

use std::collections::BTreeMap;

use xunge_client_core::model::{CategoryRef, OrgCode, Role};

use super::error::PlanError;
use super::rng::Rng;
use crate::reference::org::Org;

/// Log-ins by what they do.
pub(super) struct Cast<'a> {
    org: &'a Org,
    dispatchers: Vec<String>,
    leaders: Vec<String>,
    /// Log-ins of each handling unit.
    handlers: BTreeMap<OrgCode, Vec<String>>,
}

impl<'a> Cast<'a> {
    pub(super) fn new(org: &'a Org) -> Result<Self, PlanError> {
        let mut handlers: BTreeMap<OrgCode, Vec<String>> = BTreeMap::new();
        for user in org.with_role(Role::HandlingUnit) {
            if let Some(unit) = &user.unit {
                handlers.entry(unit.clone()).or_default().push(user.user.clone());
            }
        }
        let all = |role| {
            let users: Vec<String> = org.with_role(role).map(|user| user.user.clone()).collect();
            match users.is_empty() {
                true => Err(PlanError::NobodyActs { role, subject: "district".to_owned() }),
                false => Ok(users),
            }
        };
        Ok(Self { org, dispatchers: all(Role::Dispatcher)?, leaders: all(Role::DutyLeader)?, handlers })
    }

    /// A reviewer of what `unit` reports from `grid`.
    pub(super) fn reviewer(&self, rng: &mut Rng, unit: &OrgCode, grid: &OrgCode) -> Result<String, PlanError> {
        let nobody = || PlanError::NobodyActs { role: Role::TownOffice, subject: unit.to_string() };
        let office = self.org.reviewing_unit(unit, grid).ok_or_else(nobody)?;
        let reviewers: Vec<_> = self.org.reviewers(&office.code).collect();
        match reviewers.is_empty() {
            true => Err(nobody()),
            false => Ok(rng.pick(&reviewers).user.clone()),
        }
    }

    pub(super) fn dispatcher(&self, rng: &mut Rng) -> String {
        rng.pick(&self.dispatchers).clone()
    }

    pub(super) fn leader(&self, rng: &mut Rng) -> String {
        rng.pick(&self.leaders).clone()
    }

    /// The usual handling unit of a category, and who acts for it.
    pub(super) fn handler(&self, rng: &mut Rng, category: &CategoryRef) -> Result<(OrgCode, String), PlanError> {
        let nobody = || PlanError::NobodyActs { role: Role::HandlingUnit, subject: category.to_string() };
        let unit = self.org.usual_handler(category).ok_or_else(nobody)?;
        let users = self.handlers.get(&unit.code).ok_or_else(nobody)?;
        Ok((unit.code.clone(), rng.pick(users).clone()))
    }
}
