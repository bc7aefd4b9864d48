//! The command line.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Parser, Subcommand};

/// A phone of the grid inspectors (网格员) in a terminal.
#[derive(Debug, Parser)]
#[command(name = "xunge", version, about = "巡格:终端里的网格员手机", arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Folder of this phone; made if it is not there.
    #[arg(long, global = true, value_name = "DIR", default_value = "xunge-phone")]
    pub(crate) store: PathBuf,
    /// One JSON document on stdout.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Binds this phone to a user with a one-time code.
    Enrol(EnrolArgs),
    /// Saves a draft; it stays here until it is submitted.
    Draft(ReportArgs),
    /// Changes a case.
    Edit(EditArgs),
    /// Submits a draft.
    Submit(CaseArg),
    /// Drafts and submits in one.
    Report(ReportArgs),
    /// Sends what waits and fetches what is new.
    Sync(SyncArgs),
    /// Where this phone and its reports stand.
    Status,
    /// Shows or changes what photos may use of mobile data.
    Data(DataArgs),
    /// Cases, newest first.
    List(ListArgs),
    /// Everything known of a case.
    Show(CaseArg),
    /// What waits for the inspector.
    Tasks,
    /// Asks something of the office.
    Request(RequestArgs),
    /// Deletes a draft.
    Discard(CaseArg),
    /// Writes what is only here into a sealed file (救援包).
    Rescue(RescueArgs),
    /// Brings a rescue bundle, of this phone or another, to the server.
    Carry(CarryArgs),
    /// Write the flight recorder's file: times, sizes and codes of the last syncs, nothing of what was reported.
    Trace(TraceArgs),
}

/// Arguments of `enrol`.
#[derive(Debug, Args)]
pub(crate) struct EnrolArgs {
    /// The server, like https://xunge.example.
    #[arg(long, value_name = "URL")]
    pub(crate) server: String,
    /// The one-time code.
    #[arg(long)]
    pub(crate) code: String,
    /// SHA-256 of the server's public key, 64 hex digits.
    #[arg(long, value_name = "HEX")]
    pub(crate) pin: Option<String>,
}

/// A case.
#[derive(Debug, Args)]
pub(crate) struct CaseArg {
    /// Its id, 26 characters.
    pub(crate) id: String,
}

/// Facts that are optional everywhere.
#[derive(Debug, Args)]
pub(crate) struct MoreFacts {
    /// A photo of the problem; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) photo: Vec<String>,
    /// A photo of the scene after handling; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) after: Vec<String>,
    /// Where, in words.
    #[arg(long, value_name = "WORDS")]
    pub(crate) location: Option<String>,
    /// How it was fixed.
    #[arg(long, value_name = "WORDS")]
    pub(crate) note: Option<String>,
    /// The system of the coordinates: wgs84, gcj02 or cgcs2000.
    #[arg(long, value_name = "SYSTEM", default_value = "wgs84")]
    pub(crate) coord_sys: String,
    /// Radius of the fix in metres.
    #[arg(long, value_name = "METRES")]
    pub(crate) accuracy: Option<u32>,
}

/// Arguments of `draft` and `report`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("mode").required(true).args(["self_handled", "forward"])))]
pub(crate) struct ReportArgs {
    /// A category by name, code or scheme:code.
    #[arg(long)]
    pub(crate) category: String,
    /// Longitude in decimal degrees.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) lon: f64,
    /// Latitude in decimal degrees.
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) lat: f64,
    /// What is wrong.
    #[arg(long)]
    pub(crate) text: String,
    /// Fixed on the spot (自发自处).
    #[arg(long)]
    pub(crate) self_handled: bool,
    /// To be forwarded (平台流转).
    #[arg(long)]
    pub(crate) forward: bool,
    #[command(flatten)]
    pub(crate) more: MoreFacts,
}

