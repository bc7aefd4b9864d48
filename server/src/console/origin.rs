//! Where a form comes from: only from a page of this site.
//!
//! Three fences, each enough by itself: the hidden token of the session's own forms, the `Origin` the browser states,
//! and `Sec-Fetch-Site` where it sends one. A forged form from another site has none of them; a page on a neighbour's
//! sub-domain fails the second and third.

use axum::http::{HeaderMap, header};

/// True if the browser says that the request was made by a page of this very site.
pub(crate) fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let fetch_site = text("sec-fetch-site");
    if fetch_site.is_some_and(|site| site != "same-origin") {
        return false;
    }
    match text(header::ORIGIN.as_str()) {
        Some(origin) => text(header::HOST.as_str()).is_some_and(|host| authority(origin) == Some(host)),
        // Browsers from before 2020 may leave Origin out; what they can not do is vouch for another site.
        None => fetch_site.is_some(),
    }
}

/// `host:port` of an origin. The scheme is not compared: a proxy in front may end TLS.
fn authority(origin: &str) -> Option<&str> {
    origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://")).filter(|host| !host.is_empty())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn request(fields: &[(&'static str, &str)]) -> HeaderMap {
        let all = [("host", "127.0.0.1:8080")].iter().chain(fields);
        all.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn a_form_of_this_site_is_let_in() {
        let origin = ("origin", "http://127.0.0.1:8080");
        assert!(is_own(&request(&[origin])));
        assert!(is_own(&request(&[("origin", "https://127.0.0.1:8080"), ("sec-fetch-site", "same-origin")])));
        assert!(is_own(&request(&[("sec-fetch-site", "same-origin")])));
    }

    #[test]
    fn anything_else_is_kept_out() {
        for fields in [
            &[][..],
            &[("origin", "null")],
            &[("origin", "http://127.0.0.1:8081")],
            &[("origin", "http://evil.example")],
            &[("origin", "http://127.0.0.1:8080.evil.example")],
            &[("origin", "127.0.0.1:8080")],
            &[("origin", "http://")],
            &[("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "cross-site")],
            &[("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "same-site")],
            &[("origin", "http://127.0.0.1:8080"), ("sec-fetch-site", "none")],
            &[("sec-fetch-site", "none")],
        ] {
            assert!(!is_own(&request(fields)), "{fields:?}");
        }
    }
}
