//! What one foreign change may do to a document, whatever it is.

use crate::doc::gate::{ActorVerdict, Admission, GateCode, GateLimits, Policy, Stage, admit, contained, limits};
use crate::doc::{Edit, FieldDoc, chunk};
use crate::model::{ActorId, Facts};

/// By which door a change comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// From a phone to the server, for a case this far along.
    Push(Stage),
    /// From the server to a phone.
    Pull,
}

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is in: the saved document.
    Accepted(Vec<u8>),
    /// It is out, for this reason.
    Refused(GateCode),
    /// It builds on something that is not here.
    Waiting,
    /// It was here.
    Duplicate,
    /// A panic came out of the gate. Must not happen.
    Escaped(String),
    /// The document is not what it should be. Must not happen.
    Harmed(&'static str),
}

impl Door {
    fn policy(self) -> Policy<'static> {
        match self {
            Self::Pull => Policy::from_server(),
            Self::Push(stage) => {
                Policy { stage, allowed_actor: &|_| ActorVerdict::Allowed, limits: GateLimits::default() }
            }
        }
    }
}

/// Sends `body` through the gate into `subject`, which equals `before`, and holds the document against what is promised.
pub fn judge(before: &FieldDoc, subject: &mut FieldDoc, body: &[u8], door: Door) -> Verdict {
    let admitted = contained(|| admit(subject, &[body], &door.policy()));
    let admission = match admitted {
        Ok(admission) => admission,
        Err(panic) => return Verdict::Escaped(panic),
    };
    match contained(|| harm(before, subject, body, &admission, door)) {
        Ok(None) => {}
        Ok(Some(harm)) => return Verdict::Harmed(harm),
        Err(_) => return Verdict::Harmed("using the document panics"),
    }
    match (admission.rejected.first(), admission.snapshot) {
        (Some(rejected), _) => Verdict::Refused(rejected.code),
        (None, Some(snapshot)) => Verdict::Accepted(snapshot),
        (None, None) if admission.needs.is_empty() => Verdict::Duplicate,
        (None, None) => Verdict::Waiting,
    }
}

/// The promise that is broken, if one is: the document is as good as before, with the change if it was accepted.
fn harm(before: &FieldDoc, after: &FieldDoc, body: &[u8], admission: &Admission, door: Door) -> Option<&'static str> {
    let Some(snapshot) = &admission.snapshot else {
        let same = admission.accepted.is_empty() && after.heads() == before.heads();
        return (!same).then_some("a refused change left something behind");
    };
    let Ok(mut loaded) = FieldDoc::load(snapshot) else { return Some("what was saved does not load") };
    let hash = chunk::hash_of_body(body);
    if loaded.change_body(&hash).as_deref() != Some(body) || loaded.heads() != after.heads() {
        return Some("what was saved loads as something else");
    }
    let (facts, _) = loaded.facts();
    let photos = if door == Door::Pull { usize::MAX } else { Facts::MAX_PHOTOS };
    let most = before.max_op() + limits::MAX_START_OP_STEP + limits::MAX_OPS as u64;
    if facts.photos.len() > photos
        || facts.description.chars().count() > Facts::MAX_TEXT_CHARS
        || loaded.max_op() > most
    {
        return Some("a limit is broken");
    }
    let note = Edit::Description(format!("之后 {}", loaded.max_op()));
    let edited = loaded.edit(ActorId::from_bytes(*b"afterall"), &[note]);
    (!matches!(edited, Ok(Some(_)))).then_some("no further edit is possible")
}
