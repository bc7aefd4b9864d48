//! Disks that fill up: a phone's while somebody reports, the centre's while everybody syncs and offices decide.

use xunge_client_core::workflow::{Member, Rule};

use super::world::World;
use super::{Held, hold};
use crate::fault::room::Short;

/// Most room a centre has left; a sync of some cases with their counters needs more.
const LITTLE: u64 = 192 << 10;

impl World {
    /// The storage of a phone fills up while somebody reports; or there is room on one again, and it goes on.
    pub(super) fn fill_up_or_make_room(&mut self) -> Held {
        let full = self.phones.iter().position(|phone| phone.short.is_some());
        if let Some(name) = full.filter(|_| self.dice.chance(500)) {
            self.phones[name].make_room();
            self.note(format!("phone {name} has room again"));
            return self.ask(name);
        }
        let (name, left) = (self.any_phone(), self.dice.below(24 << 10));
        self.phones[name].fill_up(left);
        self.counted.misfortunes += 1;
        self.note(format!("phone {name} has room for {left} bytes"));
        if self.phones[name].process.is_none() {
            self.start(name)?;
        }
        self.report(name, true)?;
        self.ask(name)
    }

    /// The disk of the centre fills up; phones and offices go on until somebody makes room.
    pub(super) fn fill_up_centre(&mut self) -> Held {
        let left = self.dice.below(LITTLE);
        let short = Short::of_room(self.centre.folder(), left);
        self.counted.misfortunes += 1;
        self.note(format!("the centre has room for {left} bytes"));
        for _ in 0..1 + self.dice.below(4) {
            let phone = self.any_phone();
            if self.phones[phone].process.is_none() {
                self.start(phone)?;
            }
            self.report(phone, true)?;
            self.ask(phone)?;
            self.until_idle(phone)?;
            self.decide_without_room()?;
        }
        drop(short);
        self.note("the centre has room again");
        if self.dice.chance(500) {
            self.centre.restart();
        }
        self.check_centre()
    }

    /// An office decides something: either it stands, or somebody is told that it does not.
    fn decide_without_room(&mut self) -> Held {
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
