//! How bad a link is: rates, delays, holes and cuts, as plain data.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How bad the link is.
#[derive(Debug, Clone, Default)]
pub struct Weather {
    /// Bits per second from phone to server, of all connections together; `None` for no limit.
    pub up_bps: Option<u64>,
    /// Bits per second from server to phone, of all connections together.
    pub down_bps: Option<u64>,
    /// One-way delay of every byte; a new connection costs one round trip more.
    pub delay: Duration,
    /// Times at which no byte moves in either direction, on any connection.
    pub stalls: Vec<Stall>,
    /// Every connection is reset when it is this old.
    pub cut_after: Option<Duration>,
    /// Every connection is reset when it carried this many bytes up.
    pub cut_after_up: Option<u64>,
    /// Every connection is reset when it carried this many bytes down: the request arrives, the answer does not.
    pub cut_after_down: Option<u64>,
    /// The same after a number of bytes that is drawn anew for each connection.
    pub cut_answers: Option<Range<u64>>,
}

/// A hole: nothing moves for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stall {
    /// When it begins, from the opening of the link.
    pub at: Duration,
    /// How long it lasts.
    pub lasts: Duration,
    /// After which time it comes again; `None` for once.
    pub every: Option<Duration>,
}

impl Stall {
    /// When a byte that is ready at `at` may move: at once, or at the end of the hole it fell into.
    fn release(&self, at: Duration) -> Duration {
        let Some(since) = at.checked_sub(self.at) else { return at };
        let into = self.every.map_or(since, |every| {
            Duration::from_nanos((since.as_nanos() % every.as_nanos().max(1)).try_into().unwrap_or(u64::MAX))
        });
        at + self.lasts.saturating_sub(into)
    }
}

impl Weather {
    /// 64 kbit/s up, 128 kbit/s down, 250 ms each way: the link all sync figures are stated for.
    pub const WEAK: Self = Self::steady(64_000, 128_000, 250);

    /// So many bits per second up and down, every byte `millis` late, and nothing worse.
    const fn steady(up_bps: u64, down_bps: u64, millis: u64) -> Self {
        Self {
            up_bps: Some(up_bps),
            down_bps: Some(down_bps),
            delay: Duration::from_millis(millis),
            stalls: vec![],
            cut_after: None,
            cut_after_up: None,
            cut_after_down: None,
            cut_answers: None,
        }
    }

    /// When a byte that is ready at `at` leaves a hole; both times from the opening of the link.
    pub fn release(&self, at: Duration) -> Duration {
        let mut at = at;
        // One hole may end inside another.
        loop {
            let later = self.stalls.iter().fold(at, |at, stall| stall.release(at));
            if later == at {
                return at;
            }
            at = later;
        }
    }
}

/// A link people know, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// 20 kbit/s up, 40 down, 500 ms each way: GPRS with one slot up and two down (CS-2, 13.4 kbit/s a slot, shared
    /// with calls), whose round trips of a second are what a phone sees far from a mast.
    #[value(name = "2g")]
    TwoG,
    /// 64 kbit/s up, 128 down, 250 ms each way: EDGE in a busy cell, and the link the figures are stated for.
    Edge,
    /// 128 kbit/s up, 384 down, 100 ms each way: UMTS as its first release promised it, at the edge of a cell.
    #[value(name = "3g")]
    ThreeG,
    /// 3G, and each minute 20 s without a byte: the doors close, twelve storeys, the doors open. Connections survive,
    /// because nobody tells either end.
    Lift,
    /// 2G that resets a connection every 15 s and loses each answer longer than a few hundred bytes on most of them: the
    /// phone hears less than it is heard, and keeps changing cells.
    Basement,
}

impl Profile {
    /// The weather of that name.
    pub fn weather(self) -> Weather {
        let (two_g, three_g) = (Weather::steady(20_000, 40_000, 500), Weather::steady(128_000, 384_000, 100));
        let seconds = Duration::from_secs;
        match self {
            Self::TwoG => two_g,
            Self::Edge => Weather::WEAK,
            Self::ThreeG => three_g,
            Self::Lift => {
                let ride = Stall { at: seconds(10), lasts: seconds(20), every: Some(seconds(60)) };
                Weather { stalls: vec![ride], ..three_g }
            }
            Self::Basement => Weather { cut_after: Some(seconds(15)), cut_answers: Some(0..1_200), ..two_g },
        }
    }
}

/// One direction of a link: when it is free again, in times from the opening of the link. Clones are the same line.
///
/// A radio link has one rate, however many connections share it: what one of them sends, the others wait for.
#[derive(Debug, Clone, Default)]
pub struct Line(Arc<Mutex<Duration>>);

