//! The binary as a process: exit codes, what it prints, how it ends.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

const BINARY: &str = env!("CARGO_BIN_EXE_xunge-server");
const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/examples/org.json");

fn run(args: &[&str]) -> Output {
    Command::new(BINARY).args(args).env("LC_ALL", "C").output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!("{error}: {} {}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    })
}

/// Runs a command that has to end well.
pub(crate) fn ok(args: &[&str]) -> Value {
    let output = run(args);
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    json(&output)
}

/// Runs a command that has to fail; gives its exit code and the error's code.
pub(crate) fn fails(args: &[&str]) -> (Option<i32>, String) {
    let output = run(args);
    (output.status.code(), json(&output)["error"]["code"].as_str().unwrap_or_default().to_owned())
}

pub(crate) struct Served {
    child: Child,
    address: String,
    rest: BufReader<std::process::ChildStdout>,
}

impl Served {
    pub(crate) fn start(data: &str) -> Self {
        let mut child = Command::new(BINARY)
            .args(["serve", "--data", data, "--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut rest = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        rest.read_line(&mut line).unwrap();
        let listening: Value = serde_json::from_str(&line).unwrap();
        let address = listening["listening"].as_str().unwrap().strip_prefix("http://").unwrap().to_owned();
        Self { child, address, rest }
    }

    /// Sends one request on a connection of its own and reads the whole answer.
    fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn get(&self, path: &str, headers: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}\r\n"))
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Value {
        let length = body.len();
        let head = "host: x\r\nconnection: close\r\ncontent-type: application/json\r\n";
        let answer = self.ask(&format!("POST {path} HTTP/1.1\r\n{head}content-length: {length}\r\n\r\n{body}"));
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Sends a signal; gives the exit code and how long it took.
    fn signal(mut self, name: &str) -> (Option<i32>, Duration) {
        let began = Instant::now();
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap().success());
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let mut rest = String::new();
                self.rest.read_to_string(&mut rest).unwrap();
                assert_eq!(rest, "", "stdout holds the address and nothing else");
                return (status.code(), began.elapsed());
            }
            assert!(began.elapsed() < Duration::from_secs(10), "the server did not end within ten seconds");
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn data(folder: &tempfile::TempDir) -> String {
    folder.path().join("data").to_str().unwrap().to_owned()
}

#[test]
fn init_serve_sign_in_stop() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let init = ok(&["init", "--data", &data, "--org", EXAMPLE, "--json"]);
    assert_eq!(init["data"], data.as_str());
    let users = init["users"].as_array().unwrap();
    for user in users {
        let inspector = user["role"] == "inspector";
        assert_eq!((user["password"].is_string(), user["enrol_code"].is_string()), (!inspector, inspector), "{user}");
        assert!(user["scope"].is_string() && user.get("unit").is_some());
    }
    assert_eq!(init["admin"]["user"], "admin");

    let server = Served::start(&data);
    assert!(server.get("/healthz", "").starts_with("HTTP/1.1 200"));
    let password = &init["admin"]["password"];
    let grant = format!("{{\"grant\":\"password\",\"user\":\"admin\",\"password\":{password}}}");
    let token = server.post("/v1/auth/token", &grant);
    let bearer = format!("authorization: Bearer {}\r\n", token["access_token"].as_str().unwrap());
    assert!(server.get("/v1/me", &bearer).contains("\"user\":\"admin\""));

    // What the command line does beside a running server acts at once.
    assert_eq!(ok(&["user", "disable", "admin", "--data", &data, "--json"])["disabled"], true);
    assert!(server.get("/v1/me", &bearer).starts_with("HTTP/1.1 401"));
    assert_eq!(fails(&["serve", "--data", &data, "--json"]), (Some(1), "data_dir_in_use".into()));

    // Whoever listens for news does not hold the server up.
    let leader = users.iter().find(|user| user["role"] == "duty_leader").unwrap();
    let grant = format!("{{\"grant\":\"password\",\"user\":{},\"password\":{}}}", leader["user"], leader["password"]);
    let token = server.post("/v1/auth/token", &grant);
    let mut listening = TcpStream::connect(&server.address).unwrap();
    let bearer = format!("authorization: Bearer {}", token["access_token"].as_str().unwrap());
    write!(listening, "GET /v1/events/stream HTTP/1.1\r\nhost: x\r\n{bearer}\r\n\r\n").unwrap();
    let mut heard = String::new();
    let mut lines = BufReader::new(&listening);
    while !heard.contains("event: moved") {
        assert_ne!(lines.read_line(&mut heard).unwrap(), 0, "{heard}");
    }

    let (code, took) = server.signal("-TERM");
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(5), "it did not wait for the stream: {took:?}");
    assert!(!Path::new(&format!("{data}/xunge.db-wal")).exists(), "the log is emptied into the database");
}

#[test]
fn an_interrupt_ends_the_server_while_a_request_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    ok(&["init", "--data", &data, "--org", EXAMPLE, "--json"]);
    let server = Served::start(&data);
    let mut hanging = TcpStream::connect(&server.address).unwrap();
    hanging.write_all(b"POST /v1/auth/token HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n").unwrap();
    hanging.write_all(b"content-length: 100\r\n\r\n{").unwrap();
    assert!(server.get("/healthz", "").starts_with("HTTP/1.1 200"));
    let (code, took) = server.signal("-INT");
    assert_eq!(code, Some(0), "after {took:?}");
}

#[test]
fn init_leaves_a_folder_with_anything_in_it_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("letter.txt"), "dear").unwrap();
    let path = folder.path().to_str().unwrap();
    assert_eq!(
        fails(&["init", "--data", path, "--example", "xixia", "--json"]),
        (Some(1), "data_dir_not_empty".into())
    );
    assert_eq!(std::fs::read_dir(path).unwrap().count(), 1);
}

