//! After the month: the business clock runs on, and phones are still on patrol.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use xunge_client_core::model::{Millis, PhotoRole};

use super::month::Scene;
use super::plan::{CasePlan, PhotoPlan};
use super::rng::Rng;
use super::run::Running;
use super::text::words;
use super::trouble::DemoError;
use crate::reference::org::Org;

/// Often enough to watch the console move. Phones take turns, so that 40 of them stay below 300 reports a day each
/// when the demo is left open.
const EVERY: Duration = Duration::from_secs(8);
const MINUTE: i64 = 60_000;

impl Running {
    /// Lets the clock run on from the first of the next month, and phones report, until `stop`.
    pub async fn patrol(&self, stop: &CancellationToken) {
        let first = self.scene.plan.month.next().first().start();
        // 08:30, when the first round of a day begins.
        self.scene.clock.run_from(first.plus_ms(510 * MINUTE));
        let mut rng = Rng::new(self.scene.plan.seed, "patrol");
        let mut ticks = tokio::time::interval(EVERY);
        for turn in 0_usize.. {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            let phone = turn % self.scene.phones.len();
            let case = found(&mut rng, &self.scene, &self.org, phone);
            // The console matters more than one report: say it and go on.
            if let Err(error) = report(&self.scene, phone, case).await {
                tracing::warn!(error.cause = %error, "a patrol's report did not arrive");
            }
        }
    }
}

/// Something this phone's inspector finds now: a place and a category of the month, in new words.
fn found(rng: &mut Rng, scene: &Scene, org: &Org, phone: usize) -> CasePlan {
    let own: Vec<&CasePlan> = scene.plan.cases.iter().filter(|case| case.phone == phone).collect();
    let known = *rng.pick(&own);
    let now = scene.clock.now();
    let discovered_at = now.plus_ms(-4 * MINUTE);
    let handled_at = known.handled_at.map(|_| now.plus_ms(-MINUTE));
    let words = words(rng, &known.category_claim, known.mode_claim, discovered_at);
    let place = org.place(&known.grid).map_or_else(String::new, |place| place.name.clone());
    let photo = |rng: &mut Rng, role, taken_at| PhotoPlan { role, seed: rng.next(), taken_at };
    let mut photos = vec![photo(rng, PhotoRole::Before, discovered_at)];
    photos.extend(handled_at.map(|at: Millis| photo(rng, PhotoRole::After, at)));
    CasePlan {
        location_text: format!("{place}{}", words.spot),
        description: words.description,
        handle_note: handled_at.map(|_| words.act.to_owned()),
        handled_at,
        discovered_at,
        received_at: now,
        photos,
        steps: Vec::new(),
        ..known.clone()
    }
}

async fn report(scene: &Arc<Scene>, phone: usize, case: CasePlan) -> Result<(), DemoError> {
    let saving = scene.clone();
    let saved = tokio::task::spawn_blocking(move || saving.phones[phone].report(&case));
    saved.await.map_err(|error| DemoError::Setup(error.to_string()))??;
    scene.phones[phone].sync(scene.clock.now()).await
}
