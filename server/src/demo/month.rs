//! Carries the plan out: the business clock goes from round to round, phones sync, offices act.
//!
//! In each round the clock is set first. Then the phones that come into coverage sync, all at once; then the offices
//! act, moment by moment, all acts of one moment at once: many requests at one time are what group commit is for.
//! Meanwhile the other phones are out of coverage and save the reports of their next stop on blocking threads, so
//! that no round waits for cameras and flash memory.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use xunge_client_core::model::{CaseId, Millis};

use super::offices::Offices;
use super::phones::DemoPhone;
use super::picture;
use super::plan::{Act, DemoPlan, Round};
use super::script::{Stop, is_reply, moments, stops};
use super::trouble::DemoError;
use crate::clock::Business;

/// Requests of offices at one time, as many desks as are busy in a real district.
const ACTS_AT_ONCE: usize = 32;
/// Phones that save reports at one time; more would only take the processor from the round under way.
const SAVING_AT_ONCE: usize = 4;

/// Everybody who takes part.
pub(super) struct Scene {
    pub(super) plan: DemoPlan,
    pub(super) phones: Vec<DemoPhone>,
    pub(super) offices: Offices,
    pub(super) clock: Business,
    /// What the server calls the cases of the plan, and how far each is.
    cases: Mutex<Vec<Option<Standing>>>,
    office_photos: AtomicU64,
}

#[derive(Debug, Clone, Copy)]
struct Standing {
    id: CaseId,
    version: u32,
}

/// What happened on the wire.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Photos on the server, of phones and offices.
    pub(super) photos: u64,
    /// Bytes phones and offices sent, headers and repeats included.
    pub(super) bytes_up: u64,
    /// Connections that broke.
    pub(super) cuts: u64,
}

impl Scene {
    /// Opens a phone for each of the plan's, below `folder`. Blocks.
    pub(super) fn open(plan: DemoPlan, folder: &Path, offices: Offices, clock: Business) -> Result<Self, DemoError> {
        let open = |(number, phone): (usize, &super::plan::PhonePlan)| {
            DemoPhone::open(&folder.join(&phone.user.user), &phone.user.user, plan.seed, number)
        };
        let phones: Result<Vec<DemoPhone>, DemoError> = plan.phones.iter().enumerate().map(open).collect();
        let cases = Mutex::new(vec![None; plan.cases.len()]);
        Ok(Self { phones: phones?, offices, clock, cases, plan, office_photos: AtomicU64::new(0) })
    }

    /// What went over the wire so far.
    pub(super) fn totals(&self) -> Totals {
        let of_phones = |count: fn(&DemoPhone) -> u64| self.phones.iter().map(count).sum::<u64>();
        Totals {
            photos: of_phones(DemoPhone::photos) + self.office_photos.load(Ordering::Relaxed),
            bytes_up: of_phones(DemoPhone::bytes_up) + self.offices.bytes_up(),
            cuts: of_phones(DemoPhone::cuts),
        }
    }

    /// Cases of the plan that the server has received.
    pub(super) fn received(&self) -> usize {
        self.cases.lock().unwrap_or_else(PoisonError::into_inner).iter().flatten().count()
    }

    fn standing(&self, case: usize) -> Result<Standing, DemoError> {
        let cases = self.cases.lock().unwrap_or_else(PoisonError::into_inner);
        cases[case].ok_or_else(|| DemoError::Setup(format!("case {case} of the plan was not reported yet")))
    }

    fn stands(&self, case: usize, standing: Standing) {
        self.cases.lock().unwrap_or_else(PoisonError::into_inner)[case] = Some(standing);
    }

    /// One act, by whoever does it.
    async fn act(self: &Arc<Self>, case: usize, step: usize) -> Result<(), DemoError> {
        let standing = self.standing(case)?;
        let version = if is_reply(&self.plan, case, step) {
            self.reply(case, step, standing.id).await?;
            standing.version + 1
        } else {
            self.decide(case, step, standing).await?
        };
        self.stands(case, Standing { version, ..standing });
        Ok(())
    }

    /// An office decides.
    async fn decide(&self, case: usize, step: usize, standing: Standing) -> Result<u32, DemoError> {
        let planned = &self.plan.cases[case].steps[step];
        let mut photos = Vec::new();
        if let Some(seed) = planned.act.photo() {
            photos.push(self.offices.upload(&planned.user, picture::of_scene(seed, planned.at)).await?);
            self.office_photos.fetch_add(1, Ordering::Relaxed);
        }
        let command = planned.act.command(photos);
        let key = format!("demo-{case}-{step}");
        self.offices.act(&planned.user, standing.id, standing.version, &command, &key).await
    }

    /// An inspector answers from the phone. The task is on it since its sync of this round, unless it was only now
    /// given out.
    async fn reply(self: &Arc<Self>, case: usize, step: usize, id: CaseId) -> Result<(), DemoError> {
        let at = self.plan.cases[case].steps[step].at;
        let phone = &self.phones[self.plan.cases[case].phone];
        if self.save_reply(case, step, id).await.is_err() {
            phone.sync(at).await?;
            self.save_reply(case, step, id).await?;
        }
        phone.sync(at).await
    }

