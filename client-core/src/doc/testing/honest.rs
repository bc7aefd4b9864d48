//! Honest histories against the gate: none of their changes may be refused.

use super::dice::Dice;
use crate::doc::gate::{ActorVerdict, GateLimits, Policy, Stage, admit};
use crate::doc::{Edit, FieldDoc};
use crate::model::{
    ActorId, CoordSys, Facts, LocationSource, Millis, Mode, PhotoFact, PhotoHash, PhotoRole, Point, Remark, Ulid,
};

/// What became of the honest changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HonestReport {
    /// Changes pushed to a server.
    pub changes: u64,
    /// Changes the server, or a phone on pulling, refused. Must be 0.
    pub refused: u64,
    /// Cases played.
    pub histories: u64,
    /// Cases whose phones and server ended with equal heads and facts. Must be all.
    pub converged: u64,
}

impl HonestReport {
    /// Adds what another run found.
    pub fn add(&mut self, other: &Self) {
        self.changes += other.changes;
        self.refused += other.refused;
        self.histories += other.histories;
        self.converged += other.converged;
    }
}

/// Plays cases until `changes` changes were pushed.
///
/// Three phones edit one case, push, pull, restart with a new actor, send twice and out of order, start
/// the document side by side, settle conflicts, and see the case through its late and sealed stages.
pub fn honest(seed: u64, changes: u64) -> HonestReport {
    let mut dice = Dice::new(seed);
    let mut report = HonestReport::default();
    while report.changes < changes {
        History::new(&mut dice).play(&mut dice, &mut report);
    }
    report
}

struct Phone {
    doc: FieldDoc,
    actor: ActorId,
}

struct History {
    server: FieldDoc,
    phones: Vec<Phone>,
    stage: Stage,
    /// Photos named so far by anyone: the limit of nine is checked where all meet, so phones share it here.
    photos: usize,
}

impl History {
    fn new(dice: &mut Dice) -> Self {
        let phones = (0..3).map(|_| Phone { doc: FieldDoc::new(), actor: ActorId::from_bytes(dice.bytes()) });
        let mut history = Self { server: FieldDoc::new(), phones: phones.collect(), stage: Stage::Open, photos: 0 };
        if !dice.one_in(4) {
            // Usually one phone reports and the others get the case; else all start it side by side.
            history.edit(0, dice);
        }
        history
    }

    fn play(mut self, dice: &mut Dice, report: &mut HonestReport) {
        for _ in 0..5 + dice.below(40) {
            let phone = dice.below(self.phones.len());
            match dice.below(12) {
                0..=4 => self.edit(phone, dice),
                5 => self.settle_a_conflict(phone),
                6..=7 => self.push(phone, dice, report),
                8..=9 => self.pull(phone, report),
                10 => self.phones[phone].actor = ActorId::from_bytes(dice.bytes()),
                _ => self.grow_older(dice, report),
            }
        }
        self.meet(dice, report);
        report.histories += 1;
        let agrees =
            |phone: &Phone| phone.doc.heads() == self.server.heads() && phone.doc.facts() == self.server.facts();
        let reloads = FieldDoc::load(&self.server.save()).is_ok_and(|loaded| loaded.facts() == self.server.facts());
        report.converged += u64::from(reloads && self.phones.iter().all(agrees));
    }

    fn edit(&mut self, phone: usize, dice: &mut Dice) {
        let mut edits: Vec<Edit> = (0..=dice.below(3)).map(|_| sample_edit(dice)).collect();
        edits.retain(|edit| self.stage < Stage::Sealed || edit.is_supplement());
        edits.retain(|edit| {
            let is_photo = matches!(edit, Edit::AddPhoto(..));
            self.photos += usize::from(is_photo);
            !is_photo || self.photos <= Facts::MAX_PHOTOS
        });
        let Phone { doc, actor } = &mut self.phones[phone];
        doc.edit(*actor, &edits).expect("sampled edits are valid");
    }

    /// Sets a register to the value it shows already: with a conflict, that is a change.
    fn settle_a_conflict(&mut self, phone: usize) {
        let Phone { doc, actor } = &mut self.phones[phone];
        let (facts, conflicts) = doc.facts();
        let all = Edit::between(&Facts::default(), &facts);
        let is_settled_by = |edit: &&Edit| conflicts.iter().any(|conflict| register_of(edit) == Some(&conflict.field));
        let edits: Vec<_> = all.iter().filter(is_settled_by).cloned().collect();
        if self.stage < Stage::Sealed {
            doc.edit(*actor, &edits).expect("values of the document are valid");
        }
    }

