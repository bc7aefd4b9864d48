//! The centre's own sweeps, once on each day of a run, between whatever phones and offices do.

use super::world::World;
use super::{Held, hold};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// Days of the security clock in a day of the run: bytes without a row are kept for thirty days, and most runs end sooner.
const PACE: i64 = 5;

impl World {
    /// Sweeps if a day began since the last time: nothing goes that a case names or a phone counts as sent.
    ///
    /// Uploads and files are dated by the host's clock, so all of a run are of its first moments and run out early.
    pub(super) fn sweep_by_day(&mut self) -> Held {
        let day = (self.time.now().0 - self.begin.0) / DAY;
        if day == self.swept {
            return Ok(());
        }
        self.swept = day;
        let (uploads, photos) = self.centre.sweep(self.began.plus_ms(day * PACE * DAY + HOUR));
        self.counted.swept += (uploads + photos) as u64;
        self.note(format!("the centre sweeps: {uploads} uploads nobody finished, {photos} photos without a row"));
        self.check_sweep()
    }

    /// Every photo with a row has its bytes, and phones are right about what they sent.
    pub(super) fn check_sweep(&mut self) -> Held {
        for photo in self.centre.known_photos() {
            hold(self.centre.has_bytes(&photo), "a sweep leaves what has a row", || photo.to_string())?;
        }
        self.sent.photos.clear();
        (0..self.phones.len()).try_for_each(|phone| self.check_phone(phone))
    }
}
