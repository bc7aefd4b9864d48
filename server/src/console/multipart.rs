//! Forms that carry files (`multipart/form-data`), as browsers send them; anything else is no form.

use axum::extract::{FromRequest, Request};
use axum::http::header;
use bytes::Bytes;

use super::sent::Sent;

/// Most parts of a form: more are no form of ours.
const MAX_PARTS: usize = 64;
/// Most bytes of the lines above a part.
const MAX_HEAD: usize = 4 * 1024;
/// Most bytes of a boundary (RFC 2046).
const MAX_BOUNDARY: usize = 70;

/// One field of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The field's name.
    pub(crate) name: String,
    /// It is a file, perhaps an empty one because nobody chose any.
    pub(crate) is_file: bool,
    /// What its owner calls the file; empty for words.
    pub(crate) file: String,
    /// What it holds.
    pub(crate) bytes: Bytes,
}

/// Reads a form that carries files: its words, and its files that are not empty. None if it is no such form, or larger
/// than its route takes.
pub(crate) async fn take(request: Request) -> Option<(Sent, Vec<Part>)> {
    let kind = request.headers().get(header::CONTENT_TYPE)?.to_str().ok()?.to_owned();
    let body = Bytes::from_request(request, &()).await.ok()?;
    let (files, words): (Vec<Part>, Vec<Part>) = read(&kind, &body)?.into_iter().partition(|part| part.is_file);
    let text = |part: Part| (part.name, String::from_utf8_lossy(&part.bytes).into_owned());
    let files = files.into_iter().filter(|file| !file.bytes.is_empty()).collect();
    Some((Sent(words.into_iter().map(text).collect()), files))
}

/// Reads the parts of a form; none if it is malformed anywhere.
pub(crate) fn read(content_type: &str, body: &Bytes) -> Option<Vec<Part>> {
    let boundary = boundary(content_type)?;
    let (first, between) = (format!("--{boundary}"), format!("\r\n--{boundary}"));
    let mut rest = body.strip_prefix(first.as_bytes())?;
    let mut parts = Vec::new();
    loop {
        // Two dashes end the form, a line end begins the next part.
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        rest = rest.strip_prefix(b"\r\n")?;
        let head = find(&rest[..rest.len().min(MAX_HEAD)], b"\r\n\r\n")?;
        let (name, file) = disposition(std::str::from_utf8(&rest[..head]).ok()?)?;
        let content = &rest[head + 4..];
        let end = find(content, between.as_bytes())?;
        let is_file = file.is_some();
        parts.push(Part { name, is_file, file: file.unwrap_or_default(), bytes: body.slice_ref(&content[..end]) });
        if parts.len() > MAX_PARTS {
            return None;
        }
        rest = &content[end + between.len()..];
    }
}

fn boundary(content_type: &str) -> Option<&str> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let given = parameters.split(';').find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then_some(value.trim())
    })?;
    let plain = given.strip_prefix('"').and_then(|given| given.strip_suffix('"')).unwrap_or(given);
    ((1..=MAX_BOUNDARY).contains(&plain.len()) && plain.is_ascii()).then_some(plain)
}

/// Name of a part, and of its file if it is one. Browsers write a quote inside a name as `%22`.
fn disposition(head: &str) -> Option<(String, Option<String>)> {
    let line = head.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-disposition").then_some(value.trim())
    })?;
    let rest = line.strip_prefix("form-data;")?;
    let quoted = |key: &str| {
        let (_, after) = rest.split_once(&format!(" {key}=\""))?;
        after.split_once('"').map(|(value, _)| value)
    };
    Some((quoted("name")?.to_owned(), quoted("filename").map(str::to_owned)))
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let first = *wanted.first()?;
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.iter().position(|byte| *byte == first)?;
        if text[at..].starts_with(wanted) {
            return Some(at);
        }
        from = at + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: &str = "multipart/form-data; boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW";

    fn form() -> Vec<u8> {
        let mark = "------WebKitFormBoundary7MA4YWxkTrZu0gW";
        let mut body =
            format!("{mark}\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n已清理 & --\r\n").into_bytes();
        body.extend(
            format!(
                "{mark}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"一.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n"
            )
            .as_bytes(),
        );
        body.extend(b"\xff\xd8\r\n--\r\n\x00\xff\r\n");
        body.extend(
            format!("{mark}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\r\n\r\n\r\n{mark}--\r\n")
                .as_bytes(),
        );
        body
    }

    #[test]
    fn words_and_files_arrive_byte_for_byte() {
        let parts = read(KIND, &Bytes::from(form())).unwrap();
        assert_eq!((parts[0].name.as_str(), parts[0].is_file), ("note", false));
        assert_eq!(std::str::from_utf8(&parts[0].bytes).unwrap(), "已清理 & --");
        assert_eq!((parts[1].is_file, &parts[1].bytes[..]), (true, &b"\xff\xd8\r\n--\r\n\x00\xff"[..]));
        assert_eq!((parts[2].is_file, parts[2].bytes.len(), parts.len()), (true, 0, 3));
        assert_eq!(read(&KIND.replace("=----", "=\"----").replace("gW", "gW\""), &Bytes::from(form())), Some(parts));
    }

    #[test]
    fn whatever_is_cut_or_damaged_is_no_form_and_nothing_breaks() {
        let whole = form();
        for end in 0..whole.len() - 4 {
            assert_eq!(read(KIND, &Bytes::copy_from_slice(&whole[..end])), None, "cut at {end}");
        }
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x15;
            let _ = read(KIND, &Bytes::from(damaged));
        }
        for kind in [
            "",
            "multipart/form-data",
            "text/plain; boundary=x",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=其",
        ] {
            assert_eq!(read(kind, &Bytes::from(whole.clone())), None, "{kind}");
        }
        let many = format!("{}--x--", "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n".repeat(100));
        assert_eq!(read("multipart/form-data; boundary=x", &Bytes::from(many)), None);
    }
}
