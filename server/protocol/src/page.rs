//! Cursor paging: a page of a list and where the next one begins.

use serde::{Deserialize, Serialize};

/// Items per page when the caller names no number.
pub const DEFAULT_LIMIT: u32 = 50;
/// The most items one answer carries, so that no request is unbounded.
pub const MAX_LIMIT: u32 = 100;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Opaque; give it back as `cursor` for the items after these. Absent on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}
