//! One case from a dead spot to the published figure, with real processes.

use serde_json::{Value, json};
use xunge_tests::http::Api;
use xunge_tests::process::{Phone, Server, json_of, run, run_json};
use xunge_tests::scene::Scene;

/// The figures of the reviewer's own unit, wherever its inspectors found things.
fn own_counts(reviewer: &Value) -> String {
    format!("/v1/counts?scope={}", reviewer["unit"].as_str().unwrap())
}

async fn detail(api: &Api, case: &str) -> Value {
    api.get_json(&format!("/v1/cases/{case}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_made_without_network_reaches_the_published_count() {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (reviewer, inspector) = scene.pair();
    let phone = scene.enrol(&server.url, inspector, "phone");
    let address = server.address().to_owned();
    assert_eq!(server.stop(), Some(0), "SIGTERM ends the server well");

    // No server anywhere: the report is saved all the same.
    let (before, after) = (scene.photo("before.jpg", 1, 900, 1200), scene.photo("after.jpg", 2, 900, 1200));
    let (before, after) = (before.to_str().unwrap(), after.to_str().unwrap());
    let kept = phone.report("小区东门外暴露垃圾约两平方米,已清理干净", before, Some(after));
    let voided = phone.report("路边一处空地,疑似测试上报", before, None);
    let offline = phone.try_run("sync", &[]);
    assert_eq!(offline.status.code(), Some(1), "offline is said with exit code 1");
    let status = phone.run("status", &[]);
    assert_eq!(status["unsent"]["cases"], 2);
    assert!(
        status["items"].as_array().unwrap().iter().all(|item| item["on_phone"] == true && item["on_server"] == false)
    );

    let server = Server::start_on(&scene.data(), &address);
    let sent = phone.drain(3);
    assert_eq!(sent["rejected"], json!([]));
    let status = phone.run("status", &[]);
    assert_eq!(status["unsent"], json!({"cases": 0, "photos": 0}));

    let office =
        Api::sign_in(&server.url, reviewer["user"].as_str().unwrap(), reviewer["password"].as_str().unwrap()).await;
    let waiting = office.get_json("/v1/cases?state=reported").await;
    assert_eq!(waiting["items"].as_array().unwrap().len(), 2);
    let case = detail(&office, &kept).await;
    let version = case["version"].as_u64().or(case["case"]["version"].as_u64()).unwrap_or(1);
    let approve = json!({"verb": "approve_self_handled", "expected_version": version});
    let first = office.event(&kept, "k-approve", &approve).await;
    assert_eq!(first.status, 201, "{}", String::from_utf8_lossy(&first.body));
    let again = office.event(&kept, "k-approve", &approve).await;
    assert_eq!((again.status, again.json()), (200, first.json()), "a repeat answers the same");
    let late = office.event(&kept, "k-late", &json!({"verb": "void", "expected_version": 1, "reason": "test"})).await;
    assert_eq!(late.status, 409, "{}", String::from_utf8_lossy(&late.body));
    let no_reason = office.event(&voided, "k-void-0", &json!({"verb": "void", "expected_version": 1})).await;
    assert_eq!(no_reason.status, 422, "{}", String::from_utf8_lossy(&no_reason.body));
    let void = json!({"verb": "void", "expected_version": 1, "reason": "not_in_scope"});
    assert_eq!(office.event(&voided, "k-void", &void).await.status, 201);

    // The phone sees the decisions and the reason.
    phone.drain(3);
    assert_eq!(phone.run("show", &[&kept])["ledger"]["state"], "closed");
    let shown = phone.run("show", &[&voided]);
    assert_eq!((&shown["ledger"]["state"], &shown["ledger"]["void_reason"]), (&json!("void"), &json!("not_in_scope")));

    let total = office.get_json(&own_counts(reviewer)).await["total"].clone();
    for (member, expected) in [
        ("reported", json!(2)),
        ("self_handled", json!(1)),
        ("forwarded", json!(1)),
        ("void", json!(1)),
        ("filed", json!(1)),
        ("pending", json!(0)),
        ("closed", json!(2)),
        ("case_closed", json!(1)),
        ("close_rate", json!("100.00")),
    ] {
        assert_eq!(total[member], expected, "{member} of {total}");
    }
    assert_eq!(server.stop(), Some(0));
    let verified = run_json("xunge-server", &["verify", "--data", scene.data().to_str().unwrap(), "--json"]);
    assert_eq!((&verified["ok"], &verified["differences"]), (&json!(true), &json!([])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_self_handled_claim_without_its_after_photo_stays_pending() {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (reviewer, inspector) = scene.pair();
    let phone = scene.enrol(&server.url, inspector, "phone");
    let before = scene.photo("before.jpg", 1, 400, 300);
    let args = [
        "--category",
        "暴露垃圾",
        "--lon",
        "106.10",
        "--lat",
        "38.50",
        "--photo",
        before.to_str().unwrap(),
        "--text",
        "自处但缺处置后照片",
        "--self-handled",
    ];
    let case = phone.run("report", &args)["id"].as_str().unwrap().to_owned();
    phone.drain(3);
    let office =
        Api::sign_in(&server.url, reviewer["user"].as_str().unwrap(), reviewer["password"].as_str().unwrap()).await;
    let refused = office.event(&case, "k", &json!({"verb": "approve_self_handled", "expected_version": 1})).await;
    assert_eq!(refused.json()["code"], "no_after_photo", "{}", String::from_utf8_lossy(&refused.body));
    let total = office.get_json(&own_counts(reviewer)).await["total"].clone();
    assert_eq!((&total["self_handled"], &total["pending"]), (&json!(1), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_claims_are_accepted_and_flagged() {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (reviewer, inspector) = scene.pair();
    let phone = scene.enrol(&server.url, inspector, "phone");
    let args = [
        "--category",
        "没有的类别:event:99999",
        "--lon",
        "0",
        "--lat",
        "0",
        "--text",
        "位置在所有网格之外",
        "--forward",
    ];
    let case = phone.run("report", &args)["id"].as_str().unwrap().to_owned();
    phone.drain(3);
    let office =
        Api::sign_in(&server.url, reviewer["user"].as_str().unwrap(), reviewer["password"].as_str().unwrap()).await;
    let listed = office.get_json("/v1/cases?state=reported").await;
    let item = listed["items"].as_array().unwrap().iter().find(|item| item["id"] == *case).expect("nothing is lost");
    let flags = item["flags"].to_string();
    assert!(flags.contains("grid") && flags.contains("category"), "{flags}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grid_that_is_taken_away_is_off_the_phone_after_one_request() {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (reviewer, inspector) = scene.pair();
    let reporter = scene.enrol(&server.url, inspector, "reporter");
    let before = scene.photo("before.jpg", 1, 400, 300);
    let case = reporter.report("网格边上的一堆垃圾", before.to_str().unwrap(), None);
    reporter.drain(3);
    let office =
        Api::sign_in(&server.url, reviewer["user"].as_str().unwrap(), reviewer["password"].as_str().unwrap()).await;
    let grid = detail(&office, &case).await["grid"].as_str().expect("it lies in a grid").to_owned();

    // Somebody of that street who does not walk the grid, and now does.
    let data = scene.data();
    let walks = |user: &Value, grids: &[&str]| {
        let args = ["user", "grids", "--data", data.to_str().unwrap(), "--json", user["user"].as_str().unwrap()];
        run_json("xunge-server", &[&args, grids].concat())
    };
    let unit = format!("U{}", &grid[..9]);
    let mut colleagues = scene.users("inspector").into_iter();
    let (colleague, own) = colleagues
        .find_map(|user| {
            (user["unit"] == *unit && user["user"] != inspector["user"]).then_some(())?;
            let own: Vec<String> = serde_json::from_value(walks(user, &[&grid])["before"].clone()).ok()?;
            (!own.contains(&grid)).then_some((user, own))
        })
        .expect("a colleague in the street");
    let phone = scene.enrol(&server.url, colleague, "colleague");
    phone.drain(3);
    let case = case.parse().unwrap();
    assert!(phone.cases().contains(&case));

    walks(colleague, &own.iter().map(String::as_str).collect::<Vec<_>>());
    let synced = phone.run("sync", &[]);
    assert_eq!(synced["requests"], 1, "{synced}");
    assert!(!phone.cases().contains(&case), "it is off the phone");
    assert!(reporter.cases().contains(&case), "who reported it keeps it");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn wrong_use_is_answered_with_the_way_out() {
    let scene = Scene::new();
    let data = scene.data();
    let again = run("xunge-server", &["init", "--data", data.to_str().unwrap(), "--example", "xixia", "--json"]);
    assert_eq!(again.status.code(), Some(1), "a folder that is not empty");
    let error = serde_json::from_slice::<Value>(&again.stdout)
        .or_else(|_| serde_json::from_slice::<Value>(&again.stderr))
        .expect("an error document");
    for member in ["code", "message", "hint", "subject"] {
        assert!(error["error"][member].is_string(), "{member} of {error}");
    }
    assert_eq!(run("xunge-server", &["serve", "--no-such-flag"]).status.code(), Some(2));
    let phone = Phone { store: scene.folder.path().join("nobody") };
    assert_ne!(phone.try_run("show", &["01HF0000000000000000000000"]).status.code(), Some(0));
    assert_eq!(phone.try_run("show", &[]).status.code(), Some(2));
    let status = phone.try_run("status", &[]);
    if status.status.success() {
        assert_eq!(json_of(&status)["unsent"]["cases"], 0);
    }
}
