//! What the field saw: the typed reading of a case's field document, and of an intake payload.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::role::coded;
use super::{CategoryRef, CoordSys, LocationSource, Millis, Mode, PhotoHash, Point, Ulid};

coded! {
    /// What a photo shows.
    PhotoRole {
        /// The problem as found (处置前).
        Before = "before", "处置前";
        /// The scene after handling (处置后).
        After = "after", "处置后";
        /// Taken for a verify task (核实).
        Verify = "verify", "核实";
        /// Taken for a recheck task (核查).
        Check = "check", "核查";
    }
}

/// One photo as its reporter describes it; the bytes travel apart, named by hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotoFact {
    /// What it shows.
    pub role: PhotoRole,
    /// Media type of the upload copy.
    pub mime: String,
    /// Size of the upload copy in bytes.
    pub bytes: u64,
    /// Width in pixels.
    pub w: u32,
    /// Height in pixels.
    pub h: u32,
    /// When it was taken, by the phone's clock or the photo's own note.
    pub taken_at: Option<Millis>,
}

/// A remark or supplement; keyed by its ULID, never edited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remark {
    /// The words.
    pub text: String,
    /// When, by the phone's clock.
    pub at: Millis,
}

/// Everything the field states about a case. All of it is a claim; none of it decides anything.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The category the inspector chose; may name a code nobody knows (flagged, not refused).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category_claim: Option<CategoryRef>,
    /// What is wrong, at most 2,000 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Where, in words, at most 256 characters.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub location_text: String,
    /// The point as the phone gave it, in `coord_sys`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<Point>,
    /// Radius of the fix in metres.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy_m: Option<u32>,
    /// The system `point` is stated in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coord_sys: Option<CoordSys>,
    /// Where the point came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location_source: Option<LocationSource>,
    /// Age of the fix in seconds when the report was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix_age_s: Option<u32>,
    /// The grid the phone believes it is in, 15 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid_claim: Option<String>,
    /// Fixed on the spot, or to be forwarded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode_claim: Option<Mode>,
    /// How it was fixed.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub handle_note: String,
    /// When the problem was found, by the phone's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovered_at: Option<Millis>,
    /// When it was fixed, by the phone's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub handled_at: Option<Millis>,
    /// Photos by hash, at most 9.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub photos: BTreeMap<PhotoHash, PhotoFact>,
    /// Remarks by ULID.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub remarks: BTreeMap<String, Remark>,
    /// Supplements after the case was sealed, by ULID.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub supplements: BTreeMap<String, Remark>,
}

impl Facts {
    /// Most photos one case may name.
    pub const MAX_PHOTOS: usize = 9;
    /// Most characters of a description, a handling note or a remark.
    pub const MAX_TEXT_CHARS: usize = 2_000;
    /// Most characters of a location in words.
    pub const MAX_LOCATION_CHARS: usize = 256;

    /// Photos with this role.
    pub fn photos_with(&self, role: PhotoRole) -> impl Iterator<Item = (&PhotoHash, &PhotoFact)> {
        self.photos.iter().filter(move |(_, photo)| photo.role == role)
    }

    /// Without supplements that are also there as remarks. Copies of a phone share a remark and its key: one may have been
    /// told that it came too late, and have said it again as a supplement, when a restored server took it of another.
    pub(crate) fn said_once(mut self) -> Self {
        self.supplements.retain(|key, said| self.remarks.get(key) != Some(said));
        self
    }

    /// The key of a new remark.
    pub fn remark_key(id: Ulid) -> String {
        id.to_string()
    }
}

/// A register that two writers set without knowing of each other; every value is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conflict {
    /// Name of the register.
    pub field: String,
    /// Every concurrent value as text, the winning one first.
    pub values: Vec<String>,
}
