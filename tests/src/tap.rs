//! A look at what a phone of this process sends and hears, and a hand that takes an answer away.
//!
//! A tapped phone speaks real HTTP; an answer that is taken away arrived, which is the worst moment to lose one: the
//! server has done everything.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use xunge_client_core::driver::dial::{AnyTransport, Dialer};
use xunge_client_core::transport::{
    Answer, HttpTransport, Outgoing, Patience, Traffic, Transport, TransportError, tcp,
};

/// One request and what came of it.
#[derive(Debug, Clone)]
pub struct Heard {
    /// `POST /v1/sync`.
    pub what: String,
    /// The status of the answer; `None` if none was heard.
    pub status: Option<u16>,
    /// From sending to the whole answer.
    pub took: Duration,
}

/// What went over the tapped transports; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Tap(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    sent: u64,
    /// Number of the request whose answer is taken away.
    takes: Option<u64>,
    heard: Vec<Heard>,
}

impl Tap {
    /// Takes away the answer to the request of this number; the first has number 0.
    pub fn taking(number: u64) -> Self {
        let tap = Self::default();
        tap.0.lock().unwrap().takes = Some(number);
        tap
    }

    /// Makes tapped transports.
    pub fn dialer(&self, patience: Patience) -> Dialer {
        let tap = self.clone();
        Arc::new(move |url, pin| {
            let line = HttpTransport::new(url, tcp(patience), pin, patience)?;
            Ok(Arc::new(Tapped { line, tap: tap.clone() }) as Arc<dyn AnyTransport>)
        })
    }

    /// Requests sent so far.
    pub fn sent(&self) -> u64 {
        self.0.lock().unwrap().sent
    }

    /// Everything so far, in the order in which it ended.
    pub fn heard(&self) -> Vec<Heard> {
        self.0.lock().unwrap().heard.clone()
    }
}

struct Tapped {
    line: HttpTransport,
    tap: Tap,
}

impl Transport for Tapped {
    async fn send(&self, request: Outgoing) -> Result<Answer, TransportError> {
        let what = format!("{} {}", request.method, request.path);
        let number = {
            let mut state = self.tap.0.lock().unwrap();
            state.sent += 1;
            state.sent - 1
        };
        let began = Instant::now();
        let mut answer = Transport::send(&self.line, request).await;
        let mut state = self.tap.0.lock().unwrap();
        if state.takes == Some(number) && answer.is_ok() {
            answer = Err(TransportError::Cut("taken away".to_owned()));
        }
        let status = answer.as_ref().ok().map(|answer| answer.status);
        state.heard.push(Heard { what, status, took: began.elapsed() });
        answer
    }

    fn traffic(&self) -> Traffic {
        Transport::traffic(&self.line)
    }
}