#[test]
fn a_broken_org_file_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("org.json");
    std::fs::write(&file, "{\"format\": \"xunge-org/1\", \"plces\": []}").unwrap();
    let args = ["init", "--data", &data(&folder), "--org", file.to_str().unwrap(), "--json"];
    assert_eq!(fails(&args), (Some(1), "org_json".into()));
    assert!(!folder.path().join("data").exists());
}

#[test]
fn misuse_ends_with_two() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    for (args, code) in [
        (vec!["migrate", "--data", &data, "--json"], "not_built_yet"),
        (vec!["import", "--from", "x", "--json"], "not_built_yet"),
        (vec!["backup", "--data", &data, "--json"], "usage"),
        (vec!["serve", "--data", &data, "--database-url", "postgres://h/d", "--json"], "not_built_yet"),
        (vec!["init", "--data", &data, "--example", "xixia", "--blobs", "s3://b", "--json"], "not_built_yet"),
        (vec!["init", "--data", &data, "--json"], "usage"),
        (vec!["init", "--data", &data, "--example", "atlantis", "--json"], "usage"),
        (vec!["serve", "--json"], "usage"),
        (vec!["sing", "--json"], "usage"),
        (vec!["--json"], "usage"),
    ] {
        assert_eq!(fails(&args), (Some(2), code.into()), "{args:?}");
    }
    assert!(!folder.path().join("data").exists());
    let config = folder.path().join("xunge.toml");
    std::fs::write(&config, "lisen = '127.0.0.1:0'").unwrap();
    let output = run(&["serve", "--data", &data, "--config", config.to_str().unwrap(), "--json"]);
    assert_eq!((output.status.code(), &json(&output)["error"]["code"]), (Some(2), &"config".into()));
    assert!(json(&output)["error"]["message"].as_str().unwrap().contains("lisen"));
}

