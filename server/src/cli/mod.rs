//! The commands of `xunge-server`.
//!
//! With `--json`, stdout is one JSON document and everything else goes to stderr. Exit codes: 0 done, 1 failed,
//! 2 used wrongly or not built yet.

mod backup;
mod categories;
mod demo;
mod device;
mod doctor;
mod error;
mod exchanged;
pub mod init;
mod openapi;
mod org;
mod output;
mod quarantine;
mod restore;
mod serve;
mod user;
mod verify;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::error::CliError;
use self::output::Output;
use crate::datadir::DataDir;
use crate::domain::cases;
use crate::store::{Options, Store};

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "xunge-server", version, about = "巡格: the city grid management store")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Print one JSON document on stdout.
    #[arg(long, global = true)]
    json: bool,
    /// Use a PostgreSQL database instead of the file in the data folder (not built yet).
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// Keep photos elsewhere than in the data folder, for example s3://bucket (not built yet).
    #[arg(long, global = true, value_name = "URL")]
    blobs: Option<String>,
}

/// Where an installation lies.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Data {
    /// The data folder.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
}

impl Data {
    /// Opens the database beside whatever server runs on it: one connection, no threads.
    fn store(&self) -> Result<Store, CliError> {
        let data = DataDir::open(&self.data)?;
        let options = Options { create: false, inline: true, ..Options::default() };
        let store = Store::open(&data.database(), &options)?;
        cases::fill_blocking(&store)?;
        Ok(store)
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a data folder: database, keys, org tree, users.
    Init(init::Args),
    /// Serve phones, offices and other systems.
    Serve(serve::Args),
    /// Compare an org file with what is there, and put it in force.
    Org(org::Args),
    /// Print the category trees as a file, compare another one with them, and put it in force.
    Categories(categories::Args),
    /// Add, close and list users.
    User(user::Args),
    /// Make enrolment codes, list and revoke phones.
    Device(device::Args),
    /// List, look at, release and drop refused changes and bundles of phones that were shut out.
    Quarantine(quarantine::Args),
    /// Print the description of the JSON API.
    Openapi,
    /// Replay 西夏区, November 2023, through real phones, and hold the figures against the published report.
    Demo(demo::Args),
    /// Look over an installation and say what needs attention.
    Doctor(Data),
    /// Recount everything from the ledger and check every hash.
    Verify(Data),
    /// Write a backup to a new folder; the server may run.
    Backup(backup::Args),
    /// Put a backup back, in a new epoch: phones offer again what it lacks.
    Restore(restore::Args),
    /// Any other word: a part that is not built yet, or a mistake.
    #[command(external_subcommand)]
    Other(Vec<OsString>),
}

/// Parts that the contracts name and that do not exist yet.
const NOT_BUILT: &[&str] = &["report", "import", "export", "migrate"];

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    run(std::env::args_os().collect())
}

fn run(args: Vec<OsString>) -> ExitCode {
    let json = args.iter().any(|arg| arg == "--json");
    let output = Output::new(json);
    match Cli::try_parse_from(args) {
        Ok(cli) => match dispatch(cli, &output) {
            Ok(code) => code,
            Err(error) => output.fail(&error),
        },
        Err(error) if !error.use_stderr() => {
            output.text(&error.to_string());
            ExitCode::SUCCESS
        }
        Err(error) => output.fail(&CliError::usage(&error)),
    }
}

fn dispatch(cli: Cli, output: &Output) -> Result<ExitCode, CliError> {
    if let Some(url) = &cli.database_url {
        return Err(CliError::not_built_yet("--database-url", url));
    }
    if let Some(url) = &cli.blobs {
        return Err(CliError::not_built_yet("--blobs", url));
    }
    match cli.command {
        Command::Init(args) => init::run(&args, output)?,
        Command::Serve(args) => serve::run(&args)?,
        Command::Org(args) => return org::run(&args, output),
        Command::Categories(args) => return categories::run(&args, output),
        Command::User(args) => user::run(&args, output)?,
        Command::Device(args) => device::run(&args, output)?,
        Command::Quarantine(args) => quarantine::run(&args, output)?,
        Command::Openapi => openapi::run(output)?,
        Command::Demo(args) => return demo::run(&args, output),
        Command::Doctor(args) => doctor::run(&args, output)?,
        Command::Backup(args) => backup::run(&args, output)?,
        Command::Restore(args) => restore::run(&args, output)?,
        Command::Verify(args) => return verify::run(&args, output),
        Command::Other(words) => {
            let word = words.first().map(|word| word.to_string_lossy().into_owned()).unwrap_or_default();
            if NOT_BUILT.contains(&word.as_str()) {
                return Err(CliError::not_built_yet(&word, &word));
            }
            let kind = clap::error::ErrorKind::InvalidSubcommand;
            return Err(CliError::usage(&Cli::command().error(kind, format!("unrecognized subcommand '{word}'"))));
        }
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn parts_that_are_not_built_end_with_two_and_mistakes_too() {
        let code = |words: &str| {
            let args = std::iter::once("xunge-server").chain(words.split(' ')).map(OsString::from).collect();
            format!("{:?}", run(args))
        };
        let two = format!("{:?}", ExitCode::from(2));
        for words in [
            "export --data x --json",
            "migrate",
            "restore --data x",
            "serve --data x --database-url postgres://h/d",
            "init --data x --example xixia --blobs s3://b --json",
            "serve --data x --wrong",
            "nonsense --json",
            "user",
        ] {
            assert_eq!(code(words), two, "{words}");
        }
    }
}
