//! Sync v1.
