//! Enrolment and sync: the calls that talk to the server.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use ed25519_dalek::SigningKey;
use serde::Deserialize;
use tokio::runtime::Handle;

use super::{Phone, PhoneError, ServerInfo, SyncReport, UserInfo};
use crate::driver::Worker;
use crate::driver::core::Core;
use crate::model::{DeviceId, OrgCode, Sha256};
use crate::store::{Enrolment, PhoneRow};
use crate::sync::{Engine, Event, Identity, Reason};
use crate::transport::{Answer, Outgoing, SpkiPin};
use crate::wire::Problem;

/// Most bytes of an enrolment answer: a user with a thousand grids fits.
const ENROL_ANSWER: usize = 64 << 10;

#[derive(Deserialize)]
struct EnrolAnswer {
    device_id: DeviceId,
    user: UserInfo,
    #[serde(default)]
    scope: Option<OrgCode>,
    server: ServerAnswer,
}

#[derive(Deserialize)]
struct ServerAnswer {
    #[serde(flatten)]
    info: ServerInfo,
    #[serde(default)]
    epoch: u64,
}

impl Phone {
    /// Binds this phone to a user with a one-time code, and fetches categories and grids if it can.
    ///
    /// A call whose answer was lost may be repeated with the same code.
    ///
    /// # Errors
    /// [`PhoneError::Server`] for a code that is wrong, used or expired; [`PhoneError::Network`] without an answer;
    /// [`PhoneError::Store`] if reports of another user are on this phone.
    pub async fn enrol(&self, url: &str, code: &str, pin: Option<SpkiPin>) -> Result<PhoneRow, PhoneError> {
        let url = url.trim().trim_end_matches('/').to_owned();
        let transport = (self.dialer)(&url, pin)?;
        let code = code.trim();
        let key = SigningKey::from_bytes(&self.store.seed_for_code(code)?);
        let public_key = hex::encode(key.verifying_key().as_bytes());
        let body = serde_json::json!({"code": code, "public_key": public_key, "name": "xunge"});
        let request = Outgoing {
            method: "POST",
            path: "/v1/auth/enrol".to_owned(),
            headers: vec![("content-type", "application/json".to_owned())],
            body: Bytes::from(body.to_string()),
            answer_limit: ENROL_ANSWER,
        };
        let answer = read_enrolment(&transport.send(request).await?)?;
        let mut user = answer.user;
        user.scope = user.scope.or(answer.scope);
        self.store.enrolled(&Enrolment {
            device: answer.device_id,
            url,
            spki_pin: pin.map(|pin| *pin.0.as_bytes()),
            server: answer.server.info,
            user,
            epoch: answer.server.epoch,
        })?;
        self.drop_worker();
        // A phone without categories is of little use; without a network it gets them later.
        let _ = self.sync().await;
        Ok(self.store.phone()?)
    }

    /// Syncs until nothing waits or no progress is made. Being offline is an answer, not an error.
    ///
    /// Runs on the caller's tokio runtime, its database work on blocking threads.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`] before enrolment.
    pub async fn sync(&self) -> Result<SyncReport, PhoneError> {
        let worker = self.ensure_worker()?;
        match worker.run_once().await {
            Some(report) => Ok(report),
            None => {
                self.drop_worker();
                Err(PhoneError::Ended)
            }
        }
    }

    /// Starts the background loop on the caller's tokio runtime: news every few minutes, reports as they are saved. It
    /// goes on after the phone enrolled again.
    ///
    /// # Errors
    /// [`PhoneError::NotEnrolled`] before enrolment.
    pub fn start_background(&self) -> Result<(), PhoneError> {
        let worker = self.ensure_worker()?;
        self.in_background.store(true, Ordering::Relaxed);
        worker.tell(Event::Wake(Reason::Background));
        Ok(())
    }

    /// Stops the background loop; what is in the air is let go and sent again later.
    pub fn stop_background(&self) {
        self.in_background.store(false, Ordering::Relaxed);
        if let Some(worker) = self.worker().as_ref() {
            worker.tell(Event::Halt);
        }
    }

    fn ensure_worker(&self) -> Result<Worker, PhoneError> {
        let mut slot = self.worker();
        if let Some(worker) = slot.as_ref().filter(|worker| worker.is_alive()) {
            return Ok(worker.clone());
        }
        let phone = self.store.phone()?;
        let (Some(device), Some(url), Some(seed)) = (phone.device, phone.url, self.store.key_seed()?) else {
            return Err(PhoneError::NotEnrolled);
        };
        let pin = phone.spki_pin.map(|pin| SpkiPin(Sha256::from_bytes(pin)));
        let transport = (self.dialer)(&url, pin)?;
        let identity = Identity { device, key: SigningKey::from_bytes(&seed) };
        let engine = Engine::new(Some(identity), self.settings);
        let (clock, entropy) = (self.clock.clone(), self.entropy.clone());
        let core = Core::new(engine, self.store.clone(), clock.clone(), entropy, self.listeners.clone());
        let worker =
            Worker::start(&Handle::current(), core, transport, self.files.clone(), clock, self.trace_file.clone());
        if self.in_background.load(Ordering::Relaxed) {
            worker.tell(Event::Wake(Reason::Background));
        }
        *slot = Some(worker.clone());
        Ok(worker)
    }
}

fn read_enrolment(answer: &Answer) -> Result<EnrolAnswer, PhoneError> {
    if answer.status == 200
        && let Ok(enrolment) = serde_json::from_slice(&answer.body)
    {
        return Ok(enrolment);
    }
    Err(refused(answer))
}

/// What a server said instead of doing it.
pub(super) fn refused(answer: &Answer) -> PhoneError {
    let problem = serde_json::from_slice::<Problem>(&answer.body).ok();
    let (code, detail) = problem.map_or_else(
        || ("bad_answer".to_owned(), "not an answer of a Xunge server".to_owned()),
        |problem| (problem.code, problem.detail),
    );
    PhoneError::Server { status: answer.status, code, detail, retry_after_ms: answer.retry_after_ms }
}
