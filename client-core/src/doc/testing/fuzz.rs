//! Mutated changes against the gate.
//!
//! Random bytes die in the parser. What hurts is a change that is nearly right, so inputs are valid
//! changes of living documents (conflicts, nested maps, several writers) with one to four edits: raw
//! bytes, pieces of other changes, numbers of the header, single columns.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::forge::{Forgery, write_signed, write_unsigned};
use super::honest::sample_edit;
use super::judge::{Door, Verdict, judge};
use super::mutate::{interesting, one_byte, splice};
use crate::doc::gate::{ActorVerdict, GateCode, GateLimits, Policy, Stage, admit};
use crate::doc::{Edit, FieldDoc};
use crate::model::ActorId;

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

impl FuzzReport {
    /// Adds what another run found.
    pub fn add(&mut self, other: &Self) {
        self.inputs += other.inputs;
        self.accepted += other.accepted;
        self.waiting += other.waiting;
        self.duplicates += other.duplicates;
        self.panics_escaped += other.panics_escaped;
        self.unloadable += other.unloadable;
        for (code, count) in &other.rejected {
            *self.rejected.entry(*code).or_default() += count;
        }
    }

    fn note(&mut self, verdict: &Verdict) {
        self.inputs += 1;
        match verdict {
            Verdict::Accepted(_) => self.accepted += 1,
            Verdict::Refused(code) => *self.rejected.entry(*code).or_default() += 1,
            Verdict::Waiting => self.waiting += 1,
            Verdict::Duplicate => self.duplicates += 1,
            Verdict::Escaped(_) => self.panics_escaped += 1,
            Verdict::Harmed(_) => self.unloadable += 1,
        }
    }
}

/// Sends `inputs` mutated changes through the gate of the server.
pub fn fuzz(seed: u64, inputs: u64) -> FuzzReport {
    let mut dice = Dice::new(seed);
    let mut report = FuzzReport::default();
    let mut target = Life::new(&mut dice);
    for _ in 0..inputs {
        if target.attacks_left == 0 {
            target = Life::new(&mut dice);
        }
        let body = target.mutated(&mut dice);
        target.attack(&body, &mut report);
    }
    report
}

/// A document, and valid changes that could come next.
#[derive(Debug)]
pub struct Life {
    /// What the changes meet.
    pub doc: FieldDoc,
    /// Valid changes.
    pub next: Vec<Vec<u8>>,
    /// How far the case is.
    pub stage: Stage,
    known: Known,
    /// The same document again: what goes through the gate and must come out as it was.
    subject: FieldDoc,
    attacks_left: u32,
}

/// What a forger knows of the document.
#[derive(Debug, Default)]
pub struct Known {
    actors: Vec<Vec<u8>>,
    heads: Vec<[u8; 32]>,
}

impl Known {
    /// Everything, as whoever may read the case does.
    pub fn of(doc: &FieldDoc) -> Self {
        Self {
            actors: doc.actors().map(|actor| actor.as_bytes().to_vec()).collect(),
            heads: doc.heads().iter().map(|head| *head.as_bytes()).collect(),
        }
    }
}

impl Life {
    /// Lets a few writers live for a while.
    pub fn new(dice: &mut Dice) -> Self {
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
        Self { subject: doc.clone(), known: Known::of(&doc), doc, next, stage, attacks_left: 1_000 }
    }

    /// One of the next changes, damaged.
    fn mutated(&self, dice: &mut Dice) -> Vec<u8> {
        let mut body = dice.pick(&self.next).clone();
        mutate_change(&mut body, dice.pick::<Vec<u8>>(&self.next), &self.known, dice);
        body
    }

    fn attack(&mut self, body: &[u8], report: &mut FuzzReport) {
        self.attacks_left -= 1;
        let verdict = judge(&self.doc, &mut self.subject, body, Door::Push(self.stage));
        report.note(&verdict);
        match verdict {
            Verdict::Refused(_) | Verdict::Waiting | Verdict::Duplicate => {}
            // Some accepted mutations stay: later ones, by other actors, meet them as conflicts and as history.
            Verdict::Accepted(_) if report.accepted.is_multiple_of(16) && self.doc.change_count() < 40 => {
                self.doc = self.subject.clone();
                self.known = Known::of(&self.doc);
            }
            _ => self.subject = self.doc.clone(),
        }
    }
}

/// One to four edits of a change: bytes, pieces of `other`, its header, one of its columns.
pub fn mutate_change(body: &mut Vec<u8>, other: &[u8], known: &Known, dice: &mut Dice) {
    // Mostly one edit: each further one makes it likelier that the parser already says no.
    for _ in 0..*dice.pick(&[1, 1, 1, 1, 2, 2, 3, 4]) {
        match dice.below(12) {
            0..=1 => one_byte(body, dice),
            2 => splice(body, other, dice),
            3..=5 => forge(body, dice, |forgery, dice| mutate_header(forgery, known, dice)),
            6..=7 => forge(body, dice, mutate_text),
            _ => forge(body, dice, mutate_column),
        }
    }
}

fn mutate_header(forgery: &mut Forgery, known: &Known, dice: &mut Dice) {
    let actor = |forgery: &Forgery, dice: &mut Dice| match known.actors.as_slice() {
        [] => forgery.actor.clone(),
        actors => dice.pick(actors).clone(),
    };
    match dice.below(12) {
        0 => forgery.seq = interesting(forgery.seq, dice),
        1 => forgery.start_op = interesting(forgery.start_op, dice),
        2 => forgery.actor = actor(forgery, dice),
        3 => forgery.others.push(actor(forgery, dice)),
        4 => drop(forgery.others.pop()),
        5 => forgery.deps.clone_from(&known.heads),
        6 => drop(forgery.deps.pop()),
        7 => forgery.actor = dice.bytes::<8>().to_vec(),
        8 => forgery.others.reverse(),
        9 => forgery.deps.reverse(),
        10 => forgery.time = interesting(forgery.time as u64, dice) as i64,
        _ => forgery.trailer.extend(dice.bytes::<3>()),
    }
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
        _ => one_byte(data, dice),
    }
}
