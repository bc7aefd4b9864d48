//! The end: the network is fine, everybody syncs, and every queue has to drain.

use xunge_client_core::model::CaseId;

use super::checks::described;
use super::phone::SimPhone;
use super::world::World;
use super::{Broken, Held, hold};

/// Rounds in which everybody syncs once, after which nothing may wait any more.
const ROUNDS: u64 = 6;

impl World {
    /// Heals everything and compares everything.
    pub(super) fn heal(&mut self) -> Held {
        self.rough = false;
        self.note("everything heals");
        self.phones.iter_mut().for_each(SimPhone::mend);
        // Requests of days ago still arrive.
        while let Some(due) = self.net.due() {
            let ms = (due.0 - self.time.now().0).max(0) + 1;
            if ms > 6 * 86_400_000 {
                break;
            }
            self.halt_all()?;
            self.pass(ms)?;
        }
        for phone in 0..self.phones.len() {
            self.phones[phone].online = true;
            self.phones[phone].dies_after = None;
            if self.phones[phone].process.is_none() {
                self.start(phone)?;
            }
        }
        self.check_centre()?;
        let (mut round, mut settled) = (0, 0);
        // What the last ones brought is news for the first ones, and a copy of a phone may only be noticed then.
        while settled < 2 {
            round += 1;
            if self.everybody_syncs()? {
                settled += 1;
                continue;
            }
            settled = 0;
            hold(round < ROUNDS, "every queue drains", || self.who_waits())?;
            if round == ROUNDS / 2 {
                // Changes of a colleague's case that a restored centre forgot wait a week for that colleague: by the
                // clock of the phone, and one that was set back meanwhile makes it two at most.
                self.note("two weeks pass");
                self.pass(15 * 86_400_000)?;
                self.sweep_by_day()?;
            }
        }
        self.counted.rounds = round - 1;
        self.check_forgotten()?;
        // What phones lost or have not heard of shows when they count: on the next day they hear that it is another day,
        // and count with the sync after that.
        self.note("a day passes");
        self.pass(26 * 3_600_000)?;
        self.sweep_by_day()?;
        for _ in 0..2 {
            self.everybody_syncs()?;
        }
        self.check_forgotten()?;
        self.check_end()
    }

    /// Everybody syncs once, whoever was shut out with a new code; true if nothing waits anywhere.
    fn everybody_syncs(&mut self) -> Result<bool, Broken> {
        for phone in 0..self.phones.len() {
            self.enrol_if_shut_out(phone)?;
            self.ask(phone)?;
            self.until_idle(phone)?;
        }
        Ok(self.phones.iter().all(|phone| phone.drained))
    }

    fn halt_all(&mut self) -> Held {
        for phone in 0..self.phones.len() {
            if self.phones[phone].background || self.phones[phone].asked {
                self.phones[phone].background = false;
                self.tell(phone, xunge_client_core::sync::Event::Halt)?;
            }
        }
        Ok(())
    }

    /// An inspector whose phone was shut out gets a new code.
    fn enrol_if_shut_out(&mut self, name: usize) -> Held {
        let blocked = self.phones[name].store().phone().map_err(super::field::broken)?.blocked;
        let Some(code) = blocked else { return Ok(()) };
        self.note(format!("phone {name} is shut out ({code}) and enrols again"));
        let fresh = format!("code {} of phone {name}", self.phones[name].life);
        let (phone, centre) = (&mut self.phones[name], &self.centre);
        phone.enrol(centre, &fresh);
        Ok(())
    }

    fn who_waits(&self) -> String {
        let waiting = self.phones.iter().filter(|phone| !phone.drained).map(|phone| {
            let look = phone.look();
            let sql = "SELECT id FROM case_local WHERE dirty = 1 OR id IN (SELECT case_id FROM photo WHERE state = 'waiting')";
            let mut statement = look.prepare(sql).unwrap();
            let cases = statement.query_map([], |row| row.get(0).map(CaseId::from_bytes)).unwrap();
            let cases = cases.map(|case| case.unwrap()).map(|case| format!("{case} {}", described(&look, case)));
            format!("phone {}: {}", phone.name, cases.collect::<Vec<_>>().join(", "))
        });
        waiting.collect::<Vec<_>>().join(", ")
    }
}
