//! Bombs: a few bytes that ask for a lot. Thrown at a real server over loopback.
//!
//! Afterwards the server must have grown by little, answer an honest phone, and hold nothing that it should not hold.

mod lengths;
mod pages;
mod pictures;
mod pushes;
mod rescue;

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::http::Api;
use crate::memory;
use crate::process::{Server, run_json};
use crate::pusher::Pusher;
use crate::scene::Scene;
use crate::workload;

/// Most bytes the server may grow.
pub const GROWTH: u64 = 64 << 20;
/// Fewest bombs worth the name of a suite.
pub const FEWEST: usize = 200;

/// How long an answer may take before the thrower goes away.
const PATIENCE: Duration = Duration::from_secs(15);

/// One of them.
#[derive(Debug)]
struct Bomb {
    name: String,
    /// A request as it goes over the wire.
    bytes: Vec<u8>,
    /// Keep the connection and say no more, instead of waiting for an answer.
    held: bool,
}

impl Bomb {
    fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { name: name.into(), bytes, held: false }
    }

    fn held(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self { held: true, ..Self::new(name, bytes) }
    }
}

/// What the bombs are made against.
#[derive(Debug)]
struct Ground {
    scene: Scene,
    server: Server,
    /// An enrolled phone in the wrong hands, and its bearer token.
    thief: Pusher,
    thief_token: String,
    /// An office of the same unit.
    office: Api,
    office_token: String,
}

/// What became of a suite.
#[derive(Debug, Default)]
pub struct Report {
    /// Bombs thrown.
    pub thrown: usize,
    /// Answers by status; 0 for a connection that was closed or held.
    pub answers: std::collections::BTreeMap<u16, usize>,
    /// Most memory beyond what honest work had taken before, bytes.
    pub growth: u64,
    /// Bombs that made the server grow, and by how many bytes; small ones are left out.
    pub grew: Vec<(String, u64)>,
    /// What is wrong.
    pub wrong: Vec<String>,
}

/// Growth worth naming the bomb that caused it.
const NOTABLE: u64 = 4 << 20;

/// Takes note of what made the server grow.
struct Scales {
    server: u32,
    last: u64,
}

impl Scales {
    fn weigh(&mut self, what: &str, report: &mut Report) {
        let now = memory::high_water(Some(self.server));
        if now >= self.last + NOTABLE {
            report.grew.push((what.to_owned(), now - self.last));
        }
        self.last = now;
    }
}

/// Throws all of them.
pub async fn run() -> Report {
    let ground = Ground::new().await;
    let pictures = pictures::all();
    ground.warm_up().await;
    let before = memory::high_water(Some(ground.server.id()));
    let mut scales = Scales { server: ground.server.id(), last: before };
    let mut report = Report::default();
    let mut held = vec![];
    let mut bombs = lengths::all();
    bombs.extend(pushes::all(&ground.thief));
    bombs.extend(rescue::all(&ground.thief, &ground.sealing_key()));
    bombs.extend(pages::all(&ground.office_token, &ground.thief_token));
    for bomb in bombs {
        report.thrown += 1;
        let (status, connection) = throw(ground.server.address(), &bomb).await;
        if status >= 500 && ![503, 507].contains(&status) {
            report.wrong.push(format!("{} is answered {status}", bomb.name));
        }
        *report.answers.entry(status).or_default() += 1;
        held.extend(connection);
        scales.weigh(&bomb.name, &mut report);
    }
    crowd(&ground, &mut report).await;
    scales.weigh("a crowd with bundles", &mut report);
    pictures::throw(&ground, pictures, &mut scales, &mut report).await;
    ground.aftermath(&mut report).await;
    scales.weigh("honest work afterwards", &mut report);
    let after = memory::high_water(Some(ground.server.id()));
    report.growth = after.saturating_sub(before);
    if report.growth > GROWTH {
        let grew = report.grew.iter().map(|(what, bytes)| format!("{what} {} MiB", bytes >> 20));
        let grew = grew.collect::<Vec<_>>().join(", ");
        report.wrong.push(format!("the server grew by {} MiB: {grew}", report.growth >> 20));
    }
    drop(held);
    ground.end(&mut report);
    report
}

/// Twenty strangers with a bundle each, all at once.
async fn crowd(ground: &Ground, report: &mut Report) {
    let address = ground.server.address().to_owned();
    let strangers = (0..20).map(|_| {
        let address = address.clone();
        tokio::spawn(async move { throw(&address, &rescue::garbage()).await.0 })
    });
    for stranger in strangers.collect::<Vec<_>>() {
        report.thrown += 1;
        *report.answers.entry(stranger.await.unwrap()).or_default() += 1;
    }
}

impl Ground {
    async fn new() -> Self {
        let scene = Scene::new();
        let server = Server::start(&scene.data());
        let (reviewer, inspector) = scene.pair();
        let thief = Pusher::enrol(&server.url, inspector["enrol_code"].as_str().unwrap(), 1).await;
        let office =
            Api::sign_in(&server.url, reviewer["user"].as_str().unwrap(), reviewer["password"].as_str().unwrap()).await;
        let office_token = office.token().to_owned();
        let thief_token = thief.token().await;
        Self { scene, thief, thief_token, office, office_token, server }
    }

