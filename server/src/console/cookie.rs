//! Cookies: always `__Host-`, always `Secure`, `HttpOnly`, for the whole site.
//!
//! `__Host-` keeps neighbours on the same domain from planting a cookie. It asks for `Secure`, and browsers treat
//! `http://127.0.0.1` and `localhost` as secure, so the demo works without TLS; an office that opens the console over
//! plain `http://` from another machine can not log in, and the log-in page says why.

use axum::http::{HeaderMap, HeaderValue, header};

/// Longest value that is looked at; ours have at most 120 bytes.
const MAX_BYTES: usize = 512;

/// The session's token.
pub(crate) const SESSION: &str = "__Host-xunge";
/// A random value that ties a log-in form to the browser it was shown in.
pub(crate) const VISITOR: &str = "__Host-xunge-visitor";
/// What the next page says once.
pub(crate) const FLASH: &str = "__Host-xunge-said";
/// The language chosen by hand.
pub(crate) const LANG: &str = "__Host-xunge-lang";

/// The value of a cookie; none if it is absent, given twice, or longer than anything we set.
pub(crate) fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    let value = found.next()?;
    (found.next().is_none() && value.len() <= MAX_BYTES).then_some(value)
}

/// How long a cookie stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// Until the browser is closed.
    Browser,
    /// So many seconds.
    Seconds(u32),
    /// Not at all.
    Forget,
}

/// A `Set-Cookie` value.
///
/// # Panics
/// If the value has characters a cookie can not carry; values are tokens and codes of our own making.
pub(crate) fn set(name: &str, value: &str, keep: Keep) -> HeaderValue {
    let age = match keep {
        Keep::Browser => String::new(),
        Keep::Seconds(seconds) => format!("; Max-Age={seconds}"),
        Keep::Forget => "; Max-Age=0".to_owned(),
    };
    // Lax and not Strict: whoever follows a link from a chat window to a case is still logged in. What a page may do
    // is guarded by form token, Origin and Sec-Fetch-Site.
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}");
    HeaderValue::from_str(&text).expect("values are tokens and codes of our own making")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        values.iter().map(|value| (header::COOKIE, HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn a_cookie_is_found_among_others() {
        let sent = headers(&["a=1; __Host-xunge=abc;b=2", "c=3"]);
        assert_eq!(read(&sent, SESSION), Some("abc"));
        assert_eq!(read(&sent, FLASH), None);
    }

    #[test]
    fn two_cookies_of_one_name_are_nobody_s_session() {
        assert_eq!(read(&headers(&["__Host-xunge=a; __Host-xunge=b"]), SESSION), None);
        assert_eq!(read(&headers(&["__Host-xunge=a", "__Host-xunge=a"]), SESSION), None);
        assert_eq!(read(&headers(&[&format!("__Host-xunge={}", "a".repeat(600))]), SESSION), None);
    }

    #[test]
    fn every_cookie_keeps_the_promises_of_its_prefix() {
        for keep in [Keep::Browser, Keep::Seconds(60), Keep::Forget] {
            let value = set(SESSION, "abc", keep);
            let text = value.to_str().unwrap();
            assert!(text.starts_with("__Host-xunge=abc; Path=/; Secure; HttpOnly; SameSite=Lax"), "{text}");
            assert!(!text.contains("Domain"), "{text}");
        }
    }
}
