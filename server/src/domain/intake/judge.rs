//! Judges pushed changes: whose case it is, how far it is along, and what the gate says. Touches no database.

use std::collections::BTreeSet;

use xunge_client_core::doc::gate::{ActorVerdict, Admission, GateLimits, Policy, Stage, admit};
use xunge_client_core::doc::{FieldDoc, chunk};
use xunge_client_core::model::{ActorId, CaseId, ChangeHash, Facts, Millis};
use xunge_client_core::wire::Frame;
use xunge_client_core::workflow::{Ledger, State};

use super::Push;
use crate::domain::ledger::{self, Case};
use crate::params;
use crate::store::{StoreError, Tx};

/// How long after the end of a case its facts may still be edited.
const SEALED_AFTER_MS: i64 = 7 * 86_400_000;

/// What the server holds of a case.
#[derive(Debug, Default)]
pub(super) struct Held {
    case: Option<Case>,
    doc: Option<StoredDoc>,
}

#[derive(Debug)]
struct StoredDoc {
    version: i64,
    snapshot: Vec<u8>,
}

/// Reads what is held of a case.
pub(super) async fn held(tx: &mut dyn Tx, id: CaseId) -> Result<Held, StoreError> {
    let Some(case) = ledger::load(tx, id).await? else { return Ok(Held::default()) };
    let row = tx.query_opt("SELECT version, snapshot FROM doc WHERE case_id = ?1", params![id.as_bytes()]).await?;
    let doc = row
        .map(|row| Ok::<_, StoreError>(StoredDoc { version: row.int(0)?, snapshot: row.blob(1)?.to_vec() }))
        .transpose()?;
    Ok(Held { case: Some(case), doc })
}

/// A pushed case with its judgement.
#[derive(Debug)]
pub struct Judged {
    /// The case.
    pub(super) id: CaseId,
    /// It is to be submitted.
    pub(super) submit: bool,
    /// Where it stands; none if the server does not know it.
    pub(super) case: Option<Case>,
    /// Version of the stored document the judgement is about.
    pub(super) doc_version: Option<i64>,
    /// The judgement.
    pub(super) verdict: Verdict,
}

/// What is to be done with a frame.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Not this user's to write, or not there; the sender is not told which.
    NotYours {
        /// Pushed changes that the case holds already: the answer to them was lost before the case was handed on.
        held: BTreeSet<ChangeHash>,
    },
    /// The server lost the case (it was restored); the phone sends all of it.
    SendAll,
    /// The stored document can not be read; nothing was changed, the phone keeps its changes.
    Unreadable,
    /// The gate has spoken.
    Admitted(Box<Admitted>),
}

/// The gate's answer with what follows from it.
#[derive(Debug)]
pub(super) struct Admitted {
    pub(super) admission: Admission,
    /// Heads of the document with the accepted changes.
    pub(super) heads: Vec<ChangeHash>,
    /// Its facts.
    pub(super) facts: Facts,
    /// Every change of the frame is in the document, and the last one is its only tip.
    pub(super) as_pushed: bool,
}

/// Judges a whole push.
pub(super) fn all(push: &Push, held: Vec<Held>, taken: &BTreeSet<ActorId>, now: Millis) -> Vec<Judged> {
    push.frames.iter().zip(held).map(|(frame, held)| one(push, frame, held, taken, now)).collect()
}

fn one(push: &Push, frame: &Frame, held: Held, taken: &BTreeSet<ActorId>, now: Millis) -> Judged {
    let mut judged = Judged {
        id: frame.case,
        submit: frame.submit,
        case: held.case,
        doc_version: held.doc.as_ref().map(|doc| doc.version),
        verdict: Verdict::NotYours { held: BTreeSet::new() },
    };
    let stage = match &judged.case {
        None if frame.submit => Stage::Open,
        None => {
            if !push.same_epoch {
                judged.verdict = Verdict::SendAll;
            }
            return judged;
        }
        Some(case) if case.ledger.may_write_facts(&push.viewer.user) => stage(&case.ledger, now),
        Some(_) => {
            let doc = held.doc.and_then(|doc| FieldDoc::load(&doc.snapshot).ok()).unwrap_or_default();
            let pushed = frame.changes.iter().map(|body| chunk::hash_of_body(body));
            judged.verdict = Verdict::NotYours { held: pushed.filter(|hash| doc.knows(hash)).collect() };
            return judged;
        }
    };
    let mut doc = match held.doc.map(|doc| FieldDoc::load(&doc.snapshot)) {
        None => FieldDoc::new(),
        Some(Ok(doc)) => doc,
        Some(Err(_)) => {
            judged.verdict = Verdict::Unreadable;
            return judged;
        }
    };
    let allowed = |actor: &ActorId| match taken.contains(actor) {
        true => ActorVerdict::Taken,
        false => ActorVerdict::Allowed,
    };
    let bodies: Vec<&[u8]> = frame.changes.iter().map(|body| body.as_slice()).collect();
    let policy = Policy { stage, allowed_actor: &allowed, limits: GateLimits::default() };
    let admission = admit(&mut doc, &bodies, &policy);
    let heads = doc.heads();
    // What a phone pushes ends with the change that all others of it come before.
    let complete = admission.rejected.is_empty() && admission.needs.is_empty();
    let tip = bodies.last().map(|body| chunk::hash_of_body(body));
    let as_pushed = complete && heads.iter().eq(&tip);
    let facts = if admission.accepted.is_empty() { Facts::default() } else { doc.facts().0 };
    judged.verdict = Verdict::Admitted(Box::new(Admitted { admission, heads, facts, as_pushed }));
    judged
}

/// How far a case is along, for the gate.
fn stage(ledger: &Ledger, now: Millis) -> Stage {
    let ended = match ledger.state {
        State::Closed => ledger.closed_at,
        State::Void => ledger.void_at,
        _ => None,
    };
    match ended {
        None => Stage::Open,
        Some(at) if now < at.plus_ms(SEALED_AFTER_MS) => Stage::Late,
        Some(_) => Stage::Sealed,
    }
}
