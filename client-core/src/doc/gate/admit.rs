//! Runs a push through the gate.

use std::borrow::Cow;
use std::collections::BTreeSet;

use automerge::{Automerge, ROOT, ReadDoc};

use super::body::Body;
use super::code::GateCode;
use super::panics::contained;
use super::replay::replay;
use super::{AcceptedChange, ActorVerdict, Admission, Policy, Refusal, RejectedChange, limits, rules};
use crate::doc::field_doc::{from_library, to_library};
use crate::doc::schema::Container;
use crate::doc::{FieldDoc, chunk, read};
use crate::model::ChangeHash;

/// Lets the good changes of a push into `doc` and says what became of each.
///
/// Total: any bytes give an answer, no input panics, and `doc` changes only by what is in `accepted`.
/// Changes may come in any order and any number of times.
pub fn admit(doc: &mut FieldDoc, bodies: &[&[u8]], policy: &Policy<'_>) -> Admission {
    let mut push = Push::run(doc, bodies, policy, Verify::AtTheEnd);
    if !push.answer.accepted.is_empty() {
        match verified_snapshot(&push.doc, policy) {
            Ok(snapshot) => push.answer.snapshot = Some(snapshot),
            // Only a full document is known to come here. Find the change to blame, keep the others.
            Err(_) => push = Push::run(doc, bodies, policy, Verify::EachChange),
        }
    }
    let Push { doc: admitted, answer, .. } = push;
    if let Cow::Owned(admitted) = admitted {
        *doc = admitted;
    }
    answer
}

/// When the document is saved and loaded again. Once per push is enough while it succeeds.
#[derive(Clone, Copy, PartialEq)]
enum Verify {
    AtTheEnd,
    EachChange,
}

struct Push<'a> {
    doc: Cow<'a, FieldDoc>,
    policy: &'a Policy<'a>,
    verify: Verify,
    refused: BTreeSet<ChangeHash>,
    answer: Admission,
}

/// A change that parsed and is not here yet.
struct Candidate<'a> {
    hash: ChangeHash,
    bytes: &'a [u8],
    body: Body<'a>,
}

/// The document with one more change.
struct Next {
    doc: FieldDoc,
    touched: BTreeSet<&'static str>,
    snapshot: Option<Vec<u8>>,
}

impl<'a> Push<'a> {
    fn run(doc: &'a FieldDoc, bodies: &[&[u8]], policy: &'a Policy<'a>, verify: Verify) -> Self {
        let mut push =
            Self { doc: Cow::Borrowed(doc), policy, verify, refused: BTreeSet::new(), answer: Admission::default() };
        let mut waiting = push.parse_all(bodies);
        loop {
            let before = waiting.len();
            waiting.retain(|candidate| !push.settle(candidate));
            if waiting.is_empty() || waiting.len() == before {
                break;
            }
        }
        push.note_needs(&waiting);
        push
    }

