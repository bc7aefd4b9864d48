//! The offices: every act goes through the JSON API with the token of whoever acts.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use xunge_client_core::model::{CaseId, PhotoHash};
use xunge_client_core::transport::{Answer, HttpTransport, Outgoing, Patience, Transport, tcp};
use xunge_client_core::wire::Problem;
use xunge_client_core::workflow::Command;

use super::trouble::DemoError;

/// Most bytes of an answer: the counts of a district by grid are far below.
const ANSWER_LIMIT: usize = 4 << 20;
/// How often a request is made while the server asks to wait.
const TRIES: u32 = 20;

/// The people who work at desks, each with a password and, once signed in, a token.
pub(super) struct Offices {
    http: HttpTransport,
    desks: BTreeMap<String, Desk>,
}

struct Desk {
    password: String,
    /// Locked while somebody signs in, so that this happens once.
    token: Mutex<Option<String>>,
}

/// A request, without token.
struct Ask<'a> {
    method: &'static str,
    path: &'a str,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

#[derive(Deserialize)]
struct Signed {
    access_token: String,
}

#[derive(Deserialize)]
struct Acted {
    event: ActedEvent,
}

#[derive(Deserialize)]
struct ActedEvent {
    version: u32,
}

impl Offices {
    /// Desks of the users whose passwords are given, at the server of `url`.
    pub(super) fn new(url: &str, passwords: impl IntoIterator<Item = (String, String)>) -> Result<Self, DemoError> {
        let patience = Patience::default();
        let http = HttpTransport::new(url, tcp(patience), None, patience)
            .map_err(|error| DemoError::Setup(error.to_string()))?;
        let desk = |password| Desk { password, token: Mutex::default() };
        Ok(Self { http, desks: passwords.into_iter().map(|(user, password)| (user, desk(password))).collect() })
    }

    /// Bytes the offices sent.
    pub(super) fn bytes_up(&self) -> u64 {
        self.http.traffic().up
    }

    /// Does `command` to a case at `version`; answers the version after it. The same `key` does it once.
    pub(super) async fn act(
        &self,
        user: &str,
        case: CaseId,
        version: u32,
        command: &Command,
        key: &str,
    ) -> Result<u32, DemoError> {
        let mut body = serde_json::to_value(&command.payload).expect("a payload is texts and numbers");
        body["verb"] = json!(command.verb);
        body["expected_version"] = json!(version);
        let path = format!("/v1/cases/{case}/events");
        let headers = vec![("content-type", "application/json".to_owned()), ("idempotency-key", key.to_owned())];
        let ask = Ask { method: "POST", path: &path, headers, body: Bytes::from(body.to_string()) };
        let acted: Acted = self.json(user, ask).await?;
        Ok(acted.event.version)
    }

    /// Reads a JSON answer.
    pub(super) async fn get<T: DeserializeOwned>(&self, user: &str, path: &str) -> Result<T, DemoError> {
        self.json(user, Ask { method: "GET", path, headers: Vec::new(), body: Bytes::new() }).await
    }

    /// Uploads a photo, whole in one request; answers its name.
    pub(super) async fn upload(&self, user: &str, photo: Vec<u8>) -> Result<PhotoHash, DemoError> {
        let name = PhotoHash::of(&photo);
        let headers = vec![
            ("content-type", "application/offset+octet-stream".to_owned()),
            ("tus-resumable", "1.0.0".to_owned()),
            ("upload-length", photo.len().to_string()),
            ("upload-metadata", format!("sha256 {}", STANDARD.encode(name.to_string()))),
        ];
        self.ask(user, &Ask { method: "POST", path: "/v1/photos", headers, body: Bytes::from(photo) }).await?;
        Ok(name)
    }

    async fn json<T: DeserializeOwned>(&self, user: &str, ask: Ask<'_>) -> Result<T, DemoError> {
        let answer = self.ask(user, &ask).await?;
        read(user, &ask, &answer)
    }

    /// Sends a request with the token of `user`, signing in first or again where needed.
    async fn ask(&self, user: &str, ask: &Ask<'_>) -> Result<Answer, DemoError> {
        let token = self.token(user).await?;
        let answer = self.patiently(user, ask, Some(&token)).await?;
        if answer.status != 401 {
            return taken(user, ask, answer);
        }
        self.forget(user, &token).await;
        let token = self.token(user).await?;
        let answer = self.patiently(user, ask, Some(&token)).await?;
        taken(user, ask, answer)
    }

    /// Sends a request until the server has time for it.
    async fn patiently(&self, user: &str, ask: &Ask<'_>, token: Option<&str>) -> Result<Answer, DemoError> {
        let mut tries = 0;
        loop {
            let mut headers = ask.headers.clone();
            headers.extend(token.map(|token| ("authorization", format!("Bearer {token}"))));
            let (path, body) = (ask.path.to_owned(), ask.body.clone());
            let outgoing = Outgoing { method: ask.method, path, headers, body, answer_limit: ANSWER_LIMIT };
            let answer = self.http.send(outgoing).await.map_err(|error| trouble(user, ask, 0, error.to_string()))?;
            if !matches!(answer.status, 429 | 503) || tries == TRIES {
                return Ok(answer);
            }
            tries += 1;
            tokio::time::sleep(Duration::from_millis(answer.retry_after_ms.unwrap_or(200))).await;
        }
    }

