//! The numbers along an axis.

/// An axis from 0 up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Scale {
    /// The largest value it shows; at least 1.
    pub(super) top: i64,
    /// Where lines are drawn, 0 included.
    pub(super) ticks: Vec<i64>,
}

impl Scale {
    /// An axis for values up to `most`: round numbers, at most five steps.
    pub(super) fn up_to(most: i64) -> Self {
        let most = most.max(1);
        let mut power = 1_i64;
        let step = loop {
            let fitting = [1, 2, 5].into_iter().map(|n| n * power).find(|step| step.saturating_mul(5) >= most);
            match fitting {
                Some(step) => break step,
                None => power = power.saturating_mul(10),
            }
        };
        let steps = (most - 1) / step + 1;
        Self { top: steps * step, ticks: (0..=steps).map(|n| n * step).collect() }
    }

    /// How long a value is on an axis of `length`.
    pub(super) fn length(&self, value: i64, length: f64) -> f64 {
        value.clamp(0, self.top) as f64 / self.top as f64 * length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_round_steps_and_reaches_every_value() {
        for most in (0..3_000).chain([8_093, 99_999, 1_000_001, i64::from(u32::MAX)]) {
            let scale = Scale::up_to(most);
            assert!(scale.top >= most && scale.top < 2 * most.max(1) + 1, "{most} {scale:?}");
            assert!(scale.ticks.len() <= 6 && scale.ticks.first() == Some(&0), "{most} {scale:?}");
            assert_eq!(scale.ticks.last(), Some(&scale.top));
        }
        assert_eq!(Scale::up_to(327).ticks, [0, 100, 200, 300, 400]);
    }

    #[test]
    fn lengths_stay_on_the_axis() {
        let scale = Scale::up_to(10);
        assert_eq!(scale.length(5, 100.0), 50.0);
        assert_eq!((scale.length(-3, 100.0), scale.length(99, 100.0)), (0.0, 100.0));
    }
}
