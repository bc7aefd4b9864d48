//! The listener: connections with limits, an orderly end.
//!
//! HTTP/1.1 in the clear, on purpose: TLS and HTTP/2 are the proxy's (docs/OPERATIONS.md), and a request that two
//! parsers could read in two ways is refused by the stricter one here. A connection has to send its header in
//! [`HEADER_TIMEOUT`], and bodies have to keep coming ([`paced`]); there are at most `max_connections` of them, further
//! ones wait in the kernel's queue.
//!
//! On stop the listener closes at once, idle connections too, requests under way get [`GRACE`] to end. A connection
//! into which nothing could be written for a minute is ended.

mod paced;
mod stall;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use self::paced::{Pace, Paced};
use self::stall::{Impatient, STALL};
use crate::api::Peer;
use crate::app::App;

/// How long a header may take, which is also how long an idle connection is kept.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// Most bytes of a header.
const HEADER_BYTES: usize = 32 * 1024;
/// How long requests under way may take to end on stop; the promise is ten seconds for everything.
const GRACE: Duration = Duration::from_secs(7);
/// How long to wait after the system had no file handle for a new connection.
const OUT_OF_HANDLES: Duration = Duration::from_millis(100);

/// Serves `router` on `listener` until `stop`.
pub async fn serve(app: &App, listener: TcpListener, router: Router, stop: CancellationToken) {
    let places = Arc::new(Semaphore::new(app.config.max_connections));
    let connections = TaskTracker::new();
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place.expect("the semaphore is never closed"),
            () = stop.cancelled() => break,
        };
        let (stream, peer) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(cause) => {
                    tracing::warn!(error.cause = %cause, "a connection could not be accepted");
                    tokio::time::sleep(OUT_OF_HANDLES).await;
                    continue;
                }
            },
            () = stop.cancelled() => break,
        };
        let (app, router, stop) = (app.clone(), router.clone(), stop.clone());
        connections.spawn(async move {
            let _place = place;
            let _counted = app.metrics.connected();
            connection(stream, Peer(peer), router, stop).await;
        });
    }
    app.stopping.cancel();
    drop(listener);
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "requests were still under way");
    }
}

async fn connection(stream: TcpStream, peer: Peer, router: Router, stop: CancellationToken) {
    // An answer of a few bytes must not wait for more to come.
    let _ = stream.set_nodelay(true);
    let service = router.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.map(|body| axum::body::Body::new(Paced::new(body, Pace::USUAL)))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES)
        .serve_connection(TokioIo::new(Impatient::new(stream, STALL)), TowerToHyperService::new(service));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = ended {
        tracing::debug!(error.cause = %cause, "a connection ended early");
    }
}
