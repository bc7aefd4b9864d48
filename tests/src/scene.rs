//! The example district in a fresh folder, with its log-ins, and phones of its inspectors.

use std::path::{Path, PathBuf};

use serde_json::Value;
use xunge_server::auth::enrol;
use xunge_server::clock::Security;
use xunge_server::store::{Options, Store, StoreError};

use crate::process::{Phone, run_json};

/// What `init --example xixia` answered, and where.
#[derive(Debug)]
pub struct Scene {
    /// Everything lives here; removed at the end.
    pub folder: tempfile::TempDir,
    /// The answer of `init`.
    pub init: Value,
}

impl Scene {
    /// A fresh district.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let init =
            run_json("xunge-server", &["init", "--data", data.to_str().unwrap(), "--example", "xixia", "--json"]);
        Self { folder, init }
    }

    /// The server's data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Users of a role, in the order `init` named them.
    pub fn users(&self, role: &str) -> Vec<&Value> {
        self.init["users"].as_array().unwrap().iter().filter(|user| user["role"] == role).collect()
    }

    /// A reviewer and an inspector of the same unit: (reviewer, inspector).
    pub fn pair(&self) -> (&Value, &Value) {
        self.pairs()[0]
    }

    /// All inspectors whose unit has a reviewer, each with one: (reviewer, inspector). There is at least one.
    pub fn pairs(&self) -> Vec<(&Value, &Value)> {
        let reviewers = self.users("town_office");
        let with_reviewer = self.users("inspector").into_iter().filter_map(|inspector| {
            let own = reviewers.iter().find(|reviewer| reviewer["unit"] == inspector["unit"])?;
            Some((*own, inspector))
        });
        let pairs: Vec<(&Value, &Value)> = with_reviewer.collect();
        assert!(!pairs.is_empty(), "the example has a reviewer for some inspector's unit");
        pairs
    }

    /// One more enrolment code for a user.
    pub fn code(&self, user: &Value) -> String {
        let data = self.data();
        let user = user["user"].as_str().unwrap();
        let args = ["device", "enrol-code", "--data", data.to_str().unwrap(), "--user", user, "--json"];
        run_json("xunge-server", &args)["code"].as_str().unwrap().to_owned()
    }

    /// `count` enrolment codes, for these users in turn, made at once.
    pub fn codes(&self, users: &[&Value], count: usize) -> Vec<String> {
        let names = users.iter().map(|user| user["user"].as_str().unwrap().to_owned()).cycle().take(count);
        let all: Vec<(String, String)> = names.map(|name| (name, enrol::new_code())).collect();
        let codes = all.iter().map(|(_, code)| code.clone()).collect();
        let options = Options { create: false, inline: true, ..Options::default() };
        let store = Store::open(&self.data().join("xunge.db"), &options).unwrap();
        let write = store.write_blocking::<(), StoreError, _>(move |tx| {
            Box::pin(async move {
                for (user, code) in &all {
                    enrol::add_code(tx, user, code, Security.now()).await?;
                }
                Ok(())
            })
        });
        write.unwrap();
        codes
    }

    /// A phone enrolled for `user` at `url`.
    pub fn enrol(&self, url: &str, user: &Value, store: &str) -> Phone {
        let phone = Phone { store: self.folder.path().join(store) };
        let code = user["enrol_code"].as_str().expect("an inspector has an enrol code");
        phone.run("enrol", &["--server", url, "--code", code]);
        phone
    }

    /// Writes a real JPEG of that many pixels; `seed` makes it different from others.
    pub fn photo(&self, name: &str, seed: u8, width: u32, height: u32) -> PathBuf {
        let path = self.folder.path().join(name);
        write_jpeg(&path, seed, width, height);
        path
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

/// A JPEG with structure and noise, so that its size is that of a real scene.
pub fn write_jpeg(path: &Path, seed: u8, width: u32, height: u32) {
    let mut noise = u32::from(seed) * 2_654_435_761 + 1;
    let pixels: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .flat_map(|(x, y)| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (noise >> 28) as u8;
            [
                (x * 255 / width) as u8 ^ seed,
                (y * 255 / height) as u8,
                ((x / 16 + y / 16 + u32::from(seed)) % 7 * 30) as u8 + grain,
            ]
        })
        .collect();
    let file = std::fs::File::create(path).unwrap();
    let encoder = jpeg_encoder::Encoder::new(file, 85);
    encoder.encode(&pixels, width as u16, height as u16, jpeg_encoder::ColorType::Rgb).unwrap();
}
