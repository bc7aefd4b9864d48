//! The facade over real sockets, against the scripted server behind a few lines of HTTP.

use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use xunge_client_core::client::{
    Config, Notice, Phone, PhoneError, PhotoInput, PhotoSource, Place, ReportInput, Settings, Stop, Xunge,
};
use xunge_client_core::model::{CaseId, Mode, PhotoRole};
use xunge_client_core::photo::synthetic::{Moment, jpeg};
use xunge_client_core::wire::PhotoItem;
use xunge_client_core::workflow::{Payload, Verb};

use super::server::{Server, problem};

/// A server on a free port of this machine.
struct Online {
    url: String,
    server: Arc<Mutex<Server>>,
    /// Bytes of photos that may still pass before connections are cut; none for no limit.
    photo_bytes: Arc<Mutex<Option<usize>>>,
}

impl Online {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (server, photo_bytes) = (Arc::new(Mutex::new(Server::new())), Arc::new(Mutex::new(None)));
        let (shared, limit) = (server.clone(), photo_bytes.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (shared, limit) = (shared.clone(), limit.clone());
                tokio::spawn(async move {
                    let _ = serve(stream, &shared, &limit).await;
                });
            }
        });
        Self { url, server, photo_bytes }
    }

    fn server(&self) -> std::sync::MutexGuard<'_, Server> {
        self.server.lock().unwrap()
    }
}

/// One connection: requests one after the other, as HTTP/1.1 keeps it alive.
async fn serve(
    mut stream: TcpStream,
    server: &Mutex<Server>,
    photo_bytes: &Mutex<Option<usize>>,
) -> std::io::Result<()> {
    let mut buffer = Vec::new();
    loop {
        let head_end = loop {
            if let Some(at) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break at + 4;
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&buffer[..head_end]).to_string();
        let header = |name: &str| {
            let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}: ")))?;
            Some(line[name.len() + 2..].to_owned())
        };
        let length: usize = header("content-length").map_or(0, |text| text.parse().unwrap());
        let is_patch = head.starts_with("PATCH ");
        while buffer.len() < head_end + length {
            let arrived = buffer.len() - head_end;
            let cut = is_patch && photo_bytes.lock().unwrap().is_some_and(|limit| arrived >= limit);
            if cut || stream.read_buf(&mut buffer).await? == 0 {
                // What arrived before the cut stays.
                if is_patch {
                    patch(&head, &buffer[head_end..], server);
                }
                *photo_bytes.lock().unwrap() = None;
                return Ok(());
            }
        }
        let body: Vec<u8> = buffer.drain(..head_end + length).skip(head_end).collect();
        let (status, extra, answer) = route(&head, &body, server);
        let head = format!("HTTP/1.1 {status} X\r\n{extra}content-length: {}\r\n\r\n", answer.len());
        stream.write_all(&[head.as_bytes(), &answer].concat()).await?;
    }
}

fn patch(head: &str, body: &[u8], server: &Mutex<Server>) -> (u16, Option<u64>) {
    let path = head.split(' ').nth(1).unwrap();
    let name = path.rsplit('/').next().unwrap();
    let item = match name.strip_prefix("preview-") {
        Some(photo) => PhotoItem::Preview(photo.parse().unwrap()),
        None => PhotoItem::Full(name.parse().unwrap()),
    };
    let offset = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("upload-offset: ")?.parse().ok());
    server.lock().unwrap().patch(item, offset.unwrap(), body)
}

fn route(head: &str, body: &[u8], server: &Mutex<Server>) -> (u16, String, Vec<u8>) {
    let json =
        |value: serde_json::Value| (200, "content-type: application/json\r\n".to_owned(), value.to_string().into());
    let mut words = head.split(' ');
    match (words.next().unwrap(), words.next().unwrap()) {
        ("POST", "/v1/auth/enrol") => match enrol(body, &mut server.lock().unwrap()) {
            Some(answer) => json(answer),
            None => {
                let refused = problem(401, "enrol_code_invalid");
                (401, "content-type: application/problem+json\r\n".to_owned(), refused.body)
            }
        },
        ("POST", "/v1/sync") => {
            let response = server.lock().unwrap().sync(body);
            (response.status, "content-type: application/vnd.xunge.sync\r\n".to_owned(), response.body)
        }
        ("PATCH", _) => {
            let (status, offset) = patch(head, body, server);
            (status, offset.map(|offset| format!("upload-offset: {offset}\r\n")).unwrap_or_default(), Vec::new())
        }
        _ => (404, String::new(), Vec::new()),
    }
}

