use super::*;
use crate::store::{BoxFuture, Store};

const NOW: Millis = Millis(1_700_000_000_000);
const HOUR: i64 = 3_600_000;

async fn write<T, F>(store: &Store, body: F) -> T
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut dyn Tx) -> BoxFuture<'t, Result<T, StoreError>> + Clone + Send + 'static,
{
    store.write(body).await.unwrap()
}

async fn begun() -> (Store, String) {
    let store = Store::in_memory().unwrap();
    let token = write(&store, |tx| {
        Box::pin(async move {
            tx.execute(
                "INSERT INTO user_account (id, name, role, scope, created_at) VALUES ('u', '张', 'auditor', '640105', 0)",
                params![],
            )
            .await?;
            Ok(begin(tx, "u", NOW).await?.token)
        })
    })
    .await;
    (store, token)
}

async fn look(store: &Store, token: &str, at: Millis) -> Option<Session> {
    let token = token.to_owned();
    write(store, move |tx| Box::pin(async move { find(tx, &token, at).await })).await
}

#[tokio::test]
async fn a_session_is_found_by_its_token_and_by_nothing_else() {
    let (store, token) = begun().await;
    let session = look(&store, &token, NOW).await.unwrap();
    assert_eq!(session.user, "u");
    assert_ne!(session.csrf, token);
    for wrong in ["", "x", &token[1..], &session.csrf, &hex::encode(session.token_hash)] {
        assert_eq!(look(&store, wrong, NOW).await, None, "{wrong}");
    }
}

#[tokio::test]
async fn a_session_ends_after_two_idle_hours_however_often_it_was_looked_at() {
    let (store, token) = begun().await;
    assert!(look(&store, &token, NOW.plus_ms(2 * HOUR - 1)).await.is_some());
    assert_eq!(look(&store, &token, NOW.plus_ms(2 * HOUR)).await, None);
}

#[tokio::test]
async fn a_session_in_use_lives_on_and_ends_after_twelve_hours_all_the_same() {
    let (store, token) = begun().await;
    for hour in 1..12 {
        let at = NOW.plus_ms(hour * HOUR);
        let session = look(&store, &token, at).await.unwrap();
        assert!(session.stale_seen);
        write(&store, move |tx| Box::pin(async move { touch(tx, &session.token_hash, at).await })).await;
    }
    assert!(look(&store, &token, NOW.plus_ms(12 * HOUR - 1)).await.is_some());
    assert_eq!(look(&store, &token, NOW.plus_ms(12 * HOUR)).await, None);
}

#[tokio::test]
async fn a_session_that_was_ended_is_gone() {
    let (store, token) = begun().await;
    let session = look(&store, &token, NOW).await.unwrap();
    write(&store, move |tx| Box::pin(async move { end(tx, &session.token_hash).await })).await;
    assert_eq!(look(&store, &token, NOW).await, None);
}

#[tokio::test]
async fn sessions_that_are_over_are_swept_at_the_next_log_in() {
    let (store, _) = begun().await;
    let rows = write(&store, |tx| {
        Box::pin(async move {
            begin(tx, "u", NOW.plus_ms(3 * HOUR)).await?;
            tx.query_one("SELECT COUNT(*) FROM web_session", params![]).await?.int(0)
        })
    })
    .await;
    assert_eq!(rows, 1);
}

#[test]
fn secrets_differ_and_an_empty_one_matches_nothing() {
    let (one, other) = (secret(), secret());
    assert_eq!(one.len(), 43);
    assert!(same(&one, &one) && !same(&one, &other) && !same("", ""));
}
