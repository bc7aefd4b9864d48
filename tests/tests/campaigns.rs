//! Small runs of what `figures -- crash`, `sync` and `server` run at length.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use xunge_tests::process::{Server, binary, run};
use xunge_tests::scene::Scene;
use xunge_tests::{cuts, drops, kills, rollbacks, rush};

#[test]
fn real_processes_killed_at_random_moments_lose_nothing() {
    let killed = kills::run(3, 45, 1);
    assert!(killed.phones >= 30 && killed.servers >= 15, "{killed:?}");
    assert_eq!((killed.tally.lost, killed.tally.wrong, killed.photos_missing), (0, 0, 0), "{killed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_answers_cut_at_any_byte_double_nothing() {
    let torn = cuts::run(4, 200, 1).await;
    assert!(torn.cut >= 200 && torn.tally.saved > 20, "{torn:?}");
    assert_eq!((torn.tally.lost, torn.tally.wrong, torn.stuck, torn.photos_missing), (0, 0, 0, 0), "{torn:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_put_back_to_older_backups_gets_every_report_again_within_two_contacts() {
    let back = rollbacks::run(3, 8, 1).await;
    assert_eq!(back.rollbacks, 8);
    assert_eq!((back.missing, back.slow, back.decisions_lost), (0, 0, 0), "{back:?}");
    assert_eq!((back.tally.lost, back.tally.wrong, back.photos_missing), (0, 0, 0), "{back:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_answer_is_lost_two_further_requests_are_enough() {
    let (calm, drops) = drops::every_answer(0).await;
    assert_eq!(drops.len() as u64, calm.requests);
    for drop in &drops {
        assert!(drop.converged && drop.further <= drops::ALLOWED, "{drop:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_street_that_comes_back_at_once_is_drained() {
    let rush = rush::run(30, 5).await;
    assert_eq!((rush.tally.saved, rush.tally.lost, rush.tally.wrong, rush.undrained), (150, 0, 0, 0), "{rush:?}");
    assert!(rush.answers.keys().all(|status| [200, 204, 429, 503].contains(status)), "{:?}", rush.answers);
}

#[test]
fn a_weak_link_by_hand_says_where_it_listens_and_what_it_carried() {
    let scene = Scene::new();
    let server = Server::start(&scene.data());
    let (_, inspector) = scene.pair();
    let mut child = Command::new(binary("weaklink"))
        .args(["--to", server.address(), "--profile", "lift", "--delay", "1", "--stall", "3600+1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    lines.read_line(&mut line).unwrap();
    let said: Value = serde_json::from_str(&line).unwrap();
    scene.enrol(said["listening"].as_str().unwrap(), inspector, "phone");
    assert!(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success());
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(child.wait().unwrap().success());
    let carried = serde_json::from_str::<Value>(&rest).unwrap()["carried"].clone();
    assert!(carried["up"].as_u64() > Some(500) && carried["down"].as_u64() > Some(500), "{carried}");
    assert_eq!((&carried["cuts"], &carried["answers_cut"]), (&json!(0), &json!(0)));
}

#[test]
fn a_weak_link_leaves_this_machine_alone() {
    for args in [["--to", "192.0.2.1:80"], ["--to", "example.org:80"], ["--to", "nonsense"]] {
        let refused = run("weaklink", &args);
        assert_eq!(refused.status.code(), Some(2), "{args:?}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("127.0.0.1:8080"), "the way out is named");
    }
}