    async fn token(&self, user: &str) -> Result<String, DemoError> {
        let desk = self.desks.get(user).ok_or_else(|| DemoError::Setup(format!("{user} has no password")))?;
        let mut held = desk.token.lock().await;
        if let Some(token) = held.as_ref() {
            return Ok(token.clone());
        }
        let body = json!({"grant": "password", "user": user, "password": desk.password}).to_string();
        let headers = vec![("content-type", "application/json".to_owned())];
        let ask = Ask { method: "POST", path: "/v1/auth/token", headers, body: Bytes::from(body) };
        let answer = taken(user, &ask, self.patiently(user, &ask, None).await?)?;
        let signed: Signed = read(user, &ask, &answer)?;
        *held = Some(signed.access_token.clone());
        Ok(signed.access_token)
    }

    async fn forget(&self, user: &str, token: &str) {
        if let Some(desk) = self.desks.get(user) {
            let mut held = desk.token.lock().await;
            held.take_if(|held| held == token);
        }
    }
}

fn taken(user: &str, ask: &Ask<'_>, answer: Answer) -> Result<Answer, DemoError> {
    if matches!(answer.status, 200..=299) {
        return Ok(answer);
    }
    let problem: Option<Problem> = serde_json::from_slice(&answer.body).ok();
    let code = problem.map_or_else(
        || String::from_utf8_lossy(&answer.body).chars().take(200).collect(),
        |problem| format!("{} ({})", problem.code, problem.detail),
    );
    Err(trouble(user, ask, answer.status, code))
}

fn read<T: DeserializeOwned>(user: &str, ask: &Ask<'_>, answer: &Answer) -> Result<T, DemoError> {
    serde_json::from_slice(&answer.body).map_err(|error| trouble(user, ask, answer.status, error.to_string()))
}

fn trouble(user: &str, ask: &Ask<'_>, status: u16, code: String) -> DemoError {
    // Only the verb of a body is ever shown: one of them holds a password.
    let body: Value = serde_json::from_slice(&ask.body).unwrap_or_default();
    let verb = body.get("verb").and_then(Value::as_str).unwrap_or_default();
    let what = format!("{} {} {verb}", ask.method, ask.path).trim_end().to_owned();
    DemoError::Office { user: user.to_owned(), what, status, code }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::extract::State;
    use axum::response::{IntoResponse, Response};
    use axum::routing::post;
    use axum::{Json, Router};
    use http::{HeaderMap, StatusCode};
    use xunge_client_core::workflow::{Payload, Verb};

    use super::*;

    /// A server that takes each token for three requests, and is busy at every fourth request.
    #[derive(Default)]
    struct Moody {
        signed_in: AtomicU32,
        asked: AtomicU32,
    }

    async fn token(State(moody): State<Arc<Moody>>, Json(body): Json<Value>) -> Response {
        assert_eq!(body, json!({"grant": "password", "user": "wang", "password": "secret"}));
        let number = moody.signed_in.fetch_add(1, Ordering::Relaxed);
        moody.asked.store(0, Ordering::Relaxed);
        Json(json!({"access_token": format!("token-{number}")})).into_response()
    }

    async fn event(State(moody): State<Arc<Moody>>, headers: HeaderMap, Json(body): Json<Value>) -> Response {
        let signed_in = moody.signed_in.load(Ordering::Relaxed);
        assert_eq!(headers["authorization"], format!("Bearer token-{}", signed_in - 1));
        match moody.asked.fetch_add(1, Ordering::Relaxed) {
            1 => (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")]).into_response(),
            3.. => StatusCode::UNAUTHORIZED.into_response(),
            _ => {
                let version = body["expected_version"].as_u64().unwrap() + 1;
                assert_eq!((&body["verb"], &body["note"]), (&json!("close"), &json!("好")));
                assert_eq!(headers["idempotency-key"], format!("key-{}", version - 1));
                let answer = json!({"event": {"version": version}, "case": {}});
                (StatusCode::CREATED, Json(answer)).into_response()
            }
        }
    }

    #[tokio::test]
    async fn an_office_signs_in_once_and_again_when_its_token_ends_and_waits_while_the_server_is_busy() {
        let moody = Arc::new(Moody::default());
        let router = Router::new()
            .route("/v1/auth/token", post(token))
            .route("/v1/cases/{id}/events", post(event))
            .with_state(moody.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let offices = Offices::new(&url, [("wang".to_owned(), "secret".to_owned())]).unwrap();
        let command = Command::new(Verb::Close, Payload { note: Some("好".to_owned()), ..Payload::default() });
        let case = CaseId::from_bytes([1; 16]);
        for version in 1..=5 {
            let next = offices.act("wang", case, version, &command, &format!("key-{version}")).await.unwrap();
            assert_eq!(next, version + 1);
        }
        assert_eq!(moody.signed_in.load(Ordering::Relaxed), 3);
        assert!(offices.act("li", case, 1, &command, "k").await.is_err(), "nobody gave li a desk");
    }
}
