//! HTTP/1.1 with keep-alive over any connector.

use std::error::Error as StdError;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tower::Service;

use super::tls::{self, PIN_REFUSED, SpkiPin};
use super::{Answer, Meter, Metered, Outgoing, Patience, Traffic, Transport, TransportError};

/// What the socket may hold unsent. A large buffer would swallow a whole photo, and then nothing seems to move for
/// minutes on a 64 kbit/s link; 64 KiB are 8 s.
const SEND_BUFFER: usize = 64 * 1024;
/// An idle connection is kept for the next sync of a patrol; a radio link seldom lives longer.
const IDLE: Duration = Duration::from_secs(90);
/// How often a request looks whether anything moved.
const LOOK: Duration = Duration::from_secs(1);

/// A connector whose bytes are counted: any `Service<Uri>` that yields a tokio stream.
#[derive(Debug, Clone)]
pub struct Dial<C> {
    connector: C,
    meter: Meter,
}

impl<C, T> Service<Uri> for Dial<C>
where
    C: Service<Uri, Response = TokioIo<T>>,
    C::Future: Send + 'static,
    T: AsyncRead + AsyncWrite + Unpin,
{
    type Response = TokioIo<Metered<T>>;
    type Error = C::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, C::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.connector.poll_ready(context)
    }

    fn call(&mut self, server: Uri) -> Self::Future {
        let (connecting, meter) = (self.connector.call(server), self.meter.clone());
        Box::pin(async move { Ok(TokioIo::new(meter.watch(connecting.await?.into_inner()))) })
    }
}

/// TCP as a phone wants it.
pub fn tcp(patience: Patience) -> HttpConnector {
    let mut connector = HttpConnector::new();
    connector.enforce_http(false);
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(patience.connect));
    connector.set_send_buffer_size(Some(SEND_BUFFER));
    connector
}

/// HTTP/1.1 to one server.
#[derive(Debug, Clone)]
pub struct HttpTransport<C = HttpConnector> {
    client: Client<HttpsConnector<Dial<C>>, Full<Bytes>>,
    server: String,
    patience: Patience,
    meter: Meter,
}

impl<C, T> HttpTransport<C>
where
    C: Service<Uri, Response = TokioIo<T>> + Clone + Send + Sync + 'static,
    C::Future: Send + 'static,
    C::Error: Into<Box<dyn StdError + Send + Sync>>,
    T: AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static,
{
    /// A transport to `server` (`https://host[:port]`, or `http://` on loopback and in tests) over `connector`.
    pub fn new(server: &str, connector: C, pin: Option<SpkiPin>, patience: Patience) -> Result<Self, TransportError> {
        let server = server.trim_end_matches('/').to_owned();
        let unusable = |why: &str| TransportError::Request(format!("{server}: {why}"));
        let uri: Uri = server.parse().map_err(|_| unusable("not a URL"))?;
        if !matches!(uri.scheme_str(), Some("http" | "https")) || uri.authority().is_none() || uri.path() != "/" {
            return Err(unusable("a URL like https://xunge.example is needed, without a path"));
        }
        let meter = Meter::default();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls::config(pin))
            .https_or_http()
            .enable_http1()
            .wrap_connector(Dial { connector, meter: meter.clone() });
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { client, server, patience, meter })
    }

    async fn exchange(&self, outgoing: Outgoing) -> Result<Answer, TransportError> {
        let limit = outgoing.answer_limit;
        let request = self.request(outgoing)?;
        let response = self.client.request(request).await.map_err(|error| classify(&error))?;
        read(response, limit).await
    }

    fn request(&self, outgoing: Outgoing) -> Result<Request<Full<Bytes>>, TransportError> {
        let method = Method::from_bytes(outgoing.method.as_bytes())
            .map_err(|_| TransportError::Request(format!("method {}", outgoing.method)))?;
        let mut request = Request::builder().method(method).uri(format!("{}{}", self.server, outgoing.path));
        for (name, value) in outgoing.headers {
            request = request.header(name, value);
        }
        request.body(Full::new(outgoing.body)).map_err(|error| TransportError::Request(error.to_string()))
    }

    /// Ends when nothing moved for the limit; a request that waits for a slow link never ends here.
    async fn stalled(&self) -> TransportError {
        let mut seen = self.meter.read();
        let mut still = Duration::ZERO;
        while still < self.patience.stall {
            tokio::time::sleep(LOOK).await;
            let now = self.meter.read();
            still = if now == seen { still + LOOK } else { Duration::ZERO };
            seen = now;
        }
        TransportError::Stalled { seconds: self.patience.stall.as_secs() }
    }
}

