//! A town office, its inspector's phone, and what the phone reported.

use std::time::{Duration, Instant};

use serde_json::Value;
use xunge_tests::http::Api;
use xunge_tests::process::{Phone, Server};
use xunge_tests::scene::Scene;

/// Words that are a program to a browser that is not careful.
pub(super) const SCRIPT: &str =
    "<script>document.title='坏'</script><img src=x onerror=\"document.title='坏'\"> 门口垃圾&amp;污水";

/// A server, the district's people, one enrolled phone.
pub(super) struct Office {
    pub(super) scene: Scene,
    pub(super) server: Server,
    pub(super) phone: Phone,
    /// Reviews what `phone` reports.
    pub(super) reviewer: Value,
}

impl Office {
    /// Opens for the day; nothing was reported yet.
    pub(super) fn open() -> Self {
        let scene = Scene::new();
        let server = Server::start(&scene.data());
        let (reviewer, inspector) = scene.pair();
        let phone = scene.enrol(&server.url, inspector, "phone");
        Self { reviewer: reviewer.clone(), phone, server, scene }
    }

    /// Somebody with a password in this role, other than the reviewer.
    pub(super) fn somebody(&self, role: &str) -> Value {
        let users = self.scene.users(role);
        let other = users.into_iter().find(|it| it["user"] != self.reviewer["user"] && it["password"].is_string());
        other.unwrap_or_else(|| panic!("the example has a {role} with a password")).clone()
    }

    /// A second reviewer of the same unit.
    pub(super) fn colleague(&self) -> Value {
        let users = self.scene.users("town_office");
        let same = |it: &&Value| it["unit"] == self.reviewer["unit"] && it["user"] != self.reviewer["user"];
        users.into_iter().find(same).expect("a second reviewer").clone()
    }

    /// A reviewer of another unit.
    pub(super) fn somebody_elsewhere(&self) -> Value {
        let users = self.scene.users("town_office");
        users.into_iter().find(|it| it["unit"] != self.reviewer["unit"]).expect("a second unit").clone()
    }

    /// A report with its photos, kept on the phone until it syncs.
    pub(super) fn report(&self, number: u8, category: &str, text: &str, self_handled: bool) -> String {
        // Two hundred metres apart, so that no two look like one.
        let (column, row) = (u32::from(number % 8), u32::from(number / 8));
        let place =
            (format!("{:.4}", 106.10 + f64::from(column) * 0.003), format!("{:.4}", 38.50 + f64::from(row) * 0.003));
        self.report_at(number, (&place.0, &place.1), category, text, self_handled)
    }

    /// The same at a place of one's choice: longitude and latitude in degrees.
    pub(super) fn report_at(
        &self,
        number: u8,
        (lon, lat): (&str, &str),
        category: &str,
        text: &str,
        self_handled: bool,
    ) -> String {
        let photo = |role: &str, seed| {
            let path = self.scene.photo(&format!("{number}-{role}.jpg"), seed, 640, 480);
            path.to_str().unwrap().to_owned()
        };
        let before = photo("before", number.wrapping_mul(2));
        let mut args = vec!["--category", category, "--lon", lon, "--lat", lat, "--text", text, "--photo", &before];
        let after = self_handled.then(|| photo("after", number.wrapping_mul(2) + 1));
        match &after {
            Some(after) => args.extend(["--after", after.as_str(), "--self-handled"]),
            None => args.push("--forward"),
        }
        self.phone.run("report", &args)["id"].as_str().unwrap().to_owned()
    }

    /// The JSON API as the reviewer.
    pub(super) async fn api(&self, user: &Value) -> Api {
        Api::sign_in(&self.server.url, user["user"].as_str().unwrap(), user["password"].as_str().unwrap()).await
    }

    /// Waits until a case stands so: a void from the console takes ten seconds.
    pub(super) async fn settled(&self, case: &str, state: &str) -> Value {
        let (desk, deadline) = (self.api(&self.reviewer).await, Instant::now() + Duration::from_secs(60));
        loop {
            let found = desk.get_json(&format!("/v1/cases/{case}")).await;
            if found["state"] == state {
                return found;
            }
            assert!(Instant::now() < deadline, "{case} is not {state} but {}", found["state"]);
            tokio::task::yield_now().await;
        }
    }

    /// A case as the phone shows it.
    pub(super) fn on_phone(&self, case: &str) -> Value {
        self.phone.run("show", &[case])
    }
}
