//! The two binaries as real processes.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xunge_client_core::model::CaseId;

/// Where cargo put the binary `name`, beside the running test program.
pub fn binary(name: &str) -> PathBuf {
    let here = std::env::current_exe().expect("a test program has a path");
    let release = here.ancestors().find(|folder| folder.ends_with("release")).expect("built in a release folder");
    let path = release.join(name);
    assert!(path.exists(), "{} is missing: build it first, as tests/run does", path.display());
    path
}

/// Runs a command to its end; stdout, stderr and exit code are kept.
pub fn run(name: &str, args: &[&str]) -> Output {
    Command::new(binary(name)).args(args).output().unwrap_or_else(|error| panic!("{name} does not start: {error}"))
}

/// Runs a command that must end well and print one JSON document.
pub fn run_json(name: &str, args: &[&str]) -> Value {
    let output = run(name, args);
    assert!(
        output.status.success(),
        "{name} {args:?} ended with {:?}\nstdout: {}\nstderr: {}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    json_of(&output)
}

/// The one JSON document on stdout.
pub fn json_of(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "stdout is no JSON document ({error}): {}\nstderr: {}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    })
}

/// A running `xunge-server serve`; killed when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
}

impl Server {
    /// Starts on the data folder and waits for the line that names the address.
    pub fn start(data: &Path) -> Self {
        Self::start_on(data, "127.0.0.1:0")
    }

    /// The same on a given address, for a server that comes back where phones expect it.
    pub fn start_on(data: &Path, listen: &str) -> Self {
        Self::start_armed(data, listen, None)
    }

    /// The same with a place at which the process dies (`xunge_client_core::failpoint`).
    pub fn start_armed(data: &Path, listen: &str, at: Option<&str>) -> Self {
        let mut child = Command::new(binary("xunge-server"))
            .args(["serve", "--data", data.to_str().unwrap(), "--listen", listen])
            .envs(at.map(|at| ("XUNGE_FAILPOINT", at)))
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).expect("a first line");
        let first: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("no address in the first line: {line}"));
        let url = first["listening"].as_str().expect("`listening`").to_owned();
        Self { child, url }
    }

    /// `127.0.0.1:PORT`.
    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU seconds the process used so far.
    pub fn cpu_seconds(&self) -> f64 {
        crate::cpu::seconds(Some(self.child.id()))
    }

    /// The most memory the process ever had, bytes.
    pub fn peak_bytes(&self) -> u64 {
        crate::memory::high_water(Some(self.child.id()))
    }

    /// Waits for the process to die by itself; answers the signal it died of.
    pub fn dies(mut self) -> Option<i32> {
        assert!(wait(&mut self.child, Duration::from_secs(10)).is_some(), "the server lives on");
        self.child.wait().unwrap().signal()
    }

    /// SIGKILL: nothing is flushed, nothing is said.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; answers the exit code, or panics after ten seconds.
    pub fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        wait(&mut self.child, Duration::from_secs(10)).expect("the server ends within 10 s of SIGTERM")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a child to end; `None` if it has not after `limit`, else its exit code.
pub fn wait(child: &mut Child, limit: Duration) -> Option<Option<i32>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status.code());
        }
        if Instant::now() > deadline {
            return None;
        }
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// The id of a case as a command prints it.
pub fn case_id(case: &Value) -> CaseId {
    case["id"].as_str().expect("an id").parse().expect("an id")
}

/// A phone: the binary `xunge` on a store folder of its own.
#[derive(Debug, Clone)]
pub struct Phone {
    /// The store folder.
    pub store: PathBuf,
}

impl Phone {
    /// Runs `xunge COMMAND --store … --json ARGS` and answers whatever came of it.
    pub fn try_run(&self, command: &str, args: &[&str]) -> Output {
        let mut all = vec![command, "--store", self.store.to_str().unwrap(), "--json"];
        all.extend(args);
        run("xunge", &all)
    }

    /// The same, and it must end well.
    pub fn run(&self, command: &str, args: &[&str]) -> Value {
        let mut all = vec![command, "--store", self.store.to_str().unwrap(), "--json"];
        all.extend(args);
        run_json("xunge", &all)
    }

    /// Reports exposed rubbish, self-handled if there is an after photo; answers the case's id.
    pub fn report(&self, text: &str, before: &str, after: Option<&str>) -> String {
        let mut args =
            vec!["--category", "暴露垃圾", "--lon", "106.10", "--lat", "38.50", "--photo", before, "--text", text];
        match after {
            Some(after) => args.extend(["--after", after, "--self-handled"]),
            None => args.push("--forward"),
        }
        let saved = self.run("report", &args);
        assert_eq!((&saved["state"], &saved["saved"]), (&json!("submitted"), &json!(true)));
        saved["id"].as_str().unwrap().to_owned()
    }

    /// The cases it shows.
    pub fn cases(&self) -> BTreeSet<CaseId> {
        let mut all = BTreeSet::new();
        let mut after = String::new();
        loop {
            let more = if after.is_empty() { vec![] } else { vec!["--after", after.as_str()] };
            let page = self.run("list", &[&["--limit", "200"], more.as_slice()].concat());
            all.extend(page["items"].as_array().expect("a list").iter().map(case_id));
            match page["next"].as_i64() {
                Some(next) => after = next.to_string(),
                None => return all,
            }
        }
    }

    /// Starts a command without waiting for it.
    pub fn spawn(&self, command: &str, args: &[&str]) -> Child {
        self.spawn_armed(command, args, None)
    }

    /// The same with a place at which the process dies (`xunge_client_core::failpoint`).
    pub fn spawn_armed(&self, command: &str, args: &[&str], at: Option<&str>) -> Child {
        Command::new(binary("xunge"))
            .envs(at.map(|at| ("XUNGE_FAILPOINT", at)))
            .args([command, "--store", self.store.to_str().unwrap(), "--json"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the phone starts")
    }

    /// Syncs until everything is on the server; panics if some round makes no progress for `rounds` rounds.
    pub fn drain(&self, rounds: usize) -> Value {
        for _ in 0..rounds {
            let output = self.try_run("sync", &[]);
            if output.status.success() {
                let report = json_of(&output);
                if report["drained"] == true {
                    return report;
                }
            }
        }
        panic!("the phone is not drained after {rounds} rounds: {}", self.run("status", &[]));
    }
}
