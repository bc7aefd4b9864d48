//! One demo from beginning to end.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use serde::Serialize;
use tokio::task::JoinSet;
use xunge_client_core::model::{Millis, Role};

use super::check::{Difference, check};
use super::compare::{Figures, differences};
use super::counted::{Counts, Tables, figures};
use super::month::{Conductor, Scene};
use super::offices::Offices;
use super::plan::DemoPlan;
pub use super::stage::Folder;
use super::stage::{Stage, listener};
use super::trouble::DemoError;
pub use super::usage::Phase;
use super::usage::Watch;
use crate::cli::init::InitUser;
use crate::domain::editions;
use crate::reference::org::Org;
use crate::reference::published::Published;
use crate::reference::xixia;
use crate::store::StoreError;

/// What to replay, and where.
#[derive(Debug, Clone)]
pub struct Options {
    /// Loopback address.
    pub listen: SocketAddr,
    /// Number of phones.
    pub phones: usize,
    /// Seed of the month.
    pub seed: u64,
}

/// How far the demo is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The server runs; phones join.
    Serving(SocketAddr),
    /// The first round of a day begins.
    Day {
        /// When, by the business clock.
        at: Millis,
        /// Cases the server has received.
        received: usize,
    },
    /// The month is over; figures are fetched.
    Counting,
}

/// What came out.
#[derive(Debug, Clone, Serialize)]
pub struct DemoReport {
    /// The figures of the report.
    pub published: Figures,
    /// The figures the server counts.
    pub computed: Figures,
    /// True if no member differs.
    pub equal: bool,
    /// Members that differ.
    pub differences: Vec<Difference>,
    /// Real time in seconds.
    pub seconds: f64,
    /// Processor time in seconds, server and phones together.
    pub cpu_seconds: Option<f64>,
    /// The same by part of the demo.
    pub phases: Vec<Phase>,
    /// Commits of the server's database.
    pub flushes: u64,
    /// Phones.
    pub phones: usize,
    /// Photos on the server.
    pub photos: u64,
    /// Bytes phones and offices sent.
    pub bytes_up: u64,
    /// Connections that broke under way.
    pub cuts: u64,
    /// Where the server listens.
    pub listen: String,
}

/// The demo after its month: server and phones are still there.
pub struct Running {
    pub(super) stage: Stage,
    pub(super) scene: Arc<Scene>,
    pub(super) org: Org,
}

/// Replays the month in `folder`, and counts.
///
/// # Errors
/// [`DemoError`] if something did not go as planned; figures that differ are no error.
pub async fn replay(
    options: &Options,
    folder: &Folder,
    tell: impl Fn(Progress),
) -> Result<(DemoReport, Running), DemoError> {
    let mut watch = Watch::start();
    let report = Published::november_2023();
    let listener = listener(options.listen).await?;
    let (plan, org) = planned(report, options)?;
    let stage = Stage::open(folder, org.clone(), &plan, listener).await?;
    tell(Progress::Serving(stage.listen));

    let url = stage.url();
    let passwords = stage.people.users.iter().filter_map(|user| Some((user.user.clone(), user.password.clone()?)));
    let offices = Offices::new(&url, passwords)?;
    let clock = stage.app.services.business.clone();
    let scene = Arc::new(Scene::open(plan, &folder.phones(), offices, clock)?);
    watch.ended("prepare");
    enrol(&scene, &url, &stage.people.users).await?;
    watch.ended("join");

    let mut conductor = Conductor::new(scene.clone());
    let mut day = None;
    for round in 0..conductor.len() {
        let at = conductor.begins(round);
        if day.replace(at.local_day()) != Some(at.local_day()) {
            tell(Progress::Day { at, received: scene.received() });
        }
        conductor.turn(round).await?;
    }
    conductor.finish().await?;
    watch.ended("month");
    tell(Progress::Counting);

    let published = Figures::published(report);
    let computed = computed(&stage, &scene, &org, report).await?;
    let differences = differences(&published, &computed);
    let totals = scene.totals();
    watch.ended("count");
    let (phases, whole) = watch.read();
    let done = DemoReport {
        equal: differences.is_empty(),
        published,
        computed,
        differences,
        seconds: whole.seconds,
        cpu_seconds: whole.cpu_seconds,
        phases,
        flushes: stage.app.services.store.stats().flushes,
        phones: scene.phones.len(),
        photos: totals.photos,
        bytes_up: totals.bytes_up,
        cuts: totals.cuts,
        listen: stage.listen.to_string(),
    };
    Ok((done, Running { stage, scene, org }))
}