impl<C, T> Transport for HttpTransport<C>
where
    C: Service<Uri, Response = TokioIo<T>> + Clone + Send + Sync + 'static,
    C::Future: Send + 'static,
    C::Error: Into<Box<dyn StdError + Send + Sync>>,
    T: AsyncRead + AsyncWrite + Unpin + Send + Sync + 'static,
{
    async fn send(&self, request: Outgoing) -> Result<Answer, TransportError> {
        tokio::select! {
            answer = self.exchange(request) => answer,
            stalled = self.stalled() => Err(stalled),
        }
    }

    fn traffic(&self) -> Traffic {
        self.meter.read()
    }
}

async fn read(response: Response<Incoming>, limit: usize) -> Result<Answer, TransportError> {
    let number = |name: &str| response.headers().get(name)?.to_str().ok()?.trim().parse::<u64>().ok();
    let retry_after_ms = number("retry-after").map(|seconds| seconds.saturating_mul(1_000));
    let (status, upload_offset) = (response.status().as_u16(), number("upload-offset"));
    let mut body = response.into_body();
    let mut bytes = vec![];
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| TransportError::Cut(chain(&error)))?;
        let Some(data) = frame.data_ref() else { continue };
        if bytes.len() + data.len() > limit {
            return Err(TransportError::TooLarge { limit });
        }
        bytes.extend_from_slice(data);
    }
    Ok(Answer { status, retry_after_ms, upload_offset, body: bytes })
}

fn classify(error: &hyper_util::client::legacy::Error) -> TransportError {
    let words = chain(error);
    match () {
        () if words.contains(PIN_REFUSED) => TransportError::Pin,
        () if error.is_connect() => TransportError::Connect(words),
        () => TransportError::Cut(words),
    }
}

/// An error with all its causes: the outermost alone says "client error".
fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        words = format!("{words}: {inner}");
        cause = inner.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    fn get(path: &str) -> Outgoing {
        Outgoing { method: "GET", path: path.to_owned(), headers: vec![], body: Bytes::new(), answer_limit: 100 }
    }

    /// A server that reads one request and answers `answer`, then closes.
    async fn answering(answer: &'static [u8]) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4_096];
            let _ = stream.read(&mut request).await.unwrap();
            stream.write_all(answer).await.unwrap();
        });
        url
    }

    fn transport(url: &str) -> HttpTransport {
        let patience = Patience { connect: Duration::from_secs(5), stall: Duration::from_secs(2) };
        HttpTransport::new(url, tcp(patience), None, patience).unwrap()
    }

    #[tokio::test]
    async fn an_answer_is_read_and_every_byte_counted() {
        let answer = b"HTTP/1.1 429 Too Many\r\nretry-after: 7\r\nupload-offset: 12\r\ncontent-length: 2\r\n\r\nok";
        let url = answering(answer).await;
        let transport = transport(&url);
        let got = transport.send(get("/x")).await.unwrap();
        assert_eq!(
            got,
            Answer { status: 429, retry_after_ms: Some(7_000), upload_offset: Some(12), body: b"ok".to_vec() }
        );
        assert_eq!(transport.traffic().down, answer.len() as u64);
        let host = url.strip_prefix("http://").unwrap();
        assert_eq!(transport.traffic().up, format!("GET /x HTTP/1.1\r\nhost: {host}\r\n\r\n").len() as u64);
    }

    #[tokio::test]
    async fn a_cut_answer_is_a_network_error() {
        let url = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf").await;
        assert!(matches!(transport(&url).send(get("/")).await, Err(TransportError::Cut(_))));
    }

    #[tokio::test]
    async fn an_answer_longer_than_allowed_is_not_read_into_memory() {
        let url = answering(b"HTTP/1.1 200 OK\r\ncontent-length: 500000\r\n\r\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx").await;
        assert_eq!(transport(&url).send(get("/")).await, Err(TransportError::TooLarge { limit: 100 }));
    }

    #[tokio::test]
    async fn nobody_there_is_a_connect_error() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        assert!(matches!(transport(&url).send(get("/")).await, Err(TransportError::Connect(_))));
    }

    #[tokio::test]
    async fn a_silent_server_is_given_up_after_the_stall_limit() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let held = tokio::spawn(async move { listener.accept().await });
        assert_eq!(transport(&url).send(get("/")).await, Err(TransportError::Stalled { seconds: 2 }));
        held.abort();
    }

    #[test]
    fn urls_a_phone_can_not_use_are_named() {
        let patience = Patience::default();
        for url in ["", "xunge", "ftp://a", "http://", "http://a/path"] {
            assert!(HttpTransport::new(url, tcp(patience), None, patience).is_err(), "{url}");
        }
    }
}
