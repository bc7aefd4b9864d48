//! What the document and its gate promise, from the outside.

mod attacks;
mod editing;
mod fuzzing;
mod golden;

use super::gate::{ActorVerdict, Admission, GateLimits, Policy, Stage, admit};
use super::{Edit, FieldDoc};
use crate::model::{ActorId, Facts, Millis, PhotoFact, PhotoHash, PhotoRole, Remark, Ulid};

const ANN: ActorId = ActorId::from_bytes([0xa1; 8]);
const BEN: ActorId = ActorId::from_bytes([0xb2; 8]);
const CAI: ActorId = ActorId::from_bytes([0xc3; 8]);

/// Sends everything `from` has and `to` lacks through the gate of an open case.
fn push(from: &FieldDoc, to: &mut FieldDoc) -> Admission {
    push_at(Stage::Open, from, to)
}

fn push_at(stage: Stage, from: &FieldDoc, to: &mut FieldDoc) -> Admission {
    let bodies: Vec<_> = from.change_bodies_since(&to.heads()).into_iter().map(|(_, body)| body).collect();
    admit_all(stage, to, &bodies)
}

fn admit_all(stage: Stage, to: &mut FieldDoc, bodies: &[Vec<u8>]) -> Admission {
    let policy = Policy { stage, allowed_actor: &|_| ActorVerdict::Allowed, limits: GateLimits::default() };
    let bodies: Vec<_> = bodies.iter().map(Vec::as_slice).collect();
    admit(to, &bodies, &policy)
}

/// A document with one change of Ann's.
fn reported() -> FieldDoc {
    let mut doc = FieldDoc::new();
    doc.edit(ANN, &[Edit::Description("路面破损".into()), Edit::LocationText("文昌北街".into())]).unwrap();
    doc
}

fn photo(number: u8) -> Edit {
    let fact = PhotoFact {
        role: PhotoRole::After,
        mime: "image/jpeg".into(),
        bytes: 150_000,
        w: 1_600,
        h: 1_200,
        taken_at: Some(Millis(1_700_000_000_000)),
    };
    Edit::AddPhoto(PhotoHash::of(&[number]), fact)
}

fn remark(id: u8, text: &str) -> Edit {
    let id = Ulid::from_parts(Millis(1_700_000_000_000), [id; 10]);
    Edit::AddRemark(Facts::remark_key(id), Remark { text: text.into(), at: Millis(1) })
}
