//! How much a foreign change may hold. An honest phone stays far below each of these.

/// Bytes of one change body. A report with two full texts and nine photos is under 20 KB.
pub const MAX_BODY_BYTES: usize = 64 << 10;
/// Operations of one change.
pub const MAX_OPS: usize = 512;
/// Values one change may replace, over all its operations.
pub const MAX_PREDS: usize = 4 * MAX_OPS;
/// Changes one change may build on directly: the heads, and the writer's own last change.
pub const MAX_DEPS: usize = 16;
/// Other actors one change may name.
///
/// Every app start is a new actor, so an edit of all fourteen registers of an old case may name as many;
/// with [`GateLimits::max_values`] concurrent values in each, this is what an honest change can reach.
pub const MAX_OTHER_ACTORS: usize = 128;
/// Bytes of a map key; the longest valid one is a photo's hash of 64.
pub const MAX_KEY_BYTES: usize = 64;
/// Highest number of a first operation. Near `u32::MAX` Automerge 0.12 locks the document for ever.
pub const MAX_START_OP: u64 = 1 << 30;
/// How far a first operation may lie above the document's highest.
pub const MAX_START_OP_STEP: u64 = 4_096;

/// Limits on what the document may become.
///
/// Each keeps one hostile writer from locking out the others: whatever it sends within these limits, the
/// next honest edit still fits into a change that passes.
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
    /// Heads a document may have; one less than [`MAX_DEPS`].
    pub max_heads: usize,
    /// Concurrent values of a register, and concurrent maps of a container.
    pub max_values: usize,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self {
            max_changes: 64,
            max_photos: crate::model::Facts::MAX_PHOTOS,
            max_history: 500,
            max_document_bytes: 512 << 10,
            max_heads: MAX_DEPS - 1,
            max_values: 8,
        }
    }
}

impl GateLimits {
    /// Limits of a phone for what its server hands down, which meets unsent changes of its own.
    pub(super) fn from_server() -> Self {
        Self {
            max_changes: usize::MAX,
            max_photos: usize::MAX,
            max_history: 2_000,
            max_document_bytes: 2 << 20,
            max_heads: 64,
            max_values: 64,
        }
    }
}
