//! How much a foreign change may hold. An honest phone stays far below each of these.

/// Bytes of one change body. A report with two full texts and nine photos is under 20 KB.
pub const MAX_BODY_BYTES: usize = 64 << 10;
/// Operations of one change.
pub const MAX_OPS: usize = 512;
/// Values one change may replace, over all its operations.
pub const MAX_PREDS: usize = 4 * MAX_OPS;
/// Changes one change may build on directly.
pub const MAX_DEPS: usize = 16;
/// Other actors one change may name.
pub const MAX_OTHER_ACTORS: usize = 16;
/// Bytes of a map key; the longest valid one is a photo's hash of 64.
pub const MAX_KEY_BYTES: usize = 64;
/// Highest number of a first operation. Near `u32::MAX` Automerge 0.12 locks the document for ever.
pub const MAX_START_OP: u64 = 1 << 30;
/// How far a first operation may lie above the document's highest.
pub const MAX_START_OP_STEP: u64 = 4_096;

/// Limits that the caller may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateLimits {
    /// Changes per case and push.
    pub max_changes: usize,
    /// Photos a case may name.
    pub max_photos: usize,
    /// Changes a document may have in all. An honest case has under a hundred.
    pub max_history: usize,
    /// Bytes of the saved document.
    pub max_document_bytes: usize,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self {
            max_changes: 64,
            max_photos: crate::model::Facts::MAX_PHOTOS,
            max_history: 2_000,
            max_document_bytes: 1 << 20,
        }
    }
}
