//! `device`: enrolment codes and phones, also while the server runs.

use std::fmt::Write;

use clap::Subcommand;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde::Serialize;
use serde_json::json;
use xunge_client_core::model::{DeviceId, Millis};

use super::Data;
use super::error::{CliError, said};
use super::output::Output;
use crate::auth::device::{self, DeviceInfo};
use crate::auth::enrol;
use crate::clock::Security;
use crate::domain::phones;
use crate::store::StoreError;

/// Make enrolment codes, list and revoke phones.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a one-time code by which a phone joins.
    EnrolCode(EnrolCode),
    /// List phones.
    List(List),
    /// Shut a phone out for good; what it has not sent stays on it.
    Revoke(Revoke),
}

#[derive(Debug, clap::Args)]
struct EnrolCode {
    #[command(flatten)]
    data: Data,
    /// Whose phone it will be.
    #[arg(long)]
    user: String,
    /// How the phone reaches the server; put into the QR code.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
}

#[derive(Debug, clap::Args)]
struct List {
    #[command(flatten)]
    data: Data,
    /// Only this user's.
    #[arg(long)]
    user: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Revoke {
    #[command(flatten)]
    data: Data,
    /// Id of the phone.
    id: DeviceId,
}

/// A phone as `device list` shows it. Times are Unix milliseconds.
#[derive(Debug, Serialize)]
struct Listed {
    id: DeviceId,
    user: String,
    name: String,
    enrolled_at: Millis,
    last_seen_at: Option<Millis>,
    revoked_at: Option<Millis>,
    cloned_at: Option<Millis>,
    waiting_cases: i64,
    waiting_photos: i64,
    waiting_oldest_at: Option<Millis>,
}

pub(crate) fn run(args: &Args, output: &Output) -> Result<(), CliError> {
    let now = Security.now();
    match &args.command {
        Command::EnrolCode(wanted) => enrol_code(wanted, output, now),
        Command::List(wanted) => list(wanted, output),
        Command::Revoke(wanted) => revoke(wanted, output, now),
    }
}

fn enrol_code(wanted: &EnrolCode, output: &Output, now: Millis) -> Result<(), CliError> {
    let code = enrol::new_code();
    let (user, shown) = (wanted.user.clone(), code.clone());
    let known = wanted.data.store()?.write_blocking::<bool, StoreError, _>(move |tx| {
        Box::pin(async move { phones::add_code(tx, "cli", &user, &shown, now).await })
    })?;
    if !known {
        return Err(CliError::no_such_user(&wanted.user));
    }
    let expires_at = now.plus_ms(enrol::LIFETIME_MS);
    // What a phone's camera reads; the code alone can be typed as well.
    let link = wanted.server.as_ref().map(|server| enrol::link(&code, server));
    let document = json!({"user": wanted.user, "code": code, "expires_at": expires_at, "link": link});
    output.result(&document, || {
        let mut text = format!("{code}\n有效期至 valid until {}\n", expires_at.local_text());
        if let Some(qr) = QrCode::new(link.as_deref().unwrap_or(&code)).ok().filter(|_| link.is_some()) {
            text.push_str(&qr.render::<Dense1x2>().build());
        }
        text
    });
    Ok(())
}

fn list(wanted: &List, output: &Output) -> Result<(), CliError> {
    let user = wanted.user.clone();
    let devices = wanted.data.store()?.read_blocking::<_, StoreError, _>(move |tx| {
        Box::pin(async move { device::list(tx, user.as_deref()).await })
    })?;
    let devices: Vec<Listed> = devices.into_iter().map(listed).collect();
    output.result(&json!({"devices": devices}), || {
        let mut text = String::new();
        for one in &devices {
            let state = match (one.revoked_at, one.cloned_at) {
                (Some(_), _) => "注销 revoked",
                (None, Some(_)) => "有副本 cloned",
                (None, None) => "",
            };
            let seen = one.last_seen_at.map_or("-".to_owned(), Millis::local_text);
            let waiting = match (one.waiting_cases, one.waiting_photos) {
                (0, 0) => String::new(),
                (cases, photos) => format!("未传 waiting {cases} + {photos}"),
            };
            let oldest = one.waiting_oldest_at.map_or("-".to_owned(), Millis::local_text);
            let _ = writeln!(text, "{}\t{}\t{seen}\t{}\t{waiting}\t{oldest}\t{state}", one.id, one.user, one.name);
        }
        text
    });
    Ok(())
}

fn revoke(wanted: &Revoke, output: &Output, now: Millis) -> Result<(), CliError> {
    let id = wanted.id;
    let known = wanted.data.store()?.write_blocking::<bool, StoreError, _>(move |tx| {
        Box::pin(async move { phones::revoke(tx, "cli", id, now).await })
    })?;
    if !known {
        return Err(CliError::failed(
            "unknown_device",
            id.to_string(),
            said(format!("没有终端 {id}。"), format!("There is no phone {id}.")),
            said("用 device list 查看全部终端。", "See `device list`."),
        ));
    }
    output.result(&json!({"id": id, "revoked": true}), || format!("{id}\t注销 revoked"));
    Ok(())
}

fn listed(info: DeviceInfo) -> Listed {
    let waiting_oldest_at = info.waiting_since();
    Listed {
        id: info.id,
        user: info.user,
        name: info.name,
        enrolled_at: info.enrolled_at,
        last_seen_at: info.last_seen_at,
        revoked_at: info.revoked_at,
        cloned_at: info.cloned_at,
        waiting_cases: info.waiting_cases,
        waiting_photos: info.waiting_photos,
        waiting_oldest_at,
    }
}
