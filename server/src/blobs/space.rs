//! How full the disk is: photos stop coming in before the reports do.

use std::path::Path;
use std::sync::Arc;

/// Below this free share photos are refused; text goes on until one percent.
const PHOTO_RESERVE: f64 = 0.05;

/// Tells how much of a disk is free; clones share it.
#[derive(Clone)]
pub struct Space(Arc<dyn Fn() -> f64 + Send + Sync>);

impl std::fmt::Debug for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Space").field(&self.free_share()).finish()
    }
}

impl Space {
    /// The disk that holds a folder, as users without privileges may fill it.
    ///
    /// A disk that cannot be asked counts as empty: refusing every photo for a failed question would lose more.
    pub fn of_disk(folder: &Path) -> Self {
        let folder = folder.to_owned();
        Self(Arc::new(move || match rustix::fs::statvfs(&folder) {
            Ok(disk) if disk.f_blocks > 0 => disk.f_bavail as f64 / disk.f_blocks as f64,
            _ => 1.0,
        }))
    }

    /// A disk with a given free share, for tests.
    pub fn of_share(share: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(share))
    }

    /// The free share, 0 to 1.
    pub fn free_share(&self) -> f64 {
        (self.0)()
    }

    /// Tells whether photos may still come in.
    pub fn takes_photos(&self) -> bool {
        self.free_share() >= PHOTO_RESERVE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_real_disk_has_a_share_between_nothing_and_all() {
        let share = Space::of_disk(Path::new("/")).free_share();
        assert!((0.0..=1.0).contains(&share));
        assert!(Space::of_disk(Path::new("/no/such/folder")).takes_photos());
    }

    #[test]
    fn photos_are_refused_under_five_percent() {
        assert!(Space::of_share(|| 0.05).takes_photos());
        assert!(!Space::of_share(|| 0.049).takes_photos());
    }
}