    async fn save_reply(self: &Arc<Self>, case: usize, step: usize, id: CaseId) -> Result<(), DemoError> {
        let scene = self.clone();
        blocking(move || {
            let planned = &scene.plan.cases[case].steps[step];
            let Act::CheckReply { photo, .. } = &planned.act else { return Ok(()) };
            // The photo goes along as a file; the phone names it in the request.
            let payload = planned.act.command(Vec::new()).payload;
            scene.phones[scene.plan.cases[case].phone].reply(id, payload, *photo, planned.at)
        })
        .await
    }
}

/// What a phone saves between two stops.
type Saving = JoinHandle<Result<Vec<(usize, CaseId)>, DemoError>>;

/// Turns the plan's rounds.
pub(super) struct Conductor {
    scene: Arc<Scene>,
    rounds: Vec<Round>,
    stops: Vec<VecDeque<Stop>>,
    saving: Vec<Option<Saving>>,
    seats: Arc<Semaphore>,
}

impl Conductor {
    /// Begins: every phone saves what it reports before its first stop.
    pub(super) fn new(scene: Arc<Scene>) -> Self {
        let rounds = scene.plan.rounds();
        let stops = stops(&scene.plan, &rounds);
        let saving = stops.iter().map(|_| None).collect();
        let seats = Arc::new(Semaphore::new(SAVING_AT_ONCE));
        let mut conductor = Self { scene, rounds, stops, saving, seats };
        // Whoever is in coverage first, first.
        let mut phones: Vec<usize> = (0..conductor.stops.len()).collect();
        phones.sort_by_key(|phone| conductor.stops[*phone].front().map(|stop| stop.round));
        phones.into_iter().for_each(|phone| conductor.save_next(phone));
        conductor
    }

    /// Number of rounds.
    pub(super) fn len(&self) -> usize {
        self.rounds.len()
    }

    /// When a round begins.
    pub(super) fn begins(&self, round: usize) -> Millis {
        self.rounds[round].begins
    }

    /// One round: phones, then offices.
    pub(super) async fn turn(&mut self, round: usize) -> Result<(), DemoError> {
        let begins = self.rounds[round].begins;
        self.scene.clock.set(begins);
        let here = |stops: &VecDeque<Stop>| stops.front().is_some_and(|stop| stop.round == round);
        let due: Vec<usize> = (0..self.stops.len()).filter(|phone| here(&self.stops[*phone])).collect();
        for phone in &due {
            self.stops[*phone].pop_front();
        }
        let saving: Vec<_> = due.iter().map(|phone| (*phone, self.saving[*phone].take())).collect();
        let scene = &self.scene;
        stream::iter(saving.into_iter().map(Ok))
            .try_for_each_concurrent(None, |(phone, saving)| async move {
                for (case, id) in saved(saving).await? {
                    scene.stands(case, Standing { id, version: 1 });
                }
                scene.phones[phone].sync(begins).await
            })
            .await?;
        for moment in moments(&scene.plan, &self.rounds[round]) {
            let Some((case, step)) = moment.first() else { continue };
            scene.clock.set(scene.plan.cases[*case].steps[*step].at);
            let acts = moment.into_iter().map(|(case, step)| scene.act(case, step));
            stream::iter(acts).buffer_unordered(ACTS_AT_ONCE).try_collect::<()>().await?;
        }
        due.into_iter().for_each(|phone| self.save_next(phone));
        Ok(())
    }

    /// The month is over: every phone learns what became of its cases.
    pub(super) async fn finish(&self) -> Result<(), DemoError> {
        let at = self.scene.clock.now();
        let syncs = self.scene.phones.iter().map(|phone| phone.sync(at));
        stream::iter(syncs).buffer_unordered(ACTS_AT_ONCE).try_collect::<()>().await
    }

    /// Lets a phone save what it reports before its next stop.
    fn save_next(&mut self, phone: usize) {
        let Some(stop) = self.stops[phone].front() else { return };
        let (scene, seats, cases) = (self.scene.clone(), self.seats.clone(), stop.reports.clone());
        self.saving[phone] = Some(tokio::spawn(async move {
            let _seat = seats.acquire_owned().await;
            blocking(move || {
                let save = |case: usize| Ok((case, scene.phones[phone].report(&scene.plan.cases[case])?));
                cases.into_iter().map(save).collect()
            })
            .await
        }));
    }
}

async fn saved(saving: Option<Saving>) -> Result<Vec<(usize, CaseId)>, DemoError> {
    match saving {
        Some(saving) => saving.await.map_err(|error| DemoError::Setup(error.to_string()))?,
        None => Ok(Vec::new()),
    }
}

/// Runs what blocks where it may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DemoError> + Send + 'static,
) -> Result<T, DemoError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| DemoError::Setup(error.to_string()))?
}
