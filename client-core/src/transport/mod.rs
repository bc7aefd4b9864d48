//! Carries bytes between a phone and its server.
//!
//! [`Transport`] is what the driver needs; [`HttpTransport`] is HTTP/1.1 over any connector, so that a simulated
//! network can stand in for TCP. Nothing here knows what the bytes mean: retries, order and back-off belong to the
//! sync engine, which only asks whether an answer came.
//!
//! On a bad link time is no measure of failure. A request ends when nothing moved for [`Patience::stall`], however
//! long it takes as a whole: 64 KB at 5 kbit/s are two honest minutes.

mod http;
mod meter;
mod tls;

use std::future::Future;
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;

pub use http::{Dial, HttpTransport, tcp};
pub use meter::{Meter, Metered, Traffic};
pub use tls::{PinError, SpkiPin};

/// One request, whole: bodies are small or a slice of one photo.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// `GET`, `POST`, `PATCH`, `HEAD`.
    pub method: &'static str,
    /// Path and query below the server's URL, beginning with `/`.
    pub path: String,
    /// Header fields beyond host and content-length. Every byte here is paid for on every sync.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Bytes,
    /// Most bytes of the answer's body the caller takes.
    pub answer_limit: usize,
}

/// An answer, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `Retry-After` in milliseconds, if the server named seconds.
    pub retry_after_ms: Option<u64>,
    /// `Upload-Offset`, if it is there.
    pub upload_offset: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why no answer came. All of it is "network": try again later.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TransportError {
    /// The server could not be reached.
    #[error("the server can not be reached: {0}")]
    Connect(String),
    /// The server is not the one this phone was enrolled with.
    #[error("the server's certificate is not the pinned one")]
    Pin,
    /// Nothing moved for too long.
    #[error("nothing moved for {seconds} s")]
    Stalled {
        /// How long was waited.
        seconds: u64,
    },
    /// The connection broke before the answer was whole.
    #[error("the connection broke: {0}")]
    Cut(String),
    /// The answer is larger than this protocol allows.
    #[error("the answer has more than {limit} bytes")]
    TooLarge {
        /// What was allowed.
        limit: usize,
    },
    /// The URL or a header is not usable.
    #[error("the request can not be made: {0}")]
    Request(String),
}

/// How long to wait without progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the connection: a handshake on 2G takes seconds, and a shorter limit never connects at all.
    pub connect: Duration,
    /// Without a single byte in either direction.
    pub stall: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(20), stall: Duration::from_secs(75) }
    }
}

/// Sends one request and waits for its answer.
pub trait Transport: Send + Sync + 'static {
    /// Sends; cancelling the future closes the connection.
    fn send(&self, request: Outgoing) -> impl Future<Output = Result<Answer, TransportError>> + Send;

    /// What went over the wire so far, headers (and TLS) included.
    fn traffic(&self) -> Traffic;
}
