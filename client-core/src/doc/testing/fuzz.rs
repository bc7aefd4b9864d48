//! Mutated changes against the gate.
//!
//! Random bytes die in the parser. What hurts is a change that is nearly right, so inputs are valid
//! changes of living documents (conflicts, nested maps, several writers) with one to four edits: raw
//! bytes, pieces of other changes, numbers of the header, single columns.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::forge::{Forgery, write_signed, write_unsigned};
use super::honest::sample_edit;
use crate::doc::gate::{ActorVerdict, Admission, GateCode, GateLimits, Policy, Stage, admit, contained};
use crate::doc::{Edit, FieldDoc, chunk};
use crate::model::{ActorId, Facts};

/// What became of the mutated changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FuzzReport {
    /// Mutated changes tried.
    pub inputs: u64,
    /// Taken in: the mutation made another valid change.
    pub accepted: u64,
    /// Refused, by code.
    pub rejected: BTreeMap<GateCode, u64>,
    /// Set aside because something they build on is unknown.
    pub waiting: u64,
    /// Already there: the mutation undid itself.
    pub duplicates: u64,
    /// Panics that came out of the gate. Must be 0.
    pub panics_escaped: u64,
    /// Accepted changes after which the document did not load, differed, broke a limit or took no edit. Must be 0.
    pub unloadable: u64,
}

/// Sends `inputs` mutated changes through the gate.
pub fn fuzz(seed: u64, inputs: u64) -> FuzzReport {
    let mut dice = Dice::new(seed);
    let mut report = FuzzReport::default();
    let mut target = Target::new(&mut dice);
    for _ in 0..inputs {
        if target.is_worn_out() {
            target = Target::new(&mut dice);
        }
        let body = target.mutated(&mut dice);
        target.attack(&body, &mut report);
    }
    report.inputs = inputs;
    report
}

/// A document, and valid changes that could come next.
struct Target {
    doc: FieldDoc,
    next: Vec<Vec<u8>>,
    stage: Stage,
    attacks_left: u32,
}

impl Target {
    fn new(dice: &mut Dice) -> Self {
        let writers: Vec<ActorId> = (0..4).map(|_| ActorId::from_bytes(dice.bytes())).collect();
        let mut doc = FieldDoc::new();
        let mut next = Vec::new();
        let rounds = dice.below(4);
        for round in 0..=rounds {
            // All but the last round enter the document, side by side: that makes conflicts.
            let mut bodies = Vec::new();
            for writer in &writers[..1 + dice.below(3)] {
                let mut phone = doc.clone();
                for _ in 0..=dice.below(2) {
                    let edits: Vec<Edit> = (0..=dice.below(3)).map(|_| sample_edit(dice)).collect();
                    // An edit may be one photo too many; then there is just one body fewer.
                    let written = phone.edit(*writer, &edits);
                    bodies.extend(written.ok().flatten().and_then(|hash| phone.change_body(&hash)));
                }
            }
            if round == rounds {
                next = bodies;
            } else {
                admit_quietly(&mut doc, &bodies, Stage::Open);
            }
        }
        if next.is_empty() {
            next.push(first_body(dice));
        }
        let stage = if dice.one_in(8) { Stage::Sealed } else { Stage::Open };
        Self { doc, next, stage, attacks_left: 1_000 }
    }

    fn is_worn_out(&self) -> bool {
        self.attacks_left == 0
    }

    fn mutated(&self, dice: &mut Dice) -> Vec<u8> {
        let mut body = dice.pick(&self.next).clone();
        // Mostly one edit: each further one makes it likelier that the parser already says no.
        let edits = *dice.pick(&[1, 1, 1, 1, 2, 2, 3, 4]);
        for _ in 0..edits {
            match dice.below(12) {
                0..=1 => mutate_bytes(&mut body, dice),
                2 => splice(&mut body, dice.pick::<Vec<u8>>(&self.next), dice),
                3..=5 => forge(&mut body, dice, |forgery, dice| self.mutate_header(forgery, dice)),
                6..=7 => forge(&mut body, dice, mutate_text),
                _ => forge(&mut body, dice, mutate_column),
            }
        }
        body
    }

    fn mutate_header(&self, forgery: &mut Forgery, dice: &mut Dice) {
        let actors: Vec<_> = self.doc.actors().map(|actor| actor.as_bytes().to_vec()).collect();
        let known_actor = if actors.is_empty() { forgery.actor.clone() } else { dice.pick(&actors).clone() };
        match dice.below(12) {
            0 => forgery.seq = interesting(forgery.seq, dice),
            1 => forgery.start_op = interesting(forgery.start_op, dice),
            2 => forgery.actor = known_actor,
            3 => forgery.others.push(known_actor),
            4 => drop(forgery.others.pop()),
            5 => forgery.deps = self.doc.heads().iter().map(|head| *head.as_bytes()).collect(),
            6 => drop(forgery.deps.pop()),
            7 => forgery.actor = dice.bytes::<8>().to_vec(),
            8 => forgery.others.reverse(),
            9 => forgery.deps.reverse(),
            10 => forgery.time = interesting(forgery.time as u64, dice) as i64,
            _ => forgery.trailer.extend(dice.bytes::<3>()),
        }
    }