/// The pace of one connection in one direction: when what comes in goes on, in times from the opening of the link.
#[derive(Debug)]
pub struct Pace {
    weather: Weather,
    bps: Option<u64>,
    line: Line,
}

impl Pace {
    /// A connection over `line`, which has `bps` in this weather.
    pub fn new(weather: &Weather, bps: Option<u64>, line: &Line) -> Self {
        Self { weather: weather.clone(), bps, line: line.clone() }
    }

    /// `bytes` are ready at `now`: when the line is free again, and when they arrive at the other end.
    pub fn carry(&self, now: Duration, bytes: usize) -> (Duration, Duration) {
        let mut line_free = self.line.0.lock().unwrap_or_else(PoisonError::into_inner);
        let start = self.weather.release(now.max(*line_free));
        let takes = self.bps.map_or(Duration::ZERO, |bps| Duration::from_secs_f64(bytes as f64 * 8.0 / bps as f64));
        // A hole that opens while they are under way holds them up.
        *line_free = self.weather.release(start + takes);
        (*line_free, self.weather.release(*line_free + self.weather.delay))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_rate_spaces_bytes_and_a_delay_only_shifts_them() {
        let line = Line::default();
        let pace = Pace::new(&Weather::WEAK, Weather::WEAK.up_bps, &line);
        // 800 bytes take 100 ms at 64 kbit/s; they arrive 250 ms later; the next ones queue behind them.
        assert_eq!(pace.carry(ms(0), 800), (ms(100), ms(350)));
        assert_eq!(pace.carry(ms(10), 800), (ms(200), ms(450)));
        assert_eq!(pace.carry(ms(1_000), 800), (ms(1_100), ms(1_350)), "a line at rest owes nothing");
        let other = Pace::new(&Weather::WEAK, Weather::WEAK.up_bps, &line);
        assert_eq!(other.carry(ms(1_000), 800), (ms(1_200), ms(1_450)), "another connection waits for the same line");
        assert_eq!(pace.carry(ms(1_000), 800), (ms(1_300), ms(1_550)), "and the first one for it");
        let free = Pace::new(&Weather::default(), None, &Line::default());
        assert_eq!(free.carry(ms(7), 1 << 20), (ms(7), ms(7)));
    }

    #[test]
    fn nothing_moves_in_a_hole_and_nothing_is_lost_in_it() {
        let hole = Stall { at: ms(1_000), lasts: ms(500), every: None };
        let weather = Weather { stalls: vec![hole], ..Weather::default() };
        assert_eq!(
            [999, 1_000, 1_499, 1_500, 9_000].map(|at| weather.release(ms(at))),
            [999, 1_500, 1_500, 1_500, 9_000].map(ms)
        );
        let again = Weather { stalls: vec![Stall { every: Some(ms(2_000)), ..hole }], ..Weather::default() };
        assert_eq!([1_100, 2_999, 3_000, 5_499].map(|at| again.release(ms(at))), [1_500, 2_999, 3_500, 5_500].map(ms));
        let two = Stall { at: ms(1_400), lasts: ms(300), every: None };
        let both = Weather { stalls: vec![two, hole], ..Weather::default() };
        assert_eq!(both.release(ms(1_200)), ms(1_700), "a hole that ends inside another");
        // Sent just before the hole, due inside it.
        let pace = Pace::new(&Weather { delay: ms(300), ..weather }, None, &Line::default());
        assert_eq!(pace.carry(ms(900), 10).1, ms(1_500));
    }

    #[test]
    fn each_profile_is_what_its_description_says() {
        let kilobyte = |profile: Profile| {
            let weather = profile.weather();
            let one = |bps| Pace::new(&weather, bps, &Line::default()).carry(Duration::ZERO, 1_000).1.as_millis();
            (one(weather.up_bps), one(weather.down_bps))
        };
        assert_eq!(kilobyte(Profile::TwoG), (900, 700));
        assert_eq!(kilobyte(Profile::Edge), (375, 312));
        assert_eq!(kilobyte(Profile::ThreeG), (162, 120));
        let lift = Profile::Lift.weather();
        let still = (0..600).filter(|second| lift.release(ms(second * 1_000)) > ms(second * 1_000)).count();
        assert_eq!(still, 200, "a third of ten minutes");
        let basement = Profile::Basement.weather();
        assert_eq!((kilobyte(Profile::Basement), basement.cut_after), ((900, 700), Some(Duration::from_secs(15))));
        assert_eq!(basement.cut_answers, Some(0..1_200));
    }
}
