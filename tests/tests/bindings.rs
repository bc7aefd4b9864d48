//! The border to other languages: records, refusals, listeners, lifetimes.

use std::process::Command;

use serde_json::{Value, json};
use xunge_tests::http::Api;
use xunge_tests::process::{Server, binary};
use xunge_tests::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_python_app_reports_and_syncs_through_the_binding() {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (reviewer, inspector) = scene.pair();
    let library = binary("libxunge_mobile.so");
    let generated = scene.folder.path().join("python");
    let status = Command::new(binary("uniffi-bindgen"))
        .args(["generate", "--library", library.to_str().unwrap(), "--language", "python", "--no-format"])
        .args(["--out-dir", generated.to_str().unwrap()])
        .status()
        .unwrap();
    assert!(status.success());
    // The generated module loads the library from its own folder.
    std::fs::copy(&library, generated.join("libxunge_mobile.so")).unwrap();
    let story = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../mobile-bindings/python/story.py");
    let (before, after) = (scene.photo("before.jpg", 1, 640, 480), scene.photo("after.jpg", 2, 640, 480));
    let output = Command::new("python3")
        .env("PYTHONPATH", &generated)
        .arg(story)
        .arg(scene.folder.path().join("phone"))
        .arg(&server.url)
        .arg(inspector["enrol_code"].as_str().unwrap())
        .args([before, after])
        .output()
        .expect("python3 runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (member, expected) in [
        ("bad_id", json!("bad_id")),
        ("unknown_case", json!("unknown_case")),
        ("key_without_encryption", json!("not_encrypted")),
        ("user_before", Value::Null),
        ("user", inspector["user"].clone()),
        ("saved", json!(["submitted", 2, true])),
        ("ticks_saved", json!([true, false, false, 0, 2])),
        ("pin", json!(["manual", null])),
        ("waiting", json!([1, 2])),
        ("no_such_file", json!("no_such_file")),
        ("rescued", json!([1, 1, 2, 0])),
        ("after", json!([0, 0])),
        ("ended", json!("no_network")),
        ("summary_drained", json!([true, null])),
        ("state", json!("reported")),
        ("coord_sys", json!("gcj02")),
        ("fix", json!(["gps", 4])),
        ("ticks_sent", json!([true, true, false, 2, 2])),
        ("trace", json!(true)),
        ("draft_keeps_a_wipe_away", json!("unsent")),
        ("refused_texts", json!([])),
    ] {
        assert_eq!(told[member], expected, "{member} of {told}");
    }
    let office =
        Api::sign_in(&server.url, reviewer["user"].as_str().unwrap(), reviewer["password"].as_str().unwrap()).await;
    let case = office.get_json("/v1/cases?state=reported").await;
    assert_eq!(case["items"][0]["id"], told["id"]);
    assert_eq!(case["items"][0]["photos"], json!({"expected": 2, "present": 2}));
}
