//! What one sync request may weigh.

/// Most bytes of the compressed frame: 8 s at 64 kbit/s, a quarter of a 30 s cut.
pub const COMPRESSED: usize = 64 * 1024;
/// Most bytes of the frame after a failed try, so that a bad link still makes progress.
pub const COMPRESSED_AFTER_FAILURE: usize = 16 * 1024;
/// Room for the envelope around the frame: version, device, counter, signature.
pub const ENVELOPE: usize = COMPRESSED + 256;
/// Most bytes of the body after decompression.
pub const DECOMPRESSED: usize = 1024 * 1024;
/// Largest zstd window: a stranger's frame must not reserve more than 1 MiB.
pub const WINDOW_LOG: u32 = 20;
/// Deepest nesting of the CBOR body.
pub const DEPTH: usize = 8;
/// Bodies below this size are compressed at level 19: the link saves more than the CPU costs.
pub const BEST_COMPRESSION_BELOW: usize = 256 * 1024;
/// Most changes one case may bring in one push.
pub const CHANGES_PER_CASE: usize = 64;
/// Most bytes of one change.
pub const CHANGE: usize = 64 * 1024;
/// Most cases one push may carry.
pub const FRAMES: usize = 512;
/// Most requests one push may carry.
pub const REQUESTS: usize = 512;
/// Most photos one push may ask about.
pub const PHOTOS: usize = 512;
/// Most bytes of a preview: two seconds at 64 kbit/s. Phones make theirs of at most 10,000.
pub const PREVIEW: u64 = 16 * 1024;
/// Most cases a count of everything in view may leave out.
pub const CENSUS_EXCEPT: usize = 64;
/// Fewest bytes of news a phone may ask for, uncompressed: about a case, so that an answer fits a link that carries but a
/// few hundred bytes of it.
pub const ANSWER_LEAST: usize = 512;
/// Most bytes of a rescue bundle. A server holds up to three copies of one while it opens it.
pub const RESCUE: usize = 10 * 1024 * 1024;
/// Bytes of contents after which a phone begins another bundle: an old phone holds a few copies of it in memory.
pub const RESCUE_FILL: usize = 4 * 1024 * 1024;
/// Most bytes of a request's payload.
pub const PAYLOAD: usize = 16 * 1024;