    fn parse_all<'b>(&mut self, bodies: &[&'b [u8]]) -> Vec<Candidate<'b>> {
        let mut candidates = Vec::with_capacity(bodies.len());
        let mut seen = BTreeSet::new();
        for bytes in bodies {
            let hash = chunk::hash_of_body(bytes);
            if self.doc.knows(&hash) {
                // Not counted: a phone that was asked for its whole history sends much that is here.
                self.answer.duplicates.push(hash);
            } else if seen.insert(hash) {
                match self.parse(seen.len(), bytes) {
                    Ok(body) => candidates.push(Candidate { hash, bytes, body }),
                    Err(code) => self.refuse(hash, code.into()),
                }
            }
        }
        candidates
    }

    /// Parses the `number`th new change of this push.
    fn parse<'b>(&self, number: usize, bytes: &'b [u8]) -> Result<Body<'b>, GateCode> {
        if number > self.policy.limits.max_changes {
            return Err(GateCode::TooManyChanges);
        }
        if bytes.len() > limits::MAX_BODY_BYTES {
            return Err(GateCode::TooLarge);
        }
        Body::parse(bytes)
    }

    /// Accepts or refuses the candidate; false if something it builds on is not here (yet).
    fn settle(&mut self, candidate: &Candidate<'_>) -> bool {
        let deps = &candidate.body.deps;
        if deps.iter().any(|dep| self.refused.contains(dep)) {
            self.refuse(candidate.hash, GateCode::DependsOnRejected.into());
            return true;
        }
        if !deps.iter().all(|dep| self.doc.knows(dep)) {
            return false;
        }
        match self.next_document(candidate) {
            Ok(next) => {
                self.doc = Cow::Owned(next.doc);
                self.answer.touched.extend(next.touched);
                self.answer.snapshot = next.snapshot;
                self.answer.accepted.push(AcceptedChange {
                    hash: candidate.hash,
                    actor: candidate.body.actor,
                    seq: candidate.body.seq,
                    body: candidate.bytes.to_vec(),
                });
            }
            Err(refusal) => self.refuse(candidate.hash, refusal),
        }
        true
    }

    fn refuse(&mut self, hash: ChangeHash, refusal: Refusal) {
        self.refused.insert(hash);
        self.answer.rejected.push(RejectedChange { hash, code: refusal.code, field: refusal.field });
    }

    /// What is left waits for changes outside this push, directly or through another that waits.
    fn note_needs(&mut self, waiting: &[Candidate<'_>]) {
        let here: BTreeSet<_> = waiting.iter().map(|candidate| candidate.hash).collect();
        let deps = waiting.iter().flat_map(|candidate| &candidate.body.deps);
        let missing = deps.filter(|dep| !here.contains(dep) && !self.doc.knows(dep));
        self.answer.needs = missing.copied().collect();
    }

    /// The document with this change in it. All that mutates is a clone.
    fn next_document(&self, candidate: &Candidate<'_>) -> Result<Next, Refusal> {
        self.check_identity(&candidate.body)?;
        let replayed = contained(|| self.replayed(candidate));
        let (doc, touched) = replayed.unwrap_or(Err(GateCode::LibraryFault.into()))?;
        let snapshot = match self.verify {
            Verify::AtTheEnd => None,
            Verify::EachChange => Some(verified_snapshot(&doc, self.policy)?),
        };
        Ok(Next { doc, touched, snapshot })
    }

    fn check_identity(&self, body: &Body<'_>) -> Result<(), GateCode> {
        if (self.policy.allowed_actor)(&body.actor) == ActorVerdict::Taken {
            return Err(GateCode::ActorTaken);
        }
        let known = self.doc.actor_seq(&body.actor);
        if body.seq <= known {
            // Another change has this number already: two stores write with one actor.
            return Err(GateCode::ActorTaken);
        }
        if body.seq != known + 1 {
            return Err(GateCode::BadSequence);
        }
        if body.start_op > self.doc.max_op() + limits::MAX_START_OP_STEP {
            return Err(GateCode::BadCounter);
        }
        if self.doc.change_count() >= self.policy.limits.max_history {
            return Err(GateCode::DocumentFull);
        }
        Ok(())
    }

    fn replayed(&self, candidate: &Candidate<'_>) -> Result<(FieldDoc, BTreeSet<&'static str>), Refusal> {
        let body = &candidate.body;
        let concurrent = !self.continues_heads(body);
        let mut at_deps = if concurrent {
            let deps: Vec<_> = body.deps.iter().map(to_library).collect();
            self.doc.inner.fork_at(&deps)?
        } else {
            self.doc.inner.clone()
        };
        let touched = rules::check(&at_deps, body, self.policy.stage)?;
        if replay(&mut at_deps, body)? != Some(candidate.hash) {
            return Err(GateCode::NotReproducible.into());
        }
        let inner = if concurrent { self.merged(&at_deps, candidate.hash, &touched)? } else { at_deps };
        if touched.contains(Container::Photos.name()) {
            let photos = read::entries(&inner, Container::Photos)?.len();
            if photos > self.policy.limits.max_photos {
                return Err(Refusal::at(GateCode::TooManyPhotos, Container::Photos.name()));
            }
        }
        let mut history = self.doc.history.clone();
        history.append(body.actor, candidate.hash, body.start_op + body.ops.len() as u64 - 1);
        Ok((FieldDoc { inner, history }, touched))
    }

    /// True if the change builds on exactly the present document, as most do.
    ///
    /// The library adds the actor's own last change to the heads if it is not among them.
    fn continues_heads(&self, body: &Body<'_>) -> bool {
        let mut expected: BTreeSet<_> = self.doc.inner.get_heads().into_iter().map(from_library).collect();
        expected.extend(self.doc.history.tip(&body.actor).map(|(_, hash)| hash));
        body.deps.iter().eq(&expected)
    }

    /// Merges the change the library just wrote on a fork into the present document.
    ///
    /// Only here can branches and concurrent values grow, so only here are they counted.
    fn merged(
        &self,
        fork: &Automerge,
        hash: ChangeHash,
        touched: &BTreeSet<&'static str>,
    ) -> Result<Automerge, Refusal> {
        let change = fork.get_change_by_hash(&to_library(&hash)).ok_or(GateCode::LibraryFault)?;
        let mut merged = self.doc.inner.clone();
        merged.apply_changes([change])?;
        if merged.get_heads().len() > self.policy.limits.max_heads {
            return Err(GateCode::TooManyBranches.into());
        }
        for field in touched {
            if merged.get_all(ROOT, *field)?.len() > self.policy.limits.max_values {
                // No field is named: its value is good, and comes through once it knows of the others.
                return Err(GateCode::TooManyBranches.into());
            }
        }
        Ok(merged)
    }
}

/// Saves the document and makes sure that what was saved loads again with the same heads.
fn verified_snapshot(doc: &FieldDoc, policy: &Policy<'_>) -> Result<Vec<u8>, Refusal> {
    let saved = contained(|| {
        let snapshot = doc.save();
        let heads = Automerge::load(&snapshot)?.get_heads();
        Ok::<_, Refusal>((snapshot, heads == doc.inner.get_heads()))
    });
    match saved.unwrap_or(Err(GateCode::LibraryFault.into()))? {
        (snapshot, _) if snapshot.len() > policy.limits.max_document_bytes => Err(GateCode::DocumentFull.into()),
        (snapshot, true) => Ok(snapshot),
        (_, false) => Err(GateCode::LibraryFault.into()),
    }
}
