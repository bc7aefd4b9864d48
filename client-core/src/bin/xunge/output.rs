//! The edge: one document, or words for people, and the exit code.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the command line's edge")]

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value, json};
use xunge_client_core::client::PhoneError;

/// What a command has to say.
pub(crate) struct Said {
    /// For programs.
    pub(crate) json: Value,
    /// For people.
    pub(crate) words: String,
    /// False if it is a failure all the same: offline, or something was refused.
    pub(crate) ok: bool,
}

impl Said {
    /// A success.
    pub(crate) fn new(json: Value, words: impl Into<String>) -> Self {
        Self { json, words: words.into(), ok: true }
    }
}

/// Why a command did not do what it should.
pub(crate) enum Failure {
    /// The phone said no.
    Phone(PhoneError),
    /// Wrong use: code, message, hint, subject.
    Usage(&'static str, String, &'static str, String),
}

impl From<PhoneError> for Failure {
    fn from(error: PhoneError) -> Self {
        match error {
            PhoneError::Invalid { field, why } => {
                Self::Usage("invalid", format!("{field}: {why}"), "correct it and try again", field.to_owned())
            }
            other => Self::Phone(other),
        }
    }
}

/// Prints and answers the exit code.
pub(crate) fn finish(json: bool, result: Result<Said, Failure>) -> ExitCode {
    match result {
        Ok(said) => {
            say(&if json { said.json.to_string() } else { said.words });
            ExitCode::from(u8::from(!said.ok))
        }
        Err(Failure::Phone(error)) => {
            let subject = error.subject().unwrap_or_default();
            let people = format!("{}{}", error.zh(), error.hint_zh());
            fail(json, error.code(), &error.en(), error.hint_en(), &subject, &people);
            ExitCode::from(1)
        }
        Err(Failure::Usage(code, message, hint, subject)) => {
            fail(json, code, &message, hint, &subject, &format!("用法有误：{message}（{hint}）"));
            ExitCode::from(2)
        }
    }
}

/// Wrong use found before any command ran; help and version are no errors.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        print!("{error}");
        return ExitCode::SUCCESS;
    }
    let json = std::env::args_os().any(|arg| arg == "--json");
    if json {
        let text = error.to_string();
        let message = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        fail(true, "usage", message, "xunge --help", "", "");
        eprint!("{error}");
    } else {
        eprint!("{error}");
    }
    ExitCode::from(2)
}

fn fail(json: bool, code: &str, message: &str, hint: &str, subject: &str, people: &str) {
    if json {
        say(&json!({"error": {"code": code, "message": message, "hint": hint, "subject": subject}}).to_string());
    } else {
        eprintln!("{people}");
    }
}

/// A line on stdout. A reader that has gone, like `| head`, is no failure: the work is done.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A line for whoever watches; never on stdout.
pub(crate) fn progress(line: &str) {
    eprintln!("{line}");
}
