//! `doctor`: looks over an installation and says what needs attention. Changes nothing.

use serde::Serialize;
use serde_json::json;

use super::Data;
use super::error::{CliError, said};
use super::output::Output;
use crate::auth::keys::Keys;
use crate::datadir::{DataDir, DataDirError};
use crate::params;
use crate::store::{Options, Store, StoreError, Tx};

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    ok: bool,
    found: String,
}

pub(crate) fn run(data: &Data, output: &Output) -> Result<(), CliError> {
    let dir = DataDir::open(&data.data)?;
    let mut checks = vec![keys(&dir), running(&dir)];
    match Store::open(&dir.database(), &Options { create: false, inline: true, ..Options::default() }) {
        Ok(store) => {
            checks.push(Check { name: "database", ok: true, found: "opens, schema is current".to_owned() });
            checks.extend(store.read_blocking::<_, StoreError, _>(|tx| Box::pin(contents(tx)))?);
        }
        Err(error) => checks.push(Check { name: "database", ok: false, found: error.to_string() }),
    }
    let ok = checks.iter().all(|check| check.ok);
    let text = || {
        let line = |check: &Check| format!("{}\t{}\t{}\n", if check.ok { "ok" } else { "!!" }, check.name, check.found);
        checks.iter().map(line).collect()
    };
    if ok {
        output.result(&json!({"ok": true, "checks": checks}), text);
        return Ok(());
    }
    let failing = checks.iter().filter(|check| !check.ok);
    let subject = failing.clone().map(|check| check.name).collect::<Vec<_>>().join(",");
    let what = failing.map(|check| format!("{}: {}", check.name, check.found)).collect::<Vec<_>>().join("\n");
    Err(CliError::failed(
        "unhealthy",
        subject,
        said(what.clone(), what),
        said("见 docs/OPERATIONS.md。", "See docs/OPERATIONS.md."),
    ))
}

fn keys(dir: &DataDir) -> Check {
    match Keys::load(&dir.keys()) {
        Ok(keys) => Check { name: "keys", ok: true, found: keys.id() },
        Err(error) => Check { name: "keys", ok: false, found: error.to_string() },
    }
}

/// Not a fault either way; whoever asks usually wants to know.
fn running(dir: &DataDir) -> Check {
    let found = match dir.lock() {
        Ok(_) => "no server runs on it".to_owned(),
        Err(DataDirError::InUse { .. }) => "a server runs on it".to_owned(),
        Err(error) => error.to_string(),
    };
    Check { name: "server", ok: true, found }
}

async fn contents(tx: &mut dyn Tx) -> Result<Vec<Check>, StoreError> {
    let count = async |tx: &mut dyn Tx, sql: &'static str| tx.query_one(sql, params![]).await?.int(0);
    let admins = count(
        tx,
        "SELECT COUNT(*) FROM user_account WHERE role = 'admin' AND disabled_at IS NULL AND password_hash IS NOT NULL",
    )
    .await?;
    let cloned = count(tx, "SELECT COUNT(*) FROM device WHERE cloned_at IS NOT NULL AND revoked_at IS NULL").await?;
    let quarantined = count(tx, "SELECT COUNT(*) FROM quarantine").await?;
    let check = |name, ok, found: i64| Check { name, ok, found: found.to_string() };
    Ok(vec![
        check("admins", admins > 0, admins),
        check("cloned_phones", cloned == 0, cloned),
        check("quarantined_changes", true, quarantined),
    ])
}
