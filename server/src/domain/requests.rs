//! What phones ask of the ledger (请求): withdraw, replies to tasks, appeals. Idempotent by intent id for ever.
//!
//! The answer to a request is written down with it. The same intent asked again after a lost answer, a week or a
//! restore of the phone gets that answer and does nothing. What is not the user's to ask is answered `not_yours` and
//! not remembered: there is no hint whether such a case exists.
//!
//! A server that was put back may not know the case of a request any more. A phone brings the case again with its next
//! contact, and then the request; whoever has the request alone asks [`lost`].

use xunge_client_core::model::{ChangeHash, DeviceId, Millis};
use xunge_client_core::wire::{Request, RequestResult};
use xunge_client_core::workflow::{Command, Context, Payload, Verb, check_outside};

use super::directory::Directory;
use super::facts;
use super::intake;
use super::ledger::{self, Case, LedgerError, Step};
use super::people::Viewer;
use super::references::{self, Place};
use super::work::Work;
use crate::params;
use crate::store::{StoreError, Tx};

/// Bytes a case's decisions may take for phones to ask for more of them. A case is told whole to whoever begins to see
/// it, in one answer: its document and its decisions together have to fit there.
const ROOM: i64 = 128 * 1024;
/// What a decision takes besides its payload.
const EVENT_BYTES: i64 = 200;

/// The answer to whoever asks of a case that is not theirs, or not here.
const NOT_YOURS: &str = "not_yours";

/// Who asks, through which phone, and what requests are judged against.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Whose phone.
    pub viewer: &'a Viewer,
    /// The phone.
    pub device: DeviceId,
    /// The phone's clock when it sent.
    pub phone_time: Millis,
    /// Org tree and categories.
    pub directory: &'a Directory,
}

/// Decides requests in the order they came, inside the caller's transaction.
pub async fn decide(
    tx: &mut dyn Tx,
    work: &mut Work,
    asker: &Asker<'_>,
    requests: &[Request],
) -> Result<Vec<RequestResult>, StoreError> {
    let mut results = Vec::with_capacity(requests.len());
    for request in requests {
        results.push(match remembered(tx, request).await? {
            Some(result) => result,
            None => one(tx, work, asker, request).await?,
        });
    }
    Ok(results)
}

