//! The commands that talk to the server.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use xunge_client_core::client::{Link, Listener, Notice, Phone, PhoneError, Stop, SyncReport};
use xunge_client_core::model::Sha256;
use xunge_client_core::transport::SpkiPin;

use super::args::{CarryArgs, EnrolArgs, SyncArgs};
use super::output::{Failure, Said, progress};
use super::people;

fn runtime() -> Result<Runtime, PhoneError> {
    let built = Builder::new_current_thread().enable_all().max_blocking_threads(2).build();
    built.map_err(|error| PhoneError::Invalid { field: "runtime", why: error.to_string() })
}

/// Binds the phone and fetches what it needs to work offline.
pub(crate) fn enrol(phone: &Phone, args: &EnrolArgs) -> Result<Said, Failure> {
    let pin = args.pin.as_deref().map(str::parse).transpose();
    let pin = pin.map_err(|error: xunge_client_core::transport::PinError| {
        Failure::Usage("invalid", error.to_string(), "64 hex digits", "pin".to_owned())
    })?;
    let known = runtime()?.block_on(phone.enrol(&args.server, &args.code, pin))?;
    let user = known.user.as_ref();
    let json = json!({
        "device_id": known.device,
        "user": user.map(|user| &user.id),
        "name": user.map(|user| &user.name),
        "role": user.map(|user| user.role),
        "unit": user.map(|user| &user.unit),
        "scope": user.map(|user| &user.scope),
        "grids": user.map(|user| &user.grids),
        "server": known.url,
    });
    Ok(Said::new(json, format!("已绑定:{}", user.map(|user| user.name.clone()).unwrap_or_default())))
}

/// Brings a bundle to the server.
pub(crate) fn carry(phone: &Phone, args: &CarryArgs) -> Result<Said, Failure> {
    let known = phone.identity()?;
    let pin = known.spki_pin.filter(|_| args.server.is_none()).map(|pin| SpkiPin(Sha256::from_bytes(pin)));
    let url = args.server.clone().or(known.url).ok_or(PhoneError::NotEnrolled)?;
    runtime()?.block_on(phone.carry(&url, pin, &args.file))?;
    let json = json!({"server": url, "received": true});
    Ok(Said::new(json, format!("服务器已收下:{}", args.file.display())))
}

/// Runs until drained, or until interrupted.
pub(crate) fn sync(phone: Phone, args: &SyncArgs) -> Result<Said, Failure> {
    phone.set_link(match (args.metered, args.roaming) {
        (true, _) => Link::Metered,
        (_, true) => Link::Roaming,
        _ => Link::Unmetered,
    })?;
    let runtime = runtime()?;
    let report = match args.watch {
        false => runtime.block_on(phone.sync())?,
        true => runtime.block_on(watch(Arc::new(phone)))?,
    };
    let mut json = report_json(&report);
    // Photos that wait for Wi-Fi do what they were told.
    let failure = report.stop.as_ref().filter(|stop| !matches!(stop, Stop::Held(_)));
    if let (Some(members), Some(stop)) = (json.as_object_mut(), failure) {
        let error = json!({"code": stop.code(), "message": stop.zh(), "hint": stop.hint_en(), "subject": ""});
        members.insert("error".to_owned(), error);
    }
    let ok = report.refused.is_empty()
        && !matches!(&report.stop, Some(stop) if !matches!(stop, Stop::Halted | Stop::Held(_)));
    Ok(Said { json, words: people::report(&report), ok })
}

/// Goes on until Ctrl-C or SIGTERM; the last run's report is the answer.
async fn watch(phone: Arc<Phone>) -> Result<SyncReport, PhoneError> {
    let teller: Arc<dyn Listener> = Arc::new(|notice: &Notice| {
        if let Some(line) = people::notice(notice) {
            progress(&line);
        }
    });
    let _subscription = phone.subscribe(teller);
    let first = phone.sync().await?;
    progress(&people::report(&first));
    phone.start_background()?;
    interrupted().await;
    phone.stop_background();
    phone.sync().await
}

#[cfg(unix)]
async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn interrupted() {
    let _ = tokio::signal::ctrl_c().await;
}

fn report_json(report: &SyncReport) -> Value {
    let rejected: Vec<Value> = report
        .refused
        .iter()
        .map(|refused| json!({"id": refused.case, "code": refused.code, "field": refused.field, "intent": refused.intent}))
        .collect();
    json!({
        "requests": report.requests,
        "bytes_up": report.bytes_up,
        "bytes_down": report.bytes_down,
        "cases_sent": report.cases_sent,
        "cases_waiting": report.cases_waiting,
        "photos_sent": report.photos_sent,
        "photos_waiting": report.photos_waiting,
        "received": report.received,
        "photos_held": match &report.stop {
            Some(Stop::Held(leave)) => Some(leave),
            _ => None,
        },
        "rejected": rejected,
        "drained": report.drained,
    })
}
