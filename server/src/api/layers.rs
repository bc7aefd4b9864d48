//! What happens to every request and answer, whatever the route.

use std::any::Any;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::app::App;
use crate::error::ApiError;

/// The other end of the connection; the listener puts it beside each request.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub SocketAddr);

/// Where the request comes from: the peer, or what a trusted proxy says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin(pub(crate) IpAddr);

impl FromRequestParts<App> for Origin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |Peer(peer)| peer.ip());
        Ok(Self(behind_proxies(peer, &parts.headers, &app.config.trusted_proxies)))
    }
}

/// The nearest address that is no trusted proxy. What such a client claims about others is not believed.
fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    let forwarded = headers.get_all("x-forwarded-for");
    let hops = forwarded.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let mut hops: Vec<Option<IpAddr>> = hops.map(|hop| hop.trim().parse().ok()).collect();
    let mut nearest = peer.to_canonical();
    while trusted.contains(&nearest) {
        match hops.pop() {
            Some(Some(hop)) => nearest = hop.to_canonical(),
            _ => break,
        }
    }
    nearest
}

/// Answers a panic with a number instead of its message.
pub(super) fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
    ApiError::internal(&"a handler panicked").into_response()
}

/// Marks an answer that only a phone or a photo uploader ever reads: bytes of the sync protocol, offsets of an upload.
///
/// What keeps browsers in check is 242 B, more than the whole of an idle sync. Such an answer is nothing a browser
/// could show or run, and a page elsewhere can not ask for it: its media type and method need a preflight, and there
/// is no CORS here. Refusals are not marked: people read them.
#[derive(Debug, Clone, Copy)]
pub(super) struct ForMachines;

/// Adds the headers that keep a browser from doing anything with an answer but show it.
pub(super) async fn security_headers(request: Request, next: Next) -> Response {
    const HEADERS: [(HeaderName, &str); 6] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let mut response = next.run(request).await;
    if response.extensions().get::<ForMachines>().is_some() {
        return response;
    }
    for (name, value) in HEADERS {
        // A page or a photo that knows better has set its own.
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Counts answers for `/metrics`.
pub(super) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    app.metrics.answered(response.status());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(peer: &str, forwarded: &[&'static str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", HeaderValue::from_static(value));
        }
        let trusted = ["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        behind_proxies(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_strangers_claim_about_where_it_comes_from_is_not_believed() {
        assert_eq!(address("203.0.113.9", &["198.51.100.7"]), "203.0.113.9");
    }

    #[test]
    fn a_trusted_proxy_is_believed_about_its_own_peer_only() {
        assert_eq!(address("10.0.0.1", &["198.51.100.7"]), "198.51.100.7");
        assert_eq!(address("10.0.0.1", &["1.1.1.1, 198.51.100.7"]), "198.51.100.7");
        assert_eq!(address("10.0.0.1", &["1.1.1.1", "198.51.100.7, 10.0.0.2"]), "198.51.100.7");
        assert_eq!(address("::ffff:10.0.0.1", &["2001:db8::7"]), "2001:db8::7");
    }

    #[test]
    fn a_proxy_that_says_nothing_or_nonsense_stands_for_its_clients() {
        assert_eq!(address("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(address("10.0.0.1", &["unknown"]), "10.0.0.1");
    }
}
