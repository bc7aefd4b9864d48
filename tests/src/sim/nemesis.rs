//! What goes wrong.

use xunge_client_core::sync::{Event, Reason};

use super::Held;
use super::field::broken;
use super::world::World;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

impl World {
    /// The whole run.
    pub(super) fn live(&mut self) -> Held {
        for step in 1..=self.scale.steps {
            self.step = step;
            self.once()?;
            self.sweep_by_day()?;
        }
        self.heal()
    }

    fn once(&mut self) -> Held {
        let ms = match self.dice.below(100) {
            0..70 => self.dice.below(5 * 60) as i64 * 1_000,
            70..94 => self.dice.below(120) as i64 * MINUTE,
            94..98 => self.dice.below(24) as i64 * HOUR,
            _ => self.dice.below(3 * 24) as i64 * HOUR,
        };
        self.pass(ms)?;
        match self.dice.below(100) {
            0..38 => self.in_the_field(),
            38..57 => self.at_the_office(),
            57 => self.rescue_phone(),
            58..76 => self.press_sync(),
            76 if self.dice.chance(300) => self.centre_runs_short(),
            76 => self.centre_loses_power(),
            77..79 => self.phone_runs_short_or_is_mended(),
            79 if self.scale.rot => self.rot(),
            79 => self.press_sync(),
            80..84 => self.change_link(),
            84..86 => self.turn_background(),
            86..91 => self.die_soon(),
            91..92 => self.restart_centre(),
            92..94 => self.set_clock_wrong(),
            94..96 => self.restore_phone(),
            96 if self.dice.chance(500) => self.clone_phone(),
            96 if self.dice.chance(500) => self.move_inspector(),
            96 | 97 => self.revoke_phone(),
            98 => self.switch_user(),
            _ => self.back_up_or_restore_centre(),
        }
    }

    fn press_sync(&mut self) -> Held {
        let phone = self.any_phone();
        self.note(format!("phone {phone} is asked to sync"));
        self.ask(phone)?;
        // Most people watch until it is done.
        if self.dice.chance(800) { self.until_idle(phone) } else { Ok(()) }
    }

    fn change_link(&mut self) -> Held {
        let name = self.any_phone();
        let online = !self.phones[name].online;
        self.phones[name].online = online;
        self.note(format!("phone {name} is {}", if online { "online" } else { "offline" }));
        if online { self.tell(name, Event::Wake(Reason::Awake)) } else { Ok(()) }
    }

    fn turn_background(&mut self) -> Held {
        let name = self.any_phone();
        if self.phones[name].process.is_none() {
            self.start(name)?;
        }
        let on = !self.phones[name].background;
        self.phones[name].background = on;
        self.note(format!("phone {name} runs in the background: {on}"));
        if on {
            match self.phones[name].leave_the_screen() {
                Err(error) if self.phones[name].excuses(&error) => self.check_phone(name)?,
                left => left.map_err(broken)?,
            }
        }
        self.tell(name, if on { Event::Wake(Reason::Background) } else { Event::Halt })
    }

    /// A process is going to die between two effects of its engine.
    fn die_soon(&mut self) -> Held {
        let name = self.any_phone();
        if self.phones[name].process.is_none() {
            self.start(name)?;
        }
        self.phones[name].dies_after = Some(self.dice.below(14) as u32);
        self.ask(name)?;
        self.until_idle(name)
    }

    fn restart_centre(&mut self) -> Held {
        self.note("the centre restarts");
        self.centre.restart();
        self.check_centre()
    }

    fn set_clock_wrong(&mut self) -> Held {
        let name = self.any_phone();
        let wrong = [0, 20 * MINUTE, -3 * DAY, 10 * YEAR, -10 * YEAR, -60 * YEAR];
        let skew = *self.dice.pick(&wrong);
        self.phones[name].clock.set_skew(skew);
        self.counted.misfortunes += 1;
        self.note(format!("the clock of phone {name} is wrong by {skew} ms"));
        Ok(())
    }
}
