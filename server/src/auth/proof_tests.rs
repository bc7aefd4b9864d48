use ed25519_dalek::SigningKey;
use xunge_client_core::model::Sha256 as Digest256;

use super::super::device;
use super::super::testing::{NOW, store, write};
use super::*;
use crate::store::Store;

const PHONE: DeviceId = DeviceId::from_bytes([7; 16]);

fn key() -> SigningKey {
    SigningKey::from_bytes(&[5; 32])
}

async fn phone() -> Store {
    let store = store().await;
    let public = key().verifying_key().to_bytes();
    write(&store, move |tx| Box::pin(async move { device::add(tx, PHONE, "li", &public, "手机", NOW).await }))
        .await
        .unwrap();
    store
}

async fn send(store: &Store, counter: u64, body: &[u8]) -> Result<(), ProofError> {
    let signature = proof(counter, body).sign(&key());
    send_signed(store, counter, body, signature).await
}

async fn send_signed(store: &Store, counter: u64, body: &[u8], signature: [u8; 64]) -> Result<(), ProofError> {
    let body = body.to_vec();
    let checked =
        write(store, move |tx| Box::pin(async move { check(tx, &proof(counter, &body), &signature, NOW).await }));
    checked.await.unwrap().map(|device| assert_eq!((device.id, device.user.as_str()), (PHONE, "li")))
}

fn proof(counter: u64, body: &[u8]) -> Proof<'static> {
    Proof { method: "POST", path: "/v1/sync", body: Digest256::of(body), device: PHONE, counter }
}

#[tokio::test]
async fn numbers_may_skip_and_overtake_each_other_within_the_window() {
    let store = phone().await;
    for counter in [1, 2, 10, 9, 70, 8, 69, 1_000] {
        assert_eq!(send(&store, counter, b"x").await, Ok(()), "{counter}");
    }
}

#[tokio::test]
async fn the_very_same_request_is_a_repeat_and_harms_nobody() {
    let store = phone().await;
    for counter in [5, 6, 7] {
        assert_eq!(send(&store, counter, b"x").await, Ok(()));
    }
    for counter in [5, 6, 7] {
        assert_eq!(send(&store, counter, b"x").await, Err(ProofError::Replayed));
    }
    assert_eq!(send(&store, 8, b"x").await, Ok(()));
}

#[tokio::test]
async fn a_number_used_for_another_request_shuts_both_copies_out() {
    let store = phone().await;
    assert_eq!(send(&store, 5, b"the phone").await, Ok(()));
    assert_eq!(send(&store, 5, b"its copy").await, Err(ProofError::Cloned));
    assert_eq!(send(&store, 6, b"the phone").await, Err(ProofError::Cloned));
}

#[tokio::test]
async fn a_number_far_behind_is_refused_and_shuts_nobody_else_out() {
    let store = phone().await;
    assert_eq!(send(&store, 100, b"x").await, Ok(()));
    assert_eq!(send(&store, 37, b"x").await, Ok(()));
    assert_eq!(send(&store, 36, b"x").await, Err(ProofError::Cloned));
    assert_eq!(send(&store, 101, b"x").await, Ok(()), "a recorded request must not silence the phone");
}

#[tokio::test]
async fn a_signature_that_does_not_fit_spends_nothing() {
    let store = phone().await;
    let foreign = proof(1, b"x").sign(&SigningKey::from_bytes(&[6; 32]));
    assert_eq!(send_signed(&store, 1, b"x", foreign).await, Err(ProofError::BadProof));
    let elsewhere = Proof { path: "/v1/auth/token", ..proof(1, b"x") }.sign(&key());
    assert_eq!(send_signed(&store, 1, b"x", elsewhere).await, Err(ProofError::BadProof));
    assert_eq!(send(&store, u64::MAX, b"x").await, Err(ProofError::BadProof));
    assert_eq!(send(&store, 1, b"x").await, Ok(()));
}

#[tokio::test]
async fn revoked_phones_and_closed_accounts_are_told_so_only_if_the_signature_fits() {
    let store = phone().await;
    write(&store, |tx| Box::pin(account::set_disabled(tx, "li", Some(NOW)))).await.unwrap();
    assert_eq!(send(&store, 1, b"x").await, Err(ProofError::UserDisabled));
    write(&store, |tx| Box::pin(device::revoke(tx, PHONE, NOW))).await.unwrap();
    assert_eq!(send(&store, 1, b"x").await, Err(ProofError::Revoked));
    assert_eq!(send_signed(&store, 1, b"x", [0; 64]).await, Err(ProofError::BadProof));
}

#[tokio::test]
async fn what_became_of_a_phone_since_it_was_identified_counts() {
    let store = phone().await;
    let (request, signature) = (proof(1, b"x"), proof(1, b"x").sign(&key()));
    let identified = write(&store, move |tx| Box::pin(async move { identify(tx, &request, &signature).await }));
    let identified = identified.await.unwrap().unwrap();
    let spend_again = || {
        let identified = identified.clone();
        write(&store, move |tx| Box::pin(async move { spend(tx, &identified, NOW).await }))
    };
    assert_eq!(spend_again().await.unwrap().map(|device| device.id), Ok(PHONE));
    assert_eq!(spend_again().await.unwrap(), Err(ProofError::Replayed));
    write(&store, |tx| Box::pin(device::revoke(tx, PHONE, NOW))).await.unwrap();
    assert_eq!(spend_again().await.unwrap(), Err(ProofError::Revoked));
}