    fn attack(&mut self, body: &[u8], report: &mut FuzzReport) {
        self.attacks_left -= 1;
        let policy =
            Policy { stage: self.stage, allowed_actor: &|_| ActorVerdict::Allowed, limits: GateLimits::default() };
        let mut doc = self.doc.clone();
        let Ok(admission) = contained(|| admit(&mut doc, &[body], &policy)) else {
            report.panics_escaped += 1;
            return;
        };
        report.accepted += admission.accepted.len() as u64;
        report.duplicates += admission.duplicates.len() as u64;
        report.waiting += u64::from(!admission.needs.is_empty());
        for rejected in &admission.rejected {
            *report.rejected.entry(rejected.code).or_default() += 1;
        }
        if !contained(|| is_sound(&self.doc, &doc, body, &admission)).unwrap_or(false) {
            report.unloadable += 1;
        }
        // Some accepted mutations stay: later ones, by other actors, meet them as conflicts and as history.
        if self.attacks_left.is_multiple_of(16) && doc.change_count() < 40 {
            self.doc = doc;
        }
    }
}

/// True if the document is exactly as good as before, with the change if it was accepted.
fn is_sound(before: &FieldDoc, after: &FieldDoc, body: &[u8], admission: &Admission) -> bool {
    let Some(snapshot) = &admission.snapshot else {
        return admission.accepted.is_empty() && after.heads() == before.heads();
    };
    let Ok(mut loaded) = FieldDoc::load(snapshot) else { return false };
    let hash = chunk::hash_of_body(body);
    let kept = loaded.change_body(&hash).as_deref() == Some(body) && loaded.heads() == after.heads();
    let (facts, _) = loaded.facts();
    let within_limits = facts.photos.len() <= Facts::MAX_PHOTOS
        && facts.description.chars().count() <= Facts::MAX_TEXT_CHARS
        && loaded.max_op() <= before.max_op() + 4_096 + 512;
    let note = Edit::Description(format!("之后 {}", loaded.max_op()));
    let editable = matches!(loaded.edit(ActorId::from_bytes(*b"afterall"), &[note]), Ok(Some(_)));
    kept && within_limits && editable
}

fn admit_quietly(doc: &mut FieldDoc, bodies: &[Vec<u8>], stage: Stage) {
    let policy = Policy { stage, allowed_actor: &|_| ActorVerdict::Allowed, limits: GateLimits::default() };
    let bodies: Vec<_> = bodies.iter().map(Vec::as_slice).collect();
    admit(doc, &bodies, &policy);
}

fn first_body(dice: &mut Dice) -> Vec<u8> {
    let mut doc = FieldDoc::new();
    let hash = doc.edit(ActorId::from_bytes(dice.bytes()), &[Edit::Description("路面破损".to_owned())]);
    hash.ok().flatten().and_then(|hash| doc.change_body(&hash)).unwrap_or_default()
}

fn mutate_bytes(body: &mut Vec<u8>, dice: &mut Dice) {
    if body.is_empty() {
        body.push(dice.bits() as u8);
    }
    let at = dice.below(body.len());
    match dice.below(6) {
        0 => body[at] = dice.bits() as u8,
        1 => body[at] ^= 1 << dice.below(8),
        2 => body.insert(at, dice.bits() as u8),
        3 => drop(body.remove(at)),
        4 => body[at] = *dice.pick(&[0x00, 0x01, 0x7f, 0x80, 0xff]),
        _ => body[at] = body[at].wrapping_add(if dice.one_in(2) { 1 } else { 0xff }),
    }
}

/// Overwrites a stretch with a stretch of another change.
fn splice(body: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
    if body.is_empty() || other.is_empty() {
        return;
    }
    let from = dice.below(other.len());
    let until = (from + 1 + dice.below(24)).min(other.len());
    let at = dice.below(body.len());
    let end = (at + until - from).min(body.len());
    body.splice(at..end, other[from..until].iter().copied());
}

/// Mutates a part and repairs all lengths around it; bodies that do not come apart stay as they are.
fn forge(body: &mut Vec<u8>, dice: &mut Dice, mutate: impl Fn(&mut Forgery, &mut Dice)) {
    if let Some(mut forgery) = Forgery::of(body) {
        mutate(&mut forgery, dice);
        *body = forgery.to_body();
    }
}

/// Changes characters of keys and values without touching any length: often another valid change.
fn mutate_text(forgery: &mut Forgery, dice: &mut Dice) {
    let index = dice.below(forgery.columns.len().max(1));
    let Some((_, data)) = forgery.columns.get_mut(index) else { return };
    for byte in data.iter_mut().filter(|byte| byte.is_ascii_alphanumeric()) {
        if dice.one_in(8) {
            *byte = *dice.pick(b"0123456789abcdefvwABYZ");
        }
    }
}

fn mutate_column(forgery: &mut Forgery, dice: &mut Dice) {
    if forgery.columns.is_empty() {
        return;
    }
    let index = dice.below(forgery.columns.len());
    let (_, data) = &mut forgery.columns[index];
    match dice.below(8) {
        0 => drop(forgery.columns.remove(index)),
        1 => {
            let mut run = Vec::new();
            write_signed(&mut run, interesting(2, dice) as i64);
            write_unsigned(&mut run, interesting(1, dice));
            data.extend(run);
        }
        2 => data.truncate(dice.below(data.len() + 1)),
        3 => forgery.columns.swap(index, 0),
        4 => forgery.columns[index].0 ^= 1 << dice.below(8),
        _ => mutate_bytes(data, dice),
    }
}

/// A number near `value`, or one of those that break things.
fn interesting(value: u64, dice: &mut Dice) -> u64 {
    match dice.below(4) {
        0 => value.wrapping_add(1),
        1 => value.wrapping_sub(1),
        2 => *dice.pick(&[0, 1, 2, 127, 128, 512, 513, 1 << 16, 1 << 30, u64::from(u32::MAX) - 1, 1 << 32, u64::MAX]),
        _ => dice.bits() >> dice.below(64),
    }
}
