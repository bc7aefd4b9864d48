//! A phone that can not sync any more: its reports leave as a sealed file, by whatever way.

use serde_json::json;
use xunge_tests::http::Api;
use xunge_tests::process::{Server, json_of, run_json};
use xunge_tests::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_rescue_bundle_carried_by_a_colleague_brings_reports_and_photos_once_however_often_it_arrives() {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (reviewer, inspector) = scene.pair();
    let broken = scene.enrol(&server.url, inspector, "broken");
    let (before, after) = (scene.photo("before.jpg", 1, 900, 1200), scene.photo("after.jpg", 2, 900, 1200));
    let (before, after) = (before.to_str().unwrap(), after.to_str().unwrap());
    let kept = broken.report("小区东门外暴露垃圾,已清理", before, Some(after));
    broken.report("路边废弃家具", before, None);

    let file = scene.folder.path().join("bundle.xunge");
    let path = file.to_str().unwrap();
    let written = broken.run("rescue", &["--out", path]);
    assert_eq!((&written["cases"], &written["photos"], &written["unreadable"]), (&json!(2), &json!(2), &json!(0)));
    assert_eq!(written["files"], json!([path]));
    let bytes = std::fs::read(&file).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("垃圾"), "nobody on the way can read it");

    // The colleague's phone is not even enrolled.
    let colleague = xunge_tests::process::Phone { store: scene.folder.path().join("colleague") };
    for _ in 0..3 {
        assert_eq!(colleague.run("carry", &[path, "--server", &server.url])["received"], true);
    }
    let office =
        Api::sign_in(&server.url, reviewer["user"].as_str().unwrap(), reviewer["password"].as_str().unwrap()).await;
    let arrived = office.get_json("/v1/cases?state=reported").await;
    assert_eq!(arrived["items"].as_array().unwrap().len(), 2);
    let case = office.get_json(&format!("/v1/cases/{kept}")).await;
    assert!(case.to_string().contains("已清理"), "{case}");
    let item = arrived["items"].as_array().unwrap().iter().find(|item| item["id"] == kept).unwrap();
    assert_eq!(item["photos"], json!({"expected": 2, "present": 2}));

    // The phone works again after all: it learns that everything is there, and sends no photo a second time.
    let synced = broken.drain(3);
    assert_eq!((&synced["rejected"], &synced["drained"]), (&json!([]), &json!(true)));
    assert_eq!(broken.run("status", &[])["unsent"], json!({"cases": 0, "photos": 0}));
    assert_eq!(office.get_json("/v1/cases?state=reported").await["items"].as_array().unwrap().len(), 2);
    let empty = broken.run("rescue", &["--out", path]);
    assert_eq!((&empty["files"], &empty["cases"]), (&json!([]), &json!(0)), "nothing waits any more");

    assert_eq!(server.stop(), Some(0));
    let verified = run_json("xunge-server", &["verify", "--data", scene.data().to_str().unwrap(), "--json"]);
    assert_eq!((&verified["ok"], &verified["differences"]), (&json!(true), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_of_a_revoked_phone_is_put_aside_and_one_of_another_server_is_refused() {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (reviewer, inspector) = scene.pair();
    let phone = scene.enrol(&server.url, inspector, "phone");
    let before = scene.photo("before.jpg", 1, 400, 300);
    phone.report("井盖松动", before.to_str().unwrap(), None);
    let file = scene.folder.path().join("bundle.xunge");
    let path = file.to_str().unwrap();
    phone.run("rescue", &["--out", path]);

    let elsewhere = Scene::new();
    let other = Server::start(&elsewhere.data());
    let refused = phone.try_run("carry", &[path, "--server", &other.url]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(json_of(&refused)["error"]["code"], "rescue_not_ours");

    let data = scene.data();
    let device = phone.run("status", &[])["device_id"].as_str().unwrap().to_owned();
    run_json("xunge-server", &["device", "revoke", &device, "--data", data.to_str().unwrap(), "--json"]);
    assert_eq!(phone.run("carry", &[path, "--server", &server.url])["received"], true);
    let office =
        Api::sign_in(&server.url, reviewer["user"].as_str().unwrap(), reviewer["password"].as_str().unwrap()).await;
    assert_eq!(office.get_json("/v1/cases?state=reported").await["items"], json!([]), "an administrator decides");
    let quarantine = |words: &[&str]| {
        run_json("xunge-server", &[&["quarantine"], words, &["--data", data.to_str().unwrap(), "--json"]].concat())
    };
    let listed = quarantine(&["list"])["quarantine"].clone();
    let (kind, code, id) = (&listed[0]["kind"], &listed[0]["code"], listed[0]["id"].as_str().unwrap());
    assert_eq!((kind, code, listed.as_array().unwrap().len()), (&json!("bundle"), &json!("device_revoked"), 1));
    assert_eq!(listed[0]["bytes"], std::fs::metadata(&file).unwrap().len());
    let copy = scene.folder.path().join("copy.xunge");
    quarantine(&["show", id, "--out", copy.to_str().unwrap()]);
    assert_eq!(std::fs::read(&copy).unwrap(), std::fs::read(&file).unwrap());

    // While the server runs.
    let released = quarantine(&["release", id]);
    assert_eq!((&released["released"], &released["cases"], &released["photos"]), (&json!(true), &json!(1), &json!(1)));
    let arrived = office.get_json("/v1/cases?state=reported").await["items"].clone();
    assert_eq!((arrived.as_array().unwrap().len(), &arrived[0]["photos"]), (1, &json!({"expected": 1, "present": 1})));
    assert_eq!(quarantine(&["list"])["quarantine"], json!([]), "what was released waits no more");

    // The same bundle again, and dropped this time.
    assert_eq!(phone.run("carry", &[path, "--server", &server.url])["received"], true);
    let again = quarantine(&["list", "--device", &device])["quarantine"][0]["id"].as_str().unwrap().to_owned();
    quarantine(&["drop", &again, "--reason", "had been released"]);
    assert_eq!(quarantine(&["list"])["quarantine"], json!([]));
    assert_eq!(server.stop(), Some(0));
    let verified = run_json("xunge-server", &["verify", "--data", data.to_str().unwrap(), "--json"]);
    assert_eq!((&verified["ok"], &verified["differences"]), (&json!(true), &json!([])));
}