    fn push(&mut self, phone: usize, dice: &mut Dice, report: &mut HonestReport) {
        // A phone knows what the server has only from its last contact; sending too much must not hurt.
        let have = if dice.one_in(3) { vec![] } else { self.server.heads() };
        let mut bodies: Vec<_> =
            self.phones[phone].doc.change_bodies_since(&have).into_iter().map(|(_, body)| body).collect();
        if dice.one_in(4) {
            bodies.reverse();
        }
        let admission = admit_all(&mut self.server, &bodies, self.stage);
        report.changes += admission.0;
        report.refused += admission.1;
        if dice.one_in(3) {
            self.server = FieldDoc::load(&self.server.save()).expect("the gate verified it");
        }
    }

    fn pull(&mut self, phone: usize, report: &mut HonestReport) {
        let doc = &mut self.phones[phone].doc;
        let bodies: Vec<_> = self.server.change_bodies_since(&doc.heads());
        let bodies: Vec<_> = bodies.iter().map(|(_, body)| body.as_slice()).collect();
        let admission = admit(doc, &bodies, &Policy::from_server());
        report.refused += (admission.rejected.len() + admission.needs.len()) as u64;
    }

    /// The office closes the case, or seven days pass. Phones that have unsent edits then are another story.
    fn grow_older(&mut self, dice: &mut Dice, report: &mut HonestReport) {
        if dice.one_in(3) {
            self.meet(dice, report);
            self.stage = if self.stage == Stage::Open { Stage::Late } else { Stage::Sealed };
        }
    }

    fn meet(&mut self, dice: &mut Dice, report: &mut HonestReport) {
        (0..self.phones.len()).for_each(|phone| self.push(phone, dice, report));
        (0..self.phones.len()).for_each(|phone| self.pull(phone, report));
    }
}

/// Runs a push; answers how many changes were new, and how many did not get in.
fn admit_all(doc: &mut FieldDoc, bodies: &[Vec<u8>], stage: Stage) -> (u64, u64) {
    let limits = GateLimits { max_changes: 1_000, ..GateLimits::default() };
    let policy = Policy { stage, allowed_actor: &|_| ActorVerdict::Allowed, limits };
    let bodies: Vec<_> = bodies.iter().map(Vec::as_slice).collect();
    let admission = admit(doc, &bodies, &policy);
    let outside = admission.rejected.len() + admission.needs.len();
    ((admission.accepted.len() + outside) as u64, outside as u64)
}

/// The register an edit sets, as conflicts name it; a point is named by its longitude.
fn register_of(edit: &Edit) -> Option<&'static str> {
    Some(match edit {
        Edit::Description(_) => "description",
        Edit::LocationText(_) => "location_text",
        Edit::Point(_) => "lon_e6",
        Edit::ModeClaim(_) => "mode_claim",
        Edit::HandledAt(_) => "handled_at",
        _ => return None,
    })
}

/// A valid edit out of a small set, so that phones often touch the same register and often agree.
pub(super) fn sample_edit(dice: &mut Dice) -> Edit {
    const TEXTS: [&str; 5] = ["", "路面破损", "井盖缺失", "暴露垃圾约三平方米,已联系保洁", "x"];
    let text = (*dice.pick(&TEXTS)).to_owned();
    let at = Millis(1_700_000_000_000 + dice.below(3) as i64);
    let some = !dice.one_in(4);
    match dice.below(13) {
        0..=1 => Edit::Description(text),
        2 => Edit::LocationText(text),
        3 => {
            let point = Point { lon_e6: 106_000_000 + dice.below(3) as i32, lat_e6: -38_000_000 };
            Edit::Point(some.then_some(point))
        }
        4 => Edit::AccuracyM(some.then(|| dice.below(3) as u32)),
        5 => Edit::CoordSys(some.then(|| *dice.pick(CoordSys::ALL))),
        6 => Edit::LocationSource(some.then(|| *dice.pick(LocationSource::ALL))),
        7 => Edit::GridClaim(some.then(|| format!("64010500000000{}", dice.below(3)))),
        8 => Edit::ModeClaim(some.then(|| *dice.pick(Mode::ALL))),
        9 => Edit::HandledAt(some.then_some(at)),
        10 => Edit::AddPhoto(
            PhotoHash::of(&dice.bytes::<1>()),
            PhotoFact {
                role: *dice.pick(PhotoRole::ALL),
                mime: "image/jpeg".to_owned(),
                bytes: dice.bits() >> 40,
                w: 1_600,
                h: 1_200,
                taken_at: some.then_some(at),
            },
        ),
        11 => Edit::AddRemark(sample_ulid(dice), Remark { text, at }),
        _ => Edit::AddSupplement(sample_ulid(dice), Remark { text, at }),
    }
}

fn sample_ulid(dice: &mut Dice) -> String {
    Facts::remark_key(Ulid::from_parts(Millis(1_700_000_000_000), [dice.below(50) as u8; 10]))
}
