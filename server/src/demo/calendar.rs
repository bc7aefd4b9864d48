//! The month's rhythm: when phones come back into coverage, when offices work.
//!
//! A day has [`ROUNDS`] rounds between 08:30 and 20:15. In a round phones sync first, then offices act; the runner
//! sets the server's business clock to the round and lets everything of it happen at once.

use xunge_client_core::model::{LocalMonth, Millis};

use super::rng::Rng;

/// Rounds of a day.
pub(super) const ROUNDS: usize = 24;
const MINUTE: i64 = 60_000;

/// The rounds of a month.
pub(super) struct Calendar {
    /// When each round begins; rounds are at least 16 minutes apart.
    rounds: Vec<Millis>,
    /// How much is reported on each day, relative to 100.
    weights: Vec<usize>,
}

impl Calendar {
    /// Fewer reports on Saturdays and Sundays, and no two days alike.
    pub(super) fn new(month: LocalMonth, rng: &mut Rng) -> Self {
        let mut calendar = Self { rounds: Vec::new(), weights: Vec::new() };
        let mut day = month.first();
        while day <= month.last() {
            let usual = [100, 104, 102, 98, 96, 55, 42][day.weekday() as usize];
            calendar.weights.push(usual * rng.between(85, 115) / 100);
            for round in 0..ROUNDS {
                let minutes = 8 * 60 + 30 + round * 30 + rng.below(15);
                calendar.rounds.push(day.start().plus_ms(minutes as i64 * MINUTE));
            }
            day = day.plus_days(1);
        }
        calendar
    }

    /// A day, by how much is reported.
    pub(super) fn draw_day(&self, rng: &mut Rng) -> usize {
        rng.weighted(&self.weights)
    }

    /// The beginning of a round.
    pub(super) fn at(&self, round: usize) -> Millis {
        self.rounds[round]
    }

    /// The last round of the month.
    pub(super) fn last(&self) -> usize {
        self.rounds.len() - 1
    }

    /// When the `nth` office act on one case happens in a round: after the phones, before the next round.
    pub(super) fn act_at(&self, round: usize, nth: usize) -> Millis {
        self.at(round).plus_ms((3 + nth.min(10) as i64) * MINUTE)
    }

    /// When each round begins.
    pub(super) fn rounds(&self) -> &[Millis] {
        &self.rounds
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_leave_room_for_the_office_and_stay_in_their_day() {
        let month = LocalMonth::new(2023, 11).unwrap();
        let calendar = Calendar::new(month, &mut Rng::new(5, "calendar"));
        assert_eq!(calendar.rounds().len(), 30 * ROUNDS);
        for round in 0..calendar.last() {
            assert!(calendar.act_at(round, 10) < calendar.at(round + 1));
            assert_eq!(calendar.at(round).local_day(), month.first().plus_days((round / ROUNDS) as i32));
        }
        assert!(calendar.act_at(calendar.last(), 10).local_day() == month.last());
    }
}
