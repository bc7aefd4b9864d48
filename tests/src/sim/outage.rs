//! The power of the centre fails while it writes: what it answered is durable, of the rest some bytes are, in order.

use xunge_client_core::workflow::{Member, Rule};

use super::misfortune::torn;
use super::world::{Sent, World};
use super::{Held, hold};

impl World {
    /// The power of the centre fails while it serves a phone, or while an office decides.
    pub(super) fn centre_loses_power(&mut self) -> Held {
        if self.dice.chance(300) {
            return self.decide_in_the_dark();
        }
        let phone = self.any_phone();
        if self.phones[phone].process.is_none() {
            self.start(phone)?;
        }
        self.falls = true;
        self.report(phone, true)?;
        self.ask(phone)?;
        self.until_idle(phone)?;
        // Nobody may have come.
        self.falls = false;
        Ok(())
    }

    /// The power fails somewhere in what the centre does now, and nobody hears of it.
    pub(super) fn fall_in(&mut self, work: impl FnOnce(&mut Self)) -> Held {
        self.falls = false;
        let before = self.centre.disk();
        work(self);
        let after = self.centre.disk();
        let log = torn(&before, &after, &mut self.dice);
        let (old, new, left) = (before.1.len(), after.1.len(), log.as_ref().map(Vec::len));
        self.centre.start_on(&(after.0, log.unwrap_or(after.1)));
        // Nobody flushes an upload before it is whole.
        for (upload, length) in self.centre.staged() {
            if self.dice.chance(300) {
                let file = std::fs::File::options().write(true).open(upload).unwrap();
                file.set_len(self.dice.below(length + 1)).unwrap();
            }
        }
        self.counted.outages += 1;
        self.note(format!("the power of the centre fails; of a log of {old}, then {new} bytes {left:?} are left"));
        // Everything it ever answered is asked of it once more.
        self.sent = Sent::default();
        self.check_centre()?;
        (0..self.phones.len()).try_for_each(|phone| self.check_phone(phone))
    }

    /// An office decides, and does not hear whether it did: it asks again, and the decision stands once.
    fn decide_in_the_dark(&mut self) -> Held {
        let Some((case, viewer, verb)) = self.something_to_decide() else { return Ok(()) };
        // A photo is uploaded before the decision, and is not what is looked at here.
        if Rule::of(verb).required().contains(&Member::Photos) {
            return Ok(());
        }
        let payload = self.payload(verb, &case, &viewer);
        let wish = self.wish(case.id, verb, case.ledger.version, payload);
        let mut first = None;
        self.fall_in(|world| first = world.decide(&viewer, &wish).ok())?;
        let again = self.decide(&viewer, &wish).ok();
        let same = first.as_ref().map(|reply| &reply.body) == again.as_ref().map(|reply| &reply.body);
        hold(same, "a repeated command has the first answer", || format!("{} {verb}: {first:?}, {again:?}", case.id))
    }
}