#[test]
fn users_and_phones_are_kept_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    ok(&["init", "--data", &data, "--org", EXAMPLE, "--json"]);
    let common = ["--data", &data, "--json"];
    let with = |args: &[&'static str]| [args, &common].concat();

    let office = ok(&with(&[
        "user",
        "add",
        "review-9",
        "--name",
        "审核员九",
        "--role",
        "town_office",
        "--scope",
        "640199001",
        "--unit",
        "U640199001",
    ]));
    assert!(office["password"].is_string() && office["enrol_code"].is_null());
    let inspector = ok(&with(&[
        "user",
        "add",
        "insp-9",
        "--name",
        "网格员九",
        "--role",
        "inspector",
        "--scope",
        "640199001",
        "--unit",
        "U640199001",
        "--grid",
        "640199001001001",
    ]));
    assert!(inspector["password"].is_null() && inspector["enrol_code"].is_string());
    for (args, code) in [
        (vec!["user", "add", "review-9", "--name", "x", "--role", "admin", "--scope", "640199"], "user_exists"),
        (vec!["user", "add", "x9", "--name", "x", "--role", "admin", "--scope", "640777"], "unknown_code"),
        (vec!["user", "add", "X 9", "--name", "x", "--role", "admin", "--scope", "640199"], "user_name"),
        (vec!["user", "add", "x9", "--name", "x", "--role", "inspector", "--scope", "640199"], "grid"),
        (vec!["user", "grids", "nobody", "640199001001001"], "unknown_user"),
        (vec!["user", "grids", "review-9", "640199001001001"], "no_inspector"),
        (vec!["user", "grids", "insp-9", "640199001001"], "grid_elsewhere"),
        (vec!["user", "disable", "nobody"], "unknown_user"),
        (vec!["user", "passwd", "nobody"], "unknown_user"),
        (vec!["device", "enrol-code", "--user", "nobody"], "unknown_user"),
        (vec!["device", "revoke", "01HF7YAT00WRN6SFNT6TCWJKXW"], "unknown_device"),
    ] {
        assert_eq!(fails(&with(&args)), (Some(1), code.into()), "{args:?}");
    }
    let grids = ["user", "grids", "insp-9", "640199001001002", "640199001001001"];
    let moved = ok(&with(&grids));
    assert_eq!((&moved["before"][0], &moved["grids"][1]), (&"640199001001001".into(), &"640199001001002".into()));
    assert_eq!(ok(&with(&grids))["changed"], false);
    let renamed = ok(&with(&["user", "change", "insp-9", "--name", "网格员玖"]));
    assert_eq!((&renamed["before"]["name"], &renamed["after"]["name"]), (&"网格员九".into(), &"网格员玖".into()));
    assert_eq!(renamed["after"]["grids"], moved["grids"], "what is not given stays");
    let elsewhere = ["user", "change", "insp-9", "--grid", "640199002001001"];
    assert_eq!(fails(&with(&elsewhere)), (Some(1), "unknown_code".into()));
    assert!(ok(&with(&["user", "passwd", "review-9"]))["password"].is_string());
    assert_eq!(ok(&with(&["user", "list"]))["users"].as_array().unwrap().len(), 12);
    let code = ok(&with(&["device", "enrol-code", "--user", "insp-9", "--server", "https://grid.example"]));
    assert!(code["code"].is_string() && code["link"].as_str().unwrap().starts_with("xunge://enrol?code="));
    assert_eq!(ok(&with(&["device", "list"]))["devices"], Value::Array(Vec::new()));
    assert_eq!(ok(&with(&["doctor"]))["ok"], true);
    assert_eq!(fails(&["doctor", "--data", "/nowhere", "--json"]), (Some(1), "no_data_dir".into()));
}

#[test]
fn another_org_tree_is_compared_and_put_in_force_beside_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    ok(&["init", "--data", &data, "--org", EXAMPLE, "--json"]);
    let server = Served::start(&data);
    let path = folder.path().join("next.json");
    let file = path.to_str().unwrap();
    let mut tree: Value = serde_json::from_str(&std::fs::read_to_string(EXAMPLE).unwrap()).unwrap();
    tree.as_object_mut().unwrap().remove("users");
    let save = |tree: &Value| std::fs::write(&path, tree.to_string()).unwrap();
    save(&tree);
    let check = ["org", "check", "--data", &data, file, "--json"];
    let apply = ["org", "apply", "--data", &data, file, "--json"];
    assert_eq!(ok(&check)["changes"], Value::Array(Vec::new()));
    assert_eq!(ok(&apply)["changed"], false);

    tree["places"][2]["name"] = "新名街道".into();
    save(&tree);
    let would = ok(&check);
    assert_eq!((&would["changes"][0]["what"], &would["changes"][0]["then"]), (&"name".into(), &"新名街道".into()));
    let words = run(&["org", "check", "--data", &data, file]);
    assert!(String::from_utf8_lossy(&words.stdout).contains("640199001\t新名街道\tname\t示例街道 -> 新名街道"));
    let done = ok(&apply);
    assert_eq!((&done["numbers"]["changed"], &done["reference_version"]), (&1.into(), &2.into()));
    assert_eq!(ok(&apply)["changed"], false, "the second time there is nothing to do");

    tree["places"].as_array_mut().unwrap().pop();
    save(&tree);
    let refused = run(&check);
    let would = json(&refused);
    assert_eq!((refused.status.code(), &would["refusals"][0]["reason"]), (Some(1), &"named".into()));
    assert_eq!(would["refusals"][0]["by"][0], "users");
    assert!(would["refusals"][0]["hint"].as_str().unwrap().contains("keep it in the file"));
    assert_eq!(fails(&apply), (Some(1), "org_refused".into()));
    tree["places"][0]["code"] = "6401".into();
    save(&tree);
    assert_eq!(fails(&check), (Some(1), "org_code".into()));
    assert_eq!(fails(&["org", "check", "--data", &data, "/nowhere.json", "--json"]), (Some(1), "org_file".into()));
    assert_eq!(ok(&["verify", "--data", &data, "--json"])["ok"], true);
    drop(server);
}

