//! The gate: the only way foreign changes get into a field document.
//!
//! Automerge 0.12.0 panics on 5-7 % of mutated changes, and accepts some after which the saved document
//! does not load any more; one hostile phone could lock a case for ever. So foreign bytes never reach the
//! library. A change passes these steps, each of which needs the one before:
//!
//! 1. size, and how many come in one push;
//! 2. our own parser of the change format, with a limit on everything ([`limits`]);
//! 3. identity: the actor belongs to the sender, its sequence has no gap, everything it builds on is here;
//! 4. the rules of the schema: paths, types, lengths, entries written once, what a sealed case still takes;
//! 5. replay: the operations are repeated through the library's safe calls, and the change the library
//!    writes must have the same hash. What enters the document is the library's own work;
//! 6. the document is saved and loaded again, and must have the same heads.
//!
//! Steps 5 and 6 work on clones inside a panic boundary. A refusal or a panic leaves the document as it was.
//!
//! | what goes wrong | what the sender learns |
//! |---|---|
//! | something it builds on is missing | the missing hashes, in `needs`; it sends the whole history next |
//! | the change itself is wrong | its hash with a [`GateCode`] and the field, in `rejected` |
//! | it builds on a refused one | `depends_on_rejected` |
//! | it is here already | its hash, in `duplicates`: a repeated push changes nothing |

mod admit;
mod body;
mod code;
mod column;
pub mod limits;
mod panics;
mod replay;
mod rules;

use std::collections::BTreeSet;

pub use admit::admit;
pub use code::GateCode;
pub use limits::GateLimits;
pub(super) use panics::contained;
pub use panics::{QuietPanics, quiet_panics};

use crate::model::{ActorId, ChangeHash};

/// How far a case is along, as far as the gate cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Everything may be edited.
    Open,
    /// Closed or void for up to seven days: edits are taken and shown as late.
    Late,
    /// Closed or void for longer: only supplements are taken.
    Sealed,
}

/// Whether an actor may write here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorVerdict {
    /// It belongs to the sender, or nobody used it yet.
    Allowed,
    /// Another device or user wrote with it: a restored backup or a clone.
    Taken,
}

/// What a writer may do at this moment.
pub struct Policy<'a> {
    /// How far the case is along.
    pub stage: Stage,
    /// Asked once for the actor of each new change; identity of device and user is the caller's business.
    pub allowed_actor: &'a dyn Fn(&ActorId) -> ActorVerdict,
    /// Limits beyond the fixed ones of [`limits`].
    pub limits: GateLimits,
}

impl std::fmt::Debug for Policy<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Policy").field("stage", &self.stage).field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Policy<'_> {
    /// What a phone applies to changes its server hands down: any actor, wider limits.
    ///
    /// Who may write was decided by the server; everything that could harm the document is still checked.
    pub fn from_server() -> Policy<'static> {
        Policy { stage: Stage::Open, allowed_actor: &|_| ActorVerdict::Allowed, limits: GateLimits::from_server() }
    }
}

/// A change that is now part of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedChange {
    /// Its name.
    pub hash: ChangeHash,
    /// Who wrote it.
    pub actor: ActorId,
    /// Its number among the actor's changes of this case.
    pub seq: u64,
    /// Its body, byte for byte what our library wrote (the hash proves it).
    pub body: Vec<u8>,
}

/// A change that stays outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedChange {
    /// Hash of the bytes as received.
    pub hash: ChangeHash,
    /// Why.
    pub code: GateCode,
    /// The register, or `photos`, `remarks`, `supplements`, where one is to blame.
    pub field: Option<String>,
}

/// What became of a push.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// New changes, in an order in which each follows what it builds on.
    pub accepted: Vec<AcceptedChange>,
    /// Refused changes.
    pub rejected: Vec<RejectedChange>,
    /// Changes the document had already.
    pub duplicates: Vec<ChangeHash>,
    /// Hashes that changes of this push build on and nobody has. Those changes were set aside, not refused.
    pub needs: BTreeSet<ChangeHash>,
    /// Registers and containers the accepted changes wrote.
    pub touched: BTreeSet<&'static str>,
    /// The saved document as it was verified; store exactly these bytes. `None` if nothing was accepted.
    pub snapshot: Option<Vec<u8>>,
}

/// What a body states about itself. Unproven: for look-ups before [`admit`], never instead of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Who says to have written it.
    pub actor: ActorId,
    /// Its number among the actor's changes.
    pub seq: u64,
    /// What it builds on.
    pub deps: Vec<ChangeHash>,
}

/// Reads what a body states about itself; `None` if [`admit`] would refuse it as unreadable.
pub fn claim(body: &[u8]) -> Option<Claim> {
    let within_limit = body.len() <= limits::MAX_BODY_BYTES;
    let parsed = within_limit.then(|| body::Body::parse(body).ok()).flatten()?;
    Some(Claim { actor: parsed.actor, seq: parsed.seq, deps: parsed.deps })
}

/// Why one change is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal {
    code: GateCode,
    field: Option<String>,
}

impl Refusal {
    fn new(code: GateCode) -> Self {
        Self { code, field: None }
    }

    fn at(code: GateCode, field: &str) -> Self {
        Self { code, field: Some(field.to_owned()) }
    }
}

impl From<GateCode> for Refusal {
    fn from(code: GateCode) -> Self {
        Self::new(code)
    }
}
