use ed25519_dalek::SigningKey;

use super::super::testing::{NOW, store, write};
use super::*;
use crate::store::Store;

fn key(seed: u8) -> [u8; 32] {
    SigningKey::from_bytes(&[seed; 32]).verifying_key().to_bytes()
}

fn joining(code: &str, seed: u8) -> Joining {
    Joining { code: code.to_owned(), public_key: key(seed), name: "小米 13".to_owned() }
}

async fn code_for_li(store: &Store) -> String {
    let code = new_code();
    let shown = code.clone();
    write(store, |tx| Box::pin(async move { add_code(tx, "li", &shown, NOW).await })).await.unwrap();
    code
}

async fn ask(store: &Store, joining: Joining, now: Millis) -> Result<DeviceId, EnrolError> {
    let fresh = DeviceId::from_parts(now, entropy::fill());
    let joined = store.write(move |tx| Box::pin(async move { join(tx, &joining, fresh, now).await })).await;
    joined.map(|(id, _)| id)
}

async fn phones(store: &Store) -> usize {
    store.read::<_, StoreError, _>(|tx| Box::pin(device::list(tx, Some("li")))).await.unwrap().len()
}

#[tokio::test]
async fn a_code_is_spent_by_one_phone_which_may_ask_again() {
    let store = store().await;
    let code = code_for_li(&store).await;
    let id = ask(&store, joining(&code, 1), NOW).await.unwrap();
    assert_eq!(ask(&store, joining(&code.to_lowercase(), 1), NOW.plus_ms(60_000)).await, Ok(id));
    assert_eq!(ask(&store, joining(&code, 2), NOW).await, Err(EnrolError::Code));
    assert_eq!(phones(&store).await, 1);
}

#[tokio::test]
async fn wrong_and_late_codes_are_one_answer() {
    let store = store().await;
    let code = code_for_li(&store).await;
    for wrong in ["", "ZZZZ-ZZZZ", "编码", &new_code()] {
        assert_eq!(ask(&store, joining(wrong, 1), NOW).await, Err(EnrolError::Code), "{wrong}");
    }
    assert_eq!(ask(&store, joining(&code, 1), NOW.plus_ms(LIFETIME_MS)).await, Err(EnrolError::Code));
    assert!(ask(&store, joining(&code, 1), NOW.plus_ms(LIFETIME_MS - 1)).await.is_ok());
}

#[tokio::test]
async fn a_revoked_phone_does_not_come_back_with_its_old_code() {
    let store = store().await;
    let code = code_for_li(&store).await;
    let id = ask(&store, joining(&code, 1), NOW).await.unwrap();
    assert!(write(&store, move |tx| Box::pin(device::revoke(tx, id, NOW))).await.unwrap());
    assert_eq!(ask(&store, joining(&code, 1), NOW).await, Err(EnrolError::Code));
}

#[tokio::test]
async fn a_disabled_user_enrols_nothing() {
    let store = store().await;
    let code = code_for_li(&store).await;
    write(&store, |tx| Box::pin(account::set_disabled(tx, "li", Some(NOW)))).await.unwrap();
    assert_eq!(ask(&store, joining(&code, 1), NOW).await, Err(EnrolError::Code));
    assert_eq!(phones(&store).await, 0);
}

#[tokio::test]
async fn weak_keys_and_unprintable_names_are_refused_and_leave_the_code_good() {
    let store = store().await;
    let code = code_for_li(&store).await;
    let mut small_order = [0; 32];
    small_order[0] = 1;
    let no_point = (0..=255).map(|byte| [byte; 32]).find(|bytes| VerifyingKey::from_bytes(bytes).is_err()).unwrap();
    for public_key in [small_order, [0; 32], no_point] {
        let joining = Joining { public_key, ..joining(&code, 1) };
        assert_eq!(ask(&store, joining, NOW).await, Err(EnrolError::Key));
    }
    for name in [String::new(), "x".repeat(65), "a\nb".to_owned()] {
        assert_eq!(ask(&store, Joining { name, ..joining(&code, 1) }, NOW).await, Err(EnrolError::Name));
    }
    assert!(ask(&store, joining(&code, 1), NOW).await.is_ok());
}

#[test]
fn a_code_has_more_than_128_bits() {
    let code = new_code();
    assert_eq!(code.len(), 34);
    assert!(code.replace('-', "").len() * 5 >= 128);
}
