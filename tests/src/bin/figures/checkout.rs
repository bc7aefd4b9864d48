//! Which commit this program was built from, and whether a run of it may be written down in the checkout it runs in.
//!
//! A figure that names the wrong commit is worse than none, so this is looked at before a run and not after it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::beside;

/// The commit this program was built from; a `+` behind it for changes outside `docs/`, `unknown` without git.
const BUILT: &str = env!("XUNGE_COMMIT");
/// Where runs are written down.
const LOG: &str = "docs/figures/log.jsonl";
/// Everything but the documents, which is no change of what is measured.
const MEASURED: [&str; 2] = [":(top)", ":(top,exclude)docs"];
/// Changed files that are named.
const NAMED: usize = 5;
/// As tests/run builds all programs.
const BUILD: &str = "cargo build --release --workspace \
    --features xunge-client-core/cli,xunge-client-core/testing,xunge-mobile/cli";

/// The commit as records name it: nine digits, and the `+`.
pub(crate) fn built() -> String {
    short(BUILT)
}

/// The log of the checkout around the current directory.
///
/// # Errors
/// Why there is none, as a sentence for whoever asked.
pub(crate) fn log() -> Result<PathBuf, String> {
    log_around(Path::new("."))
}

/// The same, if this program and those beside it were built from what is checked out there and the log can be written.
///
/// # Errors
/// What stands in the way and what to do about it.
pub(crate) fn ready() -> Result<PathBuf, String> {
    let log = ready_in(Path::new("."), BUILT)?;
    beside::are_built().map_err(|why| format!("{why}; {BUILD}"))?;
    Ok(log)
}

fn log_around(here: &Path) -> Result<PathBuf, String> {
    let way_out = format!("change to the checkout whose {LOG} is meant");
    let top = git(here, &["rev-parse", "--show-toplevel"])
        .map_err(|reason| format!("the current directory is in no git checkout ({reason}); {way_out}"))?;
    let log = Path::new(&top).join(LOG);
    if log.is_file() { Ok(log) } else { Err(format!("{} is not there; {way_out}", log.display())) }
}

fn ready_in(here: &Path, built: &str) -> Result<PathBuf, String> {
    let log = log_around(here)?;
    if built == "unknown" {
        return Err(format!(
            "this program does not know its commit, because git was not there when it was built; in a git checkout: {BUILD}"
        ));
    }
    if let Some(commit) = built.strip_suffix('+') {
        let commit = short(commit);
        return Err(format!(
            "this program was built from {commit} with changes that are in no commit; commit them, then: {BUILD}"
        ));
    }
    let (name, top) = (short(built), log.display());
    git(here, &["cat-file", "-e", &format!("{built}^{{commit}}")]).map_err(|_| {
        format!("{name}, which this program was built from, is no commit of the checkout of {top}; {BUILD}")
    })?;
    let differ = git(here, &[&["diff", "--name-only", built, "HEAD", "--"], &MEASURED[..]].concat())?;
    if !differ.is_empty() {
        return Err(format!(
            "this program was built from {name}, and HEAD is another program: {}; {BUILD}, or check {name} out",
            few(&differ)
        ));
    }
    let changed = git(here, &[&["status", "--porcelain", "--"], &MEASURED[..]].concat())?;
    if !changed.is_empty() {
        let changed = few(&changed);
        return Err(format!(
            "the checkout has changes outside docs that are in no commit: {changed}; commit them or put them away"
        ));
    }
    std::fs::OpenOptions::new()
        .append(true)
        .open(&log)
        .map_err(|error| format!("{top} can not be written ({error}); run as its owner, or without --record"))?;
    Ok(log)
}

/// The first of many lines, and how many more there are.
fn few(lines: &str) -> String {
    let all: Vec<&str> = lines.lines().map(str::trim).collect();
    let named = all.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}

fn short(commit: &str) -> String {
    match commit.strip_suffix('+') {
        Some(hash) => format!("{}+", short(hash)),
        None => commit.chars().take(9).collect(),
    }
}

/// What git says in `folder`, or why it says nothing.
fn git(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(arguments)
        .output()
        .map_err(|error| format!("git does not start: {error}"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A checkout with a log and a source, and its first commit.
    fn checkout() -> (tempfile::TempDir, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::create_dir_all(path.join("docs/figures")).unwrap();
        fs::write(path.join(LOG), "").unwrap();
        fs::write(path.join("server.rs"), "one").unwrap();
        git(path, &["init", "--quiet"]).unwrap();
        let commit = commit(path);
        (folder, commit)
    }

    fn commit(path: &Path) -> String {
        git(path, &["add", "--all"]).unwrap();
        let who = ["-c", "user.name=t", "-c", "user.email=t@t.invalid", "-c", "commit.gpgsign=false"];
        git(path, &[&who[..], &["commit", "--quiet", "--message", "x"]].concat()).unwrap();
        git(path, &["rev-parse", "HEAD"]).unwrap()
    }

    fn refused(path: &Path, built: &str) -> String {
        ready_in(path, built).expect_err("this run must not be written down")
    }

    #[test]
    fn a_run_is_written_down_where_its_own_commit_is_checked_out_and_documents_may_differ() {
        let (folder, built) = checkout();
        let path = folder.path();
        let log = fs::canonicalize(path.join(LOG)).unwrap();
        assert_eq!(ready_in(path, &built), Ok(log.clone()));
        fs::write(path.join(LOG), "a run\n").unwrap();
        assert_eq!(ready_in(&path.join("docs"), &built), Ok(log.clone()), "from any folder below");
        commit(path);
        assert_eq!(ready_in(path, &built), Ok(log), "the log of an earlier run was committed meanwhile");
    }

    #[test]
    fn a_run_of_another_program_than_the_one_checked_out_is_not_written_down() {
        let (folder, built) = checkout();
        let path = folder.path();
        fs::write(path.join("server.rs"), "two").unwrap();
        let why = refused(path, &built);
        assert!(why.contains("server.rs") && why.contains("commit them"), "{why}");
        commit(path);
        let why = refused(path, &built);
        assert!(why.contains(&built[..9]) && why.contains("server.rs") && why.contains("cargo build"), "{why}");
        assert!(refused(path, &"0".repeat(40)).contains("no commit of the checkout"));
        assert!(refused(path, &format!("{built}+")).contains("with changes that are in no commit"));
        assert!(refused(path, "unknown").contains("does not know its commit"));
    }

    #[test]
    fn a_run_without_a_log_to_write_to_says_so_before_it_begins() {
        let (folder, built) = checkout();
        fs::remove_file(folder.path().join(LOG)).unwrap();
        let why = refused(folder.path(), &built);
        assert!(why.contains("log.jsonl is not there; change to the checkout"), "{why}");
        let nowhere = tempfile::tempdir().unwrap();
        assert!(refused(nowhere.path(), &built).contains("in no git checkout"));
        assert!(refused(&nowhere.path().join("gone"), &built).contains("in no git checkout"));
    }

    #[test]
    fn this_program_knows_its_commit_or_says_that_it_does_not() {
        let digits = BUILT.trim_end_matches('+');
        assert!(BUILT == "unknown" || (digits.len() >= 40 && digits.chars().all(|digit| digit.is_ascii_hexdigit())));
        assert!(built().len() <= 10);
    }
}
