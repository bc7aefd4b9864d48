//! Disks that fill up or fail: a phone's while somebody reports, the centre's while everybody syncs and offices decide.

use xunge_client_core::workflow::{Member, Rule};

use super::world::World;
use super::{Held, hold};
use crate::fault::room::{Short, Shortage};

/// Most room a phone has left; a report with its photos needs more.
const LITTLE_ROOM: u64 = 24 << 10;
/// Most writes and flushes a phone's disk has left; a report needs some of them.
const FEW_WRITES: u64 = 24;
/// The same of a centre; a sync of some cases with their counters needs more.
const LITTLE_ROOM_OF_CENTRE: u64 = 192 << 10;
const FEW_WRITES_OF_CENTRE: u64 = 120;

impl World {
    /// The storage of a phone fills up or fails while somebody reports; or one is mended, and it goes on.
    pub(super) fn phone_runs_short_or_is_mended(&mut self) -> Held {
        let short = self.phones.iter().position(|phone| phone.short.is_some());
        if let Some(name) = short.filter(|_| self.dice.chance(500)) {
            self.phones[name].mend();
            self.note(format!("the storage of phone {name} is mended"));
            return self.ask(name);
        }
        let (name, of) = (self.any_phone(), self.too_little(LITTLE_ROOM, FEW_WRITES));
        if self.phones[name].process.is_none() {
            self.start(name)?;
        }
        self.phones[name].run_short(of);
        self.counted.misfortunes += 1;
        self.note(format!("phone {name} runs short: {of:?}"));
        self.report(name, true)?;
        self.ask(name)
    }

    /// The disk of the centre fills up or fails; phones and offices go on until somebody mends it.
    pub(super) fn centre_runs_short(&mut self) -> Held {
        let of = self.too_little(LITTLE_ROOM_OF_CENTRE, FEW_WRITES_OF_CENTRE);
        let short = Shortage::begin(self.centre.folder(), of);
        self.counted.misfortunes += 1;
        self.note(format!("the centre runs short: {of:?}"));
        for _ in 0..1 + self.dice.below(4) {
            let phone = self.any_phone();
            if self.phones[phone].process.is_none() {
                self.start(phone)?;
            }
            self.report(phone, true)?;
            self.ask(phone)?;
            self.until_idle(phone)?;
            self.decide_although_short()?;
        }
        drop(short);
        self.note("the disk of the centre is mended");
        if self.dice.chance(500) {
            self.centre.restart();
        }
        self.check_centre()
    }

    fn too_little(&mut self, room: u64, writes: u64) -> Short {
        if self.dice.chance(600) {
            Short::OfRoom(self.dice.below(room))
        } else {
            Short::OfLife(self.dice.below(writes))
        }
    }

    /// An office decides something: either it stands, or somebody is told that it does not.
    fn decide_although_short(&mut self) -> Held {
        let Some((case, viewer, verb)) = self.something_to_decide() else { return Ok(()) };
        // A photo is uploaded before the decision, and is not what is looked at here.
        if Rule::of(verb).required().contains(&Member::Photos) {
            return Ok(());
        }
        let before = case.ledger.version;
        let payload = self.payload(verb, &case, &viewer);
        let wish = self.wish(case.id, verb, before, payload);
        let done = self.decide(&viewer, &wish).is_ok();
        let after = self.centre.case(case.id).map_or(0, |case| case.ledger.version);
        let told = if done { after > before } else { after == before };
        hold(told, "a decision stands or is known not to", || format!("{} {verb}: {before}, then {after}", case.id))
    }
}