/// True if one of these requests was not decided because its case is not here.
pub async fn lost(
    tx: &mut dyn Tx,
    requests: impl Iterator<Item = (&Request, &RequestResult)>,
) -> Result<bool, StoreError> {
    for (request, _) in requests.filter(|(_, result)| result.code.as_deref() == Some(NOT_YOURS)) {
        if ledger::load(tx, request.case).await?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn remembered(tx: &mut dyn Tx, request: &Request) -> Result<Option<RequestResult>, StoreError> {
    let sql = "SELECT case_id, verb, code, version FROM request_log WHERE intent_id = ?1";
    let Some(row) = tx.query_opt(sql, params![request.intent.as_bytes()]).await? else { return Ok(None) };
    let same = row.blob(0)? == request.case.as_bytes() && row.text(1)? == request.verb;
    if !same {
        return Ok(Some(refused(request, "intent_reused", None)));
    }
    let version = row.opt_int(3)?.and_then(|version| u32::try_from(version).ok()).unwrap_or(0);
    let (code, field) = split(row.opt_text(2)?);
    Ok(Some(RequestResult { intent: request.intent, version, code, field }))
}

async fn one(
    tx: &mut dyn Tx,
    work: &mut Work,
    asker: &Asker<'_>,
    request: &Request,
) -> Result<RequestResult, StoreError> {
    let case = ledger::load(tx, request.case).await?;
    let own = case.filter(|case| case.ledger.may_write_facts(&asker.viewer.user));
    let Some(case) = own.filter(|case| case.district == work.district) else {
        return Ok(refused(request, NOT_YOURS, None));
    };
    if said(tx, &case).await? + request.payload.len() as i64 > ROOM {
        // Not remembered: asking once more must not cost anything.
        return Ok(refused(request, "case_full", None));
    }
    let result = match take(tx, work, asker, request, &case).await {
        Ok(version) => RequestResult { intent: request.intent, version, code: None, field: None },
        Err(Denied::Code(code)) => refused(request, code, None),
        Err(Denied::Ledger(LedgerError::Refused(refusal))) => {
            refused(request, refusal.code(), refusal.field().map(|member| member.code()))
        }
        Err(Denied::Ledger(LedgerError::Store(failed))) => return Err(failed),
    };
    remember(tx, work, asker, request, &result).await?;
    Ok(result)
}

/// About how many bytes the decisions on a case take.
async fn said(tx: &mut dyn Tx, case: &Case) -> Result<i64, StoreError> {
    const SQL: &str =
        "SELECT CAST(COALESCE(SUM(OCTET_LENGTH(payload) + ?2), 0) AS BIGINT) FROM case_event WHERE case_id = ?1";
    tx.query_one(SQL, params![case.id.as_bytes(), EVENT_BYTES]).await?.int(0)
}

/// Why a request is not granted.
enum Denied {
    /// It can not be read.
    Code(&'static str),
    /// The workflow says no, or the database failed.
    Ledger(LedgerError),
}

impl<E: Into<LedgerError>> From<E> for Denied {
    fn from(error: E) -> Self {
        Self::Ledger(error.into())
    }
}

async fn take(
    tx: &mut dyn Tx,
    work: &mut Work,
    asker: &Asker<'_>,
    request: &Request,
    case: &Case,
) -> Result<u32, Denied> {
    let verb = Verb::from_code(&request.verb).filter(|verb| verb.is_request()).ok_or(Denied::Code("unknown_verb"))?;
    let mut payload = match request.payload.as_slice() {
        [] => Payload::default(),
        json => serde_json::from_slice(json).map_err(|_| Denied::Code("malformed"))?,
    };
    check_outside(verb, &payload)?;
    let place = Place { district: &case.district, directory: asker.directory, scope: None };
    references::check(tx, &place, &payload).await?;
    let context = Context {
        heads: judged_heads(tx, case, request).await?,
        device: Some(asker.device),
        case_id: Some(case.id),
        ..Context::at(work.now)
    };
    if verb == Verb::Submit {
        payload = resubmitted(tx, work, asker, case).await?;
    }
    let (command, actor) = (Command::new(verb, payload), asker.viewer.actor());
    let taken = ledger::append(tx, work, Step::on(case, &command, &actor, &context)).await?;
    Ok(taken.event.version)
}

/// The heads an event quotes as evidence must be in the document for ever; others are not taken over.
async fn judged_heads(tx: &mut dyn Tx, case: &Case, request: &Request) -> Result<Vec<ChangeHash>, StoreError> {
    let mut known = Vec::with_capacity(request.heads.len());
    for head in &request.heads {
        let sql = "SELECT 1 FROM change_row WHERE case_id = ?1 AND hash = ?2";
        if !tx.query(sql, params![case.id.as_bytes(), head.as_bytes()]).await?.is_empty() {
            known.push(*head);
        }
    }
    known.sort_unstable();
    known.dedup();
    Ok(if known.is_empty() { case.heads.clone() } else { known })
}

/// A report submitted again after it was sent back: its claims are read from its facts anew.
async fn resubmitted(tx: &mut dyn Tx, work: &Work, asker: &Asker<'_>, case: &Case) -> Result<Payload, StoreError> {
    let (facts, _) = facts::shown(tx, case.id, &case.ledger).await?;
    intake::claims_again(tx, work, asker, case.id, &facts).await
}

async fn remember(
    tx: &mut dyn Tx,
    work: &Work,
    asker: &Asker<'_>,
    request: &Request,
    result: &RequestResult,
) -> Result<(), StoreError> {
    let code = result.code.as_ref().map(|code| match &result.field {
        Some(field) => format!("{code}/{field}"),
        None => code.clone(),
    });
    tx.execute(
        "INSERT INTO request_log (intent_id, district, case_id, device, verb, outcome, code, version, at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            request.intent.as_bytes(),
            &work.district,
            request.case.as_bytes(),
            asker.device.as_bytes(),
            &request.verb,
            if result.code.is_none() { "accepted" } else { "refused" },
            code,
            result.version,
            work.now.0
        ],
    )
    .await?;
    Ok(())
}

/// A stored code is `code` or `code/field`.
fn split(stored: Option<&str>) -> (Option<String>, Option<String>) {
    match stored.and_then(|stored| stored.split_once('/')) {
        Some((code, field)) => (Some(code.to_owned()), Some(field.to_owned())),
        None => (stored.map(str::to_owned), None),
    }
}

fn refused(request: &Request, code: &str, field: Option<&str>) -> RequestResult {
    RequestResult { intent: request.intent, version: 0, code: Some(code.to_owned()), field: field.map(str::to_owned) }
}
