//! What a report claims, read once when it arrives and frozen into its `submit` event.
//!
//! Nothing odd is refused: a point outside every grid, a category nobody knows, a wrong clock are *flags*, which the
//! office reads beside the report. Counting must not depend on what a phone edits later, hence the freezing.

use xunge_client_core::model::{CoordSys, Facts, Millis, Mode, OrgCode, OrgLevel, PhotoRole, Point, Polygon};
use xunge_client_core::workflow::Payload;

use crate::domain::directory::Directory;

/// A phone's clock may be off by this much before the report is flagged.
const CLOCK_TOLERANCE_MS: i64 = 5 * 60_000;
/// Phones are asked to sync within 30 days; what was found longer ago is flagged.
const OLDEST_FIND_MS: i64 = 35 * 86_400_000;
/// A point may lie this far from the claimed grid before the report is flagged; network fixes err by some hundreds.
const GRID_TOLERANCE_M: f64 = 1_000.0;

/// What claims are judged against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scene<'a> {
    /// Org tree and categories.
    pub(super) directory: &'a Directory,
    /// District of the reporter.
    pub(super) district: &'a str,
    /// Unit of the reporter.
    pub(super) unit: Option<&'a OrgCode>,
    /// That unit reviews its own reports.
    pub(super) unit_reviews: bool,
    /// When the report arrived.
    pub(super) now: Millis,
    /// The phone's clock when it sent.
    pub(super) phone_time: Millis,
    /// One of its photos belongs to another case already.
    pub(super) photo_reused: bool,
}

/// The payload of the `submit` event.
pub(super) fn freeze(facts: &Facts, scene: &Scene<'_>) -> Payload {
    let mut flags = Vec::new();
    let mut flag = |code: &str, when: bool| {
        if when {
            flags.push(code.to_owned());
        }
    };
    let wgs84 = facts.point.map(|point| point.to_wgs84(facts.coord_sys.unwrap_or(CoordSys::Wgs84)));
    let claimed = claimed_grid(facts, scene);
    let found = wgs84.and_then(|point| scene.directory.grid_at(point)).filter(|grid| at_home(grid, scene)).cloned();
    let grid = found.clone().or_else(|| claimed.clone());
    // Where nobody would review it, the street next to it does.
    let reviewed_in = match &grid {
        None if !scene.unit_reviews => wgs84.and_then(|point| nearest_grid(point, scene)).cloned(),
        found => found.clone(),
    };
    let category = facts.category_claim.as_ref();
    flag("no_place", wgs84.is_none() && claimed.is_none());
    flag("outside_every_grid", wgs84.is_some() && found.is_none());
    flag(
        "far_from_grid",
        wgs84.zip(claimed.as_ref()).is_some_and(|(point, grid)| is_far(point, grid, scene.directory)),
    );
    flag("no_category", category.is_none());
    flag("unknown_category", category.is_some_and(|key| scene.directory.category(key).is_none()));
    flag("clock_wrong", clock_wrong(facts.discovered_at, scene));
    flag("photo_reused", scene.photo_reused);
    flag("no_photo", facts.photos.is_empty());
    let no_after = facts.photos_with(PhotoRole::After).next().is_none();
    flag("no_after_photo", facts.mode_claim == Some(Mode::SelfHandled) && no_after);
    Payload {
        mode_claim: facts.mode_claim,
        category_claim: facts.category_claim.clone(),
        discovered_at: facts.discovered_at,
        office: office(reviewed_in.as_ref(), scene),
        unit: scene.unit.cloned(),
        grid,
        flags,
        ..Payload::default()
    }
}

/// The payload for a report of which nothing could be read.
pub(super) fn stub(scene: &Scene<'_>) -> Payload {
    Payload {
        mode_claim: Some(Mode::Forwarded),
        office: office(None, scene),
        unit: scene.unit.cloned(),
        flags: vec!["stub".to_owned()],
        ..Payload::default()
    }
}

/// The office that reviews: the reporter's own unit if it has reviewers, else that of the grid's street.
fn office(grid: Option<&OrgCode>, scene: &Scene<'_>) -> Option<OrgCode> {
    let street = grid.and_then(|grid| grid.at(OrgLevel::Street));
    let of_street = street.as_ref().and_then(|street| scene.directory.street_office(street));
    let own = scene.unit.filter(|_| scene.unit_reviews || of_street.is_none());
    own.or(of_street).cloned()
}

/// The grid the phone believes it is in, if there is such a grid in its district.
fn claimed_grid(facts: &Facts, scene: &Scene<'_>) -> Option<OrgCode> {
    let claim: OrgCode = facts.grid_claim.as_ref()?.parse().ok()?;
    let known = claim.level() == Some(OrgLevel::Grid) && scene.directory.place(&claim).is_some();
    (known && at_home(&claim, scene)).then_some(claim)
}

/// Cases are kept and counted in the reporter's district, so grids of others do not count as found.
fn at_home(grid: &OrgCode, scene: &Scene<'_>) -> bool {
    grid.as_str().starts_with(scene.district)
}

/// The grid of the district whose border is nearest, among those in streets that have an office.
fn nearest_grid<'a>(point: Point, scene: &Scene<'a>) -> Option<&'a OrgCode> {
    let has_office = |street: OrgCode| scene.directory.street_office(&street).is_some();
    let reviewed = |code: &OrgCode| {
        code.level() == Some(OrgLevel::Grid)
            && at_home(code, scene)
            && code.at(OrgLevel::Street).is_some_and(has_office)
    };
    let places = scene.directory.places().filter(|(code, _)| reviewed(code));
    let outlines = places.filter_map(|(code, place)| Some((code, place.polygon.as_ref()?)));
    let far = outlines.map(|(code, polygon)| (code, metres_to_border(point, polygon)));
    far.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(code, _)| code)
}

fn clock_wrong(discovered_at: Option<Millis>, scene: &Scene<'_>) -> bool {
    let skew = scene.phone_time.0.saturating_sub(scene.now.0);
    let age = discovered_at.map_or(0, |at| scene.now.0.saturating_sub(at.0));
    skew.saturating_abs() > CLOCK_TOLERANCE_MS || !(-CLOCK_TOLERANCE_MS..=OLDEST_FIND_MS).contains(&age)
}

fn is_far(point: Point, grid: &OrgCode, directory: &Directory) -> bool {
    let polygon = directory.place(grid).and_then(|place| place.polygon.as_ref());
    polygon.is_some_and(|polygon| !polygon.contains(point) && metres_to_border(point, polygon) > GRID_TOLERANCE_M)
}

/// Metres from a point to the nearest border, by the nearest of a few points on each side.
fn metres_to_border(point: Point, polygon: &Polygon) -> f64 {
    const STEPS: i32 = 16;
    let ring = &polygon.0;
    let sides = ring.iter().zip(ring.iter().cycle().skip(1));
    let along = |a: &Point, b: &Point, step: i32| {
        let between =
            |from: i32, to: i32| from + ((i64::from(to) - i64::from(from)) * i64::from(step) / i64::from(STEPS)) as i32;
        Point { lon_e6: between(a.lon_e6, b.lon_e6), lat_e6: between(a.lat_e6, b.lat_e6) }
    };
    sides
        .flat_map(|(a, b)| (0..STEPS).map(move |step| point.metres_to(along(a, b, step))))
        .fold(f64::INFINITY, f64::min)
}