impl Running {
    /// Puts the phones away and stops the server.
    ///
    /// # Errors
    /// [`DemoError::Setup`] if the database can not be closed.
    pub async fn close(self) -> Result<(), DemoError> {
        let Self { stage, scene, .. } = self;
        drop(scene);
        stage.close().await
    }
}

/// The plan, recounted before a single phone is opened, and the people it needs.
fn planned(report: &Published, options: &Options) -> Result<(DemoPlan, Org), DemoError> {
    let mut org = xixia::org_file().validate().map_err(|problems| DemoError::Setup(format!("{problems:?}")))?;
    let plan = DemoPlan::new(report, &org, options.phones, options.seed)?;
    let off = check(&plan, report, &org);
    if !off.is_empty() {
        return Err(DemoError::PlanOff(off));
    }
    org.users.extend(plan.phones.iter().filter(|phone| phone.extra).map(|phone| phone.user.clone()));
    Ok((plan, org))
}

/// Every phone joins with the code of its inspector, all at once.
async fn enrol(scene: &Arc<Scene>, url: &str, users: &[InitUser]) -> Result<(), DemoError> {
    let codes: BTreeMap<&str, &str> =
        users.iter().filter_map(|user| Some((user.user.as_str(), user.enrol_code.as_deref()?))).collect();
    let at = scene.clock.now();
    let mut joining = JoinSet::new();
    for (number, phone) in scene.plan.phones.iter().enumerate() {
        let user = &phone.user.user;
        let code = codes.get(user.as_str()).ok_or_else(|| DemoError::Setup(format!("{user} has no enrolment code")))?;
        let (scene, url, code) = (scene.clone(), url.to_owned(), (*code).to_owned());
        joining.spawn(async move { scene.phones[number].enrol(&url, &code, at).await });
    }
    while let Some(joined) = joining.join_next().await {
        joined.map_err(|error| DemoError::Setup(error.to_string()))??;
    }
    Ok(())
}

/// Asks the server, as the district's duty leader, and puts the answers into tables.
async fn computed(stage: &Stage, scene: &Scene, org: &Org, report: &Published) -> Result<Figures, DemoError> {
    let nobody = || DemoError::Setup("no duty leader".to_owned());
    let leader = org.with_role(Role::DutyLeader).next().ok_or_else(nobody)?;
    let (scope, month) = (&scene.plan.scope, report.month);
    let path = |by: &str| format!("/v1/counts?scope={scope}&from={}&to={}&by={by}", month.first(), month.last());
    let by_unit: Counts = scene.offices.get(&leader.user, &path("unit")).await?;
    let by_category: Counts = scene.offices.get(&leader.user, &path("category")).await?;
    let (template, scope) = (scene.plan.previous.template, scope.clone());
    let october = stage
        .app
        .services
        .store
        .read::<_, StoreError, _>(move |tx| {
            Box::pin(async move { editions::published(tx, template, &scope, month.previous()).await })
        })
        .await
        .map_err(|error| DemoError::Setup(error.to_string()))?;
    let october = october.map(|edition| edition.figures.categories).unwrap_or_default();
    let tables = Tables { majors: report.majors().count(), units: report.units.len() };
    Ok(figures(by_unit, &by_category, &october, &tables))
}
