//! Where an engine stands at a moment of rest.

use minicbor::{Decode, Encode};

/// Everything a resting engine remembers, without names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Rest {
    /// Next exchange, last counter, version of the reference data.
    #[n(0)]
    pub numbers: (u64, u64, u64),
    /// Page size: bytes, items, news, how long the link held, answers since.
    #[n(1)]
    pub size: (u64, u64, u64, Option<u64>, u32),
    /// Failures since the last progress.
    #[n(2)]
    pub failures: u32,
    /// Parked cases: number, until, times.
    #[n(3)]
    pub cases: Vec<(u32, u64, u32)>,
    /// Parked photos.
    #[n(4)]
    pub photos: Vec<(u32, u64, u32)>,
    /// Background, again, more, curious, wants reference data, has tried to, the count is due.
    #[n(5)]
    pub flags: [bool; 7],
    /// Until when the token holds.
    #[n(6)]
    pub token_until: Option<u64>,
    /// No photo before this time, after so many times of being put off.
    #[n(7)]
    pub held: Option<(u64, u32)>,
}
