//! A category is retired while phones are out.

use serde_json::json;
use xunge_tests::http::Api;
use xunge_tests::process::{Server, json_of, run_json};
use xunge_tests::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_retired_category_is_refused_by_a_phone_that_has_heard_of_it_and_never_by_the_server() {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (reviewer, inspector) = scene.pair();
    let phone = scene.enrol(&server.url, inspector, "phone");
    phone.drain(3);
    let photo = scene.photo("before.jpg", 1, 900, 1200);
    let photo = photo.to_str().unwrap();
    let kept = phone.report("巷口暴露垃圾", photo, None);

    let data = scene.data();
    let data = data.to_str().unwrap();
    let printed =
        run_json("xunge-server", &["categories", "export", "--data", data, "--scheme", "xixia-2023", "--json"]);
    let text = printed["csv"].as_str().unwrap();
    let line = text.lines().find(|line| line.contains(",XX0201,")).unwrap();
    let next = text.replace(line, &format!("{}yes", line.strip_suffix("no").unwrap()));
    let file = scene.folder.path().join("next.csv");
    std::fs::write(&file, next).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(run_json("xunge-server", &["categories", "apply", "--data", data, file, "--json"])["changed"], true);

    let sent = phone.drain(3);
    assert_eq!((&sent["rejected"], &sent["drained"]), (&json!([]), &json!(true)), "what was reported is taken");
    let args = ["--category", "暴露垃圾", "--lon", "106.10", "--lat", "38.50", "--text", "又有垃圾", "--forward"];
    let refused = phone.try_run("draft", &args);
    let error = json_of(&refused)["error"].clone();
    assert_eq!((refused.status.code(), &error["code"]), (Some(1), &json!("retired_category")), "{error}");
    let office =
        Api::sign_in(&server.url, reviewer["user"].as_str().unwrap(), reviewer["password"].as_str().unwrap()).await;
    let case = office.get_json(&format!("/v1/cases/{kept}")).await;
    assert!(case.to_string().contains("xixia-2023:event:XX0201") && !case.to_string().contains("unknown_category"));
    let of_it = office.get_json("/v1/cases?category=xixia-2023:event:XX0201").await;
    assert_eq!(of_it["items"].as_array().unwrap().len(), 1);
    let verified = run_json("xunge-server", &["verify", "--data", data, "--json"]);
    assert_eq!((&verified["ok"], &verified["differences"]), (&json!(true), &json!([])));
}
