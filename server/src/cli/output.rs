//! Where the command line prints. The only place of the server that writes to stdout.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this is the edge where a person or a script reads")]

use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use super::error::CliError;

/// Prints for a person or for a program.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints the result: the document for programs, `text` for people.
    pub(crate) fn result<T: Serialize>(&self, document: &T, text: impl FnOnce() -> String) {
        if self.json {
            line(&serde_json::to_string(document).expect("results are plain data"));
        } else {
            line(text().trim_end());
        }
    }

    /// Prints text whatever was asked for: help and version.
    pub(crate) fn text(&self, text: &str) {
        line(text.trim_end());
    }

    /// Prints what went wrong and gives the exit code.
    pub(crate) fn fail(&self, error: &CliError) -> ExitCode {
        if self.json {
            let CliError { code, message, hint, subject, .. } = error;
            line(&json!({"error": {"code": code, "message": message, "hint": hint, "subject": subject}}).to_string());
        } else {
            eprintln!("{}", error.message.trim_end());
            if !error.hint.is_empty() {
                eprintln!("{}", error.hint);
            }
        }
        ExitCode::from(error.exit)
    }
}

/// Prints a line at once: whoever waits for the address of a server reads a pipe.
pub(crate) fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reading is no reason to stop serving.
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// Tells people how it goes, beside whatever the result is.
pub(crate) fn note(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{}", text.trim_end());
}
