//! A transport whatever it is made of, so that a simulated network can stand in.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::transport::{Answer, HttpTransport, Outgoing, Patience, SpkiPin, Traffic, Transport, TransportError, tcp};

/// A request on its way.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Answer, TransportError>> + Send + 'a>>;

/// [`Transport`] behind a pointer.
pub trait AnyTransport: Send + Sync {
    /// Sends one request and waits for its answer.
    fn send(&self, request: Outgoing) -> Sending<'_>;

    /// What went over the wire so far.
    fn traffic(&self) -> Traffic;
}

impl<T: Transport> AnyTransport for T {
    fn send(&self, request: Outgoing) -> Sending<'_> {
        Box::pin(Transport::send(self, request))
    }

    fn traffic(&self) -> Traffic {
        Transport::traffic(self)
    }
}

/// Makes a transport to a server: its URL, and the pin of its key if there is one.
pub type Dialer = Arc<dyn Fn(&str, Option<SpkiPin>) -> Result<Arc<dyn AnyTransport>, TransportError> + Send + Sync>;

/// Real HTTP over TCP.
pub fn http(patience: Patience) -> Dialer {
    Arc::new(move |url, pin| Ok(Arc::new(HttpTransport::new(url, tcp(patience), pin, patience)?)))
}