/// Arguments of `edit`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("mode").args(["self_handled", "forward"])))]
pub(crate) struct EditArgs {
    /// The case.
    pub(crate) id: String,
    /// A category by name, code or scheme:code.
    #[arg(long)]
    pub(crate) category: Option<String>,
    /// Longitude in decimal degrees.
    #[arg(long, allow_negative_numbers = true, requires = "lat")]
    pub(crate) lon: Option<f64>,
    /// Latitude in decimal degrees.
    #[arg(long, allow_negative_numbers = true, requires = "lon")]
    pub(crate) lat: Option<f64>,
    /// What is wrong.
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// Fixed on the spot (自发自处).
    #[arg(long)]
    pub(crate) self_handled: bool,
    /// To be forwarded (平台流转).
    #[arg(long)]
    pub(crate) forward: bool,
    /// A remark, the one thing a filed case still takes.
    #[arg(long, value_name = "WORDS")]
    pub(crate) remark: Option<String>,
    #[command(flatten)]
    pub(crate) more: MoreFacts,
}

/// Arguments of `sync`.
#[derive(Debug, Args)]
pub(crate) struct SyncArgs {
    /// Goes on until interrupted.
    #[arg(long)]
    pub(crate) watch: bool,
    /// The link is mobile data: photos go or wait by the rules of `data`.
    #[arg(long)]
    pub(crate) metered: bool,
    /// The link is mobile data of a foreign network.
    #[arg(long, conflicts_with = "metered")]
    pub(crate) roaming: bool,
}

/// Arguments of `data`.
#[derive(Debug, Args)]
pub(crate) struct DataArgs {
    /// Photos wait for Wi-Fi.
    #[arg(long, value_name = "on|off", value_parser = on_off)]
    pub(crate) wifi_only: Option<bool>,
    /// Previews go over mobile data.
    #[arg(long, value_name = "on|off", value_parser = on_off)]
    pub(crate) previews: Option<bool>,
    /// Most megabytes of mobile data a month, or `none`.
    #[arg(long, value_name = "MB|none", value_parser = megabytes)]
    pub(crate) budget: Option<Budget>,
}

/// A month's budget as typed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    /// Bytes; none for no limit.
    pub(crate) bytes: Option<u64>,
}

fn on_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("on or off".to_owned()),
    }
}

fn megabytes(text: &str) -> Result<Budget, String> {
    if text == "none" {
        return Ok(Budget { bytes: None });
    }
    let megabytes: u64 = text.parse().map_err(|_| "whole megabytes, or `none`".to_owned())?;
    Ok(Budget { bytes: Some(megabytes.saturating_mul(1_000_000)) })
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only drafts.
    #[arg(long)]
    pub(crate) drafts: bool,
    /// Only what needs the inspector's eye.
    #[arg(long)]
    pub(crate) attention: bool,
    /// After this position, as the page before said.
    #[arg(long)]
    pub(crate) after: Option<i64>,
    /// Most lines, 1 to 200.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=200))]
    pub(crate) limit: u32,
}

/// Arguments of `request`.
#[derive(Debug, Args)]
pub(crate) struct RequestArgs {
    /// The case.
    pub(crate) id: String,
    /// withdraw, route_change, verify_reply, check_reply, handover, appeal, or submit after a report was sent back.
    pub(crate) verb: String,
    /// Why.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Words to the office.
    #[arg(long)]
    pub(crate) text: Option<String>,
    /// Words for the file.
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// What was found: real, not_found, duplicate; pass, fail.
    #[arg(long)]
    pub(crate) verdict: Option<String>,
    /// The mode wished for: self_handled or forwarded.
    #[arg(long)]
    pub(crate) mode: Option<String>,
    /// The colleague who takes over (user name).
    #[arg(long, value_name = "USER")]
    pub(crate) to: Option<String>,
    /// The case this one repeats.
    #[arg(long, value_name = "ID")]
    pub(crate) master: Option<String>,
    /// Evidence; may be repeated.
    #[arg(long, value_name = "FILE")]
    pub(crate) photo: Vec<String>,
}

/// Arguments of `rescue`.
#[derive(Debug, Args)]
pub(crate) struct RescueArgs {
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// Arguments of `trace`.
#[derive(Debug, Args)]
pub(crate) struct TraceArgs {
    /// The file to write.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// Arguments of `carry`.
#[derive(Debug, Args)]
pub(crate) struct CarryArgs {
    /// The bundle.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The server; without it the one this phone is enrolled with.
    #[arg(long, value_name = "URL")]
    pub(crate) server: Option<String>,
}
