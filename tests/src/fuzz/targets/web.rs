//! What comes by HTTP, against the real routes in this process: uploads, cursors, forms.

use std::net::SocketAddr;
use std::str::FromStr;

use axum::body::Body;
use axum::extract::Request;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;
use xunge_client_core::doc::testing::{Dice, Life, mutate};
use xunge_client_core::model::{CaseId, Millis, PhotoHash};
use xunge_client_core::wire::{Envelope, Frame, SyncDown, SyncUp, codec};
use xunge_server::api::{self, Peer};
use xunge_server::domain::cases::Cursor;

use super::office::Office;
use crate::fuzz::{Outcome, Target};

/// Requests in which these words stand for tokens of now.
const TOKENS: [&str; 2] = ["INSPECTOR", "REVIEWER"];

/// The targets of this file.
pub(super) fn targets() -> Vec<Box<dyn Target>> {
    vec![
        Box::new(Requests { name: "upload-headers", seeds: uploads, office: None }),
        Box::new(Requests { name: "http", seeds: everything, office: None }),
        Box::new(Pages { office: None, all: vec![] }),
        Box::new(Feed { office: None, counter: 0 }),
    ]
}

/// An answer, whole.
struct Answered {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Office {
    fn answer(&self, request: Request) -> Answered {
        let router = api::router(self.app.clone());
        self.runtime.block_on(async {
            let answer = router.oneshot(request).await.expect("a router answers");
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes().to_vec()).unwrap_or_default();
            Answered { status: parts.status, headers: parts.headers, body }
        })
    }

    fn get(&self, user: &str, path: &str) -> Answered {
        let bearer = format!("Bearer {}", self.token(user));
        self.answer(with_peer(Request::get(path).header("authorization", bearer).body(Body::empty()).unwrap(), 0))
    }
}

/// Each request from another place: guesses are counted by place.
fn with_peer(mut request: Request, number: u64) -> Request {
    let [.., a, b, c] = number.to_be_bytes();
    request.extensions_mut().insert(Peer(SocketAddr::from(([10, a, b, c], 1))));
    request
}

/// Whole requests as text: a line with method and path, header lines, an empty line, the body.
struct Requests {
    name: &'static str,
    seeds: fn() -> Vec<String>,
    office: Option<(Office, u64)>,
}

fn uploads() -> Vec<String> {
    let photo = b"eleven bytes of a photo";
    let hash = STANDARD.encode(PhotoHash::of(photo).to_string());
    let head = "authorization: Bearer INSPECTOR\ntus-resumable: 1.0.0\n";
    let place = format!("/v1/photos/{}", PhotoHash::of(photo));
    let stream = "content-type: application/offset+octet-stream\n";
    vec![
        format!("POST /v1/photos\n{head}upload-length: 23\nupload-metadata: sha256 {hash}\n\n"),
        format!("POST /v1/photos\n{head}{stream}upload-length: 23\nupload-metadata: filename eA==\n\neleven bytes"),
        format!("HEAD {place}\n{head}\n"),
        format!("PATCH {place}\n{head}{stream}upload-offset: 0\n\neleven"),
        format!("PATCH {place}\n{head}{stream}upload-offset: 6\nupload-checksum: sha1 AAAA\n\n bytes of a photo"),
        format!("POST {place}\n{head}{stream}x-http-method-override: PATCH\nupload-offset: 0\n\nx"),
        format!("DELETE {place}\n{head}\n"),
        "OPTIONS /v1/photos\n\n".to_owned(),
    ]
}

fn everything() -> Vec<String> {
    let json = "authorization: Bearer REVIEWER\ncontent-type: application/json\nidempotency-key: k1\n\n";
    let form = "content-type: application/x-www-form-urlencoded\norigin: http://localhost\nhost: localhost\n\n";
    let case = "00000000000000000000000001";
    vec![
        format!(
            "POST /v1/auth/token\n{json}{{\"grant\":\"device\",\"device\":\"0707\",\"counter\":1,\"signature\":\"00\"}}"
        ),
        format!("POST /v1/auth/enrol\n{json}{{\"code\":\"x\",\"public_key\":\"00\",\"name\":\"y\"}}"),
        format!(
            "POST /v1/cases/{case}/events\n{json}{{\"verb\":\"file\",\"expected_version\":1,\"mode\":\"forwarded\"}}"
        ),
        format!(
            "POST /v1/cases\n{json}{{\"description\":\"x\",\"lon\":106.1,\"lat\":38.5,\"category\":\"a:event:1\"}}"
        ),
        format!("GET /v1/cases?state=reported&from=2023-11-01&q=x&limit=3\n{json}"),
        format!("GET /v1/cases/{case}\n{json}"),
        format!("GET /v1/cases/{case}/photos/{}?size=thumb\n{json}", "0".repeat(64)),
        format!("GET /v1/counts?from=2023-11-01&to=2023-11-30&by=unit\n{json}"),
        format!("GET /v1/phones\n{json}"),
        format!("GET /v1/reference/bundle\n{json}"),
        format!("POST /login\n{form}user=x&password=y&next=%2F"),
        format!("POST /cases/{case}/act\n{form}verb=file&expected_version=1&token=x"),
        "GET /login?next=//evil.example\ncookie: __Host-session=x\naccept-language: zh;q=0.x\n\n".to_owned(),
        "POST /v1/rescue\ncontent-type: application/vnd.xunge.rescue\n\nx".to_owned(),
    ]
}

