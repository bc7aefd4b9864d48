//! What a server does by itself: forgetting what has run out.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use xunge_client_core::model::Millis;

use crate::app::App;
use crate::auth::enrol;
use crate::params;
use crate::store::{StoreError, Tx};

/// How often rows that ran out are swept.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// How often photos are compared with their rows: every name in the photo folder is read.
const ORPHANS_EVERY: Duration = Duration::from_secs(24 * 3_600);
/// How long the answer to an `Idempotency-Key` is kept. A client that repeats after a week asks a new question.
const ANSWERS_KEPT_MS: i64 = 7 * 24 * 3_600_000;

/// Runs until `stop`.
pub async fn run(app: App, stop: CancellationToken) {
    tokio::join!(rows(&app, &stop), orphans(&app, &stop));
}

/// Removes bytes that never got their row.
async fn orphans(app: &App, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(ORPHANS_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let sweep = async {
            ticks.tick().await;
            app.uploads.sweep_orphans(app.services.security.now()).await
        };
        let swept = tokio::select! {
            swept = sweep => swept,
            () = stop.cancelled() => return,
        };
        match swept {
            Ok(0) => {}
            Ok(photos) => tracing::info!(photos, "removed photos without a row"),
            Err(error) => tracing::warn!(error.cause = %error, "removing photos without a row failed"),
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
