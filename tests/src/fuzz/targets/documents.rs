//! Changes of field documents, as phones push them and as phones pull them.
//!
//! An input of the gates: the saved document, how far its case is, one change.

use std::panic::catch_unwind;

use automerge::Change;
use xunge_client_core::doc::gate::{GateCode, Stage, claim, quiet_panics};
use xunge_client_core::doc::testing::{Dice, Door, Known, Life, Verdict, judge, mutate_change};
use xunge_client_core::doc::{FieldDoc, chunk};

use crate::fuzz::{Outcome, Target, parts};

/// Living documents in the corpus.
const DOCUMENTS: u64 = 12;

/// Reading a change without the library.
pub(super) struct PreScan;

impl Target for PreScan {
    fn name(&self) -> &'static str {
        "pre-scan"
    }

    fn promise(&self) -> &'static str {
        "a change that is read without the library is read by the library, and says the same there"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        lives().flat_map(|life| life.next).collect()
    }

    fn mutate(&self, input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
        mutate_change(input, other, &Known::default(), dice);
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let Some(ours) = claim(input) else { return Ok(Outcome::Refused("unreadable".to_owned())) };
        let chunk = chunk::from_body(input);
        let _quiet = quiet_panics();
        let theirs = catch_unwind(move || Change::from_bytes(chunk));
        let theirs =
            theirs.map_err(|_| "the library panics on it")?.map_err(|error| format!("the library: {error}"))?;
        let deps: Vec<_> = theirs.deps().iter().map(|dep| dep.0).collect();
        let said = (theirs.actor_id().to_bytes(), theirs.seq(), deps);
        let read: Vec<_> = ours.deps.iter().map(|dep| *dep.as_bytes()).collect();
        match said == (ours.actor.as_bytes().as_slice(), ours.seq, read) {
            true => Ok(Outcome::Accepted),
            false => Err("the library reads something else".to_owned()),
        }
    }

    fn memory(&self) -> usize {
        2 << 20
    }
}

/// The gate, by one of its doors.
pub(super) struct Gate {
    pull: bool,
}

impl Gate {
    pub(super) fn push() -> Self {
        Self { pull: false }
    }

    pub(super) fn pull() -> Self {
        Self { pull: true }
    }

    fn door(&self, stage: &[u8]) -> Door {
        match (self.pull, stage) {
            (true, _) => Door::Pull,
            (false, [2]) => Door::Push(Stage::Sealed),
            (false, [1]) => Door::Push(Stage::Late),
            (false, _) => Door::Push(Stage::Open),
        }
    }
}

impl Target for Gate {
    fn name(&self) -> &'static str {
        if self.pull { "pull-gate" } else { "gate" }
    }

    fn promise(&self) -> &'static str {
        "a change is refused and leaves nothing behind, or is in a document that loads with equal heads, keeps the limits \
         and takes the next edit"
    }

    fn seeds(&self) -> Vec<Vec<u8>> {
        let input = |life: Life| {
            let (saved, stage) = (life.doc.save(), [u8::from(life.stage == Stage::Sealed) * 2]);
            life.next.into_iter().take(2).map(move |body| parts::join(&[&saved, &stage, &body])).collect::<Vec<_>>()
        };
        lives().flat_map(input).collect()
    }

    fn mutate(&self, input: &mut Vec<u8>, other: &[u8], dice: &mut Dice) {
        if dice.one_in(8) {
            // A change of another document.
            parts::edit(input, 2, |body| *body = parts::get(other, 2));
        }
        let known = FieldDoc::load(&parts::get(input, 0)).map(|doc| Known::of(&doc)).unwrap_or_default();
        parts::edit(input, 2, |body| mutate_change(body, &parts::get(other, 2), &known, dice));
    }

    fn check(&mut self, input: &[u8]) -> Result<Outcome, String> {
        let parts = parts::split(input);
        let [saved, stage, body] = parts.as_slice() else { return Err("not an input of this target".to_owned()) };
        let doc = FieldDoc::load(saved).map_err(|error| format!("the document of the corpus: {error}"))?;
        match judge(&doc, &mut doc.clone(), body, self.door(stage)) {
            Verdict::Accepted(_) => Ok(Outcome::Accepted),
            Verdict::Refused(GateCode::LibraryFault) => Err("the gate had to catch the library".to_owned()),
            Verdict::Refused(code) => Ok(Outcome::Refused(code.code().to_owned())),
            Verdict::Waiting => Ok(Outcome::Refused("waiting".to_owned())),
            Verdict::Duplicate => Ok(Outcome::Refused("duplicate".to_owned())),
            Verdict::Escaped(panic) => Err(format!("a panic came out: {panic}")),
            Verdict::Harmed(harm) => Err(harm.to_owned()),
        }
    }
}

fn lives() -> impl Iterator<Item = Life> {
    (0..DOCUMENTS).map(|seed| Life::new(&mut Dice::new(seed)))
}