    /// The server's public sealing key, as every phone knows it.
    fn sealing_key(&self) -> [u8; 32] {
        let keys = xunge_server::auth::keys::Keys::load(&self.scene.data().join("keys")).unwrap();
        keys.sealing_public()
    }

    /// Honest work of every kind once, so that what it takes is not blamed on the bombs.
    async fn warm_up(&self) {
        self.honest_phone("warm", 2).await;
        let seen = self.office.get_json("/v1/cases").await;
        for item in seen["items"].as_array().unwrap() {
            let case = self.office.get_json(&format!("/v1/cases/{}", item["id"].as_str().unwrap())).await;
            for photo in case["photo_list"].as_array().into_iter().flatten() {
                let path =
                    format!("/v1/cases/{}/photos/{}", case["id"].as_str().unwrap(), photo["sha256"].as_str().unwrap());
                self.office.get(&format!("{path}?size=full")).await;
            }
        }
        for path in
            ["/v1/cases", "/v1/counts?from=2023-11-01&to=2023-11-30", "/openapi.json", "/login", "/v1/reference/bundle"]
        {
            self.office.get(path).await;
        }
    }

    /// A phone reports with photos and syncs until nothing waits.
    async fn honest_phone(&self, name: &str, user: usize) {
        let users = self.scene.users("inspector");
        let photo = self.scene.photo(&format!("{name}.jpg"), user as u8, 1600, 1200);
        let (scene, url, user, name) = (&self.scene, &self.server.url, users[user], name.to_owned());
        tokio::task::block_in_place(|| {
            let phone = scene.enrol(url, user, &name);
            phone.report("路面破损", photo.to_str().unwrap(), None);
            phone.drain(5);
        });
    }

    async fn aftermath(&self, report: &mut Report) {
        self.honest_phone("after", 3).await;
        if self.office.get("/healthz").await.status != 200 {
            report.wrong.push("the server is not well".to_owned());
        }
        let honest =
            Pusher::enrol(&self.server.url, self.scene.users("inspector")[4]["enrol_code"].as_str().unwrap(), 9).await;
        let (push, _) = honest.new_cases(&workload::cases(77, 3));
        assert_eq!(honest.send(push).await, 3, "an honest push is taken as sent");
    }

    /// Stops the server and looks at what it holds.
    fn end(self, report: &mut Report) {
        let data = self.scene.data();
        if self.server.stop() != Some(0) {
            report.wrong.push("the server does not end well".to_owned());
        }
        let verified = run_json("xunge-server", &["verify", "--data", data.to_str().unwrap(), "--json"]);
        if verified["ok"] != true {
            report.wrong.push(format!("verify: {verified}"));
        }
        held(&data, report);
    }
}

/// What must be as before: accounts, places, phones; and nothing of a stranger anywhere.
fn held(data: &Path, report: &mut Report) {
    let database = rusqlite::Connection::open(data.join("xunge.db")).unwrap();
    let count = |sql: &str| -> i64 { database.query_row(sql, [], |row| row.get(0)).unwrap() };
    let mut expect = |what: &str, found: i64, most: i64| {
        if found > most {
            report.wrong.push(format!("{what}: {found}, at most {most} should be"));
        }
    };
    expect("phones", count("SELECT COUNT(*) FROM device"), 4);
    expect("cases of one day", count("SELECT COUNT(*) FROM case_row"), 300 + 2 + 3);
    expect("decisions", count("SELECT COUNT(*) FROM case_event WHERE role <> 'inspector'"), 0);
    expect("bytes in quarantine", count("SELECT COALESCE(SUM(length(bytes)), 0) FROM quarantine"), 20 << 20);
    expect("sessions of the console", count("SELECT COUNT(*) FROM web_session"), 0);
    let mut names: Vec<_> = std::fs::read_dir(data)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            !["xunge.db", "xunge.db-wal", "xunge.db-shm", "keys", "blobs", "staging", "derived", "lock"]
                .contains(&name.as_str())
        })
        .collect();
    names.retain(|name| !name.ends_with(".toml"));
    if !names.is_empty() {
        report.wrong.push(format!("files nobody knows: {names:?}"));
    }
}

/// Sends the bytes; answers the status (0 for none) and, if it is to be held, the connection.
async fn throw(address: &str, bomb: &Bomb) -> (u16, Option<TcpStream>) {
    let Ok(mut connection) = TcpStream::connect(address).await else { return (0, None) };
    // A server that has seen enough closes; what it said before that is still read.
    let sent = tokio::time::timeout(PATIENCE, connection.write_all(&bomb.bytes)).await;
    if bomb.held {
        return (0, sent.is_ok().then_some(connection));
    }
    let mut answer = vec![0; 64];
    let read = tokio::time::timeout(PATIENCE, connection.read(&mut answer)).await;
    let length = read.ok().and_then(Result::ok).unwrap_or_default();
    let line = String::from_utf8_lossy(&answer[..length]).into_owned();
    (line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default(), None)
}

/// A request with its length before its body.
fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    [format!("{text}content-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}