/// Reads the text of a request; `None` if HTTP has no such request.
fn read(office: &Office, text: &[u8]) -> Option<Request> {
    let end = text.windows(2).position(|two| two == b"\n\n")?;
    let mut head = String::from_utf8_lossy(&text[..end]).into_owned();
    for (word, user) in TOKENS.iter().zip([&office.inspector, &office.reviewer]) {
        if head.contains(word) {
            head = head.replace(word, &office.token(user));
        }
    }
    let mut lines = head.lines();
    let (method, path) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(path);
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_str(name).ok()?;
        request = request.header(name, HeaderValue::from_bytes(value.trim().as_bytes()).ok()?);
    }
    // What a listener would refuse before any route sees it.
    request.body(Body::from(text[end + 2..].to_vec())).ok().filter(|request| request.uri().path().starts_with('/'))
}

impl Target for Requests {
    fn name(&self) -> &'static str {
        self.name
    }

    fn promise(&self) -> &'static str {
        "a request is answered, never with a fault of the server's own; what programs are refused is a problem with a code"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        (self.seeds)().into_iter().map(String::into_bytes).collect()
    }

    fn mutate(&self, input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
        let mut lines: Vec<Vec<u8>> = input.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let at = dice.below(lines.len());
        match dice.below(6) {
            0 => {
                // A header of another request.
                let others: Vec<&[u8]> = other.split(|byte| *byte == b'\n').collect();
                lines.insert(at, dice.pick(&others).to_vec());
            }
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                // Another number where one stands.
                let line = String::from_utf8_lossy(&lines[at]).into_owned();
                let start = line.find(|c: char| c.is_ascii_digit()).unwrap_or(line.len());
                let digits = line[start..].len() - line[start..].trim_start_matches(|c: char| c.is_ascii_digit()).len();
                let old: u64 = line[start..start + digits].parse().unwrap_or_default();
                let new = mutate::interesting(old, dice).to_string();
                lines[at] = format!("{}{new}{}", &line[..start], &line[start + digits..]).into_bytes();
            }
            3 => {
                let more = dice.below(2_000);
                lines[at].extend(std::iter::repeat_n(*dice.pick(b"a0%{[,& \xe4"), more));
            }
            _ => mutate::damage(&mut lines[at], other, dice),
        }
        *input = lines.join(&b'\n');
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let (office, number) = self.office.get_or_insert_with(|| (Office::open(), 0));
        *number += 1;
        let Some(request) = read(office, input) else { return Ok(Outcome::Refused("not http".to_owned())) };
        let for_programs = request.uri().path().starts_with("/v1/");
        let is_head = request.method() == http::Method::HEAD;
        let Answered { status, headers, body } = office.answer(with_peer(request, *number));
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            return Err(format!("{status}: {}", String::from_utf8_lossy(&body)));
        }
        if status.is_success() || status.is_redirection() {
            return Ok(Outcome::Accepted);
        }
        let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        match problem["code"].as_str() {
            _ if is_head => Ok(Outcome::Refused(status.as_str().to_owned())),
            Some(code) if kind.starts_with("application/problem+json") => Ok(Outcome::Refused(code.to_owned())),
            _ if !for_programs => Ok(Outcome::Refused(status.as_str().to_owned())),
            _ => Err(format!("{status} {kind}: no problem with a code: {}", String::from_utf8_lossy(&body))),
        }
    }

    fn cost(&self) -> u64 {
        20
    }
}

/// The cursor of the list of cases. An input: what stands behind `after=`.
struct Pages {
    office: Option<Office>,
    /// Every case, newest first.
    all: Vec<(i64, CaseId)>,
}

/// Cases on a page.
const PAGE: usize = 3;

