//! `xunge`: a phone in a terminal.
//!
//! With `--json` stdout is exactly one JSON document and everything else goes to stderr; without it a few words of
//! Chinese for people. Exit codes: 0 done, 1 failed, 2 wrong use. Saving never needs a network.

mod args;
mod facts;
mod output;
mod people;
mod run;
mod sync;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match args::Cli::try_parse() {
        Ok(cli) => output::finish(cli.json, run::run(&cli)),
        Err(error) => output::usage(&error),
    }
}
