//! Addresses of our own pages.

use std::fmt::Write as _;

/// Percent-encodes everything but letters, digits and `-._~`.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(byte as char),
            _ => write!(encoded, "%{byte:02X}").expect("writing to a String does not fail"),
        }
    }
    encoded
}

/// A path with the given query; members without a value are left out.
pub(crate) fn with<'a>(path: &str, query: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut link = path.to_owned();
    let mut mark = '?';
    for (name, value) in query.into_iter().filter(|(_, value)| !value.is_empty()) {
        write!(link, "{mark}{name}={}", encode(value)).expect("writing to a String does not fail");
        mark = '&';
    }
    link
}

/// A way back that came from outside: only a path of this site, else home.
pub(crate) fn back(path: &str) -> &str {
    let own = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    let plain = path.is_ascii() && !path.bytes().any(|byte| byte.is_ascii_control() || byte == b' ');
    if own && plain && path.len() <= 1_000 { path } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_without_a_value_are_left_out_and_others_encoded() {
        assert_eq!(
            with("/cases", [("q", "垃圾 &a=b"), ("unit", ""), ("to", "2023-11-30")]),
            "/cases?q=%E5%9E%83%E5%9C%BE%20%26a%3Db&to=2023-11-30"
        );
        assert_eq!(with("/", []), "/");
    }

    #[test]
    fn the_way_back_never_leaves_the_site() {
        for path in ["/", "/cases?state=filed&q=%E5%9E%83", "/review"] {
            assert_eq!(back(path), path);
        }
        for path in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "evil",
            "/a\r\nSet-Cookie: x",
            "/ x",
            "/垃圾",
            &format!("/{}", "a".repeat(2_000)),
        ] {
            assert_eq!(back(path), "/", "{path}");
        }
    }
}
