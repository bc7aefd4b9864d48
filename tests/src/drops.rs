//! One answer is lost, whichever: how many requests more does it take?
//!
//! A scripted working day of one phone: it enrols, reports texts and photos, hears decisions, corrects, asks to
//! withdraw. The day is lived once undisturbed, then once for each of its answers with that one taken away.

use serde_json::{Value, json};
use xunge_client_core::client::{Parts, ReportInput};
use xunge_client_core::workflow::{Payload, Verb};

use crate::fleet::{Member, WaitlessClock, hard_to_compress, words};
use crate::http::Api;
use crate::process::Server;
use crate::scene::Scene;
use crate::tap::Tap;

/// A day as it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Requests it took.
    pub requests: u64,
    /// Whether everything drained, and how the cases stood on the phone in the evening.
    pub evening: Option<Vec<String>>,
}

/// An answer that was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// Which request's.
    pub number: u64,
    /// What it was.
    pub what: String,
    /// Requests beyond those of the undisturbed day.
    pub further: u64,
    /// Whether the evening was that of the undisturbed day.
    pub converged: bool,
}

/// Runs of a phone after which it counts as stuck.
const RUNS: u32 = 10;
/// Further requests one loss may cost.
pub const ALLOWED: u64 = 2;

/// Lives the day once for each of its answers. `texts` long reports in the morning make several pages.
pub async fn every_answer(texts: u64) -> (Day, Vec<Lost>) {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let pairs = scene.pairs();
    let calm = Tap::default();
    let reference = day(&scene, &server.url, pairs[0], "calm", texts, calm).await;
    let mut drops = vec![];
    for number in 0..reference.requests {
        let pair = pairs[(number as usize + 1) % pairs.len()];
        let tap = Tap::taking(number);
        let lived = day(&scene, &server.url, pair, &format!("drop-{number}"), texts, tap.clone()).await;
        let taken = tap.heard().into_iter().find(|heard| heard.status.is_none());
        drops.push(Lost {
            number,
            what: taken.map_or_else(|| "nothing".to_owned(), |heard| heard.what),
            further: lived.requests.saturating_sub(reference.requests),
            converged: lived.evening.is_some() && lived.evening == reference.evening,
        });
    }
    assert_eq!(server.stop(), Some(0));
    (reference, drops)
}

async fn day(scene: &Scene, url: &str, pair: (&Value, &Value), folder: &str, texts: u64, tap: Tap) -> Day {
    let (reviewer, inspector) = pair;
    let office = Api::sign_in(url, text(reviewer, "user"), text(reviewer, "password")).await;
    let clock = WaitlessClock::start();
    let parts = Parts { clock: clock.clone(), ..Parts::default() };
    let mut phone = Member::open_on(&scene.folder.path().join(folder), parts, tap.clone(), 1);
    let _listening = phone.phone.subscribe(clock);
    phone.enrol(url, &scene.code(inspector)).await;
    let evening = lived(&mut phone, &office, texts).await;
    Day { requests: tap.sent(), evening }
}

/// The day itself; `None` if the phone got stuck.
async fn lived(phone: &mut Member, office: &Api, texts: u64) -> Option<Vec<String>> {
    for number in 0..texts {
        let long = Some(hard_to_compress(number));
        phone.phone.report(&ReportInput { text: long, ..words(number) }).expect("saved");
    }
    let (plain, pictured, asked) = (phone.report(false), phone.report(true), phone.report(false));
    phone.drain(RUNS).await?;
    for (case, verb) in [(plain, "void"), (pictured, "file")] {
        let body = match verb {
            "void" => json!({"verb": verb, "expected_version": 1, "reason": "not_in_scope"}),
            _ => {
                json!({"verb": verb, "expected_version": 1, "mode": "forwarded", "category": "xixia-2023:event:XX0201"})
            }
        };
        let answer = office.event(&case.to_string(), &format!("{verb}-{case}"), &body).await;
        assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    }
    phone.drain(RUNS).await?;
    let remark = ReportInput { location_text: Some("东门外".to_owned()), ..ReportInput::default() };
    phone.phone.update(asked, &remark).expect("saved");
    phone.phone.request(asked, Verb::Withdraw, Payload::default(), &[]).expect("saved");
    phone.drain(RUNS).await?;
    phone.drain(RUNS).await?;
    let state = |id| phone.phone.case(id).expect("the phone has it").item.state;
    let unsent = phone.phone.status().expect("read").unsent;
    Some(
        [plain, pictured, asked]
            .map(state)
            .into_iter()
            .chain([format!("unsent: {} {}", unsent.cases, unsent.photos)])
            .collect(),
    )
}

fn text<'v>(user: &'v Value, member: &str) -> &'v str {
    user[member].as_str().expect("init names it")
}
