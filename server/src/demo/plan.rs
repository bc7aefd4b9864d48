//! The plan of the month: every phone, every case, every office act. Pure; the same seed gives the same plan.

use std::collections::BTreeMap;

use xunge_client_core::model::{CategoryRef, LocalMonth, Millis, Mode, OrgCode, PhotoRole, Point};

pub use super::acts::{Act, Step};
use super::calendar::Calendar;
use super::cast::Cast;
pub use super::error::PlanError;
use super::fate::{Slot, deal};
use super::figures::{ExternalFigure, PreviousEdition, external_figures, previous_edition};
use super::patrols::{categories, patrols};
use super::rng::Rng;
pub use super::staff::PhonePlan;
use super::staff::{phones, shares};
pub use super::text::DESCRIPTION_CHARS;
use super::writer::Writer;
use crate::reference::org::Org;
use crate::reference::published::Published;

/// One photo to make: the same seed gives the same picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PhotoPlan {
    /// What it shows.
    pub role: PhotoRole,
    /// Seed of its picture, different for every photo of the plan.
    pub seed: u64,
    /// When it was taken, by the phone's clock.
    pub taken_at: Millis,
}

/// One case: what the phone reports, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CasePlan {
    /// Index of the phone that reports it.
    pub phone: usize,
    /// The reporting unit.
    pub unit: OrgCode,
    /// One of the inspector's grids.
    pub grid: OrgCode,
    /// A WGS-84 point inside the grid.
    pub point: Point,
    /// Radius of the fix in metres.
    pub accuracy_m: u32,
    /// Where, in words.
    pub location_text: String,
    /// What is wrong.
    pub description: String,
    /// The category the inspector chose.
    pub category_claim: CategoryRef,
    /// Fixed on the spot, or to be forwarded, as the inspector says.
    pub mode_claim: Mode,
    /// How it was fixed; with a self-handled claim.
    pub handle_note: Option<String>,
    /// When it was fixed; with a self-handled claim.
    pub handled_at: Option<Millis>,
    /// When it was found, by the phone's clock.
    pub discovered_at: Millis,
    /// When the phone syncs it: decides the period.
    pub received_at: Millis,
    /// A before photo, and an after photo with a self-handled claim.
    pub photos: Vec<PhotoPlan>,
    /// Office acts, in order.
    pub steps: Vec<Step>,
}

/// One round of the business clock: phones sync first, then the acts happen, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Round {
    /// When it begins.
    pub begins: Millis,
    /// Phones that sync, each with the indices of the cases it made since its last sync.
    pub syncs: BTreeMap<usize, Vec<usize>>,
    /// (case, step) indices, by time.
    pub acts: Vec<(usize, usize)>,
}

/// The whole month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DemoPlan {
    /// The seed it was made from.
    pub seed: u64,
    /// The month.
    pub month: LocalMonth,
    /// The district.
    pub scope: OrgCode,
    /// Phones; those with [`PhonePlan::extra`] need an account first.
    pub phones: Vec<PhonePlan>,
    /// Cases, by time of receipt.
    pub cases: Vec<CasePlan>,
    /// When each round begins, 24 a day.
    pub round_begins: Vec<Millis>,
    /// What the report of the month before held.
    pub previous: PreviousEdition,
    /// Figures that are entered, not counted.
    pub external: Vec<ExternalFigure>,
}

impl DemoPlan {
    /// Plans the month that `report` publishes, for the people of `org` with `phone_count` phones.
    ///
    /// # Errors
    /// [`PlanError`] if the org tree lacks someone the story needs, or the phones are fewer than the units.
    pub fn new(report: &Published, org: &Org, phone_count: usize, seed: u64) -> Result<Self, PlanError> {
        let shares = shares(report, org, &mut Rng::new(seed, "shares"))?;
        let phones = phones(org, &shares, phone_count)?;
        let calendar = Calendar::new(report.month, &mut Rng::new(seed, "calendar"));
        let patrols = patrols(&mut Rng::new(seed, "patrols"), &calendar, &shares, &phones);
        let categories = categories(report, patrols.len(), &mut Rng::new(seed, "categories"));
        let mut slots: Vec<Slot<'_>> = patrols
            .iter()
            .zip(categories)
            .map(|(patrol, category)| Slot { share: patrol.share, round: patrol.round, category })
            .collect();
        let fates = deal(&mut Rng::new(seed, "fates"), report, &shares, &mut slots, calendar.last());

        let cast = Cast::new(org)?;
        let mut writer = Writer { rng: Rng::new(seed, "cases"), org, calendar, cast, shares, phones };
        let cases: Result<Vec<CasePlan>, PlanError> = patrols
            .iter()
            .zip(slots)
            .zip(fates)
            .map(|((patrol, slot), fate)| writer.case(patrol, slot.category, fate))
            .collect();
        let scope = writer.district();
        Ok(Self {
            seed,
            month: report.month,
            phones: writer.phones,
            cases: cases?,
            round_begins: writer.calendar.rounds().to_vec(),
            previous: previous_edition(report, &scope),
            external: external_figures(report, &scope),
            scope,
        })
    }

    /// Everything that happens, by time: for each round set the business clock, let the phones sync, then act.
    ///
    /// A step's own time lies 3 to 13 minutes after its round begins and before the next round.
    pub fn rounds(&self) -> Vec<Round> {
        let empty = |begins: &Millis| Round { begins: *begins, syncs: BTreeMap::new(), acts: Vec::new() };
        let mut rounds: Vec<Round> = self.round_begins.iter().map(empty).collect();
        let round_of = |at: Millis| self.round_begins.partition_point(|begins| *begins <= at) - 1;
        for (index, case) in self.cases.iter().enumerate() {
            rounds[round_of(case.received_at)].syncs.entry(case.phone).or_default().push(index);
            for (step, planned) in case.steps.iter().enumerate() {
                rounds[round_of(planned.at)].acts.push((index, step));
            }
        }
        for round in &mut rounds {
            round.acts.sort_by_key(|(case, step)| (self.cases[*case].steps[*step].at, *case));
        }
        rounds
    }

    /// Photos of the plan: of reports, of feedbacks and of rechecks.
    pub fn photo_seeds(&self) -> impl Iterator<Item = u64> {
        self.cases.iter().flat_map(|case| {
            let reported = case.photos.iter().map(|photo| photo.seed);
            reported.chain(case.steps.iter().filter_map(|step| step.act.photo()))
        })
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
