//! The stylesheet, the scripts and the icon, compiled in.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("static/console.css");
const SCRIPT: &str = include_str!("static/console.js");
const NEWS: &str = include_str!("static/news.js");
const MEANWHILE: &str = include_str!("static/meanwhile.js");
const HELD: &str = include_str!("static/held.js");
const ICON: &str = include_str!("static/icon.svg");
/// Where the icon is.
pub(crate) const ICON_HREF: &str = "/console/static/icon.svg";

/// Where the stylesheet is; the address changes with its content, so browsers may keep it for ever.
pub(crate) fn style_href() -> &'static str {
    static HREF: LazyLock<String> = LazyLock::new(|| address("console.css", STYLE));
    &HREF
}

/// Where the script is, likewise.
pub(crate) fn script_href() -> &'static str {
    static HREF: LazyLock<String> = LazyLock::new(|| address("console.js", SCRIPT));
    &HREF
}

/// Where the script is that says what came meanwhile, likewise.
pub(crate) fn news_href() -> &'static str {
    static HREF: LazyLock<String> = LazyLock::new(|| address("news.js", NEWS));
    &HREF
}

/// Where the script is that says on a case what others decided, likewise.
pub(crate) fn meanwhile_href() -> &'static str {
    static HREF: LazyLock<String> = LazyLock::new(|| address("meanwhile.js", MEANWHILE));
    &HREF
}

/// Where the script is that counts down what may be taken back, likewise.
pub(crate) fn held_href() -> &'static str {
    static HREF: LazyLock<String> = LazyLock::new(|| address("held.js", HELD));
    &HREF
}

fn address(name: &str, content: &str) -> String {
    format!("/console/static/{name}?v={}", &hex::encode(Sha256::digest(content))[..12])
}

/// `GET /console/static/{name}`.
pub(crate) async fn get(Path(name): Path<String>) -> Response {
    let (kind, body) = match name.as_str() {
        "console.css" => ("text/css; charset=utf-8", STYLE),
        "console.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "news.js" => ("text/javascript; charset=utf-8", NEWS),
        "meanwhile.js" => ("text/javascript; charset=utf-8", MEANWHILE),
        "held.js" => ("text/javascript; charset=utf-8", HELD),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let keep = "public, max-age=31536000, immutable";
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, keep)], body).into_response()
}