#[test]
fn category_trees_are_printed_changed_and_put_in_force_beside_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    ok(&["init", "--data", &data, "--org", EXAMPLE, "--json"]);
    let server = Served::start(&data);
    let path = folder.path().join("next.csv");
    let file = path.to_str().unwrap();
    let save = |text: &str| std::fs::write(&path, text).unwrap();
    let check = ["categories", "check", "--data", &data, file, "--json"];
    let apply = ["categories", "apply", "--data", &data, file, "--json"];
    let builtin = concat!(env!("CARGO_MANIFEST_DIR"), "/data/taxonomy.csv");
    let same = ok(&["categories", "check", "--data", &data, builtin, "--json"]);
    assert_eq!((&same["changes"], &same["refusals"]), (&Value::Array(Vec::new()), &Value::Array(Vec::new())));
    let own = ["categories", "export", "--data", &data, "--scheme", "xixia-2023"];
    let printed = || String::from_utf8(run(&own).stdout).unwrap();
    let text = printed();
    assert!(
        text.starts_with("scheme,kind,code,parent,name_zh,name_en,maps_to,self_handling,retired\nxixia-2023,event,")
    );
    let document = ok(&[&own[..], &["--json"]].concat());
    assert_eq!((document["csv"].as_str().unwrap(), &document["categories"]), (text.as_str(), &27.into()));
    let unknown = ["categories", "export", "--data", &data, "--scheme", "nowhere", "--json"];
    assert_eq!(fails(&unknown), (Some(1), "unknown_scheme".into()));
    save(&text);
    assert_eq!(ok(&apply)["changed"], false);

    let line = text.lines().find(|line| line.contains(",XX0205,")).unwrap();
    let retired = format!("{}yes", line.strip_suffix("no").unwrap());
    let added = "xixia-2023,event,XX0206,XX02,河道漂浮物,floating debris,,yes,no";
    save(&text.replace(line, &format!("{retired}\n{added}")));
    let would = ok(&check);
    let change = &would["changes"][0];
    assert_eq!((&change["code"], &change["what"]), (&"xixia-2023:event:XX0205".into(), &"retired".into()));
    assert_eq!((&change["now"], &change["then"]), (&"no".into(), &"yes".into()));
    let words = run(&["categories", "check", "--data", &data, file]);
    assert!(String::from_utf8_lossy(&words.stdout).contains("xixia-2023:event:XX0206\t河道漂浮物\tadded"));
    let done = ok(&apply);
    assert_eq!((&done["numbers"]["added"], &done["numbers"]["changed"]), (&1.into(), &1.into()));
    assert_eq!(done["reference_version"], 2);
    assert_eq!(ok(&apply)["changed"], false, "the second time there is nothing to do");
    assert!(printed().contains(&retired) && printed().contains(added));

    let national = ok(&["categories", "export", "--data", &data, "--scheme", "gb47678.5-2026", "--json"]);
    save(&national["csv"].as_str().unwrap().replace(",06010,06,暴露垃圾,", ",06010,06,垃圾,"));
    let refused = run(&check);
    let would = json(&refused);
    assert_eq!((refused.status.code(), &would["refusals"][0]["reason"]), (Some(1), &"standard".into()));
    assert!(would["refusals"][0]["hint"].as_str().unwrap().contains("only self_handling and retired may differ"));
    assert_eq!(fails(&apply), (Some(1), "categories_refused".into()));

    // What the server's own settings name.
    let settings = folder.path().join("xunge.toml");
    let limits = "clock,category,level,org,value,unit\nhandle,xixia-2023:event:XX0206,,,4,work_hour\n";
    std::fs::write(folder.path().join("limits.csv"), limits).unwrap();
    std::fs::write(&settings, "time_limits = \"limits.csv\"").unwrap();
    save(&text);
    let with_settings = [&check[..], &["--config", settings.to_str().unwrap()]].concat();
    assert_eq!(json(&run(&with_settings))["refusals"][0]["by"], serde_json::json!(["limits"]));
    assert_eq!(ok(&check)["refusals"], Value::Array(Vec::new()), "without them nobody names it");

    save(&format!("{text}xixia-2023,event,XX0201,XX02,垃圾,,,no,\nxixia-2023,thing,XX0208,XX02,垃圾,,,no,\n"));
    assert_eq!(fails(&check), (Some(1), "category_kind".into()));
    let message = json(&run(&check))["error"]["message"].as_str().unwrap().to_owned();
    assert!(message.contains("line 30, column kind: `thing` is neither part nor event"), "{message}");
    let nowhere = ["categories", "check", "--data", &data, "/nowhere.csv", "--json"];
    assert_eq!(fails(&nowhere), (Some(1), "category_file".into()));
    assert_eq!(ok(&["verify", "--data", &data, "--json"])["ok"], true);
    drop(server);
}

#[test]
fn the_description_of_the_api_is_one_json_document() {
    assert!(ok(&["openapi", "--json"])["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(json(&run(&["openapi"]))["paths"].is_object());
}
