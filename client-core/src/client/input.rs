//! What an inspector types, picks and photographs.

use crate::model::{CoordSys, LocationSource, Millis, Mode, PhotoRole};

/// Facts of a report, each optional: a new draft starts with what is given, an update changes what is given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReportInput {
    /// A category by name, code, `scheme:code` or `scheme:kind:code`; an unknown one is taken as it is and flagged.
    pub category: Option<String>,
    /// What is wrong, at most 2,000 characters.
    pub text: Option<String>,
    /// Where, on the map.
    pub place: Option<Place>,
    /// Where, in words, at most 256 characters.
    pub location_text: Option<String>,
    /// Fixed on the spot, or to be forwarded.
    pub mode: Option<Mode>,
    /// How it was fixed, at most 2,000 characters.
    pub handle_note: Option<String>,
    /// When it was found, by the phone's clock; a new draft takes now.
    pub discovered_at: Option<Millis>,
    /// When it was fixed, by the phone's clock; a self-handled report with an after photo takes now.
    pub handled_at: Option<Millis>,
    /// Photos to add.
    pub photos: Vec<PhotoInput>,
}

/// A point as the phone has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// Longitude in decimal degrees.
    pub lon: f64,
    /// Latitude in decimal degrees.
    pub lat: f64,
    /// The system the degrees are stated in. Stored as it is, converted only to find the grid.
    pub system: CoordSys,
    /// Where the point came from.
    pub source: LocationSource,
    /// Radius of the fix in metres.
    pub accuracy_m: Option<u32>,
    /// Age of the fix in seconds.
    pub fix_age_s: Option<u32>,
}

impl Place {
    /// A pin set by hand, in WGS-84.
    pub fn pin(lon: f64, lat: f64) -> Self {
        let (system, source) = (CoordSys::Wgs84, LocationSource::Manual);
        Self { lon, lat, system, source, accuracy_m: None, fix_age_s: None }
    }
}

/// A photo to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoInput {
    /// What it shows.
    pub role: PhotoRole,
    /// Where it is.
    pub source: PhotoSource,
}

/// Where a photo's bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PhotoSource {
    /// In a file.
    Path(String),
    /// In memory.
    Bytes(Vec<u8>),
}

impl PhotoInput {
    /// The problem as found, in a file.
    pub fn before(path: impl Into<String>) -> Self {
        Self { role: PhotoRole::Before, source: PhotoSource::Path(path.into()) }
    }

    /// The scene after handling, in a file.
    pub fn after(path: impl Into<String>) -> Self {
        Self { role: PhotoRole::After, source: PhotoSource::Path(path.into()) }
    }
}