fn enrol(body: &[u8], server: &mut Server) -> Option<serde_json::Value> {
    let asked: serde_json::Value = serde_json::from_slice(body).unwrap();
    let user = asked["code"].as_str()?.strip_prefix("code-of-")?.to_owned();
    let key: [u8; 32] = hex::decode(asked["public_key"].as_str()?).ok()?.try_into().ok()?;
    let device = xunge_client_core::model::DeviceId::from_bytes(*key.first_chunk()?);
    server.enrol(device, ed25519_dalek::VerifyingKey::from_bytes(&key).ok()?, &user);
    Some(serde_json::json!({
        "device_id": device,
        "user": {"id": user, "name": user, "role": "inspector", "unit": "U640105001", "scope": "640105001",
                 "grids": ["640105001001001"]},
        "scope": "640105001",
        "server": {"name": "test", "district": "640105", "signing_key": "00", "sealing_key": "00",
                   "epoch": server.epoch},
    }))
}

fn input(text: &str, photos: Vec<PhotoInput>) -> ReportInput {
    ReportInput {
        category: Some("暴露垃圾".into()),
        text: Some(text.into()),
        place: Some(Place::pin(106.1, 38.5)),
        mode: Some(Mode::Forwarded),
        photos,
        ..ReportInput::default()
    }
}

fn picture(seed: u64) -> PhotoInput {
    PhotoInput { role: PhotoRole::Before, source: PhotoSource::Bytes(jpeg(seed, Moment::Before, 640, 480)) }
}

fn open(folder: &Path) -> Phone {
    let settings = Settings { poll_ms: 50, ..Settings::default() };
    Phone::open(Config { settings, ..Config::new(folder) }).unwrap()
}

async fn enrolled(folder: &Path, online: &Online) -> Phone {
    let phone = open(folder);
    phone.enrol(&online.url, "code-of-wang", None).await.unwrap();
    phone
}

#[tokio::test]
async fn a_report_with_its_photo_crosses_a_real_socket_and_an_idle_sync_costs_half_a_kilobyte() {
    let (folder, online) = (tempfile::tempdir().unwrap(), Online::start().await);
    let phone = enrolled(folder.path(), &online).await;
    let case = phone.report(&input("一", vec![picture(1)])).unwrap().id;
    let report = phone.sync().await.unwrap();
    assert!(report.drained, "{report:?}");
    assert_eq!((report.cases_sent, report.photos_sent, report.photos_waiting, report.requests), (1, 1, 0, 2));
    let photo = *phone.case(case).unwrap().facts.photos.keys().next().unwrap();
    assert_eq!(online.server().photos[&photo].0, phone.photo(&photo).unwrap());
    let idle = phone.sync().await.unwrap();
    assert_eq!(idle.requests, 1);
    assert!(idle.bytes_up + idle.bytes_down <= 500, "{idle:?}");
    assert!(idle.bytes_up >= 200, "headers are counted: {idle:?}");
}

#[tokio::test]
async fn a_photo_cut_in_the_middle_resumes_at_the_byte_that_arrived() {
    let (folder, online) = (tempfile::tempdir().unwrap(), Online::start().await);
    let phone = enrolled(folder.path(), &online).await;
    phone.report(&input("一", vec![picture(1)])).unwrap();
    *online.photo_bytes.lock().unwrap() = Some(10_000);
    let report = phone.sync().await.unwrap();
    assert!(report.drained, "{report:?}");
    let size: u64 = online.server().photos.values().map(|(bytes, _)| bytes.len() as u64).sum();
    assert!(report.bytes_up < size + size / 2 + 4_000, "{} bytes for a photo of {size}", report.bytes_up);
}

#[tokio::test]
async fn offline_is_an_answer_not_an_error() {
    let (folder, online) = (tempfile::tempdir().unwrap(), Online::start().await);
    let phone = enrolled(folder.path(), &online).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let error = phone.enrol(&url, "code-of-wang", None).await.unwrap_err();
    assert_eq!(error.code(), "offline");
    phone.report(&input("一", vec![])).unwrap();
    assert!(phone.sync().await.unwrap().drained, "a failed enrolment changes nothing");
}

