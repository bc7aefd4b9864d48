//! Seeded randomness of the demo: the same seed gives the same month on every machine.

/// SplitMix64 (Steele, Lea, Flood 2014): 64 bits of state, no dependency, good enough for stories.
pub(super) struct Rng(u64);

impl Rng {
    /// A stream of its own for each `purpose`, so that one more draw in one stage leaves the others as they were.
    pub(super) fn new(seed: u64, purpose: &str) -> Self {
        let mut rng = Self(seed);
        for byte in purpose.bytes() {
            rng.0 = rng.next() ^ u64::from(byte);
        }
        rng
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    /// A number in `0..end`; `end` is not 0. The bias of the multiplication is below 2^-40 here.
    pub(super) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }

    /// A number in `low..=high`.
    pub(super) fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// True in `percent` of 100 cases.
    pub(super) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the values; the slice is not empty.
    pub(super) fn pick<'a, T>(&mut self, values: &'a [T]) -> &'a T {
        &values[self.below(values.len())]
    }

    /// An index, in proportion to the weights; their sum is not 0.
    pub(super) fn weighted(&mut self, weights: &[usize]) -> usize {
        let mut left = self.below(weights.iter().sum());
        weights
            .iter()
            .position(|weight| {
                let here = left < *weight;
                left = left.saturating_sub(*weight);
                here
            })
            .expect("the draw is below the sum of the weights")
    }

    /// Brings the values into a random order.
    pub(super) fn shuffle<T>(&mut self, values: &mut [T]) {
        for end in (1..values.len()).rev() {
            values.swap(end, self.below(end + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_purpose_name_one_stream() {
        let draw = |seed, purpose| Rng::new(seed, purpose).next();
        assert_eq!(draw(1, "text"), draw(1, "text"));
        assert_ne!(draw(1, "text"), draw(1, "time"));
        assert_ne!(draw(1, "text"), draw(2, "text"));
    }

    #[test]
    fn a_weighted_draw_follows_the_weights() {
        let mut rng = Rng::new(7, "weights");
        let mut seen = [0; 3];
        for _ in 0..9_000 {
            seen[rng.weighted(&[1, 0, 2])] += 1;
        }
        assert_eq!(seen[1], 0);
        assert!((2_700..3_300).contains(&seen[0]), "{seen:?}");
    }
}
