//! The network: every request is a parcel with a time of arrival, and the weather decides how many arrive, and when.

use std::collections::BTreeMap;

use xunge_client_core::model::Millis;
use xunge_client_core::sync::{Event, OutboundKind, Upload};

use crate::workload::Dice;

const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;

/// Something on its way.
#[derive(Debug, Clone)]
pub(super) enum Parcel {
    /// A request; its answer goes back after `answer` milliseconds, or not at all.
    Request {
        phone: usize,
        life: u64,
        ticket: u64,
        exchange: u64,
        kind: OutboundKind,
        body: Vec<u8>,
        bearer: Option<String>,
        answer: Option<Back>,
    },
    /// Bytes of a photo.
    Photo { phone: usize, life: u64, ticket: u64, upload: Upload, bytes: Vec<u8>, cut: bool, answer: Option<Back> },
    /// What a phone's transport says.
    Event { phone: usize, life: u64, ticket: u64, event: Event },
    /// A rescue bundle that somebody carries.
    Bundle { phone: usize, bytes: Vec<u8> },
    /// The time a phone's engine asked for; only the newest of a phone counts.
    Tick { phone: usize, life: u64, number: u64 },
}

/// How an answer travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Back {
    pub(super) after_ms: i64,
    pub(super) harm: Harm,
}

/// What happens to the bytes of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Harm {
    None,
    /// One bit is flipped, somewhere.
    Flipped(u64),
    /// It breaks off, somewhere, and nobody says so.
    Cut(u64),
    /// Somebody else answers: a captive portal.
    Portal,
}

/// How one copy of a request arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) after_ms: i64,
    /// It breaks off, somewhere.
    pub(super) cut: Option<u64>,
    /// How its answer goes back, if it does.
    pub(super) answer: Option<Back>,
}

impl Arrival {
    fn whole(after_ms: i64, answer: Option<Back>) -> Self {
        Self { after_ms, cut: None, answer }
    }
}

/// Where something of `bytes` bytes breaks off: always before its end.
pub(super) fn cut_at(dice: u64, bytes: usize) -> usize {
    (dice % (bytes as u64).max(1)) as usize
}

/// What the weather does to one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fate {
    /// Each copy that arrives at the server.
    pub(super) arrivals: Vec<Arrival>,
    /// When the phone's transport gives up, if nothing came.
    pub(super) gives_up_ms: i64,
    /// One word for the trace.
    pub(super) name: &'static str,
}

/// Rolls the weather for one request.
pub(super) fn weather(dice: &mut Dice, rough: bool) -> Fate {
    let way = 50 + dice.below(900) as i64;
    let answer = |after_ms| Some(Back { after_ms, harm: Harm::None });
    let gives_up_ms = 60 * SECOND;
    let late = |dice: &mut Dice| match dice.below(3) {
        0 => dice.below(120) as i64 * SECOND,
        1 => dice.below(24) as i64 * HOUR,
        _ => dice.below(24 * 5) as i64 * HOUR,
    };
    let harmed = |harm| Arrival::whole(way, Some(Back { after_ms: way, harm }));
    let fate = |name, arrivals| Fate { arrivals, gives_up_ms, name };
    match if rough { dice.below(100) } else { 99 } {
        0..12 => Fate { gives_up_ms: way, ..fate("lost", vec![]) },
        12..24 => fate("answer lost", vec![Arrival::whole(way, None)]),
        24..29 => fate("twice", vec![Arrival::whole(way, answer(way)), Arrival::whole(way + late(dice), None)]),
        29..31 => {
            fate("twice, the second answer", vec![Arrival::whole(way, None), Arrival::whole(way + 10, answer(way))])
        }
        31..35 => {
            let delay = gives_up_ms + late(dice);
            fate("too late", vec![Arrival::whole(delay, None)])
        }
        35..38 => fate("damaged", vec![harmed(Harm::Flipped(dice.roll()))]),
        38..40 => fate("portal", vec![harmed(Harm::Portal)]),
        40..43 => fate("answer cut", vec![harmed(Harm::Cut(dice.roll()))]),
        43..46 => {
            // What the server says to half a request is heard or not.
            let (cut, back) = (Some(dice.roll()), if dice.chance(500) { answer(way) } else { None });
            fate("cut", vec![Arrival { after_ms: way, cut, answer: back }])
        }
        _ => fate("fine", vec![Arrival::whole(way, answer(way))]),
    }
}

/// Everything on its way, in the order of arrival.
#[derive(Debug, Default)]
pub(super) struct Net {
    parcels: BTreeMap<(i64, u64), Parcel>,
    sent: u64,
}

impl Net {
    pub(super) fn send(&mut self, at: Millis, parcel: Parcel) {
        self.sent += 1;
        self.parcels.insert((at.0, self.sent), parcel);
    }

    /// The next parcel that arrives until `until`.
    pub(super) fn next(&mut self, until: Millis) -> Option<(Millis, Parcel)> {
        let entry = self.parcels.first_entry().filter(|entry| entry.key().0 <= until.0)?;
        let at = Millis(entry.key().0);
        Some((at, entry.remove()))
    }

    /// When the next parcel arrives.
    pub(super) fn due(&self) -> Option<Millis> {
        self.parcels.keys().next().map(|(at, _)| Millis(*at))
    }
}
