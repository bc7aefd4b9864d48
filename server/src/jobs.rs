//! What a server does by itself: forgetting what has run out, and carrying out what was held.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use xunge_client_core::model::Millis;

use crate::app::App;
use crate::auth::enrol;
use crate::domain::{held, quarantine};
use crate::params;
use crate::store::{StoreError, Tx};

/// How often rows that ran out are swept.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// How often photos are compared with their rows, since every name in the photo folder is read; and how often what was put
/// aside is looked through.
const DAILY: Duration = Duration::from_secs(24 * 3_600);
/// How often held voids are looked for where none is known: another process may have held one.
const HELD_LOOK: Duration = Duration::from_secs(60);
/// Rest before a held void that failed is tried again.
const HELD_AGAIN: Duration = Duration::from_secs(1);
/// How long the answer to an `Idempotency-Key` is kept. A client that repeats after a week asks a new question.
const ANSWERS_KEPT_MS: i64 = 7 * 24 * 3_600_000;

/// Runs until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    tokio::join!(rows(&app, &stop), daily(&app, &stop), held(&app, &stop));
}

/// Carries out held voids when they are due: what a crash left behind at once, the others when they ring.
async fn held(app: &App, stop: &CancellationToken) {
    loop {
        let next = match held::carry_out(&app.services).await {
            Ok(next) => next,
            Err(error) => {
                tracing::warn!(error.cause = %error, "held voids could not be read");
                Some(app.services.business.now())
            }
        };
        let wait = next.map_or(HELD_LOOK, |due| wait_for(due, app.services.business.now()));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = app.services.held.notified() => {}
            () = stop.cancelled() => return,
        }
    }
}

/// How long to sleep before something is due. What is due already has just failed and is not tried in a circle.
fn wait_for(due: Millis, now: Millis) -> Duration {
    let ms = u64::try_from(due.0.saturating_sub(now.0)).unwrap_or(0);
    if ms == 0 { HELD_AGAIN } else { Duration::from_millis(ms).min(HELD_LOOK) }
}

/// Removes bytes that never got their row, and refused changes that were kept for long enough.
async fn daily(app: &App, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(DAILY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        tokio::select! {
            () = once_a_day(app) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn once_a_day(app: &App) {
    match app.uploads.sweep_orphans(app.services.security.now()).await {
        Ok(0) => {}
        Ok(photos) => tracing::info!(photos, "removed photos without a row"),
        Err(error) => tracing::warn!(error.cause = %error, "removing photos without a row failed"),
    }
    match put_aside(app).await {
        Ok(0) => {}
        Ok(changes) => tracing::info!(changes, "removed refused changes that were kept for long enough"),
        Err(error) => tracing::warn!(error.cause = %error, "clearing the quarantine failed"),
    }
}

/// Clears the quarantine of what has been there for too long; gives how many changes that were.
async fn put_aside(app: &App) -> Result<usize, StoreError> {
    let mut removed = 0;
    loop {
        let (business, now) = (app.services.business.now(), app.services.security.now());
        let step = app
            .services
            .store
            .write::<_, StoreError, _>(move |tx| Box::pin(async move { quarantine::expire(tx, business, now).await }));
        match step.await? {
            0 => return Ok(removed),
            more => removed += more,
        }
    }
}

async fn rows(app: &App, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = stop.cancelled() => return,
        }
        let (security, business) = (app.services.security.now(), app.services.business.now());
        let swept = app.services.store.write(move |tx| Box::pin(sweep(tx, security, business))).await;
        match swept {
            Ok(0) => {}
            Ok(rows) => tracing::info!(rows, "swept what has run out"),
            Err(error) => tracing::warn!(error.cause = %error, "sweeping failed"),
        }
        match app.uploads.expire(security).await {
            Ok(0) => {}
            Ok(uploads) => tracing::info!(uploads, "forgot uploads nobody finished"),
            Err(error) => tracing::warn!(error.cause = %error, "forgetting uploads failed"),
        }
    }
}

/// Removes expired codes, sessions and stored answers; gives their number.
async fn sweep(tx: &mut dyn Tx, security: Millis, business: Millis) -> Result<u64, StoreError> {
    let codes = enrol::sweep(tx, security).await?;
    let sessions = tx.execute("DELETE FROM web_session WHERE expires_at < ?1", params![security.0]).await?;
    // Stored answers are dated by the clock of the events they answer with.
    let answers =
        tx.execute("DELETE FROM idempotency WHERE at < ?1", params![business.plus_ms(-ANSWERS_KEPT_MS).0]).await?;
    Ok(codes + sessions + answers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::testing::{self, NOW};

    #[test]
    fn the_wait_ends_when_something_is_due_and_never_turns_into_a_circle() {
        let now = Millis(1_000_000);
        assert_eq!(wait_for(now.plus_ms(7_000), now), Duration::from_secs(7));
        assert_eq!(wait_for(now, now), HELD_AGAIN);
        assert_eq!(wait_for(now.plus_ms(-5), now), HELD_AGAIN);
        assert_eq!(wait_for(Millis(i64::MAX), Millis(i64::MIN)), HELD_LOOK);
    }

    #[tokio::test]
    async fn only_what_has_run_out_is_swept() {
        let store = testing::store().await;
        let code = enrol::new_code();
        testing::write(&store, move |tx| Box::pin(async move { enrol::add_code(tx, "li", &code, NOW).await }))
            .await
            .unwrap();
        let at = async |now: Millis| testing::write(&store, move |tx| Box::pin(sweep(tx, now, now))).await.unwrap();
        assert_eq!(at(NOW.plus_ms(enrol::LIFETIME_MS)).await, 0);
        assert_eq!(at(NOW.plus_ms(enrol::LIFETIME_MS + 1)).await, 1);
    }
}