impl Target for Pages {
    fn name(&self) -> &'static str {
        "cursor"
    }

    fn promise(&self) -> &'static str {
        "text that is no cursor is refused; any cursor gives exactly the cases behind it, in order"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let case = |byte: u8| CaseId::from_bytes([byte; 16]);
        let texts = (0..12).step_by(3).map(|byte| format!("1700000000000.{}", case(byte)));
        let strange =
            ["0.", "-1.x", "9223372036854775807.00000000000000000000000000", "+5.0", "1700000000000.7ZZZ", "%00"];
        texts.chain(strange.map(str::to_owned)).map(String::into_bytes).collect()
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let all = &mut self.all;
        let office = self.office.get_or_insert_with(|| {
            let office = Office::open();
            *all = reported(&office);
            office
        });
        let after: String = input.iter().map(|byte| format!("%{byte:02x}")).collect();
        let answer = office.get(&office.inspector, &format!("/v1/cases?limit={PAGE}&after={after}"));
        let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let cursor = std::str::from_utf8(input).ok().filter(|text| !text.is_empty());
        let cursor = cursor.and_then(|text| Some((text.split_once('.')?, text.parse::<Cursor>().ok()?)));
        let Some(((at, id), _)) = cursor else {
            // Nothing at all is the first page.
            let first = input.is_empty() && answer.status == StatusCode::OK;
            return match (answer.status, page["code"].as_str()) {
                (StatusCode::BAD_REQUEST, Some(code)) => Ok(Outcome::Refused(code.to_owned())),
                _ if first => Ok(Outcome::Accepted),
                (status, _) => Err(format!("no cursor, answered {status}")),
            };
        };
        let (at, id): (i64, CaseId) = (at.parse().unwrap(), id.parse().unwrap());
        let behind = self.all.iter().filter(|key| **key < (at, id)).take(PAGE).map(|(_, id)| id.to_string());
        let found = page["items"].as_array().into_iter().flatten().filter_map(|item| item["id"].as_str());
        let (behind, found): (Vec<_>, Vec<_>) = (behind.collect(), found.map(str::to_owned).collect());
        if answer.status == StatusCode::OK && behind == found {
            return Ok(Outcome::Accepted);
        }
        Err(format!("{}: {found:?} instead of {behind:?}", answer.status))
    }

    fn cost(&self) -> u64 {
        10
    }
}

/// Has the phone report twelve cases; answers their keys, newest first.
fn reported(office: &Office) -> Vec<(i64, CaseId)> {
    let frames = (0..12u8).map(|number| {
        let changes = Life::new(&mut Dice::new(number.into())).doc;
        let changes = changes.change_bodies_since(&[]).into_iter().map(|(_, body)| body.into()).collect();
        Frame { case: CaseId::from_bytes([number; 16]), changes, submit: true }
    });
    let up = SyncUp { frames: frames.collect(), phone_time: Millis(1_700_000_000_000), ..SyncUp::default() };
    office.sync(&up, 1).expect("honest reports are taken");
    let page: serde_json::Value =
        serde_json::from_slice(&office.get(&office.inspector, "/v1/cases?limit=200").body).unwrap();
    let ids =
        page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().parse::<CaseId>().unwrap());
    let all: Vec<_> = ids.map(|id| (1_700_000_000_000, id)).collect();
    assert!(all.len() > 3 * PAGE && all.is_sorted_by(|a, b| a > b), "newest first, each once: {all:?}");
    all
}

impl Office {
    /// One sync of the phone with this number.
    fn sync(&self, up: &SyncUp, counter: u64) -> Result<SyncDown, String> {
        let frame = codec::Packer::new(3).compress(&codec::encode(up));
        let envelope = Envelope::seal(frame, self.device, counter, &self.key).to_bytes();
        let answer = self.runtime.block_on(xunge_server::sync::handle(&self.app.sync, &envelope));
        let body = answer.map_err(|refused| format!("{refused:?}"))?;
        codec::unpack(&body).map_err(|error| format!("its answer can not be read: {error}"))
    }
}

/// The position of a phone in the feed. An input: epoch, cursor, version of the reference data, eight bytes each.
struct Feed {
    office: Option<Office>,
    counter: u64,
}

impl Target for Feed {
    fn name(&self) -> &'static str {
        "feed-cursor"
    }

    fn promise(&self) -> &'static str {
        "from any position and epoch a phone is told where it stands, and the walk to the newest ends"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let seed =
            |epoch: u64, cursor: u64| [epoch, cursor, 1].iter().flat_map(|number| number.to_be_bytes()).collect();
        vec![
            seed(0, 0),
            seed(1, 0),
            seed(1, 7),
            seed(1, 1 << 62),
            seed(2, 7),
            seed(1, i64::MAX as u64),
            seed(1, u64::MAX),
        ]
    }

    fn mutate(&self, input: &mut Vec<u8>, _: &[u8], dice: &mut Dice) {
        let mut numbers: Vec<u64> = input.as_chunks::<8>().0.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect();
        numbers.resize(3, 1);
        let at = dice.below(3);
        numbers[at] = mutate::interesting(numbers[at], dice);
        *input = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let office = self.office.get_or_insert_with(|| {
            let office = Office::open();
            reported(&office);
            self.counter = 1;
            office
        });
        let numbers: Vec<u64> = input.as_chunks::<8>().0.iter().map(|bytes| u64::from_be_bytes(*bytes)).collect();
        let [epoch, cursor, reference] = numbers[..] else {
            return Ok(Outcome::Refused("not three numbers".to_owned()));
        };
        let mut up = SyncUp { epoch, cursor, reference, ..SyncUp::default() };
        for _ in 0..8 {
            self.counter += 1;
            let down = office.sync(&up, self.counter)?;
            if !down.more {
                return Ok(Outcome::Accepted);
            }
            (up.epoch, up.cursor) = (down.epoch, down.cursor);
        }
        Err("the walk does not end".to_owned())
    }

    fn cost(&self) -> u64 {
        20
    }
}