#[tokio::test]
async fn a_wrong_code_is_refused_with_words_and_a_way_out() {
    let (folder, online) = (tempfile::tempdir().unwrap(), Online::start().await);
    let phone = open(folder.path());
    let error = phone.enrol(&online.url, "guess", None).await.unwrap_err();
    assert_eq!(error.code(), "enrol_code_invalid");
    assert!(error.zh().contains("注册码") && error.hint_zh().contains("管理员"));
    assert!(matches!(phone.sync().await, Err(PhoneError::NotEnrolled)));
}

#[tokio::test]
async fn the_background_loop_sends_what_is_saved_and_fetches_decisions() {
    let (folder, online) = (tempfile::tempdir().unwrap(), Online::start().await);
    let phone = enrolled(folder.path(), &online).await;
    let (tell, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let _subscription = phone.subscribe(Arc::new(move |notice: &Notice| {
        let _ = tell.send(notice.clone());
    }));
    phone.start_background().unwrap();
    let case = phone.report(&input("一", vec![])).unwrap().id;
    let mut changed = async |case: CaseId| loop {
        if let Notice::CasesChanged(cases) = heard.recv().await.unwrap()
            && cases.contains(&case)
        {
            break;
        }
    };
    changed(case).await;
    assert!(phone.status().unwrap().items[0].on_server);
    online.server().office(case, Verb::Void, Payload { reason: Some("test".into()), ..Payload::default() });
    changed(case).await;
    assert_eq!(phone.case(case).unwrap().item.state, "void");
    // The phone was shut out and gets a new code: nobody has to think of the loop.
    phone.enrol(&online.url, "code-of-wang", None).await.unwrap();
    let case = phone.report(&input("二", vec![])).unwrap().id;
    changed(case).await;
    phone.stop_background();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_phones_share_one_runtime() {
    let online = Arc::new(Online::start().await);
    let folder = tempfile::tempdir().unwrap();
    let mut running = tokio::task::JoinSet::new();
    for number in 0..40 {
        let (online, folder) = (online.clone(), folder.path().join(number.to_string()));
        running.spawn(async move {
            let phone = open(&folder);
            phone.enrol(&online.url, &format!("code-of-{number}"), None).await.unwrap();
            for index in 0..5 {
                phone.report(&input(&format!("{number}-{index}"), vec![])).unwrap();
            }
            assert!(phone.sync().await.unwrap().drained);
        });
    }
    while let Some(ended) = running.join_next().await {
        ended.unwrap();
    }
    assert_eq!(online.server().cases.len(), 200);
}

#[test]
fn an_app_calls_from_any_thread_even_from_an_async_one() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (folder, online) = (tempfile::tempdir().unwrap(), runtime.block_on(Online::start()));
    assert!(matches!(Xunge::open(Config::new(folder.path()), Some(b"key")), Err(PhoneError::NotEncrypted)));
    let app = Arc::new(Xunge::open(Config::new(folder.path()), None).unwrap());
    app.enrol(&online.url, "code-of-wang", None).unwrap();
    app.report(&input("一", vec![])).unwrap();
    let calling = app.clone();
    // A thread of somebody else's runtime: block_on would panic here.
    let report =
        runtime.block_on(async move { tokio::spawn(async move { calling.sync_now() }).await.unwrap() }).unwrap();
    assert!(report.drained);
    runtime.block_on(async move { drop(app) });
}

#[tokio::test]
async fn a_server_that_shuts_the_door_stops_the_phone_and_keeps_its_reports() {
    let (folder, online) = (tempfile::tempdir().unwrap(), Online::start().await);
    let phone = enrolled(folder.path(), &online).await;
    let case = phone.report(&input("一", vec![])).unwrap().id;
    *online.server() = Server::new();
    let report = phone.sync().await.unwrap();
    assert_eq!(report.stop, Some(Stop::Blocked { code: "unknown_device".into() }));
    assert_eq!(phone.identity().unwrap().blocked.as_deref(), Some("unknown_device"));
    assert_eq!(phone.case(case).unwrap().item.state, "submitted");
    // Enrolled again, everything goes out.
    phone.enrol(&online.url, "code-of-wang ", None).await.unwrap();
    assert!(phone.sync().await.unwrap().drained);
    assert!(online.server().cases.contains_key(&case));
}
