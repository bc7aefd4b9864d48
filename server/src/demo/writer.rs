//! Writes out each case: place, words, photos, claims, and the acts that follow.

use xunge_client_core::model::{CategoryRef, Mode, OrgCode, PhotoRole, Point, Polygon};

use super::calendar::Calendar;
use super::cast::Cast;
use super::error::PlanError;
use super::fate::Fate;
use super::patrols::Patrol;
use super::plan::{CasePlan, PhotoPlan};
use super::rng::Rng;
use super::staff::{PhonePlan, UnitShare};
use super::steps::{Subject, steps};
use super::text::words;
use crate::reference::org::Org;
use crate::reference::taxonomy::{Category, Taxonomy};

const MINUTE: i64 = 60_000;

/// Fills in what a case says and what becomes of it.
pub(super) struct Writer<'a> {
    pub(super) rng: Rng,
    pub(super) org: &'a Org,
    pub(super) calendar: Calendar,
    pub(super) cast: Cast<'a>,
    pub(super) shares: Vec<UnitShare>,
    pub(super) phones: Vec<PhonePlan>,
}

impl Writer<'_> {
    pub(super) fn district(&self) -> OrgCode {
        let unit = self.org.unit(&self.shares[0].unit).expect("shares are of units of this tree");
        unit.district.clone()
    }

    pub(super) fn case(&mut self, patrol: &Patrol, category: &Category, fate: Fate) -> Result<CasePlan, PlanError> {
        let rng = &mut self.rng;
        let inspector = &self.phones[patrol.phone].user;
        let unit = &self.shares[patrol.share].unit;
        let grid = rng.pick(&inspector.grids);
        let place = self.org.place(grid).expect("a checked org has every grid of its inspectors");
        let polygon = place.polygon.as_ref().expect("a checked org has an outline for every grid");
        let point = point_inside(rng, polygon).ok_or_else(|| PlanError::GridTooThin { grid: grid.to_string() })?;
        let (mode_claim, category_claim) = claims(rng, category, fate);
        let words = words(rng, &category_claim, mode_claim, patrol.discovered_at);
        let subject = Subject {
            unit,
            grid,
            category: &category.key,
            reporter: &inspector.user,
            round: patrol.round,
            words: &words,
        };
        let steps = steps(rng, &self.calendar, &self.cast, &subject, fate)?;
        let received_at = self.calendar.at(patrol.round);
        let handled_at = (mode_claim == Mode::SelfHandled).then(|| {
            let minutes = ((received_at.0 - patrol.discovered_at.0) / MINUTE - 2).clamp(2, 40) as usize;
            patrol.discovered_at.plus_ms(rng.between(2, minutes) as i64 * MINUTE)
        });
        let photo = |rng: &mut Rng, role, taken_at| PhotoPlan { role, seed: rng.next(), taken_at };
        let mut photos = vec![photo(rng, PhotoRole::Before, patrol.discovered_at)];
        photos.extend(handled_at.map(|at| photo(rng, PhotoRole::After, at)));
        Ok(CasePlan {
            phone: patrol.phone,
            unit: unit.clone(),
            grid: grid.clone(),
            point,
            accuracy_m: rng.between(3, 35) as u32,
            location_text: format!("{}{}", place.name, words.spot),
            handle_note: handled_at.map(|_| words.act.to_owned()),
            description: words.description,
            category_claim,
            mode_claim,
            handled_at,
            discovered_at: patrol.discovered_at,
            received_at,
            photos,
            steps,
        })
    }
}

/// What the inspector claims: mostly what it turns out to be.
///
/// Some of what is forwarded was claimed as fixed, and some forwarded under a neighbouring category.
fn claims(rng: &mut Rng, category: &Category, fate: Fate) -> (Mode, CategoryRef) {
    let same = category.key.clone();
    match fate {
        Fate::SelfHandled => (Mode::SelfHandled, same),
        Fate::Void(claim) | Fate::Pending { claim, .. } => (claim, same),
        Fate::Forwarded(_) if category.self_handling && rng.percent(7) => (Mode::SelfHandled, same),
        Fate::Forwarded(_) if rng.percent(4) => (Mode::Forwarded, neighbour(rng, category)),
        Fate::Forwarded(_) => (Mode::Forwarded, same),
    }
}

/// Another minor of the same major, or the category itself if it has no neighbour.
fn neighbour(rng: &mut Rng, category: &Category) -> CategoryRef {
    let taxonomy = Taxonomy::builtin();
    let major = taxonomy.major_of(&category.key).expect("every minor has a major");
    let others: Vec<&Category> = taxonomy.minors(&major.key).filter(|other| other.key != category.key).collect();
    match others.is_empty() {
        true => category.key.clone(),
        false => rng.pick(&others).key.clone(),
    }
}

/// A point inside the outline, by trying points of its box.
fn point_inside(rng: &mut Rng, polygon: &Polygon) -> Option<Point> {
    let [west, south, east, north] = polygon.bounds()?;
    let (width, height) = ((east - west).max(1) as usize, (north - south).max(1) as usize);
    (0..2_000)
        .map(|_| Point { lon_e6: west + rng.below(width) as i32, lat_e6: south + rng.below(height) as i32 })
        .find(|point| polygon.contains(*point))
}