#[tokio::test]
async fn number_zero_is_never_accepted() {
    assert_eq!(send(&phone().await, 0, b"x").await, Err(ProofError::Cloned));
}

#[test]
fn the_window_slides_by_any_step() {
    for step in [1, 2, 63, 64, 65, 1_000_000_i64] {
        let Spent::New { counter, window } = advance(100, &[9; WINDOW * PRINT], 100 + step as u64, [1; 4]) else {
            panic!("a higher number is new");
        };
        assert_eq!((counter, window.len(), &window[..4]), (100 + step, WINDOW * PRINT, &[1; 4][..]));
        let kept = window.iter().filter(|byte| **byte == 9).count();
        assert_eq!(kept, WINDOW.saturating_sub(step as usize) * PRINT, "step {step}");
    }
}

/// One request that says what its phone has heard; nothing, before the first answer.
async fn sync(store: &Store, counter: u64, heard: u64) -> Result<(), ProofError> {
    sync_of(store, counter, heard, true).await
}

/// The same; `same_epoch` if the phone knows that the server was put back.
async fn sync_of(store: &Store, counter: u64, heard: u64, same_epoch: bool) -> Result<(), ProofError> {
    let signature = proof(counter, b"x").sign(&key());
    let heard = write(store, move |tx| {
        Box::pin(async move {
            let identified = match identify(tx, &proof(counter, b"x"), &signature).await? {
                Ok(identified) => identified,
                Err(refused) => return Ok(Err(refused)),
            };
            if let Err(refused) = spend(tx, &identified, NOW).await? {
                return Ok(Err(refused));
            }
            hear(tx, &identified, (heard > 0).then_some(heard), same_epoch, NOW).await
        })
    });
    heard.await.unwrap()
}

#[tokio::test]
async fn a_copy_that_leaps_over_the_numbers_of_the_other_is_noticed_by_what_it_heard() {
    let store = phone().await;
    assert_eq!(sync(&store, 1, 0).await, Ok(()));
    assert_eq!(sync(&store, 2, 1).await, Ok(()));
    // The copy has heard what the phone had when it was made; so far it may be the phone after a lost answer.
    assert_eq!(sync(&store, 9, 1).await, Ok(()));
    assert_eq!(sync(&store, 10, 2).await, Err(ProofError::Cloned), "the phone has heard 2, which 9 had not");
    assert_eq!(sync(&store, 11, 9).await, Err(ProofError::Cloned), "and the copy is shut out with it");
}

#[tokio::test]
async fn a_copy_from_before_the_first_answer_is_noticed_by_its_silence() {
    let store = phone().await;
    assert_eq!(sync(&store, 1, 0).await, Ok(()));
    assert_eq!(sync(&store, 2, 1).await, Ok(()));
    assert_eq!(sync(&store, 9, 0).await, Err(ProofError::Cloned), "the phone has heard 1");
}

#[tokio::test]
async fn a_copy_whose_numbers_lag_behind_is_not_let_in_before_anybody_has_said_what_they_heard() {
    let store = phone().await;
    assert_eq!(sync(&store, 5, 0).await, Ok(()));
    assert_eq!(sync(&store, 2, 0).await, Err(ProofError::Cloned));
    assert_eq!(sync(&store, 6, 5).await, Ok(()), "the phone goes on");
}

#[tokio::test]
async fn a_copy_that_went_on_before_the_phone_was_ever_answered_is_noticed() {
    let store = phone().await;
    assert_eq!(sync(&store, 7, 0).await, Ok(()), "the copy's first");
    assert_eq!(sync(&store, 13, 0).await, Ok(()), "it may have lost the answer");
    assert_eq!(sync(&store, 201, 7).await, Err(ProofError::Cloned), "whoever sent 13 had not heard 7");
}

#[tokio::test]
async fn what_a_copy_heard_of_a_server_before_it_was_put_back_helps_nobody_afterwards() {
    let store = phone().await;
    assert_eq!(sync_of(&store, 10, 9, false).await, Ok(()));
    assert_eq!(sync(&store, 11, 10).await, Ok(()));
    // The copy had used the number 11 too, before the server was put back, and was answered then.
    assert_eq!(sync_of(&store, 14, 11, false).await, Ok(()), "it may be the phone after a lost answer");
    assert_eq!(sync(&store, 15, 11).await, Err(ProofError::Cloned), "nobody who sent 14 has heard that 11");
}

#[tokio::test]
async fn lost_answers_and_requests_that_arrive_late_make_no_clone() {
    let store = phone().await;
    for (counter, heard) in [(1, 0), (2, 0), (3, 0), (4, 3), (7, 4)] {
        assert_eq!(sync(&store, counter, heard).await, Ok(()), "{counter}");
    }
    assert_eq!(sync(&store, 6, 4).await, Err(ProofError::Cloned), "nobody waits for the answer to it");
    assert_eq!(sync(&store, 8, 7).await, Ok(()));
}
